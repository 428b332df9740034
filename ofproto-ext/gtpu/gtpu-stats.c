/* SPDX-License-Identifier: Apache-2.0 */

/* Statistics of what GTP-U ports send
 * ===================================
 *
 * Translation credits a tunnel port with the packets and bytes of a megaflow
 * that sends through it.  Open vSwitch credits the port twice: once as the
 * tunnel port, and again, with the outer headers, when it hands the packet to
 * the underlay bridge.  The bytes of a megaflow are those of the received
 * packet.  They include an Ethernet header that a port for IP packets removes.
 *
 * A GTP-U port counts the inner packet once, in both directions.  It does not
 * count packets that it drops because they are not IP.
 *
 * Thread-safety: any thread that translates. */

#include <config.h>
#include "ofproto-ext/gtpu/gtpu-ofproto-hooks.h"

#include "dpif.h"
#include "lib/gtpu/gtpu-build.h"
#include "netdev-vport.h"
#include "ofproto/ofproto-dpif-xlate-cache.h"
#include "openvswitch/flow.h"
#include "packets.h"
#include "util.h"

/* Returns true if 'netdev' drops and counts a packet like 'sent': a message of
 * a type that it does not send, or a G-PDU whose payload is neither IP nor
 * Ethernet.  See "not_sent" and "not_ip" in datapath-dpdk/gtpu/gtpu-push.c. */
static bool
is_dropped(const struct netdev *netdev, const struct flow *sent)
{
    uint8_t msg_type = sent->tunnel.gtpu_msgtype;

    bool is_g_pdu = !msg_type || msg_type == GTPU_MSG_G_PDU;
    bool has_payload = (sent->packet_type == htonl(PT_ETH)
                        || sent->packet_type == htonl(PT_IPV4)
                        || sent->packet_type == htonl(PT_IPV6));

    return (gtpu_is_port(netdev)
            && (!gtpu_is_sendable(msg_type) || (is_g_pdu && !has_payload)));
}

/* Makes the following entries of 'xcache' count packets as 'n' octets longer,
 * or shorter if 'n' is negative. */
static void
add_octets(struct xlate_cache *xcache, int n)
{
    if (n) {
        struct xc_entry *entry = xlate_cache_add_entry(xcache,
                                                       XC_TUNNEL_HEADER);

        entry->tunnel_hdr.hdr_size = n < 0 ? -n : n;
        entry->tunnel_hdr.operation = n < 0 ? REMOVE : ADD;
    }
}

/* Returns the growth in octets of a packet from 'received' to 'sent' through
 * 'netdev'. */
static int
growth(const struct netdev *netdev, const struct flow *received,
       const struct flow *sent)
{
    bool had = received->packet_type == htonl(PT_ETH);
    bool has = sent->packet_type == htonl(PT_ETH);

    return gtpu_is_port(netdev) ? (has - had) * ETH_HEADER_LEN : 0;
}

void
gtpu_stats_inc_tx(const struct netdev *netdev, const struct flow *received,
                  const struct flow *sent, const struct dpif_flow_stats *stats)
{
    struct dpif_flow_stats inside = *stats;

    if (is_dropped(netdev, sent)) {
        return;
    }
    inside.n_bytes += (int64_t) inside.n_packets * growth(netdev, received,
                                                          sent);
    netdev_vport_inc_tx(netdev, &inside);
}

void
gtpu_stats_cache_tx(struct xlate_cache *xcache, const struct netdev *netdev,
                    const struct flow *received, const struct flow *sent,
                    bool before)
{
    int n = growth(netdev, received, sent);

    add_octets(xcache, before ? n : -n);
}

struct netdev *
gtpu_stats_ref_sent(const struct netdev *netdev, const struct flow *sent)
{
    return is_dropped(netdev, sent) ? NULL : netdev_ref(netdev);
}

struct netdev *
gtpu_stats_ref_tx(const struct netdev *netdev)
{
    return gtpu_is_port(netdev) ? NULL : netdev_ref(netdev);
}

void
gtpu_stats_cache_sent(struct xlate_cache *xcache, const struct netdev *netdev,
                      size_t header_len)
{
    if (xcache && gtpu_is_port(netdev)) {
        add_octets(xcache, -(int) header_len);
    }
}
