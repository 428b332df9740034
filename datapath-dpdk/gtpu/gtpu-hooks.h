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
union mf_value;
struct netdev;
struct netdev_stats;
struct netdev_tnl_build_header_params;
struct netdev_tunnel_config;
struct ovs_action_push_tnl;
struct smap;
struct udp_header;

/* The class's functions for packets.
 *
 * gtpu_vport_build_header() is for the main thread and handlers and returns 0
 * or a positive errno value.  See gtpu-encap.c. */
int gtpu_vport_build_header(const struct netdev *,
                            struct ovs_action_push_tnl *,
                            const struct netdev_tnl_build_header_params *);

/* PMD thread.  See gtpu-encap.c.  Open vSwitch 4.0 tells where the packet came
 * from, 'ingress', which does not matter here. */
void gtpu_vport_push_header(const struct netdev *, struct dp_packet *,
                            const struct ovs_action_push_tnl *);
void gtpu_vport_push_header_from(const struct netdev *,
                                 const struct netdev *ingress,
                                 struct dp_packet *,
                                 const struct ovs_action_push_tnl *);

/* Drops and counts the packets of a batch that must not get the header 'data'.
 * PMD thread. */
void gtpu_vport_filter(struct dp_packet_batch *,
                       const struct ovs_action_push_tnl *data);

/* Takes ownership of 'packet'.  Returns it, or null if it was dropped.  The
 * packet may have become an answer: see gtpu-reply.c.  PMD thread. */
struct dp_packet *gtpu_vport_pop_header(struct dp_packet *packet);

/* Returns the input port of a packet whose tunnel headers were taken off at
 * port 'tunnel': the underlay bridge's local port for an answer, otherwise
 * 'tunnel'.  PMD thread. */
odp_port_t gtpu_vport_pop_port(const struct dp_packet *, odp_port_t tunnel);

/* Tell of each tunnel port, of any type, that is configured or destroyed.  See
 * gtpu-vport.c. */
void gtpu_vport_configured(const struct netdev *,
                           const struct netdev_tunnel_config *);
void gtpu_vport_destructed(const struct netdev *);

/* Counts 'n' messages that were dropped because no flow asks for them.  Any
 * thread. */
void gtpu_count_not_asked(int n);

/* Adds the drops of the port to its statistics. */
void gtpu_vport_get_stats(const struct netdev *, struct netdev_stats *);

/* Returns the bits of 'nw_frag' that packets for tunnel device 'name' must not
 * have.  A GTP-U tunnel takes the first fragment of a packet, to drop it and
 * count it.  See gtpu-decap.c. */
uint8_t gtpu_tunnel_frag_mask(const char *name);

/* Makes the received packets of a batch contiguous in memory.  Only DPDK has
 * others.  See gtpu-linear.c.  PMD thread. */
void gtpu_linearize_batch(struct dp_packet_batch *);

/* Options of ports of type "gtpu".  Main thread.
 *
 * gtpu_option_is_known() returns true if gtpu_options_check() reports the
 * unknown options of the port.  gtpu_options_check() returns 0, or an errno
 * value after it has appended the error to 'errors'.  It appends unknown
 * options, too.  gtpu_vport_set_options() puts valid options into effect and
 * returns true if they have changed.  gtpu_vport_get_options() adds them to
 * 'args'.  gtpu_vport_get_status() adds the state of the path to 'status'. */
bool gtpu_option_is_known(const struct netdev *, const char *key);
int gtpu_options_check(const struct netdev *, const struct smap *args,
                       struct ds *errors);
bool gtpu_vport_set_options(const struct netdev *, const struct smap *args);
void gtpu_vport_get_options(const struct netdev *, struct smap *args);
void gtpu_vport_get_status(const struct netdev *, struct smap *status);

/* Takes the outcome of a configuration: 'err' is 0 or a positive errno value,
 * 'errors' what was found wrong.  Returns the outcome to report, 0 for a port
 * that is in use: it keeps its last valid options.  Main thread. */
int gtpu_vport_finish_config(const struct netdev *, int err,
                             struct ds *errors);

/* Returns what was wrong in the last configuration of the port, or null.  The
 * text is valid until the next one.  Main thread. */
char *gtpu_vport_error(const struct netdev *);

/* Registers the commands "gtpu/show" and "gtpu/show-options".  See
 * gtpu-show.c. */
void gtpu_show_init(void);

/* Writes the options in 'flow' to 'opts' for a Geneve tunnel, without those
 * that stand for GTP-U's extension headers.  Otherwise like
 * tun_metadata_to_geneve_header(). */
int gtpu_to_geneve_header(const struct flow_tnl *flow,
                          struct geneve_opt *opts, bool *crit_opt);

/* The GTP-U header in the datapath action tnl_push, as text.  See
 * gtpu-push-text.c. */
void gtpu_push_format(const struct ovs_action_push_tnl *, const void *gtpu,
                      struct ds *);
bool gtpu_push_is_next(const char *s);
bool gtpu_push_parse(const char *s, int *n, struct ovs_action_push_tnl *,
                     struct udp_header *, uint8_t *flags, uint8_t *msg_type,
                     uint32_t *teid);
size_t gtpu_push_len(const void *gtpu);

/* Returns true if a packet is Ethernet in 'flow' and has lost its Ethernet
 * header in 'base', for a port that takes IP packets only. */
bool gtpu_has_lost_eth(const struct flow *flow, const struct flow *base);

/* OpenFlow matches on GTP-U's flags and message type.  See gtpu-match.c. */
void gtpu_match_format(const struct flow_tnl *, const struct flow_tnl *mask,
                       struct ds *);
const char *gtpu_field_name(const char *);
bool gtpu_field_is_writable(const struct mf_field *);

/* Returns false if 'value' under 'mask' makes 'mf' the type of a message that
 * no tunnel port sends.  A null 'mask' stands for all ones. */
bool gtpu_field_may_be(const struct mf_field *mf, const union mf_value *value,
                       const union mf_value *mask);

/* Returns the number of octets that the value of 'mf' has in an OpenFlow
 * action.  Open vSwitch would send 'len', without leading zeros. */
int gtpu_field_len(const struct mf_field *mf, int len);

#endif /* gtpu-hooks.h */
