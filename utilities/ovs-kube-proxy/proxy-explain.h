/* SPDX-License-Identifier: Apache-2.0 */

#ifndef PROXY_EXPLAIN_H
#define PROXY_EXPLAIN_H 1

/* service/explain: which endpoint serves a connection
 * ===================================================
 *
 *     service/explain [--proto=PROTOCOL] [--at=TIME] SRC:PORT VIP:PORT
 *
 * Asks the switch, by its commands: for the connections that it tracks in our
 * zone; if this one is not there, to trace its first packet, and which bucket
 * that would meet.  For a time in the past, service-recall.h has the groups
 * made as they were, and the switch is asked what these choose.
 *
 * Limits: one question at a time, and the switch must be on this machine.  It
 * lists all connections to Services, in its main thread.
 *
 * Thread-safety: none; all of it belongs to one thread. */

struct proxy_explain;
struct service_pipeline;

struct proxy_explain *proxy_explain_create(struct service_pipeline *,
                                           const char *remote);
void proxy_explain_run(struct proxy_explain *);
void proxy_explain_wait(struct proxy_explain *);
void proxy_explain_destroy(struct proxy_explain *);

#endif /* proxy-explain.h */
