/* SPDX-License-Identifier: Apache-2.0 */

#ifndef KUBE_PEERS_H
#define KUBE_PEERS_H 1

/* All Nodes, by name
 * ==================
 *
 * Thread-safety: none; each object belongs to one thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "openvswitch/shash.h"

struct in6_addr;
struct kube_node;

struct kube_peers {
    struct shash nodes;         /* Contains "struct kube_peer"s. */
    char *our_node;             /* Name of ours, or null. */
    uint64_t generation;        /* Changes with what is in 'nodes'. */
};

struct kube_peer {
    struct kube_node *node;
    unsigned int list;          /* Number of the last list that had it. */
};

struct kube_peers *kube_peers_create(const char *our_node);
void kube_peers_destroy(struct kube_peers *);
bool kube_peers_put(struct kube_peers *, const struct kube_node *,
                    unsigned int list);
bool kube_peers_delete(struct kube_peers *, const char *name);
bool kube_peers_list_end(struct kube_peers *, unsigned int list);
const struct kube_node *kube_peers_find(const struct kube_peers *,
                                        const char *name);
bool kube_peers_end(const struct kube_peers *, const char *name,
                    struct in6_addr *);

#endif /* kube-peers.h */
