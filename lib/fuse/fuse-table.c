/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/fuse/fuse-table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "lib/mem/reserve.h"

#define MIN_BUCKETS 16

/* Places for candidates, for each bucket that there may be: one for each
 * entry.  Flows of one place are learned one after the other. */
#define CANDIDATES 4

/* The memory of a table. */
struct region {
    void **p;
    size_t size;
};

#define N_REGIONS 8

static struct region
get_region(struct fuse_table *table, size_t i)
{
    const struct region regions[N_REGIONS] = {
        { (void **) &table->buckets,
          table->max_buckets * sizeof *table->buckets },
        { (void **) &table->candidates,
          (table->candidate_mask + 1) * sizeof *table->candidates },
        { (void **) &table->small, table->max_entries * FUSE_SMALL_ENTRY },
        { (void **) &table->large, table->max_entries * FUSE_LARGE_ENTRY },
        { (void **) &table->infos[0],
          table->max_entries * sizeof *table->infos[0] },
        { (void **) &table->infos[1],
          table->max_entries * sizeof *table->infos[1] },
        { (void **) &table->tcps[0],
          table->max_entries * sizeof *table->tcps[0] },
        { (void **) &table->tcps[1],
          table->max_entries * sizeof *table->tcps[1] },
    };

    return regions[i];
}

/* Creates a table for 'max_entries' entries, on 'numa_node' or, if that is
 * negative, anywhere.  'locked' says that the process has locked its memory.
 * Returns 0 and stores it in '*tablep', or EINVAL, ENOMEM or the error of
 * mem_reserve() or getrandom(2). */
int
fuse_table_create(uint32_t max_entries, int numa_node, bool locked,
                  struct fuse_table **tablep)
{
    struct fuse_table *table;
    uint32_t max_buckets = MIN_BUCKETS;
    int error = 0;

    *tablep = NULL;
    if (!max_entries || max_entries > UINT32_C(1) << 28) {
        return EINVAL;
    }
    table = aligned_alloc(64, (sizeof *table + 63) / 64 * 64);
    if (!table) {
        return ENOMEM;
    }
    memset(table, 0, sizeof *table);
    while (max_buckets * 4 < max_entries) {
        max_buckets *= 2;
    }
    table->n_buckets = MIN_BUCKETS;
    table->bucket_mask = MIN_BUCKETS - 1;
    table->max_buckets = max_buckets;
    table->candidate_mask = max_buckets * CANDIDATES - 1;
    table->max_entries = max_entries;
    for (size_t i = 0; i < N_REGIONS && !error; i++) {
        struct region region = get_region(table, i);

        error = mem_reserve(region.size, numa_node, locked, region.p);
    }
    if (!error
        && (getrandom(table->key, sizeof table->key, 0)
            != sizeof table->key
            || getrandom(table->port_key, sizeof table->port_key, 0)
               != sizeof table->port_key)) {
        error = errno ? errno : EIO;
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
    for (size_t i = 0; i < N_REGIONS; i++) {
        struct region region = get_region(table, i);

        mem_release(*region.p, region.size);
    }
    free(table);
}

/* Takes a free entry and stores its number in '*number'.  Returns false if the
 * limit is reached. */
static bool
take(struct fuse_table *table, bool large, uint32_t *number)
{
    if (table->n_entries >= table->max_entries) {
        return false;
    }
    *number = large ? FUSE_LARGE_BIT : 0;
    if (table->free[large]) {
        *number |= table->free[large] - 1;
        table->free[large] = fuse_table_info(table, *number)->sig;
    } else {
        *number |= table->n_touched[large]++;
    }
    table->n_entries++;
    return true;
}

/* Returns true if no packet refreshed 'entry' for FUSE_IDLE_MS after it
 * should have been.  'now' is in ms. */
bool
fuse_entry_is_idle(const struct fuse_entry *entry, uint32_t now)
{
    return (int32_t) (now - entry->refresh) > FUSE_IDLE_MS;
}

static bool
is_evictable(const struct fuse_entry *entry, uint32_t now)
{
    return (atomic_load_explicit(&entry->dead, memory_order_relaxed)
            || fuse_entry_is_idle(entry, now));
}

/* Returns the bucket that the entry of 'info' is in. */
static struct fuse_bucket *
bucket_of(const struct fuse_table *table, const struct fuse_info *info)
{
    uint64_t hash = (uint64_t) info->sig << 32 | info->hash;

    return &table->buckets[info->elsewhere ? fuse_bucket2(table, hash)
                           : fuse_bucket1(table, hash)];
}

/* Adds a bucket to 'table', unless it has them all, and moves to it what
 * belongs there of the one that stood for it. */
static void
grow(struct fuse_table *table)
{
    struct fuse_bucket *new = &table->buckets[table->n_buckets], *old;
    int n = 0;

    if (table->n_buckets >= table->max_buckets) {
        return;
    }
    if (table->n_buckets > table->bucket_mask) {
        table->bucket_mask = 2 * table->bucket_mask + 1;
    }
    old = &table->buckets[table->n_buckets & table->bucket_mask >> 1];
    table->n_buckets++;
    new->n_elsewhere = old->n_elsewhere;
    for (int i = 0; i < FUSE_BUCKET_PLACES; i++) {
        if (old->places[i].sig
            && bucket_of(table, fuse_table_info(
                                    table, old->places[i].number)) == new) {
            new->places[n++] = old->places[i];
            old->places[i].sig = 0;
        }
    }
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
                && !memcmp(entry->key, key, 64)
                && (fuse_shapes[shape].n_blocks == 1
                    || !memcmp(entry->key2, key + 64, 64))) {
                fuse_table_remove(table, entry);
            }
        }
    }
}

