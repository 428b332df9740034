/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/lb/lb-registry.h"

#include <stdbool.h>

_Atomic(struct lb_table *) lb_registry_tables__[LB_REGISTRY_MAX_ID + 1];

_Atomic(struct lb_sticky *) lb_registry_sticky__;

_Atomic(uint32_t) lb_registry_versions__[LB_REGISTRY_MAX_ID + 1];
_Atomic(uint32_t) lb_registry_sticky_version__;
_Atomic(uint64_t) lb_registry_epoch__;

lb_explain_func *lb_explain;

/* Which ids are taken.  Id 0 never is. */
static bool id_taken[LB_REGISTRY_MAX_ID + 1];
static uint32_t last_id;

/* Returns an id that nobody uses, or 0 if all are taken.  The id has no table
 * yet. */
uint32_t
lb_registry_alloc_id(void)
{
    for (uint32_t i = 0; i < LB_REGISTRY_MAX_ID; i++) {
        last_id = last_id < LB_REGISTRY_MAX_ID ? last_id + 1 : 1;
        if (!id_taken[last_id]) {
            id_taken[last_id] = true;
            return last_id;
        }
    }
    return 0;
}

/* Gives back 'id', which lb_registry_alloc_id() returned and whose table is
 * gone. */
void
lb_registry_free_id(uint32_t id)
{
    id_taken[id] = false;
}

/* Makes 'table', which may be null, the table of 'id', which
 * lb_registry_alloc_id() returned.  Returns the one that it replaces, if any,
 * for the caller to destroy after a grace period. */
struct lb_table *
lb_registry_set(uint32_t id, struct lb_table *table)
{
    struct lb_table *old = atomic_exchange_explicit(&lb_registry_tables__[id],
                                                    table,
                                                    memory_order_acq_rel);

    atomic_fetch_add_explicit(&lb_registry_versions__[id], 1,
                              memory_order_release);
    atomic_fetch_add_explicit(&lb_registry_epoch__, 1, memory_order_release);
    return old;
}

/* Tells that sticky flows were forgotten before their time. */
void
lb_registry_sticky_changed(void)
{
    atomic_fetch_add_explicit(&lb_registry_sticky_version__, 1,
                              memory_order_release);
    atomic_fetch_add_explicit(&lb_registry_epoch__, 1, memory_order_release);
}

/* Makes 'sticky', which may be null, the table of sticky flows.  Returns the
 * one that it replaces, if any, for the caller to destroy after a grace
 * period. */
struct lb_sticky *
lb_registry_set_sticky(struct lb_sticky *sticky)
{
    struct lb_sticky *old = atomic_exchange_explicit(&lb_registry_sticky__,
                                                     sticky,
                                                     memory_order_acq_rel);

    lb_registry_sticky_changed();
    return old;
}
