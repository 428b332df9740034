/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "service-port.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "openvswitch/match.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "service-flows.h"
#include "service-groups.h"
#include "service-terms.h"
#include "util.h"
#include "utilities/kube/kube-cidr.h"

struct port_context {
    struct service_flows *sf;
    const struct service_tables *t;
    const struct service_port *port;
    const struct service_flows_class *class;
    void *aux;
    struct service_groups groups;

    bool fragments;             /* Fragments go here by address: see
                                 * add_choice(). */
};

/* Which packets are masqueraded. */
enum masquerade { MASQ_NEVER, MASQ_ALWAYS, MASQ_OUTSIDE };

static void
put_verdict(struct port_context *c, const struct service_set *set,
            enum masquerade masq, struct ofpbuf *acts)
{
    uint32_t id;

    switch (set->verdict) {
    case SERVICE_REJECT:
        flows_put_reject(acts, c->t);
        break;

    case SERVICE_FORWARD:
        if (service_groups_get(&c->groups, set, &id)) {
            if (masq == MASQ_OUTSIDE) {
                flows_put_move_bit(acts, c->t, REG_OUTSIDE,
                                   MFF_REG0 + c->t->reg, REG_MASQ);
            } else if (masq == MASQ_ALWAYS) {
                flows_put_reg(acts, c->t, 1u << REG_MASQ, 1u << REG_MASQ);
            }
            ofpact_put_GROUP(acts)->group_id = id;
        }
        break;

    case SERVICE_DROP:
    default:
        break;
    }
}

/* Adds a flow and, for UDP, flows for fragments.  All fragments of a packet
 * must reach the same bucket.  The connection tracker has seen them together
 * and knows their protocol and port.  Their own headers do not: a later
 * fragment has no port and, with IPv6, no protocol.
 *
 * An unmodified userspace datapath before Open vSwitch 3.5 knows the port of
 * the first fragment only.  There later fragments go by address, so only one
 * port of an address gets them. */
static void
add_choice(struct port_context *c, int priority, const struct match *match,
           const struct ofpbuf *acts_)
{
    struct ofpbuf *acts = ofpbuf_clone(acts_);

    flows_add_flow(c->sf, c->t, SERVICE_CHOOSE, priority, match, acts);
    if (c->port->protocol == IPPROTO_UDP) {
        struct match frag = *match;
        ovs_be16 port = frag.flow.tp_dst;

        match_set_tp_dst_masked(&frag, 0, 0);
        if (c->port->ipv6) {
            match_set_nw_proto_masked(&frag, 0, 0);
        }
        match_set_nw_frag_masked(&frag, FLOW_NW_FRAG_ANY, FLOW_NW_FRAG_ANY);
        match_set_ct_state_masked(&frag, CS_TRACKED, CS_TRACKED | CS_INVALID);
        match_set_ct_nw_proto(&frag, IPPROTO_UDP);
        match_set_ct_tp_dst(&frag, port);
        ofpbuf_put(acts, acts_->data, acts_->size);
        flows_add_flow(c->sf, c->t, SERVICE_CHOOSE, priority, &frag, acts);

        if (c->fragments) {
            match_set_nw_frag_masked(&frag, FLOW_NW_FRAG_MASK,
                                     FLOW_NW_FRAG_MASK);
            match_set_ct_tp_dst(&frag, 0);
            ofpbuf_put(acts, acts_->data, acts_->size);
            flows_add_flow(c->sf, c->t, SERVICE_CHOOSE, priority, &frag, acts);
        }
    }
    ofpbuf_delete(acts);
}

static void
add_verdict(struct port_context *c, int priority, const struct match *match,
            const struct service_set *set, enum masquerade masq)
{
    uint64_t stub[256 / 8];
    struct ofpbuf acts = OFPBUF_STUB_INITIALIZER(stub);

    if (flows_leave_out(c->sf)) {
        return;                 /* It needs no group. */
    }
    put_verdict(c, set, masq, &acts);
    add_choice(c, priority, match, &acts);
    ofpbuf_uninit(&acts);
}

static void
match_port(struct match *match, const struct port_context *c,
           const struct kube_cidr *dst, uint16_t port)
{
    match_init_catchall(match);
    flows_match_dst(match, dst);
    match_set_nw_proto(match, c->port->protocol);
    match_set_tp_dst(match, htons(port));
}

/* Matches bit 'bit' of our register, besides what 'match' matches of it. */
static void
match_bit(struct match *match, const struct port_context *c, unsigned int bit)
{
    unsigned int reg = c->t->reg;

    match_set_reg_masked(match, reg, match->flow.regs[reg] | 1u << bit,
                         match->wc.masks.regs[reg] | 1u << bit);
}

