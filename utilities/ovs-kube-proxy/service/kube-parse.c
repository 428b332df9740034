/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "kube-parse.h"

#include <stdlib.h>
#include <string.h>

#include "packets.h"
#include "util.h"
#include "utilities/kube/kube-object.h"
#include "utilities/kube/kube-value.h"

/* Defaults and limits of the API server. */
#define DEFAULT_AFFINITY 10800
#define MAX_AFFINITY 86400

/* Stores copies of the namespace and name of 'object', for the caller to free.
 * Returns false if it has no name. */
static bool
get_names(const struct json *object, char **namespace_, char **name,
          char **error)
{
    const struct json *metadata = kube_object_member(object, "metadata");
    const char *ns = kube_object_string(metadata, "namespace");

    if (!kube_object_string(metadata, "name")[0]
        || strchr(kube_object_string(metadata, "name"), '/')
        || strchr(ns, '/')) {
        kv_complain(error, "metadata.name is missing or has a '/'");
        return false;
    }
    *name = xstrdup(kube_object_string(metadata, "name"));
    *namespace_ = xstrdup(ns[0] ? ns : "default");
    return true;
}

static const char *
label(const struct json *object, const char *name)
{
    return kube_object_string(
        kube_object_member(kube_object_member(object, "metadata"), "labels"),
        name);
}

static const char *
annotation(const struct json *object, const char *name)
{
    return kube_object_string(
        kube_object_member(kube_object_member(object, "metadata"),
                           "annotations"), name);
}

static bool
has_label(const struct json *object, const char *name)
{
    return kv_member(
        kube_object_member(kube_object_member(object, "metadata"), "labels"),
        name);
}

/* Services. */

/* Why a Service without an address of its own is skipped. */
#define HEADLESS "it is headless"

static bool
is_headless(const struct json *object, const struct json *spec)
{
    return (has_label(object, "service.kubernetes.io/headless")
            || !strcmp(kube_object_string(spec, "clusterIP"), "None"));
}

static char *
why_skip(const struct json *object, const struct json *spec)
{
    if (!strcmp(kube_object_string(spec, "type"), "ExternalName")) {
        return xstrdup("it is of type ExternalName");
    } else if (has_label(object,
                         "service.kubernetes.io/service-proxy-name")) {
        return xstrdup("its label service.kubernetes.io/service-proxy-name "
                       "names another proxy");
    } else if (is_headless(object, spec)) {
        return xstrdup(HEADLESS);
    }
    return NULL;
}

static void
parse_addresses(struct kube_service *s, const struct json *object,
                const struct json *spec, char **error)
{
    bool lb = !strcmp(kube_object_string(spec, "type"), "LoadBalancer");
    const struct json *status = kube_object_member(object, "status");
    const char *ip = kube_object_string(spec, "clusterIP");
    struct json **elems;
    size_t n;

    if (kv_member(spec, "clusterIPs")) {
        kv_add_ips(spec, "spec.clusterIPs", &s->cluster_ips, &s->n_cluster_ips,
                   error);
    } else if (ip[0]) {
        kv_add_ip("spec.clusterIP", ip, &s->cluster_ips, &s->n_cluster_ips,
                  error);
    }
    kv_add_ips(spec, "spec.externalIPs", &s->external_ips, &s->n_external_ips,
               error);
    if (!lb) {
        return;
    }

    s->sources_restricted = kv_add_cidrs(spec, "spec.loadBalancerSourceRanges",
                                         &s->sources, &s->n_sources, error);
    n = kv_array(kube_object_member(status, "loadBalancer"),
                 "status.loadBalancer.ingress", KV_MAX_ADDRESSES, &elems,
                  error);
    for (size_t i = 0; i < n; i++) {
        ip = kube_object_string(elems[i], "ip");
        if (ip[0] && strcmp(kube_object_string(elems[i], "ipMode"),
                            "Proxy")) {
            kv_add_ip("status.loadBalancer.ingress", ip, &s->lb_ips,
                      &s->n_lb_ips, error);
        }
    }
}

static void
parse_affinity(struct kube_service *s, const struct json *spec, char **error)
{
    const struct json *config = kube_object_member(
        kube_object_member(spec, "sessionAffinityConfig"), "clientIP");
    long long int timeout = DEFAULT_AFFINITY;

    if (!strcmp(kube_object_string(spec, "sessionAffinity"), "ClientIP")) {
        kv_integer(config, "timeoutSeconds", 1, MAX_AFFINITY, &timeout,
                   error);
        s->affinity_timeout = timeout;
    }
}

