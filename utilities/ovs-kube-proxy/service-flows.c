/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "service-flows.h"

#include <stdlib.h>
#include <string.h>

#include "openvswitch/match.h"
#include "openvswitch/meta-flow.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofp-flow.h"
#include "openvswitch/ofp-group.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "util.h"

/* Bits of the register. */
#define REG_OUTSIDE 0           /* The source is no pod. */
#define REG_INTERNAL 1          /* It is a pod or this node. */
#define REG_MASQ 2              /* To be masqueraded. */

/* Priorities, of all tables. */
enum {
    PRIO_DEFAULT = 0,
    PRIO_FAMILY = 10,
    PRIO_UNALLOCATED = 50,      /* Addresses in the Services' range. */
    PRIO_KNOWN = 100,           /* Known addresses; pods; connections. */
    PRIO_SPECIAL = 200,
    PRIO_FIRST = 300,
    PRIO_RESTRICTED = 400,      /* Load balancers': nobody ... */
    PRIO_PORT = 500,            /* ... but these, and other addresses' ports. */
    PRIO_PORT_INTERNAL = 510,   /* The same, by pods and this node. */
};

void
service_flows_init(struct service_flows *sf)
{
    memset(sf, 0, sizeof *sf);
}

/* Frees what of_sync_replace() did not take over: with 'n_flows' and
 * 'n_groups' set to 0, the arrays alone. */
void
service_flows_destroy(struct service_flows *sf)
{
    for (size_t i = 0; i < sf->n_flows; i++) {
        minimatch_destroy(&sf->flows[i].match);
        free(sf->flows[i].ofpacts);
    }
    for (size_t i = 0; i < sf->n_groups; i++) {
        ofputil_uninit_group_mod(&sf->groups[i]);
    }
    free(sf->flows);
    free(sf->groups);
}

bool
service_set_equals(const struct service_set *a, const struct service_set *b)
{
    if (a->verdict != b->verdict || a->n != b->n) {
        return false;
    }
    for (size_t i = 0; i < a->n; i++) {
        if (!ipv6_addr_equals(&a->endpoints[i].addr, &b->endpoints[i].addr)
            || a->endpoints[i].port != b->endpoints[i].port) {
            return false;
        }
    }
    return true;
}

/* Matches. */

static void
match_family(struct match *match, bool ipv6)
{
    match_set_dl_type(match, htons(ipv6 ? ETH_TYPE_IPV6 : ETH_TYPE_IP));
}

static void
match_init_family(struct match *match, bool ipv6)
{
    match_init_catchall(match);
    match_family(match, ipv6);
}

static bool
is_ipv6(const struct in6_addr *addr)
{
    return !IN6_IS_ADDR_V4MAPPED(addr);
}

static struct service_cidr
host_cidr(const struct in6_addr *addr)
{
    return (struct service_cidr) {
        .addr = *addr,
        .plen = is_ipv6(addr) ? 128 : 32,
    };
}

/* Also sets the family. */
static void
match_dst(struct match *match, const struct service_cidr *cidr)
{
    bool ipv6 = is_ipv6(&cidr->addr);

    match_family(match, ipv6);
    if (ipv6) {
        struct in6_addr mask = ipv6_create_mask(cidr->plen);

        match_set_ipv6_dst_masked(match, &cidr->addr, &mask);
    } else {
        match_set_nw_dst_masked(match, in6_addr_get_mapped_ipv4(&cidr->addr),
                                be32_prefix_mask(cidr->plen));
    }
}

static void
match_src(struct match *match, const struct service_cidr *cidr)
{
    bool ipv6 = is_ipv6(&cidr->addr);

    match_family(match, ipv6);
    if (ipv6) {
        struct in6_addr mask = ipv6_create_mask(cidr->plen);

        match_set_ipv6_src_masked(match, &cidr->addr, &mask);
    } else {
        match_set_nw_src_masked(match, in6_addr_get_mapped_ipv4(&cidr->addr),
                                be32_prefix_mask(cidr->plen));
    }
}

/* Actions. */

