/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SERVICE_MODEL_H
#define SERVICE_MODEL_H 1

/* What a node has to do for each port of each Service
 * ===================================================
 *
 * kube-store and service-policy make it from the objects of the API server.
 * service-pipeline makes OpenFlow from it.  It depends neither on Kubernetes'
 * JSON nor on OpenFlow.
 *
 * Thread-safety: none; all of it belongs to one thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>
#include "utilities/kube/kube-cidr.h"

struct service_endpoint {
    struct in6_addr addr;       /* IPv4 as v4-mapped. */
    uint16_t port;              /* Host byte order. */
    uint16_t weight;            /* Its share among others, at least 1. */
    bool placed;                /* Its node is named. */
    bool local;                 /* On our node. */
    bool draining;              /* It terminates or has weight 0.  It gets new
                                 * connections only if no other endpoint is
                                 * left. */
    bool reject;                /* No endpoint: connections that come here are
                                 * rejected.  'addr' is all-zeros. */
};

/* Weight of an endpoint for which nobody has set one. */
#define SERVICE_WEIGHT 100

/* Limit for the endpoints of one port. */
#define SERVICE_MAX_ENDPOINTS 16384

enum service_verdict {
    SERVICE_FORWARD,            /* To one of the endpoints. */
    SERVICE_REJECT,             /* No endpoint on any node: answer by TCP RST
                                 * or ICMP port unreachable. */
    SERVICE_DROP,               /* Endpoints only on other nodes, and policy
                                 * Local. */
};

/* Endpoints, sorted by address and port, without duplicates.  Equal sets of
 * one port share 'endpoints'. */
struct service_set {
    enum service_verdict verdict;
    size_t n;
    struct service_endpoint *endpoints;
};

/* A Service of a route of Gateway API, which is chosen before one of its
 * endpoints is. */
struct service_share {
    char *name;                 /* "NAMESPACE/NAME:PORT", unique. */
    uint16_t weight;            /* At least 1. */
    size_t n;                   /* 0: what comes here is rejected. */
    struct service_endpoint *endpoints; /* As in "struct service_set". */
};

/* A port of an address that a Service wants and another one has. */
struct service_conflict {
    struct in6_addr addr;
    uint16_t port;              /* Host byte order. */
    char *owner;                /* "NAMESPACE/NAME" of the one that has it. */
};

/* A node that direct return hands connections over to. */
struct service_node {
    struct in6_addr addr;       /* As kube_node_tunnel_end(). */
    uint16_t weight;            /* Its share; 0: its endpoints get no new
                                 * connections and keep old ones. */
};

/* Limit for the nodes of one port.  The switch tells what is in their group in
 * one message. */
#define SERVICE_MAX_NODES 1000

/* One port of one Service in one address family. */
struct service_port {
    char *namespace_, *name;    /* Of the Service. */
    char *port_name;            /* May be empty. */
    uint8_t protocol;           /* IPPROTO_TCP, _UDP or _SCTP. */
    bool ipv6;

    uint16_t port;              /* For the addresses below, in host byte
                                 * order. */
    uint16_t node_port;         /* Host byte order; 0: none. */
    struct in6_addr *cluster_ips;   size_t n_cluster_ips;
    struct in6_addr *external_ips;  size_t n_external_ips;
    struct in6_addr *lb_ips;        size_t n_lb_ips;  /* ipMode VIP only. */

    /* Clients that may connect to 'lb_ips', if 'sources_restricted'. */
    bool sources_restricted;
    struct kube_cidr *sources;   size_t n_sources;

    uint32_t affinity_timeout;  /* Seconds, 1...86400; 0: no affinity. */
    bool external_local;        /* Policy Local: the client's address is
                                 * kept. */

    struct service_set cluster;     /* On all nodes (rule 1), by topology. */
    struct service_set internal;    /* For cluster_ips. */
    struct service_set external;    /* For clients outside, at 'node_port',
                                     * external_ips and lb_ips.  Pods and this
                                     * node get 'cluster' there (rule 6). */
    struct service_share *shares; size_t n_shares; /* What 'cluster' is made
                                     * of, for groups in two steps; none: there
                                     * is one step. */
    bool direct;                /* Direct return: clients outside are handed
                                 * over to a node of 'nodes', and get 'here'
                                 * of that node. */
    struct service_node *nodes; size_t n_nodes; /* Sorted by address. */
    struct service_set here;    /* On our node, of those that can answer. */
    struct service_set serving;     /* Endpoints that old connections may keep,
                                     * whether in another set or not. */
    uint16_t health_check_node_port;    /* Host byte order; 0: none. */
    unsigned int n_local_ready; /* Addresses of ready endpoints on our node,
                                 * for any port of the Service. */
};

/* The ports of one Service, sorted by family, protocol and port.  A Service
 * that is skipped has none, and 'why' says why. */
struct service {
    char *namespace_, *name;
    size_t n;
    struct service_port *ports;
    char *why;

    /* Of a headless Service, its ports in both families, without addresses.
     * Only routes of Gateway API lead there. */
    size_t n_backends;
    struct service_port *backends;
};

#endif /* service-model.h */
