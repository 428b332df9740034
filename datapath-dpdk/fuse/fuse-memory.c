/* SPDX-License-Identifier: Apache-2.0 */

/* Memory of the threads' caches
 * =============================
 *
 * A PMD thread must not wait for memory: the kernel takes some 200 us to clear
 * a huge page, and some 100 us to reserve a table.  So one thread for all,
 * "fuse", makes the memory of their caches and takes more of it ahead of use.
 * The main thread makes the memory of its own cache, and takes it at the first
 * access.
 *
 * After a refusal, the maker waits before it asks again, twice as long each
 * time.
 *
 * Thread-safety: a "struct fuse_memory" belongs to the owner of the cache.
 * The thread "fuse" finds it in 'memories' under RCU, and writes the fields
 * that say so. */

#include <config.h>
#include "datapath-dpdk/fuse/fuse-memory.h"

#include "compat/compat-memory.h"
#include "datapath-dpdk/fuse/fuse-tunnel.h"
#include "datapath-dpdk/fuse/fuse.h"
#include "latch.h"
#include "lib/mem/reserve.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "ovs-rcu.h"
#include "rculist.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(fuse_memory);

/* The wait before memory is asked for again, in ms: first, longest. */
#define MIN_WAIT 100
#define MAX_WAIT 10000

struct fuse_memory {
    struct rculist node;         /* In 'memories', unless 'alone'. */
    bool alone;                  /* The owner makes it. */
    uint32_t max_entries;
    int numa_id;

    /* Written by the maker: the owner if 'alone', else the thread "fuse".
     * 'table' comes last. */
    atomic_int error;            /* Of the last attempt, or 0. */
    atomic_uint n_failures;
    long long int wait;          /* In ms, after the next failure. */
    long long int next;          /* No attempt before, in ms. */
    struct fuse_parts *parts;
    OVSRCU_TYPE(struct fuse_table *) table;
};

static struct ovs_mutex mutex = OVS_MUTEX_INITIALIZER;
static struct rculist memories; /* Changed with 'mutex'. */
static struct latch wake;        /* There is something to do. */

/* Makes the parts of 'm'.  Returns 0 or a positive errno value. */
static int
make_parts(struct fuse_memory *m)
{
    bool locked = compat_memory_locked();
    int error = mem_reserve(sizeof *m->parts,
                            m->numa_id < 0 ? MEM_ANY_NODE : m->numa_id,
                            locked ? MEM_LOCKED : 0, (void **) &m->parts);

    if (!error && !m->alone) {
        error = mem_take(m->parts, sizeof *m->parts);
    }
    if (!error) {
        error = fuse_pool_init(&m->parts->chains, sizeof(struct fuse_dp_chain),
                               2 * fuse_max_chains(m->max_entries),
                               m->numa_id, locked);
    }
    if (!error && !m->alone) {
        error = fuse_pool_take_ahead(&m->parts->chains);
    }
    return error;
}

static void
free_parts(struct fuse_memory *m)
{
    if (m->parts) {
        fuse_pool_uninit(&m->parts->chains);
        mem_release(m->parts, sizeof *m->parts);
        m->parts = NULL;
    }
}

/* Makes the table and the parts of 'm'.  Returns 0 or a positive errno
 * value. */
static int
make(struct fuse_memory *m)
{
    struct fuse_table *table = NULL;
    int error = make_parts(m);

    if (!error) {
        error = fuse_table_create(m->max_entries, m->numa_id,
                                  compat_memory_locked(), &table);
    }
    if (!error && !m->alone) {
        error = fuse_table_take_ahead(table);
    }
    if (error) {
        fuse_table_destroy(table);
        free_parts(m);
        return error;
    }
    ovsrcu_set(&m->table, table);
    return 0;
}

/* Makes memory for 'm', or takes more of it, if that is due.  Returns when to
 * call it again, in ms, or LLONG_MAX if nothing is due. */
static long long int
serve(struct fuse_memory *m)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);
    struct fuse_table *table = ovsrcu_get(struct fuse_table *, &m->table);
    long long int now = time_msec();
    unsigned int n;
    int error;

    if (now < m->next) {
        return m->next;
    }
    if (table) {
        error = fuse_table_take(table);
        error = error ? error : fuse_pool_take(&m->parts->chains);
    } else {
        error = make(m);
    }
    atomic_store_relaxed(&m->error, error);
    if (!error) {
        m->wait = MIN_WAIT;
        return LLONG_MAX;
    }
    atomic_add_relaxed(&m->n_failures, 1, &n);
    VLOG_WARN_RL(&rl, "no memory for a fused flow cache of %"PRIu32" entries "
                 "(%s): next attempt in %lld ms", m->max_entries,
                 ovs_strerror(error), m->wait);
    m->next = now + m->wait;
    m->wait = MIN(2 * m->wait, MAX_WAIT);
    return m->next;
}

