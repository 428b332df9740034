/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "node-flows.h"

#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "util.h"
#include "utilities/kube/kube-cidr.h"
#include "utilities/kube/kube-direct.h"
#include "utilities/kube/kube-node.h"

/* All that the switch routes comes from its router. */
#define FROM_ROUTER "set_field:" NODE_ROUTER_MAC "->eth_src"

static bool
is_ipv6(const struct in6_addr *addr)
{
    return !IN6_IS_ADDR_V4MAPPED(addr);
}

/* Starts a flow in 'table'. */
static void
begin(struct ds *s, enum node_table table, int priority)
{
    ds_put_format(s, "table=%d,priority=%d", table, priority);
}

/* Appends a match of the source, or of the destination, in 'addr'/'plen'. */
static void
put_match(struct ds *s, bool source, const struct in6_addr *addr, int plen)
{
    ds_put_format(s, is_ipv6(addr) ? ",ipv6,ipv6_%s=" : ",ip,nw_%s=",
                  source ? "src" : "dst");
    ipv6_format_mapped(addr, s);
    ds_put_format(s, "/%d", plen);
}

static void
put_host(struct ds *s, bool source, const struct in6_addr *addr)
{
    put_match(s, source, addr, is_ipv6(addr) ? 128 : 32);
}

static void
put_cidr(struct ds *s, bool source, const struct kube_cidr *cidr)
{
    put_match(s, source, &cidr->addr, cidr->plen);
}

/* Answers. */

static void
add_answers(struct ds *s)
{
    begin(s, NODE_ANSWER, 100);
    ds_put_cstr(s, ",arp,arp_op=1,actions="
                "move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[]," FROM_ROUTER ","
                "set_field:2->arp_op,"
                "move:NXM_NX_ARP_SHA[]->NXM_NX_ARP_THA[],"
                "set_field:" NODE_ROUTER_MAC "->arp_sha,"
                "move:NXM_OF_ARP_TPA[]->NXM_NX_REG0[],"
                "move:NXM_OF_ARP_SPA[]->NXM_OF_ARP_TPA[],"
                "move:NXM_NX_REG0[]->NXM_OF_ARP_SPA[],IN_PORT\n");
    /* Router, solicited, override: RFC 4861, 4.4. */
    begin(s, NODE_ANSWER, 100);
    ds_put_format(s, ",icmp6,icmp_type=135,icmp_code=0,actions="
                  "move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[]," FROM_ROUTER ","
                  "move:NXM_NX_IPV6_SRC[]->NXM_NX_IPV6_DST[],"
                  "move:NXM_NX_ND_TARGET[]->NXM_NX_IPV6_SRC[],"
                  "set_field:136->icmpv6_type,set_field:2->nd_options_type,"
                  "set_field:0xe0000000->nd_reserved,resubmit(,%d)\n",
                  NODE_ADVERTISE);
    /* A field of advertisements alone, so a match must say that this is
     * one. */
    begin(s, NODE_ADVERTISE, 100);
    ds_put_cstr(s, ",icmp6,icmp_type=136,actions="
                "set_field:" NODE_ROUTER_MAC "->nd_tll,IN_PORT\n");
}

/* The base. */

static void
add_host(struct ds *s, const struct node_switch *sw)
{
    begin(s, NODE_ENTRY, 110);
    ds_put_format(s, ",in_port=%"PRIu32",icmp6,icmp_type=135,icmp_code=0,"
                  "actions=resubmit(,%d)\n", sw->host, NODE_ANSWER);
    begin(s, NODE_ENTRY, 110);
    ds_put_format(s, ",in_port=%"PRIu32",arp,arp_op=1,"
                  "actions=resubmit(,%d)\n", sw->host, NODE_ANSWER);
    begin(s, NODE_ENTRY, 100);
    ds_put_format(s, ",in_port=%"PRIu32",ip,actions=resubmit(,%d)\n",
                  sw->host, sw->services);
    begin(s, NODE_ENTRY, 100);
    ds_put_format(s, ",in_port=%"PRIu32",ipv6,actions=resubmit(,%d)\n",
                  sw->host, sw->services);
}

/* Appends actions that send to the host.  If 'back', also what came from
 * there. */
