/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "gateway-store.h"
#include "gateway-store-private.h"

#include <stdlib.h>
#include <string.h>

#include "gateway-attach.h"
#include "gateway-parse.h"
#include "openvswitch/list.h"
#include "openvswitch/shash.h"
#include "service-equal.h"
#include "service-journal.h"
#include "service-model.h"
#include "service-policy.h"
#include "sset.h"
#include "timeval.h"
#include "util.h"
#include "utilities/common/complain.h"
#include "utilities/kube/kube-object.h"

bool
gateway_store_has(enum kube_kind kind)
{
    return kind >= KUBE_GATEWAY_CLASS && kind < KUBE_N_KINDS;
}

static bool
is_route(enum kube_kind kind)
{
    return kind == KUBE_TCP_ROUTE || kind == KUBE_UDP_ROUTE;
}

struct gateway_store *
gateway_store_create(void)
{
    struct gateway_store *gs = xzalloc(sizeof *gs);

    for (size_t i = 0; i < ARRAY_SIZE(gs->objects); i++) {
        shash_init(&gs->objects[i]);
    }
    shash_init(&gs->routes);
    ovs_list_init(&gs->changed);
    ovs_list_init(&gs->unchecked);
    shash_init(&gs->gone);
    sset_init(&gs->services);
    return gs;
}

/* Objects. */

static void *
parse(enum kube_kind kind, const struct json *json, char **error)
{
    switch ((int) kind) {
    case KUBE_GATEWAY_CLASS:
        return gateway_class_parse(json, error);
    case KUBE_GATEWAY:
        return gateway_parse(json, error);
    case KUBE_TCP_ROUTE:
        return gateway_route_parse(json, IPPROTO_TCP, error);
    case KUBE_UDP_ROUTE:
        return gateway_route_parse(json, IPPROTO_UDP, error);
    case KUBE_REFERENCE_GRANT:
        return gateway_grant_parse(json, error);
    default:
        OVS_NOT_REACHED();
    }
}

static void
destroy_data(enum kube_kind kind, void *data)
{
    switch ((int) kind) {
    case KUBE_GATEWAY_CLASS:
        gateway_class_destroy(data);
        break;
    case KUBE_GATEWAY:
        gateway_destroy(data);
        break;
    case KUBE_TCP_ROUTE:
    case KUBE_UDP_ROUTE:
        gateway_route_destroy(data);
        break;
    case KUBE_REFERENCE_GRANT:
        gateway_grant_destroy(data);
        break;
    default:
        OVS_NOT_REACHED();
    }
}

/* Returns the name of 'json', for the caller to free. */
static char *
object_name(enum kube_kind kind, const struct json *json)
{
    const struct json *metadata = kube_object_member(json, "metadata");
    const char *name = kube_object_string(metadata, "name");

    return (kube_kind_is_namespaced(kind)
            ? xasprintf("%s/%s", kube_object_string(metadata, "namespace"),
                        name)
            : xstrdup(name));
}

static void
set_changed(struct gateway_store *gs, struct object *o)
{
    if (ovs_list_is_empty(&o->changed)) {
        ovs_list_push_back(&gs->changed, &o->changed);
    }
}

static void
delete_object(struct gateway_store *gs, enum kube_kind kind,
              struct shash_node *node)
{
    struct object *o = node->data;

    if (is_route(kind)) {
        ovs_list_remove(&o->changed);
        shash_find_and_delete(&gs->routes, o->key);
        if (o->model) {
            shash_add(&gs->gone, o->key, o->model);
        }
        service_conflicts_destroy(o->conflicts, o->n_conflicts);
        free(o->key);
    }
    ovs_list_remove(&o->unchecked);
    destroy_data(kind, o->data);
    shash_delete(&gs->objects[kind], node);
    free(o);
    gs->dirty = true;
}