static uint8_t
table_id(const struct service_tables *t, enum service_table table)
{
    return t->first + table;
}

static void
put_resubmit(struct ofpbuf *acts, uint8_t table)
{
    struct ofpact_resubmit *resubmit = ofpact_put_RESUBMIT(acts);

    resubmit->in_port = OFPP_IN_PORT;
    resubmit->table_id = table;
}

static void
put_goto(struct ofpbuf *acts, const struct service_tables *t,
         enum service_table table)
{
    put_resubmit(acts, table_id(t, table));
}

/* Sets the bits 'mask' of 'field', which has 32, to 'value'.  With a value,
 * ofpact_put_set_field() would leave padding as it is, and actions that are the
 * same would not look so to memcmp(). */
static void
put_set(struct ofpbuf *acts, enum mf_field_id field, uint32_t value,
        uint32_t mask)
{
    struct ofpact_set_field *sf = ofpact_put_set_field(
        acts, mf_from_id(field), NULL, NULL);

    sf->value->be32 = htonl(value);
    ofpact_set_field_mask(sf)->be32 = htonl(mask);
}

/* Sets the bits 'mask' of our register to 'value'. */
static void
put_reg(struct ofpbuf *acts, const struct service_tables *t, uint32_t value,
        uint32_t mask)
{
    put_set(acts, MFF_REG0 + t->reg, value, mask);
}

/* Copies a bit of our register to bit 'to' of 'field'. */
static void
put_move_bit(struct ofpbuf *acts, const struct service_tables *t,
             unsigned int from, enum mf_field_id field, unsigned int to)
{
    struct ofpact_reg_move *move = ofpact_put_REG_MOVE(acts);

    move->src = (struct mf_subfield) {
        .field = mf_from_id(MFF_REG0 + t->reg), .ofs = from, .n_bits = 1,
    };
    move->dst = (struct mf_subfield) {
        .field = mf_from_id(field), .ofs = to, .n_bits = 1,
    };
}

/* Appends ct(...,nat(...),table='table').  With 'addr', the connection is
 * committed and gets this address in direction 'flags' (NX_NAT_F_SRC or _DST),
 * and a port from 'min' to 'max'. */
static void
put_ct_nat(struct ofpbuf *acts, const struct service_tables *t, uint16_t zone,
           enum service_table table, uint16_t flags,
           const struct in6_addr *addr, uint16_t min, uint16_t max)
{
    size_t ofs = acts->size;
    struct ofpact_conntrack *ct;
    struct ofpact_nat *nat;

    ofpbuf_pull(acts, ofs);
    ct = ofpact_put_CT(acts);
    ct->flags = addr ? NX_CT_F_COMMIT : 0;
    ct->zone_src.field = NULL;
    ct->zone_imm = zone;
    ct->recirc_table = table_id(t, table);
    ct->alg = 0;

    nat = ofpact_put_NAT(acts);
    nat->flags = flags;
    nat->range_af = AF_UNSPEC;
    if (addr && is_ipv6(addr)) {
        nat->range_af = AF_INET6;
        nat->range.addr.ipv6.min = *addr;
    } else if (addr) {
        nat->range_af = AF_INET;
        nat->range.addr.ipv4.min = in6_addr_get_mapped_ipv4(addr);
    }
    if (addr) {
        nat->range.proto.min = min;
        nat->range.proto.max = max > min ? max : 0;
    }
    if (flags & NX_NAT_F_DST) {
        put_set(acts, MFF_CT_MARK, SERVICE_MARK_OURS, SERVICE_MARK_OURS);
        put_move_bit(acts, t, REG_MASQ, MFF_CT_MARK, 1);
    }
    ct = acts->header = acts->data;
    ofpact_finish_CT(acts, &ct);
    ofpbuf_push_uninit(acts, ofs);
}

static void
put_masquerade(struct ofpbuf *acts, const struct service_tables *t, bool ipv6)
{
    put_ct_nat(acts, t, t->zone + 1, SERVICE_LEAVE, NX_NAT_F_SRC,
               ipv6 ? &t->masq6 : &t->masq4, t->masq_min, t->masq_max);
}

