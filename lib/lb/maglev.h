/* SPDX-License-Identifier: Apache-2.0 */

#ifndef MAGLEV_H
#define MAGLEV_H 1

#include <stddef.h>
#include <stdint.h>
#include "lib/hash/siphash.h"

/* Maglev lookup table
 * ===================
 *
 * Maps a 32-bit flow hash to a backend so that each backend gets a share in
 * proportion to its weight and a change of backends moves few flows.
 * Source: Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load
 * Balancer", NSDI 2016, section 3.4.
 *
 * A table is an array of 'size' slots, each of which holds the index of a
 * backend.  Every backend has its own permutation of the slots, made from its
 * id.  The backends take turns; in its turn a backend takes the first slot of
 * its permutation that is still free.  The paper leaves weights open: here the
 * turns are dealt out by the Sainte-Lague method, that is, a backend of weight
 * 'w' takes its turns at the times 3/w, 5/w, 7/w..., after a first turn at
 * time 0.  With equal weights that is the paper's table.
 *
 *     uint32_t size = maglev_table_size(backends, n, old_size);
 *     uint16_t *slots = malloc(size * sizeof *slots);
 *     int error = maglev_build(backends, n, &key, size, slots);
 *     ...
 *     index = slots[maglev_slot(flow_hash, size)];
 *
 *
 * Invariants
 * ==========
 *
 *    - Every slot names a live backend, that is, one of nonzero weight, and
 *      every live backend has a slot.
 *
 *    - Where each of 'n' live backends is due at least 100 slots, none is off
 *      its share by more than 1 %.  (In general, where each is due at least
 *      one slot, one due 's' slots is off by at most 1/(2s) + n/(2 * size).)
 *
 *    - The slots of a table depend on nothing but the set of (id, weight)
 *      pairs, the key and the size: not on the order of the backends, not on
 *      the tables before it, not on the host.  Nodes that share the three send
 *      a flow to the same backend.  maglev_table_size() looks back at the size
 *      before, so nodes that must agree have to agree on the size as well.
 *      Another way to fill a table moves the flows of everybody who upgrades:
 *      a unit test pins the contents.
 *
 *    - When one of 'n' equal backends comes or goes, its own 1/n of the slots
 *      moves, and few of the others': on average 2.7 % of them with 10
 *      backends at 100 slots each, 1.8 % with 81 and 0.8 % with 655 of the
 *      same, 0.6 % with 1000 at 131 slots each.  Another weight for one
 *      backend moves the slots that it wins or loses, and on average less than
 *      3 % of all besides.  Among many backends that is more than what has to
 *      move: flows that must stay need a memory beside the table.
 *
 *    - With 10 backends or fewer, one key in a hundred moves more than 5 % of
 *      the others' slots, and one in five hundred more than 10 %, because two
 *      backends meet whose skips are small multiples of each other.
 *
 *
 * Thread-safety
 * =============
 *
 * The functions keep no state: any thread may call them, on tables of its own.
 * A table is built by one thread, then published, say with ovsrcu_set(), and
 * never edited; any number of readers.
 *
 *
 * Limits
 * ======
 *
 * MAGLEV_MAX_BACKENDS backends, MAGLEV_MAX_SIZE slots, 2 bytes a slot.  To
 * build takes 36 bytes a backend on top for as long as it lasts, and about
 * size * ln(size) steps: on a 2.6 GHz Xeon 5 us for 10 backends in 1021
 * slots, 2 ms for 1000 in 131071 and 14 ms for 4096 in 655373.  Where no two
 * have the same weight that is 16 ms for 1000 and 55 ms for 4096.
 *
 *
 * Attack model
 * ============
 *
 * Whoever may name backends could choose ids whose permutations collide, and
 * so starve others or slow the build; permutations are therefore keyed by
 * 'key', and fair to ids chosen without it.  Whoever sends packets could aim
 * all flows at one slot if the flow hash were not keyed; that is up to the
 * caller, see siphash.h. */

/* A candidate for slots. */
struct maglev_backend {
    uint64_t id;                /* Stable identity, unique within a table. */
    uint32_t weight;            /* Relative share; 0 takes no slots. */
};

#define MAGLEV_MAX_BACKENDS 4096
#define MAGLEV_MAX_SIZE 655373

uint32_t maglev_table_size(const struct maglev_backend *, size_t n,
                           uint32_t current_size);
int maglev_build(const struct maglev_backend *, size_t n,
                 const struct siphash_key *, uint32_t size, uint16_t *slots);
double maglev_imbalance(const struct maglev_backend *, size_t n,
                        const uint16_t *slots, uint32_t size);

/* Returns the slot, in the range [0, 'size'), of a flow with the given 'hash'
 * in a table of 'size' slots.  'hash' must be uniform in its upper bits, since
 * they matter most.  Any thread. */
static inline uint32_t
maglev_slot(uint32_t hash, uint32_t size)
{
    return (uint64_t) hash * size >> 32;
}

#endif /* maglev.h */
