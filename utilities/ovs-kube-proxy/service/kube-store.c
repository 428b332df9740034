/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "kube-store.h"

#include <stdlib.h>
#include <string.h>

#include "kube-parse.h"
#include "openvswitch/list.h"
#include "openvswitch/shash.h"
#include "openvswitch/vlog.h"
#include "service-model.h"
#include "service-policy.h"
#include "util.h"
#include "utilities/common/complain.h"
#include "utilities/common/metrics.h"
#include "utilities/ovs-kube-proxy/kube/kube-object.h"
#include "utilities/ovs-kube-proxy/kube/kube-sink.h"

VLOG_DEFINE_THIS_MODULE(kube_store);

/* A Service by name.  The Service, or its slices, may not be known yet. */
struct entry {
    char *key;                  /* "NAMESPACE/NAME". */
    struct kube_service *object;    /* Null if there is none. */
    unsigned int list;          /* Number of the last list that had it. */
    struct ovs_list slices;     /* Contains "struct store_slice"s. */
    size_t n_slices;
    struct service *model;      /* Null if there is no Service. */
    struct ovs_list changed;    /* In kube_store's 'changed', or empty. */
};

struct store_slice {
    struct ovs_list node;       /* In 'entry', if that is not null. */
    struct entry *entry;
    struct kube_slice *slice;
    unsigned int list;
};

struct kube_store {
    struct kube_sink sink;

    char *our_node;             /* Null if unknown. */
    struct service_node *node;  /* Null until it is known. */
    bool node_lost;             /* 'node' is what its object last said. */
    unsigned int node_list;
    uint64_t node_generation;

    struct shash services;      /* "NAMESPACE/NAME" -> "struct entry". */
    struct shash slices;        /* Like 'services' -> "struct store_slice". */
    struct ovs_list changed;    /* Entries to look at, oldest first. */

    /* Objects that came, changed or went: all, and those that
     * service_next_changed() has handled. */
    uint64_t n_changes[KUBE_N_KINDS], n_handled[KUBE_N_KINDS];

    unsigned int list[KUBE_N_KINDS]; /* Number of the last list. */
    bool listed[KUBE_N_KINDS];       /* A list is complete. */
};

static const struct kube_sink_class sink_class;

/* Returns a store for the node 'our_node', for the caller to destroy.  If
 * 'our_node' is null, no endpoint is local. */
struct kube_store *
kube_store_create(const char *our_node)
{
    struct kube_store *store = xzalloc(sizeof *store);

    store->sink.class = &sink_class;
    store->our_node = nullable_xstrdup(our_node);
    shash_init(&store->services);
    shash_init(&store->slices);
    ovs_list_init(&store->changed);
    return store;
}

/* Entries. */

static void
set_changed(struct kube_store *store, struct entry *e)
{
    if (e && ovs_list_is_empty(&e->changed)) {
        ovs_list_push_back(&store->changed, &e->changed);
    }
}

static struct entry *
get_entry(struct kube_store *store, const char *namespace_, const char *name)
{
    char *key = xasprintf("%s/%s", namespace_, name);
    struct entry *e = shash_find_data(&store->services, key);

    if (!e) {
        e = xzalloc(sizeof *e);
        e->key = xstrdup(key);
        ovs_list_init(&e->slices);
        ovs_list_init(&e->changed);
        shash_add(&store->services, key, e);
    }
    free(key);
    return e;
}

static void
destroy_entry(struct kube_store *store, struct entry *e)
{
    shash_find_and_delete(&store->services, e->key);
    ovs_list_remove(&e->changed);
    kube_service_destroy(e->object);
    service_destroy(e->model);
    free(e->key);
    free(e);
}

static void
set_service(struct kube_store *store, struct entry *e,
            struct kube_service *object)
{
    kube_service_destroy(e->object);
    e->object = object;
    set_changed(store, e);
}

/* Slices. */

static void
set_slice(struct kube_store *store, struct store_slice *s,
          struct kube_slice *slice)
{
    if (s->entry) {
        ovs_list_remove(&s->node);
        s->entry->n_slices--;
        set_changed(store, s->entry);
    }
    kube_slice_destroy(s->slice);
    s->slice = slice;
    s->entry = (slice && slice->service
                ? get_entry(store, slice->namespace_, slice->service) : NULL);
    if (s->entry) {
        ovs_list_push_back(&s->entry->slices, &s->node);
        s->entry->n_slices++;
        set_changed(store, s->entry);
    }
}

static void
delete_slice(struct kube_store *store, struct shash_node *node)
{
    struct store_slice *s = node->data;

    set_slice(store, s, NULL);
    shash_delete(&store->slices, node);
    free(s);
}

/* The node. */

