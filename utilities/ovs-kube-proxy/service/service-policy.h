/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SERVICE_POLICY_H
#define SERVICE_POLICY_H 1

/* Which endpoints a Service's traffic goes to
 * ===========================================
 *
 * Makes of a Service and its EndpointSlices what our node has to do, by the
 * rules that kube-proxy follows: readiness, the fallback to endpoints that
 * terminate, topology hints, internal and external traffic policy.  The result
 * does not depend on the order of slices, endpoints or ports.
 *
 * Differs from kube-proxy in one point: a Service with ranges of source
 * addresses for one family only refuses all sources of the other one.
 *
 * Thread-safety: functions are reentrant. */

#include "service-model.h"

struct ds;
struct kube_service;
struct kube_slice;

/* Endpoints of one port that are used: as many as a load-balanced group may
 * have buckets. */
#define SERVICE_MAX_ENDPOINTS 4096

struct service *service_make(const struct kube_service *,
                             const struct kube_slice *const slices[],
                             size_t n_slices,
                             const struct service_node *our_node,
                             char **error);
void service_destroy(struct service *);
bool service_equal(const struct service *, const struct service *);

#endif /* service-policy.h */
