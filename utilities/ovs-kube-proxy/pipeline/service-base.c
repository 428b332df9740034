/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "service-base.h"

#include "openvswitch/match.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "service-flows.h"
#include "service-handover.h"
#include "service-terms.h"
#include "util.h"
#include "utilities/kube/kube-cidr.h"
#include "utilities/kube/kube-node.h"

static void
add_track(struct service_flows *sf, const struct service_tables *t,
          enum service_table table, int priority, const struct match *match,
          uint16_t zone, enum service_table next)
{
    uint64_t stub[128 / 8];
    struct ofpbuf acts = OFPBUF_STUB_INITIALIZER(stub);

    flows_put_ct_nat(&acts, t, zone, next, 0, NULL, 0, 0);
    flows_add_flow(sf, t, table, priority, match, &acts);
    ofpbuf_uninit(&acts);
}

/* Adds flows that undo masquerading in packets to 'addr'.  These come to a
 * port from 'masq_min' to 'masq_max', which becomes a list of prefixes.  ICMP
 * errors come without a port, and so do some fragments. */
static void
add_unmasquerade(struct service_flows *sf, const struct service_tables *t,
                 const struct in6_addr *addr)
{
    static const uint8_t protocols[] = {
        IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP,
    };
    struct kube_cidr cidr = host_cidr(addr);
    struct match match;

    for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
        for (unsigned int port = t->masq_min; port <= t->masq_max; ) {
            unsigned int size = 1;

            while (size < 0x10000 && !(port & (2 * size - 1))
                   && port + 2 * size - 1 <= t->masq_max) {
                size *= 2;
            }
            match_init_catchall(&match);
            flows_match_dst(&match, &cidr);
            match_set_nw_proto(&match, protocols[i]);
            match_set_tp_dst_masked(&match, htons(port), htons(-size));
            add_track(sf, t, SERVICE_ENTRY, PRIO_SPECIAL, &match,
                      t->zone + 1, SERVICE_TRACK);
            port += size;
        }
    }

    match_init_catchall(&match);
    flows_match_dst(&match, &cidr);
    match_set_nw_proto(&match, is_ipv6(addr) ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
    add_track(sf, t, SERVICE_ENTRY, PRIO_SPECIAL, &match, t->zone + 1,
              SERVICE_TRACK);

    match_init_catchall(&match);
    flows_match_dst(&match, &cidr);
    match_set_nw_frag_masked(&match, FLOW_NW_FRAG_ANY, FLOW_NW_FRAG_ANY);
    add_track(sf, t, SERVICE_ENTRY, PRIO_SPECIAL, &match, t->zone + 1,
              SERVICE_TRACK);
}

static void
add_entry(struct service_flows *sf, const struct service_tables *t)
{
    struct match match;

    /* Neighbour discovery belongs to no connection. */
    for (unsigned int type = 133; type <= 137; type++) {
        flows_match_init_family(&match, true);
        match_set_nw_proto(&match, IPPROTO_ICMPV6);
        match_set_icmp_type(&match, type);
        flows_add_goto(sf, t, SERVICE_ENTRY, PRIO_FIRST, &match,
                       SERVICE_LEAVE);
    }
    if (ipv6_addr_is_set(&t->masq4)) {
        add_unmasquerade(sf, t, &t->masq4);
    }
    if (ipv6_addr_is_set(&t->masq6)) {
        add_unmasquerade(sf, t, &t->masq6);
    }
    if (ipv6_addr_is_set(&t->self4)
        && !ipv6_addr_equals(&t->self4, &t->masq4)) {
        add_unmasquerade(sf, t, &t->self4);
    }
    if (ipv6_addr_is_set(&t->self6)
        && !ipv6_addr_equals(&t->self6, &t->masq6)) {
        add_unmasquerade(sf, t, &t->self6);
    }
    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        flows_match_init_family(&match, ipv6);
        add_track(sf, t, SERVICE_ENTRY, PRIO_KNOWN, &match, t->zone,
                  SERVICE_KNOWN);
        add_track(sf, t, SERVICE_TRACK, PRIO_KNOWN, &match, t->zone,
                  SERVICE_KNOWN);
    }
    match_init_catchall(&match);
    flows_add_goto(sf, t, SERVICE_ENTRY, PRIO_DEFAULT, &match, SERVICE_LEAVE);
}

