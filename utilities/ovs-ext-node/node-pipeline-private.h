/* SPDX-License-Identifier: Apache-2.0 */

#ifndef NODE_PIPELINE_PRIVATE_H
#define NODE_PIPELINE_PRIVATE_H 1

/* Inside of a node_pipeline, for node-pipeline.c and node-show.c. */

#include "node-flows.h"
#include "node-model.h"
#include "node-pipeline.h"
#include "openvswitch/shash.h"

struct node_pipeline {
    struct node_pipeline_options o;
    struct node_cluster *cluster;
    struct node_database *db;
    struct node_link *link;
    struct of_sync *sync;
    struct shash wishes, pods;  /* Contain "struct wish"es, by key: for the
                                 * base and Nodes, and for pods. */
    struct node_switch sw;      /* As of the last run. */
    uint64_t cluster_generation, db_generation;
    bool restored;              /* The database has been asked for Nodes. */
    bool kept;                  /* The database has the Nodes. */
    bool begun;                 /* of-sync knows what it should have. */
    const char *fault;          /* What is waited for, or null. */
    int mtu;                    /* Largest MTU of a pod. */
    size_t n_admitted, n_refused, n_left_out, n_peers;
};

#endif /* node-pipeline-private.h */
