/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SERVICE_CONFIG_H
#define SERVICE_CONFIG_H 1

/* The pipeline's configuration, as it is in force
 * ===============================================
 *
 * Thread-safety: as service-pipeline.h. */

struct json;
struct service_pipeline;

void service_pipeline_put_config(const struct service_pipeline *,
                                 struct json *object);

#endif /* service-config.h */
