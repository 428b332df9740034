/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "gateway-route.h"

#include <stdlib.h>
#include <string.h>

#include "gateway-parse.h"
#include "gateway-spread.h"
#include "packets.h"
#include "service-equal.h"
#include "service-format.h"
#include "service-model.h"
#include "util.h"

/* The name of a route among those of Services. */
static char *
route_name(const struct gateway_route *route)
{
    return xasprintf("%s/%s", (route->protocol == IPPROTO_TCP ? "tcproute"
                               : "udproute"), route->meta.name);
}

char *
gateway_route_key(const struct gateway_route *route)
{
    char *name = route_name(route);
    char *key = xasprintf("%s/%s", route->meta.namespace_, name);

    free(name);
    return key;
}

/* Returns the ports of 'service' that a route may lead to, and their number in
 * '*n'.  Of a headless Service these are its backends: a route needs endpoints
 * and no address. */
static const struct service_port *
ports_of(const struct service *service, size_t *n)
{
    *n = service->n_backends ? service->n_backends : service->n;
    return service->n_backends ? service->backends : service->ports;
}

/* Returns the Service that 'b' of 'route' refers to.  If the route cannot use
 * it, says why in 'route->refs' and returns null. */
static const struct service *
find_service(struct gateway_route *route, const struct gateway_backend *b,
             gateway_lookup_fn *lookup, const void *aux)
{
    const char *protocol = service_protocol_name(route->protocol);
    const struct service_port *ports;
    const struct service *service;
    size_t n_ports;
    char *key;

    if (!b->is_service) {
        gateway_condition_set(&route->refs, "InvalidKind",
                              "backend %.253s is not a Service", b->name);
        return NULL;
    } else if (!b->granted) {
        gateway_condition_set(&route->refs, "RefNotPermitted",
                              "no ReferenceGrant of namespace %.63s permits "
                              "Service %.253s", b->namespace_, b->name);
        return NULL;
    }
    key = xasprintf("%s/%s", b->namespace_, b->name);
    service = lookup(key, aux);
    free(key);
    if (!service) {
        gateway_condition_set(&route->refs, "BackendNotFound",
                              "there is no Service %.63s/%.253s",
                              b->namespace_, b->name);
        return NULL;
    }
    ports = ports_of(service, &n_ports);
    for (size_t i = 0; i < n_ports; i++) {
        if (ports[i].port == b->port
            && ports[i].protocol == route->protocol) {
            return service;
        }
    }
    gateway_condition_set(&route->refs, "BackendNotFound",
                          "Service %.63s/%.253s has no %s port %d%s%s",
                          b->namespace_, b->name, protocol, b->port,
                          service->why ? ": " : "",
                          service->why ? service->why : "");
    return NULL;
}

/* Returns the port of 'service', which may be null, that 'b' names. */
static const struct service_port *
find_port(const struct service *service, const struct gateway_route *route,
          const struct gateway_backend *b, bool ipv6)
{
    const struct service_port *ports = NULL;
    size_t n = 0;

    if (service) {
        ports = ports_of(service, &n);
    }
    for (size_t i = 0; i < n; i++) {
        const struct service_port *p = &ports[i];

        if (p->ipv6 == ipv6 && p->port == b->port
            && p->protocol == route->protocol) {
            return p;
        }
    }
    return NULL;
}

static int
compare_endpoints(const void *a, const void *b)
{
    return service_endpoint_compare(a, b);
}

/* Returns all endpoints that serve the 'n' 'ports', of which some may be
 * null, once each.  The caller must free their array. */
static struct service_set
join_serving(const struct service_port *const ports[], size_t n)
{
    struct service_set set = { .verdict = SERVICE_FORWARD };
    size_t n_all = 0;

    for (size_t i = 0; i < n; i++) {
        n_all += ports[i] ? ports[i]->serving.n : 0;
    }
    set.endpoints = xmalloc(MAX(n_all, 1) * sizeof *set.endpoints);
    n_all = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; ports[i] && j < ports[i]->serving.n; j++) {
            set.endpoints[n_all++] = ports[i]->serving.endpoints[j];
        }
    }
    if (n_all) {
        qsort(set.endpoints, n_all, sizeof *set.endpoints,
              compare_endpoints);
    }
    for (size_t i = 0; i < n_all; i++) {
        if (!set.n || service_endpoint_compare(&set.endpoints[set.n - 1],
                                               &set.endpoints[i])) {
            set.endpoints[set.n++] = set.endpoints[i];
        }
    }
    return set;
}

