/* SPDX-License-Identifier: Apache-2.0 */

/* Memory of connections
 * =====================
 *
 * Open vSwitch takes connections from malloc(3), which costs a PMD thread a
 * quarter of the time that it needs for a new one: page faults, cache misses,
 * and the search for a chunk that fits.  Here they come from slabs; see
 * lib/mem/slab.h.  Each size, and each NUMA node, has slabs of its own.  The
 * node is that of the thread that opens the connection.
 *
 * The next slab is made in time by the thread that runs RCU's callbacks.  A
 * thread that opens connections makes one itself only if that was too slow.
 *
 * With AddressSanitizer, connections come from malloc(3), so that it sees who
 * uses one that is freed. */

#include <config.h>
#include "datapath-dpdk/ct/ct-hooks.h"

#include <numa.h>
#include <sched.h>

#include "compat/compat-memory.h"
#include "lib/mem/slab.h"
#include "ovs-rcu.h"
#include "ovs-thread.h"
#include "util.h"

#ifdef __SANITIZE_ADDRESS__
void *
ct_zalloc(size_t size)
{
    return xzalloc(size);
}

void
ct_free(void *object)
{
    free(object);
}
#else
/* Connections have some 300 to 450 octets. */
#define STEP 16
#define MAX_SIZE 1024
#define N_SIZES (MAX_SIZE / STEP)
#define N_NODES 8                /* More share. */

struct pool {
    struct mem_slabs slabs;      /* Guarded by 'mutex'. */
    struct ovs_mutex mutex;
    bool refilling;              /* Likewise: refill() will run. */
    int numa_node;
};

static struct pool pools[N_NODES][N_SIZES];

static void
init_pools(void)
{
    static struct ovsthread_once once = OVSTHREAD_ONCE_INITIALIZER;

    if (ovsthread_once_start(&once)) {
        for (int node = 0; node < N_NODES; node++) {
            for (int i = 0; i < N_SIZES; i++) {
                struct pool *pool = &pools[node][i];

                mem_slabs_init(&pool->slabs, (i + 1) * STEP);
                ovs_mutex_init_adaptive(&pool->mutex);
                pool->numa_node = node;
            }
        }
        ovsthread_once_done(&once);
    }
}

/* Returns the NUMA node of this thread when it first asked.  PMD threads do
 * not move. */
static int
my_node(void)
{
    static __thread int node = -1;

    if (node < 0) {
        init_pools();
        node = numa_available() < 0 ? 0 : numa_node_of_cpu(sched_getcpu());
        node = MAX(node, 0) % N_NODES;
    }
    return node;
}

/* Gives 'pool' another slab.  Returns false if there is no memory. */
static bool
refill(struct pool *pool)
{
    struct mem_slab *slab = mem_slab_create(pool->numa_node,
                                            compat_memory_locked());
    struct mem_slab *extra = NULL;

    ovs_mutex_lock(&pool->mutex);
    if (slab) {
        extra = mem_slabs_add(&pool->slabs, slab);
    }
    ovs_mutex_unlock(&pool->mutex);
    mem_slab_destroy(extra);
    return slab != NULL;
}

/* For ovsrcu_postpone(). */
static void
refill_cb(struct pool *pool)
{
    refill(pool);
    ovs_mutex_lock(&pool->mutex);
    pool->refilling = false;
    ovs_mutex_unlock(&pool->mutex);
}

/* Returns an object of 'pool', or null if it has no memory. */
static void *
alloc(struct pool *pool)
{
    bool refills;
    void *object;

    ovs_mutex_lock(&pool->mutex);
    object = mem_slabs_alloc(&pool->slabs);
    refills = pool->slabs.wants && !pool->refilling;
    if (refills) {
        pool->refilling = true;
    }
    ovs_mutex_unlock(&pool->mutex);
    if (refills) {
        ovsrcu_postpone(refill_cb, pool);
    }
    return object;
}

/* Returns 'size' octets for a connection, at most MAX_SIZE, that are zero, for
 * the caller to give to ct_free().  Ends the process if there is no memory, as
 * xzalloc() does.  Any thread. */
void *
ct_zalloc(size_t size)
{
    struct pool *pool;
    void *object;

    ovs_assert(size <= MAX_SIZE);
    pool = &pools[my_node()][(size - 1) / STEP];
    while (!(object = alloc(pool))) {
        if (!refill(pool)) {
            out_of_memory();
        }
    }
    return memset(object, 0, size);
}

/* Frees 'object', of ct_zalloc(), or null.  Any thread. */
void
ct_free(void *object)
{
    if (object) {
        struct pool *pool = CONTAINER_OF(mem_slabs_of(object), struct pool,
                                         slabs);
        struct mem_slab *extra;

        ovs_mutex_lock(&pool->mutex);
        extra = mem_slabs_free(&pool->slabs, object);
        ovs_mutex_unlock(&pool->mutex);
        mem_slab_destroy(extra);
    }
}
#endif
