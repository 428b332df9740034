/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FUSE_POOL_H
#define FUSE_POOL_H 1

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Pool of elements that are found by a hash
 * =========================================
 *
 * Elements of one size in one array.  An element keeps its address and its
 * number until it is removed.  Elements with the same hash are in one list;
 * the user compares what else counts.
 *
 *         heads            links             elements
 *        +-----+      +------+------+       +-----------+
 *        |  ---+----->| hash | next |   0   |           |
 *        +-----+      +------+---+--+       +-----------+
 *        |     |   .->| hash |   |  |   1   |           |
 *        +-----+   |  +------+---|--+       +-----------+
 *                  '-------------'
 *
 * There is one list for each element.  Lists are split one at a time, by one
 * more bit of the hash: Litwin's linear hashing (VLDB 1980).  So no insertion
 * takes long.
 *
 * Memory is reserved for 'max' elements at once and taken for those in use.
 * As in fuse-table.h, either the owner takes it at the first access, or
 * another thread does so ahead of use.
 *
 * Thread-safety: a pool belongs to one thread.  One other thread may call
 * fuse_pool_take().
 *
 * Attack model: the user must not let senders choose hashes. */

struct fuse_link {
    uint32_t hash;
    uint32_t next;               /* Number + 1 of the next one, or 0. */
    bool in_use;
};

struct fuse_pool {
    uint8_t *elements;
    struct fuse_link *links;
    uint32_t *heads;             /* Number + 1 of the first one, or 0. */
    uint32_t *words;             /* The user's, one for each element. */
    size_t size;                 /* Of an element. */
    uint32_t max;
    uint32_t n;                  /* In use. */
    uint32_t n_touched;          /* Ever used. */
    uint32_t n_heads;
    uint32_t mask;               /* Of the next power of 2. */
    uint32_t free;               /* Number + 1 of a free one, or 0. */
    uint32_t n_ready;            /* There is memory for so many. */
    bool taken_ahead;
    _Atomic(uint32_t) n_wanted;  /* Written by the owner... */
    _Atomic(uint32_t) n_taken;   /* ...and by the other thread. */
};

int fuse_pool_init(struct fuse_pool *, size_t size, uint32_t max,
                   int numa_node, bool locked);
int fuse_pool_take_ahead(struct fuse_pool *);
bool fuse_pool_follow(struct fuse_pool *);
int fuse_pool_take(struct fuse_pool *);
void fuse_pool_uninit(struct fuse_pool *);
size_t fuse_pool_memory(const struct fuse_pool *);

bool fuse_pool_has_room(const struct fuse_pool *);
void *fuse_pool_insert(struct fuse_pool *, uint32_t hash);
void fuse_pool_remove(struct fuse_pool *, const void *element);

static inline void *
fuse_pool_element(const struct fuse_pool *pool, uint32_t number)
{
    return pool->elements + number * pool->size;
}

static inline uint32_t
fuse_pool_number(const struct fuse_pool *pool, const void *element)
{
    return ((const uint8_t *) element - pool->elements) / pool->size;
}

/* Returns the element with 'number', or null if that is not in use.  Numbers
 * are below 'n_touched'. */
static inline void *
fuse_pool_at(const struct fuse_pool *pool, uint32_t number)
{
    return (pool->links[number].in_use ? fuse_pool_element(pool, number)
            : NULL);
}

/* Returns the first element from 'next', number + 1 or 0, that has 'hash', or
 * null. */
static inline void *
fuse_pool_find__(const struct fuse_pool *pool, uint32_t next, uint32_t hash)
{
    while (next && pool->links[next - 1].hash != hash) {
        next = pool->links[next - 1].next;
    }
    return next ? fuse_pool_element(pool, next - 1) : NULL;
}

static inline uint32_t
fuse_pool_list__(const struct fuse_pool *pool, uint32_t hash)
{
    uint32_t list = hash & pool->mask;

    return list < pool->n_heads ? list : list & pool->mask >> 1;
}

/* Returns the first element with 'hash', or null. */
static inline void *
fuse_pool_first(const struct fuse_pool *pool, uint32_t hash)
{
    return fuse_pool_find__(pool, pool->heads[fuse_pool_list__(pool, hash)],
                            hash);
}

/* Returns the next element with the hash of 'element', or null. */
static inline void *
fuse_pool_next(const struct fuse_pool *pool, const void *element)
{
    const struct fuse_link *link
        = &pool->links[fuse_pool_number(pool, element)];

    return fuse_pool_find__(pool, link->next, link->hash);
}

#endif /* fuse-pool.h */
