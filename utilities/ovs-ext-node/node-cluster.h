/* SPDX-License-Identifier: Apache-2.0 */

#ifndef NODE_CLUSTER_H
#define NODE_CLUSTER_H 1

/* The Nodes of the cluster
 * ========================
 *
 * kube-api and kube-file put Nodes into the sink.  Of Nodes whose ranges of
 * pods overlap, one counts and the others are left out: ours counts, then the
 * one with the wider range, then the first name.  A Node's own address is a
 * range, too.  Packets go to one node in
 * any case, the same one from wherever they come.
 *
 * Until the Nodes have been listed, those of an earlier run can stand in for
 * them: the list replaces what it does not have.
 *
 * Attack model: a Node may say anything.  It takes no address from another
 * Node whose range is as wide, nor any from ours.
 *
 * Thread-safety: none; all of it belongs to one thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct in6_addr;
struct kube_cidr;
struct kube_node;
struct kube_sink;
struct node_cluster;

/* A Node.  It belongs to the node_cluster, until the next object comes. */
struct node_peer {
    const struct kube_node *node;
    bool ours;
    const char *left_out;       /* Name of the Node that has a range or an
                                 * address of it, or null. */
};

struct node_cluster *node_cluster_create(const char *our_name);
void node_cluster_destroy(struct node_cluster *);
struct kube_sink *node_cluster_sink(struct node_cluster *);

void node_cluster_restore(struct node_cluster *, struct kube_node *);
bool node_cluster_is_restored(const struct node_cluster *);
bool node_cluster_is_complete(const struct node_cluster *);
uint64_t node_cluster_generation(const struct node_cluster *);
const struct kube_node *node_cluster_ours(const struct node_cluster *);
const struct node_peer *node_cluster_peers(struct node_cluster *, size_t *n);
const struct kube_node *node_cluster_owner(struct node_cluster *,
                                           const struct in6_addr *);

#endif /* node-cluster.h */
