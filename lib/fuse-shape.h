/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FUSE_SHAPE_H
#define FUSE_SHAPE_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Shapes of packets
 * =================
 *
 * The fused flow cache finds the outcome of a packet by the packet's own
 * header.  A shape is a stack of headers that the cache knows, such as
 * "Ethernet, IPv4, UDP, GTP-U, IPv4, TCP", and says which bits of it are the
 * key: every one that a flow can match or an action can depend on.  Left out
 * are lengths, the IPv4 identification and "don't fragment", checksums, what
 * follows the ports in TCP, UDP and SCTP, the sequence number of ICMP, and
 * that of GTP-U.
 *
 * fuse_classify() tells the shape of a packet, or why the cache must leave it
 * alone.  It vouches for what the key leaves out: lengths that agree with each
 * other and the packet, no fragment, no IP option or extension header, no
 * checksum in a tunnel's UDP header, and of TCP flags ACK without SYN, FIN and
 * RST.  So two packets of the same shape and key, from the same port, are
 * treated alike by any pipeline that looks at neither TCP flags nor lengths,
 * as far as checksums are right.
 *
 * Thread-safety: the table is built once by fuse_shapes_init(), and only read
 * from then on.  The rest are pure functions.
 *
 * Attack model: every octet is the sender's.  No octet is read that is not
 * below 'len'. */

/* No header that is longer is known, so keys are no longer. */
#define FUSE_MAX_KEY 128

/* UDP tunnels. */
enum fuse_tunnel {
    FUSE_TUNNEL_NONE,
    FUSE_TUNNEL_GTPU,
    FUSE_TUNNEL_VXLAN,
    FUSE_TUNNEL_GENEVE,
};

/* Reasons why a packet takes the ordinary path: FUSE_SKIP(NAME, text). */
#define FUSE_SKIPS                                                  \
    FUSE_SKIP(SHORT, "truncated or too short")                      \
    FUSE_SKIP(ETHERTYPE, "neither IPv4 nor IPv6")                   \
    FUSE_SKIP(IP_OPTIONS, "IP options or extension headers")        \
    FUSE_SKIP(FRAGMENT, "IP fragment")                              \
    FUSE_SKIP(LENGTH, "length fields disagree")                     \
    FUSE_SKIP(PROTOCOL, "neither TCP, UDP, SCTP nor ICMP echo")     \
    FUSE_SKIP(TCP_FLAGS, "TCP without ACK")                         \
    FUSE_SKIP(TUNNEL, "tunnel header of another kind")              \
    FUSE_SKIP(TUNNEL_CSUM, "tunnel with UDP checksum")

enum fuse_skip {
#define FUSE_SKIP(NAME, TEXT) FUSE_SKIP_##NAME,
    FUSE_SKIPS
#undef FUSE_SKIP
    FUSE_N_SKIPS
};

/* Numbers of shapes: 16 without tunnel, then those with one. */
enum { FUSE_L4_TCP, FUSE_L4_UDP, FUSE_L4_SCTP, FUSE_L4_ICMP };
enum { FUSE_T_GTPU8, FUSE_T_GTPU12, FUSE_T_GTPU16, FUSE_T_VXLAN,
       FUSE_T_GENEVE, FUSE_N_T };
#define FUSE_N_PLAIN 16
#define FUSE_N_SHAPES (FUSE_N_PLAIN + 4 * FUSE_N_T * 8)

struct fuse_shape {
    uint8_t mask[FUSE_MAX_KEY] __attribute__((aligned(64)));
    uint64_t octets[2];         /* Bitmaps of those below 'n_octets'. */
    uint8_t n_octets;           /* Length of the key; 0: no such shape. */
    uint8_t n_blocks;           /* The same in blocks of 64. */
    uint8_t l3;                 /* Offset of the innermost IP header... */
    uint8_t l4;                 /* ...and of what follows it. */
    uint8_t l4_csum;            /* Offset of the checksum, 0 for SCTP. */
    uint8_t l4_kind;            /* FUSE_L4_*. */
    uint8_t outer_l3;           /* Equals 'l3' if there is no tunnel. */
    bool ipv6;                  /* The innermost. */
    bool outer_ipv6;
    bool tunnel;
};

extern struct fuse_shape fuse_shapes[FUSE_N_SHAPES];

/* What fuse_classify() says besides the shape. */
struct fuse_class {
    uint16_t tcp_flags;         /* As in the header, host byte order; 0. */
    uint16_t pad;               /* Octets after the IP packet. */
    bool end;                   /* SYN, FIN or RST: by the ordinary path. */
};

void fuse_shapes_init(void);
const char *fuse_skip_text(enum fuse_skip);

static inline uint16_t
fuse_be16(const uint8_t *p)
{
    uint16_t x;

    __builtin_memcpy(&x, p, sizeof x);
    return __builtin_bswap16(x);
}

/* Checks the IP packet at 'ofs' and its L4 header.  'len' octets are there.
 * Returns the last 3 bits of a shape's number, or a negative enum fuse_skip
 * minus 1. */
