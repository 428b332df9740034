/* SPDX-License-Identifier: Apache-2.0 */

#ifndef KUBE_PARSE_H
#define KUBE_PARSE_H 1

/* Services and EndpointSlices from their JSON
 * ===========================================
 *
 * A compact form of the parts of an object that a proxy needs.  Source: the
 * reference of Kubernetes' API, v1 and discovery.k8s.io/v1.  The API server
 * fills in defaults; so does this, for manifests that no server has seen.
 *
 * Attack model: 'object' may be any JSON value.  A faulty element of a list is
 * left out, with a message.  An object without a name, or without a spec where
 * it needs one, is refused.  Lists are bounded: see KUBE_MAX_*.
 *
 * Addresses are IPv6, with IPv4 v4-mapped.  Ports are in host byte order.
 *
 * Thread-safety: functions are reentrant. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>

#include "service-model.h"

struct json;

/* The API server allows 1,000 endpoints and 20,000 ports in an EndpointSlice.
 * In a Service it allows what fits into an object of 1.5 MB. */
#define KUBE_MAX_ENDPOINTS 1000
#define KUBE_MAX_PORTS 20000

/* Zones that the hints of one EndpointSlice may name. */
#define KUBE_MAX_ZONES 64

/* Annotation of an EndpointSlice: the weight of each of its endpoints, from 0
 * to 65,535. */
#define KUBE_WEIGHT "ovs-kube-proxy/weight"

/* Annotation of a Service: "true" if the node of an endpoint answers clients
 * outside by itself, or "false". */
#define KUBE_DIRECT_RETURN "ovs-kube-proxy/direct-return"

struct kube_service_port {
    char *name;                 /* "" if it has none. */
    uint8_t protocol;           /* IPPROTO_*. */
    uint16_t port;
    uint16_t node_port;         /* 0 if it has none. */
};

struct kube_service {
    char *namespace_, *name;
    char *skip;                 /* Why the Service is skipped, or null: then
                                 * it has ports only if it is headless. */
    bool headless;
    struct in6_addr *cluster_ips;   size_t n_cluster_ips;
    struct in6_addr *external_ips;  size_t n_external_ips;
    struct in6_addr *lb_ips;        size_t n_lb_ips;
    struct kube_cidr *sources;   size_t n_sources;
    bool sources_restricted;    /* Sources were given, valid or not. */
    uint32_t affinity_timeout;  /* Seconds; 0: none. */
    bool internal_local, external_local;
    bool direct;                /* Direct return is asked for. */
    uint16_t health_check_node_port;
    struct kube_service_port *ports;    size_t n_ports;
};

struct kube_slice_port {
    char *name;
    uint8_t protocol;
    uint16_t port;
};

struct kube_endpoint {
    struct in6_addr addr;
    uint64_t zones;             /* Bit I: a hint for 'zones[I]' of the slice.
                                 * 0: no hints. */
    bool ready, serving, terminating;
    char *node;                 /* Name of its node; "": not named. */
    bool local;                 /* It is our node. */
    bool node_hinted;           /* There are hints for nodes, */
    bool for_our_node;          /* one of them for our node. */
};

struct kube_slice {
    char *namespace_, *name;
    char *service;              /* Name of its Service, or null. */
    bool headless;              /* Only for a Service that is. */
    bool ipv6;
    uint16_t weight;            /* Of each endpoint. */
    char *zones[KUBE_MAX_ZONES];    size_t n_zones;
    struct kube_slice_port *ports;  size_t n_ports;  /* Sorted by name. */
    struct kube_endpoint *endpoints; size_t n_endpoints;
};

struct kube_service *kube_service_parse(const struct json *, char **error);
void kube_service_destroy(struct kube_service *);

struct kube_slice *kube_slice_parse(const struct json *, const char *our_node,
                                    char **error);
void kube_slice_destroy(struct kube_slice *);
int kube_slice_port_compare(const void *, const void *);

#endif /* kube-parse.h */