static void
set_node(struct kube_store *store, struct service_node *node)
{
    struct shash_node *n;

    store->node_lost = false;
    if (kube_node_equal(store->node, node)) {
        store->node->leaving = node->leaving;
        kube_node_destroy(node);
        return;
    }
    kube_node_destroy(store->node);
    store->node = node;
    store->node_generation++;
    SHASH_FOR_EACH (n, &store->services) {
        set_changed(store, n->data);
    }
}

/* Notes that our Node object is gone.  What it said stays: the node itself
 * works on, and its kubelet makes the object anew. */
static void
lose_node(struct kube_store *store)
{
    if (store->node && !store->node_lost) {
        VLOG_WARN("Node \"%s\" is gone: its last addresses, ranges of pods "
                  "and zone stay in force", store->node->name);
        store->node_lost = true;
    }
}

/* Frees 'store', which may be null. */
void
kube_store_destroy(struct kube_store *store)
{
    if (store) {
        struct shash_node *n;

        SHASH_FOR_EACH_SAFE (n, &store->slices) {
            delete_slice(store, n);
        }
        SHASH_FOR_EACH_SAFE (n, &store->services) {
            destroy_entry(store, n->data);
        }
        shash_destroy(&store->slices);
        shash_destroy(&store->services);
        kube_node_destroy(store->node);
        free(store->our_node);
        free(store);
    }
}

/* The sink, for the readers of objects. */

/* Returns the key of 'json', "NAMESPACE/NAME", for the caller to free. */
static char *
object_key(const struct json *json)
{
    const struct json *metadata = kube_object_member(json, "metadata");
    const char *ns = kube_object_string(metadata, "namespace");

    return xasprintf("%s/%s", ns[0] ? ns : "default",
                     kube_object_string(metadata, "name"));
}

static void
apply_service(struct kube_store *store, const struct json *json, char **error)
{
    struct kube_service *object = kube_service_parse(json, error);

    if (object) {
        struct entry *e = get_entry(store, object->namespace_, object->name);

        e->list = store->list[KUBE_SERVICE];
        set_service(store, e, object);
    }
}

static void
apply_slice(struct kube_store *store, const struct json *json, char **error)
{
    struct kube_slice *slice = kube_slice_parse(json, store->our_node, error);

    if (slice) {
        char *key = xasprintf("%s/%s", slice->namespace_, slice->name);
        struct store_slice *s = shash_find_data(&store->slices, key);

        if (!s) {
            s = xzalloc(sizeof *s);
            shash_add(&store->slices, key, s);
        }
        s->list = store->list[KUBE_ENDPOINT_SLICE];
        set_slice(store, s, slice);
        free(key);
    }
}

static void
apply_node(struct kube_store *store, const struct json *json, char **error)
{
    struct service_node *node = kube_node_parse(json, error);

    if (node && nullable_string_is_equal(node->name, store->our_node)) {
        store->node_list = store->list[KUBE_NODE];
        set_node(store, node);
    } else {
        kube_node_destroy(node);
    }
}

/* Deletes the object of which 'json' has the name.  What else 'json' has does
 * not matter. */
static void
delete_object(struct kube_store *store, enum kube_kind kind,
              const struct json *json)
{
    const char *name = kube_object_string(kube_object_member(json, "metadata"),
                                          "name");
    char *key = object_key(json);
    struct shash_node *node;
    struct entry *e;

    switch (kind) {
    case KUBE_SERVICE:
        e = shash_find_data(&store->services, key);
        if (e && e->object) {
            set_service(store, e, NULL);
        }
        break;
    case KUBE_ENDPOINT_SLICE:
        node = shash_find(&store->slices, key);
        if (node) {
            delete_slice(store, node);
        }
        break;
    case KUBE_NODE:
        if (nullable_string_is_equal(name, store->our_node)) {
            lose_node(store);
        }
        break;
    case KUBE_N_KINDS:
        OVS_NOT_REACHED();
    }
    free(key);
}

/* A refused object leaves the old one in force, also in a list.  So that
 * object counts as listed. */
static void
keep_refused(struct kube_store *store, enum kube_kind kind,
             const struct json *json)
{
    char *key = object_key(json);

    if (kind == KUBE_SERVICE) {
        struct entry *e = shash_find_data(&store->services, key);

        if (e) {
            e->list = store->list[kind];
        }
    }
    free(key);
}

static struct kube_store *
from_sink(struct kube_sink *sink)
{
    return CONTAINER_OF(sink, struct kube_store, sink);
}

static void
apply(struct kube_sink *sink, enum kube_kind kind, enum kube_event event,
      const struct json *json, char **error)
{
    struct kube_store *store = from_sink(sink);

    store->n_changes[kind]++;
    if (event == KUBE_DELETED) {
        delete_object(store, kind, json);
        return;
    }
    keep_refused(store, kind, json);
    switch (kind) {
    case KUBE_SERVICE:
        apply_service(store, json, error);
        break;
    case KUBE_ENDPOINT_SLICE:
        apply_slice(store, json, error);
        break;
    case KUBE_NODE:
        apply_node(store, json, error);
        break;
    case KUBE_N_KINDS:
        OVS_NOT_REACHED();
    }
}

