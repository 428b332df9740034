/* SPDX-License-Identifier: Apache-2.0 */

#ifndef LB_VERSION_H
#define LB_VERSION_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/lb/lb-table.h"
#include "ofproto-ext/lb/lb-ident.h"
#include "ofproto-ext/lb/lb-tables.h"
#include "ofproto/ofproto-dpif.h"
#include "openvswitch/list.h"
#include "ovs-atomic.h"

/* Load-balanced select groups
 * ===========================
 *
 * The control side of a select group with "selection_method=maglev": builds
 * the group's table (lb-table.h), publishes it under an id that stays the
 * group's own through all modifications, and replaces it when buckets change
 * or their liveness does.
 *
 * Open vSwitch never edits a group: a modification makes a new one.  "struct
 * lb_group" belongs to one such version of a group; what all versions share,
 * the id and the key of the hash, is in "struct lb_ident".
 *
 * Buckets are known by what they do, not by their number: a bucket with the
 * same actions and the same watched port and group is the same bucket in every
 * version, keeps its token, and its flows stay with it.
 *
 * Thread-safety: versions are made and published by the main thread, and
 * destroyed by any, after a grace period.  lb_mutex guards everything that
 * changes after a version's construction.  Handlers and revalidators only look
 * at the id and the buckets, which do not.
 *
 * The parts, of which each uses only those before it:
 *
 *   lb-key.c           keeps the host's key.
 *   lb-fields.c        knows what of a packet is hashed.
 *   lb-rules.c         has rules for ranges of groups.
 *   lb-params.c        knows what a group is to do.
 *   lb-sticky-maker.c  makes the table of sticky flows.
 *   lb-tables.c        builds and publishes tables, and counts their memory.
 *   lb-ident.c         has ids and keys.
 *   lb-bucket.c        gives buckets their identity.
 *   lb-liveness.c      tells whether buckets are alive.
 *   lb-stats.c         has statistics survive a modification.
 *   lb-group.c         makes versions and puts them in force.
 *   lb-config.c        follows other_config.
 *   lb-support.c       knows which datapath has the action.
 *   lb-xlate.c         translates the use of a group in a flow.
 *   lb-show.c          is what operators see.
 *   lb-choose.c        tells what a group would choose. */

struct dpif_flow_stats;
struct ofputil_bucket;

/* A bucket of one version. */
struct lb_bucket {
    struct ofputil_bucket *bucket;   /* Owned by the group. */
    uint64_t id;                     /* Identity: hash of what it does. */
    uint32_t token;
    bool alive;                      /* When last looked at. */
};

struct lb_group {
    struct ovs_list node;            /* In 'lb_published', or empty. */
    struct ovs_list watch_node;      /* In 'watching', or empty. */
    struct ovs_list late_node;       /* In 'late', or empty. */
    struct group_dpif *group;        /* The version that this belongs to. */
    struct lb_ident *ident;
    ATOMIC(bool) in_force;

    enum lb_input input;
    uint32_t timeout;                /* In seconds; 0: stateless. */
    size_t n_words;
    struct lb_hash_word words[LB_TABLE_MAX_WORDS];

    bool watches;                    /* Does any bucket watch anything? */
    bool stale;                      /* Is the table older than 'alive'? */
    struct lb_table *pending;        /* The table until it is published. */

    size_t n_buckets;
    struct lb_bucket *buckets;       /* In order of 'token'. */
};

/* Returns the load-balancing part of 'group', or null if it has none.  Any
 * thread; valid until it next quiesces. */
static inline struct lb_group *
lb_group_get(const struct group_dpif *group)
{
    struct lb_group *lb;

    atomic_read_explicit(&CONST_CAST(struct group_dpif *, group)->lb.p, &lb,
                         memory_order_acquire);
    return lb;
}

/* lb-bucket.c. */
void lb_buckets_init(struct lb_group *, const struct lb_group *old);
void lb_buckets_rekey(struct lb_group *);
void lb_buckets_identify(struct lb_group *);
struct lb_bucket *lb_bucket_find(const struct lb_group *, uint32_t token);

/* lb-liveness.c. */
bool lb_liveness_update(struct lb_group *);

/* lb-stats.c. */
void lb_stats_continue(struct lb_group *, const struct lb_group *old,
                       bool keep_buckets);

#endif /* lb-version.h */
