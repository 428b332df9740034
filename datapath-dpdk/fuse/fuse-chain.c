/* SPDX-License-Identifier: Apache-2.0 */

/* Chains of the fused flow cache
 * ==============================
 *
 * Flows that met the same megaflows, groups and tunnels, with the same
 * actions, and left by the same port share a chain.
 *
 * No packet looks up whether its chain is still true.  A change of something
 * that chains depend on first shows in the thing itself: a megaflow is dead or
 * has another version, the registry of groups has another version of the
 * table.  Then it shows in an epoch, a number that only grows.  A thread reads
 * the epoch once for each batch.  A chain that was found true in that epoch is
 * true.  Any other chain is checked before a packet uses it.
 *
 * A chain collects statistics.  The thread credits them to the megaflows when
 * it has time, or after a while: see fuse_run__(). */

#include <config.h>
#include "datapath-dpdk/fuse/fuse-chain.h"

#include <stdlib.h>
#include <string.h>

#include "datapath-dpdk/compat/compat-dpif.h"
#include "datapath-dpdk/fuse/fuse-hooks.h"
#include "datapath-dpdk/fuse/fuse-tunnel.h"
#include "datapath-dpdk/fuse/fuse.h"
#include "hash.h"
#include "lib/lb/lb-registry.h"
#include "util.h"

/* 'flow' of 'pmd' was removed or has new actions.  Any thread, with
 * 'flow_mutex'. */
void
fuse_flow_changed(struct dp_netdev_pmd_thread *pmd,
                  struct dp_netdev_flow *flow)
{
    __atomic_fetch_add(&flow->fuse_version, 1, __ATOMIC_RELEASE);
    __atomic_fetch_add(&pmd->fuse_epoch, 1, __ATOMIC_RELEASE);
}

/* Returns the epoch of what the chains of 'pmd' depend on: a sum of numbers
 * that grow, so that it changes whenever one of them does. */
uint64_t
fuse_epoch(const struct dp_netdev_pmd_thread *pmd)
{
    return (__atomic_load_n(&pmd->fuse_epoch, __ATOMIC_ACQUIRE)
            + lb_registry_epoch() + fuse_tunnel_version());
}

static bool
uses_are_true(const struct fuse_uses *uses)
{
    for (uint32_t i = 0; i < uses->n_flows; i++) {
        const struct fuse_flow_use *use = &uses->flows[i];

        if (use->flow->dead
            || __atomic_load_n(&use->flow->fuse_version, __ATOMIC_ACQUIRE)
               != use->version) {
            return false;
        }
    }
    for (uint32_t i = 0; i < uses->n_lbs; i++) {
        const struct fuse_lb_use *use = &uses->lbs[i];

        if (lb_registry_version(use->id, use->sticky) != use->version) {
            return false;
        }
    }
    for (uint32_t i = 0; i < uses->n_tunnels; i++) {
        if (!fuse_tunnel_is_same(&uses->tunnels[i])) {
            return false;
        }
    }
    return true;
}

/* Returns true if 'chain' is true in the current epoch of 't', else kills it.
 * Owner of 't'. */
bool
fuse_chain_check(struct fuse_thread *t, struct fuse_dp_chain *chain)
{
    if (chain->up.dead) {
        return false;
    }
    if (chain->up.epoch != t->replay.epoch) {
        if (!uses_are_true(&chain->uses)) {
            chain->up.dead = true;
            t->n_dead_chains++;
            /* Each packet checks it again. */
            chain->up.epoch = UINT64_MAX;
            return false;
        }
        chain->up.epoch = t->replay.epoch;
    }
    return true;
}

static void
non_atomic_add(atomic_ullong *var, unsigned long long n)
{
    unsigned long long value;

    atomic_read_relaxed(var, &value);
    atomic_store_relaxed(var, value + n);
}

/* Returns true if the lookup of 'flow' could see the flags of TCP packets.  It
 * cannot behind more VLAN tags than are parsed, nor outside of a tunnel that
 * the packets came in. */
static bool
sees_tcp_flags(const struct dp_netdev_flow *flow)
{
    uint8_t mask = MINIFLOW_GET_U8(&flow->cr.mask->mf, nw_proto);

    return (is_ip_any(&flow->flow)
            && (!mask || flow->flow.nw_proto == IPPROTO_TCP));
}

