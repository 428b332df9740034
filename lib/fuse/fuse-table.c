/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/fuse/fuse-table.h"

#include <string.h>

/* Returns true if there is memory for another entry of that size. */
static bool
has_memory(struct fuse_table *table, bool large)
{
    bool is_short = (!table->free[large]
                     && table->n_touched[large] >= table->n_ready[large]);

    table->is_short[large] |= is_short;
    return !is_short;
}

/* Takes a free entry and stores its number in '*number'.  Returns false if the
 * limit is reached, or there is no memory yet. */
static bool
take(struct fuse_table *table, bool large, uint32_t *number)
{
    if (table->n_entries >= table->max_entries || !has_memory(table, large)) {
        return false;
    }
    *number = large ? FUSE_LARGE_BIT : 0;
    if (table->free[large]) {
        *number |= table->free[large] - 1;
        table->free[large] = fuse_table_cold(table, *number)->sig;
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

/* Returns the bucket that the entry of 'cold' is in. */
static struct fuse_bucket *
bucket_of(const struct fuse_table *table, const struct fuse_cold *cold)
{
    uint64_t hash = (uint64_t) cold->sig << 32 | cold->hash;

    return &table->buckets[cold->elsewhere ? fuse_bucket2(table, hash)
                           : fuse_bucket1(table, hash)];
}

/* Adds a bucket to 'table', unless it has all, and moves the entries that
 * belong there from the bucket that is split. */
static void
grow(struct fuse_table *table)
{
    struct fuse_bucket *new = &table->buckets[table->n_buckets], *old;
    int n = 0;

    if (table->n_buckets >= table->n_ready[FUSE_SUPPLY_BUCKETS]) {
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
            && bucket_of(table, fuse_table_cold(
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

/* Evicts an entry from 'bucket'.  Returns its place, or -1. */
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

/* Adds an entry for the key 'key', with hash 'hash', of packets of 'shape'
 * from 'in_port', with an image of 'n_image' octets.  Removes an entry with
 * the same key first.  'now' is in ms.  Returns the entry for the caller to
 * fill in, or null if there is no room. */
struct fuse_entry *
fuse_table_insert(struct fuse_table *table, uint64_t hash, int shape,
                  uint32_t n_image, uint32_t in_port, const uint8_t *key,
                  uint32_t now)
{
    bool key2 = fuse_shapes[shape].n_blocks > 1;
    bool image2 = n_image > FUSE_PART_1;
    struct fuse_bucket *b[2];
    struct fuse_entry *entry;
    struct fuse_cold *cold;
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
    bool full = (table->n_entries >= table->max_entries
                 || !has_memory(table, key2 || image2));
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

    cold = fuse_table_cold(table, number);
    memset(cold, 0, sizeof *cold);
    cold->sig = hash >> 32;
    cold->hash = hash;
    cold->in_use = true;
    cold->elsewhere = which;

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

/* Sets the image of 'entry' to 'image', of the 'n' octets that
 * fuse_table_insert() was told. */
void
fuse_entry_set_image(struct fuse_entry *entry, const uint8_t *image,
                     uint32_t n)
{
    memcpy(entry->image, image, n < FUSE_PART_1 ? n : FUSE_PART_1);
    if (n > FUSE_PART_1) {
        memcpy(fuse_entry_image2(entry), image + FUSE_PART_1, n - FUSE_PART_1);
    }
}

/* Makes 'entry', just inserted, follow TCP sequence numbers.  Returns their
 * place, for the caller to fill in, or null if there is no memory yet. */
struct fuse_tcp *
fuse_table_track(struct fuse_table *table, struct fuse_entry *entry)
{
    uint32_t number = fuse_table_number(table, entry);
    uint32_t index = number & FUSE_NUMBER_MASK;
    bool large = number & FUSE_LARGE_BIT;
    struct fuse_bucket *b = bucket_of(table, fuse_table_cold(table, number));
    struct fuse_tcp *tcp = fuse_table_tcp(table, number);

    if (index >= table->n_ready[FUSE_SUPPLY_SMALL_TCP + large]) {
        table->is_short[FUSE_SUPPLY_SMALL_TCP + large] = true;
        return NULL;
    }
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
    struct fuse_cold *cold = fuse_table_cold(table, number);
    struct fuse_bucket *b = bucket_of(table, cold);
    bool large = number & FUSE_LARGE_BIT;

    for (int i = 0; i < FUSE_BUCKET_PLACES; i++) {
        if (b->places[i].sig
            && fuse_table_entry(table, b->places[i].number) == entry) {
            b->places[i].sig = 0;
        }
    }
    if (cold->elsewhere) {
        uint64_t hash = (uint64_t) cold->sig << 32 | cold->hash;

        table->buckets[fuse_bucket1(table, hash)].n_elsewhere--;
    }
    if (table->removed_cb) {
        table->removed_cb(entry, table->aux);
    }
    cold->in_use = false;
    cold->sig = table->free[large];
    table->free[large] = (number & FUSE_NUMBER_MASK) + 1;
    table->n_entries--;
}

/* Prefetches what the next 'n' calls of fuse_table_sweep() are about. */
void
fuse_table_prefetch_sweep(const struct fuse_table *table, uint32_t n)
{
    for (int large = 0; large < 2; large++) {
        uint32_t first = table->sweep[large];
        uint32_t rest = table->n_touched[large] - first;

        for (uint32_t i = 0; i < n && i < rest; i++) {
            uint32_t number = (first + i) | (large ? FUSE_LARGE_BIT : 0);

            __builtin_prefetch(fuse_table_cold(table, number));
            __builtin_prefetch(&fuse_table_entry(table, number)->dead);
        }
        n = n < rest ? 0 : n - rest;
    }
}

/* Returns one entry in use after the other, in no order, and begins again at
 * the end.  Returns null once in each round, and if there is none at the
 * cursor. */
struct fuse_entry *
fuse_table_sweep(struct fuse_table *table)
{
    for (int large = 0; large < 2; large++) {
        if (table->sweep[large] < table->n_touched[large]) {
            uint32_t number = (table->sweep[large]++
                               | (large ? FUSE_LARGE_BIT : 0));

            return (fuse_table_cold(table, number)->in_use
                    ? fuse_table_entry(table, number) : NULL);
        }
    }
    table->sweep[0] = table->sweep[1] = 0;
    return NULL;
}
