/* SPDX-License-Identifier: Apache-2.0 */

#ifndef LB_IDENT_H
#define LB_IDENT_H 1

#include <stdbool.h>
#include <stdint.h>

#include "lib/hash/siphash.h"
#include "ofproto-ext/lb/lb-tables.h"
#include "openvswitch/list.h"

struct lb_group;
struct lb_params;

/* What all versions of a group share. */
struct lb_ident {
    struct ovs_list node;            /* In a list of retired ones, or not. */
    long long int retired;           /* When the last version went, in ms. */
    uint32_t id;                     /* In the registry. */
    unsigned int n_versions;         /* Reference count. */
    bool shared_key;                 /* As in "struct lb_params". */
    bool host_key;
    uint32_t seed;
    uint8_t stage;
    struct siphash_key key;
    uint64_t salt;
    struct lb_group *current;        /* The version in force, or null. */
};

/* Returns a new ident with the key of 'params' and one reference, or null if
 * no id is free. */
struct lb_ident *lb_ident_create(const struct lb_params *params)
    OVS_REQUIRES(lb_mutex);

/* Returns true if a group with 'params' can go on with the ident. */
bool lb_ident_fits(const struct lb_ident *, const struct lb_params *params);

/* Gives a reference back.  Some time after the last one, the id and its table
 * go. */
void lb_ident_unref(struct lb_ident *) OVS_REQUIRES(lb_mutex);

/* Destroys the idents whose time has come. */
void lb_idents_sweep(void) OVS_REQUIRES(lb_mutex);

#endif /* lb-ident.h */
