/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "gateway-attach.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "gateway-parse.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/shash.h"
#include "packets.h"
#include "util.h"

static int
compare_meta(const struct gateway_meta *a, const struct gateway_meta *b)
{
    int cmp = strcmp(a->created, b->created);

    cmp = cmp ? cmp : strcmp(a->namespace_, b->namespace_);
    return cmp ? cmp : strcmp(a->name, b->name);
}

static int
compare_gateways(const void *a, const void *b)
{
    return compare_meta(&(*(struct gateway *const *) a)->meta,
                        &(*(struct gateway *const *) b)->meta);
}

static int
compare_routes(const void *a_, const void *b_)
{
    const struct gateway_route *a = *(struct gateway_route *const *) a_;
    const struct gateway_route *b = *(struct gateway_route *const *) b_;
    int cmp = compare_meta(&a->meta, &b->meta);

    return cmp ? cmp : (int) a->protocol - b->protocol;
}

bool
gateway_listener_is_served(const struct gateway *gateway,
                           const struct gateway_listener *l)
{
    return (gateway->ours && gateway->n_addrs && !gateway->fault.reason
            && !l->fault.reason && !l->taken.reason);
}

/* Gateways. */

/* Refuses listeners of 'gateway' that are for the same packets.  None of them
 * wins. */
static void
find_conflicts(struct gateway *gateway)
{
    for (size_t i = 0; i < gateway->n_listeners; i++) {
        for (size_t j = i + 1; j < gateway->n_listeners; j++) {
            struct gateway_listener *a = &gateway->listeners[i];
            struct gateway_listener *b = &gateway->listeners[j];

            if (a->port == b->port && a->on_tcp == b->on_tcp
                && (a->protocol || b->protocol)) {
                a->conflicted = b->conflicted = true;
                gateway_condition_set(&a->taken, "PortUnavailable",
                                      "listener %.63s has the same port",
                                      b->name);
                gateway_condition_set(&b->taken, "PortUnavailable",
                                      "listener %.63s has the same port",
                                      a->name);
            }
        }
    }
}

/* Refuses 'l' of 'gateway' if an older Gateway has one of its addresses and
 * its port.  Otherwise adds these to 'taken'. */
static void
take_port(struct gateway *gateway, struct gateway_listener *l,
          struct shash *taken)
{
    char *keys[GATEWAY_MAX_ADDRESSES];
    const struct gateway *other = NULL;

    for (size_t i = 0; i < gateway->n_addrs; i++) {
        char addr[INET6_ADDRSTRLEN];

        ipv6_string_mapped(addr, &gateway->addrs[i]);
        keys[i] = xasprintf("%d %d %s", l->protocol, l->port, addr);
        other = other ? other : shash_find_data(taken, keys[i]);
    }
    for (size_t i = 0; i < gateway->n_addrs; i++) {
        if (!other) {
            shash_add(taken, keys[i], gateway);
        }
        free(keys[i]);
    }
    if (other) {
        gateway_condition_set(&l->taken, "PortUnavailable",
                              "Gateway %.63s/%.253s has the same address and "
                              "port", other->meta.namespace_,
                              other->meta.name);
    }
}

static void
attach_gateways(const struct gateway_objects *all)
{
    struct shash taken = SHASH_INITIALIZER(&taken);

    for (size_t i = 0; i < all->n_gateways; i++) {
        struct gateway *gateway = all->gateways[i];
        const struct gateway_class *class = shash_find_data(all->classes,
                                                            gateway->class);

        gateway->ours = class && class->ours;
        for (size_t j = 0; j < gateway->n_listeners; j++) {
            struct gateway_listener *l = &gateway->listeners[j];

            l->conflicted = false;
            gateway_condition_clear(&l->taken);
            l->route = NULL;
        }
        find_conflicts(gateway);
        for (size_t j = 0; j < gateway->n_listeners; j++) {
            struct gateway_listener *l = &gateway->listeners[j];

            if (gateway_listener_is_served(gateway, l)) {
                take_port(gateway, l, &taken);
            }
        }
    }
    shash_destroy(&taken);
}

/* Routes. */

static bool
is_allowed(const struct gateway *gateway, const struct gateway_listener *l,
           const struct gateway_route *route)
{
    const char *ns = route->meta.namespace_;

    if (!l->open || l->protocol != route->protocol) {
        return false;
    } else if (l->from != GATEWAY_SELECTED) {
        return (l->from == GATEWAY_ALL
                || !strcmp(ns, gateway->meta.namespace_));
    }
    for (size_t i = 0; i < l->n_namespaces; i++) {
        if (!strcmp(ns, l->namespaces[i])) {
            return true;
        }
    }
    return false;
}

static struct gateway_place *
get_place(struct gateway_route *route, uint16_t port)
{
    struct gateway_place *place;

    for (size_t i = 0; i < route->n_places; i++) {
        if (route->places[i].port == port) {
            return &route->places[i];
        }
    }
    route->places = xrealloc(route->places, (route->n_places + 1)
                             * sizeof *route->places);
    place = &route->places[route->n_places++];
    *place = (struct gateway_place) { .port = port };
    return place;
}

