/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/fuse/fuse-pace.h"

#include <string.h>

/* So many trials, older ones counted less, make a decision. */
#define ENOUGH_TRIALS 64

/* Without measured costs, learning costs what so many hits save. */
#define DEFAULT_HITS 3

/* Makes 'pace' learn flows at their second packet, without any knowledge. */
void
fuse_pace_init(struct fuse_pace *pace)
{
    memset(pace, 0, sizeof *pace);
    pace->learn_at = FUSE_PACE_FIRST;
}

/* Notes that a packet took 'cycles'.  The cost moves towards it by 1/16, and
 * thus to the median. */
void
fuse_pace_note_cost(struct fuse_pace *pace, enum fuse_pace_cost which,
                    uint64_t cycles)
{
    uint32_t now = (cycles < UINT32_MAX / 32 ? cycles : UINT32_MAX / 32) * 16;
    uint32_t *cost = &pace->costs[which];

    if (!*cost) {
        *cost = now;
    } else if (now > *cost) {
        *cost += *cost / 16 < now - *cost ? *cost / 16 : now - *cost;
    } else {
        *cost -= *cost / 16 < *cost - now ? *cost / 16 : *cost - now;
    }
}

/* Stores in '*extra' what learning a packet costs more than the ordinary path,
 * and in '*saved' what a hit saves.  Neither is 0. */
static void
get_costs(const struct fuse_pace *pace, uint32_t *extra, uint32_t *saved)
{
    uint32_t ordinary = pace->costs[FUSE_PACE_ORDINARY];
    uint32_t hit = pace->costs[FUSE_PACE_HIT];
    uint32_t learn = pace->costs[FUSE_PACE_LEARN];

    if (ordinary < 16 || learn < 16) {
        *extra = DEFAULT_HITS;
        *saved = 1;
        return;
    }
    /* A packet that is learned takes the ordinary path as well, alone. */
    *extra = learn - (ordinary < learn / 4 * 3 ? ordinary : learn / 4 * 3);
    *saved = ordinary - (hit < ordinary / 8 * 7 ? hit : ordinary / 8 * 7);
}

/* Returns what learning flows at packet 'at' would have gained by all
 * trials. */
static int64_t
get_gain(const struct fuse_pace *pace, uint32_t at, uint32_t extra,
         uint32_t saved)
{
    int64_t gain = 0;

    for (uint32_t hits = at - FUSE_PACE_FIRST; hits <= FUSE_PACE_HITS;
         hits++) {
        gain += (pace->trials[hits]
                 * ((int64_t) (hits + FUSE_PACE_FIRST - at) * saved - extra));
    }
    return gain;
}

static void
decide(struct fuse_pace *pace)
{
    int64_t best = INT64_MIN;
    uint32_t extra, saved;

    get_costs(pace, &extra, &saved);
    for (uint32_t at = FUSE_PACE_FIRST; at <= FUSE_PACE_LAST; at *= 2) {
        int64_t gain = get_gain(pace, at, extra, saved);

        if (gain > best) {
            best = gain;
            pace->learn_at = at;
        }
    }
    pace->n_decided = pace->n_trials;
    pace->enough = (extra - 1) / saved + 1;
    pace->n_unpaid = pace->n_trials = 0;
    for (uint32_t hits = 0; hits <= FUSE_PACE_HITS; hits++) {
        if (hits < pace->enough) {
            pace->n_unpaid += pace->trials[hits];
        }
        pace->trials[hits] /= 2;
        pace->n_trials += pace->trials[hits];
    }
}

/* A trial has ended after so many 'hits'. */
void
fuse_pace_end_trial(struct fuse_pace *pace, uint32_t hits)
{
    pace->trials[hits < FUSE_PACE_HITS ? hits : FUSE_PACE_HITS]++;
    if (++pace->n_trials >= ENOUGH_TRIALS) {
        decide(pace);
    }
}
