/* SPDX-License-Identifier: Apache-2.0 */

#ifndef NODE_KEPT_H
#define NODE_KEPT_H 1

/* What the database keeps of the cluster
 * ======================================
 *
 * A program that starts while the API server is away needs the Nodes to make
 * the flows of the pods that are there.  external_ids of the host's Port have
 * them, one key each, so that a change of a Node is one of a short value:
 *
 *     node-kept-NAME  addresses and ranges of pods: "192.0.2.1 10.244.1.0/24"
 *
 * The Port is ours, so the keys go with it.  ovs-ext-cni, which reads the
 * bridge for each pod, need not read them.
 *
 * Attack model: as of the database.  What is no address is left out.
 *
 * Limits: about 100 octets for a Node with both families.
 *
 * Thread-safety: none; all of it belongs to one thread. */

#include <stdbool.h>
#include <stddef.h>

struct node_cluster;
struct node_database;
struct node_peer;

bool node_kept_read(const struct node_database *, const char *host,
                    const char *our_name, struct node_cluster *);
bool node_kept_write(struct node_database *, const char *host,
                     const struct node_peer *, size_t n);

#endif /* node-kept.h */