/* Adds a flow that hands packets from clients outside over to a node. */
static void
add_nodes(struct port_context *c, const struct match *match)
{
    uint64_t stub[256 / 8];
    struct ofpbuf acts = OFPBUF_STUB_INITIALIZER(stub);
    uint32_t id;

    if (flows_leave_out(c->sf)) {
        return;                 /* It needs no group. */
    }
    if (service_groups_get_nodes(&c->groups, &id)) {
        flows_put_reg(&acts, c->t, 1u << REG_CHOSEN, 1u << REG_CHOSEN);
        ofpact_put_GROUP(&acts)->group_id = id;
    }
    add_choice(c, PRIO_PORT, match, &acts);
    ofpbuf_uninit(&acts);
}

/* Adds a flow for packets from clients outside that were handed over to our
 * node. */
static void
add_handed(struct port_context *c, const struct match *match_)
{
    uint64_t stub[256 / 8];
    struct ofpbuf acts = OFPBUF_STUB_INITIALIZER(stub);
    const struct service_set *here = &c->port->here;
    struct match match = *match_;

    if (flows_leave_out(c->sf)) {
        return;                 /* It needs no group. */
    }
    if (here->verdict == SERVICE_FORWARD) {
        flows_put_reg(&acts, c->t, 1u << REG_DIRECT, 1u << REG_DIRECT);
        put_verdict(c, here, MASQ_NEVER, &acts);
    }
    flows_match_handed(&match);
    match_set_reg_masked(&match, c->t->reg, match.flow.regs[c->t->reg],
                         match.wc.masks.regs[c->t->reg] | 1u << REG_NEAR);
    add_choice(c, PRIO_HANDED_PORT, &match, &acts);
    ofpbuf_uninit(&acts);
}

/* Adds flows for packets to a node port, external address or load balancer's
 * address (rules 6 and 7). */
static void
add_external(struct port_context *c, const struct match *match)
{
    if (c->port->external_local) {
        struct match internal = *match;

        match_bit(&internal, c, REG_INTERNAL);
        add_verdict(c, PRIO_PORT_INTERNAL, &internal, &c->port->cluster,
                    MASQ_OUTSIDE);
        add_verdict(c, PRIO_PORT, match, &c->port->external, MASQ_NEVER);
    } else {
        add_verdict(c, PRIO_PORT, match, &c->port->external, MASQ_ALWAYS);
    }
}

/* Adds the flows of add_external(), with direct return if the Service has
 * it. */
static void
add_external_or_direct(struct port_context *c, const struct match *match)
{
    struct match near = *match;

    if (!c->port->direct) {
        add_external(c, match);
        return;
    }
    match_bit(&near, c, REG_NEAR);
    add_verdict(c, PRIO_PORT_INTERNAL, &near, &c->port->external, MASQ_ALWAYS);
    if (c->t->maglev && ipv6_addr_is_set(&c->t->end)) {
        add_nodes(c, match);
    } else {
        add_verdict(c, PRIO_PORT, match, &c->port->external, MASQ_ALWAYS);
    }
    add_handed(c, match);
}

/* Claims 'port' of 'cidr' and, for UDP, the fragments that go by address. */
static bool
claim(struct port_context *c, const struct kube_cidr *cidr, uint16_t port)
{
    uint8_t protocol = c->port->protocol;
    bool ok = c->class->claim(cidr, protocol, port, c->aux);

    c->fragments = (ok && protocol == IPPROTO_UDP
                    && c->class->claim(cidr, protocol, 0, c->aux));
    return ok;
}

static bool
same_family(const struct port_context *c, const struct in6_addr *addr)
{
    return is_ipv6(addr) == c->port->ipv6;
}

static void
add_cluster_ip(struct port_context *c, const struct in6_addr *addr)
{
    struct kube_cidr cidr = host_cidr(addr);
    struct match match;

    if (claim(c, &cidr, c->port->port)) {
        match_port(&match, c, &cidr, c->port->port);
        add_verdict(c, PRIO_PORT, &match, &c->port->internal, MASQ_OUTSIDE);
    }
    /* All other ports of the address (rule 12). */
    if (c->class->claim(&cidr, 0, 0, c->aux)) {
        uint64_t stub[64 / 8];
        struct ofpbuf acts = OFPBUF_STUB_INITIALIZER(stub);

        match_init_catchall(&match);
        flows_match_dst(&match, &cidr);
        flows_put_reject(&acts, c->t);
        flows_add_flow(c->sf, c->t, SERVICE_CHOOSE, PRIO_KNOWN, &match, &acts);
        ofpbuf_uninit(&acts);
    }
}

