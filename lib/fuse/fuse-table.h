/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FUSE_TABLE_H
#define FUSE_TABLE_H 1

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/fuse/fuse-shape.h"
#include "lib/fuse/fuse-tcp.h"

/* Table of the fused flow cache
 * =============================
 *
 * Maps a packet's key (fuse-shape.h) to an entry: the outcome of the whole
 * pipeline for packets with that key.  See fuse-replay.h for what is done
 * with it.
 *
 * A bucket is one cache line with 7 places of 8 octets, each a signature and
 * the number of an entry.  A key has two buckets; the second is looked at only
 * if some key of the first had to go there.  What most packets need of
 * their entries, in GTP-U over IPv4 as well, are two lines side by side, which
 * processors fetch together; what only the owner needs is kept apart.
 *
 *    - Growth: there is one bucket for two entries, so that few flows take few
 *      cache lines, up to a number fixed by 'max_entries'.  Buckets are split
 *      one at a time, in order, by one more bit of the hash: Litwin's linear
 *      hashing (VLDB 1980).  No insertion takes long.
 *
 *    - Admission: the first packet of a flow leaves its signature, and the
 *      next ones of the same signature are counted.  The user learns a flow at
 *      its second packet, or later: see fuse-pace.h.  One-packet flows thus
 *      never get an entry, whatever their number.
 *
 *    - Eviction: an entry goes to a new flow if it is dead, or was idle for
 *      FUSE_IDLE_MS when it should have been refreshed.  If neither bucket has
 *      such a one, or the limit of entries is reached, the new flow is not
 *      admitted.  So no flood takes the place of a live entry.
 *
 * The hash is the NH of UMAC (Black et al., CRYPTO 1999; RFC 4418) over the
 * masked header, keyed with random numbers: for any two different keys of
 * entries the probability that a random hash key makes their sums equal is
 * 2^-32, whatever the sender knows but the hash key.  It takes half a cycle an
 * octet without vector instructions.
 *
 * Thread-safety: a table belongs to one thread.  Only the field 'dead' of an
 * entry may be written by others, for as long as the memory exists.  One other
 * thread may call fuse_table_take().
 *
 * Limits: memory is reserved for 'max_entries' of each size at once, but only
 * taken for entries in use (lib/mem/reserve.h).  Either the owner takes it, at
 * the first access, which may stop it for some 200 us; or another thread does,
 * ahead of use:
 *
 *      owner                                     other thread
 *                                                fuse_table_take_ahead()
 *      fuse_table_follow() -- more is wanted --> fuse_table_take()
 *                          <- 'n_taken' -------
 *
 * Then the owner does not use more than it knows to be there.  New flows are
 * not admitted while it waits for more. */

#define FUSE_BUCKET_PLACES 7
#define FUSE_IDLE_MS 10000
#define FUSE_REFRESH_MS 5000     /* The owner is told of packets that often. */

/* The outcome for one key from one port, as far as packets need it. */
struct fuse_entry {
    uint8_t key[64];
    uint8_t image[FUSE_PART_1];
    uint8_t shape;
    _Atomic(uint8_t) dead;       /* Nonzero: true no more. */
    uint32_t in_port;
    uint32_t refresh;            /* When, in ms, the owner wants to know. */
    uint32_t rss;                /* RSS hash: see struct fuse_program. */
    uint16_t l3_delta;           /* What to add to the complements of the... */
    uint16_t l4_delta;           /* ...checksums. */
    struct fuse_chain *chain;

    /* Of a large entry only: the second block of the key, and the rest of the
     * image. */
    uint8_t key2[];
} __attribute__((aligned(64)));

_Static_assert(sizeof(struct fuse_entry) == 128, "two cache lines");

/* The cold part of an entry, which only the owner needs. */
struct fuse_cold {
    uint32_t sig;                /* Signature; next free one if unused. */
    uint32_t hash;               /* Lower half. */
    bool in_use;
    bool elsewhere;              /* In the second bucket. */
    uint8_t user;                /* The user's. */
    union {
        void *owners[2];         /* The user's, null if there is none. */
        uint64_t words[2];
    };
};

/* Sizes of entries. */
#define FUSE_SMALL_ENTRY sizeof(struct fuse_entry)
#define FUSE_LARGE_ENTRY (sizeof(struct fuse_entry) + 64 + 128)

/* Numbers of entries, and notes of what a packet needs of a large one. */
#define FUSE_LARGE_BIT (UINT32_C(1) << 31)
#define FUSE_KEY2_BIT (UINT32_C(1) << 30)
#define FUSE_IMAGE2_BIT (UINT32_C(1) << 29)
#define FUSE_TCP_BIT (UINT32_C(1) << 28)
#define FUSE_NUMBER_MASK (FUSE_TCP_BIT - 1)

