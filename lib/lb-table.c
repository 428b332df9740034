/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/lb-table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/maglev.h"

/* Fills the 'n_slots' 'slots' with the tokens of 'members' by way of a Maglev
 * table of 'backends', which are 'members' in the same order. */
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

/* Builds a table for the 'n_members' 'members', whose identities must differ,
 * that hashes the 'n_words' 'words', or the 5-tuple if 'n_words' is 0, under
 * 'key'.  The table gets at least 'min_slots' slots: pass the 'n_slots' of the
 * table that it replaces, since a change of size moves nearly all flows.
 *
 * Returns 0 and stores the table in '*tablep', for the caller to destroy, or
 * EINVAL if there are more than MAGLEV_MAX_BACKENDS members or
 * LB_TABLE_MAX_WORDS words or two members of the same identity, or ENOMEM;
 * then '*tablep' is null.  A table for which no member
 * has a weight is no error: it has no slots. */
int
lb_table_build(const struct lb_member *members, size_t n_members,
               const struct lb_hash_word *words, size_t n_words,
               const struct siphash_key *key, uint32_t min_slots,
               struct lb_table **tablep)
{
    *tablep = NULL;
    if (n_members > MAGLEV_MAX_BACKENDS || n_words > LB_TABLE_MAX_WORDS) {
        return EINVAL;
    }

    struct maglev_backend *backends = calloc(n_members + 1, sizeof *backends);
    if (!backends) {
        return ENOMEM;
    }
    for (size_t i = 0; i < n_members; i++) {
        backends[i].id = members[i].id;
        backends[i].weight = members[i].weight;
    }

    uint32_t n_slots = maglev_table_size(backends, n_members, min_slots);
    struct lb_table *table = malloc(sizeof *table + n_words * sizeof *words
                                    + n_slots * sizeof *table->slots);
    int error = ENOMEM;
    if (table) {
        struct lb_hash_word *table_words = (struct lb_hash_word *) (table + 1);
        uint32_t *slots = (uint32_t *) (table_words + n_words);

        if (n_words) {
            memcpy(table_words, words, n_words * sizeof *words);
        }
        *table = (struct lb_table) {
            .key = *key,
            .n_words = n_words,
            .n_slots = n_slots,
            .words = table_words,
            .slots = slots,
        };
        error = n_slots ? fill_slots(members, backends, n_members, key, slots,
                                     n_slots) : 0;
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
