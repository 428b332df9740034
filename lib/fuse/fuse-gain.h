/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FUSE_GAIN_H
#define FUSE_GAIN_H 1

#include <stdbool.h>
#include <stdint.h>

/* What the fused flow cache gains
 * ===============================
 *
 * Decides for one port whether its packets use the cache or step aside to the
 * ordinary path, which costs less for packets of few megaflows or of flows
 * that come once.
 *
 *              the cache costs less
 *       .----------------<---------------.
 *       v                                |
 *      USE ------------------------> COMPARE <------ TRY
 *                                        |            ^
 *             the ordinary path costs less            | at times, or the
 *                                        v            | ordinary path
 *                                      ASIDE ---> WATCH costs more
 *                                        ^          |
 *                                        '----------'
 *
 * COMPARE takes turns: some batches use the cache, the next ones the ordinary
 * path, so that what else the processor does hits both.  The cost of a way, in
 * cycles a packet, is the least of some such windows, so that an interrupt
 * does not count, nor the start of a window, which finds the processor's
 * caches cold.  It goes on for as long as the ordinary path gets faster, whose
 * own caches fill, but ends at once when that costs more than twice as much.
 *
 * While many packets miss, nothing is decided: they mark their flow or have it
 * learned, which costs much and pays later.  A port whose packets go on
 * missing is measured after 'patience' packets all the same.
 *
 * Batches of fewer than FUSE_GAIN_BATCH packets change nothing: a port with
 * few packets does not matter, and their costs vary.
 *
 * Measuring takes less than 1 % of a port's time after its first second.
 *
 * Thread-safety: belongs to one thread. */

#define FUSE_GAIN_BATCH 16

enum fuse_gain_state {
    FUSE_GAIN_USE,
    FUSE_GAIN_COMPARE,           /* Measures both ways, in turns. */
    FUSE_GAIN_ASIDE,
    FUSE_GAIN_WATCH,             /* Aside; measures the ordinary path. */
    FUSE_GAIN_TRY,               /* The cache learns before it is compared. */
};

struct fuse_gain {
    uint8_t state;               /* An enum fuse_gain_state. */
    bool trying;                 /* COMPARE comes from TRY... */
    bool grown;                  /* ...since the ordinary path costs more. */
    uint32_t left;               /* Batches, where nothing is measured. */
    uint32_t period;             /* The last 'left' of USE. */
    uint32_t until_try;          /* Batches in ASIDE... */
    uint32_t try_period;         /* ...the last such time. */

    /* In this turn of USE or TRY, and in those in which many missed. */
    uint32_t n_packets, n_missed;
    uint64_t n_restless;

    /* The present window. */
    uint32_t n_batches, window_packets;
    uint64_t window_cycles;

    /* How many windows, and the least costs in the present group of them, of
     * the cache and of the ordinary path. */
    uint32_t n_windows;
    uint32_t least[2];

    /* Costs of a packet, in 1/16 cycles, 0 if not known. */
    uint32_t cache, ordinary;
    uint32_t base;               /* Least ordinary one since stepping aside. */
};

void fuse_gain_init(struct fuse_gain *);

/* Returns true if the present window is one of the ordinary path. */
static inline bool
fuse_gain_is_ordinary(const struct fuse_gain *g)
{
    return g->state == FUSE_GAIN_WATCH || g->n_windows % 2;
}

/* Returns true if the cycles of a batch of 'n' packets are to be measured. */
static inline bool
fuse_gain_measures(const struct fuse_gain *g, uint32_t n)
{
    return (n >= FUSE_GAIN_BATCH
            && (g->state == FUSE_GAIN_COMPARE
                || g->state == FUSE_GAIN_WATCH));
}

/* Returns true if a batch of 'n' packets is to use the cache. */
static inline bool
fuse_gain_uses_cache(const struct fuse_gain *g, uint32_t n)
{
    return (g->state == FUSE_GAIN_USE || g->state == FUSE_GAIN_TRY
            || (g->state == FUSE_GAIN_COMPARE
                && (n < FUSE_GAIN_BATCH || !fuse_gain_is_ordinary(g))));
}

/* Returns true if packets step aside, but for attempts. */
static inline bool
fuse_gain_is_aside(const struct fuse_gain *g)
{
    return (g->state == FUSE_GAIN_ASIDE || g->state == FUSE_GAIN_WATCH
            || g->state == FUSE_GAIN_TRY || g->trying);
}

/* Returns true if both costs were measured. */
static inline bool
fuse_gain_is_known(const struct fuse_gain *g)
{
    return g->cache && g->ordinary;
}

void fuse_gain_note(struct fuse_gain *, uint64_t patience, uint32_t n,
                    uint32_t n_missed, uint64_t cycles);

#endif /* fuse-gain.h */
