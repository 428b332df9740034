/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SERVICE_HANDOVER_H
#define SERVICE_HANDOVER_H 1

/* Flows for direct return that do not depend on any one Service
 * ==============================================================
 *
 * kube-direct.h says how nodes hand over packets.  Here is what becomes of
 * packets that other nodes have handed over, and of those for which a group
 * has chosen a node.
 *
 * Attack model: a packet that says that it was handed over may come from
 * anybody who can send into the tunnel.  It reaches Services with direct
 * return and connections that began so, and nothing else.
 *
 * Thread-safety: functions are reentrant. */

#include <stdbool.h>
#include <stddef.h>
#include "service-tables.h"

struct kube_peers;
struct service_flows;

void service_flows_add_handover(struct service_flows *,
                                const struct service_tables *);
void service_flows_add_peers(struct service_flows *,
                             const struct service_tables *,
                             const struct kube_peers *,
                             const bool know_pods[2]);

void service_flows_add_errors(struct service_flows *,
                              const struct service_tables *,
                              const struct in6_addr *addr,
                              const struct in6_addr *nodes, size_t n);

#endif /* service-handover.h */