/* Adds an entry for the key 'key' of packets of 'shape' from 'in_port', whose
 * hash is 'hash', with an image of 'n_image' octets, in place of the one that
 * there may be.  'now' is in ms.  Returns the entry for the caller to fill in,
 * or null if there is no room. */
struct fuse_entry *
fuse_table_insert(struct fuse_table *table, uint64_t hash, int shape,
                  uint32_t n_image, uint32_t in_port, const uint8_t *key,
                  uint32_t now)
{
    bool key2 = fuse_shapes[shape].n_blocks > 1;
    bool image2 = n_image > FUSE_PART_1;
    struct fuse_bucket *b[2];
    struct fuse_entry *entry;
    struct fuse_info *info;
    uint32_t number;
    int which;

    if (table->n_entries >= 2 * table->n_buckets) {
        grow(table);
    }
    b[0] = &table->buckets[fuse_bucket1(table, hash)];
    b[1] = &table->buckets[fuse_bucket2(table, hash)];
    remove_same(table, b[0], hash, shape, in_port, key);
    if (b[0]->n_elsewhere) {
        remove_same(table, b[1], hash, shape, in_port, key);
    }
    /* At the limit, too, only what is evicted makes room. */
    bool full = table->n_entries >= table->max_entries;
    int place = -1;

    for (which = 0; which < 2 && place < 0; which++) {
        place = full ? -1 : find_place(b[which]);
        if (place < 0) {
            place = make_place(table, b[which], now);
        }
    }
    if (place < 0) {
        /* There will be room when it is this bucket's turn. */
        if (!full) {
            grow(table);
        }
        return NULL;
    }
    which--;
    if (!take(table, key2 || image2, &number)) {
        return NULL;
    }
    b[which]->places[place].sig = hash >> 32;
    b[which]->places[place].number = number | (key2 ? FUSE_KEY2_BIT : 0)
                                     | (image2 ? FUSE_IMAGE2_BIT : 0);
    b[0]->n_elsewhere += which;

    info = fuse_table_info(table, number);
    memset(info, 0, sizeof *info);
    info->sig = hash >> 32;
    info->hash = hash;
    info->in_use = true;
    info->elsewhere = which;

    entry = fuse_table_entry(table, number);
    memset(entry, 0, number & FUSE_LARGE_BIT ? FUSE_LARGE_ENTRY
                     : FUSE_SMALL_ENTRY);
    memcpy(entry->key, key, 64);
    if (key2) {
        memcpy(entry->key2, key + 64, 64);
    }
    entry->in_port = in_port;
    entry->shape = shape;
    entry->refresh = now;
    return entry;
}

