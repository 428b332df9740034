/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SERVICE_TERMS_H
#define SERVICE_TERMS_H 1

/* Matches and actions for the pipeline's flows
 * ============================================
 *
 * flows_match_*() set a match, flows_put_*() append an action.
 *
 * Thread-safety: functions are reentrant. */

#include <stdbool.h>
#include <stdint.h>
#include "openvswitch/meta-flow.h"
#include "service-tables.h"

struct match;
struct ofpbuf;

bool is_ipv6(const struct in6_addr *);
struct kube_cidr host_cidr(const struct in6_addr *);
void flows_match_init_family(struct match *, bool ipv6);
void flows_match_dst(struct match *, const struct kube_cidr *);
void flows_match_src(struct match *, const struct kube_cidr *);
void flows_match_handed(struct match *);

uint8_t flows_table_id(const struct service_tables *, enum service_table);
void flows_put_tunnel_end(struct ofpbuf *, const struct in6_addr *);
void flows_put_handed(struct ofpbuf *);
void flows_put_node(struct ofpbuf *, const struct service_tables *,
                    const struct in6_addr *);
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
                          const struct in6_addr *);
void flows_put_reject(struct ofpbuf *, const struct service_tables *);

#endif /* service-terms.h */
