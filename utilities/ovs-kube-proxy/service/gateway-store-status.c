/* SPDX-License-Identifier: Apache-2.0 */

/* The status of Gateway API's objects in a store
 * ============================================== */

#include <config.h>
#include "gateway-store.h"
#include "gateway-store-private.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "gateway-parse.h"
#include "gateway-status.h"
#include "packets.h"
#include "service-model.h"
#include "service-policy.h"
#include "util.h"

#define API "/apis/gateway.networking.k8s.io/v1/"

void
gateway_object_set_unchecked(struct gateway_store *gs, struct object *o)
{
    if (ovs_list_is_empty(&o->unchecked)) {
        ovs_list_push_back(&gs->unchecked, &o->unchecked);
    }
}

static bool
conflicts_equal(const struct object *o,
                const struct service_conflict *conflicts, size_t n)
{
    if (o->n_conflicts != n) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        const struct service_conflict *a = &o->conflicts[i];
        const struct service_conflict *b = &conflicts[i];

        if (!ipv6_addr_equals(&a->addr, &b->addr) || a->port != b->port
            || strcmp(a->owner, b->owner)) {
            return false;
        }
    }
    return true;
}

bool
gateway_store_note_conflicts(struct gateway_store *gs, const char *key,
                             struct service_conflict *conflicts, size_t n)
{
    struct object *o = shash_find_data(&gs->routes, key);
    const struct shash_node *node;

    if (!o || conflicts_equal(o, conflicts, n)) {
        return false;
    }
    service_conflicts_destroy(o->conflicts, o->n_conflicts);
    o->conflicts = conflicts;
    o->n_conflicts = n;
    SHASH_FOR_EACH (node, &gs->objects[KUBE_GATEWAY]) {
        gateway_object_set_unchecked(gs, node->data);
    }
    return true;
}

/* Sets 'l->blocked' of listener 'l' of 'gateway' by the conflicts of its
 * route. */
static void
find_blocked(const struct gateway_store *gs, const struct gateway *gateway,
             struct gateway_listener *l)
{
    char *key = l->route ? gateway_route_key(l->route) : NULL;
    const struct object *o = key ? shash_find_data(&gs->routes, key) : NULL;
    size_t n_blocked = 0;

    gateway_condition_clear(&l->blocked);
    for (size_t i = 0; o && i < gateway->n_addrs; i++) {
        for (size_t j = 0; j < o->n_conflicts; j++) {
            const struct service_conflict *c = &o->conflicts[j];

            if (c->port == l->port
                && ipv6_addr_equals(&c->addr, &gateway->addrs[i])) {
                char addr[INET6_ADDRSTRLEN];

                ipv6_string_mapped(addr, &c->addr);
                gateway_condition_set(&l->blocked, "PortUnavailable",
                                      "Service %.317s has port %d of address "
                                      "%s", c->owner, c->port, addr);
                n_blocked++;
                break;
            }
        }
    }
    l->blocked_everywhere = n_blocked && n_blocked == gateway->n_addrs;
    free(key);
}

static struct json *
next_gateway_status(const struct gateway_store *gs, struct gateway *gateway,
                    const char *now)
{
    for (size_t i = 0; i < gateway->n_listeners; i++) {
        find_blocked(gs, gateway, &gateway->listeners[i]);
    }
    return gateway_status(gateway, now);
}

struct json *
gateway_store_next_status(struct gateway_store *gs, const char *now,
                          char **path)
{
    while (!ovs_list_is_empty(&gs->unchecked)) {
        struct object *o = CONTAINER_OF(ovs_list_pop_front(&gs->unchecked),
                                        struct object, unchecked);
        const struct gateway_meta *meta = o->data;
        struct json *patch;

        ovs_list_init(&o->unchecked);
        switch ((int) o->kind) {
        case KUBE_GATEWAY_CLASS:
            patch = gateway_class_status(o->data, now);
            *path = xasprintf(API "gatewayclasses/%s/status", meta->name);
            break;
        case KUBE_GATEWAY:
            patch = next_gateway_status(gs, o->data, now);
            *path = xasprintf(API "namespaces/%s/gateways/%s/status",
                              meta->namespace_, meta->name);
            break;
        case KUBE_REFERENCE_GRANT:
            continue;           /* It has no status. */
        default:
            patch = gateway_route_status(o->data, now);
            *path = xasprintf(API "namespaces/%s/%sroutes/%s/status",
                              meta->namespace_,
                              o->kind == KUBE_TCP_ROUTE ? "tcp" : "udp",
                              meta->name);
        }
        if (patch) {
            return patch;
        }
        free(*path);
    }
    return NULL;
}
