/* SPDX-License-Identifier: Apache-2.0 */

/* Which packets use the fused flow cache
 * ======================================
 *
 * Each port and thread is looked at for itself.  A port may opt out, be of
 * little work, have packets that never hit, or cost less without the cache. */

#include <config.h>
#include "datapath-dpdk/fuse/fuse-hooks.h"

#include "datapath-dpdk/compat/compat-dpif.h"
#include "datapath-dpdk/fuse/fuse-cycles.h"
#include "datapath-dpdk/fuse/fuse-input.h"
#include "datapath-dpdk/fuse/fuse-thread.h"
#include "datapath-dpdk/fuse/fuse.h"
#include "dpdk.h"
#include "util.h"

/* One batch in so many is looked at although the port is left alone: for
 * simple matches, and for a port that the cache is of no use to. */
#define LOOK_RARELY 1024
#define LOOK_AT_TIMES_SHIFT (32 - 4) /* 16, of 32 random bits. */

/* The cache is of use to a port if more than one packet in so many is a hit or
 * is learned. */
#define USEFUL_SHARE 64

/* A port whose packets go on missing is measured after so many packets for
 * each entry that there is room for: see lib/fuse/fuse-gain.h. */
#define PATIENCE 16

/* The costs of one batch in so many are noted: see lib/fuse/fuse-pace.h. */
#define MEASURE_RARELY 64

/* Flows that were found to be short miss for ever: what they cost now is what
 * they will cost. */
static uint64_t
get_patience(const struct fuse_thread *t, const struct fuse_port *port)
{
    return (port->pace.learn_at > FUSE_PACE_FIRST ? 0
            : (uint64_t) PATIENCE * t->max_entries);
}

/* Returns true if the cache leaves 'batch' alone, for one of two reasons.
 *
 *    - All megaflows of 'port' are for the simple match, and those that were
 *      met only output or drop.  That lookup by port and EtherType costs less
 *      than ours.
 *
 *    - Of many packets from 'port', fewer than 1 in USEFUL_SHARE hit or were
 *      learned: a flood of short flows, or flows that cannot be learned.
 *
 * Now and then a batch is looked at all the same, to notice when that ends.
 * In the second case it is chosen by chance: where many flows come round in
 * turn, some will be looked at twice before long, and are learned. */
static inline bool
leaves_alone(struct fuse_thread *t, const struct dp_packet_batch *batch,
             const struct fuse_port *port, odp_port_t in_port)
{
    if (OVS_UNLIKELY(fuse_port_is_futile(port))) {
        t->look_random = t->look_random * 1664525 + 1013904223;
        if (t->look_random >> LOOK_AT_TIMES_SHIFT) {
            fuse_count(t, FUSE_C_FUTILE, batch->count);
            return true;
        }
    } else if (OVS_UNLIKELY(port->work == FUSE_PORT_SIMPLE)
               && t->pmd->core_id != NON_PMD_CORE_ID
               && compat_simple_match_enabled(t->pmd, in_port)
               && ++t->n_left_alone % LOOK_RARELY) {
        fuse_count(t, FUSE_C_SIMPLE, batch->count);
        return true;
    }
    return false;
}

/* Notes that 'n' packets of 'port' were looked at, and that 'n_useful' of them
 * hit or were learned: see leaves_alone(). */
static inline void
note_use(struct fuse_port *port, uint32_t n, uint32_t n_useful)
{
    uint32_t sum = MIN(port->futile + n, FUSE_FUTILE_LIMIT);

    port->futile = sum - MIN(sum, n_useful * USEFUL_SHARE);
}

/* Takes the packets with a known outcome from 'batch', and those that are
 * learned.  Returns how many packets miss. */
static uint32_t
use_cache(struct fuse_thread *t, struct dp_packet_batch *batch,
          struct fuse_port *port, odp_port_t in_port)
{
    uint32_t n = batch->count, n_learned;
    uint32_t n_hits = fuse_use_cache(t, batch, in_port, &n_learned);

