/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SERVICE_HAIRPINS_H
#define SERVICE_HAIRPINS_H 1

/* Endpoints that send to their own Service
 * ========================================
 *
 * Each has a flow that masquerades its packets, while it serves any Service.
 *
 * Thread-safety: as service-pipeline.h. */

struct service;
struct service_pipeline;
struct piped_service;

void pipeline_put_hairpin(struct service_pipeline *, const char *name);
void pipeline_replace_hairpins(struct service_pipeline *,
                               struct piped_service *, const struct service *);

#endif /* service-hairpins.h */