static void
add_known(struct service_flows *sf, const struct service_tables *t,
          const struct kube_cidr *services, size_t n_services)
{
    struct match match;

    match_init_catchall(&match);
    match_set_ct_mark_masked(&match, SERVICE_MARK_OURS, SERVICE_MARK_OURS);
    match_set_ct_state_masked(&match, CS_TRACKED | CS_REPLY_DIR,
                              CS_TRACKED | CS_REPLY_DIR);
    flows_add_goto(sf, t, SERVICE_KNOWN, PRIO_FIRST + 1, &match,
                   SERVICE_LEAVE);
    /* A connection that is still "new" has no answer yet: ct(nat) may not
     * translate its packets.  ct(commit,nat(...)), as for the first packet,
     * does. */
    match_set_ct_state_masked(&match, CS_TRACKED,
                              CS_TRACKED | CS_REPLY_DIR | CS_NEW);
    flows_add_goto(sf, t, SERVICE_KNOWN, PRIO_FIRST, &match,
                   SERVICE_TRANSLATED);

    for (size_t i = 0; i < n_services; i++) {
        match_init_catchall(&match);
        match_set_ct_state_masked(&match, CS_TRACKED | CS_INVALID,
                                  CS_TRACKED | CS_INVALID);
        flows_match_dst(&match, &services[i]);
        flows_add_drop(sf, t, SERVICE_KNOWN, PRIO_SPECIAL + 1, &match);
    }
    match_init_catchall(&match);
    match_set_ct_state_masked(&match, CS_TRACKED | CS_INVALID,
                              CS_TRACKED | CS_INVALID);
    flows_add_goto(sf, t, SERVICE_KNOWN, PRIO_SPECIAL, &match, SERVICE_LEAVE);
    match_init_catchall(&match);
    flows_add_source(sf, t, PRIO_DEFAULT, &match, 0);
}

static void
add_source(struct service_flows *sf, const struct service_tables *t,
           int priority, const struct match *match, uint32_t bits)
{
    uint64_t stub[128 / 8];
    struct ofpbuf acts = OFPBUF_STUB_INITIALIZER(stub);
    uint32_t mask = (1u << REG_OUTSIDE) | (1u << REG_INTERNAL);

    if (t->direct) {
        bits |= (bits >> REG_INTERNAL & 1) << REG_NEAR;
        mask |= 1u << REG_NEAR;
    }
    flows_put_reg(&acts, t, bits, mask);
    flows_put_goto(&acts, t, SERVICE_CHOOSE);
    flows_add_flow(sf, t, SERVICE_SOURCE, priority, match, &acts);
    ofpbuf_uninit(&acts);
}

static void
add_leave(struct service_flows *sf, const struct service_tables *t)
{
    uint64_t stub[128 / 8];
    struct ofpbuf acts = OFPBUF_STUB_INITIALIZER(stub);
    struct match match;

    /* Masquerading failed: see flows_put_ct_nat(). */
    match_init_catchall(&match);
    match_set_ct_zone(&match, t->zone + 1);
    match_set_ct_mark_masked(&match, 0, SERVICE_MARK_OURS);
    flows_add_drop(sf, t, SERVICE_LEAVE, PRIO_KNOWN, &match);

    match_init_catchall(&match);
    flows_put_reg(&acts, t, 0, UINT32_MAX);
    if (t->next >= 0) {
        flows_put_resubmit(&acts, t->next);
    } else {
        ofpact_put_OUTPUT(&acts)->port = OFPP_NORMAL;
    }
    flows_add_flow(sf, t, SERVICE_LEAVE, PRIO_DEFAULT, &match, &acts);
    ofpbuf_uninit(&acts);
}

static void
add_masquerade(struct service_flows *sf, const struct service_tables *t,
               int priority, const struct match *match,
               const struct in6_addr *addr)
{
    uint64_t stub[256 / 8];
    struct ofpbuf acts = OFPBUF_STUB_INITIALIZER(stub);

    flows_put_masquerade(&acts, t, addr);
    flows_add_flow(sf, t, SERVICE_TRANSLATED, priority, match, &acts);
    ofpbuf_uninit(&acts);
}

/* Adds the flow that masquerades what is marked so and goes to 'dst'.  'self':
 * as packets to our node. */
