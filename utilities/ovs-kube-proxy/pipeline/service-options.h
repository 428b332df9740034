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

/* Arrays and what they hold must outlive the pipeline. */
struct service_pipeline_options {
    struct service_tables tables;   /* 'maglev' and 'meter' are found out;
                                     * what is not set of 'masq4', 'masq6' and
                                     * 'nodeports' is our node's primary
                                     * address. */
    struct service_cidr *services;  size_t n_services;  /* ClusterIPs. */
    struct service_cidr *pods;      size_t n_pods;  /* None: our node's. */
    const char *node;           /* Our node's name, null if it has none. */
    bool stock;                 /* Do without "maglev" in any case. */
};

#endif /* service-options.h */
