/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FUSE_ORDER_H
#define FUSE_ORDER_H 1

#include <stdbool.h>
#include <stdint.h>

#include "lib/fuse/fuse-batch.h"

/* Order of packets
 * ================
 *
 * Some packets of a batch are hits, the others take the ordinary path.
 * Packets of one flow must leave in the order in which they came.  The caller
 * goes through the batch with two sets: the flows of the hits and the flows of
 * the others that wait to be sent.  Before a packet joins one set, the caller
 * sends the other set's packets if this flow may be among them.
 *
 * A flow has the same innermost addresses, protocol and ports.  Packets of a
 * flow may have different keys, by their TTL or DSCP.  Packets without a
 * shape, fragments for example, do not show their ports or their inner
 * addresses.  They belong to all flows with their outermost pair of addresses.
 * A packet with neither IPv4 nor IPv6 behind Ethernet and at most one VLAN tag
 * belongs to no flow that can hit.
 *
 * A set is a Bloom filter with one hash function.  A collision, chosen by an
 * attacker or not, has the effect of packets of one flow: smaller batches for
 * the ordinary path.  No packet is delayed by more than its batch.
 *
 * Thread-safety: pure functions of their arguments. */

struct fuse_flow fuse_flow_of(const struct fuse_batch *, uint32_t i,
                              bool outer);
struct fuse_flow fuse_end_of(const struct fuse_batch *, uint32_t i);
bool fuse_batch_has_shapes(const struct fuse_batch *);

/* Returns true if packets of 'flow' may be among those of 'flows'. */
static inline bool
fuse_flows_have(const struct fuse_flows *flows, const struct fuse_flow *flow)
{
    return ((flows->bits.inner & flow->inner)
            | (flows->bits.any & flow->outer)
            | (flows->bits.outer & flow->any)) != 0;
}

static inline void
fuse_flows_add(struct fuse_flows *flows, const struct fuse_flow *flow)
{
    flows->bits.inner |= flow->inner;
    flows->bits.any |= flow->any;
    flows->bits.outer |= flow->outer;
}

static inline void
fuse_flows_clear(struct fuse_flows *flows)
{
    flows->bits = (struct fuse_flow) { 0, 0, 0 };
}

#endif /* fuse-order.h */
