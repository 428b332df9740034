/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/fuse-table.h"

#include <errno.h>
#include <numa.h>
#include <numaif.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

/* Reserves 'size' octets of zeros, aligned to pages, on 'numa_node' if that is
 * not negative.  Returns null if there is no address space. */
static void *
reserve(size_t size, int numa_node)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (p == MAP_FAILED) {
        return NULL;
    }
    /* Both are wishes: without them the table is slower, not wrong. */
    madvise(p, size, MADV_HUGEPAGE);
    if (numa_node >= 0 && numa_available() >= 0) {
        struct bitmask *nodes = numa_allocate_nodemask();

        if (nodes) {
            numa_bitmask_setbit(nodes, numa_node);
            mbind(p, size, MPOL_PREFERRED, nodes->maskp, nodes->size + 1, 0);
            numa_free_nodemask(nodes);
        }
    }
    return p;
}

static size_t
buckets_size(const struct fuse_table *table)
{
    return ((size_t) table->bucket_mask + 1) * sizeof *table->buckets;
}

/* Creates a table for 'max_entries' entries, on 'numa_node' or, if that is
 * negative, anywhere.  Returns 0 and stores it in '*tablep', or EINVAL, ENOMEM
 * or the error of getrandom(2). */
int
fuse_table_create(uint32_t max_entries, int numa_node,
                  struct fuse_table **tablep)
{
    struct fuse_table *table;
    uint32_t n_buckets = 16;
    int error = ENOMEM;

    *tablep = NULL;
    if (!max_entries || max_entries > UINT32_C(1) << 28) {
        return EINVAL;
    }
    table = aligned_alloc(64, (sizeof *table + 63) / 64 * 64);
    if (!table) {
        return ENOMEM;
    }
    memset(table, 0, sizeof *table);
    while (n_buckets * 4 < max_entries) {
        n_buckets *= 2;
    }
    table->bucket_mask = n_buckets - 1;
    table->max_entries = max_entries;
    table->buckets = reserve(buckets_size(table), numa_node);
    table->small = reserve(max_entries * FUSE_SMALL_ENTRY, numa_node);
    table->large = reserve(max_entries * FUSE_LARGE_ENTRY, numa_node);
    if (table->buckets && table->small && table->large) {
        error = 0;
        if (getrandom(table->key, sizeof table->key, 0)
            != sizeof table->key
            || getrandom(table->port_key, sizeof table->port_key, 0)
               != sizeof table->port_key) {
            error = errno ? errno : EIO;
        }
    }
    if (error) {
        fuse_table_destroy(table);
        return error;
    }
    *tablep = table;
    return 0;
}

/* Frees 'table', which may be null, without a word of its entries. */
void
fuse_table_destroy(struct fuse_table *table)
{
    if (!table) {
        return;
    }
    if (table->buckets) {
        munmap(table->buckets, buckets_size(table));
    }
    if (table->small) {
        munmap(table->small, table->max_entries * FUSE_SMALL_ENTRY);
    }
    if (table->large) {
        munmap(table->large, table->max_entries * FUSE_LARGE_ENTRY);
    }
    free(table);
}

/* Takes a free entry.  Returns null if the limit is reached. */
static struct fuse_entry *
take(struct fuse_table *table, bool large)
{
    struct fuse_entry *entry;
    uint32_t n;

    if (table->n_entries >= table->max_entries) {
        return NULL;
    }
    if (table->free[large]) {
        n = table->free[large] - 1;
        entry = fuse_table_entry(table, n | (large ? FUSE_LARGE_BIT : 0));
        table->free[large] = entry->sig;
    } else {
        n = table->n_touched[large]++;
        entry = fuse_table_entry(table, n | (large ? FUSE_LARGE_BIT : 0));
    }
    table->n_entries++;
    memset(entry, 0, sizeof *entry);
    entry->number = n | (large ? FUSE_LARGE_BIT : 0);
    entry->in_use = true;
    return entry;
}

static bool
is_evictable(const struct fuse_entry *entry, uint32_t now)
{
    return (atomic_load_explicit(&entry->dead, memory_order_relaxed)
            || now - entry->used > FUSE_IDLE_MS);
}

/* Returns a free place of 'bucket', or -1. */
static int
find_place(const struct fuse_bucket *bucket)
{
    for (int i = 0; i < FUSE_BUCKET_PLACES; i++) {
        if (!bucket->places[i].sig) {
            return i;
        }
    }
    return -1;
}