static void
put_reject(struct ofpbuf *acts, const struct service_tables *t)
{
    struct ofpact_controller *controller = ofpact_put_CONTROLLER(acts);

    controller->max_len = UINT16_MAX;
    controller->reason = OFPR_ACTION;
    controller->controller_id = t->controller_id;
    controller->meter_id = NX_CTLR_NO_METER;
    controller->provider_meter_id = UINT32_MAX;
    ofpact_finish_CONTROLLER(acts, &controller);
}

/* Flows and groups. */

/* Adds a flow.  Empties 'acts'. */
static void
add_flow(struct service_flows *sf, const struct service_tables *t,
         enum service_table table, int priority, const struct match *match,
         struct ofpbuf *acts)
{
    struct ofputil_flow_mod *fm;
    struct match full;

    if (sf->n_flows >= sf->allocated_flows) {
        sf->flows = x2nrealloc(sf->flows, &sf->allocated_flows,
                               sizeof *sf->flows);
    }
    fm = &sf->flows[sf->n_flows++];
    *fm = (struct ofputil_flow_mod) {
        .priority = priority,
        .new_cookie = t->cookie,
        .table_id = table_id(t, table),
        .command = OFPFC_ADD,
        .buffer_id = UINT32_MAX,
        .out_port = OFPP_ANY,
        .out_group = OFPG_ANY,
        .ofpacts = xmemdup(acts->data, acts->size),
        .ofpacts_len = acts->size,
    };
    full = *match;
    match_set_default_packet_type(&full);
    minimatch_init(&fm->match, &full);
    ofpbuf_clear(acts);
}

static void
set_method(struct ofputil_group_props *props, const struct service_tables *t,
           const struct service_port *port)
{
    const char *method = (t->maglev ? "maglev"
                          : port->affinity_timeout ? "hash" : "dp_hash");

    ovs_strlcpy(props->selection_method, method,
                sizeof props->selection_method);
    if (port->affinity_timeout) {
        union mf_value mask;

        memset(&mask, 0xff, sizeof mask);
        field_array_set(port->ipv6 ? MFF_IPV6_SRC : MFF_IPV4_SRC, &mask,
                        &props->fields);
        if (t->maglev) {
            props->selection_method_param =
                (uint64_t) port->affinity_timeout << 32;
        }
    }
}

/* Makes room for another group.  Groups hold the heads of lists, which must be
 * told that they move. */
static void
grow_groups(struct service_flows *sf)
{
    size_t allocated = MAX(2 * sf->allocated_groups, 4);
    struct ofputil_group_mod *groups = xmalloc(allocated * sizeof *groups);

    for (size_t i = 0; i < sf->n_groups; i++) {
        groups[i] = sf->groups[i];
        ovs_list_moved(&groups[i].buckets, &sf->groups[i].buckets);
    }
    free(sf->groups);
    sf->groups = groups;
    sf->allocated_groups = allocated;
}

static void
add_group(struct service_flows *sf, const struct service_tables *t,
          const struct service_port *port, const struct service_set *set,
          uint32_t group_id)
{
    struct ofputil_group_mod *gm;

    if (sf->n_groups >= sf->allocated_groups) {
        grow_groups(sf);
    }
    gm = &sf->groups[sf->n_groups++];
    memset(gm, 0, sizeof *gm);
    gm->command = OFPGC11_ADD;
    gm->type = OFPGT11_SELECT;
    gm->group_id = group_id;
    gm->command_bucket_id = OFPG15_BUCKET_ALL;
    set_method(&gm->props, t, port);
    ovs_list_init(&gm->buckets);
    for (size_t i = 0; i < set->n; i++) {
        const struct service_endpoint *ep = &set->endpoints[i];
        struct ofputil_bucket *bucket = xzalloc(sizeof *bucket);
        struct ofpbuf acts;

        ofpbuf_init(&acts, 128);
        put_ct_nat(&acts, t, t->zone, SERVICE_TRANSLATED, NX_NAT_F_DST,
                   &ep->addr, ep->port, 0);
        bucket->weight = 100;
        bucket->watch_port = OFPP_ANY;
        bucket->watch_group = OFPG_ANY;
        bucket->bucket_id = i;   /* of-sync gives others. */
        bucket->ofpacts_len = acts.size;
        bucket->ofpacts = ofpbuf_steal_data(&acts);
        ovs_list_push_back(&gm->buckets, &bucket->list_node);
    }
}

