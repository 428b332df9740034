/* SPDX-License-Identifier: Apache-2.0 */

/* Use of a load-balanced group in a flow
 * ======================================
 *
 * A flow that sends packets to the group is translated in two steps.
 *
 * First, translation freezes at the group: the megaflow's actions become
 * lb(ID) and a recirculation.  In the data path, lb(ID) writes the token of
 * the chosen bucket into dp_hash.
 *
 * Then the recirculated packet misses once for each bucket.  Translation thaws
 * at the group, finds the bucket by its token, and goes on with the bucket's
 * actions: that is the bucket's megaflow, which matches on dp_hash.
 *
 * A token counts only where translation thawed at this very group: whatever
 * an earlier group may have left in dp_hash is not even looked at, so that it
 * does not become part of the megaflow.  A token of a bucket that has gone
 * makes the packet choose again. */

#include <config.h>
#include "ofproto-ext/ofproto-hooks.h"

#include "flow.h"
#include "netlink.h"
#include "odp-netlink.h"
#include "ofproto-ext/lb-group.h"
#include "ofproto/ofproto-dpif-rid.h"
#include "ofproto/ofproto-dpif.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofpbuf.h"

/* Returns true if translation froze, before it thawed with 'state', at an
 * action that sends the packet to group 'group_id'. */
static bool
frozen_at_group(const struct frozen_state *state, uint32_t group_id)
{
    const struct ofpact *a;

    if (!state) {
        return false;
    }
    OFPACT_FOR_EACH (a, state->ofpacts, state->ofpacts_len) {
        if (a->type != OFPACT_UNROLL_XLATE) {
            return (a->type == OFPACT_GROUP
                    && ofpact_get_GROUP(a)->group_id == group_id);
        }
    }
    return false;
}

/* Returns the bucket of 'group' that the data path chose for the packet of
 * 'flow', or null if it is still to choose: then the caller freezes
 * translation, with lb_xlate_put_action().  'frozen' is the state that
 * translation thawed with, or null.  Consumes the token in 'flow', so that the
 * next group does not take it for its own, and adds to 'wc' what the answer
 * depends on.  Any thread. */
struct ofputil_bucket *
lb_xlate_bucket(const struct group_dpif *group, struct flow *flow,
                struct flow_wildcards *wc, const struct frozen_state *frozen)
{
    if (!frozen_at_group(frozen, group->up.group_id)) {
        return NULL;
    }

    uint32_t token = flow->dp_hash;

    flow->dp_hash = 0;
    wc->masks.dp_hash = UINT32_MAX;
    return lb_group_find_bucket(group->lb, token);
}

/* Appends to 'odp_actions' the lb action for the table 'id' and returns true,
 * if 'hash_alg' asks for it; otherwise returns false, and 'id' is something
 * else. */
bool
lb_xlate_put_action(uint32_t hash_alg, uint32_t id, struct ofpbuf *odp_actions)
{
    if (hash_alg != LB_XLATE_HASH_ALG) {
        return false;
    }
    nl_msg_put_u32(odp_actions, OVS_ACTION_ATTR_LB, id);
    return true;
}
