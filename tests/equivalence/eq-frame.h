/* SPDX-License-Identifier: Apache-2.0 */

#ifndef EQ_FRAME_H
#define EQ_FRAME_H 1

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "openvswitch/types.h"
#include "tests/equivalence/eq-case.h"

struct dp_packet;

/* Frames
 * ======
 *
 * The common part of one direction of a conversation, and a function that
 * makes a packet of it.  The header of answers is found from a packet that
 * came out, so that it is right whatever was translated on the way. */

struct eq_header {
    bool valid;
    uint8_t port;                /* Where packets come in. */
    struct eth_addr src, dst;
    uint16_t vlan;               /* 0: none. */
    bool ipv6;
    uint8_t proto, tos, ttl;
    struct in6_addr ip_src, ip_dst; /* IPv4: in the last word. */
    uint16_t tp_src, tp_dst;     /* ICMP: identifier. */

    enum eq_tunnel tunnel;       /* The above is in it, */
    ovs_be32 outer_src, outer_dst; /* between these, */
    uint32_t key;                /* with this. */
};

/* The part that differs between packets. */
struct eq_numbers {
    uint32_t tag;
    uint16_t id;                 /* Of IPv4. */
    uint32_t seq, ack;           /* Of TCP. */
    uint16_t window;
    uint32_t rss;
};

struct eq_header eq_header_of_conv(const struct eq_conv *, uint32_t i);

/* Makes the header of answers to the frame of 'size' octets, which left by
 * 'port'.  It is not valid if no conversation has such a frame. */
struct eq_header eq_header_of_answer(const uint8_t *frame, uint32_t size,
                                     uint8_t port);

struct dp_packet *eq_frame(const struct eq_header *, const struct eq_pkt *,
                           const struct eq_numbers *, bool reply);

#endif /* eq-frame.h */