/* The same for all Services. */

static void
add_goto(struct service_flows *sf, const struct service_tables *t,
         enum service_table table, int priority, const struct match *match,
         enum service_table next)
{
    uint64_t stub[64 / 8];
    struct ofpbuf acts = OFPBUF_STUB_INITIALIZER(stub);

    put_goto(&acts, t, next);
    add_flow(sf, t, table, priority, match, &acts);
    ofpbuf_uninit(&acts);
}

static void
add_track(struct service_flows *sf, const struct service_tables *t,
          enum service_table table, int priority, const struct match *match,
          uint16_t zone, enum service_table next)
{
    uint64_t stub[128 / 8];
    struct ofpbuf acts = OFPBUF_STUB_INITIALIZER(stub);

    put_ct_nat(&acts, t, zone, next, 0, NULL, 0, 0);
    add_flow(sf, t, table, priority, match, &acts);
    ofpbuf_uninit(&acts);
}

/* Answers to masqueraded packets come to 'addr', to a port from 'masq_min' to
 * 'masq_max', which becomes prefixes; or they are ICMP errors, or fragments
 * that show no port. */
static void
add_unmasquerade(struct service_flows *sf, const struct service_tables *t,
                 const struct in6_addr *addr)
{
    static const uint8_t protocols[] = {
        IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP,
    };
    struct service_cidr cidr = host_cidr(addr);
    struct match match;

    for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
        for (unsigned int port = t->masq_min; port <= t->masq_max; ) {
            unsigned int size = 1;

            while (size < 0x10000 && !(port & (2 * size - 1))
                   && port + 2 * size - 1 <= t->masq_max) {
                size *= 2;
            }
            match_init_catchall(&match);
            match_dst(&match, &cidr);
            match_set_nw_proto(&match, protocols[i]);
            match_set_tp_dst_masked(&match, htons(port), htons(-size));
            add_track(sf, t, SERVICE_ENTRY, PRIO_SPECIAL, &match,
                      t->zone + 1, SERVICE_TRACK);
            port += size;
        }
    }

    match_init_catchall(&match);
    match_dst(&match, &cidr);
    match_set_nw_proto(&match, is_ipv6(addr) ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
    add_track(sf, t, SERVICE_ENTRY, PRIO_SPECIAL, &match, t->zone + 1,
              SERVICE_TRACK);

    match_init_catchall(&match);
    match_dst(&match, &cidr);
    match_set_nw_frag_masked(&match, FLOW_NW_FRAG_ANY, FLOW_NW_FRAG_ANY);
    add_track(sf, t, SERVICE_ENTRY, PRIO_SPECIAL, &match, t->zone + 1,
              SERVICE_TRACK);
}

static void
add_entry(struct service_flows *sf, const struct service_tables *t)
{
    struct match match;

    /* Neighbour discovery is no connection. */
    for (unsigned int type = 133; type <= 137; type++) {
        match_init_family(&match, true);
        match_set_nw_proto(&match, IPPROTO_ICMPV6);
        match_set_icmp_type(&match, type);
        add_goto(sf, t, SERVICE_ENTRY, PRIO_FIRST, &match, SERVICE_LEAVE);
    }
    if (ipv6_addr_is_set(&t->masq4)) {
        add_unmasquerade(sf, t, &t->masq4);
    }
    if (ipv6_addr_is_set(&t->masq6)) {
        add_unmasquerade(sf, t, &t->masq6);
    }
    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        match_init_family(&match, ipv6);
        add_track(sf, t, SERVICE_ENTRY, PRIO_KNOWN, &match, t->zone,
                  SERVICE_KNOWN);
        add_track(sf, t, SERVICE_TRACK, PRIO_KNOWN, &match, t->zone,
                  SERVICE_KNOWN);
    }
    match_init_catchall(&match);
    add_goto(sf, t, SERVICE_ENTRY, PRIO_DEFAULT, &match, SERVICE_LEAVE);
}