/* Makes a place in 'bucket' by eviction.  Returns it, or -1. */
static int
make_place(struct fuse_table *table, const struct fuse_bucket *bucket,
           uint32_t now)
{
    for (int i = 0; i < FUSE_BUCKET_PLACES; i++) {
        struct fuse_entry *entry
            = fuse_table_entry(table, bucket->places[i].number);

        if (bucket->places[i].sig && is_evictable(entry, now)) {
            fuse_table_remove(table, entry);
            return i;
        }
    }
    return -1;
}

/* Removes the entry for 'key' from 'bucket'. */
static void
remove_same(struct fuse_table *table, const struct fuse_bucket *bucket,
            uint64_t hash, int shape, uint32_t in_port, const uint8_t *key)
{
    for (int i = 0; i < FUSE_BUCKET_PLACES; i++) {
        if (bucket->places[i].sig == hash >> 32) {
            uint32_t number = bucket->places[i].number;
            struct fuse_entry *entry = fuse_table_entry(table, number);

            if (entry->in_port == in_port && entry->shape == shape
                && !memcmp(entry->data, key,
                           fuse_shapes[shape].n_blocks * 64)) {
                fuse_table_remove(table, entry);
            }
        }
    }
}

/* Adds an entry, 'large' or not, for the key 'key' of packets of 'shape' from
 * 'in_port', whose hash is 'hash', in place of the one that there may be.
 * 'now' is in ms.  Returns the entry for the caller to fill in, or null if
 * there is no room. */
struct fuse_entry *
fuse_table_insert(struct fuse_table *table, uint64_t hash, int shape,
                  bool large, uint32_t in_port, const uint8_t *key,
                  uint32_t now)
{
    uint32_t numbers[2] = { fuse_bucket1(table, hash),
                            fuse_bucket2(table, hash) };
    struct fuse_bucket *b[2] = { &table->buckets[numbers[0]],
                                 &table->buckets[numbers[1]] };
    struct fuse_entry *entry;

    remove_same(table, b[0], hash, shape, in_port, key);
    remove_same(table, b[1], hash, shape, in_port, key);
    /* At the limit, too, only what is evicted makes room. */
    bool full = table->n_entries >= table->max_entries;
    int place = -1, which;

    for (which = 0; which < 2 && place < 0; which++) {
        place = full ? -1 : find_place(b[which]);
        if (place < 0) {
            place = make_place(table, b[which], now);
        }
    }
    if (place < 0) {
        return NULL;
    }
    which--;
    entry = take(table, large);
    if (!entry) {
        return NULL;
    }
    entry->sig = hash >> 32;
    entry->in_port = in_port;
    entry->shape = shape;
    entry->used = now;
    entry->home = numbers[0];
    entry->bucket = numbers[which];
    b[which]->places[place].sig = entry->sig;
    b[which]->places[place].number = entry->number;
    b[0]->n_elsewhere += which;
    memcpy(entry->data, key, fuse_shapes[shape].n_blocks * 64);
    memset(fuse_entry_image(entry), 0, large ? 128 : 64);
    return entry;
}

/* Removes 'entry' of 'table'. */
void
fuse_table_remove(struct fuse_table *table, struct fuse_entry *entry)
{
    struct fuse_bucket *b = &table->buckets[entry->bucket];
    bool large = entry->number & FUSE_LARGE_BIT;

    for (int i = 0; i < FUSE_BUCKET_PLACES; i++) {
        if (b->places[i].sig && b->places[i].number == entry->number) {
            b->places[i].sig = 0;
        }
    }
    if (entry->bucket != entry->home) {
        table->buckets[entry->home].n_elsewhere--;
    }
    if (table->removed_cb) {
        table->removed_cb(entry, table->aux);
    }
    entry->in_use = false;
    entry->sig = table->free[large];
    table->free[large] = (entry->number & ~FUSE_LARGE_BIT) + 1;
    table->n_entries--;
}

/* Returns one entry in use after the other, in no order, for ever; null once
 * in each round, and if there is none at the cursor. */
struct fuse_entry *
fuse_table_sweep(struct fuse_table *table)
{
    for (int large = 0; large < 2; large++) {
        if (table->sweep[large] < table->n_touched[large]) {
            uint32_t n = table->sweep[large]++;
            struct fuse_entry *entry = fuse_table_entry(
                table, n | (large ? FUSE_LARGE_BIT : 0));

            return entry->in_use ? entry : NULL;
        }
    }
    table->sweep[0] = table->sweep[1] = 0;
    return NULL;
}

/* Returns how much memory 'table' has taken, in octets. */
size_t
fuse_table_memory(const struct fuse_table *table)
{
    return (sizeof *table + buckets_size(table)
            + table->n_touched[0] * FUSE_SMALL_ENTRY
            + table->n_touched[1] * FUSE_LARGE_ENTRY);
}
