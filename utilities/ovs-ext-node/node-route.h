/* SPDX-License-Identifier: Apache-2.0 */

#ifndef NODE_ROUTE_H
#define NODE_ROUTE_H 1

/* Our routes in the kernel
 * ========================
 *
 * They have the protocol NODE_PROTOCOL, so that those of an earlier run are
 * known: in the main table, and in NODE_TABLE.  A route of somebody else to
 * the same network stays, and is an error.
 *
 * Thread-safety: as rt-netlink.h. */

#include <stddef.h>
#include <netinet/in.h>
#include "utilities/kube/kube-cidr.h"

struct mnl_socket;

struct node_route {
    struct kube_cidr dst;
    struct in6_addr gateway;    /* All-zeros: through the host's interface. */
    uint8_t table;
};

char *node_routes_apply(struct mnl_socket *, unsigned int ifindex,
                        const struct in6_addr *addrs, size_t n_addrs,
                        const struct node_route *, size_t n);

#endif /* node-route.h */
