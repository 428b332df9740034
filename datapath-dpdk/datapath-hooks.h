/* SPDX-License-Identifier: Apache-2.0 */

#ifndef DATAPATH_HOOKS_H
#define DATAPATH_HOOKS_H 1

/* What the hooks in Open vSwitch's data path call
 * ===============================================
 *
 * The semantic patches in hooks.cocci, here and in lib/, insert calls of these
 * functions, and of no others, into Open vSwitch's lib/. */

struct dp_packet;
struct dp_packet_batch;
struct ds;
struct netdev;
struct nlattr;
struct ofpbuf;
struct ovs_action_push_tnl;

/* The datapath action lb(ID); see lb-action.c. */
void lb_action_init(void);
void lb_action_execute(struct dp_packet_batch *, const struct nlattr *);
void lb_action_format(const struct nlattr *, struct ds *);
int lb_action_parse(const char *, struct ofpbuf *actions);

/* The tunnel type "gtpu"; see gtpu-vport.c. */
void gtpu_vport_push_header(const struct netdev *, struct dp_packet *,
                            const struct ovs_action_push_tnl *);

#endif /* datapath-hooks.h */
