/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/lb/lb-table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/lb/maglev.h"

/* Builds the table of 'backends', which are 'members' in the same order, and
 * fills the 'n_slots' 'slots' with the tokens of 'members'. */
static int
fill_slots(const struct lb_member *members,
           const struct maglev_backend *backends, size_t n_members,
           const struct siphash_key *key, uint32_t *slots, uint32_t n_slots)
{
    uint16_t *indexes = malloc(n_slots * sizeof *indexes);
    if (!indexes) {
        return ENOMEM;
    }

    int error = maglev_build(backends, n_members, key, n_slots, indexes);
    if (!error) {
        for (uint32_t i = 0; i < n_slots; i++) {
            slots[i] = members[indexes[i]].token;
        }
    }
    free(indexes);
    return error;
}

/* Puts the tokens of live 'members' into the set 'tokens', which has
 * 'mask' + 1 places, at least twice as many, all 0. */
static void
fill_tokens(const struct lb_member *members, size_t n_members,
            uint32_t *tokens, uint32_t mask)
{
    for (size_t m = 0; m < n_members; m++) {
        if (members[m].alive) {
            uint32_t i = lb_table_token_hash__(members[m].token) & mask;

            while (tokens[i]) {
                i = (i + 1) & mask;
            }
            tokens[i] = members[m].token;
        }
    }
}

/* Returns a table as 'config' says with room for 'n_slots' slots and a set of
 * 'n_tokens' tokens, or null if there is no memory. */
static struct lb_table *
alloc_table(const struct lb_table_config *config, uint32_t n_slots,
            uint32_t n_tokens)
{
    size_t words_size = config->n_words * sizeof *config->words;
    size_t n_bytes = (sizeof(struct lb_table) + words_size
                      + (n_slots + n_tokens) * sizeof(uint32_t));
    struct lb_table *table = calloc(1, n_bytes);

    if (table) {
        struct lb_hash_word *words = (struct lb_hash_word *) (table + 1);
        uint32_t *slots = (uint32_t *) (words + config->n_words);

        if (words_size) {
            memcpy(words, config->words, words_size);
        }
        *table = (struct lb_table) {
            .key = config->key,
            .input = config->input,
            .n_words = config->n_words,
            .n_slots = n_slots,
            .words = words,
            .slots = slots,
            .timeout = config->timeout,
            .salt = config->salt,
            .tokens = slots + n_slots,
            .token_mask = n_tokens - 1,
            .n_bytes = n_bytes,
        };
    }
    return table;
}

/* Builds a table for the 'n_members' 'members', whose identities must differ,
 * as 'config' says.  Its size depends on their number alone, also if some are
 * dead or have no weight, so that few flows move when that changes.
 * 'members' and 'config' remain the caller's.
 *
 * Returns 0 and stores the table in '*tablep', for the caller to destroy, or
 * EINVAL if there are more than MAGLEV_MAX_BACKENDS members or
 * LB_TABLE_MAX_WORDS words or two members of the same identity, or ENOMEM;
 * then '*tablep' is null.  A table for which no member is alive with a weight
 * is no error: it has no slots.  Any thread. */
int
lb_table_build(const struct lb_member *members, size_t n_members,
               const struct lb_table_config *config, struct lb_table **tablep)
{
    *tablep = NULL;
    if (n_members > MAGLEV_MAX_BACKENDS
        || config->n_words > LB_TABLE_MAX_WORDS) {
        return EINVAL;
    }

    struct maglev_backend *backends = calloc(n_members + 1, sizeof *backends);
    if (!backends) {
        return ENOMEM;
    }

    uint32_t n_slots = 0;
    for (size_t i = 0; i < n_members; i++) {
        backends[i].id = members[i].id;
        backends[i].weight = members[i].alive ? members[i].weight : 0;
        if (backends[i].weight) {
            n_slots = maglev_table_size(n_members);
        }
    }

    uint32_t n_tokens = 2;
    while (n_tokens < 2 * n_members) {
        n_tokens *= 2;
    }

    struct lb_table *table = alloc_table(config, n_slots, n_tokens);
    int error = ENOMEM;

    if (table) {
        fill_tokens(members, n_members, (uint32_t *) table->tokens,
                    table->token_mask);
        error = n_slots ? fill_slots(members, backends, n_members, &table->key,
                                     (uint32_t *) table->slots, n_slots) : 0;
    }
    free(backends);

    if (error) {
        free(table);
        return error;
    }
    *tablep = table;
    return 0;
}

/* Frees 'table', which may be null.  No reader may hold it any more. */
void
lb_table_destroy(struct lb_table *table)
{
    free(table);
}
