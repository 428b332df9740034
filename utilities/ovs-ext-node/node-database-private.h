/* SPDX-License-Identifier: Apache-2.0 */

#ifndef NODE_DATABASE_PRIVATE_H
#define NODE_DATABASE_PRIVATE_H 1

/* Inside of a node_database, for node-database.c and node-kept.c. */

#include "node-database.h"
#include "ovsdb-idl.h"

struct ovsrec_bridge;

#define NODE_OWNER_KEY "node-owner"
#define NODE_OWNER "ovs-ext-node"

struct node_database {
    struct node_database_options options;
    struct ovsdb_idl_loop loop;
    struct ovsdb_idl_txn *txn;  /* Null: one is under way already. */

    struct node_pod *pods;      /* Of node_database_pods(). */
    size_t n_pods, allocated_pods;
    uint64_t pods_generation;
};

const struct ovsrec_bridge *node_database_bridge__(
    const struct node_database *);

#endif /* node-database-private.h */
