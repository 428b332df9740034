/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SERVICE_PIPELINE_H
#define SERVICE_PIPELINE_H 1

/* From what the store knows to what the switch does
 * =================================================
 *
 * Keeps in step, through of-sync, the flows and groups of service-flows with
 * the Services of a store.  A change of one Service costs work for that
 * Service alone; a change of our node, or of what the switch can do, for all.
 *
 * Where two Services want the same address and port, the one that had it
 * first keeps it, and the other gets it when that one lets go.
 *
 * Files: service-pipeline.c, which Service is next; service-claims.c,
 * addresses and group ids that are one Service's; service-hairpins.c,
 * endpoints that send to themselves; service-udp.c, connections that must end;
 * service-node.c, what depends on our node; service-show.c, what people see.
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
