/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SERVICE_CLAIMS_H
#define SERVICE_CLAIMS_H 1

/* What only one Service can have
 * ==============================
 *
 * Addresses with ports, and ids of groups.
 *
 * Thread-safety: as service-pipeline.h. */

#include <stdbool.h>
#include <stdint.h>
#include "sset.h"

struct claim;
struct in6_addr;
struct service;
struct service_flows;
struct service_pipeline;
struct piped_service;

/* Passed through service_flows_add_port() to the functions that claim. */
struct compose_aux {
    struct service_pipeline *p;
    struct piped_service *s;
    struct sset groups;         /* Names of the groups in use. */
    bool trying;                /* Look only: claim nothing. */

    /* Addresses and ports that other Services have. */
    struct service_conflict *conflicts;
    size_t n_conflicts, allocated_conflicts;
};

void pipeline_compose(struct compose_aux *, const struct service *,
                      struct service_flows *);
const char *pipeline_owner_of(const struct service_pipeline *,
                              const struct in6_addr *, uint8_t protocol,
                              uint16_t port);
void pipeline_claim_destroy(struct service_pipeline *, struct claim *);
void pipeline_release_claims(struct service_pipeline *,
                             struct piped_service *, bool all);
void pipeline_replace_groups(struct service_pipeline *,
                             struct piped_service *, struct sset *groups);

#endif /* service-claims.h */
