/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SERVICE_UDP_H
#define SERVICE_UDP_H 1

/* UDP connections that must end
 * =============================
 *
 * UDP has no end of a connection.  The connection tracker would lead a client
 * to its old endpoint for as long as it sends.  So the switch must forget a
 * connection when the endpoint stops serving the address.
 *
 * An endpoint may also have stopped while the program did not run.  The
 * switch's groups say which endpoints there were.
 *
 * Thread-safety: as service-pipeline.h. */

#include <stdint.h>

struct ofputil_bucket;
struct service;
struct service_pipeline;
struct piped_service;

void pipeline_note_bucket(uint32_t group_id, const struct ofputil_bucket *,
                          void *pipeline);
void pipeline_end_old(struct service_pipeline *);
void pipeline_replace_paths(struct service_pipeline *, struct piped_service *,
                            const struct service *);

#endif /* service-udp.h */