static void
parse_policies(struct kube_service *s, const struct json *spec, char **error)
{
    const char *type = kube_object_string(spec, "type");
    bool lb = !strcmp(type, "LoadBalancer");
    bool external = (lb || !strcmp(type, "NodePort") || s->n_external_ips);

    s->internal_local = !strcmp(kube_object_string(
                                    spec, "internalTrafficPolicy"), "Local");
    s->external_local = external && !strcmp(
        kube_object_string(spec, "externalTrafficPolicy"), "Local");
    if (lb && s->external_local) {
        s->health_check_node_port = kv_port(spec, "healthCheckNodePort",
                                            error);
    }
}

/* Parses the annotation for direct return.  parse_policies() must have been
 * called. */
static void
parse_direct(struct kube_service *s, const struct json *object, char **error)
{
    const char *value = annotation(object, KUBE_DIRECT_RETURN);

    if (value[0] && strcmp(value, "true") && strcmp(value, "false")) {
        kv_complain(error, "annotation "KUBE_DIRECT_RETURN": '%.64s' is "
                    "neither true nor false", value);
    } else if (!strcmp(value, "true") && s->external_local) {
        kv_complain(error, "annotation "KUBE_DIRECT_RETURN" has no effect "
                    "with externalTrafficPolicy Local");
    } else {
        s->direct = !strcmp(value, "true");
    }
}

static void
parse_service_ports(struct kube_service *s, const struct json *spec,
                    char **error)
{
    struct json **elems;
    size_t n = kv_array(spec, "spec.ports", KUBE_MAX_PORTS, &elems, error);

    s->ports = xcalloc(MAX(n, 1), sizeof *s->ports);
    for (size_t i = 0; i < n; i++) {
        struct kube_service_port *p = &s->ports[s->n_ports];

        p->protocol = kv_protocol(elems[i], error);
        p->port = kv_port(elems[i], "port", error);
        p->node_port = kv_port(elems[i], "nodePort", error);
        if (p->protocol && p->port) {
            p->name = xstrdup(kube_object_string(elems[i], "name"));
            s->n_ports++;
        } else {
            kv_complain(error, "spec.ports[%"PRIuSIZE"] has no port", i);
        }
    }
}

/* Parses 'object'.  Returns the result, for the caller to destroy, or null if
 * the object cannot be used at all.  Stores a message about the first fault in
 * '*error', which must be null before. */
struct kube_service *
kube_service_parse(const struct json *object, char **error)
{
    const struct json *spec = kube_object_member(object, "spec");
    struct kube_service *s = xzalloc(sizeof *s);

    if (!get_names(object, &s->namespace_, &s->name, error)) {
        free(s);
        return NULL;
    } else if (!spec) {
        kv_complain(error, "spec is missing");
        kube_service_destroy(s);
        return NULL;
    }
    s->skip = why_skip(object, spec);
    if (!s->skip) {
        parse_addresses(s, object, spec, error);
        parse_affinity(s, spec, error);
        parse_policies(s, spec, error);
        parse_direct(s, object, error);
        parse_service_ports(s, spec, error);
    } else if (!strcmp(s->skip, HEADLESS)) {
        s->headless = true;
        parse_service_ports(s, spec, error);
    }
    return s;
}

/* Frees 's', which may be null. */
void
kube_service_destroy(struct kube_service *s)
{
    if (s) {
        for (size_t i = 0; i < s->n_ports; i++) {
            free(s->ports[i].name);
        }
        free(s->ports);
        free(s->cluster_ips);
        free(s->external_ips);
        free(s->lb_ips);
        free(s->sources);
        free(s->skip);
        free(s->namespace_);
        free(s->name);
        free(s);
    }
}

/* EndpointSlices. */

int
kube_slice_port_compare(const void *a_, const void *b_)
{
    const struct kube_slice_port *a = a_, *b = b_;
    int cmp = strcmp(a->name, b->name);

    return cmp ? cmp : (int) a->protocol - b->protocol;
}

static uint16_t
parse_weight(const struct json *object, char **error)
{
    const char *s = annotation(object, KUBE_WEIGHT);
    unsigned int weight;

    if (!s[0]) {
        return SERVICE_WEIGHT;
    } else if (!str_to_uint(s, 10, &weight) || weight > UINT16_MAX) {
        kv_complain(error, "annotation "KUBE_WEIGHT": '%.64s' is not a number "
                    "from 0 to %d", s, UINT16_MAX);
        return SERVICE_WEIGHT;
    }
    return weight;
}

static void
parse_slice_ports(struct kube_slice *s, const struct json *object,
                  char **error)
{
    struct json **elems;
    size_t n = kv_array(object, "ports", KUBE_MAX_PORTS, &elems, error);

    s->ports = xcalloc(MAX(n, 1), sizeof *s->ports);
    for (size_t i = 0; i < n; i++) {
        struct kube_slice_port *p = &s->ports[s->n_ports];

        p->protocol = kv_protocol(elems[i], error);
        p->port = kv_port(elems[i], "port", error);
        if (p->protocol && p->port) {
            p->name = xstrdup(kube_object_string(elems[i], "name"));
            s->n_ports++;
        }
    }
    qsort(s->ports, s->n_ports, sizeof *s->ports, kube_slice_port_compare);
}

