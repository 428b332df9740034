/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "service-flows.h"

#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/match.h"
#include "openvswitch/meta-flow.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofp-flow.h"
#include "openvswitch/ofp-group.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "service-terms.h"
#include "util.h"

/* Seconds of silence after which a connection goes to the node that a new one
 * would.  That is the same unless nodes have come or gone. */
#define NODE_TIMEOUT 3600

void
service_flows_init(struct service_flows *sf)
{
    memset(sf, 0, sizeof *sf);
}

/* Frees the arrays of 'sf', with their elements.  of_sync_replace() takes the
 * elements over: after it, 'n_flows' and 'n_groups' must be set to 0. */
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
    free(sf->guarded);
}

/* Returns true if no flow can be added any more, and counts the one that is
 * left out. */
bool
flows_leave_out(struct service_flows *sf)
{
    if (sf->n_flows < SERVICE_MAX_FLOWS) {
        return false;
    }
    sf->n_left_out++;
    return true;
}

/* Adds a flow with the actions 'acts', unless there are SERVICE_MAX_FLOWS.
 * Empties 'acts'. */
void
flows_add_flow(struct service_flows *sf, const struct service_tables *t,
               enum service_table table, int priority,
               const struct match *match, struct ofpbuf *acts)
{
    struct ofputil_flow_mod *fm;
    struct match full;

    if (flows_leave_out(sf)) {
        ofpbuf_clear(acts);
        return;
    }
    if (sf->n_flows >= sf->allocated_flows) {
        sf->flows = x2nrealloc(sf->flows, &sf->allocated_flows,
                               sizeof *sf->flows);
    }
    fm = &sf->flows[sf->n_flows++];
    *fm = (struct ofputil_flow_mod) {
        .priority = priority,
        .new_cookie = t->cookie,
        .table_id = flows_table_id(t, table),
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

void
flows_add_goto(struct service_flows *sf, const struct service_tables *t,
               enum service_table table, int priority,
               const struct match *match, enum service_table next)
{
    uint64_t stub[64 / 8];
    struct ofpbuf acts = OFPBUF_STUB_INITIALIZER(stub);

    flows_put_goto(&acts, t, next);
    flows_add_flow(sf, t, table, priority, match, &acts);
    ofpbuf_uninit(&acts);
}

/* Adds a flow for packets of connections that are not known: sets our register
 * to 'bits', of REG_*, and goes on in SERVICE_SOURCE. */
void
flows_add_source(struct service_flows *sf, const struct service_tables *t,
                 int priority, const struct match *match, uint32_t bits)
{
    uint64_t stub[128 / 8];
    struct ofpbuf acts = OFPBUF_STUB_INITIALIZER(stub);

    flows_put_reg(&acts, t, bits, UINT32_MAX);
    flows_put_goto(&acts, t, SERVICE_SOURCE);
    flows_add_flow(sf, t, SERVICE_KNOWN, priority, match, &acts);
    ofpbuf_uninit(&acts);
}

void
flows_add_drop(struct service_flows *sf, const struct service_tables *t,
               enum service_table table, int priority,
               const struct match *match)
{
    struct ofpbuf none;

    ofpbuf_init(&none, 0);
    flows_add_flow(sf, t, table, priority, match, &none);
    ofpbuf_uninit(&none);
}

/* Has the group of 'props' choose, at 'stage', for 'port'.  'timeout', in
 * seconds, is for how long it remembers flows; 0: not. */
static void
set_method(struct ofputil_group_props *props, const struct service_tables *t,
           const struct service_port *port, uint8_t stage, uint32_t timeout)
{
    const char *method = (t->maglev ? "maglev"
                          : port->affinity_timeout ? "hash" : "dp_hash");

    ovs_strlcpy(props->selection_method, method,
                sizeof props->selection_method);
    if (t->maglev) {
        props->selection_method_param =
            ((uint64_t) stage << 56
             | (uint64_t) timeout << 32 | t->seed);
    }
    if (port->affinity_timeout) {
        union mf_value mask;

        memset(&mask, 0xff, sizeof mask);
        field_array_set(port->ipv6 ? MFF_IPV6_SRC : MFF_IPV4_SRC, &mask,
                        &props->fields);
    }
}

/* Makes room for another group.  A group contains the head of a list, so the
 * list must be told that it moves. */
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

static struct ofputil_group_mod *
add_group(struct service_flows *sf, enum ofp11_group_type type,
          uint32_t group_id)
{
    struct ofputil_group_mod *gm;

    if (sf->n_groups >= sf->allocated_groups) {
        grow_groups(sf);
    }
    gm = &sf->groups[sf->n_groups++];
    memset(gm, 0, sizeof *gm);
    gm->command = OFPGC11_ADD;
    gm->type = type;
    gm->group_id = group_id;
    gm->command_bucket_id = OFPG15_BUCKET_ALL;
    ovs_list_init(&gm->buckets);
    return gm;
}

/* Adds a bucket of 'weight', which is 0 unless the group chooses, with the
 * actions 'acts', which it takes over. */
static void
add_bucket(struct ofputil_group_mod *gm, uint32_t id, uint16_t weight,
           struct ofpbuf *acts)
{
    struct ofputil_bucket *bucket = xzalloc(sizeof *bucket);

    bucket->weight = weight;
    bucket->watch_port = OFPP_ANY;
    bucket->watch_group = OFPG_ANY;
    bucket->bucket_id = id;     /* of-sync chooses another one. */
    bucket->ofpacts_len = acts->size;
    bucket->ofpacts = ofpbuf_steal_data(acts);
    ovs_list_push_back(&gm->buckets, &bucket->list_node);
}

static void
put_endpoint(struct ofpbuf *acts, const struct service_tables *t,
             const struct service_endpoint *ep)
{
    if (ep->reject) {
        /* A bucket's "controller" would drop: the switch finds the meter of
         * flows only. */
        flows_put_reg(acts, t, 1u << REG_REJECT, 1u << REG_REJECT);
        flows_put_goto(acts, t, SERVICE_TRANSLATED);
    } else {
        flows_put_ct_nat(acts, t, t->zone, SERVICE_TRANSLATED, NX_NAT_F_DST,
                         &ep->addr, ep->port, 0);
    }
}

/* The inverse of put_endpoint(): stores the endpoint to which 'bucket', one of
 * ours, translates in '*addr', IPv4 as v4-mapped, and in '*port', in host byte
 * order.  Returns false if it does not translate. */
bool
flows_find_endpoint(const struct ofputil_bucket *bucket, struct in6_addr *addr,
                    uint16_t *port)
{
    const struct ofpact *a;

    OFPACT_FOR_EACH_FLATTENED (a, bucket->ofpacts, bucket->ofpacts_len) {
        const struct ofpact_nat *nat;

        if (a->type != OFPACT_NAT) {
            continue;
        }
        nat = ofpact_get_NAT(a);
        if (nat->flags & NX_NAT_F_DST && nat->range_af != AF_UNSPEC) {
            *addr = (nat->range_af == AF_INET6 ? nat->range.addr.ipv6.min
                     : in6_addr_mapped_ipv4(nat->range.addr.ipv4.min));
            *port = nat->range.proto.min;
            return true;
        }
    }
    return false;
}

/* The inverse of flows_put_node(): stores the address of the node that
 * 'bucket', one of ours, chooses in '*addr'.  Returns false if it chooses
 * none. */
bool
flows_find_node(const struct ofputil_bucket *bucket, struct in6_addr *addr)
{
    const struct ofpact *a;

    OFPACT_FOR_EACH (a, bucket->ofpacts, bucket->ofpacts_len) {
        if (a->type == OFPACT_SET_FIELD) {
            const struct ofpact_set_field *sf = ofpact_get_SET_FIELD(a);

            if (sf->field->id == MFF_TUN_IPV6_DST) {
                *addr = sf->value->ipv6;
                return true;
            } else if (sf->field->id == MFF_TUN_DST) {
                *addr = in6_addr_mapped_ipv4(sf->value->be32);
                return true;
            }
        }
    }
    return false;
}

/* Returns true if 'bucket', one of ours, rejects packets. */
bool
flows_rejects(const struct ofputil_bucket *bucket)
{
    struct in6_addr node;
    const struct ofpact *a;

    OFPACT_FOR_EACH (a, bucket->ofpacts, bucket->ofpacts_len) {
        if (a->type == OFPACT_RESUBMIT) {
            return !flows_find_node(bucket, &node);
        }
    }
    return false;
}
/* Stores the group to which 'bucket', one of ours, leads in '*group_id'.
 * Returns false if it leads to none. */
bool
flows_find_group(const struct ofputil_bucket *bucket, uint32_t *group_id)
{
    const struct ofpact *a;

    OFPACT_FOR_EACH (a, bucket->ofpacts, bucket->ofpacts_len) {
        if (a->type == OFPACT_GROUP) {
            *group_id = ofpact_get_GROUP(a)->group_id;
            return true;
        }
    }
    return false;
}

/* Adds a group of 'port' that chooses one of the 'n' members in 'members'.
 * Groups that a packet meets one after the other need different stages. */
void
flows_add_group(struct service_flows *sf, const struct service_tables *t,
                const struct service_port *port, uint8_t stage,
                uint32_t group_id, const struct flows_member *members,
                size_t n)
{
    struct ofputil_group_mod *gm = add_group(sf, OFPGT11_SELECT, group_id);

    set_method(&gm->props, t, port, stage, port->affinity_timeout);
    for (size_t i = 0; i < n; i++) {
        struct ofpbuf acts;

        ofpbuf_init(&acts, 128);
        if (members[i].endpoint) {
            put_endpoint(&acts, t, members[i].endpoint);
        } else {
            ofpact_put_GROUP(&acts)->group_id = members[i].group_id;
        }
        add_bucket(gm, i, members[i].weight, &acts);
    }
}

/* Adds a group that translates to the endpoint 'ep'. */
void
flows_add_endpoint(struct service_flows *sf, const struct service_tables *t,
                   const struct service_endpoint *ep, uint32_t group_id)
{
    struct ofputil_group_mod *gm = add_group(sf, OFPGT11_INDIRECT, group_id);
    struct ofpbuf acts;

    ofpbuf_init(&acts, 128);
    put_endpoint(&acts, t, ep);
    add_bucket(gm, 0, 0, &acts);
}

/* Appends the group that 'gm' adds, in the syntax of ovs-ofctl. */
void
flows_format_group(const struct ofputil_group_mod *gm, struct ds *s)
{
    struct ds group = DS_EMPTY_INITIALIZER;

    ofputil_group_mod_format__(&group, OFP15_VERSION, gm, NULL, NULL);
    ds_put_cstr(s, ds_cstr(&group) + strspn(ds_cstr(&group), "\n AD"));
    ds_destroy(&group);
}

/* Adds a group that chooses one of the nodes of 'port'.  No connection tracker
 * holds a connection to its node, so the group remembers it. */
void
flows_add_nodes(struct service_flows *sf, const struct service_tables *t,
                const struct service_port *port, uint8_t stage,
                uint32_t group_id)
{
    struct ofputil_group_mod *gm = add_group(sf, OFPGT11_SELECT, group_id);

    set_method(&gm->props, t, port, stage,
               port->affinity_timeout ? port->affinity_timeout
               : NODE_TIMEOUT);
    for (size_t i = 0; i < port->n_nodes; i++) {
        struct ofpbuf acts;

        ofpbuf_init(&acts, 128);
        flows_put_node(&acts, t, &port->nodes[i].addr);
        add_bucket(gm, i, port->nodes[i].weight, &acts);
    }
}