static void
put_to_host(struct ds *s, const struct node_switch *sw, bool back)
{
    ds_put_format(s, ",actions=" FROM_ROUTER ",set_field:" NODE_HOST_MAC
                  "->eth_dst,%soutput:%"PRIu32"\n",
                  back ? "load:0->NXM_OF_IN_PORT[]," : "", sw->host);
}

static void
add_to_host(struct ds *s, const struct node_switch *sw,
            const struct kube_node *ours)
{
    for (size_t i = 0; i < ours->n_addrs; i++) {
        begin(s, NODE_ROUTE, 150);
        put_host(s, false, &ours->addrs[i]);
        put_to_host(s, sw, true);
    }
    for (size_t i = 0; i < ours->n_pod_cidrs; i++) {
        struct in6_addr gateway = kube_cidr_gateway(&ours->pod_cidrs[i]);

        begin(s, NODE_ROUTE, 150);
        put_host(s, false, &gateway);
        put_to_host(s, sw, true);
    }
    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        const char *family = ipv6 ? ",ipv6" : ",ip";

        begin(s, NODE_ROUTE, 10);
        ds_put_cstr(s, family);
        put_to_host(s, sw, false);
        /* What the host has sent goes back there only for a Service: it was
         * translated, so it cannot go round. */
        begin(s, NODE_ROUTE, 20);
        ds_put_format(s, "%s,ct_state=+trk,ct_mark=1/1", family);
        put_to_host(s, sw, true);
    }
}

/* Adds drops of what must not be routed. */
static void
add_not_routed(struct ds *s, const struct node_switch *sw,
               const struct kube_node *ours)
{
    static const char *const never[] = {
        ",ip,nw_dst=224.0.0.0/4", ",ip,nw_dst=255.255.255.255",
        ",ipv6,ipv6_dst=ff00::/8", ",ipv6,ipv6_dst=fe80::/10",
    };

    for (size_t i = 0; i < ARRAY_SIZE(never); i++) {
        begin(s, NODE_ROUTE, 130);
        ds_put_format(s, "%s,actions=drop\n", never[i]);
    }
    /* Another node sends here only what is for here, or for a Service:
     * nothing can go round.  A Service's connection that was masqueraded here
     * has its client elsewhere, and a node port its endpoint. */
    if (sw->tunnel != OFPP_NONE) {
        begin(s, NODE_ROUTE, 145);
        ds_put_format(s, ",in_port=%"PRIu32",ct_state=+trk,ct_mark=1/1,"
                      "actions=load:0->NXM_OF_IN_PORT[],resubmit(,%d)\n",
                      sw->tunnel, NODE_ROUTE);
        begin(s, NODE_ROUTE, 140);
        ds_put_format(s, ",in_port=%"PRIu32",actions=drop\n", sw->tunnel);
    }
    for (size_t i = 0; i < ours->n_pod_cidrs; i++) {
        begin(s, NODE_ROUTE, 100);
        put_cidr(s, false, &ours->pod_cidrs[i]);
        ds_put_cstr(s, ",actions=drop\n");
    }
}

/* Adds what becomes of packets that were handed over, here or by another node,
 * once the Services are through with them: those that they took go where their
 * addresses say. */
static void
add_handed(struct ds *s)
{
    begin(s, NODE_ROUTE, 210);
    ds_put_format(s, ",tun_id=%d,ct_state=+trk,ct_mark=%d/%d,"
                  "actions=set_field:0->tun_id,resubmit(,%d)\n",
                  KUBE_DIRECT_TUN_ID, KUBE_DIRECT_MARK, KUBE_DIRECT_MARK,
                  NODE_ROUTE);
    begin(s, NODE_ROUTE, 205);
    ds_put_format(s, ",tun_id=%d,actions=drop\n", KUBE_DIRECT_TUN_ID);
}

/* Adds what depends on no pod and no other node. */
void
node_flows_base(struct ds *s, const struct node_switch *sw,
                const struct kube_node *ours)
{
    begin(s, NODE_ENTRY, 0);
    ds_put_cstr(s, ",actions=drop\n");
    if (sw->tunnel != OFPP_NONE) {
        begin(s, NODE_ENTRY, 50);
        ds_put_format(s, ",in_port=%"PRIu32",actions=drop\n", sw->tunnel);
    }
    add_answers(s);
    begin(s, NODE_POLICY_OUT, 0);
    ds_put_format(s, ",actions=resubmit(,%d)\n", sw->services);
    /* Without ovs-kube-proxy, nothing is a Service. */
    ds_put_format(s, "table=%d,priority=1,actions=resubmit(,%d)\n",
                  sw->services, NODE_POLICY_IN);
    begin(s, NODE_POLICY_IN, 0);
    ds_put_format(s, ",actions=resubmit(,%d)\n", NODE_ROUTE);
    add_not_routed(s, sw, ours);
    if (sw->direct) {
        add_handed(s);
    }
    if (sw->host != OFPP_NONE) {
        add_host(s, sw);
        add_to_host(s, sw, ours);
    }
}

