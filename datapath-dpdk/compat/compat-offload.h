/* SPDX-License-Identifier: Apache-2.0 */

#ifndef COMPAT_OFFLOAD_H
#define COMPAT_OFFLOAD_H 1

/* Offloads of packets in each release of Open vSwitch
 * ===================================================
 *
 * Older releases note what a device has found: checksums, the RSS hash.  Later
 * ones also leave checksums open, to be filled in by the device that sends the
 * packet, or just before.  Marks that only say what an open checksum belongs
 * to are no offload here. */

#include <stdint.h>

#include "dp-packet.h"
#include "ovs-features.h"

/* The RSS hash is valid. */
#define COMPAT_OL_RSS (1 << 0)
/* The checksum of the IPv4 header, or of what follows, is right. */
#define COMPAT_OL_L3_GOOD (1 << 1)
#define COMPAT_OL_L4_GOOD (1 << 2)
/* Anything else: wrong or open checksums, segments to be made, marks. */
#define COMPAT_OL_OTHER (1 << 3)

/* Returns the COMPAT_OL_* of 'packet'. */
static inline uint8_t
compat_offloads(const struct dp_packet *packet)
{
#ifdef OVS_HAS_OL_FLAGS
    uint64_t flags = *dp_packet_ol_flags_ptr(packet);
    const uint64_t known = (DP_PACKET_OL_RSS_HASH
                            | DP_PACKET_OL_RX_IP_CKSUM_GOOD
                            | DP_PACKET_OL_RX_L4_CKSUM_GOOD);
#ifdef OVS_HAS_SEND_PREPARE
    const uint64_t other = (DP_PACKET_OL_TX_ANY_CKSUM
                            | DP_PACKET_OL_TX_TCP_SEG
                            | DP_PACKET_OL_FLOW_MARK
                            | DP_PACKET_OL_RX_IP_CKSUM_BAD
                            | DP_PACKET_OL_RX_L4_CKSUM_BAD);
#else
    const uint64_t other = DP_PACKET_OL_SUPPORTED_MASK & ~known;
#endif

    if (OVS_LIKELY(!(flags & (known | other)))) {
        return 0;
    }
    return ((flags & DP_PACKET_OL_RSS_HASH ? COMPAT_OL_RSS : 0)
            | ((flags & DP_PACKET_OL_RX_IP_CKSUM_MASK)
               == DP_PACKET_OL_RX_IP_CKSUM_GOOD ? COMPAT_OL_L3_GOOD : 0)
            | ((flags & DP_PACKET_OL_RX_L4_CKSUM_MASK)
               == DP_PACKET_OL_RX_L4_CKSUM_GOOD ? COMPAT_OL_L4_GOOD : 0)
            | (flags & other ? COMPAT_OL_OTHER : 0));
#else
    const uint32_t bad = (DP_PACKET_OL_IP_CKSUM_BAD
                          | DP_PACKET_OL_L4_CKSUM_BAD
                          | DP_PACKET_OL_INNER_IP_CKSUM_BAD
                          | DP_PACKET_OL_INNER_L4_CKSUM_BAD);
    uint32_t flags = packet->offloads;

    return ((packet->has_hash ? COMPAT_OL_RSS : 0)
            | ((flags & DP_PACKET_OL_IP_CKSUM_MASK)
               == DP_PACKET_OL_IP_CKSUM_GOOD ? COMPAT_OL_L3_GOOD : 0)
            | ((flags & DP_PACKET_OL_L4_CKSUM_MASK)
               == DP_PACKET_OL_L4_CKSUM_GOOD ? COMPAT_OL_L4_GOOD : 0)
            | (flags & bad || packet->has_mark
               || dp_packet_get_tso_segsz(packet) ? COMPAT_OL_OTHER : 0));
#endif
}

/* Returns true if the checksum of the IPv4 header of 'packet' need not be
 * verified: it is right, or still open. */
static inline bool
compat_ip_csum_is_valid(const struct dp_packet *packet)
{
#ifdef OVS_HAS_CHECKSUM_VALID
    return dp_packet_ip_checksum_valid(packet);
#else
    return (dp_packet_ip_checksum_good(packet)
            || dp_packet_hwol_tx_ip_csum(packet));
#endif
}

/* Likewise, for the checksum of the UDP header. */
static inline bool
compat_udp_csum_is_valid(const struct dp_packet *packet)
{
#ifdef OVS_HAS_CHECKSUM_VALID
    return dp_packet_l4_checksum_valid(packet);
#else
    return (dp_packet_l4_checksum_good(packet)
            || dp_packet_ol_l4_csum_partial(packet)
            || dp_packet_hwol_tx_l4_checksum(packet));
#endif
}

/* Fills in the checksums of 'packet' that are open, as sending it to a device
 * without offloads would, unless it is to be cut into segments. */
static inline void
compat_fill_in_checksums(struct dp_packet *packet OVS_UNUSED)
{
#ifdef OVS_HAS_SEND_PREPARE
#ifdef OVS_HAS_OL_FLAGS
    bool is_tso = dp_packet_hwol_is_tso(packet);
#else
    bool is_tso = dp_packet_get_tso_segsz(packet);
#endif

    if (!is_tso) {
        dp_packet_ol_send_prepare(packet, 0);
    }
#endif
}

#endif /* compat-offload.h */
