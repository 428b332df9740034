/* SPDX-License-Identifier: Apache-2.0 */

/* Encapsulation in GTP-U
 * ======================
 *
 * The header is built once for a megaflow, when it is translated, and put
 * before each packet, whose lengths, checksum, source port and sequence number
 * are then filled in.  Where the sequence number will be, the header that was
 * built has the number of the port's counter.
 *
 * The flags say what the port's options ask for, not what a received packet
 * said: a relay from one GTP-U tunnel to another makes headers of its own. */

#include <config.h>
#include "datapath-dpdk/datapath-hooks.h"

#include "datapath-dpdk/gtpu-vport.h"
#include "dp-packet.h"
#include "netdev.h"
#include "netdev-native-tnl.h"
#include "odp-netlink.h"
#include "packets.h"
#include "util.h"

/* Returns the offset of the GTP-U header in a packet with the outer headers
 * that Open vSwitch builds: without IP options or IPv6 extension headers. */
static size_t
gtpu_offset(bool is_ipv6)
{
    return (ETH_HEADER_LEN + (is_ipv6 ? IPV6_HEADER_LEN : IP_HEADER_LEN)
            + UDP_HEADER_LEN);
}

int
gtpu_vport_build_header(const struct netdev *netdev,
                        struct ovs_action_push_tnl *data,
                        const struct netdev_tnl_build_header_params *params)
{
    size_t ofs = gtpu_offset(params->is_ipv6);
    uint8_t *gtpu = (uint8_t *) data->header + ofs;
    int n;

    /* Open vSwitch's function knows the outer headers, and the port's options:
     * its header has the optional word if and only if options:seq is set.  Its
     * GTP-U header has the flags and the message type that were received. */
    n = netdev_gtpu_build_header(netdev, data, params);
    if (n) {
        return n;
    }

    const struct gtpu_hdr_spec spec = {
        .teid = ntohl(be64_to_be32(params->flow->tunnel.tun_id)),
        .msg_type = GTPU_MSG_G_PDU,
        .has_seq = data->header_len > ofs + GTPU_HLEN,
        .seq = gtpu_vport_seq_slot(netdev),
    };

    memset(gtpu, 0, sizeof data->header - ofs);
    n = gtpu_build_header(gtpu, sizeof data->header - ofs, &spec, 0);
    if (n < 0) {
        return -n;
    }
    data->header_len = ofs + n;
    return 0;
}

void
gtpu_vport_push_header(const struct netdev *netdev OVS_UNUSED,
                       struct dp_packet *packet,
                       const struct ovs_action_push_tnl *data)
{
    bool is_ipv6 = netdev_tnl_is_header_ipv6(data->header);
    size_t ofs = gtpu_offset(is_ipv6);
    size_t gtpu_hlen = data->header_len - ofs;
    ovs_be16 udp_src = netdev_tnl_get_src_port(packet);
    struct udp_header *udp;
    uint8_t *gtpu;
    int udp_len;

    if (data->header_len - ETH_HEADER_LEN + dp_packet_size(packet)
        > UINT16_MAX) {
        /* The caller sends the packet in any case.  An empty G-PDU does no
         * harm. */
        gtpu_drop_count(GTPU_DROP_TOO_BIG);
        dp_packet_set_size(packet, 0);
    }

    udp = netdev_tnl_push_ip_header(packet, data->header, data->header_len,
                                    &udp_len);
    gtpu = (uint8_t *) (udp + 1);
    gtpu_set_length(gtpu, gtpu_hlen,
                    dp_packet_size(packet) - data->header_len);
    if (gtpu[0] & GTPU_F_S) {
        const ovs_be16 *slot = (const void *) (gtpu + GTPU_HLEN);

        gtpu_set_seq(gtpu, gtpu_vport_next_seq(ntohs(*slot)));
    }

    udp->udp_src = udp_src;
    udp->udp_len = htons(udp_len);
    if (udp->udp_csum) {
        udp->udp_csum = 0;
        udp->udp_csum = gtpu_udp_csum(dp_packet_l3(packet), is_ipv6, udp,
                                      udp_len);
        if (!udp->udp_csum) {
            udp->udp_csum = htons(0xffff);
        }
    }
}