/* Pods. */

/* Starts a flow for what 'pod' sends with its own MAC. */
static void
begin_from(struct ds *s, const struct node_pod *pod, int priority)
{
    begin(s, NODE_ENTRY, priority);
    ds_put_format(s, ",in_port=%"PRIu32",dl_src="ETH_ADDR_FMT, pod->ofport,
                  ETH_ADDR_ARGS(pod->mac));
}

/* Appends actions that answer 'pod', of Ethernet type 'eth_type'.
 *
 * No datapath has actions for answers: each one is made in ovs-vswitchd, which
 * a pod could keep busy.  A meter before that helps only in the datapath, and
 * so only if what comes after it is another pass: pop_mpls takes care of
 * that. */
static void
put_answer(struct ds *s, const struct node_switch *sw,
           const struct node_pod *pod, uint16_t eth_type)
{
    ds_put_cstr(s, ",actions=");
    if (sw->meter) {
        ds_put_format(s, "meter:%"PRIu32",push_mpls:0x8847,pop_mpls:%#x,",
                      sw->meter + pod->ofport % NODE_N_METERS, eth_type);
    }
    ds_put_format(s, "resubmit(,%d)\n", NODE_ANSWER);
}

static void
add_from_pod_ipv4(struct ds *s, const struct node_switch *sw,
                  const struct node_pod *pod, const struct in6_addr *addr)
{
    char ip[INET6_ADDRSTRLEN];

    ipv6_string_mapped(ip, addr);
    begin_from(s, pod, 100);
    ds_put_format(s, ",ip,nw_src=%s,actions=resubmit(,%d)\n", ip,
                  NODE_POLICY_OUT);
    begin_from(s, pod, 100);
    ds_put_format(s, ",arp,arp_op=1,arp_spa=%s,arp_sha="ETH_ADDR_FMT, ip,
                  ETH_ADDR_ARGS(pod->mac));
    put_answer(s, sw, pod, ETH_TYPE_ARP);
    /* Announcements, and probes whether others have the address: answers
     * would mean that they do. */
    begin_from(s, pod, 110);
    ds_put_format(s, ",arp,arp_spa=%s,arp_tpa=%s,actions=drop\n", ip, ip);
    begin_from(s, pod, 110);
    ds_put_format(s, ",arp,arp_spa=0.0.0.0,arp_tpa=%s,actions=drop\n", ip);
}

static void
add_from_pod_ipv6(struct ds *s, const struct node_switch *sw,
                  const struct node_pod *pod, const struct in6_addr *addr)
{
    static const char solicitation[] = ",icmp6,icmp_type=135,icmp_code=0";
    char ip[INET6_ADDRSTRLEN];

    ipv6_string_mapped(ip, addr);
    begin_from(s, pod, 100);
    ds_put_format(s, ",ipv6,ipv6_src=%s,actions=resubmit(,%d)\n", ip,
                  NODE_POLICY_OUT);
    begin_from(s, pod, 120);
    ds_put_format(s, "%s,ipv6_src=%s", solicitation, ip);
    put_answer(s, sw, pod, ETH_TYPE_IPV6);
    begin_from(s, pod, 120);
    ds_put_format(s, "%s,ipv6_src=fe80::/10", solicitation);
    put_answer(s, sw, pod, ETH_TYPE_IPV6);
    /* What every host says to its neighbors: no forgery, and not routed. */
    begin_from(s, pod, 115);
    ds_put_cstr(s, ",icmp6,ipv6_dst=ff00::/8,actions=drop\n");
    begin_from(s, pod, 90);
    ds_put_cstr(s, ",ipv6,ipv6_src=fe80::/10,actions=drop\n");
}

