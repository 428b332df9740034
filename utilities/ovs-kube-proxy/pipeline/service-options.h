/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SERVICE_OPTIONS_H
#define SERVICE_OPTIONS_H 1

/* What the user of the pipeline tells it
 * ======================================
 *
 * Types only. */

#include <stdbool.h>
#include <stddef.h>
#include "service-tables.h"

/* The arrays and strings must outlive the pipeline. */
struct service_pipeline_options {
    struct service_tables tables;   /* The pipeline finds 'maglev' and 'meter'
                                     * out, and sets 'nodeports'.  Our node's
                                     * primary addresses replace 'masq4' and
                                     * 'masq6' where these are not set. */
    struct kube_cidr *nodeports; size_t n_nodeports; /* Addresses, and
                                     * ranges that our node has addresses in.
                                     * A family without any: our node's primary
                                     * address. */
    bool local;                     /* Our node is this machine. */
    struct kube_cidr *services;  size_t n_services;  /* ClusterIPs. */
    struct kube_cidr *pods;      size_t n_pods;  /* None: our node's. */
    const char *node;           /* Our node's name, or null. */
    bool stock;                 /* Do not use "maglev". */
};

#endif /* service-options.h */
