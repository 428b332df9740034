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

/* The image is kept in parts (fuse-table.h): Ethernet, IPv4 and ports fit into
 * the first, the third has the rest. */
#define FUSE_PART_1 38
#define FUSE_PART_2 64

/* Words of 2 octets: two IPv6 addresses and two ports. */
#define FUSE_MAX_FLOW_WORDS 18

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

/* The key is the masked header, in blocks of 64 octets.  A key is folded if
 * the words of 2 octets that count in the second block fit into places of the
 * first that do not count: then one block is left.  Most keys of GTP-U are
 * folded. */
struct fuse_shape {
    uint8_t mask[FUSE_MAX_KEY] __attribute__((aligned(64)));
    uint16_t fold_from[32] __attribute__((aligned(64)));
                                /* Words of the second block... */
    uint32_t fold;              /* ...and bitmap of those that they are put
                                 * into.  0: it is not folded. */
    uint8_t n_octets;           /* Of the header; 0: no such shape. */
    uint8_t n_blocks;           /* Of the key. */
    uint64_t octets[2];         /* Bitmaps of those below 'n_octets'. */
    uint8_t l3;                 /* Offset of the innermost IP header... */
    uint8_t l4;                 /* ...and of what follows it. */
    uint8_t l4_csum;            /* Offset of the checksum, 0 for SCTP. */
    uint8_t l4_kind;            /* FUSE_L4_*. */
    uint8_t outer_l3;           /* Equals 'l3' if there is no tunnel. */
    bool ipv6;                  /* The innermost. */
    bool outer_ipv6;
    bool tunnel;
    uint8_t n_flow_words;       /* Offsets in the key: innermost addresses, */
    uint8_t flow_words[FUSE_MAX_FLOW_WORDS]; /* and ports if there are any. */
};

extern struct fuse_shape fuse_shapes[FUSE_N_SHAPES];

/* Results of fuse_classify() besides the shape. */
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

static inline uint32_t
fuse_be32(const uint8_t *p)
{
    uint32_t x;

    __builtin_memcpy(&x, p, sizeof x);
    return __builtin_bswap32(x);
}

static inline uint64_t
fuse_be64(const uint8_t *p)
{
    uint64_t x;

    __builtin_memcpy(&x, p, sizeof x);
    return __builtin_bswap64(x);
}

/* The known ends of tunnels: an enum fuse_tunnel for each UDP port, in network
 * byte order, and whether a tunnel ends at an address with that
 * fuse_endpoint().  A packet to both counts as one of a tunnel, any other as
 * transit. */
#define FUSE_N_UDP_PORTS 65536
#define FUSE_N_ENDPOINTS 1024
struct fuse_tunnels {
    uint8_t ports[FUSE_N_UDP_PORTS];
    uint8_t endpoints[FUSE_N_ENDPOINTS];
};

/* Returns the index in 'endpoints' of the destination of the IP header at
 * 'ip'. */
static inline uint32_t
fuse_endpoint(const uint8_t *ip, bool ipv6)
{
    uint32_t x;

    __builtin_memcpy(&x, ip + (ipv6 ? 36 : 16), sizeof x);
    return (x * UINT32_C(0x9e3779b1)) / (UINT32_MAX / FUSE_N_ENDPOINTS + 1);
}

int fuse_classify_any(const uint8_t *p, uint32_t len,
                      const struct fuse_tunnels *, struct fuse_class *);
int fuse_classify_tunnel(const uint8_t *p, uint32_t len, uint32_t l3,
                         bool ipv6, enum fuse_tunnel, struct fuse_class *);

/* Does the same as fuse_classify_any(), with a short way for TCP and UDP over
 * IPv4 without options or VLAN tag. */
static inline int
fuse_classify(const uint8_t *p, uint32_t len,
              const struct fuse_tunnels *tunnels, struct fuse_class *class)
{
    if (__builtin_expect(len >= 54, 1)) {
        /* EtherType, version, header length; from the length to the protocol.
         * Then there is no VLAN tag, no option, no fragment. */
        uint64_t a = fuse_be64(p + 8) & 0xffffff00, b = fuse_be64(p + 16);
        uint32_t total = b >> 48, pad = len - 14 - total;

        if (__builtin_expect(a == 0x08004500 && !(b & 0x3fff0000)
                             && pad <= 255, 1)) {
            uint32_t payload = total - 20;

            if ((b & 0xff) == 17) {
                uint16_t port;

                __builtin_memcpy(&port, p + 36, sizeof port);
                if (total >= 28 && fuse_be16(p + 38) == payload) {
                    *class = (struct fuse_class) { 0, pad, false };
                    return (__builtin_expect(!tunnels->ports[port], 1)
                            || !tunnels->endpoints[fuse_endpoint(p + 14,
                                                                 false)]
                            ? FUSE_L4_UDP
                            : fuse_classify_tunnel(p, len, 14, false,
                                                   tunnels->ports[port],
                                                   class));
                }
            } else if ((b & 0xff) == 6) {
                uint16_t flags = fuse_be16(p + 46);
                uint32_t hlen = flags >> 12 << 2;

                if (total >= 40 && hlen >= 20 && hlen <= payload
                    && (flags & 0x17) == 0x10) {
                    *class = (struct fuse_class) { flags & 0xfff, pad, false };
                    return FUSE_L4_TCP;
                }
            }
        }
    }
    return fuse_classify_any(p, len, tunnels, class);
}

#endif /* fuse-shape.h */
