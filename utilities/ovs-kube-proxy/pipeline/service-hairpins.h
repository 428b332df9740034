/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SERVICE_HAIRPINS_H
#define SERVICE_HAIRPINS_H 1

/* Endpoints that send to their own Service
 * ========================================
 *
 * Such packets must be masqueraded, or the endpoint would answer itself
 * directly.  An endpoint has a flow for that while it serves any Service.
 *
 * Thread-safety: as service-pipeline.h. */

struct service;
struct service_pipeline;
struct piped_service;

void pipeline_put_hairpin(struct service_pipeline *, const char *name);
void pipeline_replace_hairpins(struct service_pipeline *,
                               struct piped_service *, const struct service *);

#endif /* service-hairpins.h */
