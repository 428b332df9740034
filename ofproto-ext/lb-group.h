/* SPDX-License-Identifier: Apache-2.0 */

#ifndef LB_GROUP_H
#define LB_GROUP_H 1

#include <stdint.h>

/* Load-balanced select groups
 * ===========================
 *
 * The control side of a select group with "selection_method=maglev": builds
 * the group's table (lib/lb-table.h), publishes it under an id that stays the
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
 * selection_method_param: the lower 32 bits are the seed of the hash.  0, the
 * default, stands for a random key; any other seed gives the same choice on
 * every switch whose group has the same buckets.  The upper 32 bits must be
 * 0.
 *
 * Thread-safety: versions are made and published by the main thread, and
 * destroyed by any, after a grace period.  lb_group_find_bucket() and
 * lb_group_get_id() may be called by any thread that holds the group. */

struct lb_group;
struct ofputil_bucket;

struct ofputil_bucket *lb_group_find_bucket(const struct lb_group *,
                                            uint32_t token);

#endif /* lb-group.h */
