/* SPDX-License-Identifier: Apache-2.0 */

#ifndef NODE_OPTIONS_H
#define NODE_OPTIONS_H 1

/* The command line of ovs-ext-node
 * ================================
 *
 * Faults are found here, before the program begins to work. */

#include <stdbool.h>
#include "node-database.h"
#include "node-model.h"
#include "utilities/kube/kube-source.h"
#include "utilities/of-sync/of-options.h"

struct node_options {
    const char *node;
    const char *healthz_address, *metrics_address;
    const char *unixctl_path;
    const char *features;       /* Directory, or null. */
    bool cleanup;

    struct node_database_options database;
    struct node_pipeline_options pipeline;
    struct of_sync_options sync;
    struct kube_source_options source;

    /* Memory of the options above. */
    char *database_path, *switch_path;
    struct kube_cidr *host_routes;
};

void node_options_parse(int argc, char *argv[], struct node_options *);
void node_options_destroy(struct node_options *);

#endif /* node-options.h */
