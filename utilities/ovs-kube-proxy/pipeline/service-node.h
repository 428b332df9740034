/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SERVICE_NODE_H
#define SERVICE_NODE_H 1

/* Tables and base flows, which depend on our node
 * ===============================================
 *
 * Thread-safety: as service-pipeline.h. */

#include <stddef.h>

struct kube_cidr;
struct service_flows;
struct service_pipeline;

const struct kube_cidr *pipeline_pods(const struct service_pipeline *,
                                      size_t *n);
const struct kube_cidr *pipeline_ranges(const struct service_pipeline *,
                                        size_t *n);
void pipeline_compose_base(struct service_pipeline *, struct service_flows *);
void pipeline_update_base(struct service_pipeline *);
void pipeline_update_peers(struct service_pipeline *);

#endif /* service-node.h */