/* A candidate has the upper bits of a signature, and how many packets of its
 * flow have missed, up to this.  0: the flow is refused. */
#define FUSE_COUNT_MASK UINT32_C(0xf)

struct fuse_bucket {
    /* Keys that had to go to their second bucket; more, if this bucket was
     * split since. */
    uint32_t n_elsewhere;
    uint32_t spare;
    struct {
        uint32_t sig;            /* 0: free. */
        uint32_t number;
    } places[FUSE_BUCKET_PLACES];
} __attribute__((aligned(64)));

/* Memory is taken for these: small and large entries with all their parts, the
 * sequence numbers of those that follow TCP, buckets. */
enum fuse_supply {
    FUSE_SUPPLY_SMALL,
    FUSE_SUPPLY_LARGE,
    FUSE_SUPPLY_SMALL_TCP,
    FUSE_SUPPLY_LARGE_TCP,
    FUSE_SUPPLY_BUCKETS,
    FUSE_N_SUPPLIES
};

struct fuse_table {
    struct fuse_bucket *buckets;
    uint32_t n_buckets;
    uint32_t bucket_mask;        /* Of the next power of 2. */
    uint8_t *small, *large;
    struct fuse_cold *colds[2];  /* Of small and large ones. */
    struct fuse_tcp *tcps[2];    /* Of those with fuse_table_track(). */
    uint32_t *candidates;        /* The last flows missed. */
    uint32_t candidate_mask;
    uint32_t max_buckets;
    uint32_t max_entries;
    uint32_t n_entries;
    uint32_t n_touched[2];       /* How many of each size were ever used. */
    uint32_t n_tracked[2];       /* ...up to the last that was tracked. */
    uint32_t free[2];            /* Number of a free one + 1, or 0. */
    uint32_t sweep[2];
    uint32_t random;

    /* For each "enum fuse_supply", for how many there is memory, as far as the
     * owner knows, and whether the owner had to do without. */
    uint32_t n_ready[FUSE_N_SUPPLIES];
    bool is_short[FUSE_N_SUPPLIES];
    bool taken_ahead;
    _Atomic(uint32_t) n_wanted[FUSE_N_SUPPLIES]; /* Written by the owner... */
    _Atomic(uint32_t) n_taken[FUSE_N_SUPPLIES]; /* ...and the other thread. */
    uint64_t key[FUSE_MAX_KEY / 8] __attribute__((aligned(64)));
    uint64_t port_key[2];

    /* Called before an entry is removed, while its fields are still valid. */
    void (*removed_cb)(struct fuse_entry *, void *aux);
    void *aux;
};

int fuse_table_create(uint32_t max_entries, int numa_node, bool locked,
                      struct fuse_table **);
int fuse_table_take_ahead(struct fuse_table *);
bool fuse_table_follow(struct fuse_table *);
int fuse_table_take(struct fuse_table *);
void fuse_table_destroy(struct fuse_table *);
struct fuse_entry *fuse_table_insert(struct fuse_table *, uint64_t hash,
                                     int shape, uint32_t n_image,
                                     uint32_t in_port, const uint8_t *key,
                                     uint32_t now);
void fuse_entry_set_image(struct fuse_entry *, const uint8_t *image,
                          uint32_t n);
struct fuse_tcp *fuse_table_track(struct fuse_table *, struct fuse_entry *);
void fuse_table_remove(struct fuse_table *, struct fuse_entry *);
struct fuse_entry *fuse_table_sweep(struct fuse_table *);
void fuse_table_prefetch_sweep(const struct fuse_table *, uint32_t n);
bool fuse_entry_is_idle(const struct fuse_entry *, uint32_t now);
size_t fuse_table_memory(const struct fuse_table *);

static inline struct fuse_entry *
fuse_table_entry(const struct fuse_table *table, uint32_t number)
{
    return (struct fuse_entry *)
        (number & FUSE_LARGE_BIT
         ? table->large + (size_t) (number & FUSE_NUMBER_MASK)
                          * FUSE_LARGE_ENTRY
         : table->small + (size_t) (number & FUSE_NUMBER_MASK)
                          * FUSE_SMALL_ENTRY);
}

/* Returns the cold part of the entry with 'number'. */
static inline struct fuse_cold *
fuse_table_cold(const struct fuse_table *table, uint32_t number)
{
    return &table->colds[number >> 31][number & FUSE_NUMBER_MASK];
}

