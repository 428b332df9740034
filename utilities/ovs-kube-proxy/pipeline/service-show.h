/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SERVICE_SHOW_H
#define SERVICE_SHOW_H 1

/* The pipeline, for people and for Prometheus
 * ===========================================
 *
 * Thread-safety: as service-pipeline.h. */

#include <stdbool.h>
#include <stddef.h>

struct ds;
struct json;
struct metrics;
struct service_pipeline;

void service_pipeline_list(const struct service_pipeline *, struct ds *);
bool service_pipeline_show(struct service_pipeline *, const char *ns_name,
                           struct ds *);
struct json *service_pipeline_list_json(const struct service_pipeline *,
                                        size_t max, size_t *n);
struct json *service_pipeline_show_json(struct service_pipeline *,
                                        const char *ns_name);
void service_pipeline_show_base(struct service_pipeline *, struct ds *);
struct json *service_pipeline_show_base_json(struct service_pipeline *);
void service_pipeline_format_metrics(const struct service_pipeline *,
                                     const struct metrics *);

#endif /* service-show.h */
