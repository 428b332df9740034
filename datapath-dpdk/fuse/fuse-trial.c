/* SPDX-License-Identifier: Apache-2.0 */

/* Trials of the fused flow cache
 * ==============================
 *
 * Which flows without an entry are learned, and trials, by which the pace of
 * each port is found: see lib/fuse/fuse-pace.h.
 *
 * An entry on trial is due to be refreshed with each hit, and so its hits are
 * counted without any work for those of other entries.  A trial ends by its
 * last hit that counts, by a packet that ends the connection, or when the
 * entry is removed, unless all are.
 *
 * The main thread's cache does not measure, and has no trials. */

#include <config.h>
#include "datapath-dpdk/fuse/fuse-trial.h"

#include "datapath-dpdk/fuse/fuse.h"

/* Returns whether the flow with 'hash' from 'in_port', a packet of which has
 * missed, is learned.  A port that the cache is of no use to is looked at by
 * chance, so a flow of which two packets were seen is long enough. */
enum fuse_admission
fuse_admit(struct fuse_thread *t, uint32_t in_port, uint64_t hash)
{
    const struct fuse_port *port = fuse_port_of(t, in_port);
    uint32_t n = fuse_table_count_miss(t->replay.table, hash);
    enum fuse_admission admission = FUSE_NOT_ADMITTED;
    bool futile = fuse_port_is_futile(port);

    t->random = t->random * 1664525 + 1013904223;
    if (t->measures && !futile
        && fuse_pace_tries(&port->pace, n, t->random)) {
        admission = FUSE_ON_TRIAL;
    } else if (n >= (futile ? FUSE_PACE_FIRST : port->pace.learn_at)) {
        admission = FUSE_ADMITTED;
    }
    /* A refused flow may be learned after a while. */
    if (admission || !(t->random >> 20)) {
        fuse_table_forgive(t->replay.table, hash);
    }
    return admission;
}

static struct fuse_trial *
trial_at(const struct fuse_thread *t, const struct fuse_entry *entry)
{
    uint32_t number = fuse_table_number(t->replay.table, entry);

    return CONST_CAST(struct fuse_trial *, &t->trials[number % FUSE_N_TRIALS]);
}

/* Puts 'entry' on trial, if its place is free.  Its packet took 'cycles' to be
 * learned. */
void
fuse_trial_start(struct fuse_thread *t, const struct fuse_entry *entry,
                 uint64_t cycles)
{
    struct fuse_trial *trial = trial_at(t, entry);

    fuse_pace_note_cost(&fuse_port_of(t, entry->in_port)->pace,
                        FUSE_PACE_LEARN, cycles);
    if (!trial->entry || t->replay.now - trial->since >= FUSE_TRIAL_MS) {
        trial->entry = entry;
        trial->since = t->replay.now;
        trial->hits = 0;
    }
}

/* Returns true if 'entry' is on trial. */
bool
fuse_trial_goes_on(const struct fuse_thread *t, const struct fuse_entry *entry)
{
    return trial_at(t, entry)->entry == entry;
}

static void
end(struct fuse_thread *t, struct fuse_trial *trial)
{
    struct fuse_port *port = fuse_port_of(t, trial->entry->in_port);

    trial->entry = NULL;
    if (!t->flushing) {
        fuse_pace_end_trial(&port->pace, trial->hits);
    }
}

/* Counts a hit of 'entry', if it is on trial.  Returns true if it still is. */
bool
fuse_trial_hit(struct fuse_thread *t, const struct fuse_entry *entry)
{
    struct fuse_trial *trial = trial_at(t, entry);

    if (trial->entry != entry) {
        return false;
    } else if (++trial->hits < FUSE_PACE_HITS) {
        return true;
    }
    end(t, trial);
    return false;
}

/* The flow of 'entry' has ended, or 'entry' is being removed. */
void
fuse_trial_end(struct fuse_thread *t, const struct fuse_entry *entry)
{
    struct fuse_trial *trial = trial_at(t, entry);

    if (trial->entry == entry) {
        end(t, trial);
    }
}
