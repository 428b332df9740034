/* SPDX-License-Identifier: Apache-2.0 */

/* What the objects of a store mean
 * ================================ */

#include <config.h>
#include "kube-store.h"
#include "kube-store-private.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "gateway-store.h"
#include "openvswitch/dynamic-string.h"
#include "service-equal.h"
#include "service-journal.h"
#include "service-model.h"
#include "service-policy.h"
#include "service-time.h"
#include "timeval.h"
#include "util.h"
#include "utilities/common/complain.h"
#include "utilities/common/metrics.h"
#include "utilities/kube/kube-node.h"

/* Returns true once Services and EndpointSlices have been listed, and what
 * Gateway API has, and all Nodes, if these are asked for.  Before that,
 * nothing must be deleted from the switch. */
bool
kube_store_is_complete(const struct kube_store *store)
{
    for (enum kube_kind kind = 0; kind < KUBE_N_KINDS; kind++) {
        if (!store->listed[kind]
            && (kind == KUBE_SERVICE || kind == KUBE_ENDPOINT_SLICE
                || (store->peers && kind == KUBE_NODE)
                || (store->gateways && gateway_store_has(kind)))) {
            return false;
        }
    }
    return true;
}

/* Returns true once Nodes have been listed.  A Node that is still unknown does
 * not exist. */
bool
kube_store_has_nodes(const struct kube_store *store)
{
    return store->listed[KUBE_NODE];
}

static struct service *
make_model(const struct kube_store *store, const struct store_entry *e)
{
    const struct kube_slice **slices;
    struct service *model;
    struct store_slice *s;
    char *error = NULL;
    size_t n = 0;

    if (!e->object) {
        return NULL;
    }
    slices = xmalloc((e->n_slices + 1) * sizeof *slices);
    LIST_FOR_EACH (s, node, &e->slices) {
        slices[n++] = s->slice;
    }
    model = service_make(e->object, slices, n, store->node,
                         store->peers, &error);
    free(slices);
    if (error) {
        complain_once("Service %.253s: %s", e->key, error);
        free(error);
    }
    return model;
}

static const struct service *
lookup(const char *ns_name, const void *store_)
{
    const struct kube_store *store = store_;
    const struct store_entry *e = shash_find_data(&store->services, ns_name);

    return e ? e->model : NULL;
}

/* Returns the "NAMESPACE/NAME" of a Service, or the key of a route, that has
 * changed since this function last named it, for the caller to free.
 * service_of() returns the new state.  Returns null if none has changed or the
 * store is not complete. */
char *
service_next_changed(struct kube_store *store)
{
    if (!kube_store_is_complete(store)) {
        return NULL;
    }
    while (!ovs_list_is_empty(&store->changed)) {
        struct store_entry *e = CONTAINER_OF(ovs_list_front(&store->changed),
                                       struct store_entry, changed);
        struct service *model = make_model(store, e);
        bool equal = service_equal(e->model, model);
        char *key = xstrdup(e->key);

        ovs_list_remove(&e->changed);
        ovs_list_init(&e->changed);
        if (equal) {
            service_destroy(e->model);
        } else {
            service_journal_note(store->journal, key, e->model, !model,
                                 time_wall_msec());
        }
        e->model = model;
        if (!e->object && !e->n_slices) {
            kube_store_destroy_entry(store, e);
        }
        if (!equal) {
            if (store->gateways) {
                gateway_store_note_service(store->gateways, key);
            }
            return key;
        }
        free(key);
    }
    if (store->gateways) {
        char *key = gateway_store_next_changed(store->gateways, lookup,
                                               store, store->journal);

        if (key) {
            return key;
        }
    }
    memcpy(store->n_handled, store->n_changes, sizeof store->n_handled);
    if (store->journal) {
        service_journal_begin(store->journal, time_wall_msec());
    }
    return NULL;
}

/* Notes that others have the addresses and ports of the 'n' 'conflicts' that
 * Service or route 'ns_name' wants, and has all else that it wants.  Takes the
 * array over. */
