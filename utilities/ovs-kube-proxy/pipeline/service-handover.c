/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "service-handover.h"

#include "openvswitch/match.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "service-flows.h"
#include "service-terms.h"
#include "util.h"
#include "utilities/kube/kube-cidr.h"
#include "utilities/kube/kube-direct.h"
#include "utilities/kube/kube-node.h"
#include "utilities/ovs-kube-proxy/service/kube-peers.h"

/* Above all others in SERVICE_ENTRY and SERVICE_KNOWN. */
#define PRIO_ABOVE (PRIO_FIRST + 10)

static void
match_mark(struct match *match, uint32_t value, uint32_t mask)
{
    match_set_ct_mark_masked(match, value, mask);
}

static void
match_state(struct match *match, uint32_t value, uint32_t mask)
{
    match_set_ct_state_masked(match, CS_TRACKED | value, CS_TRACKED | mask);
}

/* Packets that were handed over are for an address of a Service: they need not
 * be unmasqueraded, and are no neighbour discovery. */
static void
add_entry(struct service_flows *sf, const struct service_tables *t)
{
    uint64_t stub[128 / 8];
    struct ofpbuf acts = OFPBUF_STUB_INITIALIZER(stub);

    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        struct match match;

        flows_match_init_family(&match, ipv6);
        flows_match_handed(&match);
        flows_put_ct_nat(&acts, t, t->zone, SERVICE_KNOWN, 0, NULL, 0, 0);
        flows_add_flow(sf, t, SERVICE_ENTRY, PRIO_ABOVE, &match, &acts);
    }
    ofpbuf_uninit(&acts);
}

/* Connections that were not handed over from the start are not theirs. */
static void
add_known(struct service_flows *sf, const struct service_tables *t)
{
    struct match match;

    match_init_catchall(&match);
    flows_match_handed(&match);
    match_state(&match, CS_INVALID, CS_INVALID);
    flows_add_drop(sf, t, SERVICE_KNOWN, PRIO_ABOVE + 2, &match);

    match_init_catchall(&match);
    flows_match_handed(&match);
    match_mark(&match, KUBE_DIRECT_MARK, KUBE_DIRECT_MARK);
    match_state(&match, 0, CS_REPLY_DIR | CS_NEW);
    flows_add_goto(sf, t, SERVICE_KNOWN, PRIO_ABOVE + 1, &match,
                   SERVICE_TRANSLATED);

    match_init_catchall(&match);
    flows_match_handed(&match);
    match_mark(&match, SERVICE_MARK_OURS, KUBE_DIRECT_MARK);
    flows_add_drop(sf, t, SERVICE_KNOWN, PRIO_ABOVE, &match);

    match_init_catchall(&match);
    flows_match_handed(&match);
    match_state(&match, CS_REPLY_DIR, CS_REPLY_DIR);
    flows_add_drop(sf, t, SERVICE_KNOWN, PRIO_ABOVE, &match);
}

static void
add_choose(struct service_flows *sf, const struct service_tables *t)
{
    struct match match;

    match_init_catchall(&match);
    flows_match_handed(&match);
    flows_add_drop(sf, t, SERVICE_CHOOSE, PRIO_HANDED, &match);

    /* Not answered yet, and translated already: see service-base.c. */
    match_mark(&match, KUBE_DIRECT_MARK, KUBE_DIRECT_MARK);
    flows_add_goto(sf, t, SERVICE_CHOOSE, PRIO_HANDED_KNOWN, &match,
                   SERVICE_TRANSLATED);
}

/* A group has chosen a node.  If that is ours, an endpoint is chosen as for a
 * packet that was handed over; else the packet leaves. */
static void
add_chosen(struct service_flows *sf, const struct service_tables *t)
{
    uint64_t stub[128 / 8];
    struct ofpbuf acts = OFPBUF_STUB_INITIALIZER(stub);
    struct match match;

    match_init_catchall(&match);
    match_set_reg_masked(&match, t->reg, 1u << REG_CHOSEN, 1u << REG_CHOSEN);
    flows_put_handed(&acts);
    flows_put_goto(&acts, t, SERVICE_LEAVE);
    flows_add_flow(sf, t, SERVICE_TRANSLATED, PRIO_ABOVE, &match, &acts);

    if (ipv6_addr_is_set(&t->end)) {
        if (is_ipv6(&t->end)) {
            match_set_tun_ipv6_dst(&match, &t->end);
        } else {
            match_set_tun_dst(&match, in6_addr_get_mapped_ipv4(&t->end));
        }
        flows_put_reg(&acts, t, 0, 1u << REG_CHOSEN);
        flows_put_handed(&acts);
        flows_put_goto(&acts, t, SERVICE_CHOOSE);
        flows_add_flow(sf, t, SERVICE_TRANSLATED, PRIO_ABOVE + 1, &match,
                       &acts);
    }
    ofpbuf_uninit(&acts);
}

