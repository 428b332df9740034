/* SPDX-License-Identifier: Apache-2.0 */

#ifndef EQ_OFFLOAD_H
#define EQ_OFFLOAD_H 1

/* Notes about a packet's checksums, in each release of Open vSwitch. */

#include "datapath-dpdk/compat/compat-offload.h"
#include "dp-packet.h"
#include "ovs-features.h"
#include "tests/equivalence/eq-case.h"

/* Notes 'rss', unless it is 0, and which checksums of 'packet' are right. */
static inline void
eq_set_offloads(struct dp_packet *packet, enum eq_offload offload,
                const struct eq_pkt *pkt, uint32_t rss)
{
    bool l3_good = offload == EQ_GOOD && !pkt->ip_wrong;
    bool l4_good = offload == EQ_GOOD && pkt->csum != EQ_WRONG && !pkt->frag;
    bool l3_bad = offload == EQ_L3_BAD && pkt->ip_wrong;
    bool l4_bad = offload == EQ_L4_BAD && pkt->csum == EQ_WRONG;

    if (rss) {
        dp_packet_set_rss_hash(packet, rss);
    }
#ifdef OVS_HAS_OL_FLAGS
    *dp_packet_ol_flags_ptr(packet)
        |= ((l3_good ? DP_PACKET_OL_RX_IP_CKSUM_GOOD : 0)
            | (l4_good ? DP_PACKET_OL_RX_L4_CKSUM_GOOD : 0)
            | (l3_bad ? DP_PACKET_OL_RX_IP_CKSUM_BAD : 0)
            | (l4_bad ? DP_PACKET_OL_RX_L4_CKSUM_BAD : 0));
#else
    packet->offloads
        |= ((l3_good ? DP_PACKET_OL_IP_CKSUM_GOOD : 0)
            | (l4_good ? DP_PACKET_OL_L4_CKSUM_GOOD : 0)
            | (l3_bad ? DP_PACKET_OL_IP_CKSUM_BAD : 0)
            | (l4_bad ? DP_PACKET_OL_L4_CKSUM_BAD : 0));
#endif
}

/* Returns true if a packet with the COMPAT_OL_* 'hit' is as good as the one
 * with 'ordinary' that the ordinary path sends.  Later releases note that they
 * have verified or computed a checksum.  A hit makes no such note: the
 * receiver then verifies the checksum itself. */
static inline bool
eq_offloads_fit(uint8_t ordinary, uint8_t hit)
{
#ifdef OVS_HAS_SEND_PREPARE
    hit |= ordinary & (COMPAT_OL_L3_GOOD | COMPAT_OL_L4_GOOD);
#endif
    return ordinary == hit;
}

#endif /* eq-offload.h */