static void
put_object(struct gateway_store *gs, enum kube_kind kind, const char *name,
           void *data)
{
    struct object *o = shash_find_data(&gs->objects[kind], name);

    if (!o) {
        o = xzalloc(sizeof *o);
        o->kind = kind;
        ovs_list_init(&o->unchecked);
        shash_add(&gs->objects[kind], name, o);
        if (is_route(kind)) {
            ovs_list_init(&o->changed);
            o->key = gateway_route_key(data);
            shash_add(&gs->routes, o->key, o);
            o->model = shash_find_and_delete(&gs->gone, o->key);
        }
    } else if (gateway_meta_update(o->data, data)) {
        destroy_data(kind, data);
        o->list = gs->list[kind];
        gateway_object_set_unchecked(gs, o);
        return;
    } else {
        destroy_data(kind, o->data);
    }
    o->data = data;
    o->list = gs->list[kind];
    gs->dirty = true;
}

void
gateway_store_apply(struct gateway_store *gs, enum kube_kind kind,
                    enum kube_event event, const struct json *json,
                    char **error)
{
    char *name = object_name(kind, json);

    if (event == KUBE_DELETED) {
        struct shash_node *node = shash_find(&gs->objects[kind], name);

        if (node) {
            delete_object(gs, kind, node);
        }
    } else {
        void *data = parse(kind, json, error);

        if (data) {
            put_object(gs, kind, name, data);
        }
    }
    free(name);
}

void
gateway_store_list_begin(struct gateway_store *gs, enum kube_kind kind)
{
    gs->list[kind]++;
}

/* Deletes the objects that the list did not have. */
void
gateway_store_list_end(struct gateway_store *gs, enum kube_kind kind)
{
    struct shash_node *node;

    SHASH_FOR_EACH_SAFE (node, &gs->objects[kind]) {
        const struct object *o = node->data;

        if (o->list != gs->list[kind]) {
            delete_object(gs, kind, node);
        }
    }
}

/* Frees 'gs', which may be null. */
void
gateway_store_destroy(struct gateway_store *gs)
{
    if (gs) {
        struct shash_node *gone;

        for (size_t i = 0; i < ARRAY_SIZE(gs->objects); i++) {
            struct shash_node *node;

            SHASH_FOR_EACH_SAFE (node, &gs->objects[i]) {
                delete_object(gs, i, node);
            }
            shash_destroy(&gs->objects[i]);
        }
        shash_destroy(&gs->routes);
        SHASH_FOR_EACH (gone, &gs->gone) {
            service_destroy(gone->data);
        }
        shash_destroy(&gs->gone);
        sset_destroy(&gs->services);
        free(gs);
    }
}

/* Results. */

/* Returns the data of all objects of 'kind' and of 'kind2', which may be the
 * same, in an array of '*n' elements for the caller to free. */
static void *
data_of(const struct gateway_store *gs, enum kube_kind kind,
        enum kube_kind kind2, size_t *n)
{
    void **array = xmalloc((shash_count(&gs->objects[kind])
                            + shash_count(&gs->objects[kind2]) + 1)
                           * sizeof *array);
    const struct shash_node *node;

    *n = 0;
    SHASH_FOR_EACH (node, &gs->objects[kind]) {
        array[(*n)++] = ((const struct object *) node->data)->data;
    }
    SHASH_FOR_EACH (node, &gs->objects[kind2]) {
        if (kind2 != kind) {
            array[(*n)++] = ((const struct object *) node->data)->data;
        }
    }
    return array;
}

static void
note_services(struct gateway_store *gs, const struct gateway_route *route)
{
    for (size_t i = 0; i < route->n_backends; i++) {
        char *key = xasprintf("%s/%s", route->backends[i].namespace_,
                              route->backends[i].name);

        sset_add(&gs->services, key);
        free(key);
    }
}

