/* SPDX-License-Identifier: Apache-2.0 */

#ifndef LB_TABLE_H
#define LB_TABLE_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/hash/siphash.h"

/* Load-balancing table
 * ====================
 *
 * Says how the data path chooses a bucket of one select group: the parts of a
 * packet to hash, the key of the hash, and a table from hash to bucket
 * (lib/lb/maglev.h).  A bucket is named by a token, a nonzero number that the
 * owner of the table gives it and that the data path hands back in the
 * packet's dp_hash.  A token names the same bucket as long as the bucket
 * exists, in whatever table, and is not used again soon after.  So an old
 * token never leads to another bucket.
 *
 * Thread-safety: built by one thread, then published in the registry
 * (lib/lb/lb-registry.h) and never edited; any number of readers.
 *
 * Limits: MAGLEV_MAX_BACKENDS buckets; 4 bytes of memory a slot. */

/* Which packet is hashed. */
enum lb_input {
    LB_INPUT_PACKET,             /* The packet as it came. */
    LB_INPUT_TEID,               /* GTP-U: its TEID. */
    LB_INPUT_INNER,              /* GTP-U: the packet inside. */
};

/* A part of what is hashed: the bits 'mask', which is nonzero, of the 64-bit
 * word number 'index' of Open vSwitch's "struct flow", in host byte order as
 * that structure's words are, of packets that have field 'field', an "enum
 * mf_field_id".  Of others the word is hashed as 0.
 *
 * Words are hashed shifted down to their lowest masked bit, so that the same
 * value has the same hash in whichever field it stands: a group by ip_src and
 * one by ip_dst send both ways of a conversation to the same bucket. */
struct lb_hash_word {
    uint64_t mask;
    uint32_t index;
    uint32_t field;
};

/* Limit of words that are hashed. */
#define LB_TABLE_MAX_WORDS 64

struct lb_table {
    struct siphash_key key;
    uint32_t input;              /* An "enum lb_input". */
    uint32_t n_words;            /* 0: the 5-tuple is hashed. */
    uint32_t n_slots;            /* 0: no bucket for a new flow. */
    const struct lb_hash_word *words;
    const uint32_t *slots;       /* Tokens; index by maglev_slot(). */

    /* Stickiness; see lib/lb/lb-sticky.h. */
    uint32_t timeout;            /* In ticks; 0: stateless. */
    uint64_t salt;               /* Makes of a hash that of the sticky flow. */
    const uint32_t *tokens;      /* Set of those of the live buckets. */
    uint32_t token_mask;         /* Size of 'tokens', a power of 2, minus 1. */

    size_t n_bytes;              /* Of memory, with all of the above. */
};

/* A bucket as the builder of a table sees it. */
struct lb_member {
    uint64_t id;                 /* Identity; see maglev.h. */
    uint32_t token;              /* Nonzero, no other member's. */
    uint32_t weight;             /* 0: drains; no new flow gets here. */
    bool alive;                  /* False: no flow gets here at all. */
};

/* The input of a table's hash, and for how long it remembers flows. */
struct lb_table_config {
    struct siphash_key key;
    enum lb_input input;
    uint64_t salt;
    uint32_t timeout;
    size_t n_words;
    const struct lb_hash_word *words;
};

static inline uint32_t
lb_table_token_hash__(uint32_t token)
{
    return token * UINT32_C(0x9e3779b1) >> 16;
}

/* Returns true if 'token' names a live bucket of 'table'. */
static inline bool
lb_table_has_token(const struct lb_table *table, uint32_t token)
{
    uint32_t i = lb_table_token_hash__(token) & table->token_mask;

    while (table->tokens[i] && table->tokens[i] != token) {
        i = (i + 1) & table->token_mask;
    }
    return table->tokens[i] != 0;
}

int lb_table_build(const struct lb_member *, size_t n_members,
                   const struct lb_table_config *, struct lb_table **);
void lb_table_destroy(struct lb_table *);

#endif /* lb-table.h */
