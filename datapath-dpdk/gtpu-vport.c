/* SPDX-License-Identifier: Apache-2.0 */

/* The tunnel type "gtpu"
 * ======================
 *
 * Replaces functions of Open vSwitch's class for GTP-U tunnels, which writes
 * the GTP-U length after the UDP checksum and so sends every packet with a
 * wrong checksum.
 *
 * Source: 3GPP TS 29.281, section 5.1. */

#include <config.h>
#include "datapath-dpdk/datapath-hooks.h"

#include "csum.h"
#include "dp-packet.h"
#include "netdev-native-tnl.h"
#include "odp-netlink.h"
#include "packets.h"
#include "util.h"

/* Puts the header 'data->header', built by netdev_gtpu_build_header(), before
 * 'packet', with the lengths that the packet asks for, and source port entropy
 * from its flow.  The UDP checksum is 0, which IPv4 allows, unless the outer
 * header is IPv6.  PMD thread. */
void
gtpu_vport_push_header(const struct netdev *netdev OVS_UNUSED,
                       struct dp_packet *packet,
                       const struct ovs_action_push_tnl *data)
{
    size_t payload_len = dp_packet_size(packet);
    int ip_tot_size;
    struct udp_header *udp = netdev_tnl_push_ip_header(packet, data->header,
                                                       data->header_len,
                                                       &ip_tot_size);
    struct gtpuhdr *gtpu = ALIGNED_CAST(struct gtpuhdr *, udp + 1);
    size_t options_len = ip_tot_size - payload_len - UDP_HEADER_LEN
                         - sizeof *gtpu;

    gtpu->len = htons(options_len + payload_len);

    udp->udp_src = netdev_tnl_get_src_port(packet);
    udp->udp_len = htons(ip_tot_size);
    udp->udp_csum = 0;
    if (netdev_tnl_is_header_ipv6(dp_packet_data(packet))) {
        struct ovs_16aligned_ip6_hdr *ip6;
        uint32_t csum;

        ip6 = netdev_tnl_ipv6_hdr(dp_packet_data(packet));
        csum = csum_continue(packet_csum_pseudoheader6(ip6), udp, ip_tot_size);
        udp->udp_csum = csum_finish(csum);
        if (!udp->udp_csum) {
            udp->udp_csum = htons(0xffff);
        }
    }
}
