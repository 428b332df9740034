/* SPDX-License-Identifier: Apache-2.0 */

#ifndef KUBE_PARSE_H
#define KUBE_PARSE_H 1

/* Services, EndpointSlices and Nodes out of their JSON
 * ====================================================
 *
 * What a proxy needs of an object, in a compact form.  Source: the reference
 * of Kubernetes' API, v1 and discovery.k8s.io/v1; defaults are the ones that
 * the API server fills in, for manifests that it has not seen.
 *
 * Attack model: 'object' may be any JSON value.  An element of a list that is
 * not what it should be is left out, with a message; an object that says not
 * even what it is called, or has no spec where it must, is refused.  Lists are
 * bounded: see KUBE_MAX_*.
 *
 * Addresses are IPv6; IPv4 ones are v4-mapped.  Ports are in host byte order.
 *
 * Thread-safety: functions are reentrant. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>

#include "service-model.h"

struct json;

/* What the API server allows in an EndpointSlice: 1,000 endpoints, 20,000
 * ports.  In a Service it allows what fits into an object of 1.5 MB. */
#define KUBE_MAX_ENDPOINTS 1000
#define KUBE_MAX_PORTS 20000

/* Zones that the hints of one EndpointSlice may name. */
#define KUBE_MAX_ZONES 64

struct kube_service_port {
    char *name;                 /* "" if it has none. */
    uint8_t protocol;           /* IPPROTO_*. */
    uint16_t port;
    uint16_t node_port;         /* 0 if it has none. */
};

struct kube_service {
    char *namespace_, *name;
    char *skip;                 /* Why nothing is to be done for it, or
                                 * null. */
    struct in6_addr *cluster_ips;   size_t n_cluster_ips;
    struct in6_addr *external_ips;  size_t n_external_ips;
    struct in6_addr *lb_ips;        size_t n_lb_ips;
    struct service_cidr *sources;   size_t n_sources;
    bool sources_restricted;    /* There are sources, even if none is good. */
    uint32_t affinity_timeout;  /* Seconds; 0: none. */
    bool internal_local, external_local;
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
    uint64_t zones;             /* Hints: 1 << I for 'zones[I]' of its slice,
                                 * 0 if it has none. */
    bool ready, serving, terminating;
    bool placed, local;         /* On a node that is named; on ours. */
    bool node_hinted;           /* Has hints for nodes, */
    bool for_our_node;          /* and one of them is for ours. */
};

struct kube_slice {
    char *namespace_, *name;
    char *service;              /* Name of its Service, or null. */
    bool ipv6;
    char *zones[KUBE_MAX_ZONES];    size_t n_zones;
    struct kube_slice_port *ports;  size_t n_ports;  /* By name, protocol. */
    struct kube_endpoint *endpoints; size_t n_endpoints;
};

struct kube_service *kube_service_parse(const struct json *, char **error);
void kube_service_destroy(struct kube_service *);

struct kube_slice *kube_slice_parse(const struct json *, const char *our_node,
                                    char **error);
void kube_slice_destroy(struct kube_slice *);
int kube_slice_port_compare(const void *, const void *);

struct service_node *kube_node_parse(const struct json *, char **error);
void kube_node_destroy(struct service_node *);
bool kube_node_equal(const struct service_node *, const struct service_node *);

#endif /* kube-parse.h */