    note_use(port, n, n_hits + n_learned);
    return n - n_hits;
}

/* Does the same, and notes what hits cost, or packets that missed. */
static uint32_t
use_cache_measured(struct fuse_thread *t, struct dp_packet_batch *batch,
                   struct fuse_port *port, odp_port_t in_port)
{
    uint32_t n = batch->count, n_missed, n_left;
    uint64_t start = fuse_cycles(t->pmd), between;

    n_missed = use_cache(t, batch, port, in_port);
    between = fuse_cycles(t->pmd);
    n_left = batch->count;
    if (!n_missed) {
        fuse_pace_note_cost(&port->pace, FUSE_PACE_HIT, (between - start) / n);
    } else if (n_left >= FUSE_GAIN_BATCH) {
        fuse_take_ordinary_path(t->pmd, batch, in_port);
        fuse_pace_note_cost(&port->pace, FUSE_PACE_ORDINARY,
                            (fuse_cycles(t->pmd) - between) / n_left);
    }
    return n_missed;
}

/* Takes 'batch' by the way that is being measured, all of it, and notes the
 * cycles. */
static void
measure(struct fuse_thread *t, struct dp_packet_batch *batch,
        struct fuse_port *port, odp_port_t in_port)
{
    uint32_t n = batch->count, n_missed = 0;
    uint64_t start = fuse_cycles(t->pmd);

    if (fuse_gain_uses_cache(&port->gain, n)) {
        n_missed = use_cache(t, batch, port, in_port);
    } else {
        fuse_count(t, FUSE_C_ASIDE, n);
    }
    fuse_take_ordinary_path(t->pmd, batch, in_port);
    fuse_gain_note(&port->gain, get_patience(t, port), n, n_missed,
                   fuse_cycles(t->pmd) - start);
}

/* See fuse_input(). */
bool
fuse_input__(struct dp_netdev_pmd_thread *pmd, struct dp_packet_batch *batch,
             odp_port_t in_port)
{
    struct fuse_thread *t = fuse_thread_get(pmd);
    struct fuse_port *port;
    uint32_t n = batch->count, n_missed;

    if (!t || batch->trunc || OVS_UNLIKELY(n > FUSE_BATCH)
        || OVS_UNLIKELY(t->n_closed_ports
                        && fuse_port_is_closed(t, in_port))) {
        return false;
    }
    port = fuse_port_of(t, odp_to_u32(in_port));
    if (leaves_alone(t, batch, port, in_port)) {
        return false;
    }
    port->number = odp_to_u32(in_port);
    if (OVS_UNLIKELY(t->measures
                     && !fuse_gain_uses_cache(&port->gain, n)
                     && !fuse_gain_measures(&port->gain, n))) {
        fuse_count(t, FUSE_C_ASIDE, n);
        fuse_gain_note(&port->gain, 0, n, 0, 0);
        return false;
    }
    if (pmd->core_id == NON_PMD_CORE_ID) {
        ovs_mutex_lock(&t->mutex);
    }
    t->busy = true;
    if (OVS_UNLIKELY(t->measures && fuse_gain_measures(&port->gain, n))) {
        measure(t, batch, port, in_port);
    } else if (t->measures) {
        n_missed = (n >= FUSE_GAIN_BATCH
                    && !(++port->n_batches % MEASURE_RARELY)
                    ? use_cache_measured(t, batch, port, in_port)
                    : use_cache(t, batch, port, in_port));
        fuse_gain_note(&port->gain, get_patience(t, port), n, n_missed, 0);
    } else {
        use_cache(t, batch, port, in_port);
    }
    t->busy = false;
    if (pmd->core_id == NON_PMD_CORE_ID) {
        ovs_mutex_unlock(&t->mutex);
    }
    return dp_packet_batch_is_empty(batch);
}
