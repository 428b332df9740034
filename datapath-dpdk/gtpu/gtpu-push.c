/* SPDX-License-Identifier: Apache-2.0 */

/* Messages other than G-PDUs that a tunnel port sends
 * ===================================================
 *
 * OpenFlow sends one by an output to the port, with tun_gtpu_msgtype set.  The
 * message replaces the packet that is output.
 *
 *   - An End Marker has no payload.
 *
 *   - An Echo Request has no payload.  The packet's last two octets are its
 *     sequence number, which the sender of the packet has chosen.  The port
 *     does not relay a received one.
 *
 *   - An Error Indication reports the G-PDU that the packet came in.  The
 *     packet's tunnel metadata describe that G-PDU.  The megaflow does not
 *     depend on them.  The message goes only to the sender of a G-PDU, never
 *     in answer to another message, within the rates of
 *     lib/gtpu/gtpu-limit.h. */

#include <config.h>
#include "datapath-dpdk/gtpu/gtpu-hooks.h"
#include "datapath-dpdk/gtpu/gtpu-push.h"

#include <netinet/in.h>

#include "datapath-dpdk/compat/compat-batch.h"
#include "datapath-dpdk/gtpu/gtpu-count.h"
#include "datapath-dpdk/gtpu/gtpu-drop-port.h"
#include "datapath-dpdk/gtpu/gtpu-outer.h"
#include "datapath-dpdk/gtpu/gtpu-reply.h"
#include "dp-packet.h"
#include "lib/gtpu/gtpu-build.h"
#include "netdev-native-tnl.h"
#include "odp-netlink.h"
#include "openvswitch/flow.h"
#include "packets.h"
#include "util.h"

/* Most octets of payload: IEs TEID Data I and GTP-U Peer Address. */
#define MAX_PAYLOAD (5 + 3 + 16)

/* Where IEs begin in a message without extension headers. */
#define IES_OFS (GTPU_HLEN + GTPU_OPT_LEN)

/* Returns the destination address of the header at 'data', which
 * build_header() made. */
static struct in6_addr
header_dst(const struct ovs_action_push_tnl *data)
{
    const char *l3 = (const char *) data->header + ETH_HEADER_LEN;
    struct in6_addr dst;

    if (netdev_tnl_is_header_ipv6(data->header)) {
        const struct ovs_16aligned_ip6_hdr *ip6 = (const void *) l3;

        memcpy(&dst, &ip6->ip6_dst, sizeof dst);
    } else {
        const struct ip_header *ip = (const void *) l3;

        in6_addr_set_mapped_ipv4(&dst, get_16aligned_be32(&ip->ip_dst));
    }
    return dst;
}

/* Checks that 'packet' fits the length fields of the outer headers, and that
 * of a DPDK buffer.  That is the largest: it counts the Ethernet header, too.
 */
static enum gtpu_drop
check_size(const struct dp_packet *packet,
           const struct ovs_action_push_tnl *data)
{
    return (data->header_len + dp_packet_size(packet) > UINT16_MAX
            ? GTPU_DROP_TOO_BIG : GTPU_DROP_NONE);
}

/* Checks that a G-PDU can carry 'packet'.  For a port that carries IP, the
 * Ethernet header has been taken off any packet, for example of ARP. */
static enum gtpu_drop
check_payload(const struct dp_packet *packet)
{
    return (packet->packet_type == htonl(PT_ETH)
            || packet->packet_type == htonl(PT_IPV4)
            || packet->packet_type == htonl(PT_IPV6)
            ? GTPU_DROP_NONE : GTPU_DROP_NOT_IP);
}

/* Checks that the port may send an Error Indication about 'packet'. */
static enum gtpu_drop
check_error_indication(struct dp_packet *packet,
                       const struct ovs_action_push_tnl *data)
{
    const struct flow_tnl *tnl = &packet->md.tunnel;
    struct in6_addr dst = header_dst(data);
    struct in6_addr src;

    if (!flow_tnl_dst_is_set(tnl) || tnl->gtpu_msgtype != GTPU_MSG_G_PDU) {
        return GTPU_DROP_NO_ERROR;
    }
    src = flow_tnl_src(tnl);
    if (!ipv6_addr_equals(&src, &dst)
        || !gtpu_make_room(packet, MAX_PAYLOAD)) {
        return GTPU_DROP_NO_ERROR;
    }
    return gtpu_check_limit(&dst, GTPU_ANSWER_ERROR);
}

