/* SPDX-License-Identifier: Apache-2.0 */

#ifndef LB_REGISTRY_H
#define LB_REGISTRY_H 1

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dp_packet;
struct lb_sticky;
struct lb_table;

/* Registry of load-balancing tables
 * =================================
 *
 * The control path and the data path meet here: the datapath action lb(ID)
 * carries an id, and the registry has the present table of each id.  It also
 * has the one table of sticky flows, if there is any, and a function of the
 * data path that the control path may call.
 *
 * Thread-safety: lb_registry_get() is for any thread and takes no lock.  The
 * functions that change the registry may be called by one thread at a time.
 * A thread that replaces a table must let a grace period pass, in which every
 * reader drops the old table, before it destroys that; Open vSwitch's RCU
 * does so.
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

extern _Atomic(struct lb_sticky *) lb_registry_sticky__;

/* Returns the table of sticky flows, or null if there is none.  It stays valid
 * until the calling thread next quiesces. */
static inline struct lb_sticky *
lb_registry_get_sticky(void)
{
    return atomic_load_explicit(&lb_registry_sticky__, memory_order_acquire);
}

/* Versions, for a user that keeps a table's choices.  The version of an id
 * changes after its table, that of stickiness after flows were forgotten
 * before their time.  The epoch changes last. */
extern _Atomic(uint32_t) lb_registry_versions__[LB_REGISTRY_MAX_ID + 1];
extern _Atomic(uint32_t) lb_registry_sticky_version__;
extern _Atomic(uint64_t) lb_registry_epoch__;

static inline uint64_t
lb_registry_epoch(void)
{
    return atomic_load_explicit(&lb_registry_epoch__, memory_order_acquire);
}

/* Returns the version of the choices of 'id', 'sticky' or not.  Call it before
 * the table chooses. */
static inline uint32_t
lb_registry_version(uint32_t id, bool sticky)
{
    uint32_t version = (id <= LB_REGISTRY_MAX_ID
                        ? atomic_load_explicit(&lb_registry_versions__[id],
                                               memory_order_acquire)
                        : 0);

    return sticky ? version + atomic_load_explicit(
        &lb_registry_sticky_version__, memory_order_acquire) : version;
}

void lb_registry_sticky_changed(void);

uint32_t lb_registry_alloc_id(void);
void lb_registry_free_id(uint32_t id);
struct lb_table *lb_registry_set(uint32_t id, struct lb_table *);
struct lb_sticky *lb_registry_set_sticky(struct lb_sticky *);

/* Which bucket a packet goes to, and why. */
enum lb_reason {
    LB_BY_HASH,                  /* Stateless group: by its slot. */
    LB_BY_STICKY,                /* The flow is remembered. */
    LB_BY_HASH_NEW,              /* A new flow: by its slot. */
    LB_BY_HASH_MOVED,            /* The bucket it had is gone: by its slot. */
    LB_NO_BUCKET,                /* There is none: dropped. */
};

/* What was hashed. */
enum lb_hashed {
    LB_HASHED_PACKET,            /* The packet's fields. */
    LB_HASHED_TEID,              /* GTP-U's TEID. */
    LB_HASHED_INNER,             /* Fields of the packet in GTP-U. */
    LB_HASHED_PATH,              /* GTP-U's outer addresses: signalling. */
};

struct lb_choice {
    enum lb_reason reason;
    enum lb_hashed hashed;
    uint64_t hash;
    uint32_t ticks_left;         /* If by stickiness; see lb-sticky.h. */
    uint32_t slot;               /* If by its slot. */
    uint32_t token;              /* 0: none. */
};

/* Returns the table's choice for 'packet', which Open vSwitch has parsed.
 * Changes nothing, not even for a remembered flow. */
typedef struct lb_choice lb_explain_func(const struct lb_table *,
                                         struct dp_packet *);

/* The data path's, set before the first table is.  Null if there is none. */
extern lb_explain_func *lb_explain;

#endif /* lb-registry.h */
