/* SPDX-License-Identifier: Apache-2.0 */

#ifndef DATAPATH_HOOKS_H
#define DATAPATH_HOOKS_H 1

#include <stdbool.h>
#include <stdint.h>

/* What the hooks in Open vSwitch's data path call
 * ===============================================
 *
 * The semantic patches in hooks.cocci, here and in lib/, insert calls of these
 * functions, and of no others, into Open vSwitch's lib/. */

struct dp_packet;
struct dp_packet_batch;
struct ds;
struct flow_tnl;
struct nat_action_info_t;
struct netdev;
struct netdev_tnl_build_header_params;
struct netdev_tunnel_config;
struct nlattr;
struct ofpbuf;
struct ovs_action_push_tnl;

/* The datapath action lb(ID); see lb-action.c. */
void lb_action_init(void);
void lb_action_execute(struct dp_packet_batch *, const struct nlattr *);
void lb_action_format(const struct nlattr *, struct ds *);
int lb_action_parse(const char *, struct ofpbuf *actions);

/* The connection tracker's NAT; see ct-nat.c. */
bool ct_nat_applies(uint16_t ct_state, const struct nat_action_info_t *);

/* The tunnel type "gtpu".
 *
 * The first three are the class's functions, for gtpu-encap.c (main or handler
 * thread; PMD thread) and gtpu-decap.c (PMD thread).  gtpu_vport_pop_header()
 * owns 'packet', and returns it or a null pointer.
 *
 * The others are told of each tunnel port, whatever its type, and are in
 * gtpu-vport.c (main thread). */
int gtpu_vport_build_header(const struct netdev *,
                            struct ovs_action_push_tnl *,
                            const struct netdev_tnl_build_header_params *);
void gtpu_vport_push_header(const struct netdev *, struct dp_packet *,
                            const struct ovs_action_push_tnl *);
struct dp_packet *gtpu_vport_pop_header(struct dp_packet *packet);
void gtpu_vport_configured(const struct netdev *,
                           const struct netdev_tunnel_config *);
void gtpu_vport_destructed(const struct netdev *);

/* OpenFlow matches on GTP-U's flags and message type; see gtpu-match.c. */
void gtpu_match_format(const struct flow_tnl *, const struct flow_tnl *mask,
                       struct ds *);
const char *gtpu_field_name(const char *);

#endif /* datapath-hooks.h */
