/* SPDX-License-Identifier: Apache-2.0 */

#ifndef NODE_HOST_H
#define NODE_HOST_H 1

/* What the host's own interface and network have to do with pods
 * ==============================================================
 *
 * Thread-safety: as node-link.h. */

#include <stddef.h>

struct in6_addr;
struct kube_node;
struct node_link;
struct node_peer;
struct node_pipeline_options;

void node_host_set(struct node_link *, const struct node_pipeline_options *,
                   const struct kube_node *ours,
                   const struct node_peer *, size_t n_peers);
int node_host_mtu(const struct node_pipeline_options *,
                  const struct in6_addr *end);

#endif /* node-host.h */
