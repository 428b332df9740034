/* SPDX-License-Identifier: Apache-2.0 */

#ifndef COMPAT_BATCH_H
#define COMPAT_BATCH_H 1

/* Batches of packets in each release of Open vSwitch
 * ==================================================
 *
 * Later releases let a batch grow beyond NETDEV_MAX_BURST: the packets are
 * then in memory that must be freed, and a batch cannot be copied. */

#include "dp-packet.h"
#include "ovs-features.h"

/* Empties 'batch', whose packets have another owner. */
static inline void
compat_batch_clear(struct dp_packet_batch *batch)
{
#ifdef OVS_HAS_BATCH_GROW
    dp_packet_batch_reset(batch);
#else
    dp_packet_batch_init(batch);
#endif
}

/* Moves the packets of 'from' to the end of 'to'. */
static inline void
compat_batch_move(struct dp_packet_batch *to, struct dp_packet_batch *from)
{
    struct dp_packet *packet;

    DP_PACKET_BATCH_FOR_EACH (i, packet, from) {
        dp_packet_batch_add(to, packet);
    }
    compat_batch_clear(from);
}

/* Frees what 'batch', which is empty, has grown to. */
static inline void
compat_batch_destroy(struct dp_packet_batch *batch OVS_UNUSED)
{
#ifdef OVS_HAS_BATCH_GROW
    dp_packet_batch_destroy(batch);
#endif
}

/* Keeps 'packet', the 'i'th, in 'batch' within the body of
 * DP_PACKET_BATCH_REFILL_FOR_EACH. */
static inline void
compat_batch_refill(struct dp_packet_batch *batch, struct dp_packet *packet,
                    size_t i OVS_UNUSED)
{
#ifdef OVS_HAS_BATCH_GROW
    dp_packet_batch_add(batch, packet);
#else
    dp_packet_batch_refill(batch, packet, i);
#endif
}

#endif /* compat-batch.h */
