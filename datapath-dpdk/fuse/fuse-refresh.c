/* SPDX-License-Identifier: Apache-2.0 */

/* Refreshing entries of the fused flow cache
 * ==========================================
 *
 * Hits do not meet the connections and sticky flows that their packets would
 * have kept alive on the ordinary path.  So the entry keeps its owners alive,
 * now and then, when one of its packets has come.
 *
 * With a million flows, every twentieth packet or so makes a refresh due, and
 * the owners are seldom in the processor's cache.  So a packet only queues its
 * entry and prefetches its cold part.  The next run of the queue prefetches
 * the owners, and the run after that refreshes them.
 *
 * A connection expires a second or more after its entry should have been
 * refreshed, see fuse_conn_refresh(), a sticky flow half a second or more.  A
 * packet later than FUSE_LATE_MS refreshes its entry at once. */

#include <config.h>
#include "datapath-dpdk/fuse/fuse-refresh.h"

#include "datapath-dpdk/compat/compat-dpif.h"
#include "datapath-dpdk/fuse/fuse-chain.h"
#include "datapath-dpdk/fuse/fuse-conn.h"
#include "datapath-dpdk/fuse/fuse-owner.h"
#include "datapath-dpdk/fuse/fuse-trial.h"
#include "datapath-dpdk/fuse/fuse.h"
#include "lib/lb/lb-registry.h"
#include "lib/lb/lb-sticky.h"
#include "lib/lb/lb-table.h"
#include "util.h"

/* Keeps the sticky flow 'flow' of 'chain' alive.  Returns in how many ms to do
 * so again, or 0 if the flow was forgotten, or is bound to another bucket
 * now. */
static uint32_t
refresh_sticky(const struct fuse_dp_chain *chain, uint64_t flow,
               long long int now)
{
    const struct fuse_uses *uses = &chain->uses;

    for (uint32_t i = 0; i < uses->n_lbs; i++) {
        const struct lb_table *table = lb_registry_get(uses->lbs[i].id);
        struct lb_sticky *sticky = lb_registry_get_sticky();
        uint32_t slack;

        if (!uses->lbs[i].sticky) {
            continue;
        }
        if (!table || !sticky) {
            return 0;
        }
        slack = MIN(table->timeout / 32 + 1, 8);
        return (lb_sticky_lookup(sticky, flow, lb_sticky_ticks(now),
                                 table->timeout + slack)
                == uses->lbs[i].token
                ? slack * (1000 / LB_STICKY_TICKS_PER_SEC) : 0);
    }
    return 0;
}

/* Refreshes 'entry', whose packet came at 'now', in ms.  Returns false if that
 * was too late: then the entry is dead. */
static bool
refresh(struct fuse_thread *t, struct fuse_entry *entry, long long int now)
{
    const struct fuse_cold *cold = fuse_entry_cold(t->replay.table, entry);
    struct fuse_dp_chain *chain = CONTAINER_OF(entry->chain,
                                               struct fuse_dp_chain,
                                               up);
    uint32_t interval = FUSE_REFRESH_MS;

    for (int owner = 0; owner < 2; owner++) {
        int kind = fuse_owner_kind(cold, owner);

        if (kind) {
            uint32_t ms = (kind == FUSE_OWNER_STICKY
                           ? refresh_sticky(chain, cold->words[owner], now)
                           : fuse_conn_refresh(t->ct, cold->owners[owner],
                                               kind - 1, now));

            if (!ms) {
                fuse_kill_entry(entry);
                return false;
            }
            interval = MIN(interval, ms);
        }
    }
    entry->refresh = now + (fuse_trial_goes_on(t, entry) ? 0 : interval);
    return true;
}

/* Implements 'attend' of struct fuse_replay. */
bool
fuse_attend(struct fuse_replay *replay, struct fuse_entry *entry)
{
    struct fuse_thread *t = fuse_thread_of(replay);
    struct fuse_queue *queue = &t->queue;
    long long int now = t->pmd->ctx.now / 1000;
    int32_t late = replay->now - entry->refresh;
    bool on_trial;

    if (!fuse_chain_check(t, CONTAINER_OF(entry->chain, struct fuse_dp_chain,
                                          up))) {
        fuse_kill_entry(entry);
        return false;
    } else if (late < 0) {
        return true;
    }
    on_trial = fuse_trial_hit(t, entry);
    if (late >= FUSE_LATE_MS || queue->n >= FUSE_QUEUE) {
        return refresh(t, entry, now);
    }
    OVS_PREFETCH(fuse_entry_cold(replay->table, entry));
    queue->times[queue->n] = now;
    queue->entries[queue->n++] = entry;
    entry->refresh = replay->now + (on_trial ? 0 : FUSE_QUEUED_MS);
    return true;
}

/* Takes 'entry' of 't', which is being removed, out of the queue. */
void
fuse_refresh_forget(struct fuse_thread *t, const struct fuse_entry *entry)
{
    for (uint32_t i = 0; i < t->queue.n; i++) {
        if (t->queue.entries[i] == entry) {
            t->queue.entries[i] = NULL;
        }
    }
}

static bool
is_dead(const struct fuse_entry *entry)
{
    return atomic_load_explicit(&entry->dead, memory_order_acquire);
}

static void
prefetch_owners(const struct fuse_thread *t, const struct fuse_entry *entry)
{
    const struct fuse_cold *cold = fuse_entry_cold(t->replay.table, entry);

    for (int owner = 0; owner < 2; owner++) {
        int kind = fuse_owner_kind(cold, owner);

        if (kind && kind != FUSE_OWNER_STICKY) {
            fuse_conn_prefetch(cold->owners[owner]);
        }
    }
}

/* Refreshes the entries that were queued before the last run, and prefetches
 * the owners of those queued since.  Owner of 't'. */
void
fuse_refresh_run(struct fuse_thread *t)
{
    struct fuse_queue *queue = &t->queue;
    uint32_t n = 0;

    for (uint32_t i = 0; i < queue->n_fetched; i++) {
        struct fuse_entry *entry = queue->entries[i];

        if (entry && !is_dead(entry)) {
            refresh(t, entry, queue->times[i]);
        }
    }
    for (uint32_t i = queue->n_fetched; i < queue->n; i++) {
        struct fuse_entry *entry = queue->entries[i];

        if (entry) {
            prefetch_owners(t, entry);
            queue->times[n] = queue->times[i];
            queue->entries[n++] = entry;
        }
    }
    queue->n = queue->n_fetched = n;
}
