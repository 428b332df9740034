/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SERVICE_MODEL_H
#define SERVICE_MODEL_H 1

/* What a node has to do for each port of each Service
 * ===================================================
 *
 * kube-store and service-policy make it out of the objects of the API server;
 * service-pipeline makes OpenFlow out of it.  Nothing in it is of Kubernetes'
 * JSON, nothing of OpenFlow.
 *
 * Thread-safety: none; all of it belongs to one thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>

/* An address range; an IPv4 one is v4-mapped and 'plen' counts from there
 * (0...32). */
struct service_cidr {
    struct in6_addr addr;
    uint8_t plen;
};

struct service_endpoint {
    struct in6_addr addr;       /* IPv4 as v4-mapped. */
    uint16_t port;              /* Host byte order. */
    bool placed;                /* It is said on which node. */
    bool local;                 /* On our node. */
    bool draining;              /* Serves, but gets new connections only
                                 * because no other is left. */
};

enum service_verdict {
    SERVICE_FORWARD,            /* To one of the endpoints. */
    SERVICE_REJECT,             /* No endpoint anywhere: TCP RST, else ICMP
                                 * port unreachable. */
    SERVICE_DROP,               /* Endpoints elsewhere, policy Local. */
};

/* Sorted by address and port, without duplicates.  The sets of one port share
 * 'endpoints' where they are the same. */
struct service_set {
    enum service_verdict verdict;
    size_t n;
    struct service_endpoint *endpoints;
};

/* One port of one Service in one address family. */
struct service_port {
    char *namespace_, *name;    /* Of the Service. */
    char *port_name;            /* May be empty. */
    uint8_t protocol;           /* IPPROTO_TCP, _UDP or _SCTP. */
    bool ipv6;

    uint16_t port;              /* Host byte order, of the addresses. */
    uint16_t node_port;         /* Host byte order; 0: none. */
    struct in6_addr *cluster_ips;   size_t n_cluster_ips;
    struct in6_addr *external_ips;  size_t n_external_ips;
    struct in6_addr *lb_ips;        size_t n_lb_ips;  /* ipMode VIP only. */
    struct service_cidr *sources;   size_t n_sources; /* For lb_ips; 0 means
                                 * everybody unless 'sources_restricted'. */
    bool sources_restricted;

    uint32_t affinity_timeout;  /* Seconds, 1...86400; 0: no affinity. */
    bool external_local;        /* externalTrafficPolicy Local: the client's
                                 * address is kept. */

    struct service_set cluster;     /* All endpoints (rule 1, by topology). */
    struct service_set internal;    /* For cluster_ips. */
    struct service_set external;    /* For others' traffic to node_port,
                                     * external_ips and lb_ips; pods' and this
                                     * node's uses 'cluster' (rule 6). */
    struct service_set serving;     /* All that old connections may go on to,
                                     * in any set or in none. */
    uint16_t health_check_node_port;    /* Host byte order; 0: none. */
    unsigned int n_local_ready; /* Addresses of ready endpoints on our node,
                                 * of any port of the Service. */
};

/* All ports of one Service in all families, sorted by family, protocol and
 * port.  'n' is 0 for a Service that is skipped; 'why' then says why. */
struct service {
    char *namespace_, *name;
    size_t n;
    struct service_port *ports;
    char *why;
};

/* Our node, as its Node object says. */
struct service_node {
    char *name, *zone;          /* 'zone' may be null. */
    struct in6_addr *addrs;     size_t n_addrs;  /* Primary ones, <= 1 of each
                                                  * family. */
    struct service_cidr *pod_cidrs; size_t n_pod_cidrs;
};

#endif /* service-model.h */
