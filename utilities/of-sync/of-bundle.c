/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "of-bundle.h"

#include <stdlib.h>

#include "of-bucket.h"
#include "of-item.h"
#include "of-meter.h"
#include "of-monitor.h"
#include "of-owner.h"
#include "of-state.h"
#include "of-value.h"
#include "openvswitch/ofp-bundle.h"
#include "openvswitch/ofp-flow.h"
#include "openvswitch/ofp-group.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/rconn.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(of_bundle);

/* Limit for the items of a bundle.  An epoch that has begun to fill it may
 * exceed it. */
#define MAX_MESSAGES 2000

/* The switch rebuilds the group for each bucket that is removed.  For more
 * buckets than this, the whole group is sent instead, which resets the
 * counters of its buckets. */
#define MAX_REMOVE 8

/* Wait after a failure that no owner caused. */
#define RETRY_MS 1000

static ovs_be32
send_control(struct of_sync *sync, uint16_t type)
{
    struct ofputil_bundle_ctrl_msg bc = {
        .bundle_id = sync->bundle.id,
        .type = type,
        .flags = OFPBF_ATOMIC | OFPBF_ORDERED,
    };
    struct ofpbuf *b = ofputil_encode_bundle_ctrl_request(OF_VERSION, &bc);
    const struct ofp_header *oh = b->data;
    ovs_be32 xid = oh->xid;

    rconn_send(sync->rconn, b, NULL);
    return xid;
}

/* Sends 'message', about 'item', as part of the bundle.  Frees 'message'. */
static void
add_message(struct of_sync *sync, struct of_item *item,
            struct ofpbuf *message)
{
    struct of_bundle *bundle = &sync->bundle;
    struct ofputil_bundle_add_msg add = {
        .bundle_id = bundle->id,
        .flags = OFPBF_ATOMIC | OFPBF_ORDERED,
        .msg = message->data,
    };

    if (bundle->n >= bundle->allocated) {
        bundle->messages = x2nrealloc(bundle->messages, &bundle->allocated,
                                      sizeof *bundle->messages);
    }
    bundle->messages[bundle->n++] = (struct of_message) {
        .xid = add.msg->xid, .item = item
    };
    rconn_send(sync->rconn, ofputil_encode_bundle_add(OF_VERSION, &add),
               NULL);
    ofpbuf_delete(message);
}

static void
add_flow_mod(struct of_sync *sync, struct of_item *item, uint16_t command,
             const struct of_value *value)
{
    struct ofputil_flow_mod fm = {
        .match = item->match,
        .priority = item->priority,
        .table_id = item->table_id,
        .command = command,
        .buffer_id = UINT32_MAX,
        .out_port = OFPP_ANY,
        .out_group = OFPG_ANY,
        .new_cookie = value ? value->cookie : OVS_BE64_MAX,
        .ofpacts = value ? value->ofpacts : NULL,
        .ofpacts_len = value ? value->ofpacts_len : 0,
    };

    if (command != OFPFC_ADD) {
        /* Leave a flow alone that somebody else has put in the place of
         * ours. */
        fm.cookie = sync->options.cookie & sync->options.cookie_mask;
        fm.cookie_mask = sync->options.cookie_mask;
    }
    add_message(sync, item, ofputil_encode_flow_mod(&fm, OF_PROTOCOL));
}

static void
send_flow(struct of_sync *sync, struct of_item *item,
          const struct of_value *want)
{
    const struct of_value *have = item->have;

    if (!want) {
        add_flow_mod(sync, item, OFPFC_DELETE_STRICT, NULL);
        sync->stats.flow_deletes++;
    } else {
        /* A modification keeps the flow's counters.  It works only if the flow
         * is there and the cookie stays. */
        bool modify = (have && !item->unsure
                       && have->cookie == want->cookie);

        add_flow_mod(sync, item, modify ? OFPFC_MODIFY_STRICT : OFPFC_ADD,
                     want);
        sync->stats.flow_adds++;
    }
}

static void
add_group_mod(struct of_sync *sync, struct of_item *item,
              struct ofputil_group_mod *gm)
{
    gm->group_id = item->group_id;
    add_message(sync, item,
                ofputil_encode_group_mod(OF_VERSION, gm, NULL, -1));
}

