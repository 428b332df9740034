/* SPDX-License-Identifier: Apache-2.0 */

#ifndef LB_TABLE_H
#define LB_TABLE_H 1

#include <stddef.h>
#include <stdint.h>

#include "lib/siphash.h"

/* Load-balancing table
 * ====================
 *
 * What the data path needs to choose a bucket of one select group: which parts
 * of a packet to hash, the key of the hash, and a Maglev table from hash to
 * bucket.  A bucket is named by a token, a nonzero number that the owner of
 * the table gives it and that the data path hands back in the packet's
 * dp_hash.  A token names the same bucket as long as the bucket exists, in
 * whatever table, and is not used again soon after: so nothing that still
 * holds an old token can meet another bucket by it.
 *
 * Thread-safety: built by one thread, then published in the registry
 * (lib/lb-registry.h) and never edited; any number of readers.
 *
 * Limits: MAGLEV_MAX_BACKENDS buckets; 4 bytes of memory a slot. */

/* A part of what is hashed: the bits 'mask' of the 64-bit word number 'index'
 * of Open vSwitch's "struct flow", in host byte order as that structure's
 * words are, of packets that have field 'field', an "enum mf_field_id".  Of
 * others the word is hashed as 0. */
struct lb_hash_word {
    uint64_t mask;
    uint32_t index;
    uint32_t field;
};

/* Limit of words that are hashed. */
#define LB_TABLE_MAX_WORDS 64

struct lb_table {
    struct siphash_key key;
    uint32_t n_words;            /* 0: the 5-tuple is hashed. */
    uint32_t n_slots;            /* 0: no bucket can be chosen. */
    const struct lb_hash_word *words;
    const uint32_t *slots;       /* Tokens; index by maglev_slot(). */
};

/* A bucket as the builder of a table sees it. */
struct lb_member {
    uint64_t id;                 /* Identity; see maglev.h. */
    uint32_t token;              /* Nonzero. */
    uint32_t weight;             /* 0: no new flow gets here. */
};

int lb_table_build(const struct lb_member *, size_t n_members,
                   const struct lb_hash_word *, size_t n_words,
                   const struct siphash_key *, uint32_t min_slots,
                   struct lb_table **);
void lb_table_destroy(struct lb_table *);

#endif /* lb-table.h */
