/* SPDX-License-Identifier: Apache-2.0 */

#ifndef GATEWAY_ROUTE_H
#define GATEWAY_ROUTE_H 1

/* What a node has to do for a route
 * =================================
 *
 * A route is served like a Service: the addresses of its Gateways are external
 * addresses, and the endpoints of its Services are its own.  In place of a
 * Service that cannot be used, connections are rejected.
 *
 * Of each Service the endpoints are those that its ClusterIP has without
 * traffic policies.  Affinity does not count.
 *
 * Thread-safety: functions are reentrant. */

struct gateway_route;
struct service;

/* Returns Service "NAMESPACE/NAME", or null if there is none. */
typedef const struct service *gateway_lookup_fn(const char *ns_name,
                                                const void *aux);

/* Returns "NAMESPACE/tcproute/NAME" or "NAMESPACE/udproute/NAME", for the
 * caller to free.  No Service has such a name. */
char *gateway_route_key(const struct gateway_route *route);

/* Returns what our node has to do for 'route', for the caller to destroy with
 * service_destroy().  Sets 'route->refs'. */
struct service *gateway_route_make(struct gateway_route *route,
                                   gateway_lookup_fn *, const void *aux);

#endif /* gateway-route.h */
