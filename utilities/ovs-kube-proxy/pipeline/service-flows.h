/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SERVICE_FLOWS_H
#define SERVICE_FLOWS_H 1

/* A set of flows and groups, under construction
 * =============================================
 *
 * Ports are in host byte order.
 *
 * Thread-safety: functions are reentrant. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "service-tables.h"

struct ds;
struct in6_addr;
struct match;
struct ofpbuf;
struct ofputil_bucket;
struct ofputil_flow_mod;
struct ofputil_group_mod;

/* Limit for the flows of one Service.  The API server admits Services of many
 * thousand ports, addresses and ranges.  One of them must not fill the
 * switch. */
#define SERVICE_MAX_FLOWS 16384

/* For of_sync_replace(). */
struct service_flows {
    struct ofputil_flow_mod *flows;
    size_t n_flows, allocated_flows;
    struct ofputil_group_mod *groups;
    size_t n_groups, allocated_groups;
    size_t n_left_out;          /* Flows beyond SERVICE_MAX_FLOWS. */

    /* Load balancers' addresses whose ranges of sources are in
     * SERVICE_KNOWN. */
    struct kube_cidr *guarded;
    size_t n_guarded;
};

/* No IP protocol: see "struct service_flows_class". */
#define CLAIM_SOURCES 255

/* What a Service must share with others: ids of groups, and addresses with
 * ports. */
struct service_flows_class {
    bool (*group_id)(const char *name, uint32_t *id, void *aux);
    /* Returns true if the Service may have this port of this address (or
     * range, for node ports).  Port 0 stands for fragments of 'protocol' that
     * show no port.  Protocol 0 stands for all other ports of the address,
     * CLAIM_SOURCES for its ranges of sources. */
    bool (*claim)(const struct kube_cidr *, uint8_t protocol,
                  uint16_t port, void *aux);
};

/* What a group chooses: an endpoint, or, if that is null, another group. */
struct flows_member {
    const struct service_endpoint *endpoint;
    uint32_t group_id;
    uint16_t weight;
};

void service_flows_init(struct service_flows *);
void service_flows_destroy(struct service_flows *);

bool flows_leave_out(struct service_flows *);
void flows_add_flow(struct service_flows *, const struct service_tables *,
                    enum service_table, int priority, const struct match *,
                    struct ofpbuf *);
void flows_add_goto(struct service_flows *, const struct service_tables *,
                    enum service_table, int priority, const struct match *,
                    enum service_table next);
void flows_add_source(struct service_flows *, const struct service_tables *,
                      int priority, const struct match *, uint32_t bits);
void flows_add_drop(struct service_flows *, const struct service_tables *,
                    enum service_table, int priority, const struct match *);
void flows_add_group(struct service_flows *, const struct service_tables *,
                     const struct service_port *, uint8_t stage,
                     uint32_t group_id, const struct flows_member *, size_t n);
void flows_add_endpoint(struct service_flows *, const struct service_tables *,
                        const struct service_endpoint *, uint32_t group_id);
void flows_add_nodes(struct service_flows *, const struct service_tables *,
                     const struct service_port *, uint8_t stage,
                     uint32_t group_id);
bool flows_rejects(const struct ofputil_bucket *);
bool flows_find_group(const struct ofputil_bucket *, uint32_t *group_id);
bool flows_find_endpoint(const struct ofputil_bucket *, struct in6_addr *,
                         uint16_t *port);
void flows_format_group(const struct ofputil_group_mod *, struct ds *);
bool flows_find_node(const struct ofputil_bucket *, struct in6_addr *);

#endif /* service-flows.h */
