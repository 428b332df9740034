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
#include "ofproto-ext/lb/lb-ofproto-hooks.h"

#include "dp-packet.h"
#include "flow.h"
#include "lib/lb/lb-registry.h"
#include "lib/lb/lb-sticky.h"
#include "netlink.h"
#include "odp-netlink.h"
#include "ofproto-ext/compat/compat-ofproto.h"
#include "ofproto-ext/lb/lb-group.h"
#include "ofproto/ofproto-dpif-rid.h"
#include "ofproto/ofproto-dpif-trace.h"
#include "ofproto/ofproto-dpif-xlate-cache.h"
#include "ofproto/ofproto-dpif-xlate.h"
#include "ofproto/ofproto-dpif.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofpbuf.h"
#include "util.h"

/* Returns the action at which translation froze before it thawed with 'state',
 * which may be null, if that sends the packet to a group, or null. */
static const struct ofpact_group *
frozen_group(const struct frozen_state *state)
{
    const struct ofpact *a;

    if (!state) {
        return NULL;
    }
    OFPACT_FOR_EACH (a, state->ofpacts, state->ofpacts_len) {
        if (a->type != OFPACT_UNROLL_XLATE) {
            return a->type == OFPACT_GROUP ? ofpact_get_GROUP(a) : NULL;
        }
    }
    return NULL;
}

/* Returns true if translation froze, before it thawed with 'state', at an
 * action that sends the packet to group 'group_id'. */
static bool
frozen_at_group(const struct frozen_state *state, uint32_t group_id)
{
    const struct ofpact_group *a = frozen_group(state);

    return a && a->group_id == group_id;
}

/* Returns true if 'group' is load-balanced.  Any thread. */
bool
lb_xlate_applies(const struct group_dpif *group)
{
    return lb_group_get(group) != NULL;
}

/* Has 'group' count the packets whose bucket has gone since they took it.  No
 * bucket is left to do so.  (A packet that 'xin' has at hand is still to
 * choose again, and counts then.) */
static void
count_bucketless(struct group_dpif *group, struct xlate_in *xin)
{
    if (xin->packet) {
        return;
    }
    if (xin->resubmit_stats) {
        group_dpif_credit_stats(group, NULL, xin->resubmit_stats);
    }
    if (xin->xcache) {
        struct xc_entry *entry = xlate_cache_add_entry(xin->xcache, XC_GROUP);

        ofproto_group_ref(&group->up);
        entry->group.group = group;
        entry->group.bucket = NULL;
    }
}

/* Returns the bucket of 'group', which is load-balanced, that the data path
 * chose for the packet that 'xin' translates, or null if it is still to
 * choose: then the caller freezes translation, with lb_xlate_put_action() for
 * the table that is stored in '*id'.  Consumes the token in 'xin->flow', so
 * that the next group does not take it for its own, and adds to 'wc' what the
 * answer depends on.  If the bucket has gone, sets '*avoid_caching', since no
 * packet will have its token for long.  Any thread. */
struct ofputil_bucket *
lb_xlate_bucket(struct group_dpif *group, struct xlate_in *xin,
                struct flow_wildcards *wc, uint32_t *id, bool *avoid_caching)
{
    const struct lb_group *lb = lb_group_get(group);

    *id = lb ? lb->ident->id : 0;
    if (!lb || !frozen_at_group(xin->frozen_state, group->up.group_id)) {
        return NULL;
    }

    const struct lb_bucket *b = lb_bucket_find(lb, xin->flow.dp_hash);

    xin->flow.dp_hash = 0;
    wc->masks.dp_hash = UINT32_MAX;
    if (!b) {
        *avoid_caching = true;
        count_bucketless(group, xin);
        return NULL;
    }
    return b->bucket;
}

/* Returns the hash of the packet that 'xin' translates for a group of Open
 * vSwitch, or 0 if the data path has not computed it.  What may be a token is
 * none: with load-balanced groups about, that is whatever comes out of another
 * recirculation than that of a group, such as the connection tracker's, since
 * a token survives it.  Any thread. */