static void
add_drop(struct service_flows *sf, const struct service_tables *t,
         enum service_table table, int priority, const struct match *match)
{
    struct ofpbuf none;

    ofpbuf_init(&none, 0);
    add_flow(sf, t, table, priority, match, &none);
    ofpbuf_uninit(&none);
}

static void
add_known(struct service_flows *sf, const struct service_tables *t,
          const struct service_cidr *services, size_t n_services)
{
    struct match match;

    match_init_catchall(&match);
    match_set_ct_mark_masked(&match, SERVICE_MARK_OURS, SERVICE_MARK_OURS);
    match_set_ct_state_masked(&match, CS_TRACKED | CS_REPLY_DIR,
                              CS_TRACKED | CS_REPLY_DIR);
    add_goto(sf, t, SERVICE_KNOWN, PRIO_FIRST + 1, &match, SERVICE_LEAVE);
    /* Not if it is "new", that is not answered: then ct(nat) may not have
     * translated it, and ct(commit,nat(...)), as for the first packet, does. */
    match_set_ct_state_masked(&match, CS_TRACKED,
                              CS_TRACKED | CS_REPLY_DIR | CS_NEW);
    add_goto(sf, t, SERVICE_KNOWN, PRIO_FIRST, &match, SERVICE_TRANSLATED);

    for (size_t i = 0; i < n_services; i++) {
        match_init_catchall(&match);
        match_set_ct_state_masked(&match, CS_TRACKED | CS_INVALID,
                                  CS_TRACKED | CS_INVALID);
        match_dst(&match, &services[i]);
        add_drop(sf, t, SERVICE_KNOWN, PRIO_SPECIAL + 1, &match);
    }
    match_init_catchall(&match);
    match_set_ct_state_masked(&match, CS_TRACKED | CS_INVALID,
                              CS_TRACKED | CS_INVALID);
    add_goto(sf, t, SERVICE_KNOWN, PRIO_SPECIAL, &match, SERVICE_LEAVE);
    match_init_catchall(&match);
    add_goto(sf, t, SERVICE_KNOWN, PRIO_DEFAULT, &match, SERVICE_SOURCE);
}

static void
add_source(struct service_flows *sf, const struct service_tables *t,
           int priority, const struct match *match, uint32_t bits)
{
    uint64_t stub[128 / 8];
    struct ofpbuf acts = OFPBUF_STUB_INITIALIZER(stub);

    put_reg(&acts, t, bits, UINT32_MAX);
    put_goto(&acts, t, SERVICE_CHOOSE);
    add_flow(sf, t, SERVICE_SOURCE, priority, match, &acts);
    ofpbuf_uninit(&acts);
}

static void
add_leave(struct service_flows *sf, const struct service_tables *t)
{
    uint64_t stub[128 / 8];
    struct ofpbuf acts = OFPBUF_STUB_INITIALIZER(stub);
    struct match match;

    match_init_catchall(&match);
    put_reg(&acts, t, 0, UINT32_MAX);
    if (t->next >= 0) {
        put_resubmit(&acts, t->next);
    } else {
        ofpact_put_OUTPUT(&acts)->port = OFPP_NORMAL;
    }
    add_flow(sf, t, SERVICE_LEAVE, PRIO_DEFAULT, &match, &acts);
    ofpbuf_uninit(&acts);
}

static void
add_masquerade(struct service_flows *sf, const struct service_tables *t,
               int priority, const struct match *match, bool ipv6)
{
    uint64_t stub[256 / 8];
    struct ofpbuf acts = OFPBUF_STUB_INITIALIZER(stub);

    put_masquerade(&acts, t, ipv6);
    add_flow(sf, t, SERVICE_TRANSLATED, priority, match, &acts);
    ofpbuf_uninit(&acts);
}

