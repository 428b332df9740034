/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/fuse/fuse-pool.h"

#include <errno.h>
#include <string.h>

#include "lib/mem/reserve.h"

/* Memory is taken ahead of use for so many elements at a time, when less than
 * half as many are left. */
#define STEP 4096

#define N_REGIONS 4

/* Memory of a pool: 'unit' octets for each element. */
struct region {
    void **p;
    size_t unit;
};

static struct region
get_region(struct fuse_pool *pool, int i)
{
    const struct region regions[N_REGIONS] = {
        { (void **) &pool->elements, pool->size },
        { (void **) &pool->links, sizeof *pool->links },
        { (void **) &pool->heads, sizeof *pool->heads },
        { (void **) &pool->words, sizeof *pool->words },
    };

    return regions[i];
}

/* Makes 'pool' an empty pool for up to 'max' elements of 'size' octets, on
 * 'numa_node' or, if that is negative, anywhere.  'locked' says that the
 * process has locked its memory.  Returns 0, EINVAL, or the error of
 * mem_reserve(). */
int
fuse_pool_init(struct fuse_pool *pool, size_t size, uint32_t max,
               int numa_node, bool locked)
{
    int error = max && size ? 0 : EINVAL;

    memset(pool, 0, sizeof *pool);
    pool->size = size;
    pool->max = pool->n_ready = max;
    pool->n_heads = 1;
    atomic_init(&pool->n_wanted, max);
    atomic_init(&pool->n_taken, max);
    for (int i = 0; i < N_REGIONS && !error; i++) {
        struct region region = get_region(pool, i);

        error = mem_reserve(max * region.unit,
                            numa_node < 0 ? MEM_ANY_NODE : numa_node,
                            locked ? MEM_LOCKED : 0, region.p);
    }
    if (error) {
        fuse_pool_uninit(pool);
    }
    return error;
}

/* Takes memory for the elements from 'first' up to 'end'.  Returns 0 or a
 * positive errno value. */
static int
take(struct fuse_pool *pool, size_t first, size_t end)
{
    int error = 0;

    for (int i = 0; i < N_REGIONS && !error; i++) {
        struct region region = get_region(pool, i);

        error = mem_take((char *) *region.p + first * region.unit,
                         (end - first) * region.unit);
    }
    return error;
}

/* From now on fuse_pool_take() takes memory for 'pool', which nobody uses yet.
 * Takes the first of it.  Returns 0, or a positive errno value after which the
 * caller can only call fuse_pool_uninit(). */
int
fuse_pool_take_ahead(struct fuse_pool *pool)
{
    int error;

    pool->taken_ahead = true;
    pool->n_ready = 0;
    atomic_init(&pool->n_wanted, 0);
    atomic_init(&pool->n_taken, 0);
    fuse_pool_follow(pool);
    error = fuse_pool_take(pool);
    fuse_pool_follow(pool);
    return error;
}

/* Uses the memory that was taken meanwhile, and asks for more if little is
 * left.  Returns true if somebody should call fuse_pool_take() soon.  Does no
 * system call.  Owner. */
bool
fuse_pool_follow(struct fuse_pool *pool)
{
    uint32_t ready, wanted;

    if (!pool->taken_ahead) {
        return false;
    }
    ready = atomic_load_explicit(&pool->n_taken, memory_order_acquire);
    wanted = pool->max - ready > STEP ? ready + STEP : pool->max;
    pool->n_ready = ready;
    if (ready >= pool->n_touched + STEP / 2
        || atomic_load_explicit(&pool->n_wanted,
                                memory_order_relaxed) == wanted) {
        return false;
    }
    atomic_store_explicit(&pool->n_wanted, wanted, memory_order_relaxed);
    return true;
}

/* Takes the memory that the owner of 'pool' asked for by fuse_pool_follow().
 * Returns 0 or a positive errno value; then another call tries again.  One
 * thread, which may be another than the owner. */
int
fuse_pool_take(struct fuse_pool *pool)
{
    uint32_t taken = atomic_load_explicit(&pool->n_taken,
                                          memory_order_relaxed);
    uint32_t wanted = atomic_load_explicit(&pool->n_wanted,
                                           memory_order_relaxed);
    int error;

    if (taken >= wanted) {
        return 0;
    }
    error = take(pool, taken, wanted);
    if (!error) {
        atomic_store_explicit(&pool->n_taken, wanted, memory_order_release);
    }
    return error;
}

/* Frees the memory of 'pool'. */
void
fuse_pool_uninit(struct fuse_pool *pool)
{
    for (int i = 0; i < N_REGIONS; i++) {
        struct region region = get_region(pool, i);

        mem_release(*region.p, pool->max * region.unit);
        *region.p = NULL;
    }
}

/* Returns how much memory 'pool' has taken, in octets. */
size_t
fuse_pool_memory(const struct fuse_pool *pool)
{
    size_t n = pool->taken_ahead ? pool->n_ready : pool->n_touched;

    return n * (pool->size + sizeof *pool->links + sizeof *pool->heads
                + sizeof *pool->words);
}

/* Returns true if there is memory for another element. */
bool
fuse_pool_has_room(const struct fuse_pool *pool)
{
    return pool->free || pool->n_touched < pool->n_ready;
}

/* Adds a list to 'pool', and moves the elements that belong there from the
 * list that is split. */
static void
grow(struct fuse_pool *pool)
{
    uint32_t new = pool->n_heads++;
    uint32_t *from, *to = &pool->heads[new];

    if (new > pool->mask) {
        pool->mask = 2 * pool->mask + 1;
    }
    from = &pool->heads[new & pool->mask >> 1];
    *to = 0;
    while (*from) {
        struct fuse_link *link = &pool->links[*from - 1];

        if ((link->hash & pool->mask) == new) {
            *to = *from;
            *from = link->next;
            to = &link->next;
            *to = 0;
        } else {
            from = &link->next;
        }
    }
}

/* Adds an element with 'hash'.  Returns it, all zeros, for the caller to fill
 * in, or null if fuse_pool_has_room() is false. */
void *
fuse_pool_insert(struct fuse_pool *pool, uint32_t hash)
{
    uint32_t number, *head;
    void *element;

    if (!fuse_pool_has_room(pool)) {
        return NULL;
    }
    if (pool->free) {
        number = pool->free - 1;
        pool->free = pool->links[number].next;
    } else {
        number = pool->n_touched++;
    }
    if (++pool->n > pool->n_heads) {
        grow(pool);
    }
    head = &pool->heads[fuse_pool_list__(pool, hash)];
    pool->links[number] = (struct fuse_link) { hash, *head, true };
    *head = number + 1;
    element = fuse_pool_element(pool, number);
    memset(element, 0, pool->size);
    return element;
}

/* Removes 'element'. */
void
fuse_pool_remove(struct fuse_pool *pool, const void *element)
{
    uint32_t number = fuse_pool_number(pool, element);
    struct fuse_link *link = &pool->links[number];
    uint32_t *p = &pool->heads[fuse_pool_list__(pool, link->hash)];

    while (*p != number + 1) {
        p = &pool->links[*p - 1].next;
    }
    *p = link->next;
    link->in_use = false;
    link->next = pool->free;
    pool->free = number + 1;
    pool->n--;
}
