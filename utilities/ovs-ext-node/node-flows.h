/* SPDX-License-Identifier: Apache-2.0 */

#ifndef NODE_FLOWS_H
#define NODE_FLOWS_H 1

/* The flows of a node
 * ===================
 *
 * As text, as ovs-ofctl takes it, a flow a line.  The functions append to a
 * string.  Documentation/reference/ovs-ext-node.md describes the tables.
 *
 * Thread-safety: functions are reentrant. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "byte-order.h"
#include "node-model.h"

struct ds;
struct kube_node;

enum node_table {
    NODE_ENTRY,                 /* Who sends? */
    NODE_ANSWER,                /* Answers for the gateway. */
    NODE_ADVERTISE,             /* The second half of that, for IPv6. */
    NODE_POLICY_OUT,            /* Kept for NetworkPolicy. */
    NODE_POLICY_IN,             /* Kept for NetworkPolicy.  Packets come here
                                 * from the Services. */
    NODE_ROUTE,                 /* Where does it go? */
    NODE_N_TABLES,
};

/* All flows have it: "no", then zeros. */
#define NODE_COOKIE htonll(UINT64_C(0x6e6f000000000000))
#define NODE_COOKIE_MASK htonll(UINT64_C(0xffff000000000000))

/* Meters of what pods ask the gateway, in requests a second.  Ports whose
 * numbers are equal modulo NODE_N_METERS have one in common. */
#define NODE_METER 0x6e00
#define NODE_N_METERS 256
#define NODE_METER_RATE 200

/* What flows depend on. */
struct node_switch {
    ofp_port_t host, tunnel;    /* OFPP_NONE: there is none. */
    uint8_t services;           /* Table of the Services. */
    bool direct;                /* Direct return: see kube-direct.h. */
    uint32_t meter;             /* First meter of pods; 0: there is none. */
};

void node_flows_base(struct ds *, const struct node_switch *,
                     const struct kube_node *ours);
void node_flows_pod(struct ds *, const struct node_switch *,
                    const struct node_pod *);
void node_flows_peer(struct ds *, const struct node_switch *,
                     const struct kube_node *ours,
                     const struct kube_node *peer);

#endif /* node-flows.h */
