/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FUSE_TABLE_H
#define FUSE_TABLE_H 1

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/fuse-shape.h"

/* Table of the fused flow cache
 * =============================
 *
 * Maps a packet's key (lib/fuse-shape.h) to an entry: the outcome of the whole
 * pipeline for packets with that key.  See lib/fuse-replay.h for what is done
 * with it.
 *
 * A bucket is one cache line with 7 places of 8 octets, each a signature and
 * the number of an entry, and one number to admit by.  A key has two buckets;
 * the second is looked at only if some key of the first had to go there.
 *
 *    - Admission: the first packet of a flow leaves its signature in the
 *      bucket, and only the next one of the same signature is to be learned.
 *      One-packet flows thus never get an entry, whatever their number.
 *
 *    - Eviction: an entry goes to a new flow if it is dead, or idle for
 *      FUSE_IDLE_MS.  If neither bucket has such a one, or the limit of
 *      entries is reached, the new flow is not admitted.  So no flood takes
 *      the place of a live entry.
 *
 * The hash is the NH of UMAC (Black et al., CRYPTO 1999; RFC 4418) over the
 * masked header, keyed with random numbers: for any two different keys of
 * entries the probability that a random hash key makes their sums equal is
 * 2^-32, whatever the sender knows but the hash key.  It takes half a cycle an
 * octet without vector instructions.
 *
 * Thread-safety: a table belongs to one thread.  Only the field 'dead' of an
 * entry may be written by others, for as long as the memory exists.
 *
 * Limits: memory is reserved for 'max_entries' of each size at once, but only
 * touched, and so taken, by entries in use. */

#define FUSE_BUCKET_PLACES 7
#define FUSE_IDLE_MS 10000

/* The outcome for one key from one port. */
struct fuse_entry {
    uint32_t sig;                /* Signature; next free one if unused. */
    uint32_t in_port;
    uint8_t shape;
    bool in_use;
    _Atomic(uint8_t) dead;       /* Nonzero: true no more. */
    uint8_t user;                /* The user's. */
    uint32_t used;               /* When the last packet came, in ms... */
    uint32_t refresh;            /* ...and when the owner wants to know. */
    uint32_t number;
    struct fuse_path *path;
    uint32_t rss;                /* RSS hash: see struct fuse_program. */
    uint16_t l3_delta;           /* What to add to the complements of the... */
    uint16_t l4_delta;           /* ...checksums. */
    uint32_t home;               /* The first bucket of the key... */
    uint32_t bucket;             /* ...and the one that it is in. */
    union {
        void *owners[2];         /* The user's, null if there is none. */
        uint64_t words[2];
    };
    uint8_t data[];              /* Blocks of the key, then of the image. */
};

_Static_assert(sizeof(struct fuse_entry) == 64, "one cache line");

/* Sizes of entries: with one block each of key and image, or two. */
#define FUSE_SMALL_ENTRY (sizeof(struct fuse_entry) + 2 * 64)
#define FUSE_LARGE_ENTRY (sizeof(struct fuse_entry) + 4 * 64)
#define FUSE_LARGE_BIT (UINT32_C(1) << 31)

struct fuse_bucket {
    uint32_t candidate;          /* Signature of the last flow missed. */
    uint32_t n_elsewhere;        /* Keys that went to the second bucket. */
    struct {
        uint32_t sig;            /* 0: free. */
        uint32_t number;
    } places[FUSE_BUCKET_PLACES];
} __attribute__((aligned(64)));

struct fuse_table {
    struct fuse_bucket *buckets;
    uint8_t *small, *large;
    uint32_t bucket_mask;
    uint32_t max_entries;
    uint32_t n_entries;
    uint32_t n_touched[2];       /* How many of each size were ever used. */
    uint32_t free[2];            /* Number of a free one + 1, or 0. */
    uint32_t sweep[2];
    uint32_t random;
    uint64_t key[FUSE_MAX_KEY / 8] __attribute__((aligned(64)));
    uint64_t port_key[2];

    /* Told of an entry that is to be removed, whose fields are still there. */
    void (*removed_cb)(struct fuse_entry *, void *aux);
    void *aux;
};

int fuse_table_create(uint32_t max_entries, int numa_node,
                      struct fuse_table **);
void fuse_table_destroy(struct fuse_table *);
struct fuse_entry *fuse_table_insert(struct fuse_table *, uint64_t hash,
                                     int shape, bool large, uint32_t in_port,
                                     const uint8_t *key, uint32_t now);
void fuse_table_remove(struct fuse_table *, struct fuse_entry *);
struct fuse_entry *fuse_table_sweep(struct fuse_table *);
size_t fuse_table_memory(const struct fuse_table *);

static inline struct fuse_entry *
fuse_table_entry(const struct fuse_table *table, uint32_t number)
{
    return (struct fuse_entry *)
        (number & FUSE_LARGE_BIT
         ? table->large + (size_t) (number & ~FUSE_LARGE_BIT)
                          * FUSE_LARGE_ENTRY
         : table->small + (size_t) number * FUSE_SMALL_ENTRY);
}

/* Returns the image of 'entry', behind the blocks of its key. */
static inline uint8_t *
fuse_entry_image(struct fuse_entry *entry)
{
    return entry->data + (entry->number & FUSE_LARGE_BIT ? 128 : 64);
}

/* What the port, and the shape, add to the NH of the key. */
static inline uint64_t
fuse_port_hash(const struct fuse_table *table, uint32_t in_port)
{
    return (uint64_t) (uint32_t) (in_port + table->port_key[0])
           * (uint32_t) table->port_key[1];
}

/* Makes of the sum 'nh' the hash: signature in the upper half, of which the
 * lowest bit is set, bucket in the lower. */
static inline uint64_t
fuse_hash_finish(const struct fuse_table *table, uint64_t nh)
{
    nh ^= nh >> 32;
    nh *= table->port_key[1] | 1;
    nh ^= nh >> 29;
    return nh | UINT64_C(1) << 32;
}

static inline uint32_t
fuse_bucket1(const struct fuse_table *table, uint64_t hash)
{
    return hash & table->bucket_mask;
}

static inline uint32_t
fuse_bucket2(const struct fuse_table *table, uint64_t hash)
{
    return ((uint32_t) hash ^ ((uint32_t) (hash >> 37) | 1))
           & table->bucket_mask;
}

/* Returns true if a flow with 'hash', which is not in 'table', is to be
 * learned, that is, if it is the second packet while few other flows of the
 * bucket were missed. */
static inline bool
fuse_table_admit(struct fuse_table *table, uint64_t hash)
{
    struct fuse_bucket *b = &table->buckets[fuse_bucket1(table, hash)];
    uint32_t sig = hash >> 32;

    if (b->candidate == sig) {
        b->candidate = 0;
        return true;
    }
    /* Flows of one bucket whose packets alternate must not keep each other out
     * for ever. */
    table->random = table->random * 1664525 + 1013904223;
    if (b->candidate != ~sig && (!b->candidate || !(table->random >> 29))) {
        b->candidate = sig;
    }
    return false;
}

/* Makes fuse_table_admit() return false for 'hash' until another flow of the
 * same bucket is missed or fuse_table_forgive() is called. */
static inline void
fuse_table_refuse(struct fuse_table *table, uint64_t hash)
{
    table->buckets[fuse_bucket1(table, hash)].candidate = ~(uint32_t) (hash
                                                                       >> 32);
}

static inline void
fuse_table_forgive(struct fuse_table *table, uint64_t hash)
{
    table->buckets[fuse_bucket1(table, hash)].candidate = 0;
}

#endif /* fuse-table.h */
