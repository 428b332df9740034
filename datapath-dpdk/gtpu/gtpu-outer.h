/* SPDX-License-Identifier: Apache-2.0 */

#ifndef GTPU_OUTER_H
#define GTPU_OUTER_H 1

/* The headers before the GTP-U header.  Any thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "csum.h"
#include "openvswitch/types.h"
#include "packets.h"

/* Returns the offset of the GTP-U header behind the outer headers that Open
 * vSwitch builds, which have no IP options or IPv6 extension headers. */
static inline size_t
gtpu_header_offset(bool is_ipv6)
{
    return (ETH_HEADER_LEN + (is_ipv6 ? IPV6_HEADER_LEN : IP_HEADER_LEN)
            + UDP_HEADER_LEN);
}

/* Returns the ones' complement sum of the pseudo-header and the 'len' octets
 * at 'udp', a UDP header and its payload.  The IP header at 'l3' is IPv6 if
 * 'is_ipv6', IPv4 otherwise.  The sum is 0 if the checksum field is right.  It
 * is the checksum to write if the field is 0.  'len' is the UDP length, which
 * may be less than the IP header says. */
static inline ovs_be16
gtpu_udp_csum(const void *l3, bool is_ipv6, const struct udp_header *udp,
              uint16_t len)
{
    const struct ip_header *ip = l3;
    uint32_t sum;

    if (is_ipv6) {
        return packet_csum_upperlayer6(l3, udp, IPPROTO_UDP, len);
    }
    sum = csum_add32(0, get_16aligned_be32(&ip->ip_src));
    sum = csum_add32(sum, get_16aligned_be32(&ip->ip_dst));
    sum = csum_add16(sum, htons(IPPROTO_UDP));
    sum = csum_add16(sum, htons(len));
    return csum_finish(csum_continue(sum, udp, len));
}

#endif /* gtpu-outer.h */