static inline int
fuse_classify_ip(const uint8_t *p, uint32_t ofs, uint32_t len, bool ipv6,
                 struct fuse_class *class)
{
    const uint8_t *ip = p + ofs;
    uint32_t room = len - ofs, hlen, total;
    uint8_t proto;

    if (!ipv6) {
        if (__builtin_expect(len < ofs + 28, 0)) {
            return -1 - FUSE_SKIP_SHORT;
        }
        if (__builtin_expect(ip[0] != 0x45, 0)) {
            return -1 - FUSE_SKIP_IP_OPTIONS;
        }
        if (__builtin_expect(fuse_be16(ip + 6) & 0x3fff, 0)) {
            return -1 - FUSE_SKIP_FRAGMENT;
        }
        total = fuse_be16(ip + 2);
        hlen = 20;
        proto = ip[9];
    } else {
        if (__builtin_expect(len < ofs + 48, 0)) {
            return -1 - FUSE_SKIP_SHORT;
        }
        if (__builtin_expect(ip[0] >> 4 != 6, 0)) {
            return -1 - FUSE_SKIP_IP_OPTIONS;
        }
        total = 40 + fuse_be16(ip + 4);
        hlen = 40;
        proto = ip[6];
    }
    if (__builtin_expect(total > room || room - total > 255
                         || total < hlen + 8, 0)) {
        return -1 - FUSE_SKIP_LENGTH;
    }
    class->pad = room - total;
    total -= hlen;

    const uint8_t *l4 = ip + hlen;
    int kind = ipv6 ? 4 : 0;

    switch (proto) {
    case 6:
        if (__builtin_expect(total < 20, 0)) {
            return -1 - FUSE_SKIP_LENGTH;
        }
        uint16_t flags = fuse_be16(l4 + 12);
        uint32_t doff = flags >> 12;

        if (__builtin_expect(doff < 5 || doff * 4 > total, 0)) {
            return -1 - FUSE_SKIP_LENGTH;
        }
        class->tcp_flags = flags & 0x0fff;
        class->end = flags & 0x07;
        if (__builtin_expect(!(flags & 0x17), 0)) {
            return -1 - FUSE_SKIP_TCP_FLAGS;
        }
        return kind + FUSE_L4_TCP;
    case 17:
        return (fuse_be16(l4 + 4) != total ? -1 - FUSE_SKIP_LENGTH
                : kind + FUSE_L4_UDP);
    case 132:
        return total < 12 ? -1 - FUSE_SKIP_LENGTH : kind + FUSE_L4_SCTP;
    case 1:
        return (!ipv6 && (l4[0] == 8 || l4[0] == 0) && !l4[1]
                ? kind + FUSE_L4_ICMP : -1 - FUSE_SKIP_PROTOCOL);
    case 58:
        return (ipv6 && (l4[0] == 128 || l4[0] == 129) && !l4[1]
                ? kind + FUSE_L4_ICMP : -1 - FUSE_SKIP_PROTOCOL);
    case 0: case 43: case 44: case 51: case 60:
        return -1 - FUSE_SKIP_IP_OPTIONS;
    }
    return -1 - FUSE_SKIP_PROTOCOL;
}

int fuse_classify_tunnel(const uint8_t *p, uint32_t len, uint32_t l3,
                         bool ipv6, enum fuse_tunnel, struct fuse_class *);

/* Tells the shape of the packet of 'len' octets at 'p', an Ethernet frame: an
 * index of 'fuse_shapes', or -1 minus an enum fuse_skip.  'tunnels' has an
 * enum fuse_tunnel for each of 65536 UDP ports in network byte order: packets
 * to that port are taken for the tunnel's.  Fills in '*class'. */
static inline int
fuse_classify(const uint8_t *p, uint32_t len, const uint8_t *tunnels,
              struct fuse_class *class)
{
    uint32_t l3 = 14;
    uint16_t type;
    int vlan = 0;

    *class = (struct fuse_class) { 0, 0, false };
    if (__builtin_expect(len < 42, 0)) {
        return -1 - FUSE_SKIP_SHORT;
    }
    type = fuse_be16(p + 12);
    if (type == 0x8100) {
        type = fuse_be16(p + 16);
        l3 = 18;
        vlan = 8;
    }

    bool ipv6 = type == 0x86dd;

    if (__builtin_expect(type != 0x0800 && !ipv6, 0)) {
        return -1 - FUSE_SKIP_ETHERTYPE;
    }

    int shape = fuse_classify_ip(p, l3, len, ipv6, class);

    if ((shape & ~4) == FUSE_L4_UDP) {
        uint16_t port;

        __builtin_memcpy(&port, p + l3 + (ipv6 ? 42 : 22), sizeof port);
        if (tunnels[port]) {
            return fuse_classify_tunnel(p, len, l3, ipv6, tunnels[port],
                                        class);
        }
    }
    return shape < 0 ? shape : vlan + shape;
}

#endif /* fuse-shape.h */
