/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SERVICE_FLOWS_H
#define SERVICE_FLOWS_H 1

/* A set of flows and groups, under construction
 * =============================================
 *
 * Ports are in host byte order.
 *
 * Thread-safety: functions are reentrant. */

#include <stddef.h>
#include <stdint.h>
#include "service-tables.h"

struct match;
struct ofpbuf;
struct ofputil_flow_mod;
struct ofputil_group_mod;

/* For of_sync_replace(). */
struct service_flows {
    struct ofputil_flow_mod *flows;
    size_t n_flows, allocated_flows;
    struct ofputil_group_mod *groups;
    size_t n_groups, allocated_groups;
};

void service_flows_init(struct service_flows *);
void service_flows_destroy(struct service_flows *);

void flows_add_flow(struct service_flows *, const struct service_tables *,
                    enum service_table, int priority, const struct match *,
                    struct ofpbuf *);
void flows_add_goto(struct service_flows *, const struct service_tables *,
                    enum service_table, int priority, const struct match *,
                    enum service_table next);
void flows_add_drop(struct service_flows *, const struct service_tables *,
                    enum service_table, int priority, const struct match *);
void flows_add_group(struct service_flows *, const struct service_tables *,
                     const struct service_port *, const struct service_set *,
                     uint32_t group_id, const uint32_t *endpoint_ids);
void flows_add_endpoint(struct service_flows *, const struct service_tables *,
                        const struct service_endpoint *, uint32_t group_id);

#endif /* service-flows.h */
