/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SERVICE_BASE_H
#define SERVICE_BASE_H 1

/* Flows that do not depend on any one Service
 * ===========================================
 *
 * Thread-safety: functions are reentrant. */

#include <stddef.h>
#include "service-tables.h"

struct kube_node;
struct service_flows;

void service_flows_add_base(struct service_flows *,
                            const struct service_tables *,
                            const struct kube_cidr *services, size_t,
                            const struct kube_cidr *pods, size_t,
                            const struct kube_node *);
void service_flows_add_hairpin(struct service_flows *,
                               const struct service_tables *,
                               const struct in6_addr *endpoint);
void service_flows_add_node_hairpin(struct service_flows *,
                                    const struct service_tables *,
                                    const struct in6_addr *endpoint,
                                    const struct kube_cidr *pods, size_t);

#endif /* service-base.h */
