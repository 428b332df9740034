/* SPDX-License-Identifier: Apache-2.0 */

#ifndef NODE_DATABASE_H
#define NODE_DATABASE_H 1

/* The switch's database, as far as a node needs it
 * ================================================
 *
 * Reads the ports that ovs-ext-cni has made, and tells it, in external_ids of
 * their interfaces, which of them have their flows:
 *
 *     node-admitted   the addresses, as in cni-addresses
 *     node-refused    why the port gets no flows
 *
 * Makes the ports of the host and of the tunnels.  external_ids of the bridge
 * say whose it is:
 *
 *     node-agent      name of the Node
 *     node-pod-cidrs  its ranges of pods
 *     node-fail-mode  "secure" if we have set that
 *
 * Only what has "node-owner=ovs-ext-node" in its external_ids is ever changed
 * or removed, and the keys above.
 *
 * Attack model: whoever may write to the database owns the switch.  What it
 * holds is checked nevertheless.  A port has at most NODE_MAX_ADDRS addresses.
 *
 * Thread-safety: none; all of it belongs to one thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "node-model.h"

struct ds;
struct kube_node;
struct node_database;

/* What the bridge must have besides the ports of pods. */
struct node_wish {
    const char *host;           /* Name of the host's port. */
    const char *tunnel;         /* Name of the tunnels' port, or null. */
    bool direct;                /* Tunnels carry a key in each packet. */
    const struct in6_addr *tunnel_end;  /* Our end. */
    int mtu;                    /* Of the host's port. */
    const struct kube_node *ours;
};

struct node_database_options {
    const char *remote;         /* "unix:...", "tcp:...". */
    const char *bridge;
};

struct node_database *node_database_create(
    const struct node_database_options *);
void node_database_destroy(struct node_database *);
void node_database_run(struct node_database *);
void node_database_wait(struct node_database *);

uint64_t node_database_generation(const struct node_database *);
const char *node_database_fault(const struct node_database *);
struct node_pod *node_database_read_pods(struct node_database *, size_t *n);
const struct node_pod *node_database_pods(struct node_database *, size_t *n);
ofp_port_t node_database_ofport(const struct node_database *,
                                const char *port);
void node_database_put_features(const struct node_database *, struct ds *);
const char *node_database_port_error(const struct node_database *,
                                     const char *port);

void node_database_wish(struct node_database *, const struct node_wish *);
void node_database_admit(struct node_database *, const struct node_pod *);
void node_database_refuse(struct node_database *, const struct node_pod *,
                          const char *why);
bool node_database_clear(struct node_database *);

#endif /* node-database.h */
