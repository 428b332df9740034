/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CT_HOOKS_H
#define CT_HOOKS_H 1

/* What the hooks of the connection tracker call
 * =============================================
 *
 * The semantic patches in ct.cocci insert calls of these functions into Open
 * vSwitch's lib/conntrack.c. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conn;
struct conn_key;
struct conntrack;
struct dp_packet;
struct nat_action_info_t;

/* The connection tracker's NAT; see ct-nat.c. */
bool ct_nat_applies(uint16_t ct_state, const struct nat_action_info_t *);
void ct_nat_icmp6_outer(struct dp_packet *, const struct conn_key *,
                        uint16_t nat_action);

/* New packets that are not committed; see ct-new.c. */
typedef bool ct_valid_new_func(struct dp_packet *, struct conn_key *);
bool ct_new_uncommitted(struct conntrack *, struct dp_packet *,
                        struct conn_key *, const struct conn *, bool commit,
                        ct_valid_new_func *);

/* SCTP in the connection tracker; see ct-sctp.c. */
bool ct_sctp_extract(struct conn_key *, const void *data, size_t size,
                     const size_t *min_size);
void ct_sctp_set_ports(struct dp_packet *, const struct conn_key *);

#endif /* ct-hooks.h */