static void
add_marked(struct service_flows *sf, const struct service_tables *t,
           int priority, const struct kube_cidr *dst, bool self)
{
    const struct in6_addr *addr = (
        is_ipv6(&dst->addr) ? (self ? &t->self6 : &t->masq6)
        : self ? &t->self4 : &t->masq4);
    struct match match;

    if (ipv6_addr_is_set(addr)) {
        match_init_catchall(&match);
        flows_match_dst(&match, dst);
        match_set_ct_mark_masked(&match, SERVICE_MARK_MASQ,
                                 SERVICE_MARK_MASQ);
        add_masquerade(sf, t, priority, &match, addr);
    }
}

/* Adds the flows that masquerade by 'self4' and 'self6', of 'node', what goes
 * to endpoints elsewhere: these would not answer to the switch.  Pods of
 * 'node' do, and some kernels take its podCIDRs' lowest addresses for ones of
 * broadcast or anycast there. */
static void
add_self_from_node(struct service_flows *sf, const struct service_tables *t,
                   const struct kube_node *node)
{
    for (size_t i = 0; i < node->n_pod_cidrs; i++) {
        const struct kube_cidr *cidr = &node->pod_cidrs[i];
        struct in6_addr addr = kube_cidr_gateway(cidr);
        struct kube_cidr gateway = host_cidr(&addr);
        struct match match;

        add_marked(sf, t, PRIO_FIRST + 1, cidr, false);

        /* What the node itself sends to ClusterIPs. */
        match_init_catchall(&match);
        flows_match_src(&match, &gateway);
        match_set_ct_mark_masked(&match, SERVICE_MARK_OURS,
                                 SERVICE_MARK_OURS);
        add_masquerade(sf, t, PRIO_KNOWN, &match,
                       is_ipv6(&addr) ? &t->self6 : &t->self4);
        flows_match_dst(&match, cidr);
        flows_add_goto(sf, t, SERVICE_TRANSLATED, PRIO_KNOWN + 1, &match,
                       SERVICE_LEAVE);
    }
}

/* Adds the flows that masquerade what is marked so.  'node', our node, may be
 * null. */
static void
add_masquerades(struct service_flows *sf, const struct service_tables *t,
                const struct kube_node *node)
{
    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        const struct in6_addr *self = ipv6 ? &t->self6 : &t->self4;
        struct kube_cidr all = { .addr = in6addr_any };

        if (!ipv6) {
            in6_addr_set_mapped_ipv4(&all.addr, 0);
        }
        add_marked(sf, t, PRIO_FIRST, &all,
                   t->self_from_node && ipv6_addr_is_set(self));
    }
    for (size_t i = 0; node && i < node->n_addrs; i++) {
        struct kube_cidr cidr = host_cidr(&node->addrs[i]);

        add_marked(sf, t, PRIO_FIRST + 2, &cidr, true);
    }
    if (node && t->self_from_node) {
        add_self_from_node(sf, t, node);
    }
}

/* Adds the flow that rejects what a group has chosen to reject. */
static void
add_rejected(struct service_flows *sf, const struct service_tables *t)
{
    uint64_t stub[64 / 8];
    struct ofpbuf acts = OFPBUF_STUB_INITIALIZER(stub);
    struct match match;

    match_init_catchall(&match);
    match_set_reg_masked(&match, t->reg, 1u << REG_REJECT, 1u << REG_REJECT);
    flows_put_reject(&acts, t);
    flows_add_flow(sf, t, SERVICE_TRANSLATED, PRIO_FIRST + 3, &match, &acts);
    ofpbuf_uninit(&acts);
}

/* Adds the flows that do not depend on any Service.  'services' are the ranges
 * of ClusterIPs, 'pods' the ranges of pods.  'node', our node, may be
 * null. */
