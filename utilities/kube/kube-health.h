/* SPDX-License-Identifier: Apache-2.0 */

#ifndef KUBE_HEALTH_H
#define KUBE_HEALTH_H 1

/* The health-check node ports of Services
 * =======================================
 *
 * A load balancer asks each node whether it has endpoints of a Service with
 * externalTrafficPolicy Local.  It asks on the healthCheckNodePort of that
 * Service.  The answer is 200 while a local endpoint is ready and this proxy
 * is healthy, else 503.  A JSON object gives the numbers, as kube-proxy does.
 *
 * Thread-safety: none; all of it belongs to one thread. */

#include <stdbool.h>
#include <stdint.h>

struct kube_health;

struct kube_health *kube_health_create(void);
void kube_health_destroy(struct kube_health *);
void kube_health_begin(struct kube_health *);
void kube_health_add(struct kube_health *, const char *namespace_,
                     const char *name, uint16_t port,
                     unsigned int n_local_ready);
void kube_health_end(struct kube_health *, bool proxy_healthy);
void kube_health_run(struct kube_health *);
void kube_health_wait(struct kube_health *);

#endif /* kube-health.h */
