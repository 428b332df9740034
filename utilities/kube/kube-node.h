/* SPDX-License-Identifier: Apache-2.0 */

#ifndef KUBE_NODE_H
#define KUBE_NODE_H 1

/* Nodes from their JSON
 * =====================
 *
 * Attack model: 'object' may be any JSON value.  A faulty element of a list is
 * left out, with a message.  An object without a name is refused.  Lists are
 * bounded by KV_MAX_ADDRESSES.
 *
 * Thread-safety: functions are reentrant. */

#include <stdbool.h>
#include <stddef.h>
#include <netinet/in.h>
#include "kube-cidr.h"

struct ds;
struct json;

struct kube_node {
    char *name, *zone;          /* 'zone' may be null. */
    struct kube_cidr *pod_cidrs; size_t n_pod_cidrs;

    /* Primary addresses, at most one of each family. */
    struct in6_addr *addrs;         size_t n_addrs;

    bool leaving;               /* It is being deleted, or the cluster's
                                 * autoscaler will delete it. */
};

struct kube_node *kube_node_parse(const struct json *, char **error);
struct kube_node *kube_node_clone(const struct kube_node *);
struct kube_node *kube_node_from_string(const char *name, const char *s,
                                        char **error);
void kube_node_format(const struct kube_node *, struct ds *);
void kube_node_destroy(struct kube_node *);
bool kube_node_equal(const struct kube_node *, const struct kube_node *);
bool kube_node_tunnel_end(const struct kube_node *ours,
                          const struct kube_node *peer, struct in6_addr *);

#endif /* kube-node.h */