void
service_note_conflicts(struct kube_store *store, const char *ns_name,
                       struct service_conflict *conflicts, size_t n)
{
    if (!store->gateways
        || !gateway_store_note_conflicts(store->gateways, ns_name, conflicts,
                                         n)) {
        service_conflicts_destroy(conflicts, n);
    }
}

/* Returns a patch for the status of an object of Gateway API, for the caller
 * to destroy, and stores its path in '*path', for the caller to free.  Returns
 * null if none is needed.  service_next_changed() must have returned null. */
struct json *
service_next_status(struct kube_store *store, char **path)
{
    struct json *patch = NULL;

    if (store->gateways && kube_store_is_complete(store)) {
        char *now = xastrftime_msec("%Y-%m-%dT%H:%M:%SZ", time_wall_msec(),
                                    true);

        patch = gateway_store_next_status(store->gateways, now, path);
        free(now);
    }
    return patch;
}

/* Returns Service or route 'ns_name', in the state in which
 * service_next_changed() last named it, or null if there is none.  Belongs to
 * 'store', until the next call of service_next_changed(). */
const struct service *
service_of(const struct kube_store *store, const char *ns_name)
{
    const struct service *service = lookup(ns_name, store);

    return (service || !store->gateways ? service
            : gateway_store_find(store->gateways, ns_name));
}

/* Returns the number of routes in 'store'. */
static size_t
count_routes(const struct kube_store *store)
{
    return (store->gateways
            ? gateway_store_count(store->gateways, KUBE_TCP_ROUTE)
              + gateway_store_count(store->gateways, KUBE_UDP_ROUTE) : 0);
}

/* Returns the Services of 'store', sorted by name, and then the routes, in an
 * array of '*n' elements that the caller must free. */
const struct service **
service_all(const struct kube_store *store, size_t *n)
{
    const struct shash_node **nodes = shash_sort(&store->services);
    const struct service **services
        = xmalloc((shash_count(&store->services) + count_routes(store) + 1)
                  * sizeof *services);

    *n = 0;
    for (size_t i = 0; i < shash_count(&store->services); i++) {
        const struct store_entry *e = nodes[i]->data;

        if (e->model) {
            services[(*n)++] = e->model;
        }
    }
    free(nodes);
    if (store->gateways) {
        *n += gateway_store_all(store->gateways, &services[*n]);
    }
    return services;
}

/* Stores in '*past' the states that Services and routes had at 'when', in ms
 * since 1970, in an array of '*n' elements that the caller must free.  The
 * states belong to 'store', until the next call of service_next_changed().
 * LLONG_MAX as the end says that a state is in force.  Returns null, or why
 * that is not known, for the caller to free. */
char *
service_all_at(const struct kube_store *store, long long int when,
               struct service_past **past, size_t *n)
{
    const struct service_journal *j = store->journal;
    const struct service **services;
    long long int horizon;
    bool forgotten;
    size_t n_services;

    if (!j) {
        return xstrdup("no journal is kept: see --journal");
    }
    horizon = service_journal_horizon(j, &forgotten);
    if (when < horizon) {
        char *time = horizon < LLONG_MAX ? service_time_format(horizon) : NULL;
        char *why = (!time ? xstrdup("the Services are not known yet")
                     : xasprintf("the journal goes back to %s, when %s", time,
                                 forgotten ? "it became too long"
                                 : "the program started"));

        free(time);
        return why;
    }
    *past = service_journal_at(j, when, n);
    services = service_all(store, &n_services);
    *past = xrealloc(*past, (*n + n_services + 1) * sizeof **past);
    for (size_t i = 0; i < n_services; i++) {
        char *key = xasprintf("%s/%s", services[i]->namespace_,
                              services[i]->name);
        long long int since = service_journal_since(j, key);

        if (since <= when) {
            (*past)[(*n)++] = (struct service_past) {
                services[i], since, LLONG_MAX,
            };
        }
        free(key);
    }
    free(services);
    return NULL;
}

/* Returns true if 'when' is the time at which the journal began. */
bool
service_journal_began_at(const struct kube_store *store, long long int when)
{
    bool forgotten;

    return (store->journal
            && service_journal_horizon(store->journal, &forgotten) == when
            && !forgotten);
}

