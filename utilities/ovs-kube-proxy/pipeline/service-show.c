/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "service-show.h"

#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "openvswitch/match.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofp-flow.h"
#include "openvswitch/ofp-group.h"
#include "packets.h"
#include "service-claims.h"
#include "service-flows.h"
#include "service-node.h"
#include "service-state.h"
#include "util.h"
#include "utilities/common/metrics.h"
#include "utilities/of-sync/of-sync.h"
#include "utilities/ovs-kube-proxy/service/kube-store.h"
#include "utilities/ovs-kube-proxy/service/service-format.h"
#include "utilities/ovs-kube-proxy/service/service-json.h"
#include "utilities/ovs-kube-proxy/service/service-model.h"

/* Appends 'fm' as ovs-ofctl has it. */
static void
format_flow(const struct ofputil_flow_mod *fm, struct ds *s)
{
    struct ofpact_format_params params = { .s = s };

    ds_put_format(s, "table=%d, ", fm->table_id);
    minimatch_format(&fm->match, NULL, NULL, s, fm->priority);
    ds_put_cstr(s, " actions=");
    ofpacts_format(fm->ofpacts, fm->ofpacts_len, &params);
}

static void
show_flows(const struct service_flows *sf, struct ds *s)
{
    for (size_t i = 0; i < sf->n_groups; i++) {
        ds_put_cstr(s, "  ");
        flows_format_group(&sf->groups[i], s);
        ds_put_char(s, '\n');
    }
    for (size_t i = 0; i < sf->n_flows; i++) {
        ds_put_cstr(s, "  ");
        format_flow(&sf->flows[i], s);
        ds_put_char(s, '\n');
    }
}

static void
add_string(struct json *array, struct ds *s)
{
    json_array_add(array, json_string_create(ds_cstr(s)));
    ds_clear(s);
}

/* Adds the groups and flows of 'sf' to 'object'. */
static void
put_flows(const struct service_flows *sf, struct json *object)
{
    struct json *groups = json_array_create_empty();
    struct json *flows = json_array_create_empty();
    struct ds s = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < sf->n_groups; i++) {
        flows_format_group(&sf->groups[i], &s);
        add_string(groups, &s);
    }
    for (size_t i = 0; i < sf->n_flows; i++) {
        format_flow(&sf->flows[i], &s);
        add_string(flows, &s);
    }
    ds_destroy(&s);
    json_object_put(object, "groups", groups);
    json_object_put(object, "flows", flows);
}

/* Adds the endpoint of 'bucket', and what the switch counted, to 'array'. */
static void
add_traffic(uint32_t group_id, const struct ofputil_bucket *bucket,
            void *array)
{
    struct ds addr = DS_EMPTY_INITIALIZER;
    struct in6_addr ip;
    uint16_t port;

    if (flows_find_endpoint(bucket, &ip, &port)) {
        struct json *object = json_object_create();

        ipv6_format_mapped(&ip, &addr);
        json_object_put(object, "group_id", json_integer_create(group_id));
        json_object_put_string(object, "address", ds_cstr(&addr));
        json_object_put(object, "port", json_integer_create(port));
        json_object_put(object, "packets",
                        json_integer_create(bucket->stats.packet_count));
        json_object_put(object, "bytes",
                        json_integer_create(bucket->stats.byte_count));
        json_array_add(array, object);
        ds_destroy(&addr);
    }
}

/* Adds what the switch counted for the endpoints of 'sf' to 'object'. */
static void
put_traffic(struct service_pipeline *p, const struct service_flows *sf,
            struct json *object)
{
    struct json *array = json_array_create_empty();

    of_sync_watch_counters(p->sync);
    for (size_t i = 0; i < sf->n_groups; i++) {
        of_sync_for_each_bucket(p->sync, sf->groups[i].group_id, add_traffic,
                                array);
    }
    json_object_put(object, "traffic", array);
}

/* Appends a line for each Service in the switch. */
void
service_pipeline_list(const struct service_pipeline *p, struct ds *s)
{
    const struct shash_node **nodes = shash_sort(&p->services);

    for (size_t i = 0; i < shash_count(&p->services); i++) {
        const struct piped_service *ps = nodes[i]->data;
        const struct service *service = service_of(p->store, ps->key);

        ds_put_format(s, "%s: %"PRIuSIZE" ports, %"PRIuSIZE" flows, "
                      "%"PRIuSIZE" groups\n", ps->key,
                      service ? service->n : 0, ps->n_flows,
                      sset_count(&ps->groups));
    }
    free(nodes);
}

static size_t
count_endpoints(const struct service *service)
{
    size_t n = 0;

    for (size_t i = 0; i < service->n; i++) {
        n += service->ports[i].cluster.n;
    }
    return n;
}

