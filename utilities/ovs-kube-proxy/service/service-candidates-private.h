/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SERVICE_CANDIDATES_PRIVATE_H
#define SERVICE_CANDIDATES_PRIVATE_H 1

/* The endpoints of one port before some are chosen, for the files that
 * make a "struct service_port". */

#include <stdbool.h>
#include <stddef.h>
#include "service-model.h"

struct kube_peers;
struct kube_service;

/* How good an endpoint is for new connections. */
enum rank {
    UNUSABLE,
    DRAINING,                   /* Serves and terminates, or has weight 0. */
    READY,
};

/* An endpoint for one port, from any slice. */
struct candidate {
    struct service_endpoint e;
    enum rank rank;
    bool node_hinted, for_our_node;
    bool zone_hinted, for_our_zone;
    const char *node;           /* Name of its node, or "". */
};

struct candidates {
    struct candidate *c;
    size_t n;
};

enum topology {
    EVERYWHERE,
    SAME_NODE,
    SAME_ZONE,
};

/* service-candidates.c. */
enum topology candidates_topology(const struct candidates *);
struct service_set candidates_make_set(const struct candidates *,
                                       enum topology, bool local);

/* service-direct.c. */
void service_direct_fill(struct service_port *, const struct candidates *,
                         const struct kube_peers *, char **error);

#endif /* service-candidates-private.h */
