/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "service-recall.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofp-group.h"
#include "packets.h"
#include "service-claims.h"
#include "service-explain.h"
#include "service-flows.h"
#include "service-groups.h"
#include "service-node.h"
#include "service-state.h"
#include "service-terms.h"
#include "util.h"
#include "utilities/kube/kube-cidr.h"
#include "utilities/kube/kube-node.h"
#include "utilities/of-sync/of-sync.h"
#include "utilities/ovs-kube-proxy/service/kube-store.h"
#include "utilities/ovs-kube-proxy/service/service-journal.h"
#include "utilities/ovs-kube-proxy/service/service-model.h"
#include "utilities/ovs-kube-proxy/service/service-time.h"

struct service_recall {
    struct service_connection c;
    long long int when;

    /* The Service. */
    char *key;                  /* Null: none had the address. */
    long long int from, until;
    bool since_begin;           /* The journal began at 'from'. */
    bool remembers;             /* With affinity by a timeout. */

    struct service_flows sf;    /* Its groups. */
    struct service_outcome outcome;     /* So far. */
    struct service_outcome tracked;     /* SERVICE_TRACKED, or not. */
};

/* The Service of that time. */

static bool
has_address(const struct in6_addr *addrs, size_t n,
            const struct in6_addr *addr)
{
    for (size_t i = 0; i < n; i++) {
        if (ipv6_addr_equals(&addrs[i], addr)) {
            return true;
        }
    }
    return false;
}

static bool
is_cluster_ip(const struct service_port *port,
              const struct service_connection *c)
{
    return (port->port == c->dport
            && has_address(port->cluster_ips, port->n_cluster_ips, &c->dst));
}

static bool
is_lb_ip(const struct service_port *port, const struct service_connection *c)
{
    return (port->port == c->dport
            && has_address(port->lb_ips, port->n_lb_ips, &c->dst));
}

/* Returns the port of 'service' that 'c' is sent to, or null. */
static const struct service_port *
find_port(const struct service_pipeline *p, const struct service *service,
          const struct service_connection *c)
{
    for (size_t i = 0; i < service->n; i++) {
        const struct service_port *port = &service->ports[i];

        if (port->protocol == c->protocol
            && (is_cluster_ip(port, c) || is_lb_ip(port, c)
                || (port->port == c->dport
                    && has_address(port->external_ips, port->n_external_ips,
                                   &c->dst))
                || (port->node_port == c->dport
                    && port->ipv6 == is_ipv6(&c->dst)
                    && has_address(p->t.nodeports, p->t.n_nodeports,
                                   &c->dst)))) {
            return port;
        }
    }
    return NULL;
}

/* Returns true if 'addr' is in one of the 'n' ranges. */
static bool
in_ranges(const struct in6_addr *addr, const struct kube_cidr *cidrs, size_t n)
{
    struct kube_cidr host = host_cidr(addr);

    for (size_t i = 0; i < n; i++) {
        if (kube_cidr_covers(&cidrs[i], &host)) {
            return true;
        }
    }
    return false;
}

/* Returns true if 'addr' is that of a pod or of our node, as SERVICE_SOURCE
 * decides it. */
static bool
is_internal(const struct service_pipeline *p, const struct in6_addr *addr)
{
    const struct kube_node *node = service_node_of(p->store);
    const struct kube_cidr *pods;
    size_t n_pods;

    pods = pipeline_pods(p, &n_pods);
    return (in_ranges(addr, pods, n_pods)
            || (node && has_address(node->addrs, node->n_addrs, addr)));
}

/* Returns the endpoints that 'c', which is sent to 'port', may reach, or null
 * if its source must not come. */
static const struct service_set *
find_set(const struct service_pipeline *p, const struct service_port *port,
         const struct service_connection *c)
{
    if (is_cluster_ip(port, c)) {
        return &port->internal;
    } else if (is_lb_ip(port, c) && port->sources_restricted
               && !in_ranges(&c->src, port->sources, port->n_sources)) {
        return NULL;
    }
    return (port->external_local && is_internal(p, &c->src) ? &port->cluster
            : &port->external);
}

/* Returns which of the 'n' states in 'past' had the address of 'r', or null,
 * and stores its port in '*port'. */
