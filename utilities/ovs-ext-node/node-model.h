/* SPDX-License-Identifier: Apache-2.0 */

#ifndef NODE_MODEL_H
#define NODE_MODEL_H 1

/* What the parts of ovs-ext-node tell each other
 * ==============================================
 *
 * Types and constants only. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>
#include "node-rule.h"
#include "openvswitch/ofp-port.h"
#include "openvswitch/types.h"

struct kube_cidr;

/* MAC of the router that is in every switch, and of the host's interface. */
#define NODE_ROUTER_MAC "02:00:00:00:00:01"
#define NODE_HOST_MAC "02:00:00:00:00:02"

#define NODE_MAX_ADDRS 64

/* A port of a pod. */
struct node_pod {
    const char *port;           /* Its name. */
    const char *namespace_, *name;  /* Of the pod; "" if they are unknown. */
    ofp_port_t ofport;
    struct eth_addr mac;
    const char *text;           /* The addresses, as in the database. */
    struct in6_addr addrs[NODE_MAX_ADDRS];
    size_t n_addrs;
    int mtu;                    /* 0: unknown. */
    bool admitted;              /* The database says so, */
    const char *refused;        /* or why not, or null. */
    char *fault;                /* Why it cannot be admitted, or null. */
};

struct node_pipeline_options {
    const char *node;           /* Name of our Node. */
    const char *bridge;         /* Of the pods. */
    const char *host;           /* Name of the host's port. */
    const char *tunnel;         /* Name of the tunnels' port; null: nodes are
                                 * reached by routes of the host. */
    uint8_t services;           /* First table of ovs-kube-proxy. */
    bool direct;                /* Direct return: see kube-direct.h. */
    int mtu;                    /* Largest MTU of a pod; 0: what the network
                                 * between nodes carries. */
    const struct kube_cidr *host_routes;    /* What else the host reaches */
    size_t n_host_routes;                   /* through the switch. */
    struct node_ports node_ports;   /* That are asked from outside. */
};

#endif /* node-model.h */