/* Adds the flows for packets that were handed over, or will be. */
void
service_flows_add_handover(struct service_flows *sf,
                           const struct service_tables *t)
{
    add_entry(sf, t);
    add_known(sf, t);
    add_choose(sf, t);
    add_chosen(sf, t);
}

/* Adds the flow that marks 'cidr', of another node, as a source that no other
 * node can answer: the tunnel lets in only what has an address of its other
 * end. */
static void
add_near(struct service_flows *sf, const struct service_tables *t,
         const struct kube_cidr *cidr, const bool know_pods[2])
{
    uint64_t stub[128 / 8];
    struct ofpbuf acts = OFPBUF_STUB_INITIALIZER(stub);
    uint32_t outside = know_pods[is_ipv6(&cidr->addr)] << REG_OUTSIDE;
    struct match match;

    match_init_catchall(&match);
    flows_match_src(&match, cidr);
    flows_put_reg(&acts, t, outside | 1u << REG_NEAR,
                  1u << REG_OUTSIDE | 1u << REG_INTERNAL | 1u << REG_NEAR);
    flows_put_goto(&acts, t, SERVICE_CHOOSE);
    flows_add_flow(sf, t, SERVICE_SOURCE, PRIO_FAMILY + 1, &match, &acts);
    ofpbuf_uninit(&acts);
}

/* Adds the flows for the addresses of all Nodes.  'know_pods' says for IPv4
 * and for IPv6 whether it is known which addresses are pods'. */
void
service_flows_add_peers(struct service_flows *sf,
                        const struct service_tables *t,
                        const struct kube_peers *peers,
                        const bool know_pods[2])
{
    const struct shash_node *n;

    SHASH_FOR_EACH (n, &peers->nodes) {
        const struct kube_peer *peer = n->data;
        const struct kube_node *node = peer->node;

        for (size_t i = 0; i < node->n_pod_cidrs; i++) {
            add_near(sf, t, &node->pod_cidrs[i], know_pods);
        }
        for (size_t i = 0; i < node->n_addrs; i++) {
            struct kube_cidr cidr = host_cidr(&node->addrs[i]);
            struct match match;

            add_near(sf, t, &cidr, know_pods);
            /* A node port of that node. */
            match_init_catchall(&match);
            flows_match_dst(&match, &cidr);
            flows_match_handed(&match);
            flows_add_source(sf, t, PRIO_SPECIAL, &match, 1u << REG_AT_NODE);
        }
    }
}

/* Appends actions that hand a copy of the packet over to 'node'. */
static void
put_copy(struct ofpbuf *acts, const struct service_tables *t,
         const struct in6_addr *node)
{
    size_t ofs = acts->size;
    struct ofpact_nest *clone;

    ofpbuf_pull(acts, ofs);
    ofpact_put_CLONE(acts);
    flows_put_tunnel_end(acts, node);
    flows_put_handed(acts);
    flows_put_goto(acts, t, SERVICE_LEAVE);
    clone = acts->header = acts->data;
    ofpact_finish_CLONE(acts, &clone);
    ofpbuf_push_uninit(acts, ofs);
}

/* Adds flows that hand ICMP errors to 'addr' over to the 'n' nodes 'nodes', if
 * they are about no connection here.  The meter bounds what they cost. */
void
service_flows_add_errors(struct service_flows *sf,
                         const struct service_tables *t,
                         const struct in6_addr *addr,
                         const struct in6_addr *nodes, size_t n)
{
    /* RFC 792: unreachable, time exceeded, parameter problem.  RFC 4443: these
     * and "packet too big". */
    static const uint8_t types4[] = { 3, 11, 12 }, types6[] = { 1, 2, 3, 4 };
    bool ipv6 = is_ipv6(addr);
    const uint8_t *types = ipv6 ? types6 : types4;
    size_t n_types = ipv6 ? ARRAY_SIZE(types6) : ARRAY_SIZE(types4);
    struct kube_cidr cidr = host_cidr(addr);
    struct ofpbuf acts;

    ofpbuf_init(&acts, 1024);
    for (size_t i = 0; n && i < n_types; i++) {
        struct match match;

        match_init_catchall(&match);
        flows_match_dst(&match, &cidr);
        match_set_nw_proto(&match, ipv6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
        match_set_icmp_type(&match, types[i]);
        match_set_tun_id(&match, 0);
        match_state(&match, CS_INVALID, CS_INVALID);
        if (t->meter) {
            struct ofpact_meter *meter = ofpact_put_METER(&acts);

            meter->meter_id = t->meter;
            meter->provider_meter_id = UINT32_MAX;
        }
        for (size_t j = 0; j < n; j++) {
            put_copy(&acts, t, &nodes[j]);
        }
        flows_add_flow(sf, t, SERVICE_KNOWN, PRIO_SPECIAL + 2, &match, &acts);
    }
    ofpbuf_uninit(&acts);
}
