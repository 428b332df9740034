/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OF_VALUE_H
#define OF_VALUE_H 1

/* What a flow or a group does
 * ===========================
 *
 * A value is the part of a flow or group that can change: cookie and actions,
 * or type, properties and buckets.  Values are shared by reference count and
 * do not change once they are shared.
 *
 * Values are compared by memcmp().  So the actions in a value are stored in
 * the form that they have after a trip over the wire, with zeros for padding.
 *
 * Thread-safety: as of-sync.h. */

#include <stdbool.h>
#include <stddef.h>
#include "openvswitch/ofp-group.h"
#include "openvswitch/types.h"

struct of_sync;
struct ofpact;

struct of_value {
    size_t n_refs;
    bool is_group;

    /* Flow. */
    ovs_be64 cookie;
    struct ofpact *ofpacts;     /* Owned. */
    size_t ofpacts_len;

    /* Group. */
    struct ofputil_group_mod *group;    /* Owned; null for a flow. */
};

struct of_value *of_value_ref(struct of_value *);
void of_value_unref(struct of_value *);
struct of_value *of_value_from_group(struct ofputil_group_mod *);
struct of_value *of_value_from_flow(ovs_be64 cookie, const struct ofpact *,
                                    size_t ofpacts_len);
struct ofputil_group_props of_group_props(const struct of_sync *,
                                          const struct ofputil_group_mod *);
bool of_values_equal(const struct of_sync *, const struct of_value *,
                     const struct of_value *);
bool of_groups_alike(const struct of_sync *, const struct ofputil_group_mod *,
                     const struct ofputil_group_mod *);

#endif /* of-value.h */
