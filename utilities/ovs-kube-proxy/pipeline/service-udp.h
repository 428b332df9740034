/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SERVICE_UDP_H
#define SERVICE_UDP_H 1

/* UDP connections that must end
 * =============================
 *
 * When an endpoint no longer serves an address, the connections from there to
 * it are forgotten: UDP itself would never end them.
 *
 * Thread-safety: as service-pipeline.h. */

struct service;
struct service_pipeline;
struct piped_service;

void pipeline_replace_paths(struct service_pipeline *, struct piped_service *,
                            const struct service *);

#endif /* service-udp.h */
