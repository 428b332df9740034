/* SPDX-License-Identifier: Apache-2.0 */

#ifndef MAGLEV_H
#define MAGLEV_H 1

#include <stddef.h>
#include <stdint.h>
#include "lib/hash/siphash.h"

/* Consistent lookup table
 * =======================
 *
 * Maps a 32-bit flow hash to a backend so that each backend gets a share in
 * proportion to its weight, and a change of backends, of weights or of the
 * table's size moves few flows.
 *
 * Sources: the table and its balance are those of Eisenbud et al., "Maglev: A
 * Fast and Reliable Software Network Load Balancer", NSDI 2016, section 3.4.
 * Who gets a slot is decided as in weighted rendezvous hashing: Thaler and
 * Ravishankar, "Using Name-Based Mappings to Increase Hit Rates", 1998.
 *
 * A table is an array of 'size' slots, each of which holds the index of a
 * backend.  It is filled by a race.  Every backend visits all slots in an
 * order of its own, made from its id, and the faster, the heavier it is.  The
 * first to visit a slot gets it, unless it has its full share by then:
 *
 *    - Times do not depend on who else takes part.  So a backend that comes
 *      takes slots only for itself, one that goes leaves only its own, and
 *      another weight makes one backend earlier or later everywhere.
 *
 *    - A race alone would give shares by chance.  The full share, at which a
 *      backend drops out, makes them exact.  What that takes away from the
 *      lucky ones, some percent of the slots, are those that may move without
 *      need when something changes.
 *
 * The table consists of 64 cells of equal size.  A backend visits the cells
 * in turn, and in each cell its slots in the order of their distance by "xor"
 * from a random point:
 *
 *     cell of 8 slots, point 5:    slot      0 1 2 3 4 5 6 7
 *                                  distance  5 4 7 6 1 0 3 2
 *
 * In a table of twice the size, the point is 10 or 11, and slots 2 * i and
 * 2 * i + 1 are as far from it as slot i was from 5, in proportion.  So the
 * two halves of a slot nearly always go to the backend that had the whole.
 *
 *     uint32_t size = maglev_table_size(n);
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
 *    - Shares are rounded to whole slots by the method of Sainte-Lague.  Where
 *      each of 'n' live backends is due at least one slot, one that is due 's'
 *      slots is off by at most 1/(2s) + n/(2 * size): by 1 % at most if each
 *      is due at least 100.  A backend that is due less than a slot has one,
 *      at the cost of the heavier ones.  So however uneven the weights, none
 *      is off its share by more than 'n' slots, that is 1/128 of all flows by
 *      maglev_table_size(), and none has more than one slot too much.
 *
 *    - The slots of a table depend on nothing but the set of (id, weight)
 *      pairs, the key and the size, and of weights only on their ratios: not
 *      on the order of the backends, not on the tables before it, not on the
 *      host.  maglev_table_size() depends on the number of backends alone.
 *      Nodes that share the key and the backends send a flow to the same
 *      backend, and so does a node after a restart.  Another way to fill a
 *      table moves the flows of everybody who upgrades: a unit test pins the
 *      contents.
 *
 *    - Of all flows, so many move without need, on average: when one of 10
 *      equal backends comes or goes 1.8 %, one of 100 1.0 %, one of 1,000
 *      0.3 %; when one of 10 gets another weight 0.1 to 2.0 %; when the table
 *      doubles 9 %.  Flows that must stay need a memory beside the table.
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
 * build takes 64 bytes a backend and a bit a slot on top for as long as it
 * lasts, and some 5 to 13 * size steps: on a Xeon that other work shared,
 * 0.1 ms for 10 backends, 9 ms for 1000 and 43 ms for 4096.  Where no two have
 * the same weight that is 0.2 ms, 19 ms and 103 ms.
 *
 *
 * Attack model
 * ============
 *
 * An attacker who names backends could choose ids whose orders collide, and so
 * starve others or slow the build.  Therefore orders are keyed by 'key', and
 * fair to ids chosen without it.  An attacker who sends packets could aim all
 * flows at one slot if the flow hash were not keyed; that is up to the caller,
 * see siphash.h. */

/* A candidate for slots. */
struct maglev_backend {
    uint64_t id;                /* Stable identity, unique within a table. */
    uint32_t weight;            /* Relative share; 0 takes no slots. */
};

#define MAGLEV_MAX_BACKENDS 4096

/* Sizes are powers of 2 in this range. */
#define MAGLEV_N_CELLS UINT32_C(64)
#define MAGLEV_MIN_SIZE MAGLEV_N_CELLS
#define MAGLEV_MAX_SIZE UINT32_C(524288)

uint32_t maglev_table_size(size_t n);
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
