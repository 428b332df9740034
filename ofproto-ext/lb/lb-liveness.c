/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-ext/lb/lb-version.h"

#include "ofproto/ofproto-dpif.h"
#include "ofproto/ofproto-provider.h"
#include "openvswitch/ofp-group.h"

/* Liveness of buckets, as Open vSwitch's translation sees it.  A bucket whose
 * weight is 0 can be alive: it drains. */

#define MAX_DEPTH 128

static bool bucket_is_alive(struct ofproto_dpif *,
                            const struct ofputil_bucket *, int depth);

static bool
port_is_alive(struct ofproto_dpif *ofproto, ofp_port_t ofp_port)
{
    const struct ofport *port = ofproto_get_port(&ofproto->up, ofp_port);

    return port && port->may_enable;
}

static bool
group_is_alive(struct ofproto_dpif *ofproto, uint32_t group_id, int depth)
{
    const struct group_dpif *group;
    const struct ofputil_bucket *bucket;

    group = group_dpif_lookup(ofproto, group_id,
                              ofproto_dpif_get_tables_version(ofproto), false);
    if (!group || depth >= MAX_DEPTH) {
        return false;
    }
    LIST_FOR_EACH (bucket, list_node, &group->up.buckets) {
        if ((group->up.type != OFPGT11_SELECT || bucket->weight)
            && bucket_is_alive(ofproto, bucket, depth + 1)) {
            return true;
        }
    }
    return false;
}

static bool
bucket_is_alive(struct ofproto_dpif *ofproto,
                const struct ofputil_bucket *bucket, int depth)
{
    if (!ofputil_bucket_has_liveness(bucket)) {
        return true;
    }
    if (bucket->watch_port == OFPP_CONTROLLER) {
        if (ofproto_is_alive(&ofproto->up)) {
            return true;
        }
    } else if (bucket->watch_port != OFPP_ANY
               && port_is_alive(ofproto, bucket->watch_port)) {
        return true;
    }
    return (bucket->watch_group != OFPG_ANY
            && group_is_alive(ofproto, bucket->watch_group, depth));
}

/* Updates 'alive' of the buckets of 'lb'.  Returns true if any changed.  Main
 * thread. */
bool
lb_liveness_update(struct lb_group *lb)
{
    struct ofproto_dpif *ofproto
        = CONTAINER_OF(lb->group->up.ofproto, struct ofproto_dpif, up);
    bool changed = false;

    for (size_t i = 0; i < lb->n_buckets; i++) {
        bool alive = bucket_is_alive(ofproto, lb->buckets[i].bucket, 0);

        changed = changed || alive != lb->buckets[i].alive;
        lb->buckets[i].alive = alive;
    }
    return changed;
}
