/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "kube-store.h"
#include "kube-store-private.h"

#include <stdlib.h>
#include <string.h>

#include "gateway-store.h"
#include "kube-parse.h"
#include "kube-peers.h"
#include "openvswitch/vlog.h"
#include "service-journal.h"
#include "service-model.h"
#include "service-policy.h"
#include "util.h"
#include "utilities/common/complain.h"
#include "utilities/kube/kube-node.h"
#include "utilities/kube/kube-object.h"

VLOG_DEFINE_THIS_MODULE(kube_store);

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
    service_ranges_init(&store->ranges);
    ovs_list_init(&store->changed);
    return store;
}

/* Has routes of Gateway API served, too.  Must be called before objects
 * come. */
void
kube_store_enable_gateways(struct kube_store *store)
{
    store->gateways = gateway_store_create();
}

/* Keeps past states of Services, which take 'limit' octets at most. */
void
kube_store_keep_journal(struct kube_store *store, size_t limit)
{
    store->journal = service_journal_create(limit);
}

/* Has all Nodes remembered, for direct return.  Must be called before objects
 * come. */
void
kube_store_enable_peers(struct kube_store *store)
{
    store->peers = kube_peers_create(store->our_node);
}

/* Entries. */

static void
set_changed(struct kube_store *store, struct store_entry *e)
{
    if (e && ovs_list_is_empty(&e->changed)) {
        ovs_list_push_back(&store->changed, &e->changed);
    }
}

static struct store_entry *
get_entry(struct kube_store *store, const char *namespace_, const char *name)
{
    char *key = xasprintf("%s/%s", namespace_, name);
    struct store_entry *e = shash_find_data(&store->services, key);

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

void
kube_store_destroy_entry(struct kube_store *store, struct store_entry *e)
{
    shash_find_and_delete(&store->services, e->key);
    ovs_list_remove(&e->changed);
    kube_service_destroy(e->object);
    service_destroy(e->model);
    free(e->key);
    free(e);
}

static void
set_service(struct kube_store *store, struct store_entry *e,
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
set_node(struct kube_store *store, struct kube_node *node)
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

/* Notes that Nodes have changed, ours or others. */
static void
peers_changed(struct kube_store *store)
{
    struct shash_node *n;

    SHASH_FOR_EACH (n, &store->services) {
        struct store_entry *e = n->data;

        if (e->object && e->object->direct) {
            set_changed(store, e);
        }
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
            kube_store_destroy_entry(store, n->data);
        }
        shash_destroy(&store->slices);
        shash_destroy(&store->services);
        kube_node_destroy(store->node);
        kube_peers_destroy(store->peers);
        service_ranges_destroy(&store->ranges);
        gateway_store_destroy(store->gateways);
        service_journal_destroy(store->journal);
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
        struct store_entry *e = get_entry(store, object->namespace_,
                                          object->name);

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
    struct kube_node *node = kube_node_parse(json, error);

    if (node && store->peers
        && kube_peers_put(store->peers, node, store->list[KUBE_NODE])) {
        peers_changed(store);
    }
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
    struct store_entry *e;

    switch ((int) kind) {
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
        } else if (store->peers && kube_peers_delete(store->peers, name)) {
            peers_changed(store);
        }
        break;
    case KUBE_SERVICE_CIDR:
        service_ranges_apply(&store->ranges, KUBE_DELETED, json, NULL);
        break;
    default:
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
        struct store_entry *e = shash_find_data(&store->services, key);

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
    if (gateway_store_has(kind)) {
        if (store->gateways) {
            gateway_store_apply(store->gateways, kind, event, json, error);
        }
        return;
    }
    if (event == KUBE_DELETED) {
        delete_object(store, kind, json);
        return;
    }
    keep_refused(store, kind, json);
    switch ((int) kind) {
    case KUBE_SERVICE:
        apply_service(store, json, error);
        break;
    case KUBE_ENDPOINT_SLICE:
        apply_slice(store, json, error);
        break;
    case KUBE_NODE:
        apply_node(store, json, error);
        break;
    case KUBE_SERVICE_CIDR:
        service_ranges_apply(&store->ranges, event, json, error);
        break;
    default:
        OVS_NOT_REACHED();
    }
}

static void
list_begin(struct kube_sink *sink, enum kube_kind kind)
{
    struct kube_store *store = from_sink(sink);

    store->list[kind]++;
    if (kind == KUBE_SERVICE_CIDR) {
        service_ranges_list_begin(&store->ranges);
    } else if (gateway_store_has(kind) && store->gateways) {
        gateway_store_list_begin(store->gateways, kind);
    }
}

static void
list_end(struct kube_sink *sink, enum kube_kind kind)
{
    struct kube_store *store = from_sink(sink);
    unsigned int list = store->list[kind];
    struct shash_node *n;

    store->listed[kind] = true;
    if (gateway_store_has(kind)) {
        if (store->gateways) {
            gateway_store_list_end(store->gateways, kind);
        }
        return;
    }
    switch ((int) kind) {
    case KUBE_SERVICE:
        SHASH_FOR_EACH (n, &store->services) {
            struct store_entry *e = n->data;

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
        if (store->peers && kube_peers_list_end(store->peers, list)) {
            peers_changed(store);
        }
        break;
    case KUBE_SERVICE_CIDR:
        service_ranges_list_end(&store->ranges);
        break;
    default:
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