/* Adds the addresses of 'place' in one family, if there are any, as a port of
 * 'service', with the endpoints of 'services', one for each backend, whose
 * names are 'names'. */
static void
add_port(struct service *service, const struct gateway_route *route,
         const struct gateway_place *place, bool ipv6,
         const struct service *const services[], char *const names[])
{
    const struct service_port *ports[GATEWAY_MAX_BACKENDS];
    struct gateway_share shares[GATEWAY_MAX_BACKENDS];
    struct in6_addr *addrs = xmalloc((place->n_addrs + 1) * sizeof *addrs);
    struct service_port *port;
    size_t n = 0;

    for (size_t i = 0; i < place->n_addrs; i++) {
        if (IN6_IS_ADDR_V4MAPPED(&place->addrs[i]) != ipv6) {
            addrs[n++] = place->addrs[i];
        }
    }
    if (!n) {
        free(addrs);
        return;
    }
    for (size_t i = 0; i < route->n_backends; i++) {
        ports[i] = find_port(services[i], route, &route->backends[i], ipv6);
        shares[i] = (struct gateway_share) {
            .name = names[i],
            .weight = route->backends[i].weight,
            .set = ports[i] ? &ports[i]->cluster : NULL,
        };
    }
    port = &service->ports[service->n++];
    *port = (struct service_port) {
        .namespace_ = xstrdup(service->namespace_),
        .name = xstrdup(service->name),
        .port_name = xstrdup(""),
        .protocol = route->protocol,
        .ipv6 = ipv6,
        .port = place->port,
        .external_ips = addrs,
        .n_external_ips = n,
    };
    gateway_spread(shares, route->n_backends, &port->cluster);
    port->n_shares = gateway_keep_shares(shares, route->n_backends,
                                         &port->shares);
    port->internal = port->external = port->cluster;
    port->serving = join_serving(ports, route->n_backends);
}

/* Returns why 'route' is served nowhere, for the caller to free. */
static char *
why_not(const struct gateway_route *route)
{
    for (size_t i = 0; i < route->n_parents; i++) {
        const struct gateway_parent *p = &route->parents[i];

        if (p->ours && p->fault.reason) {
            return xasprintf("Gateway %s/%s refuses it: %s", p->namespace_,
                             p->name, p->fault.message);
        } else if (p->ours) {
            return xasprintf("Gateway %s/%s serves none of its listeners",
                             p->namespace_, p->name);
        }
    }
    return xstrdup("it names no Gateway of this program");
}

struct service *
gateway_route_make(struct gateway_route *route, gateway_lookup_fn *lookup,
                   const void *aux)
{
    const struct service *services[GATEWAY_MAX_BACKENDS];
    char *names[GATEWAY_MAX_BACKENDS];
    struct service *service = xzalloc(sizeof *service);

    service->namespace_ = xstrdup(route->meta.namespace_);
    service->name = route_name(route);
    gateway_condition_clear(&route->refs);
    for (size_t i = 0; i < route->n_backends; i++) {
        const struct gateway_backend *b = &route->backends[i];

        services[i] = find_service(route, b, lookup, aux);
        names[i] = xasprintf("%s/%s:%d", b->namespace_, b->name, b->port);
    }
    service->ports = xcalloc(2 * route->n_places + 1, sizeof *service->ports);
    for (size_t i = 0; i < route->n_places; i++) {
        add_port(service, route, &route->places[i], false, services, names);
        add_port(service, route, &route->places[i], true, services, names);
    }
    for (size_t i = 0; i < route->n_backends; i++) {
        free(names[i]);
    }
    if (service->n) {
        qsort(service->ports, service->n, sizeof *service->ports,
              service_port_compare);
    } else {
        service->why = why_not(route);
    }
    return service;
}
