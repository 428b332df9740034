/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "gateway-status.h"

#include <arpa/inet.h>
#include <string.h>

#include "gateway-attach.h"
#include "gateway-model.h"
#include "openvswitch/json.h"
#include "openvswitch/shash.h"
#include "packets.h"
#include "util.h"
#include "utilities/common/compat-json.h"
#include "utilities/kube/kube-object.h"
#include "utilities/kube/kube-value.h"

/* Entries of lists that are looked at. */
#define MAX_ENTRIES 256

/* Conditions. */

/* Returns the elements of the list 'name' of 'object', which may be null, and
 * their number in '*n'. */
static struct json **
list_of(const struct json *object, const char *name, size_t *n)
{
    struct json **elems;
    char *error = NULL;

    *n = kv_array(object, name, MAX_ENTRIES, &elems, &error);
    free(error);
    return elems;
}

/* Returns the condition of 'type' in 'object', or null. */
static const struct json *
find_condition(const struct json *object, const char *type)
{
    size_t n;
    struct json **elems = list_of(object, "conditions", &n);

    for (size_t i = 0; i < n; i++) {
        if (!strcmp(kube_object_string(elems[i], "type"), type)) {
            return elems[i];
        }
    }
    return NULL;
}

/* What conditions are made from. */
struct writer {
    const struct gateway_meta *meta;
    const char *now;
    const struct json *old;     /* Object that had them, or null. */
    struct json *conditions;
};

static void
put_condition(struct writer *w, const char *type, bool status,
              const char *reason, const char *message)
{
    const struct json *old = find_condition(w->old, type);
    const char *text = status ? "True" : "False";
    struct json *object = json_object_create();
    bool same = !strcmp(kube_object_string(old, "status"), text);

    json_object_put_string(object, "type", type);
    json_object_put_string(object, "status", text);
    json_object_put_string(object, "reason", reason);
    json_object_put_string(object, "message", message ? message : "");
    json_object_put(object, "observedGeneration",
                    json_integer_create(w->meta->generation));
    json_object_put_string(object, "lastTransitionTime",
                           same && kube_object_string(
                               old, "lastTransitionTime")[0]
                           ? kube_object_string(old, "lastTransitionTime")
                           : w->now);
    json_array_add(w->conditions, object);
}

/* Puts condition 'type': false if 'c' is, else true with 'reason'. */
static void
put(struct writer *w, const char *type, const struct gateway_condition *c,
    const char *reason)
{
    put_condition(w, type, !c->reason, c->reason ? c->reason : reason,
                  c->message);
}

/* Moves the elements of the array 'new' into the result, for the caller to
 * destroy, in the order that they have in the 'n' elements 'old'.  Those of
 * 'old' that have none of 'new' by 'same' stay if 'keep' is true of them, so
 * that two controllers do not undo each other's order. */
static struct json *
merge(struct json *const old[], size_t n, struct json *new,
      bool (*same)(const struct json *, const struct json *),
      bool (*keep)(const struct json *))
{
    size_t n_new = json_array_size(new);
    struct json *array = json_array_create_empty();
    bool *used = xcalloc(MAX(n_new, 1), sizeof *used);

    for (size_t i = 0; i < n; i++) {
        size_t j = 0;

        while (j < n_new && (used[j] || !same(old[i],
                                              json_array_at(new, j)))) {
            j++;
        }
        if (j < n_new) {
            used[j] = true;
            json_array_add(array, json_deep_clone(json_array_at(new, j)));
        } else if (keep(old[i])) {
            json_array_add(array, json_deep_clone(old[i]));
        }
    }
    for (size_t j = 0; j < n_new; j++) {
        if (!used[j]) {
            json_array_add(array, json_deep_clone(json_array_at(new, j)));
        }
    }
    free(used);
    json_destroy(new);
    return array;
}

static bool
same_type(const struct json *a, const struct json *b)
{
    return !strcmp(kube_object_string(a, "type"),
                   kube_object_string(b, "type"));
}

/* A condition that is not among ours stays. */
static bool
has_type(const struct json *condition)
{
    return kube_object_string(condition, "type")[0];
}

/* Returns the conditions of 'w', and those that others have written. */
static struct json *
finish(struct writer *w)
{
    size_t n;
    struct json **old = list_of(w->old, "conditions", &n);

    return merge(old, n, w->conditions, same_type, has_type);
}

