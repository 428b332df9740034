/* SPDX-License-Identifier: Apache-2.0 */

#ifndef COMPAT_PACKET_H
#define COMPAT_PACKET_H 1

/* Functions for packets that have other arguments in other releases of Open
 * vSwitch. */

#include "flow.h"
#include "netdev-native-tnl.h"
#include "ovs-features.h"

/* As parse_ipv6_ext_hdrs(), whose routing header nobody here asks for. */
static inline bool
compat_parse_ipv6_ext_hdrs(const void **data, size_t *size, uint8_t *nw_proto,
                           uint8_t *nw_frag)
{
    const struct ovs_16aligned_ip6_frag *frag_hdr;
#ifdef OVS_HAS_IPV6_ROUTING
    const struct ip6_rt_hdr *rt_hdr;

    return parse_ipv6_ext_hdrs(data, size, nw_proto, nw_frag, &frag_hdr,
                               &rt_hdr);
#else
    return parse_ipv6_ext_hdrs(data, size, nw_proto, nw_frag, &frag_hdr);
#endif
}

/* As netdev_tnl_push_ip_header(), without a flow label. */
static inline void *
compat_push_ip_header(struct dp_packet *packet, const void *header, int size,
                      int *ip_tot_size)
{
#ifdef OVS_HAS_PUSH_IPV6_LABEL
    return netdev_tnl_push_ip_header(packet, header, size, ip_tot_size, 0);
#else
    return netdev_tnl_push_ip_header(packet, header, size, ip_tot_size);
#endif
}

#endif /* compat-packet.h */