/* Adds what 'pod' may send, and the way to it. */
void
node_flows_pod(struct ds *s, const struct node_switch *sw,
               const struct node_pod *pod)
{
    begin(s, NODE_ENTRY, 50);
    ds_put_format(s, ",in_port=%"PRIu32",actions=drop\n", pod->ofport);
    for (size_t i = 0; i < pod->n_addrs; i++) {
        const struct in6_addr *addr = &pod->addrs[i];

        if (is_ipv6(addr)) {
            add_from_pod_ipv6(s, sw, pod, addr);
        } else {
            add_from_pod_ipv4(s, sw, pod, addr);
        }
        begin(s, NODE_ROUTE, 200);
        put_host(s, false, addr);
        /* A Service may send a pod's packet back to it. */
        ds_put_format(s, ",actions=" FROM_ROUTER ",set_field:"ETH_ADDR_FMT
                      "->eth_dst,load:0->NXM_OF_IN_PORT[],output:%"PRIu32"\n",
                      ETH_ADDR_ARGS(pod->mac), pod->ofport);
    }
}

/* Other nodes. */

/* Adds the ways to and from 'cidr' by the tunnel to 'end'. */
static void
add_by_tunnel(struct ds *s, const struct node_switch *sw,
              const struct in6_addr *end, const struct kube_cidr *cidr)
{
    const char *tun = is_ipv6(end) ? "tun_ipv6_" : "tun_";
    char ip[INET6_ADDRSTRLEN];

    ipv6_string_mapped(ip, end);
    begin(s, NODE_ENTRY, 100);
    ds_put_format(s, ",in_port=%"PRIu32",%ssrc=%s%s", sw->tunnel, tun, ip,
                  sw->direct ? ",tun_id=0" : "");
    put_cidr(s, true, cidr);
    ds_put_format(s, ",actions=resubmit(,%d)\n", sw->services);

    begin(s, NODE_ROUTE, 100);
    put_cidr(s, false, cidr);
    ds_put_format(s, ",actions=dec_ttl," FROM_ROUTER ",set_field:"
                  NODE_ROUTER_MAC "->eth_dst,set_field:%s->%sdst,"
                  "output:%"PRIu32"\n", ip, tun, sw->tunnel);
}

/* Adds the ways to and from the node at 'end' for packets that are handed
 * over, whatever their addresses. */
static void
add_handing(struct ds *s, const struct node_switch *sw,
            const struct in6_addr *end)
{
    const char *tun = is_ipv6(end) ? "tun_ipv6_" : "tun_";
    char ip[INET6_ADDRSTRLEN];

    ipv6_string_mapped(ip, end);
    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        const char *family = ipv6 ? "ipv6" : "ip";

        begin(s, NODE_ENTRY, 105);
        ds_put_format(s, ",in_port=%"PRIu32",%ssrc=%s,tun_id=%d,%s,"
                      "actions=resubmit(,%d)\n", sw->tunnel, tun, ip,
                      KUBE_DIRECT_TUN_ID, family, sw->services);
        begin(s, NODE_ROUTE, 220);
        ds_put_format(s, ",tun_id=%d,%sdst=%s,%s,actions=dec_ttl,"
                      FROM_ROUTER ",set_field:" NODE_ROUTER_MAC
                      "->eth_dst,output:%"PRIu32"\n", KUBE_DIRECT_TUN_ID,
                      tun, ip, family, sw->tunnel);
    }
}

/* Adds the ways to and from the Node 'peer'.  Without a tunnel port, these
 * lead through the host. */
void
node_flows_peer(struct ds *s, const struct node_switch *sw,
                const struct kube_node *ours, const struct kube_node *peer)
{
    struct in6_addr end;

    if (sw->tunnel == OFPP_NONE || !kube_node_tunnel_end(ours, peer, &end)) {
        return;
    }
    if (sw->direct) {
        add_handing(s, sw, &end);
    }
    for (size_t i = 0; i < peer->n_pod_cidrs; i++) {
        add_by_tunnel(s, sw, &end, &peer->pod_cidrs[i]);
    }
    for (size_t i = 0; i < peer->n_addrs; i++) {
        struct kube_cidr host = {
            .addr = peer->addrs[i],
            .plen = is_ipv6(&peer->addrs[i]) ? 128 : 32,
        };

        add_by_tunnel(s, sw, &end, &host);
    }
}
