/* SPDX-License-Identifier: Apache-2.0 */

#ifndef GTPU_HOOKS_H
#define GTPU_HOOKS_H 1

/* What the hooks of GTP-U tunnels call
 * ====================================
 *
 * The semantic patches in gtpu.cocci insert calls of these functions into Open
 * vSwitch's lib/. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "openvswitch/types.h"

struct dp_packet;
struct dp_packet_batch;
struct ds;
struct flow;
struct flow_tnl;
struct geneve_opt;
struct mf_field;
struct netdev;
struct netdev_stats;
struct netdev_tnl_build_header_params;
struct netdev_tunnel_config;
struct ovs_action_push_tnl;
struct smap;
struct udp_header;

/* The tunnel type "gtpu".
 *
 * The first three are the class's functions, for gtpu-encap.c (main or handler
 * thread; PMD thread) and gtpu-decap.c (PMD thread).  gtpu_vport_pop_header()
 * owns 'packet', and returns it or a null pointer.  It may have become an
 * answer, which comes from another port than the tunnel's: see gtpu-reply.c.
 *
 * The others are told of each tunnel port, whatever its type, and are in
 * gtpu-vport.c (main thread). */
int gtpu_vport_build_header(const struct netdev *,
                            struct ovs_action_push_tnl *,
                            const struct netdev_tnl_build_header_params *);
void gtpu_vport_push_header(const struct netdev *, struct dp_packet *,
                            const struct ovs_action_push_tnl *);
bool gtpu_vport_pushes_g_pdu(const struct ovs_action_push_tnl *);
bool gtpu_vport_may_push(struct dp_packet *,
                         const struct ovs_action_push_tnl *);
struct dp_packet *gtpu_vport_pop_header(struct dp_packet *packet);
odp_port_t gtpu_vport_pop_port(const struct dp_packet *, odp_port_t tunnel);
void gtpu_vport_configured(const struct netdev *,
                           const struct netdev_tunnel_config *);
void gtpu_vport_destructed(const struct netdev *);

/* Adds to the port's statistics what was dropped. */
void gtpu_vport_get_stats(const struct netdev *, struct netdev_stats *);

/* Which of the bits of 'nw_frag' the packets for tunnel device 'name' must not
 * have set: the first fragment of a packet for a GTP-U tunnel is for it, too,
 * to be dropped and counted there.  See gtpu-decap.c. */
uint8_t gtpu_tunnel_frag_mask(const char *name);

/* Makes the packets, just received, contiguous in memory, of which only DPDK
 * has others; see gtpu-linear.c. */
void gtpu_linearize_batch(struct dp_packet_batch *);

/* The options that "gtpu" has and no other type.
 *
 * gtpu_option_is_known() tells whether 'key' is one.  gtpu_options_check()
 * returns 0, or an errno value after it appended to 'errors' what is wrong.
 * gtpu_vport_set_options() puts valid options into effect, and returns whether
 * they have changed; gtpu_vport_get_options() adds them to 'args'. */
bool gtpu_option_is_known(const struct netdev *, const char *key);
int gtpu_options_check(const struct netdev *, const struct smap *args,
                       struct ds *errors);
bool gtpu_vport_set_options(const struct netdev *, const struct smap *args);
void gtpu_vport_get_options(const struct netdev *, struct smap *args);

/* Adds the state of the path to the port's peer to 'status'. */
void gtpu_vport_get_status(const struct netdev *, struct smap *status);

/* Writes the options in 'flow' to 'opts' for a Geneve tunnel: all but those
 * that stand for GTP-U's extension headers.  Otherwise as
 * tun_metadata_to_geneve_header(). */
int gtpu_to_geneve_header(const struct flow_tnl *flow,
                          struct geneve_opt *opts, bool *crit_opt);

/* The GTP-U header in the datapath action tnl_push, as text; see
 * gtpu-push-text.c. */
void gtpu_push_format(const struct ovs_action_push_tnl *, const void *gtpu,
                      struct ds *);
bool gtpu_push_is_next(const char *s);
bool gtpu_push_parse(const char *s, int *n, struct ovs_action_push_tnl *,
                     struct udp_header *, uint8_t *flags, uint8_t *msg_type,
                     uint32_t *teid);
size_t gtpu_push_len(const void *gtpu);

/* Returns true if what 'flow' says is Ethernet has lost its Ethernet header,
 * as 'base' says, for a port that takes IP packets alone. */
bool gtpu_has_lost_eth(const struct flow *, const struct flow *base);

/* OpenFlow matches on GTP-U's flags and message type; see gtpu-match.c. */
void gtpu_match_format(const struct flow_tnl *, const struct flow_tnl *mask,
                       struct ds *);
const char *gtpu_field_name(const char *);
bool gtpu_field_is_writable(const struct mf_field *);

#endif /* gtpu-hooks.h */
