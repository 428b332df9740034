/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SERVICE_FLOWS_H
#define SERVICE_FLOWS_H 1

/* OpenFlow for Services, without state
 * ====================================
 *
 * Makes the flows and groups that service-pipeline keeps in the switch:
 * Documentation/kube-proxy-pipeline.md says what they are and why.  What is
 * made for one Service depends on that Service and on "struct service_tables"
 * alone.
 *
 * Files: service-terms.c, matches and actions; service-flows.c, flows and
 * groups of them; service-base.c, what is the same for all Services;
 * service-port.c, one port of a Service.
 *
 * Thread-safety: none needed, no state. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "openvswitch/types.h"
#include "utilities/ovs-kube-proxy/service/service-model.h"

struct match;
struct ofpbuf;
struct ofputil_flow_mod;
struct ofputil_group_mod;

/* The tables, counted from the first one. */
enum service_table {
    SERVICE_ENTRY,              /* Undoes masquerading. */
    SERVICE_TRACK,              /* Where masquerading was undone. */
    SERVICE_KNOWN,              /* Connections that we know go on. */
    SERVICE_SOURCE,             /* Pod, this node, or anybody else? */
    SERVICE_CHOOSE,             /* The Services. */
    SERVICE_TRANSLATED,         /* Masquerades. */
    SERVICE_LEAVE,              /* To the next table. */
    SERVICE_N_TABLES,
};

/* Bits of ct_mark, of connections in the first zone. */
#define SERVICE_MARK_OURS 1     /* Translated by us. */
#define SERVICE_MARK_MASQ 2     /* Masqueraded in the second zone. */

/* What is configured or known of our node. */
struct service_tables {
    uint8_t first;              /* Number of the first table. */
    int next;                   /* Table to leave to, or -1: NORMAL. */
    uint16_t zone;              /* Translates to endpoints; the next zone
                                 * masquerades. */
    unsigned int reg;           /* Register that is used in between. */
    ovs_be64 cookie;
    uint16_t controller_id;     /* To which packets to reject go, */
    uint32_t meter;             /* through this meter, unless it is 0. */
    uint16_t masq_min, masq_max; /* Ports that masqueraded packets get. */
    struct in6_addr masq4, masq6; /* The addresses, or all-zeros. */
    struct service_cidr *nodeports; size_t n_nodeports;
    bool maglev;                /* The switch has the "maglev" method. */
    uint32_t seed;              /* Of that; 0: random. */
};

/* Flows and groups, for of_sync_replace(). */
struct service_flows {
    struct ofputil_flow_mod *flows;
    size_t n_flows, allocated_flows;
    struct ofputil_group_mod *groups;
    size_t n_groups, allocated_groups;
};

/* What makes a Service differ from others and must be agreed with them: group
 * ids, and the addresses and ports that only one may have. */
struct service_flows_class {
    bool (*group_id)(const char *name, uint32_t *id, void *aux);
    /* May the Service have this address (and its length, for node ports) and
     * port?  Port 0 stands for fragments of 'protocol' that show no port, and
     * without a 'protocol' for the address as such. */
    bool (*claim)(const struct service_cidr *, uint8_t protocol,
                  uint16_t port, void *aux);
};

void service_flows_init(struct service_flows *);
void service_flows_destroy(struct service_flows *);

void service_flows_add_base(struct service_flows *,
                            const struct service_tables *,
                            const struct service_cidr *services, size_t,
                            const struct service_cidr *pods, size_t,
                            const struct in6_addr *nodes, size_t);
void service_flows_add_hairpin(struct service_flows *,
                               const struct service_tables *,
                               const struct in6_addr *endpoint);
void service_flows_add_port(struct service_flows *,
                            const struct service_tables *,
                            const struct service_port *,
                            const struct service_flows_class *, void *aux);

#endif /* service-flows.h */
