/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "gateway-parse.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/json.h"
#include "openvswitch/shash.h"
#include "packets.h"
#include "util.h"
#include "utilities/kube/kube-object.h"
#include "utilities/kube/kube-value.h"

#define GROUP "gateway.networking.k8s.io"

/* The label that each namespace has, with its name as value. */
#define NAME_LABEL "kubernetes.io/metadata.name"

void
gateway_condition_set(struct gateway_condition *c, const char *reason,
                      const char *format, ...)
{
    if (!c->reason) {
        va_list args;

        va_start(args, format);
        c->message = xvasprintf(format, args);
        va_end(args);
        c->reason = reason;
    }
}

void
gateway_condition_clear(struct gateway_condition *c)
{
    free(c->message);
    *c = (struct gateway_condition) { .reason = NULL };
}

/* Parts of all objects. */

static bool
parse_meta(struct gateway_meta *meta, const struct json *object,
           char **error)
{
    const struct json *metadata = kube_object_member(object, "metadata");
    const struct json *status = kube_object_member(object, "status");
    const char *name = kube_object_string(metadata, "name");
    const char *ns = kube_object_string(metadata, "namespace");

    if (!name[0] || strchr(name, '/') || strchr(ns, '/')) {
        kv_complain(error, "metadata.name is missing or has a '/'");
        return false;
    }
    meta->namespace_ = xstrdup(ns);
    meta->name = xstrdup(name);
    meta->created = xstrdup(kube_object_string(metadata,
                                               "creationTimestamp"));
    meta->uid = xstrdup(kube_object_string(metadata, "uid"));
    meta->version = xstrdup(kube_object_string(metadata, "resourceVersion"));
    kv_integer(metadata, "generation", 0, LLONG_MAX, &meta->generation,
               error);
    meta->status = (status ? json_deep_clone(status) : NULL);
    return true;
}

bool
gateway_meta_update(struct gateway_meta *old, struct gateway_meta *new)
{
    struct json *status = old->status;
    char *version = old->version;

    if (!new->generation || new->generation != old->generation
        || !new->uid[0] || strcmp(new->uid, old->uid)) {
        return false;
    }
    old->status = new->status;
    old->version = new->version;
    new->status = status;
    new->version = version;
    return true;
}

static void
destroy_meta(struct gateway_meta *meta)
{
    free(meta->namespace_);
    free(meta->name);
    free(meta->created);
    free(meta->uid);
    free(meta->version);
    json_destroy(meta->status);
}

/* Returns member 'name' of 'object', or 'default_' if it has none. */
static const char *
string_or(const struct json *object, const char *name, const char *default_)
{
    return (kv_member(object, name) ? kube_object_string(object, name)
            : default_);
}

/* Returns true if 'object' has 'group' and 'kind', with these defaults. */
static bool
is_kind(const struct json *object, const char *default_group,
        const char *default_kind, const char *group, const char *kind)
{
    return (!strcmp(string_or(object, "group", default_group), group)
            && !strcmp(string_or(object, "kind", default_kind), kind));
}

static const char *
route_kind(uint8_t protocol)
{
    return protocol == IPPROTO_TCP ? "TCPRoute" : "UDPRoute";
}

/* GatewayClasses. */

struct gateway_class *
gateway_class_parse(const struct json *object, char **error)
{
    struct gateway_class *class = xzalloc(sizeof *class);

    if (!parse_meta(&class->meta, object, error)) {
        free(class);
        return NULL;
    }
    class->ours = !strcmp(kube_object_string(
                              kube_object_member(object, "spec"),
                              "controllerName"), GATEWAY_CONTROLLER);
    return class;
}

void
gateway_class_destroy(struct gateway_class *class)
{
    if (class) {
        destroy_meta(&class->meta);
        free(class);
    }
}

/* Gateways. */

static void
add_namespace(struct gateway_listener *l, const char *name)
{
    l->namespaces[l->n_namespaces++] = xstrdup(name);
}

