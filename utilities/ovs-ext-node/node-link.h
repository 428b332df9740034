/* SPDX-License-Identifier: Apache-2.0 */

#ifndef NODE_LINK_H
#define NODE_LINK_H 1

/* The host's interface: addresses and routes, by rtnetlink
 * ========================================================
 *
 * The kernel loses them with the interface, when the switch restarts, and so
 * does an administrator by mistake.  The kernel reports it, and they are made
 * again.
 *
 * Thread-safety: none; all of it belongs to one thread. */

#include <stddef.h>

struct in6_addr;
struct node_link;
struct node_ports;
struct node_route;

struct node_link *node_link_create(const char *name);
void node_link_destroy(struct node_link *);
void node_link_set(struct node_link *,
                   struct in6_addr *addrs, size_t n_addrs,
                   struct node_route *routes, size_t n_routes);
void node_link_set_ports(struct node_link *, const struct node_ports *,
                         const struct in6_addr *addrs, size_t n_addrs);
void node_link_run(struct node_link *);
void node_link_wait(const struct node_link *);
const char *node_link_error(const struct node_link *);
void node_link_clear(struct node_link *);

int node_link_mtu(const struct in6_addr *, const char *bridge);

#endif /* node-link.h */
