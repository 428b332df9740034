/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/fuse/fuse-gain.h"

#include <string.h>

/* A window has so many batches, a group so many windows, and the ordinary path
 * is measured in so many windows at most. */
#define WINDOW 64
#define GROUP 8
#define MAX_WINDOWS 128

/* In batches: how long the cache is used before the first decision, and at
 * most before the next one... */
#define FIRST_USE 1024
#define MAX_USE (1 << 20)

/* ...how often the ordinary path is watched, how long the cache learns before
 * it is tried, and how long the first and the last wait for that is. */
#define WATCH (1 << 14)
#define TRY 2048
#define FIRST_TRY (1 << 16)
#define MAX_TRY (1 << 22)

/* Measuring the ordinary path takes one part in so many of USE. */
#define MEASURE_SHARE 16

/* A port is restless if more than one packet in so many misses. */
#define RESTLESS_SHARE 64

static uint32_t
min(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Makes 'g' use the cache, without any knowledge. */
void
fuse_gain_init(struct fuse_gain *g)
{
    memset(g, 0, sizeof *g);
    g->state = FUSE_GAIN_USE;
    g->left = g->period = FIRST_USE;
}

static void
start_measuring(struct fuse_gain *g, enum fuse_gain_state state)
{
    g->state = state;
    g->n_batches = g->window_packets = g->window_cycles = 0;
    g->n_windows = 0;
    g->least = UINT32_MAX;
}

static void
use(struct fuse_gain *g, uint32_t period)
{
    g->state = FUSE_GAIN_USE;
    g->trying = false;
    g->left = period;
    g->n_packets = g->n_missed = 0;
}

static void
step_aside(struct fuse_gain *g)
{
    g->state = FUSE_GAIN_ASIDE;
    g->trying = false;
    g->left = WATCH;
}

/* A turn of USE is over. */
static void
end_use(struct fuse_gain *g, uint64_t patience)
{
    if ((uint64_t) g->n_missed * RESTLESS_SHARE > g->n_packets
        && g->n_restless < patience) {
        g->n_restless += g->n_packets;
        use(g, FIRST_USE);
    } else {
        g->n_restless = 0;
        start_measuring(g, FUSE_GAIN_CACHE);
    }
}

/* The ordinary path was measured after the cache. */
static void
decide(struct fuse_gain *g)
{
    if ((uint64_t) g->ordinary * 64 < (uint64_t) g->cache * 63) {
        g->base = g->ordinary;
        g->until_try = g->try_period = FIRST_TRY;
        step_aside(g);
    } else {
        g->period = min(2 * g->period, MAX_USE);
        use(g, g->period);
    }
}

/* A group of windows is over, of the ordinary path. */
static void
end_ordinary(struct fuse_gain *g)
{
    uint32_t max = min(g->period / MEASURE_SHARE / WINDOW, MAX_WINDOWS);
    bool faster = g->least + g->least / 32 < g->ordinary;

    g->ordinary = min(g->ordinary, g->least);
    if (faster && g->n_windows < max) {
        g->least = UINT32_MAX;
    } else {
        decide(g);
    }
}

/* The cache was measured. */
static void
end_cache(struct fuse_gain *g)
{
    g->cache = g->least;
    if (!g->trying) {
        g->ordinary = UINT32_MAX;
        start_measuring(g, FUSE_GAIN_ORDINARY);
    } else if ((uint64_t) g->cache * 16 < (uint64_t) g->ordinary * 15) {
        fuse_gain_init(g);
    } else {
        g->try_period = min(2 * g->try_period, MAX_TRY);
        g->until_try = g->try_period;
        step_aside(g);
    }
}

/* The ordinary path was measured while the port is aside. */
static void
end_watch(struct fuse_gain *g)
{
    g->ordinary = g->least;
    if (g->ordinary > g->base + g->base / 4) {
        fuse_gain_init(g);
        return;
    }
    g->base = min(g->base, g->ordinary);
    if (g->until_try > WATCH) {
        g->until_try -= WATCH;
        step_aside(g);
    } else {
        g->state = FUSE_GAIN_TRY;
        g->left = TRY;
    }
}

static void
end_window(struct fuse_gain *g)
{
    uint64_t cost = g->window_cycles * 16 / g->window_packets;

    g->least = min(g->least, cost < UINT32_MAX ? cost : UINT32_MAX);
    g->n_windows++;
    g->n_batches = g->window_packets = g->window_cycles = 0;
    if (g->state == FUSE_GAIN_ORDINARY && g->n_windows >= 2
        && g->least / 2 > g->cache) {
        g->ordinary = min(g->ordinary, g->least);
        decide(g);
    } else if (g->n_windows % GROUP == 0) {
        switch (g->state) {
        case FUSE_GAIN_CACHE:
            end_cache(g);
            break;
        case FUSE_GAIN_ORDINARY:
            end_ordinary(g);
            break;
        default:
            end_watch(g);
            break;
        }
    }
}

/* Notes that a batch of 'n' packets took 'cycles', which count only where
 * fuse_gain_measures() is true.  'n_missed' of them used the cache and did not
 * hit.  A port whose packets go on missing is measured after 'patience'
 * packets. */
void
fuse_gain_note(struct fuse_gain *g, uint64_t patience, uint32_t n,
               uint32_t n_missed, uint64_t cycles)
{
    if (n < FUSE_GAIN_BATCH) {
        return;
    }
    switch ((enum fuse_gain_state) g->state) {
    case FUSE_GAIN_USE:
        g->n_packets += n;
        g->n_missed += n_missed;
        if (!--g->left) {
            end_use(g, patience);
        }
        break;
    case FUSE_GAIN_ASIDE:
        if (!--g->left) {
            start_measuring(g, FUSE_GAIN_WATCH);
        }
        break;
    case FUSE_GAIN_TRY:
        if (!--g->left) {
            g->trying = true;
            start_measuring(g, FUSE_GAIN_CACHE);
        }
        break;
    case FUSE_GAIN_CACHE:
    case FUSE_GAIN_ORDINARY:
    case FUSE_GAIN_WATCH:
        g->window_packets += n;
        g->window_cycles += cycles;
        if (++g->n_batches == WINDOW) {
            end_window(g);
        }
        break;
    }
}
