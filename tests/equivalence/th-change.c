/* SPDX-License-Identifier: Apache-2.0 */

/* Threads that change what the cache depends on
 * =============================================
 *
 * The "modifier" makes new versions.  An old version is over when no packet
 * that is received from then on may meet it.  Before the modifier flushes
 * connections for this, it waits for a grace period, so that all PMD threads
 * have finished their batches: a batch may make a connection of the old
 * version.
 *
 * The "flusher" deletes megaflows and connections. */

#include <config.h>
#include "tests/equivalence/th.h"

#include "ct-dpif.h"
#include "dpif.h"
#include "lib/lb/lb-registry.h"
#include "lib/lb/lb-sticky.h"
#include "lib/lb/lb-table.h"
#include "ovs-rcu.h"
#include "ovs-thread.h"
#include "tests/equivalence/eq-random.h"
#include "timeval.h"
#include "util.h"

struct th_version th_versions[TH_N_KINDS];
atomic_uint th_flushes[TH_N_FLUSHES];

static pthread_t modifier, flusher;
static uint64_t modifier_rng, flusher_rng;

static void
flush_connections(enum th_kind kind)
{
    static struct ovs_mutex mutex = OVS_MUTEX_INITIALIZER;
    uint16_t zone = kind;

    ovs_mutex_lock(&mutex);
    atomic_fetch_add(&th_flushes[TH_CONNECTIONS], 1);
    ct_dpif_flush(th_dpif, &zone, NULL);
    atomic_fetch_add(&th_flushes[TH_CONNECTIONS], 1);
    ovs_mutex_unlock(&mutex);
}

/* Gives the group of 'kind' the table of 'version'.  An odd version has the
 * buckets of the one before, with other weights. */
static void
set_table(enum th_kind kind, uint32_t version)
{
    struct lb_member members[TH_BUCKETS];
    struct lb_table_config config = {
        .key = { 1, kind },
        .salt = kind,
        .timeout = kind == TH_STICKY ? 60 * LB_STICKY_TICKS_PER_SEC : 0,
    };
    struct lb_table *table, *old;

    for (uint32_t i = 0; i < TH_BUCKETS; i++) {
        uint32_t token = TH_TOKEN(version & ~1, i);

        members[i] = (struct lb_member) {
            .id = token, .token = token, .weight = 1 + i * (version % 2),
            .alive = !TH_HAS_NO_BUCKET(version),
        };
    }
    if (lb_table_build(members, TH_BUCKETS, &config, &table)) {
        OVS_NOT_REACHED();
    }
    old = lb_registry_set(th_group_id(kind), table);
    if (old) {
        ovsrcu_postpone(lb_table_destroy, old);
    }
}

/* Makes the next version of 'kind'. */
static void
make_version(enum th_kind kind)
{
    uint32_t version = atomic_load(&th_versions[kind].newest) + 1;

    atomic_store(&th_versions[kind].newest, version);
    if (th_balances(kind)) {
        set_table(kind, version);
    } else {
        th_revalidate();
    }
    if (kind == TH_NAT || kind == TH_SERVICE) {
        /* A connection keeps its translation. */
        ovsrcu_synchronize();
        flush_connections(kind);
    }
    atomic_store(&th_versions[kind].oldest, version);
}

static void *
modifier_main(void *aux OVS_UNUSED)
{
    while (atomic_load(&th_receiving)) {
        make_version(eq_random(&modifier_rng, TH_N_KINDS));
        xnanosleep(eq_random(&modifier_rng, 4 * 1000 * 1000));
    }
    return NULL;
}

static void *
flusher_main(void *aux OVS_UNUSED)
{
    while (atomic_load(&th_receiving)) {
        if (eq_rarely(&flusher_rng, 2)) {
            th_delete_megaflows(&flusher_rng,
                                eq_rarely(&flusher_rng, 4) ? 1 : 8);
        } else {
            flush_connections(TH_CT);
        }
        xnanosleep(eq_random(&flusher_rng, 20 * 1000 * 1000));
    }
    return NULL;
}

/* Makes the first version. */
void
th_change_init(void)
{
    for (enum th_kind kind = 0; kind < TH_N_KINDS; kind++) {
        make_version(kind);
    }
}

void
th_change_start(uint64_t seed)
{
    modifier_rng = seed + 1;
    flusher_rng = seed + 2;
    modifier = ovs_thread_create("modifier", modifier_main, NULL);
    flusher = ovs_thread_create("flusher", flusher_main, NULL);
}

void
th_change_join(void)
{
    xpthread_join(modifier, NULL);
    xpthread_join(flusher, NULL);
}
