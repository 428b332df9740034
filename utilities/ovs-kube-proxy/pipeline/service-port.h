/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SERVICE_PORT_H
#define SERVICE_PORT_H 1

/* Flows and groups for one port of a Service
 * ==========================================
 *
 * They depend only on that port, on "struct service_tables", and on what the
 * class grants.
 *
 * Thread-safety: functions are reentrant. */

struct service_flows;
struct service_flows_class;
struct service_port;
struct service_tables;

void service_flows_add_port(struct service_flows *,
                            const struct service_tables *,
                            const struct service_port *,
                            const struct service_flows_class *, void *aux);

#endif /* service-port.h */