/* Adds what does not depend on any Service.  'services' are the ranges of
 * ClusterIPs, 'pods' those of pods, 'nodes' this node's addresses. */
void
service_flows_add_base(struct service_flows *sf,
                       const struct service_tables *t,
                       const struct service_cidr *services, size_t n_services,
                       const struct service_cidr *pods, size_t n_pods,
                       const struct in6_addr *nodes, size_t n_nodes)
{
    bool know_pods[2] = { false, false };
    struct match match;

    add_entry(sf, t);
    add_known(sf, t, services, n_services);

    for (size_t i = 0; i < n_pods; i++) {
        match_init_catchall(&match);
        match_src(&match, &pods[i]);
        add_source(sf, t, PRIO_KNOWN, &match, 1u << REG_INTERNAL);
        know_pods[is_ipv6(&pods[i].addr)] = true;
    }
    for (size_t i = 0; i < n_nodes; i++) {
        struct service_cidr cidr = host_cidr(&nodes[i]);

        match_init_catchall(&match);
        match_src(&match, &cidr);
        add_source(sf, t, PRIO_SPECIAL, &match,
                   (1u << REG_INTERNAL) | (1u << REG_OUTSIDE));
    }
    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        match_init_family(&match, ipv6);
        add_source(sf, t, PRIO_FAMILY, &match,
                   know_pods[ipv6] << REG_OUTSIDE);
    }

    for (size_t i = 0; i < n_services; i++) {
        match_init_catchall(&match);
        match_dst(&match, &services[i]);
        add_drop(sf, t, SERVICE_CHOOSE, PRIO_UNALLOCATED, &match);
    }
    /* Where ct(nat) does translate what is not answered. */
    match_init_catchall(&match);
    match_set_ct_mark_masked(&match, SERVICE_MARK_OURS, SERVICE_MARK_OURS);
    add_goto(sf, t, SERVICE_CHOOSE, PRIO_FAMILY, &match, SERVICE_TRANSLATED);
    match_init_catchall(&match);
    add_goto(sf, t, SERVICE_CHOOSE, PRIO_DEFAULT, &match, SERVICE_LEAVE);

    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        if (ipv6_addr_is_set(ipv6 ? &t->masq6 : &t->masq4)) {
            match_init_family(&match, ipv6);
            match_set_ct_mark_masked(&match, SERVICE_MARK_MASQ,
                                     SERVICE_MARK_MASQ);
            add_masquerade(sf, t, PRIO_KNOWN, &match, ipv6);
        }
    }
    match_init_catchall(&match);
    add_goto(sf, t, SERVICE_TRANSLATED, PRIO_DEFAULT, &match, SERVICE_LEAVE);
    add_leave(sf, t);
}

/* Adds the flow that masquerades what 'endpoint' sends to a Service and gets
 * back itself. */
void
service_flows_add_hairpin(struct service_flows *sf,
                          const struct service_tables *t,
                          const struct in6_addr *endpoint)
{
    struct service_cidr cidr = host_cidr(endpoint);
    bool ipv6 = is_ipv6(endpoint);
    struct match match;

    if (ipv6_addr_is_set(ipv6 ? &t->masq6 : &t->masq4)) {
        match_init_catchall(&match);
        match_src(&match, &cidr);
        match_dst(&match, &cidr);
        add_masquerade(sf, t, PRIO_SPECIAL, &match, ipv6);
    }
}

/* One port of a Service. */

struct port_context {
    struct service_flows *sf;
    const struct service_tables *t;
    const struct service_port *port;
    const struct service_flows_class *class;
    void *aux;

    /* Endpoint sets that have a group. */
    const struct service_set *sets[3];
    uint32_t ids[3];
    size_t n_sets;

    bool fragments;             /* See add_choice(). */
};

/* Whether packets are masqueraded. */
enum masquerade { MASQ_NEVER, MASQ_ALWAYS, MASQ_OUTSIDE };

/* Returns false if there are no more group ids.  Sets that are equal share a
 * group, and so what it remembers of clients (rule 8). */