static void
add_place(struct gateway_route *route, uint16_t port,
          const struct gateway *gateway)
{
    struct gateway_place *place = get_place(route, port);

    for (size_t i = 0; i < gateway->n_addrs; i++) {
        bool have = false;

        for (size_t j = 0; j < place->n_addrs; j++) {
            have |= ipv6_addr_equals(&place->addrs[j], &gateway->addrs[i]);
        }
        if (!have) {
            place->addrs = xrealloc(place->addrs, (place->n_addrs + 1)
                                    * sizeof *place->addrs);
            place->addrs[place->n_addrs++] = gateway->addrs[i];
        }
    }
}

/* Attaches 'route' to the listeners of 'gateway' that 'parent' names. */
static void
attach_to(struct gateway_route *route, struct gateway_parent *parent,
          struct gateway *gateway)
{
    bool matched = false, attached = false;
    const struct gateway_route *other = NULL;

    for (size_t i = 0; i < gateway->n_listeners; i++) {
        struct gateway_listener *l = &gateway->listeners[i];

        if ((parent->section && strcmp(parent->section, l->name))
            || (parent->port && parent->port != l->port)) {
            continue;
        }
        matched = true;
        if (!is_allowed(gateway, l, route)) {
            continue;
        } else if (l->route && l->route != route) {
            other = l->route;
            continue;
        }
        attached = true;
        l->route = route;
        if (gateway_listener_is_served(gateway, l)) {
            add_place(route, l->port, gateway);
        }
    }
    if (!matched) {
        gateway_condition_set(&parent->fault, "NoMatchingParent",
                              "the Gateway has no such listener");
    } else if (!attached && other) {
        gateway_condition_set(&parent->fault, "Conflicted",
                              "the listener has an older route, "
                              "%.63s/%.253s", other->meta.namespace_,
                              other->meta.name);
    } else if (!attached) {
        gateway_condition_set(&parent->fault, "NotAllowedByListeners",
                              "no listener allows a route of this kind and "
                              "namespace");
    }
}

/* Returns true if a ReferenceGrant lets 'route' refer to 'b'. */
static bool
is_granted(const struct gateway_objects *all,
           const struct gateway_route *route, const struct gateway_backend *b)
{
    for (size_t i = 0; i < all->n_grants; i++) {
        const struct gateway_grant *grant = all->grants[i];
        bool from = false, to = false;

        if (strcmp(grant->meta.namespace_, b->namespace_)) {
            continue;
        }
        for (size_t j = 0; j < grant->n_from; j++) {
            from |= (grant->from[j].protocol == route->protocol
                     && !strcmp(grant->from[j].namespace_,
                                route->meta.namespace_));
        }
        for (size_t j = 0; j < grant->n_services; j++) {
            to |= (!grant->services[j]
                   || !strcmp(grant->services[j], b->name));
        }
        if (from && to) {
            return true;
        }
    }
    return false;
}

/* Sets 'route->changed' by its results. */
static void
summarize(struct gateway_route *route)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    char *summary;

    for (size_t i = 0; i < route->n_places; i++) {
        const struct gateway_place *place = &route->places[i];

        ds_put_format(&s, "%d", place->port);
        for (size_t j = 0; j < place->n_addrs; j++) {
            ds_put_char(&s, ' ');
            ipv6_format_mapped(&place->addrs[j], &s);
        }
        ds_put_char(&s, '\n');
    }
    for (size_t i = 0; i < route->n_parents; i++) {
        const struct gateway_parent *parent = &route->parents[i];

        ds_put_format(&s, "%d %s\n", parent->ours,
                      parent->fault.reason ? parent->fault.message : "");
    }
    for (size_t i = 0; i < route->n_backends; i++) {
        ds_put_format(&s, "%d", route->backends[i].granted);
    }
    summary = ds_steal_cstr(&s);
    route->changed = !nullable_string_is_equal(route->summary, summary);
    free(route->summary);
    route->summary = summary;
}

static void
attach_route(const struct gateway_objects *all, const struct shash *gateways,
             struct gateway_route *route)
{
    gateway_route_clear_places(route);
    for (size_t i = 0; i < route->n_parents; i++) {
        struct gateway_parent *parent = &route->parents[i];
        char *key = xasprintf("%s/%s", parent->namespace_, parent->name);
        struct gateway *gateway = shash_find_data(gateways, key);

        gateway_condition_clear(&parent->fault);
        parent->ours = parent->is_gateway && gateway && gateway->ours;
        if (parent->ours) {
            attach_to(route, parent, gateway);
        }
        free(key);
    }
    for (size_t i = 0; i < route->n_backends; i++) {
        struct gateway_backend *b = &route->backends[i];

        b->granted = (!strcmp(b->namespace_, route->meta.namespace_)
                      || is_granted(all, route, b));
    }
    summarize(route);
}

void
gateway_attach(const struct gateway_objects *all)
{
    struct shash gateways = SHASH_INITIALIZER(&gateways);

    if (all->n_gateways) {
        qsort(all->gateways, all->n_gateways, sizeof *all->gateways,
              compare_gateways);
    }
    if (all->n_routes) {
        qsort(all->routes, all->n_routes, sizeof *all->routes,
              compare_routes);
    }
    attach_gateways(all);
    for (size_t i = 0; i < all->n_gateways; i++) {
        char *key = xasprintf("%s/%s", all->gateways[i]->meta.namespace_,
                              all->gateways[i]->meta.name);

        shash_add(&gateways, key, all->gateways[i]);
        free(key);
    }
    for (size_t i = 0; i < all->n_routes; i++) {
        attach_route(all, &gateways, all->routes[i]);
    }
    shash_destroy(&gateways);
}
