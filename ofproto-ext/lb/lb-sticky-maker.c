/* SPDX-License-Identifier: Apache-2.0 */

/* Makes the table of sticky flows
 * ===============================
 *
 * Taking 4 GB, and copying as much, takes seconds.  So a thread of its own
 * makes the table.  Until that is ready the old one stays in use; without an
 * old one flows go by their slots, and are remembered from then on.  The main
 * thread waits for a small table, for some 10 ms.
 *
 * Thread-safety: functions are for the main thread.  At most one other thread
 * makes a table at a time, and only it changes the registry meanwhile. */

#include <config.h>
#include "ofproto-ext/lb/lb-sticky-maker.h"

#include <stdlib.h>

#include "compat/compat-memory.h"
#include "lib/lb/lb-registry.h"
#include "lib/lb/lb-sticky.h"
#include "openvswitch/vlog.h"
#include "ovs-atomic.h"
#include "ovs-numa.h"
#include "ovs-rcu.h"
#include "ovs-thread.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(lb_sticky_maker);

/* A table up to this size, in octets, is small. */
#define SMALL (64 * 1024 * 1024)

/* So many entries, 16 MB, are taken at a time, so that nobody waits long for
 * the thread to stop. */
#define STEP (1024 * 1024)

/* The thread that makes a table. */
struct maker {
    pthread_t thread;
    bool started;                /* 'thread' is to be joined. */
    atomic_bool running;         /* It has not ended yet. */
    atomic_bool stop;
    struct lb_sticky *table;
};
static struct maker maker;

static size_t n_entries = LB_MAKER_DEFAULT_ENTRIES;
static char *pmd_cpu_mask;

struct copy_aux {
    struct lb_sticky *to;
    uint32_t now;
};

static void
copy_entry(uint64_t hash, uint32_t token, uint32_t ticks, void *aux_)
{
    struct copy_aux *aux = aux_;

    lb_sticky_insert(aux->to, hash, &token, aux->now, MAX(ticks, 1));
}

/* Takes the memory of 'table'.  Returns false if it was stopped, or there is
 * not as much. */
static bool
take(struct lb_sticky *table, atomic_bool *stop)
{
    for (size_t first = 0; first < table->n_entries; first += STEP) {
        bool stopped;
        int error;

        atomic_read_relaxed(stop, &stopped);
        if (stopped) {
            return false;
        }
        error = lb_sticky_take(table, first,
                               MIN(STEP, table->n_entries - first));
        if (error) {
            VLOG_WARN("no memory for a table of %"PRIu32" sticky flows (%s)",
                      table->n_entries, ovs_strerror(error));
            return false;
        }
    }
    return true;
}

/* Puts 'table' in the place of the one in use, if any, with its flows. */
static void
put_in_place(struct lb_sticky *table)
{
    struct lb_sticky *old = lb_registry_get_sticky();
    struct copy_aux aux = { table, lb_sticky_ticks(time_msec()) };

    if (old) {
        lb_sticky_for_each(old, aux.now, copy_entry, &aux);
    }
    lb_registry_set_sticky(table);
    if (old) {
        /* And once more for what came in meanwhile. */
        lb_sticky_for_each(old, aux.now, copy_entry, &aux);
    }
}

static void
destroy_cb(struct lb_sticky *table)
{
    lb_sticky_destroy(table);
}

static void *
maker_main(void *maker_)
{
    struct maker *m = maker_;
    struct lb_sticky *old = lb_registry_get_sticky();

    /* This takes long.  Nobody else frees 'old'. */
    ovsrcu_quiesce_start();
    if (take(m->table, &m->stop)) {
        put_in_place(m->table);
    } else {
        lb_sticky_destroy(m->table);
        old = NULL;
    }
    ovsrcu_quiesce_end();
    if (old) {
        ovsrcu_postpone(destroy_cb, old);
    }
    atomic_store(&m->running, false);
    return NULL;
}

/* Returns the NUMA node on which all PMD threads run, or -1 if they run on
 * several, or that is not known. */
static int
pmd_numa_node(void)
{
    struct ovs_numa_dump *dump;
    const struct ovs_numa_info_core *core;
    int node = -1;
    bool several = false;

    if (ovs_numa_get_n_numas() == 1) {
        return 0;
    }
    dump = pmd_cpu_mask ? ovs_numa_dump_cores_with_cmask(pmd_cpu_mask) : NULL;
    if (!dump) {
        return -1;
    }
    FOR_EACH_CORE_ON_DUMP (core, dump) {
        several = several || (node >= 0 && core->numa_id != node);
        node = core->numa_id;
    }
    ovs_numa_dump_destroy(dump);
    return several ? -1 : node;
}

/* Makes a table as configured the one in use, with the flows of the one that
 * is.  A large one comes into use later.  Returns 0 or, after a warning, a
 * positive errno value. */
static int
make_table(void)
{
    const struct lb_sticky *old;
    struct lb_sticky *table;
    int error = lb_sticky_create(n_entries, pmd_numa_node(),
                                 compat_memory_locked(), &table);

    if (error) {
        VLOG_WARN("no table of %"PRIuSIZE" sticky flows (%s)", n_entries,
                  ovs_strerror(error));
        return error;
    }
    if (maker.started) {
        /* Takes a step, or a copy. */
        atomic_store(&maker.stop, true);
        xpthread_join(maker.thread, NULL);
    }
    old = lb_registry_get_sticky();
    maker.table = table;
    atomic_store(&maker.stop, false);
    atomic_store(&maker.running, true);
    maker.started = true;
    maker.thread = ovs_thread_create("lb_maker", maker_main, &maker);
    if (table->n_bytes <= SMALL && (!old || old->n_bytes <= SMALL)) {
        xpthread_join(maker.thread, NULL);
        maker.started = false;
    }
    return 0;
}

/* Returns true if there is a table or there will be one. */
bool
lb_maker_has_table(void)
{
    bool running;

    atomic_read(&maker.running, &running);
    return lb_registry_get_sticky() || running;
}

/* Returns true while flows are on their way from one table to another. */
bool
lb_maker_is_moving(void)
{
    bool running;

    atomic_read(&maker.running, &running);
    return lb_registry_get_sticky() && running;
}

/* Sets the size of the table, in entries, and where PMD threads may run, or
 * null.  If there is a table, one of another size takes its place; if there is
 * no memory for that, it stays. */
void
lb_maker_configure(size_t n_entries_, const char *pmd_cpu_mask_)
{
    size_t before = n_entries;

    free(pmd_cpu_mask);
    pmd_cpu_mask = nullable_xstrdup(pmd_cpu_mask_);
    n_entries = n_entries_;
    if (n_entries != before && lb_maker_has_table() && make_table()) {
        n_entries = before;
    }
}

/* Makes sure that there is a table, or will be one.  Returns 0 or a positive
 * errno value. */
int
lb_maker_need_table(void)
{
    return lb_maker_has_table() ? 0 : make_table();
}