/* Attaches all routes anew. */
static void
attach(struct gateway_store *gs)
{
    struct shash classes = SHASH_INITIALIZER(&classes);
    struct gateway_objects all = { .classes = &classes };
    const struct shash_node *node;

    SHASH_FOR_EACH (node, &gs->objects[KUBE_GATEWAY_CLASS]) {
        shash_add(&classes, node->name,
                  ((const struct object *) node->data)->data);
    }
    all.gateways = data_of(gs, KUBE_GATEWAY, KUBE_GATEWAY, &all.n_gateways);
    all.routes = data_of(gs, KUBE_TCP_ROUTE, KUBE_UDP_ROUTE, &all.n_routes);
    all.grants = data_of(gs, KUBE_REFERENCE_GRANT, KUBE_REFERENCE_GRANT,
                         &all.n_grants);
    gateway_attach(&all);
    sset_clear(&gs->services);
    for (size_t i = 0; i < all.n_routes; i++) {
        note_services(gs, all.routes[i]);
    }
    SHASH_FOR_EACH (node, &gs->routes) {
        struct object *o = node->data;

        if (((const struct gateway_route *) o->data)->changed) {
            set_changed(gs, o);
        }
    }
    SHASH_FOR_EACH (node, &gs->objects[KUBE_GATEWAY_CLASS]) {
        gateway_object_set_unchecked(gs, node->data);
    }
    SHASH_FOR_EACH (node, &gs->objects[KUBE_GATEWAY]) {
        gateway_object_set_unchecked(gs, node->data);
    }
    free(all.gateways);
    free(all.routes);
    free(all.grants);
    shash_destroy(&classes);
}

static bool
refers_to(const struct gateway_route *route, const char *ns_name)
{
    for (size_t i = 0; i < route->n_backends; i++) {
        const char *ns = route->backends[i].namespace_;
        size_t n = strlen(ns);

        if (!strncmp(ns_name, ns, n) && ns_name[n] == '/'
            && !strcmp(ns_name + n + 1, route->backends[i].name)) {
            return true;
        }
    }
    return false;
}

void
gateway_store_note_service(struct gateway_store *gs, const char *ns_name)
{
    const struct shash_node *node;

    /* 'services' is old while 'dirty', but then each route that it lacks is
     * new, and will be looked at. */
    if (sset_contains(&gs->services, ns_name)) {
        SHASH_FOR_EACH (node, &gs->routes) {
            struct object *o = node->data;

            if (refers_to(o->data, ns_name)) {
                set_changed(gs, o);
            }
        }
    }
}

/* Forgets one of 'gs->gone', and returns its key, for the caller to free. */
static char *
pop_gone(struct gateway_store *gs, struct service_journal *journal)
{
    struct shash_node *node = shash_first(&gs->gone);
    char *key = xstrdup(node->name);

    service_journal_note(journal, key, node->data, true, time_wall_msec());
    shash_delete(&gs->gone, node);
    return key;
}

char *
gateway_store_next_changed(struct gateway_store *gs,
                           gateway_lookup_fn *lookup, const void *aux,
                           struct service_journal *journal)
{
    if (gs->dirty) {
        attach(gs);
        gs->dirty = false;
    }
    if (!shash_is_empty(&gs->gone)) {
        return pop_gone(gs, journal);
    }
    while (!ovs_list_is_empty(&gs->changed)) {
        struct object *o = CONTAINER_OF(ovs_list_pop_front(&gs->changed),
                                        struct object, changed);
        struct gateway_route *route = o->data;
        struct service *model = gateway_route_make(route, lookup, aux);
        bool equal = service_equal(o->model, model);

        ovs_list_init(&o->changed);
        if (equal) {
            service_destroy(o->model);
        } else {
            service_journal_note(journal, o->key, o->model, false,
                                 time_wall_msec());
        }
        o->model = model;
        gateway_object_set_unchecked(gs, o);
        if (route->refs.reason) {
            complain_once("%.600s: %s", o->key, route->refs.message);
        }
        if (!equal) {
            return xstrdup(o->key);
        }
    }
    return NULL;
}

const struct service *
gateway_store_find(const struct gateway_store *gs, const char *key)
{
    const struct object *o = shash_find_data(&gs->routes, key);

    return o ? o->model : NULL;
}

size_t
gateway_store_all(const struct gateway_store *gs,
                  const struct service **services)
{
    const struct shash_node **nodes = shash_sort(&gs->routes);
    size_t n = 0;

    for (size_t i = 0; i < shash_count(&gs->routes); i++) {
        const struct object *o = nodes[i]->data;

        if (o->model) {
            services[n++] = o->model;
        }
    }
    free(nodes);
    return n;
}

size_t
gateway_store_count(const struct gateway_store *gs, enum kube_kind kind)
{
    return shash_count(&gs->objects[kind]);
}
