/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SERVICE_CLAIMS_H
#define SERVICE_CLAIMS_H 1

/* What a Service must agree on with others
 * ========================================
 *
 * Addresses and ports, which only one Service can have, and ids of groups.
 *
 * Thread-safety: as service-pipeline.h. */

#include <stdbool.h>
#include "sset.h"

struct claim;
struct service;
struct service_flows;
struct service_pipeline;
struct piped_service;

/* What service_flows_add_port() is told. */
struct compose_aux {
    struct service_pipeline *p;
    struct piped_service *s;
    struct sset groups;         /* Names that are used. */
    bool trying;                /* Nothing may change. */
};

void pipeline_compose(struct compose_aux *, const struct service *,
                      struct service_flows *);
void pipeline_claim_destroy(struct service_pipeline *, struct claim *);
void pipeline_release_claims(struct service_pipeline *,
                             struct piped_service *, bool all);
void pipeline_replace_groups(struct service_pipeline *,
                             struct piped_service *, struct sset *groups);

#endif /* service-claims.h */