/* Returns the first 'max' Services as a JSON array, for the caller to destroy,
 * and stores the number of all in '*n'. */
struct json *
service_pipeline_list_json(const struct service_pipeline *p, size_t max,
                           size_t *n)
{
    struct json *array = json_array_create_empty();
    const struct service **services;

    services = service_all(p->store, n);
    for (size_t i = 0; i < MIN(*n, max); i++) {
        const struct service *service = services[i];
        char *key = xasprintf("%s/%s", service->namespace_, service->name);
        const struct piped_service *ps = shash_find_data(&p->services, key);
        struct json *object = json_object_create();

        json_object_put_string(object, "service", key);
        json_object_put(object, "ports", json_integer_create(service->n));
        json_object_put(object, "endpoints",
                        json_integer_create(count_endpoints(service)));
        json_object_put(object, "flows",
                        json_integer_create(ps ? ps->n_flows : 0));
        json_object_put(object, "groups", json_integer_create(
                            ps ? sset_count(&ps->groups) : 0));
        if (service->why) {
            json_object_put_string(object, "reason", service->why);
        }
        json_array_add(array, object);
        free(key);
    }
    free(services);
    return array;
}

/* Makes the groups and flows of the Service 'ns_name' once more, into '*sf',
 * for the caller to destroy.  Returns false if it is not in the switch. */
static bool
compose_again(struct service_pipeline *p, const char *ns_name,
              struct service_flows *sf)
{
    struct compose_aux aux = {
        .p = p,
        .s = shash_find_data(&p->services, ns_name),
        .trying = true,
    };

    if (!aux.s) {
        return false;
    }
    sset_init(&aux.groups);
    pipeline_compose(&aux, service_of(p->store, ns_name), sf);
    sset_destroy(&aux.groups);
    return true;
}

/* Appends the Service 'ns_name', with its groups and flows, to 's'.  Returns
 * false if there is no such Service. */
bool
service_pipeline_show(struct service_pipeline *p, const char *ns_name,
                      struct ds *s)
{
    const struct service *service = service_of(p->store, ns_name);
    struct service_flows sf;

    if (!service) {
        return false;
    }
    service_format(service, s);
    if (compose_again(p, ns_name, &sf)) {
        if (sf.n_left_out) {
            ds_put_format(s, "  left out: %"PRIuSIZE" flows more than %d\n",
                          sf.n_left_out, SERVICE_MAX_FLOWS);
        }
        show_flows(&sf, s);
        service_flows_destroy(&sf);
    }
    return true;
}

/* Returns the Service 'ns_name', with its groups, its flows and what the
 * switch counted for each endpoint, as JSON for the caller to destroy, or null
 * if there is no such Service.  From a first call on, the switch is asked for
 * counters; the first call may have none. */
struct json *
service_pipeline_show_json(struct service_pipeline *p, const char *ns_name)
{
    const struct service *service = service_of(p->store, ns_name);
    struct service_flows sf;
    struct json *object;

    if (!service) {
        return NULL;
    }
    object = service_to_json(service);
    if (compose_again(p, ns_name, &sf)) {
        json_object_put(object, "left_out",
                        json_integer_create(sf.n_left_out));
        put_flows(&sf, object);
        put_traffic(p, &sf, object);
        service_flows_destroy(&sf);
    }
    return object;
}

/* Appends the flows that do not depend on any Service. */
void
service_pipeline_show_base(struct service_pipeline *p, struct ds *s)
{
    if (p->based) {
        struct service_flows sf;

        pipeline_compose_base(p, &sf);
        show_flows(&sf, s);
        service_flows_destroy(&sf);
    }
}

/* Returns them as JSON, for the caller to destroy. */
struct json *
service_pipeline_show_base_json(struct service_pipeline *p)
{
    struct json *object = json_object_create();

    if (p->based) {
        struct service_flows sf;

        pipeline_compose_base(p, &sf);
        put_flows(&sf, object);
        service_flows_destroy(&sf);
    }
    return object;
}

/* Appends counters to 'm'. */
void
service_pipeline_format_metrics(const struct service_pipeline *p,
                                const struct metrics *m)
{
    metrics_put_gauge(m, "services", "Services that are in the switch.",
                      shash_count(&p->services));
    metrics_put_counter(m, "service_updates_total",
                        "Services made into flows.", p->n_updates);
    metrics_put_counter(m, "service_conflicts_total",
                        "Addresses that two Services wanted.",
                        p->n_conflicts);
    metrics_put_gauge(m, "flows_left_out",
                      "Flows of Services beyond the limit for each.",
                      p->n_left_out);
    metrics_put_counter(m, "udp_flushes_total",
                        "Ways to UDP endpoints whose connections were ended.",
                        p->n_flushes);
}
