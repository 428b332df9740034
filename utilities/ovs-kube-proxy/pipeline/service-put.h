/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SERVICE_PUT_H
#define SERVICE_PUT_H 1

/* Handing flows and groups to of-sync
 * ===================================
 *
 * Thread-safety: as service-pipeline.h. */

struct service_flows;
struct service_pipeline;

void pipeline_put(struct service_pipeline *, const char *key,
                  struct service_flows *);

#endif /* service-put.h */