static struct writer
begin(const struct gateway_meta *meta, const struct json *old,
      const char *now)
{
    return (struct writer) {
        .meta = meta, .now = now, .old = old,
        .conditions = json_array_create_empty(),
    };
}

/* Returns true if each member of 'new' is in 'old', which may be null. */
static bool
is_same(const struct json *old, const struct json *new)
{
    const struct shash_node *node;

    SHASH_FOR_EACH (node, json_object(new)) {
        const struct json *value = kv_member(old, node->name);

        if (!value || !json_equal(value, node->data)) {
            return false;
        }
    }
    return true;
}

/* Makes a patch of 'status', which it takes over; see gateway-status.h. */
static struct json *
make_patch(const struct gateway_meta *meta, struct json *status)
{
    struct json *patch, *metadata;

    if (is_same(meta->status, status)) {
        json_destroy(status);
        return NULL;
    }
    patch = json_object_create();
    metadata = json_object_create();
    json_object_put_string(metadata, "resourceVersion", meta->version);
    json_object_put(patch, "metadata", metadata);
    json_object_put(patch, "status", status);
    return patch;
}

/* Objects. */

struct json *
gateway_class_status(const struct gateway_class *class, const char *now)
{
    struct writer w;
    struct json *status;

    if (!class->ours) {
        return NULL;
    }
    w = begin(&class->meta, class->meta.status, now);
    put_condition(&w, "Accepted", true, "Accepted", NULL);
    status = json_object_create();
    json_object_put(status, "conditions", finish(&w));
    return make_patch(&class->meta, status);
}

static bool
is_served(const struct gateway *gateway, const struct gateway_listener *l)
{
    return (gateway_listener_is_served(gateway, l)
            && !l->blocked_everywhere);
}

/* Returns why "Accepted" of 'l' is false, or a condition that holds. */
static const struct gateway_condition *
find_fault(const struct gateway_listener *l)
{
    return (l->fault.reason ? &l->fault
            : l->taken.reason ? &l->taken : &l->blocked);
}

static struct json *
supported_kinds(const struct gateway_listener *l)
{
    struct json *array = json_array_create_empty();

    if (l->open) {
        struct json *kind = json_object_create();

        json_object_put_string(kind, "group", "gateway.networking.k8s.io");
        json_object_put_string(kind, "kind", l->protocol == IPPROTO_TCP
                               ? "TCPRoute" : "UDPRoute");
        json_array_add(array, kind);
    }
    return array;
}

static struct json *
listener_status(const struct gateway *gateway,
                const struct gateway_listener *l, const char *now)
{
    struct json *object = json_object_create();
    const struct json *old = NULL;
    size_t n;
    struct json **elems = list_of(gateway->meta.status, "listeners", &n);
    bool served = is_served(gateway, l);
    struct writer w;

    for (size_t i = 0; i < n && !old; i++) {
        if (!strcmp(kube_object_string(elems[i], "name"), l->name)) {
            old = elems[i];
        }
    }
    w = begin(&gateway->meta, old, now);
    put(&w, "Accepted", find_fault(l), "Accepted");
    put_condition(&w, "Programmed", served, served ? "Programmed" : "Invalid",
                  served ? NULL : "no connections are served here");
    put(&w, "ResolvedRefs", &l->kinds, "ResolvedRefs");
    put_condition(&w, "Conflicted", l->conflicted,
                  l->conflicted ? "ProtocolConflict" : "NoConflicts",
                  l->conflicted ? l->taken.message : NULL);
    json_object_put_string(object, "name", l->name);
    json_object_put(object, "supportedKinds", supported_kinds(l));
    json_object_put(object, "attachedRoutes",
                    json_integer_create(l->route != NULL));
    json_object_put(object, "conditions", finish(&w));
    return object;
}

static struct json *
addresses(const struct gateway *gateway)
{
    struct json *array = json_array_create_empty();

    for (size_t i = 0; i < gateway->n_addrs; i++) {
        struct json *object = json_object_create();
        char addr[INET6_ADDRSTRLEN];

        ipv6_string_mapped(addr, &gateway->addrs[i]);
        json_object_put_string(object, "type", "IPAddress");
        json_object_put_string(object, "value", addr);
        json_array_add(array, object);
    }
    return array;
}

