/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FUSE_PROGRAM_H
#define FUSE_PROGRAM_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/fuse/fuse-shape.h"

/* Rewrite programs
 * ================
 *
 * A program does in one step what the whole pipeline does to a packet.  It
 * replaces the first 'k' octets, up to the innermost IP header, by 'm' others.
 * From there on it replaces some bits of the header.  Then it fills in the
 * lengths of added headers and corrects the checksums.
 *
 * The replaced bits are the same for every packet that runs the program.
 * Their values are an entry's image.  'omask' says which bits of the result
 * come from the image; all others stay.
 *
 * fuse_compose() compares the first packet of a flow as it came in and as it
 * went out, and derives program, image and checksum differences.  Each bit of
 * the outcome must be of one of three kinds: it depends only on bits of the
 * key, which each later packet has, too; it belongs to a length or a checksum;
 * or it has not changed.  Anything else is refused.  Finally fuse_compose()
 * runs the program on the packet as it came, and refuses if one bit differs
 * from the packet as it went.
 *
 * A checksum is corrected by RFC 1624, equation 3, with one difference for all
 * rewritten fields.  One's complement sums have two zeros.  As long as the old
 * checksum is not 0xffff, any number of differences, in any order and
 * grouping, gives the same one of the two.  Packets with 0xffff take the
 * ordinary path.
 *
 * A UDP packet without a checksum does not show the difference.  Its program
 * carries FUSE_P_NO_CSUM and serves only packets without one.  A program from
 * a packet with a checksum serves both: 0 stays 0.
 *
 * Thread-safety: pure functions. */

/* Flags of a program. */
enum {
    FUSE_P_RSS_IN = 1 << 0,     /* Came with an RSS hash.  As FUSE_OL_RSS. */
    FUSE_P_OUTER_CSUM = 1 << 1, /* Outer IPv4 checksum must be right. */
    FUSE_P_L3_CHECK = 1 << 2,   /* Innermost IPv4 checksum must be right... */
    FUSE_P_L4_CHECK = 1 << 3,   /* ...and the checksum of its payload. */
    FUSE_P_PUSH = 1 << 4,       /* Needs headroom. */
    FUSE_P_RSS_SAME = 1 << 5,   /* Came with the entry's RSS hash. */
    FUSE_P_RSS_SET = 1 << 6,    /* Goes with the entry's RSS hash. */
    FUSE_P_OL_RESET = 1 << 7,   /* Other offload flags are cleared. */
    FUSE_P_DROP = 1 << 8,       /* Nothing goes out. */
    FUSE_P_NO_PAD = 1 << 9,     /* Padding would be part of a length. */
    FUSE_P_L3_UPDATE = 1 << 10, /* The innermost IPv4 checksum changes... */
    FUSE_P_L4_UPDATE = 1 << 11, /* ...and that of its payload. */
    FUSE_P_NO_CSUM = 1 << 12,   /* For UDP packets without a checksum only:
                                 * what one would grow by is not known. */
    FUSE_P_TCP = 1 << 13,       /* TCP sequence numbers must be valid. */
    FUSE_P_METER = 1 << 14,     /* Meters may drop it. */
};

/* Describes no single flow, so it has no pointers and can be compared as a
 * whole.  Offsets are from the start of the packet. */
struct fuse_program {
    uint8_t omask[FUSE_MAX_KEY] __attribute__((aligned(64)));
    uint64_t octets[3];         /* Bitmaps of those below 'n_octets', one for
                                 * each part of the image. */
    uint16_t flags;
    uint16_t shape;             /* Of the packet as it comes. */
    uint16_t n_octets;          /* Of the image. */
    uint8_t k, m;
    uint8_t l3_csum;            /* Offset as it comes; 0: none. */
    uint8_t l4_csum;
    uint8_t ip4_len;            /* Offsets as it goes of what to fill in: */
    uint8_t ip6_len;            /* lengths, 0 if there is none of the kind. */
    uint8_t udp_len;
    uint8_t gtp_len;
    uint16_t l4_zero;           /* What 0 becomes: 0xffff for UDP, where 0 is
                                 * that there is none, else 0. */
    uint16_t l2_5_ofs;          /* Offsets that Open vSwitch keeps. */
    uint16_t l3_ofs;
    uint16_t l4_ofs;
    uint32_t priority;          /* For the QoS of the port out. */
};

/* How a packet came in and how it went out. */
struct fuse_sample {
    const uint8_t *before;      /* 'n_before' octets of 'before_size'. */
    const uint8_t *after;       /* 'n_after' octets of 'after_size'. */
    uint32_t n_before, before_size;
    uint32_t n_after, after_size;
    int shape;
    bool popped;                /* A tunnel's headers were taken off... */
    enum fuse_tunnel pushed;    /* ...and put on. */
    bool rewritten;             /* Some field was set. */
    uint16_t flags;             /* To add to the program's. */
};

