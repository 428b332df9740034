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
 * Thread-safety: as service-pipeline.h. */

struct service;
struct service_pipeline;
struct piped_service;

void pipeline_replace_paths(struct service_pipeline *, struct piped_service *,
                            const struct service *);

#endif /* service-udp.h */
