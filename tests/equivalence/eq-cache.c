/* SPDX-License-Identifier: Apache-2.0 */

/* The caches of all sides, and simulated time. */

#include <config.h>
#include "tests/equivalence/eq-side.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "datapath-dpdk/fuse/fuse-flush.h"
#include "datapath-dpdk/fuse/fuse-hooks.h"
#include "datapath-dpdk/fuse/fuse-reason.h"
#include "datapath-dpdk/fuse/fuse-thread.h"
#include "datapath-dpdk/fuse/fuse.h"
#include "dpif.h"
#include "smap.h"
#include "util.h"

static long long int now_ms = 1000000;

int __wrap_clock_gettime(clockid_t, struct timespec *);
int __real_clock_gettime(clockid_t, struct timespec *);

int
__wrap_clock_gettime(clockid_t id OVS_UNUSED, struct timespec *ts)
{
    long long int ms = __atomic_load_n(&now_ms, __ATOMIC_RELAXED);

    ts->tv_sec = ms / 1000;
    ts->tv_nsec = ms % 1000 * 1000000;
    return 0;
}

void
eq_clock_advance(uint32_t ms)
{
    __atomic_add_fetch(&now_ms, ms, __ATOMIC_RELAXED);
}

double
eq_clock_real(void)
{
    struct timespec ts;

    __real_clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* Adds the keys of the cache to 'config', of the Open_vSwitch table. */
static void
add_fuse(struct smap *config, bool on)
{
    smap_add(config, "fuse", on ? "on" : "off");
    smap_add(config, "fuse-entries", "1024");
}

void
eq_set_fuse(bool on)
{
    struct smap config = SMAP_INITIALIZER(&config);

    add_fuse(&config, on);
    fuse_set_config(&config);
    smap_destroy(&config);
}

/* Has the exact match cache of 'side' learn, or not.  It knows by chance which
 * of several overlapping megaflows a packet has met.  That gives a batch an
 * order which another run need not have.  Turns the fused cache off. */
void
eq_set_exact_match(struct eq_side *side, bool on)
{
    struct smap config = SMAP_INITIALIZER(&config);

    add_fuse(&config, false);
    smap_add(&config, "emc-insert-inv-prob", on ? "100" : "0");
    dpif_set_config(side->dpif, &config);
    smap_destroy(&config);
}

static uint64_t n_dirty;

static bool
add_dirty(struct fuse_thread *t, void *aux OVS_UNUSED)
{
    n_dirty += t->replay.n_dirty + t->queue.n;
    return true;
}

void
eq_settle(struct eq_side *a, struct eq_side *b)
{
    do {
        dpif_run(a->dpif);
        dpif_run(b->dpif);
        n_dirty = 0;
        fuse_for_each_thread(add_dirty, NULL);
    } while (n_dirty);
}

static uint64_t counters[FUSE_N_COUNTERS];

static bool
add_counters(struct fuse_thread *t, void *aux OVS_UNUSED)
{
    for (int i = 0; i < FUSE_N_COUNTERS; i++) {
        counters[i] += t->counters[i];
        t->counters[i] = 0;
    }
    return true;
}

uint64_t
eq_n_hits(void)
{
    fuse_for_each_thread(add_counters, NULL);
    return counters[FUSE_C_HITS];
}

static void
print_counter(const char *name, int counter)
{
    if (counters[counter]) {
        printf("%10"PRIu64" %s\n", counters[counter], name);
    }
}

void
eq_print_counters(void)
{
    print_counter("hits", FUSE_C_HITS);
    print_counter("misses", FUSE_C_MISSES);
    print_counter("declined", FUSE_C_DECLINED);
    print_counter("stale", FUSE_C_STALE);
    print_counter("learned", FUSE_C_LEARNED);
    for (int i = 0; i < FUSE_N_SKIPS; i++) {
        print_counter(fuse_skip_text(i), FUSE_C_SKIPS + i);
    }
    print_counter("offloads", FUSE_C_SKIP_OFFLOAD);
    for (int i = 1; i < FUSE_N_REASONS; i++) {
        print_counter(fuse_reason_text(i), FUSE_C_REASONS + i);
    }
    for (int i = 1; i < FUSE_N_REFUSALS; i++) {
        print_counter(fuse_refusal_text(i), FUSE_C_REFUSALS + i);
    }
}

static bool
flush_thread(struct fuse_thread *t, void *aux OVS_UNUSED)
{
    return fuse_thread_flush(t);
}

void
eq_flush_cache(void)
{
    fuse_for_each_thread(flush_thread, NULL);
}
