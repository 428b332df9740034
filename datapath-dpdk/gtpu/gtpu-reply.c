/* SPDX-License-Identifier: Apache-2.0 */

/* Answers of the switch itself
 * ============================
 *
 * The received packet becomes the answer: its MAC and IP addresses change
 * places, and all that follows is written anew.  It then takes the way of a
 * packet that the host sends from the local port of the underlay bridge, so
 * that flow table, MAC learning, VLANs, bonds and mirrors of that bridge
 * apply.  Open vSwitch's routing table tells the bridge, as for the tunnels'
 * packets.
 *
 * Attack model: the sender may have forged the address that the answer goes
 * to.  So answers are few (lib/gtpu/gtpu-limit.h), short, and only for the
 * address of one host.  They have a fixed form, with only sequence number,
 * DSCP and VLAN from the received packet. */

#include <config.h>
#include "datapath-dpdk/gtpu/gtpu-reply.h"

#include <net/if.h>
#include <netinet/in.h>

#include "datapath-dpdk/gtpu/gtpu-count.h"
#include "datapath-dpdk/gtpu/gtpu-hooks.h"
#include "datapath-dpdk/gtpu/gtpu-outer.h"
#include "datapath-dpdk/gtpu/gtpu-peer.h"
#include "dp-packet.h"
#include "lib/gtpu/gtpu-underlay.h"
#include "lib/gtpu/gtpu.h"
#include "odp-netlink.h"
#include "openvswitch/flow.h"
#include "ovs-router.h"
#include "packets.h"
#include "timeval.h"
#include "util.h"

#define TTL 64

/* Marks an answer in 'md.tunnel.flags'.  Open vSwitch's FLOW_TNL_F_* are the
 * low bits.  A packet with this mark has no tunnel destination, so that
 * nothing else reads its flags. */
#define TNL_F_ANSWER (1 << 15)
BUILD_ASSERT_DECL(!(FLOW_TNL_F_MASK & TNL_F_ANSWER));

static bool
is_host_ipv4(ovs_be32 address)
{
    uint32_t a = ntohl(address);

    /* "This" network, loopback, multicast, reserved and broadcast. */
    return (a >> 24 != 0 && a >> 24 != 127 && a >> 28 < 0xe
            && !gtpu_underlay_is_broadcast(gtpu_underlay_get(), a));
}

static bool
is_host_ipv6(const struct in6_addr *address)
{
    return !(IN6_IS_ADDR_UNSPECIFIED(address)
             || IN6_IS_ADDR_LOOPBACK(address)
             || IN6_IS_ADDR_MULTICAST(address)
             || IN6_IS_ADDR_V4MAPPED(address)
             || IN6_IS_ADDR_V4COMPAT(address));
}

/* Returns true if an answer to 'packet', with tunnel metadata 'tnl', goes to
 * one other host. */
static bool
can_answer(const struct dp_packet *packet, const struct flow_tnl *tnl)
{
    const struct eth_header *eth = dp_packet_eth(packet);

    if (!eth || eth_addr_is_multicast(eth->eth_src)
        || eth_addr_is_zero(eth->eth_src)) {
        return false;
    }
    return (tnl->ip_dst
            ? is_host_ipv4(tnl->ip_src) && tnl->ip_src != tnl->ip_dst
            : (is_host_ipv6(&tnl->ipv6_src)
               && !ipv6_addr_equals(&tnl->ipv6_src, &tnl->ipv6_dst)));
}

enum gtpu_drop
gtpu_check_limit(const struct in6_addr *peer, enum gtpu_answer kind)
{
    static const enum gtpu_drop drops[GTPU_N_ANSWERS] = {
        [GTPU_ANSWER_ECHO] = GTPU_DROP_ECHO_LIMIT,
        [GTPU_ANSWER_EXT] = GTPU_DROP_NO_ANSWER,
        [GTPU_ANSWER_ERROR] = GTPU_DROP_ERROR_LIMIT,
    };
    uint64_t now = time_usec() * UINT64_C(1000);

    return (gtpu_answer_admit(kind, peer->s6_addr, gtpu_peer_is_known(peer),
                              now)
            ? drops[kind]
            : GTPU_DROP_NONE);
}

/* Stores in '*port' the local port of the bridge that leads to 'peer'. */
static bool
find_underlay(const struct dp_packet *packet, const struct in6_addr *peer,
              odp_port_t *port)
{
    struct in6_addr src = in6addr_any, gateway = in6addr_any;
    char bridge[IFNAMSIZ];
    uint32_t number;

    if (!ovs_router_lookup(packet->md.pkt_mark, peer, bridge, &src,
                           &gateway)
        || !gtpu_underlay_find(gtpu_underlay_get(), bridge, &number)) {
        return false;
    }
    *port = u32_to_odp(number);
    return true;
}

