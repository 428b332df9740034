/* SPDX-License-Identifier: Apache-2.0 */

/* Periodic work of a thread's fused flow cache
 * ============================================
 *
 * Between two batches the thread credits statistics, refreshes and sweeps
 * entries, and answers commands.  A NIC's ring fills in 200 us, so all of this
 * is done in slices of some 50 us.  fuse/show has a histogram of their times,
 * except of refreshing, which is short and frequent. */

#include <config.h>
#include "datapath-dpdk/fuse/fuse-hooks.h"

#include "datapath-dpdk/compat/compat-dpif.h"
#include "datapath-dpdk/fuse/fuse-chain.h"
#include "datapath-dpdk/fuse/fuse-memory.h"
#include "datapath-dpdk/fuse/fuse-refresh.h"
#include "datapath-dpdk/fuse/fuse-thread.h"
#include "datapath-dpdk/fuse/fuse-tunnel.h"
#include "datapath-dpdk/fuse/fuse.h"
#include "dpdk.h"
#include "timeval.h"
#include "util.h"

/* Statistics.  A busy thread credits one chain for each us that has passed,
 * every CREDIT_INTERVAL us, at most FUSE_CREDIT_MAX chains.  An idle one
 * credits CREDIT_IDLE chains before it polls again. */
#define CREDIT_INTERVAL 100
#define CREDIT_IDLE 64
#define CREDIT_SWEEP 64          /* At most, if a sweep is due as well. */

/* The table is swept in SWEEP_PARTS parts, one each SWEEP_INTERVAL us. */
#define SWEEP_INTERVAL 250
#define SWEEP_PARTS 32768
#define SWEEP_MAX 64

/* Removes some entries that are dead or idle. */
static void
sweep(struct fuse_thread *t)
{
    struct fuse_table *table = t->replay.table;
    uint32_t n = MIN((table->n_touched[0] + table->n_touched[1]) / SWEEP_PARTS
                     + 8, SWEEP_MAX);

    t->replay.epoch = fuse_epoch(t->pmd);
    t->replay.now = t->pmd->ctx.now / 1000;
    t->last_sweep = t->pmd->ctx.now;
    fuse_memory_follow(t->memory);
    fuse_table_prefetch_sweep(table, n);
    while (n-- > 0 && !t->flushing) {
        struct fuse_entry *entry = fuse_table_sweep(table);

        if (entry
            && (atomic_load_explicit(&entry->dead, memory_order_relaxed)
                || fuse_entry_is_idle(entry, t->replay.now)
                || !fuse_chain_check(t, CONTAINER_OF(entry->chain,
                                                     struct fuse_dp_chain,
                                                     up)))) {
            fuse_table_remove(table, entry);
        }
    }
}

static void
answer(struct fuse_thread *t)
{
    struct fuse_request *request = t->answering;

    if (!request) {
        request = t->answering = atomic_exchange(&t->request, NULL);
    }
    if (request && request->func(t, request->aux)) {
        t->answering = NULL;
        atomic_store(&request->done, true);
    }
}

static long long int
get_us(void)
{
    struct timespec ts;

    xclock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000000LL + ts.tv_nsec / 1000;
}

/* Notes that the thread's work took 'us'. */
static void
note_time(struct fuse_thread *t, long long int us)
{
    int i = us < 1 ? 0 : MIN(log_2_floor(us) + 1, FUSE_N_TIMES - 1);

    atomic_store_explicit(&t->times[i],
                          atomic_load_explicit(&t->times[i],
                                               memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

/* Returns the number of chains whose statistics are due now. */
static uint32_t
get_credit_due(const struct fuse_thread *t)
{
    long long int elapsed = t->pmd->ctx.now - t->last_credit;

    return (!t->replay.n_dirty ? 0
            : !t->pmd->ctx.last_rxq ? CREDIT_IDLE
            : elapsed >= CREDIT_INTERVAL ? MIN(elapsed, FUSE_CREDIT_MAX) : 0);
}

/* See fuse_run(). */
void
fuse_run__(struct dp_netdev_pmd_thread *pmd)
{
    struct fuse_thread *t = fuse_thread_get(pmd);
    bool shared = pmd->core_id == NON_PMD_CORE_ID;
    bool sweeps, answers;
    uint32_t n_credit;

    if (!t) {
        return;
    }
    if (shared) {
        ovs_mutex_lock(&t->mutex);
    }
    n_credit = get_credit_due(t);
    sweeps = pmd->ctx.now - t->last_sweep >= SWEEP_INTERVAL;
    if (sweeps) {
        n_credit = MIN(n_credit, CREDIT_SWEEP);
    }
    answers = (t->answering || atomic_load_explicit(&t->request,
                                                    memory_order_relaxed));
    if (t->queue.n) {
        fuse_refresh_run(t);
    }
    if (n_credit || sweeps || answers) {
        long long int start = get_us();

        fuse_chains_credit(t, n_credit);
        if (sweeps) {
            fuse_tunnels_follow(t);
            sweep(t);
        }
        if (OVS_UNLIKELY(answers)) {
            answer(t);
        }
        note_time(t, get_us() - start);
    }
    if (shared) {
        ovs_mutex_unlock(&t->mutex);
    }
}
