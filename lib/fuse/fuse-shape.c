/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/fuse/fuse-shape.h"

#include <string.h>

struct fuse_shape fuse_shapes[FUSE_N_SHAPES];

/* Octets of the tunnel's header, by FUSE_T_*, and of the headers between it
 * and the inner IP header. */
static const uint8_t tunnel_hlen[FUSE_N_T] = { 8, 12, 16, 8, 8 };
static const uint8_t inner_l2_len[FUSE_N_T] = { 0, 0, 0, 14, 14 };

static const char *const skip_texts[FUSE_N_SKIPS] = {
#define FUSE_SKIP(NAME, TEXT) TEXT,
    FUSE_SKIPS
#undef FUSE_SKIP
};

/* Returns a phrase for people, a static string. */
const char *
fuse_skip_text(enum fuse_skip skip)
{
    return skip_texts[skip];
}

/* Sets 'n' octets of the mask from 'ofs' on.  Returns the offset behind
 * them. */
static int
put(struct fuse_shape *s, int ofs, int n, uint8_t value)
{
    memset(s->mask + ofs, value, n);
    return ofs + n;
}

/* Puts an IP header at 'ofs'.  Returns the offset behind it. */
static int
put_ip(struct fuse_shape *s, int ofs, bool ipv6)
{
    if (ipv6) {
        ofs = put(s, ofs, 4, 0xff);         /* Version, class, label. */
        ofs = put(s, ofs, 2, 0);            /* Length. */
        return put(s, ofs, 34, 0xff);
    }
    ofs = put(s, ofs, 2, 0xff);             /* Version, length, TOS. */
    ofs = put(s, ofs, 4, 0);                /* Length, identification. */
    ofs = put(s, ofs, 1, 0x3f);             /* All but reserved and DF. */
    ofs = put(s, ofs, 3, 0xff);             /* Offset, TTL, protocol. */
    ofs = put(s, ofs, 2, 0);                /* Checksum. */
    return put(s, ofs, 8, 0xff);
}

static int
put_l4(struct fuse_shape *s, int ofs, int kind)
{
    static const uint8_t csum[] = { 16, 6, 0, 2 };

    s->l4 = ofs;
    s->l4_kind = kind;
    s->l4_csum = csum[kind] ? ofs + csum[kind] : 0;
    if (kind == FUSE_L4_ICMP) {
        ofs = put(s, ofs, 2, 0xff);         /* Type and code. */
        ofs = put(s, ofs, 2, 0);
        return put(s, ofs, 2, 0xff);        /* Identifier. */
    }
    return put(s, ofs, 4, 0xff);
}

static int
put_tunnel(struct fuse_shape *s, int ofs, int t)
{
    ofs = put(s, ofs, 4, 0xff);             /* UDP ports. */
    ofs = put(s, ofs, 4, 0);                /* Length, checksum: 0. */
    if (t <= FUSE_T_GTPU16) {
        ofs = put(s, ofs, 2, 0xff);
        ofs = put(s, ofs, 2, 0);            /* Length. */
        ofs = put(s, ofs, 4, 0xff);         /* TEID. */
        if (t != FUSE_T_GTPU8) {
            ofs = put(s, ofs, 2, 0);        /* Sequence number. */
            ofs = put(s, ofs, tunnel_hlen[t] - 10, 0xff);
        }
    } else {
        ofs = put(s, ofs, tunnel_hlen[t] + inner_l2_len[t], 0xff);
    }
    return ofs;
}

static bool
word_counts(const struct fuse_shape *s, int word)
{
    return s->mask[2 * word] || s->mask[2 * word + 1];
}