uint32_t
lb_xlate_get_hash(const struct xlate_in *xin)
{
    return (xin->frozen_state && !frozen_group(xin->frozen_state)
            && lb_groups_exist()
            ? 0
            : xin->flow.dp_hash);
}

/* Returns the packet that 'xin' traces, for the caller to delete.  Where the
 * table looks behind the headers, that is the one that the user gave, if
 * any. */
static struct dp_packet *
compose_packet(const struct xlate_in *xin, const struct lb_table *table)
{
    struct dp_packet *packet;
    struct flow flow;

    if (xin->packet && table->input != LB_INPUT_PACKET) {
        packet = dp_packet_clone(xin->packet);
        flow_extract(packet, &flow);
    } else {
        packet = dp_packet_new(0);
        compat_flow_compose(packet, &xin->flow, NULL, 64);
    }
    pkt_metadata_from_flow(&packet->md, &xin->flow);
    return packet;
}

/* Tells in the trace of 'xin' which bucket the data path would choose by table
 * 'id', and why, and has the trace go on with it after the recirculation
 * 'recirc_id'. */
static void
trace_choice(struct xlate_in *xin, uint32_t id, uint32_t recirc_id)
{
    static const char *reasons[] = {
        [LB_BY_HASH] = "stateless",
        [LB_BY_STICKY] = "remembered flow",
        [LB_BY_HASH_NEW] = "new flow",
        [LB_BY_HASH_MOVED] = "its bucket is gone",
        [LB_NO_BUCKET] = "no bucket",
    };
    static const char *hashed[] = {
        [LB_HASHED_PACKET] = "",
        [LB_HASHED_TEID] = " of TEID",
        [LB_HASHED_INNER] = " of inner packet",
        [LB_HASHED_PATH] = " of GTP-U path",
    };
    const struct lb_table *table = lb_registry_get(id);

    if (!table || !lb_explain) {
        return;
    }

    struct dp_packet *packet = compose_packet(xin, table);
    struct lb_choice choice = lb_explain(table, packet);
    struct ds ds = DS_EMPTY_INITIALIZER;

    dp_packet_delete(packet);
    ds_put_format(&ds, "lb(%"PRIu32"): hash 0x%016"PRIx64"%s, ", id,
                  choice.hash, hashed[choice.hashed]);
    if (choice.reason != LB_BY_STICKY && choice.reason != LB_NO_BUCKET) {
        ds_put_format(&ds, "slot %"PRIu32" of %"PRIu32", ", choice.slot,
                      table->n_slots);
    }
    ds_put_format(&ds, "dp_hash 0x%"PRIx32" (%s", choice.token,
                  reasons[choice.reason]);
    if (choice.reason == LB_BY_STICKY) {
        ds_put_format(&ds, ", expires in %"PRIu32" s",
                      choice.ticks_left / LB_STICKY_TICKS_PER_SEC);
    }
    ds_put_char(&ds, ')');
    oftrace_report(xin->trace, OFT_DETAIL, ds_cstr(&ds));
    ds_destroy(&ds);

    if (choice.token) {
        struct flow flow = xin->flow;

        /* The type matters to conntrack alone. */
        flow.dp_hash = choice.token;
        oftrace_add_recirc_node(xin->recirc_queue, OFT_RECIRC_BOND, &flow,
                                NULL, xin->packet, recirc_id, flow.ct_zone);
    }
}

/* Appends to 'odp_actions' the lb action for the table 'id' and returns true,
 * if 'hash_alg' asks for it; otherwise returns false, and 'id' is something
 * else.  The recirculation 'recirc_id' will follow. */
bool
lb_xlate_put_action(struct xlate_in *xin, uint32_t hash_alg, uint32_t id,
                    uint32_t recirc_id, struct ofpbuf *odp_actions)
{
    if (hash_alg != LB_XLATE_HASH_ALG) {
        return false;
    }
    nl_msg_put_u32(odp_actions, OVS_ACTION_ATTR_LB, id);
    if (OVS_UNLIKELY(xin->trace)) {
        trace_choice(xin, id, recirc_id);
    }
    return true;
}
