/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SERVICE_TABLES_H
#define SERVICE_TABLES_H 1

/* The tables of the pipeline and their parameters
 * ===============================================
 *
 * Types and numbers only.  Documentation/reference/kube-proxy-pipeline.md
 * describes each table. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "openvswitch/types.h"
#include "utilities/ovs-kube-proxy/service/service-model.h"

/* Tables, counted from the first one. */
enum service_table {
    SERVICE_ENTRY,              /* Undoes masquerading. */
    SERVICE_TRACK,              /* After masquerading was undone. */
    SERVICE_KNOWN,              /* Known connections go on.  May the source
                                 * use the load balancer? */
    SERVICE_SOURCE,             /* Is the source a pod, this node, or
                                 * outside? */
    SERVICE_CHOOSE,             /* Chooses an endpoint. */
    SERVICE_TRANSLATED,         /* Masquerades. */
    SERVICE_LEAVE,              /* To the next table. */
    SERVICE_N_TABLES,
};

/* Bits of ct_mark, for connections in the first zone. */
#define SERVICE_MARK_OURS 1     /* Translated by us. */
#define SERVICE_MARK_MASQ 2     /* Masqueraded in the second zone. */
#define SERVICE_MARK_DIRECT 4   /* The answers leave by this node. */

/* Configuration, and what is known of our node. */
struct service_tables {
    uint8_t first;              /* Number of the first table. */
    int next;                   /* Table to leave to; -1: NORMAL. */
    uint16_t zone;              /* Zone that translates to endpoints.  The next
                                 * zone masquerades. */
    unsigned int reg;           /* Register that the tables use. */
    ovs_be64 cookie;
    uint16_t controller_id;     /* Controller that gets packets to reject, */
    uint32_t meter;             /* through this meter; 0: none. */
    uint16_t masq_min, masq_max; /* Source ports of masqueraded packets, */
    struct in6_addr masq4, masq6; /* and source addresses; all-zeros: none. */
    struct in6_addr self4, self6; /* The same, to our node; all-zeros: as
                                 * others. */
    bool self_from_node;        /* 'self4' and 'self6' are the lowest
                                 * addresses of our node's podCIDRs, for all
                                 * endpoints that are no pods. */
    const struct in6_addr *nodeports; size_t n_nodeports;
    bool direct;                /* Direct return is switched on. */
    struct in6_addr node4, node6; /* Our Node's primary addresses; all-zeros:
                                 * none. */
    struct in6_addr end;        /* Where other nodes hand over to us; all-
                                 * zeros: they do not. */
    bool maglev;                /* The switch knows "maglev". */
    uint32_t seed;              /* Seed for "maglev"; 0: random. */
};

/* Bits of the register. */
#define REG_OUTSIDE 0           /* The source is not a pod. */
#define REG_INTERNAL 1          /* The source is a pod or this node. */
#define REG_MASQ 2              /* The packet must be masqueraded. */
#define REG_DIRECT 3            /* The answers leave by this node: see
                                 * kube-direct.h.  Follows REG_MASQ. */
#define REG_ALLOWED 4           /* The source is in a range of the load
                                 * balancer's address. */
#define REG_REJECT 5            /* The group chose to reject the packet. */
#define REG_NEAR 6              /* The source is a node or pod of the
                                 * cluster. */
#define REG_CHOSEN 7            /* The group chose a node. */
#define REG_AT_NODE 8           /* The destination is the address of a
                                 * node. */

/* Priorities, for all tables. */
enum {
    PRIO_DEFAULT = 0,
    PRIO_FAMILY = 10,
    PRIO_UNALLOCATED = 50,      /* ClusterIPs that no Service has. */
    PRIO_KNOWN = 100,           /* Known addresses, pods, connections. */
    PRIO_SPECIAL = 200,
    PRIO_FIRST = 300,
    PRIO_RESTRICTED = 400,      /* Load balancers: drop all sources ... */
    PRIO_PORT = 500,            /* ... but these; other addresses. */
    PRIO_PORT_INTERNAL = 510,   /* The same, from pods and this node. */
    PRIO_HANDED = 520,          /* Handed over by a node: nothing else, */
    PRIO_HANDED_KNOWN,          /* but known connections */
    PRIO_HANDED_PORT,           /* and Services with direct return. */
};

#endif /* service-tables.h */