/* Returns the number of 'entry', without notes. */
static inline uint32_t
fuse_table_number(const struct fuse_table *table,
                  const struct fuse_entry *entry)
{
    size_t ofs = (const uint8_t *) entry - table->small;

    if (ofs < table->max_entries * FUSE_SMALL_ENTRY) {
        return ofs / FUSE_SMALL_ENTRY;
    }
    ofs = (const uint8_t *) entry - table->large;
    return FUSE_LARGE_BIT | ofs / FUSE_LARGE_ENTRY;
}

/* Returns the cold part of 'entry'. */
static inline struct fuse_cold *
fuse_entry_cold(const struct fuse_table *table, const struct fuse_entry *entry)
{
    return fuse_table_cold(table, fuse_table_number(table, entry));
}

/* Returns the sequence numbers that the entry with 'number' follows, if
 * any. */
static inline struct fuse_tcp *
fuse_table_tcp(const struct fuse_table *table, uint32_t number)
{
    return &table->tcps[number >> 31][number & FUSE_NUMBER_MASK];
}

/* Returns the sequence numbers that 'entry' follows, if any. */
static inline struct fuse_tcp *
fuse_entry_tcp(const struct fuse_table *table, const struct fuse_entry *entry)
{
    return fuse_table_tcp(table, fuse_table_number(table, entry));
}

/* Returns the second part of the image of 'entry', a large one; the third
 * follows. */
static inline uint8_t *
fuse_entry_image2(struct fuse_entry *entry)
{
    return entry->key2 + 64;
}

/* The port and the shape add this to the NH of the key. */
static inline uint64_t
fuse_port_hash(const struct fuse_table *table, uint32_t in_port)
{
    return (uint64_t) (uint32_t) (in_port + table->port_key[0])
           * (uint32_t) table->port_key[1];
}

/* Turns the sum 'nh' into the hash: the signature, with its lowest bit set, in
 * the upper half, the bucket in the lower. */
static inline uint64_t
fuse_hash_finish(const struct fuse_table *table, uint64_t nh)
{
    nh ^= nh >> 32;
    nh *= table->port_key[1] | 1;
    nh ^= nh >> 29;
    return nh | UINT64_C(1) << 32;
}

static inline uint32_t
fuse_bucket__(const struct fuse_table *table, uint32_t hash)
{
    uint32_t b = hash & table->bucket_mask;

    /* Without a branch, which the processor could not predict. */
    return b & (table->bucket_mask >> 1 | -(uint32_t) (b < table->n_buckets));
}

static inline uint32_t
fuse_bucket1(const struct fuse_table *table, uint64_t hash)
{
    return fuse_bucket__(table, hash);
}

static inline uint32_t
fuse_bucket2(const struct fuse_table *table, uint64_t hash)
{
    return fuse_bucket__(table,
                         (uint32_t) hash ^ ((uint32_t) (hash >> 37) | 1));
}

static inline uint32_t *
fuse_candidate(struct fuse_table *table, uint64_t hash)
{
    return &table->candidates[hash & table->candidate_mask];
}

/* Counts a packet of the flow with 'hash', which is not in 'table'.  Returns
 * how many there are, up to FUSE_COUNT_MASK + 1.  Earlier packets do not count
 * if many other flows with the same place for a candidate have missed since.
 * Returns 0 if the flow is refused. */
static inline uint32_t
fuse_table_count_miss(struct fuse_table *table, uint64_t hash)
{
    uint32_t *candidate = fuse_candidate(table, hash);
    uint32_t flow = hash >> 32 & ~FUSE_COUNT_MASK;

    if (*candidate && (*candidate & ~FUSE_COUNT_MASK) == flow) {
        uint32_t n = *candidate & FUSE_COUNT_MASK;

        *candidate += n && n < FUSE_COUNT_MASK;
        return n ? n + 1 : 0;
    }
    /* Flows of one place, whose packets alternate, must not keep each other
     * out for ever. */
    table->random = table->random * 1664525 + 1013904223;
    if (!*candidate || !(table->random >> 29)) {
        *candidate = flow | 1;
    }
    return 1;
}

/* Makes fuse_table_count_miss() return 0 for 'hash' until another flow of the
 * same place is missed or fuse_table_forgive() is called. */
static inline void
fuse_table_refuse(struct fuse_table *table, uint64_t hash)
{
    *fuse_candidate(table, hash) = hash >> 32 & ~FUSE_COUNT_MASK;
}

/* Forgets the packets of the flow with 'hash', and that it is refused. */
static inline void
fuse_table_forgive(struct fuse_table *table, uint64_t hash)
{
    *fuse_candidate(table, hash) = 0;
}

#endif /* fuse-table.h */