/* Puts the conditions of 'gateway', of whose listeners 'n_served' are served,
 * 'n_whole' of them at all addresses. */
static void
put_gateway_conditions(struct writer *w, const struct gateway *gateway,
                       size_t n_served, size_t n_whole)
{
    bool all = n_whole == gateway->n_listeners, none = !n_served;

    if (gateway->fault.reason) {
        put(w, "Accepted", &gateway->fault, NULL);
    } else if (all || !gateway->n_addrs) {
        put_condition(w, "Accepted", true, "Accepted", NULL);
    } else {
        put_condition(w, "Accepted", !none, "ListenersNotValid",
                      none ? "no listener is served"
                      : "some listeners are not served");
    }
    if (!gateway->n_addrs) {
        put_condition(w, "Programmed", false, "AddressNotAssigned",
                      "spec.addresses must name an IP address");
    } else {
        put_condition(w, "Programmed", !none, none ? "Invalid" : "Programmed",
                      none ? "no listener is served" : NULL);
    }
}

struct json *
gateway_status(const struct gateway *gateway, const char *now)
{
    struct json *status, *listeners;
    size_t n_served = 0, n_whole = 0;
    struct writer w;

    if (!gateway->ours) {
        return NULL;
    }
    listeners = json_array_create_empty();
    for (size_t i = 0; i < gateway->n_listeners; i++) {
        const struct gateway_listener *l = &gateway->listeners[i];

        n_served += is_served(gateway, l);
        n_whole += is_served(gateway, l) && !l->blocked.reason;
        json_array_add(listeners, listener_status(gateway, l, now));
    }
    w = begin(&gateway->meta, gateway->meta.status, now);
    put_gateway_conditions(&w, gateway, n_served, n_whole);
    status = json_object_create();
    json_object_put(status, "addresses", addresses(gateway));
    json_object_put(status, "conditions", finish(&w));
    json_object_put(status, "listeners", listeners);
    return make_patch(&gateway->meta, status);
}

/* Returns true if 'entry' of a route's status was written by this program. */
static bool
is_ours(const struct json *entry)
{
    return !strcmp(kube_object_string(entry, "controllerName"),
                   GATEWAY_CONTROLLER);
}

static bool
is_foreign(const struct json *entry)
{
    return !is_ours(entry);
}

/* Returns true if 'old' is our entry for the parent of 'new'. */
static bool
same_parent(const struct json *old, const struct json *new)
{
    const struct json *ref = kube_object_member(old, "parentRef");

    return (is_ours(old) && ref
            && json_equal(ref, kube_object_member(new, "parentRef")));
}

static struct json *
parent_status(const struct gateway_route *route,
              const struct gateway_parent *parent, const char *now)
{
    struct json *object = json_object_create();
    const struct json *old = NULL;
    size_t n;
    struct json **elems = list_of(route->meta.status, "parents", &n);
    struct writer w;

    for (size_t i = 0; i < n && !old; i++) {
        const struct json *ref = kube_object_member(elems[i], "parentRef");

        if (is_ours(elems[i]) && ref && json_equal(ref, parent->ref)) {
            old = elems[i];
        }
    }
    w = begin(&route->meta, old, now);
    put(&w, "Accepted", &parent->fault, "Accepted");
    put(&w, "ResolvedRefs", &route->refs, "ResolvedRefs");
    json_object_put(object, "parentRef", json_deep_clone(parent->ref));
    json_object_put_string(object, "controllerName", GATEWAY_CONTROLLER);
    json_object_put(object, "conditions", finish(&w));
    return object;
}

struct json *
gateway_route_status(const struct gateway_route *route, const char *now)
{
    struct json *status, *parents = json_array_create_empty();
    size_t n;
    struct json **old = list_of(route->meta.status, "parents", &n);
    bool ours = false;

    for (size_t i = 0; i < n; i++) {
        ours |= is_ours(old[i]);
    }
    for (size_t i = 0; i < route->n_parents; i++) {
        if (route->parents[i].ours) {
            ours = true;
            json_array_add(parents,
                           parent_status(route, &route->parents[i], now));
        }
    }
    if (!ours) {
        json_destroy(parents);
        return NULL;            /* Another controller's route. */
    }
    status = json_object_create();
    json_object_put(status, "parents",
                    merge(old, n, parents, same_parent, is_foreign));
    return make_patch(&route->meta, status);
}
