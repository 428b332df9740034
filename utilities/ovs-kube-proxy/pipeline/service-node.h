/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SERVICE_NODE_H
#define SERVICE_NODE_H 1

/* Tables and base flows, which depend on our node
 * ===============================================
 *
 * Thread-safety: as service-pipeline.h. */

struct service_flows;
struct service_pipeline;

void pipeline_compose_base(struct service_pipeline *, struct service_flows *);
void pipeline_update_base(struct service_pipeline *);

#endif /* service-node.h */
