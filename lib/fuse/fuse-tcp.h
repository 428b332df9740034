/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FUSE_TCP_H
#define FUSE_TCP_H 1

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* TCP sequence numbers in the fused flow cache
 * ============================================
 *
 * The connection tracker knows for each peer of a TCP connection what it has
 * sent, what it may send, and its largest window (van Rooij, "Real Stateful
 * TCP Packet Filtering in IP Filter", 2001).  By that it tells packets of the
 * connection from forged ones.  A hit does not meet the tracker.  So an entry
 * follows these numbers itself, for the packets that hit it.
 *
 * An entry sees one direction.  Of the other direction it has a copy, as of
 * when its owner last compared notes with the tracker.  What the tracker knows
 * by now can only allow more, so fuse_tcp_is_valid() never accepts what the
 * tracker would refuse.  If it refuses, the owner compares notes and asks
 * once more, with 'fresh': then the answer is the tracker's.  So it does after
 * a packet of this direction that took the ordinary path.
 *
 * A second entry of the same direction (another TOS, another thread) is not
 * seen.  Until notes are compared, packets are accepted that are older
 * than the tracker allows by as much as that entry has moved on.
 *
 * Thread-safety: an entry's fields belong to the thread of its table.  Other
 * threads read the atomic ones, under the lock of the connection.  'n' is
 * written last, so that who has read it finds what led to it, or more. */
struct fuse_tcp {
    /* How packets of this entry have changed the tracker's numbers. */
    _Atomic(uint32_t) n;         /* How many there were. */
    _Atomic(uint32_t) seqlo;     /* End of what was sent. */
    _Atomic(uint32_t) edge;      /* End of what the other peer may send. */
    _Atomic(uint16_t) max_win;   /* Largest window, as in the header. */

    /* Set under the lock of the connection: the tracker has judged a packet
     * since notes were compared. */
    _Atomic(bool) outdated;

    uint8_t wscale;              /* To shift this peer's windows by. */
    uint8_t replies;             /* The user's: bitmap of owners whose reply
                                  * direction this is. */

    /* Copies. */
    uint32_t seqhi;              /* End of what this peer may send. */
    uint32_t acked;              /* End of what the other peer has sent. */
    uint32_t other_win;          /* Largest window of the other, in octets. */
} __attribute__((aligned(32)));

_Static_assert(sizeof(struct fuse_tcp) == 32, "half a cache line");

/* Numbers of a TCP header, host byte order. */
struct fuse_tcp_packet {
    uint32_t seq;
    uint32_t ack;
    uint32_t len;                /* Of the payload, in octets. */
    uint16_t win;
};

/* An acknowledgment may be ahead by so much, or behind by as many windows.
 * The number is the tracker's. */
#define FUSE_TCP_ACK_SLACK (0xffff + 1500)

static inline bool
fuse_seq_gt(uint32_t a, uint32_t b)
{
    return (int32_t) (a - b) > 0;
}

static inline bool
fuse_seq_ge(uint32_t a, uint32_t b)
{
    return (int32_t) (a - b) >= 0;
}

#define FUSE_TCP_GET(FIELD) \
    atomic_load_explicit(&tcp->FIELD, memory_order_relaxed)
#define FUSE_TCP_SET(FIELD, VALUE) \
    atomic_store_explicit(&tcp->FIELD, VALUE, memory_order_relaxed)

/* Returns true if the tracker would accept 'p', a packet with ACK and without
 * SYN, FIN and RST.  'fresh' says that the copies in 'tcp' are the tracker's
 * own numbers by now.  Without it false means nothing. */
static inline bool
fuse_tcp_is_valid(const struct fuse_tcp *tcp, const struct fuse_tcp_packet *p,
                  bool fresh)
{
    uint32_t seqlo = FUSE_TCP_GET(seqlo);
    uint32_t seq = p->len ? p->seq : seqlo, end = seq + p->len;
    /* The other peer has sent no more than it may.  That bound is this
     * entry's, and so is not out of date. */
    uint32_t sent = fresh ? tcp->acked : FUSE_TCP_GET(edge);

    return ((fresh || !FUSE_TCP_GET(outdated))
            && fuse_seq_ge(tcp->seqhi, end)
            && fuse_seq_ge(seq, seqlo - tcp->other_win)
            && fuse_seq_ge(tcp->acked + FUSE_TCP_ACK_SLACK, p->ack)
            && fuse_seq_ge(p->ack,
                           sent - (FUSE_TCP_ACK_SLACK << tcp->wscale)));
}

/* Notes in 'tcp' the packet 'p', which is valid. */
static inline void
fuse_tcp_follow(struct fuse_tcp *tcp, const struct fuse_tcp_packet *p)
{
    uint32_t win = (uint32_t) p->win << tcp->wscale;
    uint32_t n = FUSE_TCP_GET(n);

    if (p->win > FUSE_TCP_GET(max_win)) {
        FUSE_TCP_SET(max_win, p->win);
    }
    if (p->len && fuse_seq_gt(p->seq + p->len, FUSE_TCP_GET(seqlo))) {
        FUSE_TCP_SET(seqlo, p->seq + p->len);
    }
    if (fuse_seq_ge(p->ack + win, FUSE_TCP_GET(edge))) {
        FUSE_TCP_SET(edge, p->ack + (win ? win : 1));
    }
    atomic_store_explicit(&tcp->n, n + 1, memory_order_release);
}

/* What the tracker knows of a peer: see Open vSwitch's conntrack-tcp.c. */
struct fuse_tcp_peer {
    uint32_t seqlo;              /* End of what it has sent. */
    uint32_t seqhi;              /* End of what it may send. */
    uint16_t max_win;            /* Largest window, as in the header. */
    uint8_t wscale;              /* To shift its windows by. */
};

/* Adds what 'tcp' has followed, for packets from 'src' to 'dst', to the
 * tracker's numbers.  Returns the number of packets that are now included. */
static inline uint32_t
fuse_tcp_merge(const struct fuse_tcp *tcp, struct fuse_tcp_peer *src,
               struct fuse_tcp_peer *dst)
{
    uint32_t n = atomic_load_explicit(&tcp->n, memory_order_acquire);
    uint32_t seqlo = FUSE_TCP_GET(seqlo), edge = FUSE_TCP_GET(edge);
    uint16_t max_win = FUSE_TCP_GET(max_win);

    if (max_win > src->max_win) {
        src->max_win = max_win;
    }
    if (fuse_seq_gt(seqlo, src->seqlo)) {
        src->seqlo = seqlo;
    }
    if (fuse_seq_ge(edge, dst->seqhi)) {
        dst->seqhi = edge;
    }
    return n;
}

static inline uint32_t
fuse_seq_min(uint32_t a, uint32_t b)
{
    return fuse_seq_gt(a, b) ? b : a;
}

/* Copies the tracker's numbers of the peers 'src', which sends this entry's
 * packets, and 'dst' to 'tcp'.  If 'more', 'tcp' has those of another
 * connection already, and packets must be valid for both. */
static inline void
fuse_tcp_copy(struct fuse_tcp *tcp, const struct fuse_tcp_peer *src,
              const struct fuse_tcp_peer *dst, bool more)
{
    uint32_t other_win = (uint32_t) dst->max_win << dst->wscale;
    uint32_t seqlo = src->seqlo, edge = dst->seqhi;
    uint16_t max_win = src->max_win;

    tcp->seqhi = more ? fuse_seq_min(tcp->seqhi, src->seqhi) : src->seqhi;
    tcp->acked = more ? fuse_seq_min(tcp->acked, dst->seqlo) : dst->seqlo;
    tcp->other_win = more && tcp->other_win < other_win ? tcp->other_win
                     : other_win;
    if (more) {
        seqlo = fuse_seq_min(seqlo, FUSE_TCP_GET(seqlo));
        edge = fuse_seq_min(edge, FUSE_TCP_GET(edge));
        if (max_win > FUSE_TCP_GET(max_win)) {
            max_win = FUSE_TCP_GET(max_win);
        }
    }
    if (!more) {
        /* Of the other connection, the first one may have moved on since. */
        FUSE_TCP_SET(outdated, false);
    }
    FUSE_TCP_SET(seqlo, seqlo);
    FUSE_TCP_SET(edge, edge);
    FUSE_TCP_SET(max_win, max_win);
    tcp->wscale = src->wscale;
}

#endif /* fuse-tcp.h */
