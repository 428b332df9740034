/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SERVICE_ERRORS_H
#define SERVICE_ERRORS_H 1

/* ICMP errors to addresses with direct return
 * ===========================================
 *
 * A router that cannot forward an answer sends an ICMP error to its source, a
 * load balancer's address.  The network leads it to any node.  Matches of
 * OpenFlow cannot see which connection it is about, so a node to which it says
 * nothing hands it over to all nodes with endpoints behind the address.  The
 * connection trackers there know.
 *
 * Attack model: anybody can send such packets.  An address has at most
 * ERRORS_MAX_NODES nodes here.  What was handed over is not handed over
 * again.
 *
 * Thread-safety: as service-pipeline.h. */

#include <stddef.h>

struct piped_service;
struct service;
struct service_pipeline;

#define ERRORS_MAX_NODES 64

void pipeline_replace_errors(struct service_pipeline *,
                             struct piped_service *, const struct service *);
void pipeline_put_errors(struct service_pipeline *, const char *name);

#endif /* service-errors.h */
