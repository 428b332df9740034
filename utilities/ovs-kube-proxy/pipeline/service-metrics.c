/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "service-metrics.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofp-group.h"
#include "packets.h"
#include "service-flows.h"
#include "service-state.h"
#include "sset.h"
#include "util.h"
#include "utilities/common/metrics.h"
#include "utilities/of-sync/of-sync.h"
#include "utilities/ovs-kube-proxy/service/kube-store.h"

#define SERVICE_METRIC "service_opening_packets_total"
#define ENDPOINT_METRIC "endpoint_opening_packets_total"

/* A metric under construction. */
struct series {
    struct ds out;
    size_t n, max, n_left_out;
};

struct writer {
    struct service_pipeline *p;
    const struct metrics *m;
    struct series services, endpoints;
    char *labels;               /* Of the present group, without "}". */
};

/* Returns true if 'series' may have one more. */
static bool
series_begin(struct series *series)
{
    if (series->n >= series->max) {
        series->n_left_out++;
        return false;
    }
    series->n++;
    return true;
}

/* Returns labels for the group 'name', for the caller to free, and stores in
 * '*of_set' whether it is the group of a set.  service-groups.c makes names:
 * the Service's key, ":", "PROTOCOL/PORT/FAMILY/SET", and for a group to which
 * that of the set leads, "/" and more.  All packets of a connection meet the
 * group "nodes", so it does not count. */
static char *
make_labels(const struct service *service, const char *key, const char *name,
            bool *of_set)
{
    char protocol[5], port[6], family[5], set[9];
    struct ds s = DS_EMPTY_INITIALIZER;
    int n = 0;

    name += strlen(key);
    if (!ovs_scan(name, ":%4[a-z]/%5[0-9]/%4[a-z0-9]/%8[a-z]%n",
                  protocol, port, family, set, &n)) {
        OVS_NOT_REACHED();
    }
    *of_set = !name[n] && strcmp(set, "nodes");
    ds_put_cstr(&s, "namespace=\"");
    metrics_escape(&s, service->namespace_);
    ds_put_cstr(&s, "\",service=\"");
    metrics_escape(&s, service->name);
    ds_put_format(&s, "\",protocol=\"%s\",port=\"%s\",family=\"%s\","
                  "set=\"%s\"", protocol, port, family, set);
    return ds_steal_cstr(&s);
}

static void
add_endpoint(uint32_t group_id OVS_UNUSED,
             const struct ofputil_bucket *bucket, void *w_)
{
    struct writer *w = w_;
    struct in6_addr addr;
    uint16_t port;

    if (flows_find_endpoint(bucket, &addr, &port)
        && series_begin(&w->endpoints)) {
        struct ds *s = &w->endpoints.out;
        bool ipv6 = !IN6_IS_ADDR_V4MAPPED(&addr);

        ds_put_format(s, "%s_"ENDPOINT_METRIC"{%s,endpoint=\"%s",
                      w->m->program, w->labels, ipv6 ? "[" : "");
        ipv6_format_mapped(&addr, s);
        ds_put_format(s, "%s:%d\"} %"PRIu64"\n", ipv6 ? "]" : "", port,
                      bucket->stats.packet_count);
    }
}

/* Adds the group 'name' of 'service'. */
static void
add_group(struct writer *w, const struct service *service, const char *key,
          const char *name)
{
    uint64_t packets;
    bool of_set;
    uint32_t id;

    if (!of_sync_group_id(w->p->sync, name, &id)
        || !of_sync_group_packets(w->p->sync, id, &packets)) {
        return;
    }
    w->labels = make_labels(service, key, name, &of_set);
    if (of_set && series_begin(&w->services)) {
        ds_put_format(&w->services.out, "%s_"SERVICE_METRIC"{%s} %"PRIu64"\n",
                      w->m->program, w->labels, packets);
    }
    of_sync_for_each_bucket(w->p->sync, id, add_endpoint, w);
    free(w->labels);
}

static void
add_service(struct writer *w, const struct piped_service *ps)
{
    const struct service *service = service_of(w->p->store, ps->key);
    const char **names = sset_sort(&ps->groups);

    for (size_t i = 0; service && i < sset_count(&ps->groups); i++) {
        add_group(w, service, ps->key, names[i]);
    }
    free(names);
}

static void
put_series(const struct metrics *m, const char *name, const char *help,
           struct series *series)
{
    metrics_begin(m, name, "counter", help);
    ds_put_cstr(m->out, ds_cstr(&series->out));
    ds_destroy(&series->out);
}

/* Appends at most 'max' series of each kind to 'm', as the switch had counted
 * when it was last asked, and asks it again.  With 0 it is not asked. */
void
service_metrics_format(struct service_pipeline *p, size_t max,
                       const struct metrics *m)
{
    const struct shash_node **nodes;
    struct writer w = {
        .p = p,
        .m = m,
        .services = { .out = DS_EMPTY_INITIALIZER, .max = max },
        .endpoints = { .out = DS_EMPTY_INITIALIZER, .max = max },
    };

    if (!max) {
        return;
    }
    of_sync_ask_counters(p->sync);
    nodes = shash_sort(&p->services);
    for (size_t i = 0; i < shash_count(&p->services); i++) {
        add_service(&w, nodes[i]->data);
    }
    free(nodes);
    put_series(m, SERVICE_METRIC, "Packets that opened connections, by the "
               "group that chose an endpoint.", &w.services);
    put_series(m, ENDPOINT_METRIC, "Packets that opened connections, by "
               "endpoint.", &w.endpoints);
    metrics_begin(m, "series_left_out", "gauge",
                  "Series beyond --metrics-series.");
    metrics_put(m, "series_left_out", "of", "service",
                w.services.n_left_out);
    metrics_put(m, "series_left_out", "of", "endpoint",
                w.endpoints.n_left_out);
}
