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
struct netdev;
struct smap;
struct xlate_cache;

/* GTP-U signalling; see gtpu-config.c, gtpu-paths.c, gtpu-ports.c,
 * gtpu-underlay.c. */
void gtpu_config_set(const struct smap *other_config);
void gtpu_underlay_refresh(const struct hmap *ofprotos);
void gtpu_underlay_run(const struct hmap *ofprotos);
void gtpu_paths_run(const struct hmap *ofprotos);
void gtpu_paths_refresh(const struct hmap *ofprotos);
void gtpu_paths_wait(void);
bool gtpu_path_may_enable(const struct netdev *);
void gtpu_ports_refresh(const struct hmap *ofprotos);
bool gtpu_ports_find(const struct flow_tnl *, ovs_be64 *key,
                     bool *carries_ethernet);

/* Input from and output to a GTP-U tunnel; see gtpu-xlate.c.  Other tunnels
 * are left alone. */
bool gtpu_xlate_receive(const struct flow *, int attempt, struct flow *other);
bool gtpu_xlate_gets_eth(enum netdev_pt_mode, const struct flow *);
void gtpu_xlate_input(const struct flow *, struct flow_wildcards *);
void gtpu_xlate_output(const struct netdev *, struct flow *,
                       struct flow_wildcards *);

/* Statistics of what a tunnel port sends; see gtpu-stats.c.  Only GTP-U's
 * differ from Open vSwitch's. */
void gtpu_stats_inc_tx(const struct netdev *, const struct flow *received,
                       const struct flow *sent,
                       const struct dpif_flow_stats *);
void gtpu_stats_cache_tx(struct xlate_cache *, const struct netdev *,
                         const struct flow *received, const struct flow *sent,
                         bool before);
struct netdev *gtpu_stats_ref_tx(const struct netdev *);
struct netdev *gtpu_stats_ref_sent(const struct netdev *,
                                   const struct flow *sent);
void gtpu_stats_cache_sent(struct xlate_cache *, const struct netdev *,
                           size_t header_len);

#endif /* gtpu-ofproto-hooks.h */
