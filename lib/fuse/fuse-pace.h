/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FUSE_PACE_H
#define FUSE_PACE_H 1

#include <stdbool.h>
#include <stdint.h>

/* How soon flows are learned
 * ==========================
 *
 * Decides for one port at which of its packets a flow is learned.  Learning
 * costs what some hits save, so a flow that ends soon must not be learned.
 *
 *      packet    1   2   3   4   5   6   7   8   9
 *      pace 2    .   L   h   h   h   h   h   h   h     L: learned, h: hit
 *      pace 4    .   .   .   L   h   h   h   h   h
 *      pace 8    .   .   .   .   .   .   .   L   h
 *
 * Trials show how long flows are.  A trial is an entry that was learned at the
 * second packet, at any pace, and whose hits are counted until there are
 * FUSE_PACE_HITS or the flow ends.  Its hits say what each pace would have
 * gained by that flow.  The pace that would have gained most by the last
 * trials is taken.  As trials go on at any pace, the pace comes down again
 * when flows get longer.
 *
 * At pace 2 one flow in 16 that is learned is a trial.  At any other pace one
 * flow in 64 with a second packet is, so that trials cost little.
 *
 * The caller measures the costs, for few packets.  A cost is a median, so that
 * interrupts and upcalls do not count.
 *
 * Thread-safety: belongs to one thread. */

#define FUSE_PACE_FIRST 2
#define FUSE_PACE_LAST 16
#define FUSE_PACE_HITS 16

enum fuse_pace_cost {
    FUSE_PACE_ORDINARY,          /* A packet on the ordinary path... */
    FUSE_PACE_HIT,               /* ...one that hits... */
    FUSE_PACE_LEARN,             /* ...and one that is learned. */
    FUSE_PACE_N_COSTS
};

struct fuse_pace {
    uint32_t learn_at;           /* This packet of a flow. */
    uint32_t costs[FUSE_PACE_N_COSTS]; /* In 1/16 cycles, 0 if not known. */

    /* Trials that ended with so many hits.  Each decision halves them, so that
     * older ones count less. */
    uint32_t n_trials;
    uint32_t trials[FUSE_PACE_HITS + 1];

    /* The last decision: of how many trials, how many hits pay for learning,
     * and how many trials had fewer.  All 0 before the first one. */
    uint32_t n_decided;
    uint32_t enough;
    uint32_t n_unpaid;
};

void fuse_pace_init(struct fuse_pace *);
void fuse_pace_note_cost(struct fuse_pace *, enum fuse_pace_cost,
                         uint64_t cycles);
void fuse_pace_end_trial(struct fuse_pace *, uint32_t hits);

/* Returns true if a flow becomes a trial with its 'n'th packet.  'random' has
 * 32 random bits, of which the upper ones are used. */
static inline bool
fuse_pace_tries(const struct fuse_pace *pace, uint32_t n, uint32_t random)
{
    return (n == FUSE_PACE_FIRST
            && !(random >> (pace->learn_at == FUSE_PACE_FIRST ? 28 : 26)));
}

#endif /* fuse-pace.h */