bool
gtpu_vport_pushes_g_pdu(const struct ovs_action_push_tnl *data)
{
    bool is_ipv6 = netdev_tnl_is_header_ipv6(data->header);

    return (((const uint8_t *) data->header)[gtpu_header_offset(is_ipv6) + 1]
            == GTPU_MSG_G_PDU);
}

/* Checks that 'packet' may get the header 'data'. */
static enum gtpu_drop
check_packet(struct dp_packet *packet,
             const struct ovs_action_push_tnl *data)
{
    enum gtpu_drop drop = GTPU_DROP_NONE;
    const uint8_t *gtpu;

    gtpu = ((const uint8_t *) data->header
            + gtpu_header_offset(netdev_tnl_is_header_ipv6(data->header)));
    if (!gtpu_is_sendable(gtpu[1])) {
        drop = GTPU_DROP_NOT_SENT;
    } else if (gtpu[1] == GTPU_MSG_G_PDU) {
        drop = check_payload(packet);
        if (!drop) {
            drop = check_size(packet, data);
        }
    } else if (gtpu[1] == GTPU_MSG_ERROR_INDICATION) {
        drop = check_error_indication(packet, data);
    } else if (gtpu[1] == GTPU_MSG_ECHO_REQUEST
               && (flow_tnl_dst_is_set(&packet->md.tunnel)
                   || dp_packet_size(packet) < 2)) {
        drop = GTPU_DROP_RELAYED;
    }
    return drop;
}

void
gtpu_vport_filter(struct dp_packet_batch *batch,
                  const struct ovs_action_push_tnl *data)
{
    size_t n = dp_packet_batch_size(batch);
    struct dp_packet *packet;
    size_t i;

    if (data->tnl_type != OVS_VPORT_TYPE_GTPU) {
        return;
    }
    DP_PACKET_BATCH_REFILL_FOR_EACH (i, n, packet, batch) {
        enum gtpu_drop drop = check_packet(packet, data);

        if (OVS_UNLIKELY(drop)) {
            gtpu_drop_tx(data, drop);
            dp_packet_delete(packet);
        } else {
            compat_batch_refill(batch, packet, i);
        }
    }
}

/* Builds an Error Indication about 'packet' in the 'size' octets at 'buf'.
 * The caller uses the IEs, from IES_OFS on: the megaflow has the header. */
static int
build_error_indication(const struct dp_packet *packet, uint8_t *buf,
                       size_t size)
{
    const struct flow_tnl *tnl = &packet->md.tunnel;
    struct gtpu_error_indication error = {
        .teid = ntohl(be64_to_be32(tnl->tun_id)),
    };

    if (tnl->ip_dst) {
        error.peer_len = sizeof tnl->ip_dst;
        memcpy(error.peer, &tnl->ip_dst, sizeof tnl->ip_dst);
    } else {
        error.peer_len = sizeof tnl->ipv6_dst;
        memcpy(error.peer, &tnl->ipv6_dst, sizeof tnl->ipv6_dst);
    }
    return gtpu_build_error_indication(buf, size, &error);
}

uint16_t
gtpu_push_payload(struct dp_packet *packet, uint8_t msg_type)
{
    uint8_t buf[GTPU_SIGNALLING_MAX_LEN];
    uint16_t seq = 0;
    int len = 0;

    if (msg_type == GTPU_MSG_ECHO_REQUEST) {
        const uint8_t *tail = dp_packet_tail(packet);

        seq = tail[-2] << 8 | tail[-1];
    } else if (msg_type == GTPU_MSG_ERROR_INDICATION) {
        len = build_error_indication(packet, buf, sizeof buf);
    }
    dp_packet_set_size(packet, 0);
    if (len > IES_OFS && len - IES_OFS <= dp_packet_tailroom(packet)) {
        dp_packet_put(packet, buf + IES_OFS, len - IES_OFS);
    }
    gtpu_count_tx(msg_type);
    return seq;
}

void
gtpu_push_udp_port(const struct dp_packet *packet, uint8_t *gtpu,
                   size_t hdr_len)
{
    if (hdr_len == IES_OFS + GTPU_EXT_UNIT) {
        memcpy(gtpu + IES_OFS + 1, &packet->md.tunnel.tp_src,
               sizeof packet->md.tunnel.tp_src);
    }
}