/* Writes an IPv4 header for 'len' octets that follow it. */
static void
write_ipv4(struct ip_header *ip, const struct flow_tnl *tnl, size_t len)
{
    memset(ip, 0, sizeof *ip);
    ip->ip_ihl_ver = IP_IHL_VER(5, 4);
    ip->ip_tos = tnl->ip_tos & IP_DSCP_MASK;
    ip->ip_tot_len = htons(sizeof *ip + len);
    ip->ip_frag_off = htons(IP_DF);
    ip->ip_ttl = TTL;
    ip->ip_proto = IPPROTO_UDP;
    put_16aligned_be32(&ip->ip_src, tnl->ip_dst);
    put_16aligned_be32(&ip->ip_dst, tnl->ip_src);
    ip->ip_csum = csum(ip, sizeof *ip);
}

static void
write_ipv6(struct ovs_16aligned_ip6_hdr *ip6, const struct flow_tnl *tnl,
           size_t len)
{
    uint32_t dscp = tnl->ip_tos & IP_DSCP_MASK;

    memset(ip6, 0, sizeof *ip6);
    put_16aligned_be32(&ip6->ip6_flow, htonl(UINT32_C(6) << 28 | dscp << 20));
    ip6->ip6_plen = htons(len);
    ip6->ip6_nxt = IPPROTO_UDP;
    ip6->ip6_hlim = TTL;
    memcpy(&ip6->ip6_src, &tnl->ipv6_dst, sizeof ip6->ip6_src);
    memcpy(&ip6->ip6_dst, &tnl->ipv6_src, sizeof ip6->ip6_dst);
}

static void
write_udp(struct udp_header *udp, const void *l3, bool is_ipv6, bool csum,
          size_t len, ovs_be16 dst_port)
{
    udp->udp_src = htons(GTPU_UDP_PORT);
    udp->udp_dst = dst_port;
    udp->udp_len = htons(len);
    udp->udp_csum = 0;
    if (csum || is_ipv6) {
        udp->udp_csum = gtpu_udp_csum(l3, is_ipv6, udp, len);
        if (!udp->udp_csum) {
            udp->udp_csum = htons(0xffff);
        }
    }
}

/* Makes 'packet' the answer of 'len' octets at 'answer'.  There is room. */
static void
write_answer(struct dp_packet *packet, const struct flow_tnl *tnl,
             bool is_ipv6, const uint8_t *answer, size_t len,
             ovs_be16 dst_port)
{
    struct eth_header *eth = dp_packet_eth(packet);
    struct eth_addr mac = eth->eth_dst;
    char *l3 = dp_packet_l3(packet);
    size_t udp_len = UDP_HEADER_LEN + len;
    struct udp_header *udp;

    eth->eth_dst = eth->eth_src;
    eth->eth_src = mac;
    if (is_ipv6) {
        write_ipv6((void *) l3, tnl, udp_len);
        udp = (void *) (l3 + IPV6_HEADER_LEN);
    } else {
        write_ipv4((void *) l3, tnl, udp_len);
        udp = (void *) (l3 + IP_HEADER_LEN);
    }
    memcpy(udp + 1, answer, len);
    write_udp(udp, l3, is_ipv6, tnl->flags & FLOW_TNL_F_CSUM, udp_len,
              dst_port);
    dp_packet_set_size(packet, (char *) udp + udp_len
                               - (char *) dp_packet_data(packet));
    packet->l4_ofs = (char *) udp - (char *) dp_packet_data(packet);
}

bool
gtpu_make_room(struct dp_packet *packet, size_t size)
{
    size_t old_size = dp_packet_size(packet);

    if (size <= old_size + dp_packet_tailroom(packet)) {
        return true;
    } else if (packet->source != DPBUF_MALLOC
               && packet->source != DPBUF_STUB) {
        return false;
    }
    dp_packet_prealloc_tailroom(packet, size - old_size);
    return true;
}

enum gtpu_drop
gtpu_reply(struct dp_packet *packet, bool is_ipv6, enum gtpu_answer kind,
           const uint8_t *answer, size_t len, ovs_be16 dst_port)
{
    struct flow_tnl tnl = packet->md.tunnel;
    struct in6_addr peer = flow_tnl_src(&tnl);
    uint32_t mark = packet->md.pkt_mark;
    enum gtpu_drop drop;
    odp_port_t port;
    size_t size;

    size = (packet->l3_ofs
            + (is_ipv6 ? IPV6_HEADER_LEN : IP_HEADER_LEN)
            + UDP_HEADER_LEN + len);
    if (!dst_port || !can_answer(packet, &tnl)
        || packet->packet_type != htonl(PT_ETH)
        || !gtpu_make_room(packet, size)) {
        return GTPU_DROP_NO_ANSWER;
    }
    drop = gtpu_check_limit(&peer, kind);
    if (drop) {
        return drop;
    } else if (!find_underlay(packet, &peer, &port)) {
        return GTPU_DROP_NO_ROUTE;
    }

    write_answer(packet, &tnl, is_ipv6, answer, len, dst_port);
    pkt_metadata_init(&packet->md, port);
    packet->md.tunnel.flags = TNL_F_ANSWER;
    packet->md.pkt_mark = mark;
    gtpu_count_tx(answer[1]);
    return GTPU_DROP_NONE;
}

odp_port_t
gtpu_vport_pop_port(const struct dp_packet *packet, odp_port_t tunnel)
{
    return (packet->md.tunnel.flags & TNL_F_ANSWER
            ? packet->md.in_port.odp_port
            : tunnel);
}
