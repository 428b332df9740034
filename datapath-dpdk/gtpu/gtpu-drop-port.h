/* SPDX-License-Identifier: Apache-2.0 */

#ifndef GTPU_DROP_PORT_H
#define GTPU_DROP_PORT_H 1

/* Counts dropped packets for the port that they belong to
 * =======================================================
 *
 * gtpu-drop-port.c says how the port of a packet is found. */

#include "datapath-dpdk/gtpu/gtpu-drop.h"
#include "ovs-atomic.h"

struct flow_tnl;
struct netdev_tunnel_config;
struct ovs_action_push_tnl;

/* The drops of one port.  Zeros at first.  Up to GTPU_DROP_SHARDS threads
 * count apart: under attack they would contend for one line of memory. */
#define GTPU_DROP_SHARDS 16
struct gtpu_drop_shard;
struct gtpu_drops {
    ATOMIC(struct gtpu_drop_shard *) shards[GTPU_DROP_SHARDS];
};

/* Stores in 'n' the drops by reason.  Any thread. */
void gtpu_drops_read(const struct gtpu_drops *,
                     unsigned long long int n[GTPU_N_DROPS]);

/* Frees the memory of 'drops', but not 'drops'.  No thread may use it any
 * more. */
void gtpu_drops_uninit(struct gtpu_drops *);

/* Count a dropped packet, for its port, too, if the port can be found.
 * GTPU_TAKEN is not counted.  PMD thread.
 *
 * 'tnl' is the metadata of a received packet, as far as it is known: without
 * FLOW_TNL_F_KEY the TEID is unknown.  'data' is the header that a packet was
 * about to get. */
void gtpu_drop_rx(const struct flow_tnl *tnl, enum gtpu_drop);
void gtpu_drop_tx(const struct ovs_action_push_tnl *data, enum gtpu_drop);

/* Makes 'drops' count the drops of the tunnel with configuration 'cfg', until
 * gtpu_drop_port_remove().  That takes null, too.  The caller keeps 'drops'
 * for a grace period after that.  One thread at a time. */
struct gtpu_drop_port *gtpu_drop_port_add(
    const struct netdev_tunnel_config *cfg, struct gtpu_drops *drops);
void gtpu_drop_port_remove(struct gtpu_drop_port *);

#endif /* gtpu-drop-port.h */