/* Sends 'gm', whose list of buckets is empty, with the 'n' buckets at
 * 'buckets'.  They fit into one message: of-owner.c limits the buckets of a
 * group. */
static void
send_buckets(struct of_sync *sync, struct of_item *item,
             struct ofputil_group_mod *gm, struct ofputil_bucket **buckets,
             size_t n)
{
    struct ofputil_bucket *copy;

    ovs_list_init(&gm->buckets);
    for (size_t i = 0; i < n; i++) {
        copy = xmemdup(buckets[i], sizeof *copy);
        ovs_list_push_back(&gm->buckets, &copy->list_node);
    }
    add_group_mod(sync, item, gm);
    LIST_FOR_EACH_POP (copy, list_node, &gm->buckets) {
        free(copy);
    }
}

/* Sends a request to insert the 'n' buckets at 'buckets'. */
static void
insert_buckets(struct of_sync *sync, struct of_item *item,
               struct ofputil_bucket **buckets, size_t n)
{
    struct ofputil_group_mod gm = {
        .command = OFPGC15_INSERT_BUCKET,
        .type = OFPGT11_SELECT,
        .command_bucket_id = OFPG15_BUCKET_LAST,
    };

    if (n) {
        send_buckets(sync, item, &gm, buckets, n);
    }
}

static void
remove_bucket(struct of_sync *sync, struct of_item *item, uint32_t bucket_id)
{
    struct ofputil_group_mod gm = {
        .command = OFPGC15_REMOVE_BUCKET,
        .type = OFPGT11_SELECT,
        .command_bucket_id = bucket_id,
    };

    ovs_list_init(&gm.buckets);
    add_group_mod(sync, item, &gm);
}

/* Sends the group 'want' with all of its buckets, by 'command'. */
static void
send_whole_group(struct of_sync *sync, struct of_item *item,
                 struct ofputil_group_mod *want, uint16_t command)
{
    struct ofputil_group_mod gm = *want;

    gm.command = command;
    gm.command_bucket_id = OFPG15_BUCKET_ALL;
    gm.props = of_group_props(sync, want);
    ovs_list_moved(&gm.buckets, &want->buckets);
    add_group_mod(sync, item, &gm);
    ovs_list_moved(&want->buckets, &gm.buckets);
}

/* Returns true if 'gm' remembers flows: selection_method_param of "maglev" has
 * a timeout.  The switch would forget those of a bucket that it removes and
 * inserts again. */
static bool
is_sticky(const struct ofputil_group_mod *gm)
{
    return (gm->props.selection_method_param >> 32 & 0xffffff) != 0;
}

static void
send_group(struct of_sync *sync, struct of_item *item, struct of_value *want)
{
    struct ofputil_group_mod none = { .command = OFPGC15_DELETE };
    struct ofputil_group_mod *have = item->have ? item->have->group : NULL;
    struct of_bucket_diff diff;

    ovs_list_init(&none.buckets);
    if (!want) {
        none.command_bucket_id = OFPG15_BUCKET_ALL;
        add_group_mod(sync, item, &none);
        sync->stats.group_deletes++;
        return;
    }

    /* Gives ids to the buckets of 'want'.  A bucket that stays keeps its
     * id. */
    of_bucket_diff(want->group, have ? have : &none, &diff);
    if (!have || item->unsure) {
        /* Open vSwitch's own command overwrites any group that may be
         * there. */
        send_whole_group(sync, item, want->group,
                         item->unsure ? OFPGC11_ADD_OR_MOD : OFPGC15_ADD);
        sync->stats.group_adds++;
    } else {
        if (!of_groups_alike(sync, want->group, have)
            || want->group->type != OFPGT11_SELECT
            || diff.n_remove > MAX_REMOVE
            || (is_sticky(want->group) && of_bucket_diff_reweighs(&diff))) {
            send_whole_group(sync, item, want->group, OFPGC15_MODIFY);
        } else {
            for (size_t i = 0; i < diff.n_remove; i++) {
                remove_bucket(sync, item, diff.remove[i]->bucket_id);
            }
            insert_buckets(sync, item, diff.add, diff.n_add);
        }
        sync->stats.group_changes++;
    }
    of_bucket_diff_uninit(&diff);
}

/* Moves dirty items into the bundle, whole epochs at a time, until it is
 * full. */