static void
credit(struct fuse_thread *t, struct fuse_dp_chain *chain)
{
    long long int now = t->pmd->ctx.now / 1000;

    for (uint32_t i = 0; i < chain->uses.n_flows; i++) {
        const struct fuse_flow_use *use = &chain->uses.flows[i];
        struct dp_netdev_flow_stats *stats = &use->flow->stats;
        uint16_t flags;

        atomic_store_relaxed(&stats->used, now);
        non_atomic_add(&stats->packet_count, chain->up.packets);
        non_atomic_add(&stats->byte_count,
                       chain->up.bytes
                       + chain->up.packets * (int64_t) use->size_delta);
        if (chain->up.tcp_flags && chain->tcp_flows & UINT64_C(1) << i) {
            atomic_read_relaxed(&stats->tcp_flags, &flags);
            atomic_store_relaxed(&stats->tcp_flags,
                                 flags | chain->up.tcp_flags);
        }
    }
    chain->credited += chain->up.packets;
    chain->up.packets = chain->up.bytes = 0;
    chain->up.tcp_flags = 0;
}

/* Returns the program of 't' that equals 'program', or a free place with a
 * copy of it, or null if there is none. */
static struct fuse_dp_program *
find_program(struct fuse_thread *t, const struct fuse_program *program)
{
    uint32_t hash = hash_bytes(program, sizeof *program, 0);
    struct fuse_dp_program *free = NULL;
    uint32_t n = 0;

    for (uint32_t i = 0; i < FUSE_MAX_PROGRAMS; i++) {
        struct fuse_dp_program *p = &t->programs[i];

        if (!p->n_chains) {
            free = free ? free : p;
            if (n == t->n_programs) {
                break;
            }
        } else {
            n++;
            if (p->hash == hash && !memcmp(&p->up, program, sizeof p->up)) {
                return p;
            }
        }
    }
    if (free) {
        free->up = *program;
        free->hash = hash;
    }
    return free;
}

static void
ref_program(struct fuse_thread *t, struct fuse_dp_program *p)
{
    t->n_programs += !p->n_chains++;
}

static void
unref_program(struct fuse_thread *t, struct fuse_dp_program *p)
{
    t->n_programs -= !--p->n_chains;
}

static void
destroy(struct fuse_thread *t, struct fuse_dp_chain *chain)
{
    t->n_dead_chains -= chain->up.dead;
    unref_program(t, CONTAINER_OF(chain->up.program, struct fuse_dp_program,
                                  up));
    for (uint32_t i = 0; i < chain->uses.n_flows; i++) {
        dp_netdev_flow_unref(chain->uses.flows[i].flow);
    }
    fuse_pool_remove(t->chains, chain);
}

/* Takes one entry from 'chain', and frees the chain after its last entry.
 * Owner of 't'. */
void
fuse_chain_unref(struct fuse_thread *t, struct fuse_dp_chain *chain)
{
    if (!--chain->up.n_entries && !chain->up.dirty) {
        destroy(t, chain);
    }
}

/* credit() prefetches what it needs for the chain that is so many ahead. */
#define PREFETCH 8

static inline void
prefetch_chain(const struct fuse_dp_chain *chain)
{
    OVS_PREFETCH_WRITE(&chain->up);
    OVS_PREFETCH(&chain->uses);
    OVS_PREFETCH(&chain->uses.flows[2]);
}

static inline void
prefetch_flows(const struct fuse_dp_chain *chain)
{
    for (uint32_t i = 0; i < chain->uses.n_flows; i++) {
        OVS_PREFETCH_WRITE(&chain->uses.flows[i].flow->stats);
    }
}

/* Credits the statistics of at most 'n' chains, and FUSE_CREDIT_MAX, to their
 * megaflows.  The chain that has waited longest comes first.  Owner of 't'. */
void
fuse_chains_credit(struct fuse_thread *t, uint32_t n)
{
    struct fuse_replay *r = &t->replay;
    struct fuse_dp_chain *chains[FUSE_CREDIT_MAX];

    if (n) {
        t->last_credit = t->pmd->ctx.now;
    }
    n = MIN(MIN(n, FUSE_CREDIT_MAX), r->n_dirty);
    for (uint32_t i = 0; i < n; i++) {
        chains[i] = fuse_pool_element(t->chains, r->first_dirty);
        r->first_dirty = r->next_dirty[r->first_dirty];
    }
    r->n_dirty -= n;
    for (uint32_t i = 0; i < n; i++) {
        struct fuse_dp_chain *chain = chains[i];

        if (i + 2 * PREFETCH < n) {
            prefetch_chain(chains[i + 2 * PREFETCH]);
        }
        if (i + PREFETCH < n) {
            prefetch_flows(chains[i + PREFETCH]);
        }
        credit(t, chain);
        chain->up.dirty = false;
        if (!chain->up.n_entries) {
            destroy(t, chain);
        }
    }
}

/* With too many chains, so many of them are checked to find dead ones. */
#define LOOK_AT 64

/* Returns true if 't' has room for one more chain.  A chain shows that it is
 * dead only when it is checked, and stays as long as it has entries. */