/* Parses the selector of namespaces.  Only the name of a namespace can be
 * selected: labels are not read.  Returns false if 'selector' says more. */
static bool
parse_selector(struct gateway_listener *l, const struct json *selector,
               char **error)
{
    const struct json *labels = kube_object_member(selector, "matchLabels");
    const char *name = kube_object_string(labels, NAME_LABEL);
    size_t n_labels = labels ? shash_count(json_object(labels)) : 0;
    struct json **exprs, **values;
    size_t n_exprs = kv_array(selector, "selector.matchExpressions", 2,
                              &exprs, error);

    l->namespaces = xmalloc(GATEWAY_MAX_NAMESPACES * sizeof *l->namespaces);
    if (n_labels == 1 && name[0] && !n_exprs) {
        add_namespace(l, name);
        return true;
    }
    if (n_labels || n_exprs != 1
        || strcmp(kube_object_string(exprs[0], "key"), NAME_LABEL)
        || strcmp(kube_object_string(exprs[0], "operator"), "In")) {
        return false;
    }
    n_exprs = kv_array(exprs[0], "selector.matchExpressions.values",
                       GATEWAY_MAX_NAMESPACES, &values, error);
    for (size_t i = 0; i < n_exprs; i++) {
        add_namespace(l, kv_string(values[i]));
    }
    return true;
}

static void
parse_namespaces(struct gateway_listener *l, const struct json *namespaces,
                 char **error)
{
    const char *from = string_or(namespaces, "from", "Same");

    if (!strcmp(from, "All")) {
        l->from = GATEWAY_ALL;
    } else if (!strcmp(from, "Same")) {
        l->from = GATEWAY_SAME;
    } else {
        l->from = GATEWAY_SELECTED;
        if (strcmp(from, "Selector")
            || !parse_selector(l, kube_object_member(namespaces, "selector"),
                               error)) {
            gateway_condition_set(&l->fault, "UnsupportedValue",
                                  "allowedRoutes.namespaces: only All, Same, "
                                  "and a selector of "NAME_LABEL" are known");
        }
    }
}

static void
parse_kinds(struct gateway_listener *l, const struct json *allowed,
            char **error)
{
    struct json **kinds;
    size_t n = kv_array(allowed, "allowedRoutes.kinds", GATEWAY_MAX_KINDS,
                        &kinds, error);

    l->open = !n && l->protocol;
    for (size_t i = 0; i < n; i++) {
        if (l->protocol && is_kind(kinds[i], GROUP, "", GROUP,
                                   route_kind(l->protocol))) {
            l->open = true;
        } else {
            gateway_condition_set(&l->kinds, "InvalidRouteKinds",
                                  "allowedRoutes.kinds: routes of kind %.63s "
                                  "cannot be attached",
                                  kube_object_string(kinds[i], "kind"));
        }
    }
}

static bool
parse_listener(struct gateway_listener *l, const struct json *object,
               char **error)
{
    const struct json *allowed = kube_object_member(object, "allowedRoutes");
    const char *protocol = kube_object_string(object, "protocol");
    const char *name = kube_object_string(object, "name");
    uint16_t port = kv_port(object, "port", error);

    if (!name[0] || !port) {
        kv_complain(error, "a listener has no name or no port");
        return false;
    }
    l->name = xstrdup(name);
    l->port = port;
    l->protocol = (!strcmp(protocol, "TCP") ? IPPROTO_TCP
                   : !strcmp(protocol, "UDP") ? IPPROTO_UDP : 0);
    l->on_tcp = l->protocol != IPPROTO_UDP;
    if (!l->protocol) {
        gateway_condition_set(&l->fault, "UnsupportedProtocol",
                              "protocol: only TCP and UDP are known");
    }
    parse_namespaces(l, kube_object_member(allowed, "namespaces"), error);
    parse_kinds(l, allowed, error);
    return true;
}