static void
take_items(struct of_sync *sync)
{
    struct of_bundle *bundle = &sync->bundle;
    uint64_t epoch = 0;
    struct of_item *item;

    bundle->oldest.epoch = UINT64_MAX;
    sync->oldest_unknown = true;
    LIST_FOR_EACH_SAFE (item, dirty, &sync->dirty) {
        if (item->epoch != epoch && bundle->n_items >= sync->max_messages) {
            break;
        }
        epoch = item->epoch;
        if (bundle->n_items >= bundle->items_allocated) {
            bundle->items = x2nrealloc(bundle->items,
                                       &bundle->items_allocated,
                                       sizeof *bundle->items);
        }
        bundle->items[bundle->n_items++] = item;
        item->sent_age = item->age;
        if (item->age.epoch < bundle->oldest.epoch) {
            bundle->oldest = item->age;
        }
        ovs_list_remove(&item->dirty);
        ovs_list_init(&item->dirty);
        sync->n_dirty--;
    }
}

/* Sends some of the bundle's items: groups or flows, as 'is_group' says, and
 * either those to delete or the others. */
static void
send_items(struct of_sync *sync, bool is_group, bool delete)
{
    struct of_bundle *bundle = &sync->bundle;

    for (size_t i = 0; i < bundle->n_items; i++) {
        struct of_item *item = bundle->items[i];
        struct of_value *want;

        if (item->is_group != is_group) {
            continue;
        }
        of_item_want(item, &want);
        if (!want == delete) {
            if (is_group) {
                send_group(sync, item, want);
            } else {
                send_flow(sync, item, want);
            }
            item->sent = of_value_ref(want);
            item->in_flight = true;
            item->sent_unsure = item->unsure;
            if (item->unsure) {
                item->repaired = time_msec();
            }
            item->unsure = false;
        }
    }
}

/* Sends a bundle of changes, unless one is under way. */
void
of_bundle_run(struct of_sync *sync)
{
    struct of_bundle *bundle = &sync->bundle;

    if (sync->state != OF_SYNCING || !sync->complete || !sync->n_dirty
        || bundle->state != OF_BUNDLE_NONE || time_msec() < sync->retry) {
        return;
    }
    if (!sync->max_messages) {
        sync->max_messages = MAX_MESSAGES;
    }
    bundle->id++;
    bundle->n = bundle->n_items = 0;
    bundle->error = 0;
    bundle->bad = NULL;
    take_items(sync);
    send_control(sync, OFPBCT_OPEN_REQUEST);
    /* Groups come before flows that use them, and go after them. */
    send_items(sync, true, false);
    send_items(sync, false, false);
    send_items(sync, false, true);
    send_items(sync, true, true);
    /* The switch may refuse a message of the bundle.  So the bundle is
     * committed only after the switch has answered this. */
    bundle->xid = send_control(sync, OFPBCT_CLOSE_REQUEST);
    bundle->state = OF_BUNDLE_FILLED;
    sync->stats.bundles++;
}

/* Wakes the poll loop when of_bundle_run() has something to send. */
void
of_bundle_wait(struct of_sync *sync)
{
    if (sync->state == OF_SYNCING && sync->complete && sync->n_dirty
        && sync->bundle.state == OF_BUNDLE_NONE) {
        poll_timer_wait_until(sync->retry);
    }
}

static void
add_latency(struct of_sync *sync, long long int ms)
{
    size_t i = 0;

    /* Class 'i' holds latencies up to 2^i ms. */
    while (i < OF_N_LATENCIES && ms > 1 << i) {
        i++;
    }
    sync->stats.latency[i]++;
    sync->stats.n_latency++;
    sync->stats.latency_sum += ms / 1000.0;
}