/* Makes 'image', of 'n' octets as fuse_table_insert() was told, that of
 * 'entry'. */
void
fuse_entry_set_image(struct fuse_entry *entry, const uint8_t *image,
                     uint32_t n)
{
    memcpy(entry->image, image, n < FUSE_PART_1 ? n : FUSE_PART_1);
    if (n > FUSE_PART_1) {
        memcpy(fuse_entry_image2(entry), image + FUSE_PART_1, n - FUSE_PART_1);
    }
}

/* Makes 'entry', just inserted, follow TCP sequence numbers.  Returns where
 * it does, for the caller to fill in. */
struct fuse_tcp *
fuse_table_track(struct fuse_table *table, struct fuse_entry *entry)
{
    uint32_t number = fuse_table_number(table, entry);
    uint32_t index = number & FUSE_NUMBER_MASK;
    bool large = number & FUSE_LARGE_BIT;
    struct fuse_bucket *b = bucket_of(table, fuse_table_info(table, number));
    struct fuse_tcp *tcp = fuse_table_tcp(table, number);

    for (int i = 0; i < FUSE_BUCKET_PLACES; i++) {
        if (b->places[i].sig
            && fuse_table_entry(table, b->places[i].number) == entry) {
            b->places[i].number |= FUSE_TCP_BIT;
        }
    }
    if (index >= table->n_tracked[large]) {
        table->n_tracked[large] = index + 1;
    }
    memset(tcp, 0, sizeof *tcp);
    return tcp;
}

/* Removes 'entry' of 'table'. */
void
fuse_table_remove(struct fuse_table *table, struct fuse_entry *entry)
{
    uint32_t number = fuse_table_number(table, entry);
    struct fuse_info *info = fuse_table_info(table, number);
    struct fuse_bucket *b = bucket_of(table, info);
    bool large = number & FUSE_LARGE_BIT;

    for (int i = 0; i < FUSE_BUCKET_PLACES; i++) {
        if (b->places[i].sig
            && fuse_table_entry(table, b->places[i].number) == entry) {
            b->places[i].sig = 0;
        }
    }
    if (info->elsewhere) {
        uint64_t hash = (uint64_t) info->sig << 32 | info->hash;

        table->buckets[fuse_bucket1(table, hash)].n_elsewhere--;
    }
    if (table->removed_cb) {
        table->removed_cb(entry, table->aux);
    }
    info->in_use = false;
    info->sig = table->free[large];
    table->free[large] = (number & FUSE_NUMBER_MASK) + 1;
    table->n_entries--;
}

/* Returns one entry in use after the other, in no order, for ever; null once
 * in each round, and if there is none at the cursor. */
struct fuse_entry *
fuse_table_sweep(struct fuse_table *table)
{
    for (int large = 0; large < 2; large++) {
        if (table->sweep[large] < table->n_touched[large]) {
            uint32_t number = (table->sweep[large]++
                               | (large ? FUSE_LARGE_BIT : 0));

            return (fuse_table_info(table, number)->in_use
                    ? fuse_table_entry(table, number) : NULL);
        }
    }
    table->sweep[0] = table->sweep[1] = 0;
    return NULL;
}

/* Returns how much memory 'table' has taken, in octets. */
size_t
fuse_table_memory(const struct fuse_table *table)
{
    return (sizeof *table + table->n_buckets * sizeof *table->buckets
            + (table->candidate_mask + 1) * sizeof *table->candidates
            + table->n_touched[0] * (FUSE_SMALL_ENTRY
                                     + sizeof(struct fuse_info))
            + table->n_touched[1] * (FUSE_LARGE_ENTRY
                                     + sizeof(struct fuse_info))
            + (table->n_tracked[0] + table->n_tracked[1])
              * sizeof(struct fuse_tcp));
}