static bool
get_group(struct port_context *c, const struct service_set *set, uint32_t *id)
{
    static const char *const protocols[] = {
        [IPPROTO_TCP] = "tcp", [IPPROTO_UDP] = "udp", [IPPROTO_SCTP] = "sctp",
    };
    const struct service_port *p = c->port;
    const struct service_set *cluster = &p->cluster;
    char *name;
    bool ok;

    for (size_t i = 0; i < c->n_sets; i++) {
        if (service_set_equals(c->sets[i], set)) {
            *id = c->ids[i];
            return true;
        }
    }
    name = xasprintf("%s/%s:%s/%d/ipv%d/%s", p->namespace_, p->name,
                     protocols[p->protocol], p->port, p->ipv6 ? 6 : 4,
                     service_set_equals(set, cluster) ? "cluster"
                     : set == &p->internal ? "internal" : "external");
    ok = c->class->group_id(name, id, c->aux);
    free(name);
    if (ok) {
        c->sets[c->n_sets] = set;
        c->ids[c->n_sets++] = *id;
        add_group(c->sf, c->t, p, set, *id);
    }
    return ok;
}

static void
put_verdict(struct port_context *c, const struct service_set *set,
            enum masquerade masq, struct ofpbuf *acts)
{
    uint32_t id;

    switch (set->verdict) {
    case SERVICE_REJECT:
        put_reject(acts, c->t);
        break;

    case SERVICE_FORWARD:
        if (get_group(c, set, &id)) {
            if (masq == MASQ_OUTSIDE) {
                put_move_bit(acts, c->t, REG_OUTSIDE, MFF_REG0 + c->t->reg,
                             REG_MASQ);
            } else if (masq == MASQ_ALWAYS) {
                put_reg(acts, c->t, 1u << REG_MASQ, 1u << REG_MASQ);
            }
            ofpact_put_GROUP(acts)->group_id = id;
        }
        break;

    case SERVICE_DROP:
    default:
        break;
    }
}

/* Adds a flow, and others for fragments of UDP.  Those have been together in
 * the connection tracker, which tells the port of the first one, but not of
 * the others unless they were left in one piece, as the kernel's does: they go
 * by address, and so only one port of an address has them.  All fragments must
 * reach the same bucket to be put together again. */
