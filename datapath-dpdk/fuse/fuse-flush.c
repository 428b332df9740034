/* SPDX-License-Identifier: Apache-2.0 */

/* Emptying a thread's fused flow cache
 * ====================================
 *
 * In slices, so that a PMD thread sees to its packets in between. */

#include <config.h>
#include "datapath-dpdk/fuse/fuse-flush.h"

#include "datapath-dpdk/fuse/fuse-chain.h"
#include "datapath-dpdk/fuse/fuse.h"

/* A slice looks at so many places for entries, and credits so many chains. */
#define FLUSH_MAX 64

/* Removes some of the entries that exist at the first call.  Returns true if
 * none of them is left; otherwise call it again.  Owner. */
bool
fuse_thread_flush(struct fuse_thread *t)
{
    struct fuse_table *table = t->replay.table;

    if (!table) {
        return true;
    }
    if (!t->flushing) {
        t->flushing = true;
        for (int i = 0; i < FUSE_N_PORTS; i++) {
            t->ports[i].futile = 0;
            fuse_gain_init(&t->ports[i].gain);
            fuse_pace_init(&t->ports[i].pace);
        }
        table->sweep[0] = table->sweep[1] = 0;
    }
    fuse_chains_credit(t, FLUSH_MAX);
    for (int i = 0; i < FLUSH_MAX && t->flushing; i++) {
        struct fuse_entry *entry = fuse_table_sweep(table);

        if (entry) {
            fuse_table_remove(table, entry);
        } else if (!table->sweep[0] && !table->sweep[1]) {
            /* Once around. */
            t->flushing = false;
        }
    }
    return !t->flushing;
}

/* Prepares 't', which is not used any more, to be freed.  Returns true if that
 * is done; otherwise call it again. */
bool
fuse_thread_close(struct fuse_thread *t)
{
    if (t->replay.n_dirty) {
        fuse_chains_credit(t, FLUSH_MAX);
    } else if (t->replay.table && t->replay.table->n_entries) {
        fuse_thread_flush(t);
    } else {
        return true;
    }
    return false;
}
