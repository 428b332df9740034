/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SERVICE_PIPELINE_H
#define SERVICE_PIPELINE_H 1

/* From the state of the cluster to flows and groups
 * =================================================
 *
 * Makes the flows and groups for each Service in the store, and keeps them up
 * to date through of-sync.  A change of one Service costs work for that
 * Service only.  A change of our node, or of the switch's abilities, costs
 * work for all.
 *
 * When two Services want the same address and port, the first one keeps it.
 * The other gets it when the first one releases it.
 *
 *     service-pipeline.c  which Service is next
 *     service-claims.c    addresses and ids that only one Service can have
 *     service-hairpins.c  endpoints that send to their own Service
 *     service-errors.c    ICMP errors to addresses with direct return
 *     service-udp.c       UDP connections that must end
 *     service-node.c      what depends on our node
 *     service-addrs.c     the addresses of this machine
 *     service-put.c       hands flows and groups to of-sync
 *     service-show.c      state and counters
 *     service-config.c    the configuration in force
 *     service-metrics.c   what the switch counts, for Prometheus
 *     service-explain.c   which endpoint serves a connection
 *     service-recall.c    which one served it in the past
 *
 * Flows are made by service-base.c and service-port.c, from the parts in
 * service-flows.c and service-terms.c.
 * Documentation/reference/kube-proxy-pipeline.md describes them.
 *
 * Thread-safety: none; all of it belongs to one thread. */

#include <stdbool.h>
#include <stdint.h>
#include "service-options.h"

struct kube_health;
struct kube_store;
struct of_sync;
struct service_pipeline;

struct service_pipeline *service_pipeline_create(
    const struct service_pipeline_options *, struct kube_store *,
    struct of_sync *);
void service_pipeline_destroy(struct service_pipeline *);
void service_pipeline_run(struct service_pipeline *);
void service_pipeline_wait(struct service_pipeline *);
bool service_pipeline_has_begun(const struct service_pipeline *);
bool service_pipeline_is_current(const struct service_pipeline *);
uint64_t service_pipeline_health_seqno(const struct service_pipeline *);
void service_pipeline_tell_health(const struct service_pipeline *,
                                  struct kube_health *, bool healthy);

#endif /* service-pipeline.h */