/* Ends the bundle: the switch has committed it if 'ok', else refused it. */
static void
end_bundle(struct of_sync *sync, bool ok)
{
    struct of_bundle *bundle = &sync->bundle;
    long long int now = time_msec();
    struct of_item *bad = bundle->bad;
    uint64_t epoch = 0;

    bundle->state = OF_BUNDLE_NONE;
    for (size_t i = 0; i < bundle->n_items; i++) {
        struct of_item *item = bundle->items[i];

        item->in_flight = false;
        if (ok) {
            of_item_set_have(item, item->sent);
            if (item->epoch != epoch) {
                add_latency(sync, now - item->sent_age.since);
            }
            epoch = item->epoch;
        } else {
            of_value_unref(item->sent);
            item->unsure |= item->sent_unsure;
        }
        item->sent = NULL;
    }
    if (ok) {
        sync->stats.synced = time_wall_msec();
        sync->max_messages = MIN(sync->max_messages * 2, MAX_MESSAGES);
    } else {
        sync->stats.bundles_failed++;
        if (bad && (bundle->error == OFPERR_OFPGMFC_GROUP_EXISTS
                    || bundle->error == OFPERR_OFPGMFC_UNKNOWN_GROUP)) {
            of_monitor_suspect(sync, bad);
        }
        if (sync->repair || (bundle->error == OFPERR_OFPMMFC_INVALID_METER
                             && of_meter_retry(sync))) {
            /* Somebody else changed the switch first: for example, deleted a
             * group that a flow of ours needs.  The report came after this
             * bundle was sent, or does not come for a meter. */
            bad = NULL;
        } else if (bad) {
            of_owner_refuse(sync, bad, ofperr_to_string(bundle->error));
        } else if (sync->max_messages > 1) {
            /* Smaller bundles will show which owner is at fault. */
            sync->max_messages = MAX(1, sync->max_messages / 4);
        } else if (bundle->n_items) {
            of_owner_refuse(sync, bundle->items[0],
                            ofperr_to_string(bundle->error));
        }
        if (!bad) {
            sync->retry = now + RETRY_MS;
            if (sync->repair) {
                sync->retry = MIN(sync->retry, sync->repair);
            }
        }
    }

    /* Items of one epoch keep it, so that they are sent together again. */
    uint64_t last = sync->epoch;

    for (size_t i = 0; i < bundle->n_items; i++) {
        struct of_item *item = bundle->items[i];

        if (!ok) {
            sync->epoch = item->epoch;
            of_item_touch(sync, item);
            if (item->sent_age.epoch < item->age.epoch) {
                item->age = item->sent_age;
                sync->oldest_unknown = true;
            }
        }
        of_item_collect(sync, item);
    }
    sync->epoch = last;
}

/* Handles 'oh', the answer to a control message of a bundle.  Returns true if
 * that is the bundle under way. */
bool
of_bundle_reply(struct of_sync *sync, const struct ofp_header *oh)
{
    struct of_bundle *bundle = &sync->bundle;

    if (bundle->state == OF_BUNDLE_NONE || oh->xid != bundle->xid) {
        return false;
    }
    if (bundle->state == OF_BUNDLE_COMMITTING) {
        end_bundle(sync, true);
    } else if (bundle->error) {
        send_control(sync, OFPBCT_DISCARD_REQUEST);
        end_bundle(sync, false);
    } else {
        bundle->xid = send_control(sync, OFPBCT_COMMIT_REQUEST);
        bundle->state = OF_BUNDLE_COMMITTING;
    }
    return true;
}

/* Handles the error message 'oh', which says 'error'. */
void
of_bundle_error(struct of_sync *sync, const struct ofp_header *oh,
                enum ofperr error)
{
    struct of_bundle *bundle = &sync->bundle;

    if (bundle->state == OF_BUNDLE_NONE) {
        return;
    }
    for (size_t i = 0; i < bundle->n && !bundle->bad; i++) {
        if (bundle->messages[i].xid == oh->xid) {
            bundle->bad = bundle->messages[i].item;
            bundle->error = error;
            return;
        }
    }
    if (oh->xid == bundle->xid) {
        if (!bundle->error) {
            bundle->error = error;
        }
        end_bundle(sync, false);
    }
}

/* Forgets the bundle after the connection was lost.  The switch may or may not
 * have committed it. */
void
of_bundle_forget(struct of_sync *sync)
{
    struct of_bundle *bundle = &sync->bundle;

    if (bundle->state != OF_BUNDLE_NONE) {
        bundle->state = OF_BUNDLE_NONE;
        for (size_t i = 0; i < bundle->n_items; i++) {
            struct of_item *item = bundle->items[i];

            item->in_flight = false;
            of_value_unref(item->sent);
            item->sent = NULL;
        }
    }
    bundle->n = bundle->n_items = 0;
}