/* Returns our node, as its Node object said when there last was one, or null
 * until then.  Belongs to 'store'. */
const struct kube_node *
service_node_of(const struct kube_store *store)
{
    return store->node;
}

/* Returns true if our Node is being deleted, is gone, or will be deleted by
 * the cluster's autoscaler. */
bool
service_node_is_leaving(const struct kube_store *store)
{
    return store->node_lost || (store->node && store->node->leaving);
}

/* Returns a number that changes with the result of service_node_of(). */
uint64_t
service_node_generation(const struct kube_store *store)
{
    return store->node_generation;
}

/* Returns all Nodes, or null if kube_store_enable_peers() was not called.
 * Belongs to 'store'. */
const struct kube_peers *
service_peers_of(const struct kube_store *store)
{
    return store->peers;
}

/* Returns the '*n' ranges of ClusterIPs, as far as objects name them.  They
 * belong to 'store' until objects change. */
const struct kube_cidr *
service_ranges_of(const struct kube_store *store, size_t *n)
{
    *n = store->ranges.n;
    return store->ranges.cidrs;
}

/* Returns a number that changes with the result of service_ranges_of(). */
uint64_t
service_ranges_generation(const struct kube_store *store)
{
    return store->ranges.generation;
}

/* Appends the numbers of objects in 'store' to 'm'. */
void
kube_store_format_metrics(const struct kube_store *store,
                          const struct metrics *m)
{
    size_t n_services = 0, n_ports = 0, n_endpoints = 0;
    struct shash_node *node;

    SHASH_FOR_EACH (node, &store->services) {
        const struct store_entry *e = node->data;

        n_services += e->object != NULL;
        for (size_t i = 0; e->model && i < e->model->n; i++) {
            n_ports++;
            n_endpoints += e->model->ports[i].cluster.n;
        }
    }
    metrics_begin(m, "objects", "gauge", "Objects that are known.");
    metrics_put(m, "objects", "kind", "Service", n_services);
    metrics_put(m, "objects", "kind", "EndpointSlice",
                shash_count(&store->slices));
    metrics_put(m, "objects", "kind", "Node",
                store->node && !store->node_lost);
    metrics_put(m, "objects", "kind", "ServiceCIDR",
                shash_count(&store->ranges.objects));
    for (enum kube_kind kind = 0; store->gateways && kind < KUBE_N_KINDS;
         kind++) {
        if (gateway_store_has(kind)) {
            metrics_put(m, "objects", "kind", kube_kind_to_string(kind),
                        gateway_store_count(store->gateways, kind));
        }
    }
    metrics_put_gauge(m, "service_ports",
                      "Ports of Services, in each address family.", n_ports);
    metrics_put_gauge(m, "endpoints", "Endpoints that ports may go to.",
                      n_endpoints);
    if (store->journal) {
        size_t n_bytes;
        size_t n = service_journal_count(store->journal, &n_bytes);

        metrics_put_gauge(m, "journal_states",
                          "Past states of Services that are known.", n);
        metrics_put_gauge(m, "journal_bytes", "Memory that these take.",
                          n_bytes);
    }
}

/* Appends how many objects have changed to 'm', under kube-proxy's names. */
void
kube_store_format_changes(const struct kube_store *store,
                          const struct metrics *m)
{
    const uint64_t *all = store->n_changes, *handled = store->n_handled;

    metrics_put_counter(m, "sync_proxy_rules_service_changes_total",
                        "Services that came, changed or went.",
                        all[KUBE_SERVICE]);
    metrics_put_gauge(m, "sync_proxy_rules_service_changes_pending",
                      "Those that are not made into flows yet.",
                      all[KUBE_SERVICE] - handled[KUBE_SERVICE]);
    metrics_put_counter(m, "sync_proxy_rules_endpoint_changes_total",
                        "EndpointSlices that came, changed or went.",
                        all[KUBE_ENDPOINT_SLICE]);
    metrics_put_gauge(m, "sync_proxy_rules_endpoint_changes_pending",
                      "Those that are not made into flows yet.",
                      all[KUBE_ENDPOINT_SLICE]
                      - handled[KUBE_ENDPOINT_SLICE]);
}