static void *
memory_main(void *aux OVS_UNUSED)
{
    for (;;) {
        long long int next = LLONG_MAX;
        struct fuse_memory *m;

        latch_poll(&wake);
        RCULIST_FOR_EACH (m, node, &memories) {
            next = MIN(next, serve(m));
        }
        latch_wait(&wake);
        if (next != LLONG_MAX) {
            poll_timer_wait_until(next);
        }
        poll_block();
    }
    return NULL;
}

/* Starts the thread "fuse".  Main thread, whose processors it shares. */
void
fuse_memory_init(void)
{
    static struct ovsthread_once once = OVSTHREAD_ONCE_INITIALIZER;

    if (ovsthread_once_start(&once)) {
        rculist_init(&memories);
        latch_init(&wake);
        ovs_thread_create("fuse", memory_main, NULL);
        ovsthread_once_done(&once);
    }
}

/* Returns an object that will have the memory for a cache of 'max_entries' on
 * NUMA node 'numa_id'.  The caller's thread makes the memory if 'alone', else
 * the thread that fuse_memory_init() has started.  The caller gives the object
 * to fuse_memory_destroy(). */
struct fuse_memory *
fuse_memory_create(uint32_t max_entries, int numa_id, bool alone)
{
    struct fuse_memory *m = xzalloc(sizeof *m);

    m->alone = alone;
    m->max_entries = max_entries;
    m->numa_id = numa_id;
    m->wait = MIN_WAIT;
    if (!alone) {
        ovs_mutex_lock(&mutex);
        rculist_push_back(&memories, &m->node);
        ovs_mutex_unlock(&mutex);
        latch_set(&wake);
    }
    return m;
}

/* Gives 't' its memory.  The table calls 'removed_cb' with 't'.  Returns false
 * as long as the memory is not made.  Owner. */
bool
fuse_memory_attach(struct fuse_thread *t,
                   void (*removed_cb)(struct fuse_entry *, void *t))
{
    struct fuse_memory *m = t->memory;
    struct fuse_table *table;

    if (m->alone) {
        serve(m);
    }
    table = ovsrcu_get(struct fuse_table *, &m->table);
    if (!table) {
        return false;
    }
    table->removed_cb = removed_cb;
    table->aux = t;
    t->tunnels = &m->parts->tunnels;
    t->tunnels_version = fuse_tunnel_version();
    t->programs = m->parts->programs;
    t->replay.table = table;
    t->replay.tunnels = t->tunnels;
    t->chains = &m->parts->chains;
    t->replay.next_dirty = t->chains->words;
    return true;
}

/* Lets the cache of 'm' use the memory that was taken meanwhile, and has more
 * taken if it needs more.  Owner. */
void
fuse_memory_follow(struct fuse_memory *m)
{
    bool table = fuse_table_follow(ovsrcu_get(struct fuse_table *, &m->table));

    if (fuse_pool_follow(&m->parts->chains) || table) {
        latch_set(&wake);
    }
}

static void
destroy(struct fuse_memory *m)
{
    fuse_table_destroy(ovsrcu_get_protected(struct fuse_table *, &m->table));
    free_parts(m);
    free(m);
}

/* Frees 'm' and all its memory after a grace period: a connection that is just
 * removed may hold pointers to entries.  Owner, or any thread after its last
 * packet. */
void
fuse_memory_destroy(struct fuse_memory *m)
{
    if (!m->alone) {
        ovs_mutex_lock(&mutex);
        rculist_remove(&m->node);
        ovs_mutex_unlock(&mutex);
    }
    ovsrcu_postpone(destroy, m);
}

/* Appends to 'reply' that 'm' was refused memory, if it was.  Any thread. */
void
fuse_memory_show(const struct fuse_memory *m, struct ds *reply)
{
    unsigned int n_failures;
    int error;

    atomic_read_relaxed(&CONST_CAST(struct fuse_memory *, m)->error, &error);
    atomic_read_relaxed(&CONST_CAST(struct fuse_memory *, m)->n_failures,
                        &n_failures);
    if (n_failures) {
        ds_put_format(reply, "  memory refused: %u times%s%s\n", n_failures,
                      error ? ", at last: " : "",
                      error ? ovs_strerror(error) : "");
    }
}