/* The outcome of composition. */
struct fuse_outcome {
    struct fuse_program program;
    uint8_t image[FUSE_MAX_KEY] __attribute__((aligned(64)));
    uint16_t l3_delta, l4_delta;
};

/* fuse_compose() should see at least so many octets before and after, or
 * all. */
#define FUSE_SAMPLE_SIZE 256

/* Why it refuses. */
#define FUSE_REFUSALS                                                   \
    FUSE_REFUSAL(HEADER_SIZE, "headers too long")                       \
    FUSE_REFUSAL(UNKNOWN_CHANGE, "rewrite of what is not in the key")   \
    FUSE_REFUSAL(PUSHED, "tunnel header of another kind")               \
    FUSE_REFUSAL(PUSHED_CSUM, "tunnel with UDP checksum")               \
    FUSE_REFUSAL(PUSHED_SEQ, "tunnel with sequence number")             \
    FUSE_REFUSAL(REPLAY, "replay differs")

enum fuse_refusal {
    FUSE_COMPOSED,
#define FUSE_REFUSAL(NAME, TEXT) FUSE_REFUSED_##NAME,
    FUSE_REFUSALS
#undef FUSE_REFUSAL
    FUSE_N_REFUSALS
};

void fuse_program_set_octets(struct fuse_program *, uint32_t n);
enum fuse_refusal fuse_compose(const struct fuse_sample *,
                               struct fuse_outcome *);
void fuse_program_run(const struct fuse_program *, const uint8_t *image,
                      uint16_t l3_delta, uint16_t l4_delta,
                      uint8_t *packet, uint32_t size);

static inline uint16_t
fuse_fold(uint32_t sum)
{
    sum = (sum >> 16) + (sum & 0xffff);
    return sum + (sum >> 16);
}

/* Returns checksum 'csum' after its complement has grown by 'delta'. */
static inline uint16_t
fuse_csum_add(uint16_t csum, uint16_t delta)
{
    uint16_t sum = (uint16_t) ~csum + delta;

    return ~(sum + (sum < delta));
}

static inline uint16_t
fuse_get16(const uint8_t *p)
{
    uint16_t x;

    __builtin_memcpy(&x, p, sizeof x);
    return x;
}

static inline void
fuse_put16(uint8_t *p, uint16_t x)
{
    __builtin_memcpy(p, &x, sizeof x);
}

/* The checksums of a packet, taken before any octet of it is written. */
struct fuse_csums {
    uint16_t l3, l4;
};

static inline struct fuse_csums
fuse_csums_get(const struct fuse_program *p, const uint8_t *packet)
{
    /* Offset 0, of none, does no harm. */
    return (struct fuse_csums) { fuse_get16(packet + p->l3_csum),
                                 fuse_get16(packet + p->l4_csum) };
}

/* Writes the checksums 'c', corrected, to the packet that begins at 'q' now */
static inline void
fuse_csums_put(const struct fuse_program *p, struct fuse_csums c,
               uint16_t l3_delta, uint16_t l4_delta, uint8_t *q)
{
    if (p->flags & FUSE_P_L3_UPDATE) {
        fuse_put16(q + p->l3_csum - p->k + p->m,
                   fuse_csum_add(c.l3, l3_delta));
    }
    if (p->flags & FUSE_P_L4_UPDATE && (c.l4 || !p->l4_zero)) {
        uint16_t csum = fuse_csum_add(c.l4, l4_delta);

        fuse_put16(q + p->l4_csum - p->k + p->m, csum ? csum : p->l4_zero);
    }
}

/* Fills in the lengths of the headers that were put before the packet, of now
 * 'size' octets at 'q'. */
static inline void
fuse_lengths_put(const struct fuse_program *p, uint8_t *q, uint32_t size)
{
    if (p->ip4_len) {
        uint8_t *ip = q + p->ip4_len - 2;
        uint16_t len = __builtin_bswap16(size - (p->ip4_len - 2));
        uint32_t sum = 0;

        fuse_put16(q + p->ip4_len, len);
        for (int i = 0; i < 20; i += 2) {
            sum += i == 10 ? 0 : fuse_get16(ip + i);
        }
        fuse_put16(ip + 10, ~fuse_fold(sum));
    } else if (p->ip6_len) {
        fuse_put16(q + p->ip6_len,
                   __builtin_bswap16(size - (p->ip6_len - 4) - 40));
    }
    fuse_put16(q + p->udp_len, __builtin_bswap16(size - (p->udp_len - 4)));
    if (p->gtp_len) {
        fuse_put16(q + p->gtp_len,
                   __builtin_bswap16(size - (p->gtp_len - 2) - 8));
    }
}

#endif /* fuse-program.h */