/* Folds the key of 's' if it can be. */
static void
fold(struct fuse_shape *s)
{
    uint16_t from[32] = { 0 };
    uint32_t bitmap = 0;
    int to = 0;

    for (int word = 32; word < 64; word++) {
        if (word_counts(s, word)) {
            while (to < 32 && word_counts(s, to)) {
                to++;
            }
            if (to == 32) {
                return;
            }
            bitmap |= UINT32_C(1) << to;
            from[to++] = word - 32;
        }
    }
    if (bitmap) {
        memcpy(s->fold_from, from, sizeof from);
        s->fold = bitmap;
        s->n_blocks = 1;
    }
}

/* Returns the offset in the key of 's' of the word at 'ofs' in the header. */
static int
key_offset(const struct fuse_shape *s, int ofs)
{
    if (s->fold && ofs >= 64) {
        for (int to = 0; to < 32; to++) {
            if (s->fold & UINT32_C(1) << to
                && s->fold_from[to] == (ofs - 64) / 2) {
                return 2 * to;
            }
        }
    }
    return ofs;
}

/* Lists the words that tell a flow. */
static void
list_flow_words(struct fuse_shape *s)
{
    int end = s->l4 + (s->l4_kind == FUSE_L4_ICMP ? 0 : 4);

    for (int ofs = s->l3 + (s->ipv6 ? 8 : 12); ofs < end; ofs += 2) {
        s->flow_words[s->n_flow_words++] = key_offset(s, ofs);
    }
}

static void
complete(struct fuse_shape *s, int n_octets)
{
    if (n_octets > FUSE_MAX_KEY) {
        return;
    }
    s->n_octets = n_octets;
    s->n_blocks = (n_octets + 63) / 64;
    for (int i = 0; i < n_octets; i++) {
        s->octets[i / 64] |= UINT64_C(1) << i % 64;
    }
    fold(s);
    list_flow_words(s);
}

/* Fills in 'fuse_shapes'.  Call it before anything else here, from one
 * thread. */
void
fuse_shapes_init(void)
{
    for (int n = 0; n < FUSE_N_SHAPES; n++) {
        int outer = n < FUSE_N_PLAIN ? n >> 3 : (n - FUSE_N_PLAIN) >> 3;
        struct fuse_shape *s = &fuse_shapes[n];
        bool vlan;
        int ofs;

        memset(s, 0, sizeof *s);
        s->ipv6 = n & 4;
        s->tunnel = n >= FUSE_N_PLAIN;
        vlan = s->tunnel ? outer / FUSE_N_T & 2 : outer;
        s->outer_ipv6 = s->tunnel ? outer / FUSE_N_T & 1 : s->ipv6;
        s->outer_l3 = vlan ? 18 : 14;

        /* Longest: 18 + 40 + 8 + 16 + 40 + 6. */
        if (s->tunnel) {
            int t = outer % FUSE_N_T;
            int need = s->outer_l3 + (s->outer_ipv6 ? 40 : 20) + 8
                       + tunnel_hlen[t] + inner_l2_len[t]
                       + (s->ipv6 ? 40 : 20) + 6;

            if (need > FUSE_MAX_KEY) {
                continue;
            }
            ofs = put(s, 0, s->outer_l3, 0xff);
            ofs = put_ip(s, ofs, s->outer_ipv6);
            ofs = put_tunnel(s, ofs, t);
        } else {
            ofs = put(s, 0, s->outer_l3, 0xff);
        }
        s->l3 = ofs;
        ofs = put_ip(s, ofs, s->ipv6);
        ofs = put_l4(s, ofs, n & 3);
        complete(s, ofs);
    }
}

/* Returns FUSE_T_* for the GTP-U header at 'p', with 'len' octets of UDP
 * payload, or a negative number. */
static int
classify_gtpu(const uint8_t *p, uint32_t len)
{
    if (len < 16 || (p[0] & 0xf8) != 0x30 || p[1] != 255
        || fuse_be16(p + 2) != len - 8) {
        return -1;
    }
    switch (p[0] & 7) {
    case 0:
        return FUSE_T_GTPU8;
    case 1: case 2: case 3:
        return FUSE_T_GTPU12;
    }
    return p[11] == 0x85 && p[12] == 1 && !p[15] ? FUSE_T_GTPU16 : -1;
}

