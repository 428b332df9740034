/* SPDX-License-Identifier: Apache-2.0 */

#ifndef LB_HOOKS_H
#define LB_HOOKS_H 1

/* What the hooks of the action lb call
 * ====================================
 *
 * The semantic patches in lb.cocci insert calls of these functions into Open
 * vSwitch's lib/. */

struct dp_packet_batch;
struct ds;
struct nlattr;
struct ofpbuf;

/* The datapath action lb(ID); see lb-action.c. */
void lb_action_init(void);
void lb_action_execute(struct dp_packet_batch *, const struct nlattr *);
void lb_action_format(const struct nlattr *, struct ds *);
int lb_action_parse(const char *, struct ofpbuf *actions);

#endif /* lb-hooks.h */
