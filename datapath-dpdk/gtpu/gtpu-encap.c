/* SPDX-License-Identifier: Apache-2.0 */

/* Encapsulation in GTP-U
 * ======================
 *
 * Translation builds the header once for a megaflow.  Each packet gets a copy,
 * with its own lengths, checksum, source port and sequence number.  The built
 * header has the number of the port's counter in place of the sequence number.
 *
 * A relay from one GTP-U tunnel to another builds new headers.  It keeps the
 * message type of G-PDUs and End Markers and the PDU Session Container.
 * OpenFlow can match and set both.  The flags follow from the content of the
 * header, and the port's options decide on a sequence number. */

#include <config.h>
#include "datapath-dpdk/gtpu/gtpu-hooks.h"

#include <errno.h>

#include "datapath-dpdk/compat/compat-packet.h"
#include "datapath-dpdk/gtpu/gtpu-outer.h"
#include "datapath-dpdk/gtpu/gtpu-psc.h"
#include "datapath-dpdk/gtpu/gtpu-push.h"
#include "datapath-dpdk/gtpu/gtpu-vport.h"
#include "dp-packet.h"
#include "lib/gtpu/gtpu-build.h"
#include "netdev.h"
#include "netdev-native-tnl.h"
#include "odp-netlink.h"
#include "packets.h"
#include "util.h"

/* Stores in '*psc' the PDU Session Container that the port 'netdev' sends for
 * 'tnl', and in '*present' whether it sends one.  Returns 0 or a positive
 * errno value. */
static int
choose_psc(const struct netdev *netdev, const struct flow_tnl *tnl,
           struct gtpu_psc *psc, bool *present)
{
    struct gtpu_port_options options = gtpu_vport_options(netdev);
    int error;

    error = gtpu_psc_from_tnl(tnl, psc, present);
    if (options.has_qfi) {
        /* The option overrides the flow. */
        *psc = (struct gtpu_psc) { .qfi = options.qfi };
        *present = true;
        error = 0;
    }
    if (!error && options.has_pdu_type && *present) {
        psc->pdu_type = options.pdu_type;
        if (psc->pdu_type == GTPU_PSC_UL) {
            psc->rqi = psc->has_ppi = false;
        }
    }
    return error;
}

/* Fills in '*spec', whose message type is set.  'psc' is the PDU Session
 * Container or null.  'seq' is true if the port's G-PDUs have sequence
 * numbers. */
static void
fill_spec(struct gtpu_hdr_spec *spec, const struct flow_tnl *tnl,
          const struct gtpu_psc *psc, bool seq)
{
    /* gtpu_push_udp_port() fills it in. */
    static const struct gtpu_ext udp_port = {
        .type = GTPU_EXT_UDP_PORT,
        .content = (const uint8_t *) "\0",
        .len = 2,
    };

    switch (spec->msg_type) {
    case GTPU_MSG_ECHO_REQUEST:
        spec->has_seq = true;
        return;
    case GTPU_MSG_ERROR_INDICATION:
        spec->has_seq = true;
        spec->exts = &udp_port;
        spec->n_exts = 1;
        return;
    case GTPU_MSG_G_PDU:
        spec->has_seq = seq;
        /* Fall through. */
    default:
        spec->teid = ntohl(be64_to_be32(tnl->tun_id));
        spec->psc = psc;
    }
}

int
gtpu_vport_build_header(const struct netdev *netdev,
                        struct ovs_action_push_tnl *data,
                        const struct netdev_tnl_build_header_params *params)
{
    size_t ofs = gtpu_header_offset(params->is_ipv6);
    uint8_t *gtpu = (uint8_t *) data->header + ofs;
    const struct flow_tnl *tnl = &params->flow->tunnel;
    struct gtpu_psc psc;
    bool has_psc;
    int n;

    /* Open vSwitch's function builds the outer headers.  Its header has the
     * optional word exactly if options:seq is set.  Its GTP-U header has the
     * received flags and message type, and is built anew below. */
    n = netdev_gtpu_build_header(netdev, data, params);
    if (n) {
        return n;
    }

    n = choose_psc(netdev, tnl, &psc, &has_psc);
    if (n) {
        return n;
    }

    /* gtpu_vport_may_push() counts and drops each packet of a type that the
     * port does not send. */
    struct gtpu_hdr_spec spec = {
        .msg_type = tnl->gtpu_msgtype ? tnl->gtpu_msgtype : GTPU_MSG_G_PDU,
        .seq = gtpu_vport_seq_slot(netdev),
    };

    fill_spec(&spec, tnl, has_psc ? &psc : NULL,
              data->header_len > ofs + GTPU_HLEN);
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
    size_t ofs = gtpu_header_offset(is_ipv6);
    size_t gtpu_hlen = data->header_len - ofs;
    ovs_be16 udp_src = netdev_tnl_get_src_port(packet);
    struct udp_header *udp;
    uint16_t echo_seq = 0;
    uint8_t *gtpu;
    int udp_len;

    if (((const uint8_t *) data->header)[ofs + 1] != GTPU_MSG_G_PDU) {
        echo_seq = gtpu_push_payload(
            packet, ((const uint8_t *) data->header)[ofs + 1]);
    }

    udp = compat_push_ip_header(packet, data->header, data->header_len,
                                &udp_len);
    gtpu = (uint8_t *) (udp + 1);
    gtpu_set_length(gtpu, gtpu_hlen,
                    dp_packet_size(packet) - data->header_len);
    if (gtpu[1] == GTPU_MSG_ECHO_REQUEST) {
        /* The peer sends its answer to the source port. */
        gtpu_set_seq(gtpu, echo_seq);
        udp_src = htons(GTPU_UDP_PORT);
    } else if (gtpu[0] & GTPU_F_S) {
        const ovs_be16 *slot = (const void *) (gtpu + GTPU_HLEN);

        gtpu_set_seq(gtpu, gtpu_vport_next_seq(ntohs(*slot)));
    }
    if (gtpu[1] == GTPU_MSG_ERROR_INDICATION) {
        gtpu_push_udp_port(packet, gtpu, gtpu_hlen);
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

void
gtpu_vport_push_header_from(const struct netdev *netdev,
                            const struct netdev *ingress OVS_UNUSED,
                            struct dp_packet *packet,
                            const struct ovs_action_push_tnl *data)
{
    gtpu_vport_push_header(netdev, packet, data);
}

bool
gtpu_has_lost_eth(const struct flow *flow, const struct flow *base)
{
    return (flow->packet_type == htonl(PT_ETH)
            && pt_ns(base->packet_type) == OFPHTN_ETHERTYPE
            && base->packet_type != htonl(PT_NSH)
            && base->packet_type != htonl(PT_MPLS)
            && base->packet_type != htonl(PT_MPLS_MC));
}
