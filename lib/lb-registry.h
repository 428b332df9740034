/* SPDX-License-Identifier: Apache-2.0 */

#ifndef LB_REGISTRY_H
#define LB_REGISTRY_H 1

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct lb_table;

/* Registry of load-balancing tables
 * =================================
 *
 * Where the control path and the data path meet: the datapath action lb(ID)
 * carries an id, and the registry tells which table the id stands for now.
 *
 * Thread-safety: lb_registry_get() is for any thread and takes no lock.  The
 * functions that change the registry may be called by one thread at a time.
 * Who replaces a table must let a grace period pass, in which every reader
 * drops what it got, before it destroys the old one; Open vSwitch's RCU does
 * that.
 *
 * Limits: LB_REGISTRY_MAX_ID tables.  An id that was freed is taken again only
 * after all others, so that an action that outlives its group by a moment
 * finds no table rather than a stranger's. */

#define LB_REGISTRY_MAX_ID 65535

extern _Atomic(struct lb_table *) lb_registry_tables__[LB_REGISTRY_MAX_ID + 1];

/* Returns the table of 'id', or null if it has none.  The table stays valid
 * until the calling thread next quiesces. */
static inline const struct lb_table *
lb_registry_get(uint32_t id)
{
    return (id <= LB_REGISTRY_MAX_ID
            ? atomic_load_explicit(&lb_registry_tables__[id],
                                   memory_order_acquire)
            : NULL);
}

uint32_t lb_registry_alloc_id(void);
void lb_registry_free_id(uint32_t id);
struct lb_table *lb_registry_set(uint32_t id, struct lb_table *);

#endif /* lb-registry.h */