static void
parse_gateway_addresses(struct gateway *gateway, const struct json *spec,
                        char **error)
{
    struct json **elems;
    size_t n = kv_array(spec, "spec.addresses", GATEWAY_MAX_ADDRESSES, &elems,
                        error);

    for (size_t i = 0; i < n; i++) {
        if (strcmp(string_or(elems[i], "type", "IPAddress"), "IPAddress")) {
            gateway_condition_set(&gateway->fault, "UnsupportedAddress",
                                  "spec.addresses: only type IPAddress is "
                                  "known");
        } else if (kube_object_string(elems[i], "value")[0]) {
            kv_add_ip("spec.addresses", kube_object_string(elems[i], "value"),
                      &gateway->addrs, &gateway->n_addrs, error);
        }
    }
}

struct gateway *
gateway_parse(const struct json *object, char **error)
{
    const struct json *spec = kube_object_member(object, "spec");
    struct gateway *gateway = xzalloc(sizeof *gateway);
    struct json **elems;
    size_t n;

    if (!parse_meta(&gateway->meta, object, error)) {
        free(gateway);
        return NULL;
    }
    gateway->class = xstrdup(kube_object_string(spec, "gatewayClassName"));
    parse_gateway_addresses(gateway, spec, error);
    n = kv_array(spec, "spec.listeners", GATEWAY_MAX_LISTENERS, &elems,
                 error);
    gateway->listeners = xcalloc(MAX(n, 1), sizeof *gateway->listeners);
    for (size_t i = 0; i < n; i++) {
        gateway->n_listeners += parse_listener(
            &gateway->listeners[gateway->n_listeners], elems[i], error);
    }
    return gateway;
}

void
gateway_destroy(struct gateway *gateway)
{
    if (gateway) {
        for (size_t i = 0; i < gateway->n_listeners; i++) {
            struct gateway_listener *l = &gateway->listeners[i];

            for (size_t j = 0; j < l->n_namespaces; j++) {
                free(l->namespaces[j]);
            }
            free(l->namespaces);
            free(l->name);
            gateway_condition_clear(&l->fault);
            gateway_condition_clear(&l->kinds);
            gateway_condition_clear(&l->taken);
            gateway_condition_clear(&l->blocked);
        }
        gateway_condition_clear(&gateway->fault);
        free(gateway->listeners);
        free(gateway->addrs);
        free(gateway->class);
        destroy_meta(&gateway->meta);
        free(gateway);
    }
}

/* Routes. */

static void
parse_parents(struct gateway_route *route, const struct json *spec,
              char **error)
{
    struct json **elems;
    size_t n = kv_array(spec, "spec.parentRefs", GATEWAY_MAX_PARENTS, &elems,
                        error);

    route->n_parents = n;
    route->parents = xcalloc(MAX(n, 1), sizeof *route->parents);
    for (size_t i = 0; i < n; i++) {
        struct gateway_parent *p = &route->parents[i];
        const char *section = kube_object_string(elems[i], "sectionName");

        p->ref = json_deep_clone(elems[i]);
        p->is_gateway = is_kind(elems[i], GROUP, "Gateway", GROUP, "Gateway");
        p->namespace_ = xstrdup(string_or(elems[i], "namespace",
                                          route->meta.namespace_));
        p->name = xstrdup(kube_object_string(elems[i], "name"));
        p->section = section[0] ? xstrdup(section) : NULL;
        p->port = kv_port(elems[i], "port", error);
    }
}

static void
parse_backends(struct gateway_route *route, const struct json *rule,
               char **error)
{
    struct json **elems;
    size_t n = kv_array(rule, "rules.backendRefs", GATEWAY_MAX_BACKENDS,
                        &elems, error);

    route->n_backends = n;
    route->backends = xcalloc(MAX(n, 1), sizeof *route->backends);
    for (size_t i = 0; i < n; i++) {
        struct gateway_backend *b = &route->backends[i];
        long long int weight = 1;

        b->is_service = is_kind(elems[i], "", "Service", "", "Service");
        b->namespace_ = xstrdup(string_or(elems[i], "namespace",
                                          route->meta.namespace_));
        b->name = xstrdup(kube_object_string(elems[i], "name"));
        b->port = kv_port(elems[i], "port", error);
        kv_integer(elems[i], "weight", 0, GATEWAY_MAX_WEIGHT, &weight, error);
        b->weight = weight;
    }
}