static void
list_begin(struct kube_sink *sink, enum kube_kind kind)
{
    from_sink(sink)->list[kind]++;
}

static void
list_end(struct kube_sink *sink, enum kube_kind kind)
{
    struct kube_store *store = from_sink(sink);
    unsigned int list = store->list[kind];
    struct shash_node *n;

    store->listed[kind] = true;
    switch (kind) {
    case KUBE_SERVICE:
        SHASH_FOR_EACH (n, &store->services) {
            struct entry *e = n->data;

            if (e->object && e->list != list) {
                set_service(store, e, NULL);
            }
        }
        break;
    case KUBE_ENDPOINT_SLICE:
        SHASH_FOR_EACH_SAFE (n, &store->slices) {
            struct store_slice *s = n->data;

            if (s->list != list) {
                delete_slice(store, n);
            }
        }
        break;
    case KUBE_NODE:
        if (store->node_list != list) {
            lose_node(store);
        }
        break;
    case KUBE_N_KINDS:
        OVS_NOT_REACHED();
    }
}

static const struct kube_sink_class sink_class = {
    .apply = apply,
    .list_begin = list_begin,
    .list_end = list_end,
};

struct kube_sink *
kube_store_sink(struct kube_store *store)
{
    return &store->sink;
}

/* Results. */

/* Returns true once Services and EndpointSlices have been listed.  Before
 * that, nothing must be deleted from the switch. */
bool
kube_store_is_complete(const struct kube_store *store)
{
    return store->listed[KUBE_SERVICE] && store->listed[KUBE_ENDPOINT_SLICE];
}

/* Returns true once Nodes have been listed.  A Node that is still unknown does
 * not exist. */
bool
kube_store_has_nodes(const struct kube_store *store)
{
    return store->listed[KUBE_NODE];
}

static struct service *
make_model(const struct kube_store *store, const struct entry *e)
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
    model = service_make(e->object, slices, n, store->node, &error);
    free(slices);
    if (error) {
        complain_once("Service %.253s: %s", e->key, error);
        free(error);
    }
    return model;
}

/* Returns the "NAMESPACE/NAME" of a Service that has changed since this
 * function last named it, for the caller to free.  service_of() returns the
 * new state.  Returns null if no Service has changed or the store is not
 * complete. */
char *
service_next_changed(struct kube_store *store)
{
    if (!kube_store_is_complete(store)) {
        return NULL;
    }
    while (!ovs_list_is_empty(&store->changed)) {
        struct entry *e = CONTAINER_OF(ovs_list_front(&store->changed),
                                       struct entry, changed);
        struct service *model = make_model(store, e);
        bool equal = service_equal(e->model, model);
        char *key = xstrdup(e->key);

        ovs_list_remove(&e->changed);
        ovs_list_init(&e->changed);
        service_destroy(e->model);
        e->model = model;
        if (!e->object && !e->n_slices) {
            destroy_entry(store, e);
        }
        if (!equal) {
            return key;
        }
        free(key);
    }
    memcpy(store->n_handled, store->n_changes, sizeof store->n_handled);
    return NULL;
}

/* Returns Service 'ns_name', in the state in which service_next_changed() last
 * named it, or null if there is none.  Belongs to 'store', until the next call
 * of service_next_changed(). */
const struct service *
service_of(const struct kube_store *store, const char *ns_name)
{
    const struct entry *e = shash_find_data(&store->services, ns_name);

    return e ? e->model : NULL;
}

/* Returns the Services of 'store', sorted by name, in an array of '*n'
 * elements that the caller must free. */
const struct service **
service_all(const struct kube_store *store, size_t *n)
{
    const struct shash_node **nodes = shash_sort(&store->services);
    const struct service **services
        = xmalloc((shash_count(&store->services) + 1) * sizeof *services);

    *n = 0;
    for (size_t i = 0; i < shash_count(&store->services); i++) {
        const struct entry *e = nodes[i]->data;

        if (e->model) {
            services[(*n)++] = e->model;
        }
    }
    free(nodes);
    return services;
}

/* Returns our node, as its Node object said when there last was one, or null
 * until then.  Belongs to 'store'. */
const struct service_node *
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

/* Appends the numbers of objects in 'store' to 'm'. */
void
kube_store_format_metrics(const struct kube_store *store,
                          const struct metrics *m)
{
    size_t n_services = 0, n_ports = 0, n_endpoints = 0;
    struct shash_node *node;

    SHASH_FOR_EACH (node, &store->services) {
        const struct entry *e = node->data;

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
    metrics_put_gauge(m, "service_ports",
                      "Ports of Services, in each address family.", n_ports);
    metrics_put_gauge(m, "endpoints", "Endpoints that ports may go to.",
                      n_endpoints);
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
