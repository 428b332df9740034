/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/fuse/fuse-gain.h"

#include <string.h>

/* A window has so many batches, of which the first ones do not count.  A group
 * has so many windows of each way, and a comparison so many windows at
 * most. */
#define WINDOW 64
#define WARM_UP 8
#define GROUP 8
#define MAX_WINDOWS 256

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

/* Comparing takes one part in so many of USE. */
#define COMPARE_SHARE 8

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
start_window(struct fuse_gain *g)
{
    g->n_batches = g->window_packets = g->window_cycles = 0;
}

static void
start_group(struct fuse_gain *g)
{
    g->least[0] = g->least[1] = UINT32_MAX;
}

static void
measure(struct fuse_gain *g, enum fuse_gain_state state)
{
    g->state = state;
    g->n_windows = 0;
    start_group(g);
    start_window(g);
}

static void
compare(struct fuse_gain *g)
{
    g->cache = g->ordinary = 0;
    measure(g, FUSE_GAIN_COMPARE);
}

static void
use(struct fuse_gain *g, enum fuse_gain_state state, uint32_t period)
{
    g->state = state;
    g->left = period;
    g->n_packets = g->n_missed = 0;
}

static void
step_aside(struct fuse_gain *g)
{
    g->state = FUSE_GAIN_ASIDE;
    g->trying = g->grown = false;
    g->left = WATCH;
}

static bool
is_restless(const struct fuse_gain *g)
{
    return (uint64_t) g->n_missed * RESTLESS_SHARE > g->n_packets;
}

/* A turn of USE is over. */
static void
end_use(struct fuse_gain *g, uint64_t patience)
{
    if (is_restless(g) && g->n_restless < patience) {
        g->n_restless += g->n_packets;
        use(g, FUSE_GAIN_USE, FIRST_USE);
    } else {
        g->n_restless = 0;
        compare(g);
    }
}

/* A turn of TRY is over.  If much is to be learned, the port begins anew. */
static void
end_try(struct fuse_gain *g)
{
    if (g->grown && is_restless(g)) {
        fuse_gain_init(g);
    } else {
        g->trying = true;
        compare(g);
    }
}

/* Both ways were measured, in USE. */
static void
decide(struct fuse_gain *g)
{
    if ((uint64_t) g->ordinary * 64 < (uint64_t) g->cache * 63) {
        g->base = g->ordinary;
        g->until_try = g->try_period = FIRST_TRY;
        step_aside(g);
    } else {
        g->period = min(2 * g->period, MAX_USE);
        use(g, FUSE_GAIN_USE, g->period);
    }
}

/* Both ways were measured, in TRY. */
static void
decide_try(struct fuse_gain *g)
{
    if ((uint64_t) g->cache * 16 < (uint64_t) g->ordinary * 15) {
        uint32_t cache = g->cache, ordinary = g->ordinary;

        fuse_gain_init(g);
        g->cache = cache;
        g->ordinary = ordinary;
    } else {
        g->base = g->ordinary;
        if (!g->grown) {
            g->try_period = min(2 * g->try_period, MAX_TRY);
            g->until_try = g->try_period;
        }
        step_aside(g);
    }
}

/* A window of each way was measured. */
static void
end_compare(struct fuse_gain *g)
{
    bool enough = g->n_windows >= 4 && g->least[1] / 2 > g->least[0];
    bool group = g->n_windows % (2 * GROUP) == 0;
    uint32_t max = min(g->period / COMPARE_SHARE / WINDOW, MAX_WINDOWS);
    bool faster = (!g->ordinary
                   || g->least[1] + g->least[1] / 32 < g->ordinary);

    if (!enough && !group) {
        return;
    }
    g->cache = g->cache ? min(g->cache, g->least[0]) : g->least[0];
    g->ordinary = (g->ordinary ? min(g->ordinary, g->least[1])
                   : g->least[1]);
    if (!enough && faster && g->n_windows < max) {
        start_group(g);
    } else if (g->trying) {
        decide_try(g);
    } else {
        decide(g);
    }
}

/* The ordinary path was measured while the port is aside. */
static void
end_watch(struct fuse_gain *g)
{
    uint32_t now = g->least[1];

    g->grown = now > g->base + g->base / 4;
    g->base = min(g->base, now);
    g->ordinary = now;
    if (!g->grown && g->until_try > WATCH) {
        g->until_try -= WATCH;
        step_aside(g);
    } else {
        use(g, FUSE_GAIN_TRY, TRY);
    }
}

static void
end_window(struct fuse_gain *g)
{
    uint64_t cost = g->window_cycles * 16 / g->window_packets;
    uint32_t *least = &g->least[fuse_gain_is_ordinary(g)];

    *least = min(*least, cost < UINT32_MAX ? cost : UINT32_MAX);
    g->n_windows++;
    start_window(g);
    if (g->state == FUSE_GAIN_WATCH) {
        if (g->n_windows == GROUP) {
            end_watch(g);
        }
    } else if (g->n_windows % 2 == 0) {
        end_compare(g);
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
    case FUSE_GAIN_TRY:
        g->n_packets += n;
        g->n_missed += n_missed;
        if (--g->left) {
            break;
        } else if (g->state == FUSE_GAIN_USE) {
            end_use(g, patience);
        } else {
            end_try(g);
        }
        break;
    case FUSE_GAIN_ASIDE:
        if (!--g->left) {
            measure(g, FUSE_GAIN_WATCH);
        }
        break;
    case FUSE_GAIN_COMPARE:
    case FUSE_GAIN_WATCH:
        if (g->n_batches >= WARM_UP) {
            g->window_packets += n;
            g->window_cycles += cycles;
        }
        if (++g->n_batches == WINDOW) {
            end_window(g);
        }
        break;
    }
}