static bool
has_room(struct fuse_thread *t)
{
    const struct fuse_pool *pool = t->chains;

    for (int i = 0; i < LOOK_AT && t->chain_position < pool->n_touched
                    && pool->n - t->n_dead_chains >= t->max_chains; i++) {
        struct fuse_dp_chain *chain = fuse_pool_at(pool,
                                                   t->chain_position++);

        if (chain) {
            fuse_chain_check(t, chain);
        }
    }
    if (t->chain_position >= pool->n_touched) {
        t->chain_position = 0;
    }
    return pool->n - t->n_dead_chains < t->max_chains && pool->n < pool->max;
}

/* Returns the hash of 'uses', the output port and the program. */
static uint32_t
hash_uses(const struct fuse_uses *uses, odp_port_t out_port,
          const struct fuse_program *program)
{
    uint32_t hash = hash_bytes(uses->flows,
                               uses->n_flows * sizeof *uses->flows,
                               hash_pointer(program, odp_to_u32(out_port)));

    hash = hash_bytes(uses->lbs, uses->n_lbs * sizeof *uses->lbs, hash);
    hash = hash_bytes(uses->meters, uses->n_meters * sizeof *uses->meters,
                      hash);
    return hash_bytes(uses->tunnels, uses->n_tunnels * sizeof *uses->tunnels,
                      hash);
}

/* Takes a reference to each megaflow of 'uses'.  Returns false, without any,
 * if one of them is about to be freed. */
static bool
ref_flows(const struct fuse_uses *uses)
{
    for (uint32_t i = 0; i < uses->n_flows; i++) {
        if (!ovs_refcount_try_ref_rcu(&uses->flows[i].flow->ref_cnt)) {
            while (i-- > 0) {
                dp_netdev_flow_unref(uses->flows[i].flow);
            }
            return false;
        }
    }
    return true;
}

/* Adds a chain with 'hash', 'uses' and 'p', without entries, to 't' and stores
 * it in '*chainp'.  Returns FUSE_LEARNED, or why there is none. */
static enum fuse_reason
create(struct fuse_thread *t, uint32_t hash, const struct fuse_uses *uses,
       struct fuse_dp_program *p, struct fuse_dp_chain **chainp)
{
    struct fuse_dp_chain *chain;

    if (!has_room(t)) {
        return FUSE_REASON_CHAINS;
    } else if (!fuse_pool_has_room(t->chains)) {
        return FUSE_REASON_FULL;
    } else if (!ref_flows(uses)) {
        return FUSE_REASON_FLOW_GONE;
    }
    chain = *chainp = fuse_pool_insert(t->chains, hash);
    chain->up.number = fuse_pool_number(t->chains, chain);
    chain->up.epoch = t->replay.epoch;
    chain->up.program = &p->up;
    ref_program(t, p);
    chain->uses = *uses;
    for (uint32_t i = 0; i < uses->n_flows; i++) {
        if (sees_tcp_flags(uses->flows[i].flow)) {
            chain->tcp_flows |= UINT64_C(1) << i;
        }
    }
    return FUSE_LEARNED;
}

/* Stores in '*chainp' the chain of 't' with 'uses', 'program' and 'out_port'
 * for an entry with 'image', and counts one more entry of it.  Returns
 * FUSE_LEARNED, or why there is none.  The first such chain keeps the second
 * and third part of its first entry's image; entries with other images share a
 * second chain.  Owner of 't'. */
enum fuse_reason
fuse_chain_get(struct fuse_thread *t, const struct fuse_uses *uses,
               const struct fuse_program *program, const uint8_t *image,
               odp_port_t out_port, struct fuse_dp_chain **chainp)
{
    size_t n_image2 = (program->n_octets > FUSE_PART_1
                       ? program->n_octets - FUSE_PART_1 : 0);
    struct fuse_dp_program *p = find_program(t, program);
    struct fuse_dp_chain *chain, *other = NULL;
    bool own_images = false;
    enum fuse_reason reason;
    uint32_t hash;

    if (!p) {
        return FUSE_REASON_CHAINS;
    }
    hash = hash_uses(uses, out_port, &p->up);
    for (chain = fuse_pool_first(t->chains, hash); chain;
         chain = fuse_pool_next(t->chains, chain)) {
        if (!chain->up.dead && chain->up.program == &p->up
            && chain->up.out_port == odp_to_u32(out_port)
            && !memcmp(&chain->uses, uses, sizeof *uses)) {
            if (chain->up.own_images) {
                other = chain;
            } else if (memcmp(chain->up.image2, image + FUSE_PART_1,
                              n_image2)) {
                own_images = true;
            } else {
                break;
            }
        }
    }
    chain = chain ? chain : other;
    if (!chain) {
        reason = create(t, hash, uses, p, &chain);
        if (reason) {
            return reason;
        }
        chain->up.out_port = odp_to_u32(out_port);
        chain->up.own_images = own_images;
        memcpy(chain->up.image2, image + FUSE_PART_1, n_image2);
    }
    chain->up.n_entries++;
    *chainp = chain;
    return FUSE_LEARNED;
}
