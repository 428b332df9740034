/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CT_HOOKS_H
#define CT_HOOKS_H 1

/* What the hooks of the connection tracker call
 * =============================================
 *
 * The semantic patches in ct.cocci insert calls of these functions into Open
 * vSwitch's lib/conntrack*.c. */

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conn;
struct conn_key;
struct conntrack;
struct dp_packet;
struct nat_action_info_t;
struct ovs_mutex;

/* The connection tracker's NAT; see ct-nat.c. */
bool ct_nat_applies(uint16_t ct_state, const struct nat_action_info_t *);
void ct_nat_icmp6_outer(struct dp_packet *, const struct conn_key *,
                        uint16_t nat_action);

/* A time at which no connection has expired. */
#define CT_BEFORE_ALL LLONG_MIN
bool ct_nat_is_fixed(const struct nat_action_info_t *);

/* New packets; see ct-new.c. */
bool ct_expects(const struct conntrack *);
void ct_new_lock(struct ovs_mutex *);
typedef bool ct_valid_new_func(struct dp_packet *, struct conn_key *);
bool ct_new_uncommitted(struct conntrack *, struct dp_packet *,
                        struct conn_key *, const struct conn *, bool commit,
                        ct_valid_new_func *);

/* Memory of connections; see ct-memory.c. */
void *ct_zalloc(size_t);
void ct_free(void *);

/* SCTP in the connection tracker; see ct-sctp.c. */
bool ct_sctp_extract(struct conn_key *, const void *data, size_t size,
                     const size_t *min_size);
void ct_sctp_set_ports(struct dp_packet *, const struct conn_key *);

#endif /* ct-hooks.h */
