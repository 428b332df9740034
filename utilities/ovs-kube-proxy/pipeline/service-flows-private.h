/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SERVICE_FLOWS_PRIVATE_H
#define SERVICE_FLOWS_PRIVATE_H 1

/* What the files of service-flows share.  See service-flows.h. */

#include "openvswitch/meta-flow.h"
#include "service-flows.h"

/* Bits of the register. */
#define REG_OUTSIDE 0           /* The source is no pod. */
#define REG_INTERNAL 1          /* It is a pod or this node. */
#define REG_MASQ 2              /* To be masqueraded. */

/* Priorities, of all tables. */
enum {
    PRIO_DEFAULT = 0,
    PRIO_FAMILY = 10,
    PRIO_UNALLOCATED = 50,      /* Addresses in the Services' range. */
    PRIO_KNOWN = 100,           /* Known addresses; pods; connections. */
    PRIO_SPECIAL = 200,
    PRIO_FIRST = 300,
    PRIO_RESTRICTED = 400,      /* Load balancers': nobody ... */
    PRIO_PORT = 500,            /* ... but these; other addresses' ports. */
    PRIO_PORT_INTERNAL = 510,   /* The same, by pods and this node. */
};

/* service-terms.c: matches */
bool is_ipv6(const struct in6_addr *);
struct service_cidr host_cidr(const struct in6_addr *);
void flows_match_init_family(struct match *, bool ipv6);
void flows_match_dst(struct match *, const struct service_cidr *);
void flows_match_src(struct match *, const struct service_cidr *);

/* service-terms.c: actions */
uint8_t flows_table_id(const struct service_tables *, enum service_table);
void flows_put_resubmit(struct ofpbuf *, uint8_t table);
void flows_put_goto(struct ofpbuf *, const struct service_tables *,
                    enum service_table);
void flows_put_reg(struct ofpbuf *, const struct service_tables *,
                   uint32_t value, uint32_t mask);
void flows_put_move_bit(struct ofpbuf *, const struct service_tables *,
                        unsigned int from, enum mf_field_id, unsigned int to);
void flows_put_ct_nat(struct ofpbuf *, const struct service_tables *,
                      uint16_t zone, enum service_table, uint16_t flags,
                      const struct in6_addr *, uint16_t min, uint16_t max);
void flows_put_masquerade(struct ofpbuf *, const struct service_tables *,
                          bool ipv6);
void flows_put_reject(struct ofpbuf *, const struct service_tables *);

/* service-flows.c */
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

#endif /* service-flows-private.h */
