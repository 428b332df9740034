/* SPDX-License-Identifier: Apache-2.0 */

/* Statistics of load-balanced groups
 * ==================================
 *
 * A modification makes a new version of a group, and Open vSwitch's versions
 * count each for itself.  What the data path has forwarded before the change,
 * and by old megaflows shortly after it, comes in later, for the old version,
 * and so would never be seen.  Here the version in force gets it:
 *
 *    - The group's counters go on through any modification, as OpenFlow says
 *      (1.3.4 and later, section 6.5).
 *
 *    - A bucket's counters go on when others are inserted or removed, and
 *      start afresh when all buckets are replaced, as OpenFlow says, too.
 *      What comes late is credited to the same bucket (see lb-bucket.c). */

#include <config.h>
#include "ofproto-ext/lb/lb-version.h"
#include "ofproto-ext/lb/lb-ofproto-hooks.h"

#include "dpif.h"
#include "ofproto/ofproto-dpif.h"
#include "openvswitch/ofp-group.h"

/* Returns the bucket of 'lb' that is the same as 'bucket' of 'old', or null if
 * there is none. */
static struct ofputil_bucket *
find_same(const struct lb_group *lb, const struct lb_group *old,
          const struct ofputil_bucket *bucket)
{
    for (size_t i = 0; i < old->n_buckets; i++) {
        if (old->buckets[i].bucket == bucket) {
            const struct lb_bucket *same
                = lb_bucket_find(lb, old->buckets[i].token);

            return same ? same->bucket : NULL;
        }
    }
    return NULL;
}

/* Has 'lb' go on counting where 'old', the version before, was: its buckets,
 * too, if 'keep_buckets'. */
void
lb_stats_continue(struct lb_group *lb, const struct lb_group *old,
                  bool keep_buckets)
    OVS_REQUIRES(lb_mutex)
{
    struct group_dpif *new_group = lb->group;
    struct group_dpif *old_group = old->group;

    ovs_mutex_lock(&old_group->stats_mutex);
    uint64_t packet_count = old_group->packet_count;
    uint64_t byte_count = old_group->byte_count;

    /* Nobody else knows the new version's buckets yet. */
    for (size_t i = 0; keep_buckets && i < old->n_buckets; i++) {
        const struct lb_bucket *b = &old->buckets[i];
        struct lb_bucket *same = lb_bucket_find(lb, b->token);

        if (same) {
            same->bucket->stats = b->bucket->stats;
        }
    }
    ovs_mutex_unlock(&old_group->stats_mutex);

    ovs_mutex_lock(&new_group->stats_mutex);
    new_group->packet_count += packet_count;
    new_group->byte_count += byte_count;
    ovs_mutex_unlock(&new_group->stats_mutex);
}

/* Adds 'stats' to what 'lb' has counted, and 'bucket', which may be null, of
 * it.  Returns false, with nothing done, if 'lb' is not in force: another
 * version goes on with its counters, if there is one. */
static bool
credit(struct lb_group *lb, struct ofputil_bucket *bucket,
       const struct dpif_flow_stats *stats)
{
    struct group_dpif *group = lb->group;
    bool in_force;

    ovs_mutex_lock(&group->stats_mutex);
    atomic_read_relaxed(&lb->in_force, &in_force);
    if (in_force) {
        group->packet_count += stats->n_packets;
        group->byte_count += stats->n_bytes;
        if (bucket) {
            bucket->stats.packet_count += stats->n_packets;
            bucket->stats.byte_count += stats->n_bytes;
        }
    }
    ovs_mutex_unlock(&group->stats_mutex);
    return in_force;
}

/* If 'group' is load-balanced, credits 'stats' to it and to 'bucket', which is
 * null for one that has gone, or, if another version has replaced it, to that
 * and to the same bucket of it, if there is one, and returns true.  Otherwise
 * leaves it to the caller.  Any thread. */
bool
lb_group_credit_stats(struct group_dpif *group, struct ofputil_bucket *bucket,
                      const struct dpif_flow_stats *stats)
{
    struct lb_group *lb = lb_group_get(group);

    if (!lb) {
        return false;
    }
    if (!credit(lb, bucket, stats)) {
        ovs_mutex_lock(&lb_mutex);

        struct lb_group *current = lb->ident->current;

        if (current) {
            credit(current, bucket ? find_same(current, lb, bucket) : NULL,
                   stats);
        }
        ovs_mutex_unlock(&lb_mutex);
    }
    return true;
}