static const struct service_past *
find_state(const struct service_pipeline *p, const struct service_recall *r,
           const struct service_past *past, size_t n,
           const struct service_port **port)
{
    const char *owner = pipeline_owner_of(p, &r->c.dst, r->c.protocol,
                                          r->c.dport);
    const struct service_past *best = NULL;

    for (size_t i = 0; i < n; i++) {
        const struct service *service = past[i].service;
        const struct service_port *found = find_port(p, service, &r->c);
        char *key = xasprintf("%s/%s", service->namespace_, service->name);

        if (found && (!best || past[i].from < best->from
                      || (past[i].from == best->from && owner
                          && !strcmp(owner, key)))) {
            best = &past[i];
            *port = found;
        }
        free(key);
    }
    return best;
}

/* Its groups. */

static bool
look_up_id(const char *name, uint32_t *id, void *sync)
{
    *id = of_sync_group_id_of(sync, name);
    return true;
}

/* Makes the groups of 'port' for 'set', and has the first one asked for. */
static void
make_groups(const struct service_pipeline *p, struct service_recall *r,
            const struct service_port *port, const struct service_set *set)
{
    static const struct service_flows_class class = {
        .group_id = look_up_id,
    };
    struct service_groups groups = {
        .sf = &r->sf, .t = &p->t, .port = port, .class = &class,
        .aux = p->sync,
    };

    r->remembers = port->affinity_timeout != 0;
    if (service_groups_get(&groups, set, &r->outcome.group_id)) {
        r->outcome.kind = SERVICE_CHOSEN;
    }
}

/* Decides what 'port' did with the connection, as far as the switch need not
 * be asked. */
static void
decide(const struct service_pipeline *p, struct service_recall *r,
       const struct service_port *port)
{
    const struct service_set *set = find_set(p, port, &r->c);
    const char *why = NULL;

    if (!set) {
        why = "it was dropped: its source was in no range that may come";
    } else if (set->verdict == SERVICE_REJECT) {
        why = "it was rejected: there was no endpoint";
    } else if (set->verdict == SERVICE_DROP) {
        why = "it was dropped: endpoints were on other nodes only";
    } else if (!p->t.maglev) {
        r->outcome.kind = SERVICE_UNKNOWN;
        r->outcome.why = xstrdup("the switch does not tell how it chose");
        return;
    } else if (port->direct && !is_cluster_ip(port, &r->c)
               && !is_internal(p, &r->c.src)) {
        r->outcome.kind = SERVICE_UNKNOWN;
        r->outcome.why = xstrdup("a node was chosen first, for direct return");
        return;
    } else {
        make_groups(p, r, port, set);
        return;
    }
    r->outcome.kind = SERVICE_NO_CHOICE;
    r->outcome.why = xstrdup(why);
}

char *
service_recall_create(const struct service_pipeline *p,
                      const struct service_connection *c, long long int when,
                      struct service_recall **recallp)
{
    const struct service_port *port = NULL;
    const struct service_past *state;
    struct service_past *past;
    struct service_recall *r;
    char *error;
    size_t n;

    *recallp = NULL;
    error = service_all_at(p->store, when, &past, &n);
    if (error) {
        return error;
    }
    r = xzalloc(sizeof *r);
    r->c = *c;
    r->when = when;
    service_flows_init(&r->sf);
    state = find_state(p, r, past, n, &port);
    if (state) {
        r->key = xasprintf("%s/%s", state->service->namespace_,
                           state->service->name);
        r->from = state->from;
        r->until = state->until;
        r->since_begin = service_journal_began_at(p->store, r->from);
        decide(p, r, port);
    } else {
        r->outcome.kind = SERVICE_NO_CHOICE;
        r->outcome.why = xstrdup("no Service had this address and port");
    }
    free(past);
    *recallp = r;
    return NULL;
}

void
service_recall_destroy(struct service_recall *r)
{
    if (r) {
        service_flows_destroy(&r->sf);
        free(r->outcome.why);
        free(r->key);
        free(r);
    }
}

/* Questions and answers. */

static const struct ofputil_group_mod *
find_group(const struct service_recall *r, uint32_t id)
{
    for (size_t i = 0; i < r->sf.n_groups; i++) {
        if (r->sf.groups[i].group_id == id) {
            return &r->sf.groups[i];
        }
    }
    return NULL;
}

static const struct ofputil_bucket *
find_bucket(const struct ofputil_group_mod *gm, uint32_t id)
{
    const struct ofputil_bucket *bucket;

    LIST_FOR_EACH (bucket, list_node, &gm->buckets) {
        if (bucket->bucket_id == id) {
            return bucket;
        }
    }
    return NULL;
}

