/* SPDX-License-Identifier: Apache-2.0 */

/* Translation of input from and output to a GTP-U tunnel
 * ======================================================
 *
 * A message other than a G-PDU comes from the datapath as its outer IP packet.
 * Open vSwitch finds a tunnel's port by the type of the inner packet, IP or
 * Ethernet.  A message of the tunnel itself is for its port in both cases.
 * The port gets it with an Ethernet header of zeros.  With TEID 0 it is for a
 * port with any key: see gtpu-ports.c.
 *
 * The header of sent packets belongs to a megaflow, but its content may come
 * from the received packet.  A relay from tunnel to tunnel passes on the
 * message type (G-PDU, End Marker) and the PDU Session Container.  So all that
 * goes into the header must be in the megaflow's key. */

#include <config.h>
#include "ofproto-ext/gtpu/gtpu-ofproto-hooks.h"

#include "flow.h"
#include "lib/gtpu/gtpu-tlv.h"
#include "lib/gtpu/gtpu.h"
#include "netdev.h"
#include "ofproto-ext/gtpu/gtpu-ports.h"
#include "openvswitch/match.h"
#include "openvswitch/meta-flow.h"
#include "packets.h"
#include "tun-metadata.h"
#include "util.h"

bool
gtpu_xlate_is_signalling(const struct flow *flow)
{
    return (flow->tunnel.gtpu_msgtype
            && flow->tunnel.gtpu_msgtype != GTPU_MSG_G_PDU);
}

bool
gtpu_xlate_receive(const struct flow *flow, int attempt, struct flow *other)
{
    bool carries_ethernet = true;

    if (!gtpu_xlate_is_signalling(flow)
        || flow->packet_type == htonl(PT_ETH)) {
        return false;
    }
    *other = *flow;
    if (attempt > 1
        || (attempt == 1
            && (flow->tunnel.tun_id
                || !gtpu_ports_find(&flow->tunnel, &other->tunnel.tun_id,
                                    &carries_ethernet)))) {
        return false;
    }
    if (carries_ethernet) {
        other->packet_type = htonl(PT_ETH);
    }
    return true;
}

bool
gtpu_xlate_asks(const struct minimatch *match)
{
    return MINIFLOW_GET_U8(&match->mask->masks, tunnel.gtpu_msgtype) != 0;
}

bool
gtpu_xlate_gets_eth(enum netdev_pt_mode pt_mode, const struct flow *flow)
{
    return (pt_mode == NETDEV_PT_LEGACY_L3
            || (pt_mode == NETDEV_PT_LEGACY_L2
                && gtpu_xlate_is_signalling(flow)));
}

void
gtpu_xlate_input(const struct flow *flow, struct flow_wildcards *wc)
{
    if (gtpu_xlate_is_signalling(flow)) {
        wc->masks.tunnel.gtpu_msgtype = UINT8_MAX;
    }
}

/* Exchanges the addresses of 'tnl', except those that the port's configuration
 * 'cfg' fixes. */
static void
turn_round(struct flow_tnl *tnl, const struct netdev_tunnel_config *cfg)
{
    struct in6_addr src = tnl->ipv6_src;
    ovs_be32 ip_src = tnl->ip_src;

    if (cfg->ip_src_flow) {
        tnl->ip_src = tnl->ip_dst;
        tnl->ipv6_src = tnl->ipv6_dst;
    }
    if (cfg->ip_dst_flow) {
        tnl->ip_dst = ip_src;
        tnl->ipv6_dst = src;
    }
}

void
gtpu_xlate_output(const struct netdev *netdev, struct flow *flow,
                  struct flow_wildcards *wc)
{
    struct geneve_opt opts[TLV_TOT_OPT_SIZE / sizeof(struct geneve_opt)];
    const struct geneve_opt *opt = opts;
    bool crit_opt;
    int i;

    if (!gtpu_is_port(netdev)) {
        return;
    }

    wc->masks.tunnel.gtpu_msgtype = UINT8_MAX;
    if (flow->tunnel.gtpu_msgtype == GTPU_MSG_ERROR_INDICATION) {
        turn_round(&flow->tunnel, netdev_get_tunnel_config(netdev));
    }
    if (!flow->tunnel.metadata.present.map) {
        return;
    }

    /* The options come in the order of the fields. */
    tun_metadata_to_geneve_header(&flow->tunnel, opts, &crit_opt);
    ULLONG_FOR_EACH_1 (i, flow->tunnel.metadata.present.map) {
        if (opt->opt_class == htons(GTPU_TLV_CLASS)) {
            mf_mask_field(mf_from_id(MFF_TUN_METADATA0 + i), wc);
        }
        opt += 1 + opt->length;
    }
}
