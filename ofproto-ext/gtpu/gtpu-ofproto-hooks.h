/* SPDX-License-Identifier: Apache-2.0 */

#ifndef GTPU_OFPROTO_HOOKS_H
#define GTPU_OFPROTO_HOOKS_H 1

/* What the hooks of GTP-U in the OpenFlow switch call
 * ===================================================
 *
 * The semantic patches in gtpu.cocci insert calls of these functions into Open
 * vSwitch's ofproto/. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "netdev.h"
#include "openvswitch/types.h"

struct dpif_flow_stats;
struct flow;
struct flow_tnl;
struct flow_wildcards;
struct hmap;
struct minimatch;
struct netdev;
struct smap;
struct xlate_cache;

/* Puts the keys gtpu-* of 'other_config' into effect.  Main thread. */
void gtpu_config_set(const struct smap *other_config);

/* Follow the bridges and ports in 'ofprotos', each a "struct ofproto_dpif" by
 * 'all_ofproto_dpifs_by_name_node'.  The functions named "refresh" are called
 * when ports or bridges have changed, those named "run" whenever the main
 * thread is awake.  See gtpu-underlay.c, gtpu-paths.c, gtpu-ports.c.  Main
 * thread. */
void gtpu_underlay_refresh(const struct hmap *ofprotos);
void gtpu_underlay_run(const struct hmap *ofprotos);
void gtpu_paths_refresh(const struct hmap *ofprotos);
void gtpu_paths_run(const struct hmap *ofprotos);
void gtpu_ports_refresh(const struct hmap *ofprotos);

/* Registers the command gtpu/show-paths.  Called once.  Main thread. */
void gtpu_paths_init(void);

/* Makes the main loop wake up when gtpu_paths_run() has work. */
void gtpu_paths_wait(void);

/* Returns false if the port 'netdev' counts as dead because its peer is
 * down.  Main thread. */
bool gtpu_path_may_enable(const struct netdev *netdev);

/* Input from a GTP-U tunnel and output to one.  Other tunnels are unaffected.
 * Any thread that translates.  See gtpu-xlate.c.
 *
 * gtpu_xlate_receive() is called if there is no port for 'flow' by its packet
 * type and TEID, with 'attempt' from 0 on.  It stores in '*other' the flow to
 * look for next and returns true, or returns false after the last attempt. */
bool gtpu_xlate_receive(const struct flow *, int attempt, struct flow *other);

/* A flow asks for GTP-U messages if it matches on their type, or sends to a
 * GTP-U port.  Returns true if 'match' is on the type. */
bool gtpu_xlate_asks(const struct minimatch *match);

/* Returns true if 'netdev' is a GTP-U port. */
bool gtpu_is_port(const struct netdev *netdev);

/* Returns true if 'flow' was received as a message other than a G-PDU.  Such
 * goes only where a flow asks for it. */
bool gtpu_xlate_is_signalling(const struct flow *);

/* Returns true if 'flow', from a tunnel of mode 'pt_mode', is an IP packet
 * that gets an Ethernet header before the lookup. */
bool gtpu_xlate_gets_eth(enum netdev_pt_mode, const struct flow *);

/* Makes the megaflow of a GTP-U message other than a G-PDU match its type: a
 * G-PDU of the same packet type may be for another port. */
void gtpu_xlate_input(const struct flow *, struct flow_wildcards *);

/* Makes the megaflow match all fields that the GTP-U header of the port
 * 'netdev' depends on.  Exchanges the addresses for an Error Indication. */
void gtpu_xlate_output(const struct netdev *netdev, struct flow *,
                       struct flow_wildcards *);

/* Statistics of the packets that a tunnel port sends.  Only those of GTP-U
 * ports differ from Open vSwitch's.  Any thread that translates.  See
 * gtpu-stats.c.
 *
 * 'received' and 'sent' are a packet as it came in and as the port gets it. */

/* Counts 'stats' of packets that the tunnel port 'netdev' sends. */
void gtpu_stats_inc_tx(const struct netdev *netdev,
                       const struct flow *received, const struct flow *sent,
                       const struct dpif_flow_stats *);

/* The caller calls this 'before' it appends the entry for packets that
 * 'netdev' sends to the cache, and after it. */
void gtpu_stats_cache_tx(struct xlate_cache *, const struct netdev *netdev,
                         const struct flow *received, const struct flow *sent,
                         bool before);

/* Returns a reference to 'netdev', a patch or tunnel port that hands packets
 * to another bridge, or null if they have been counted already. */
struct netdev *gtpu_stats_ref_tx(const struct netdev *netdev);

/* Returns a reference to 'netdev', or null if it drops packets like 'sent'. */
struct netdev *gtpu_stats_ref_sent(const struct netdev *netdev,
                                   const struct flow *sent);

/* The caller calls this after the entries for packets that 'netdev' sent with
 * a header of 'header_len' octets. */
void gtpu_stats_cache_sent(struct xlate_cache *, const struct netdev *netdev,
                           size_t header_len);

#endif /* gtpu-ofproto-hooks.h */