bool
service_recall_question(const struct service_recall *r, char **group,
                        char **flow)
{
    const struct ofputil_group_mod *gm;
    struct ds s = DS_EMPTY_INITIALIZER;

    if (r->outcome.kind != SERVICE_CHOSEN
        || !(gm = find_group(r, r->outcome.group_id))) {
        return false;
    }
    flows_format_group(gm, &s);
    *group = ds_steal_cstr(&s);
    *flow = service_explain_flow(&r->c);
    return true;
}

/* Goes on with the group that 'bucket' leads to, or takes its endpoint. */
static void
follow_bucket(struct service_recall *r, const struct ofputil_bucket *bucket)
{
    struct service_outcome *o = &r->outcome;
    uint32_t id;

    if (flows_find_group(bucket, &id)) {
        const struct ofputil_group_mod *gm = find_group(r, id);

        if (gm && gm->type == OFPGT11_SELECT && id != o->group_id) {
            o->kind = SERVICE_CHOSEN;
            o->group_id = id;
            return;
        }
        bucket = gm ? find_bucket(gm, 0) : NULL;
    }
    if (bucket && flows_find_endpoint(bucket, &o->addr, &o->port)) {
        o->kind = SERVICE_NEW;
    } else if (bucket && flows_rejects(bucket)) {
        o->kind = SERVICE_NO_CHOICE;
        free(o->why);
        o->why = xstrdup("it was rejected, as the share of a Service without "
                         "endpoints");
    }
}

void
service_recall_answer(struct service_recall *r, const char *reply)
{
    const struct ofputil_group_mod *gm = find_group(r, r->outcome.group_id);
    const struct ofputil_bucket *bucket = NULL;
    const char *tail = strstr(reply, ", bucket ");
    uint32_t id;

    if (gm && tail && ovs_scan(tail, ", bucket %"SCNu32, &id)) {
        bucket = find_bucket(gm, id);
    }
    free(r->outcome.why);
    r->outcome.kind = SERVICE_UNKNOWN;
    r->outcome.why = (bucket ? xmemdup0(reply, tail - reply)
                      : xstrdup("the switch does not tell how it chose"));
    if (bucket) {
        follow_bucket(r, bucket);
    }
}

void
service_recall_give_up(struct service_recall *r, char *why)
{
    if (r->outcome.kind == SERVICE_CHOSEN) {
        free(r->outcome.why);
        r->outcome.kind = SERVICE_UNKNOWN;
        r->outcome.why = why;
    } else {
        free(why);              /* It was not needed. */
    }
}

void
service_recall_tracked(struct service_recall *r,
                       const struct service_outcome *tracked)
{
    r->tracked = *tracked;
    r->tracked.why = NULL;
}

/* The answer. */

static void
format_time(const char *what, long long int when, struct ds *s)
{
    char *time = service_time_format(when);

    ds_put_format(s, "%s%s", what, time);
    free(time);
}

static void
format_reason(const struct service_recall *r, struct ds *s)
{
    const struct service_outcome *o = &r->outcome;

    format_time("reason: a connection that began at ", r->when, s);
    if (o->kind == SERVICE_NEW) {
        ds_put_format(s, ", chosen by %s", o->why);
        if (r->remembers) {
            ds_put_cstr(s, ", unless the switch remembered its client");
        }
    } else {
        ds_put_format(s, ": %s", o->why ? o->why : "");
    }
    ds_put_char(s, '\n');
}

void
service_recall_format(const struct service_pipeline *p,
                      const struct service_recall *r, struct ds *s)
{
    ds_put_format(s, "service: %s\n", r->key ? r->key : "none");
    service_explain_format_endpoint(p, r->key, &r->outcome, s);
    format_reason(r, s);
    if (r->key) {
        format_time("endpoints unchanged since: ", r->from, s);
        ds_put_cstr(s, r->since_begin
                    ? " or earlier, for the program started then\n" : "\n");
        if (r->until == LLONG_MAX) {
            ds_put_cstr(s, "until: now\n");
        } else {
            format_time("until: ", r->until, s);
            ds_put_char(s, '\n');
        }
    }
    if (r->tracked.kind == SERVICE_TRACKED) {
        ds_put_cstr(s, "tracked now: ");
        service_explain_format_address(&r->tracked, s);
    }
}