/* Returns the bit for zone 'name' in the hints of 's', or 0 if 's' has too
 * many zones. */
static uint64_t
zone_bit(struct kube_slice *s, const char *name)
{
    for (size_t i = 0; i < s->n_zones; i++) {
        if (!strcmp(s->zones[i], name)) {
            return UINT64_C(1) << i;
        }
    }
    if (s->n_zones >= KUBE_MAX_ZONES) {
        return 0;
    }
    s->zones[s->n_zones] = xstrdup(name);
    return UINT64_C(1) << s->n_zones++;
}

static void
parse_hints(struct kube_slice *s, struct kube_endpoint *e,
            const struct json *object, const char *our_node, char **error)
{
    const struct json *hints = kube_object_member(object, "hints");
    struct json **elems;
    size_t n = kv_array(hints, "forZones", KV_MAX_ADDRESSES, &elems,
                        error);

    for (size_t i = 0; i < n; i++) {
        uint64_t bit = zone_bit(s, kube_object_string(elems[i], "name"));

        if (!bit) {
            kv_complain(error, "hints name more than %d zones",
                        KUBE_MAX_ZONES);
        }
        e->zones |= bit;
    }

    n = kv_array(hints, "forNodes", KV_MAX_ADDRESSES, &elems, error);
    for (size_t i = 0; i < n; i++) {
        e->node_hinted = true;
        if (our_node && !strcmp(kube_object_string(elems[i], "name"),
                                our_node)) {
            e->for_our_node = true;
        }
    }
}

static void
parse_endpoints(struct kube_slice *s, const struct json *object,
                const char *our_node, char **error)
{
    struct json **elems, **addresses;
    size_t n = kv_array(object, "endpoints", KUBE_MAX_ENDPOINTS, &elems,
                        error);

    s->endpoints = xcalloc(MAX(n, 1), sizeof *s->endpoints);
    for (size_t i = 0; i < n; i++) {
        const struct json *conditions = kube_object_member(elems[i],
                                                           "conditions");
        struct kube_endpoint *e = &s->endpoints[s->n_endpoints];
        size_t n_addresses = kv_array(elems[i], "addresses",
                                      KV_MAX_ADDRESSES, &addresses, error);
        const char *ip = n_addresses ? kv_string(addresses[0]) : "";

        /* All addresses are of the same pod.  Only the first one counts. */
        if (!kv_ip(ip, &e->addr)
            || IN6_IS_ADDR_V4MAPPED(&e->addr) == s->ipv6) {
            kv_complain(error, "endpoints[%"PRIuSIZE"].addresses[0]: '%.64s' "
                        "is not an %s address", i, ip,
                        s->ipv6 ? "IPv6" : "IPv4");
            continue;
        }
        e->ready = kv_bool(conditions, "ready", true);
        e->serving = kv_bool(conditions, "serving", true);
        e->terminating = kv_bool(conditions, "terminating", false);
        e->node = xstrdup(kube_object_string(elems[i], "nodeName"));
        e->local = our_node && !strcmp(e->node, our_node);
        parse_hints(s, e, elems[i], our_node, error);
        s->n_endpoints++;
    }
}

/* Like kube_service_parse(), for an EndpointSlice.  'our_node' is the name of
 * our Node, or null. */
struct kube_slice *
kube_slice_parse(const struct json *object, const char *our_node,
                 char **error)
{
    const char *type = kube_object_string(object, "addressType");
    const char *service = label(object, "kubernetes.io/service-name");
    struct kube_slice *s = xzalloc(sizeof *s);

    if (!get_names(object, &s->namespace_, &s->name, error)) {
        free(s);
        return NULL;
    }
    s->ipv6 = !strcmp(type, "IPv6");
    if (service[0] && (s->ipv6 || !strcmp(type, "IPv4"))) {
        s->headless = has_label(object, "service.kubernetes.io/headless");
        s->service = xstrdup(service);
        s->weight = parse_weight(object, error);
        parse_slice_ports(s, object, error);
        parse_endpoints(s, object, our_node, error);
    }
    return s;
}

/* Frees 's', which may be null. */
void
kube_slice_destroy(struct kube_slice *s)
{
    if (s) {
        for (size_t i = 0; i < s->n_zones; i++) {
            free(s->zones[i]);
        }
        for (size_t i = 0; i < s->n_ports; i++) {
            free(s->ports[i].name);
        }
        for (size_t i = 0; i < s->n_endpoints; i++) {
            free(s->endpoints[i].node);
        }
        free(s->ports);
        free(s->endpoints);
        free(s->service);
        free(s->namespace_);
        free(s->name);
        free(s);
    }
}