/* Checks the IP packet at 'ofs' and its L4 header.  'len' octets are there.
 * Returns the last 3 bits of a shape's number, or a negative enum fuse_skip
 * minus 1. */
static inline int
classify_ip(const uint8_t *p, uint32_t ofs, uint32_t len, bool ipv6,
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

/* Classifies a packet to a tunnel of kind 'tunnel' for fuse_classify().  Its
 * outer IP header at 'l3', IPv6 if 'ipv6', was found valid. */
int
fuse_classify_tunnel(const uint8_t *p, uint32_t len, uint32_t l3, bool ipv6,
                     enum fuse_tunnel tunnel, struct fuse_class *class)
{
    uint32_t l4 = l3 + (ipv6 ? 40 : 20), ofs = l4 + 8;
    const uint8_t *h = p + ofs;
    uint16_t type;
    int t, inner, shape;

    if (class->pad || len < ofs + 8 + 20) {
        return -1 - FUSE_SKIP_TUNNEL;
    }
    if (p[l4 + 6] | p[l4 + 7]) {
        return -1 - FUSE_SKIP_TUNNEL_CSUM;
    }
    switch (tunnel) {
    case FUSE_TUNNEL_GTPU:
        t = classify_gtpu(h, len - ofs);
        break;
    case FUSE_TUNNEL_VXLAN:
        t = h[0] == 0x08 ? FUSE_T_VXLAN : -1;
        break;
    case FUSE_TUNNEL_GENEVE:
        t = !h[0] && !h[1] && fuse_be16(h + 2) == 0x6558
            ? FUSE_T_GENEVE : -1;
        break;
    case FUSE_TUNNEL_NONE:
    default:
        t = -1;
    }
    if (t < 0) {
        return -1 - FUSE_SKIP_TUNNEL;
    }

    ofs += tunnel_hlen[t] + inner_l2_len[t];
    if (len < ofs + 20) {
        return -1 - FUSE_SKIP_SHORT;
    }
    if (inner_l2_len[t]) {
        type = fuse_be16(p + ofs - 2);
    } else {
        type = p[ofs] >> 4 == 6 ? 0x86dd : 0x0800;
    }
    if (type != 0x0800 && type != 0x86dd) {
        return -1 - FUSE_SKIP_ETHERTYPE;
    }
    inner = classify_ip(p, ofs, len, type == 0x86dd, class);
    if (inner < 0) {
        return inner;
    }
    if (class->pad && !inner_l2_len[t]) {
        return -1 - FUSE_SKIP_LENGTH;
    }
    shape = FUSE_N_PLAIN
            + ((((l3 == 18) * 2 + ipv6) * FUSE_N_T + t) << 3) + inner;
    return fuse_shapes[shape].n_octets ? shape : -1 - FUSE_SKIP_TUNNEL;
}

/* Tells the shape of the packet of 'len' octets at 'p', an Ethernet frame: an
 * index of 'fuse_shapes', or -1 minus an enum fuse_skip.  Fills in
 * '*class'. */
int
fuse_classify_any(const uint8_t *p, uint32_t len,
                  const struct fuse_tunnels *tunnels, struct fuse_class *class)
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

    int shape = classify_ip(p, l3, len, ipv6, class);

    if ((shape & ~4) == FUSE_L4_UDP) {
        uint16_t port;

        __builtin_memcpy(&port, p + l3 + (ipv6 ? 42 : 22), sizeof port);
        if (tunnels->ports[port]
            && tunnels->endpoints[fuse_endpoint(p + l3, ipv6)]) {
            return fuse_classify_tunnel(p, len, l3, ipv6,
                                        tunnels->ports[port], class);
        }
    }
    return shape < 0 ? shape : vlan + shape;
}