/* Marks packets to the load balancer's address 'cidr' from the sources that
 * may use it, for all ports of the Service.  Returns false if another Service
 * has the same address: its sources may be others. */
static bool
guard(struct port_context *c, const struct kube_cidr *cidr)
{
    struct service_flows *sf = c->sf;

    for (size_t i = 0; i < sf->n_guarded; i++) {
        if (kube_cidr_equals(&sf->guarded[i], cidr)) {
            return true;
        }
    }
    if (!c->class->claim(cidr, CLAIM_SOURCES, 0, c->aux)) {
        return false;
    }
    sf->guarded = xrealloc(sf->guarded,
                           (sf->n_guarded + 1) * sizeof *sf->guarded);
    sf->guarded[sf->n_guarded++] = *cidr;
    for (size_t i = 0; i < c->port->n_sources; i++) {
        struct match match;

        match_init_catchall(&match);
        flows_match_dst(&match, cidr);
        flows_match_src(&match, &c->port->sources[i]);
        flows_add_source(sf, c->t, PRIO_KNOWN, &match, 1u << REG_ALLOWED);
    }
    return true;
}

static void
add_lb_ip(struct port_context *c, const struct in6_addr *addr)
{
    const struct service_port *p = c->port;
    struct kube_cidr cidr = host_cidr(addr);
    struct match match;

    if (!claim(c, &cidr, p->port)) {
        return;
    }
    match_port(&match, c, &cidr, p->port);
    if (!p->sources_restricted) {
        add_external_or_direct(c, &match);
        return;
    }

    struct ofpbuf none;

    ofpbuf_init(&none, 0);
    add_choice(c, PRIO_RESTRICTED, &match, &none);
    ofpbuf_uninit(&none);
    if (p->n_sources && guard(c, &cidr)) {
        match_bit(&match, c, REG_ALLOWED);
        add_external_or_direct(c, &match);
        return;
    }
    for (size_t i = 0; i < p->n_sources; i++) {
        match_port(&match, c, &cidr, p->port);
        flows_match_src(&match, &p->sources[i]);
        add_external_or_direct(c, &match);
    }
}

/* Adds flows for the node port: with direct return, at the addresses that
 * other nodes know of ours, and at theirs for what they hand over. */
static void
add_node_ports(struct port_context *c)
{
    uint16_t port = c->port->node_port;
    struct kube_cidr all = { .addr = in6addr_any };
    struct match match;

    for (size_t i = 0; i < c->t->n_nodeports; i++) {
        const struct in6_addr *addr = &c->t->nodeports[i];
        struct kube_cidr cidr = host_cidr(addr);

        if (!same_family(c, addr) || !claim(c, &cidr, port)) {
            continue;
        }
        match_port(&match, c, &cidr, port);
        if (ipv6_addr_equals(addr, &c->t->node4)
            || ipv6_addr_equals(addr, &c->t->node6)) {
            add_external_or_direct(c, &match);
        } else {
            add_external(c, &match);
        }
    }
    if (!c->port->ipv6) {
        in6_addr_set_mapped_ipv4(&all.addr, 0);
    }
    if (c->port->direct && claim(c, &all, port)) {
        match_port(&match, c, &all, port);
        match_bit(&match, c, REG_AT_NODE);
        c->fragments = false;   /* They would be of all addresses. */
        add_handed(c, &match);
    }
}

/* Adds the flows and groups of 'port'. */
void
service_flows_add_port(struct service_flows *sf,
                       const struct service_tables *t,
                       const struct service_port *port,
                       const struct service_flows_class *class, void *aux)
{
    struct port_context c = {
        .sf = sf, .t = t, .port = port, .class = class, .aux = aux,
        .groups = {
            .sf = sf, .t = t, .port = port, .class = class, .aux = aux,
        },
    };
    struct match match;

    for (size_t i = 0; i < port->n_cluster_ips; i++) {
        add_cluster_ip(&c, &port->cluster_ips[i]);
    }
    for (size_t i = 0; i < port->n_external_ips; i++) {
        struct kube_cidr cidr = host_cidr(&port->external_ips[i]);

        if (claim(&c, &cidr, port->port)) {
            match_port(&match, &c, &cidr, port->port);
            add_external_or_direct(&c, &match);
        }
    }
    for (size_t i = 0; i < port->n_lb_ips; i++) {
        add_lb_ip(&c, &port->lb_ips[i]);
    }
    if (port->node_port) {
        add_node_ports(&c);
    }
}
