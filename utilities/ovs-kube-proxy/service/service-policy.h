/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SERVICE_POLICY_H
#define SERVICE_POLICY_H 1

/* Which endpoints the traffic of a Service goes to
 * ================================================
 *
 * Makes the work of our node from a Service and its EndpointSlices.  Follows
 * the rules of kube-proxy: readiness, the fallback to endpoints that
 * terminate, topology hints, internal and external traffic policy.  The order
 * of slices, endpoints and ports does not change the result.
 *
 * One difference from kube-proxy: if a Service has source ranges for only one
 * family, all sources of the other family are refused.
 *
 * Thread-safety: functions are reentrant. */

#include "service-model.h"

struct ds;
struct kube_service;
struct kube_node;
struct kube_peers;
struct kube_slice;

struct service *service_make(const struct kube_service *,
                             const struct kube_slice *const slices[],
                             size_t n_slices,
                             const struct kube_node *our_node,
                             const struct kube_peers *, char **error);
void service_destroy(struct service *);
void service_conflicts_destroy(struct service_conflict *, size_t n);

#endif /* service-policy.h */
