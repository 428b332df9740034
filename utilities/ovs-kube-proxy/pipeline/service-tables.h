/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SERVICE_TABLES_H
#define SERVICE_TABLES_H 1

/* The tables of the pipeline, and how they are set up
 * ===================================================
 *
 * Types and numbers only.  Documentation/kube-proxy-pipeline.md says what each
 * table does and why. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "openvswitch/types.h"
#include "utilities/ovs-kube-proxy/service/service-model.h"

/* The tables, counted from the first one. */
enum service_table {
    SERVICE_ENTRY,              /* Undoes masquerading. */
    SERVICE_TRACK,              /* Where masquerading was undone. */
    SERVICE_KNOWN,              /* Connections that we know go on. */
    SERVICE_SOURCE,             /* Pod, this node, or anybody else? */
    SERVICE_CHOOSE,             /* The Services. */
    SERVICE_TRANSLATED,         /* Masquerades. */
    SERVICE_LEAVE,              /* To the next table. */
    SERVICE_N_TABLES,
};

/* Bits of ct_mark, of connections in the first zone. */
#define SERVICE_MARK_OURS 1     /* Translated by us. */
#define SERVICE_MARK_MASQ 2     /* Masqueraded in the second zone. */

/* What is configured or known of our node. */
struct service_tables {
    uint8_t first;              /* Number of the first table. */
    int next;                   /* Table to leave to, or -1: NORMAL. */
    uint16_t zone;              /* Translates to endpoints; the next zone
                                 * masquerades. */
    unsigned int reg;           /* Register that is used in between. */
    ovs_be64 cookie;
    uint16_t controller_id;     /* To which packets to reject go, */
    uint32_t meter;             /* through this meter, unless it is 0. */
    uint16_t masq_min, masq_max; /* Ports that masqueraded packets get. */
    struct in6_addr masq4, masq6; /* The addresses, or all-zeros. */
    struct service_cidr *nodeports; size_t n_nodeports;
    bool maglev;                /* The switch has the "maglev" method. */
    uint32_t seed;              /* Of that; 0: random. */
};

/* Bits of the register. */
#define REG_OUTSIDE 0           /* The source is no pod. */
#define REG_INTERNAL 1          /* It is a pod or this node. */
#define REG_MASQ 2              /* To be masqueraded. */

/* Priorities, of all tables. */
enum {
    PRIO_DEFAULT = 0,
    PRIO_FAMILY = 10,
    PRIO_UNALLOCATED = 50,      /* Addresses in the Services' range. */
    PRIO_KNOWN = 100,           /* Known addresses; pods; connections. */
    PRIO_SPECIAL = 200,
    PRIO_FIRST = 300,
    PRIO_RESTRICTED = 400,      /* Load balancers': nobody ... */
    PRIO_PORT = 500,            /* ... but these; other addresses' ports. */
    PRIO_PORT_INTERNAL = 510,   /* The same, by pods and this node. */
};

#endif /* service-tables.h */