void
service_flows_add_base(struct service_flows *sf,
                       const struct service_tables *t,
                       const struct kube_cidr *services, size_t n_services,
                       const struct kube_cidr *pods, size_t n_pods,
                       const struct kube_node *node)
{
    bool know_pods[2] = { false, false };
    struct match match;

    add_entry(sf, t);
    add_known(sf, t, services, n_services);

    for (size_t i = 0; i < n_pods; i++) {
        match_init_catchall(&match);
        flows_match_src(&match, &pods[i]);
        add_source(sf, t, PRIO_KNOWN, &match, 1u << REG_INTERNAL);
        know_pods[is_ipv6(&pods[i].addr)] = true;
    }
    for (size_t i = 0; node && i < node->n_addrs; i++) {
        struct kube_cidr cidr = host_cidr(&node->addrs[i]);

        match_init_catchall(&match);
        flows_match_src(&match, &cidr);
        add_source(sf, t, PRIO_SPECIAL, &match,
                   (1u << REG_INTERNAL) | (1u << REG_OUTSIDE));
    }
    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        flows_match_init_family(&match, ipv6);
        add_source(sf, t, PRIO_FAMILY, &match,
                   know_pods[ipv6] << REG_OUTSIDE);
    }

    for (size_t i = 0; i < n_services; i++) {
        match_init_catchall(&match);
        flows_match_dst(&match, &services[i]);
        flows_add_drop(sf, t, SERVICE_CHOOSE, PRIO_UNALLOCATED, &match);
    }
    /* For connections without an answer that ct(nat) has translated. */
    match_init_catchall(&match);
    match_set_ct_mark_masked(&match, SERVICE_MARK_OURS, SERVICE_MARK_OURS);
    flows_add_goto(sf, t, SERVICE_CHOOSE, PRIO_FAMILY, &match,
                   SERVICE_TRANSLATED);
    match_init_catchall(&match);
    flows_add_goto(sf, t, SERVICE_CHOOSE, PRIO_DEFAULT, &match, SERVICE_LEAVE);

    add_masquerades(sf, t, node);
    match_init_catchall(&match);
    match_set_ct_mark_masked(&match, SERVICE_MARK_OURS, SERVICE_MARK_OURS);
    flows_add_goto(sf, t, SERVICE_TRANSLATED, PRIO_FAMILY, &match,
                   SERVICE_LEAVE);
    add_rejected(sf, t);
    if (t->direct) {
        service_flows_add_handover(sf, t);
    }
    /* Translation failed: see flows_put_ct_nat(). */
    match_init_catchall(&match);
    flows_add_drop(sf, t, SERVICE_TRANSLATED, PRIO_DEFAULT, &match);
    add_leave(sf, t);
}

/* Adds the flow that masquerades packets from 'source' to 'endpoint' by
 * 'addr', unless that is all-zeros. */
static void
add_hairpin(struct service_flows *sf, const struct service_tables *t,
            const struct in6_addr *source, const struct in6_addr *endpoint,
            const struct in6_addr *addr)
{
    struct kube_cidr src = host_cidr(source), dst = host_cidr(endpoint);
    struct match match;

    if (ipv6_addr_is_set(addr)) {
        match_init_catchall(&match);
        flows_match_src(&match, &src);
        flows_match_dst(&match, &dst);
        add_masquerade(sf, t, PRIO_SPECIAL, &match, addr);
    }
}

/* Adds the flow that masquerades packets which 'endpoint' sends to a Service
 * and gets back itself. */
void
service_flows_add_hairpin(struct service_flows *sf,
                          const struct service_tables *t,
                          const struct in6_addr *endpoint)
{
    add_hairpin(sf, t, endpoint, endpoint,
                is_ipv6(endpoint) ? &t->masq6 : &t->masq4);
}

/* The same if 'endpoint' is our node, which may send from there or from the
 * first addresses of 'pods', its ranges of pods.  Its kernel would drop
 * packets from an address of its own. */
void
service_flows_add_node_hairpin(struct service_flows *sf,
                               const struct service_tables *t,
                               const struct in6_addr *endpoint,
                               const struct kube_cidr *pods, size_t n)
{
    const struct in6_addr *self = is_ipv6(endpoint) ? &t->self6 : &t->self4;

    if (!ipv6_addr_is_set(self)) {
        service_flows_add_hairpin(sf, t, endpoint);
        return;
    }
    add_hairpin(sf, t, endpoint, endpoint, self);
    for (size_t i = 0; i < n; i++) {
        struct in6_addr gateway = kube_cidr_gateway(&pods[i]);

        if (is_ipv6(&gateway) == is_ipv6(endpoint)) {
            add_hairpin(sf, t, &gateway, endpoint, self);
        }
    }
}