struct gateway_route *
gateway_route_parse(const struct json *object, uint8_t protocol, char **error)
{
    const struct json *spec = kube_object_member(object, "spec");
    struct gateway_route *route = xzalloc(sizeof *route);
    struct json **rules;
    size_t n;

    if (!parse_meta(&route->meta, object, error)) {
        free(route);
        return NULL;
    }
    route->protocol = protocol;
    parse_parents(route, spec, error);
    n = kv_array(spec, "spec.rules", 1, &rules, error);
    parse_backends(route, n ? rules[0] : NULL, error);
    return route;
}

void
gateway_route_clear_places(struct gateway_route *route)
{
    for (size_t i = 0; i < route->n_places; i++) {
        free(route->places[i].addrs);
    }
    free(route->places);
    route->places = NULL;
    route->n_places = 0;
}

void
gateway_route_destroy(struct gateway_route *route)
{
    if (route) {
        for (size_t i = 0; i < route->n_parents; i++) {
            struct gateway_parent *p = &route->parents[i];

            json_destroy(p->ref);
            free(p->namespace_);
            free(p->name);
            free(p->section);
            gateway_condition_clear(&p->fault);
        }
        for (size_t i = 0; i < route->n_backends; i++) {
            free(route->backends[i].namespace_);
            free(route->backends[i].name);
        }
        gateway_route_clear_places(route);
        gateway_condition_clear(&route->refs);
        free(route->summary);
        free(route->parents);
        free(route->backends);
        destroy_meta(&route->meta);
        free(route);
    }
}

/* ReferenceGrants. */

static void
parse_from(struct gateway_grant *grant, const struct json *spec, char **error)
{
    struct json **elems;
    size_t n = kv_array(spec, "spec.from", GATEWAY_MAX_GRANTS, &elems, error);

    grant->from = xcalloc(MAX(n, 1), sizeof *grant->from);
    for (size_t i = 0; i < n; i++) {
        bool tcp = is_kind(elems[i], "", "", GROUP, "TCPRoute");

        if (tcp || is_kind(elems[i], "", "", GROUP, "UDPRoute")) {
            grant->from[grant->n_from++] = (struct gateway_grant_from) {
                .protocol = tcp ? IPPROTO_TCP : IPPROTO_UDP,
                .namespace_ = xstrdup(kube_object_string(elems[i],
                                                         "namespace")),
            };
        }
    }
}

struct gateway_grant *
gateway_grant_parse(const struct json *object, char **error)
{
    const struct json *spec = kube_object_member(object, "spec");
    struct gateway_grant *grant = xzalloc(sizeof *grant);
    struct json **elems;
    size_t n;

    if (!parse_meta(&grant->meta, object, error)) {
        free(grant);
        return NULL;
    }
    parse_from(grant, spec, error);
    n = kv_array(spec, "spec.to", GATEWAY_MAX_GRANTS, &elems, error);
    grant->services = xcalloc(MAX(n, 1), sizeof *grant->services);
    for (size_t i = 0; i < n; i++) {
        if (is_kind(elems[i], "", "", "", "Service")) {
            const char *name = kube_object_string(elems[i], "name");

            grant->services[grant->n_services++] = (name[0] ? xstrdup(name)
                                                    : NULL);
        }
    }
    return grant;
}

void
gateway_grant_destroy(struct gateway_grant *grant)
{
    if (grant) {
        for (size_t i = 0; i < grant->n_from; i++) {
            free(grant->from[i].namespace_);
        }
        for (size_t i = 0; i < grant->n_services; i++) {
            free(grant->services[i]);
        }
        free(grant->from);
        free(grant->services);
        destroy_meta(&grant->meta);
        free(grant);
    }
}
