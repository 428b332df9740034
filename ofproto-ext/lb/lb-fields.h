/* SPDX-License-Identifier: Apache-2.0 */

#ifndef LB_FIELDS_H
#define LB_FIELDS_H 1

#include <stddef.h>

#include "lib/lb/lb-table.h"

struct field_array;

/* Fields of a group as words to hash
 * ==================================
 *
 * Translates the OpenFlow fields that a group's selection method names into
 * the words of "struct flow" that the data path hashes.  Fields that a packet
 * does not have are hashed as 0.
 *
 * A field that exists only while OpenFlow tables are looked up, such as a
 * register, cannot be hashed in the data path and is refused. */

const char *lb_fields_to_words(const struct field_array *,
                               struct lb_hash_word words[LB_TABLE_MAX_WORDS],
                               size_t *n_words);

#endif /* lb-fields.h */
