/* SPDX-License-Identifier: Apache-2.0 */

#ifndef LB_RULES_H
#define LB_RULES_H 1

#include <stdbool.h>
#include <stdint.h>

#include "lib/hash/siphash.h"
#include "lib/lb/lb-table.h"

/* Rules for groups of controllers that cannot ask; see lb-rules.c. */

struct field_array;
struct ofgroup;
struct smap;

#define LB_MAX_TIMEOUT 86400
#define LB_MAX_STAGE 255

/* What a group is to do; see lb-params.h. */
struct lb_params {
    enum lb_input input;
    uint32_t timeout;                /* In seconds; 0: stateless. */
    uint32_t seed;                   /* 0: the host's or the shared key. */
    uint8_t stage;                   /* Mixed into the key unless 0. */
    bool shared_key;                 /* Is it one that lb-dp-hash takes? */
    bool host_key;                   /* Is 'key' made from lb_key_get()? */
    struct siphash_key key;
    const struct field_array *fields;
};

bool lb_rules_has_key(const char *key);
bool lb_rules_set(const struct smap *other_config, bool apply);
const struct lb_params *lb_rules_find(const struct ofgroup *);

#endif /* lb-rules.h */