static void
add_choice(struct port_context *c, int priority, const struct match *match,
           const struct ofpbuf *acts_)
{
    struct ofpbuf *acts = ofpbuf_clone(acts_);

    add_flow(c->sf, c->t, SERVICE_CHOOSE, priority, match, acts);
    if (c->port->protocol == IPPROTO_UDP) {
        struct match frag = *match;
        ovs_be16 port = frag.flow.tp_dst;

        match_set_tp_dst_masked(&frag, 0, 0);
        match_set_nw_frag_masked(&frag, FLOW_NW_FRAG_ANY, FLOW_NW_FRAG_MASK);
        match_set_ct_state_masked(&frag, CS_TRACKED, CS_TRACKED | CS_INVALID);
        match_set_ct_nw_proto(&frag, IPPROTO_UDP);
        match_set_ct_tp_dst(&frag, port);
        ofpbuf_put(acts, acts_->data, acts_->size);
        add_flow(c->sf, c->t, SERVICE_CHOOSE, priority, &frag, acts);

        if (c->fragments) {
            match_set_nw_frag_masked(&frag, FLOW_NW_FRAG_MASK,
                                     FLOW_NW_FRAG_MASK);
            match_set_ct_tp_dst_masked(&frag, 0, 0);
            ofpbuf_put(acts, acts_->data, acts_->size);
            add_flow(c->sf, c->t, SERVICE_CHOOSE, priority, &frag, acts);
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

    put_verdict(c, set, masq, &acts);
    add_choice(c, priority, match, &acts);
    ofpbuf_uninit(&acts);
}

static void
match_port(struct match *match, const struct port_context *c,
           const struct service_cidr *dst, uint16_t port)
{
    match_init_catchall(match);
    match_dst(match, dst);
    match_set_nw_proto(match, c->port->protocol);
    match_set_tp_dst(match, htons(port));
}

/* What comes to 'dst' from outside, or to a node port, external or load
 * balancer's address from anywhere (rules 6 and 7). */
static void
add_external(struct port_context *c, const struct match *match)
{
    if (c->port->external_local) {
        struct match internal = *match;

        match_set_reg_masked(&internal, c->t->reg, 1u << REG_INTERNAL,
                             1u << REG_INTERNAL);
        add_verdict(c, PRIO_PORT_INTERNAL, &internal, &c->port->cluster,
                    MASQ_OUTSIDE);
        add_verdict(c, PRIO_PORT, match, &c->port->external, MASQ_NEVER);
    } else {
        add_verdict(c, PRIO_PORT, match, &c->port->external, MASQ_ALWAYS);
    }
}

/* Claims 'port' of 'cidr', and what add_choice() says of fragments. */
static bool
claim(struct port_context *c, const struct service_cidr *cidr, uint16_t port)
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
    struct service_cidr cidr = host_cidr(addr);
    struct match match;

    if (claim(c, &cidr, c->port->port)) {
        match_port(&match, c, &cidr, c->port->port);
        add_verdict(c, PRIO_PORT, &match, &c->port->internal, MASQ_OUTSIDE);
    }
    /* Other ports of the address (rule 12). */
    if (c->class->claim(&cidr, 0, 0, c->aux)) {
        uint64_t stub[64 / 8];
        struct ofpbuf acts = OFPBUF_STUB_INITIALIZER(stub);

        match_init_catchall(&match);
        match_dst(&match, &cidr);
        put_reject(&acts, c->t);
        add_flow(c->sf, c->t, SERVICE_CHOOSE, PRIO_KNOWN, &match, &acts);
        ofpbuf_uninit(&acts);
    }
}

static bool
cidr_equals(const struct service_cidr *a, const struct service_cidr *b)
{
    return a->plen == b->plen && ipv6_addr_equals(&a->addr, &b->addr);
}

static void
add_lb_ip(struct port_context *c, const struct in6_addr *addr)
{
    const struct service_port *p = c->port;
    struct service_cidr cidr = host_cidr(addr);
    struct match match;

    if (!claim(c, &cidr, p->port)) {
        return;
    }
    match_port(&match, c, &cidr, p->port);
    if (!p->sources_restricted && !p->n_sources) {
        add_external(c, &match);
        return;
    }

    struct ofpbuf none;

    ofpbuf_init(&none, 0);
    add_choice(c, PRIO_RESTRICTED, &match, &none);
    ofpbuf_uninit(&none);
    for (size_t i = 0; i < p->n_sources; i++) {
        bool again = false;

        for (size_t j = 0; j < i && !again; j++) {
            again = cidr_equals(&p->sources[i], &p->sources[j]);
        }
        if (!again && same_family(c, &p->sources[i].addr)) {
            match_port(&match, c, &cidr, p->port);
            match_src(&match, &p->sources[i]);
            add_external(c, &match);
        }
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
    };
    struct match match;

    for (size_t i = 0; i < port->n_cluster_ips; i++) {
        add_cluster_ip(&c, &port->cluster_ips[i]);
    }
    for (size_t i = 0; i < port->n_external_ips; i++) {
        struct service_cidr cidr = host_cidr(&port->external_ips[i]);

        if (claim(&c, &cidr, port->port)) {
            match_port(&match, &c, &cidr, port->port);
            add_external(&c, &match);
        }
    }
    for (size_t i = 0; i < port->n_lb_ips; i++) {
        add_lb_ip(&c, &port->lb_ips[i]);
    }
    for (size_t i = 0; port->node_port && i < t->n_nodeports; i++) {
        const struct service_cidr *cidr = &t->nodeports[i];

        if (same_family(&c, &cidr->addr)
            && claim(&c, cidr, port->node_port)) {
            match_port(&match, &c, cidr, port->node_port);
            add_external(&c, &match);
        }
    }
}
