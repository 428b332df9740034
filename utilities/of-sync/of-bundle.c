/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "of-bundle.h"

#include <stdlib.h>
#include <string.h>

#include "of-item.h"
#include "of-meter.h"
#include "of-monitor.h"
#include "of-owner.h"
#include "of-send.h"
#include "of-state.h"
#include "of-value.h"
#include "openvswitch/ofp-bundle.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/rconn.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(of_bundle);

/* Limit for the items of a bundle.  An epoch that has begun to fill it may
 * exceed it. */
#define MAX_MESSAGES 2000

/* Wait after a failure that no owner caused. */
#define RETRY_MS 1000

/* Moves dirty items into 'bundle', whole epochs at a time, until it is
 * full. */
static void
take_items(struct of_sync *sync, struct of_bundle *bundle)
{
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
        bundle->items[bundle->n_items++] = (struct of_sent) {
            .item = item, .age = item->age, .unsure = item->unsure
        };
        if (item->age.epoch < bundle->oldest.epoch) {
            bundle->oldest = item->age;
        }
        ovs_list_remove(&item->dirty);
        ovs_list_init(&item->dirty);
        sync->n_dirty--;
    }
}

/* Sends some of the items of 'bundle': groups or flows, as 'is_group' says,
 * and either those to delete or the others. */
static void
send_items(struct of_sync *sync, struct of_bundle *bundle, bool is_group,
           bool delete)
{
    for (size_t i = 0; i < bundle->n_items; i++) {
        struct of_sent *sent = &bundle->items[i];
        struct of_item *item = sent->item;
        struct of_value *want;

        if (item->is_group != is_group) {
            continue;
        }
        of_item_want(item, &want);
        if (!want == delete) {
            of_send_item(sync, bundle, item, want);
            item->sent = sent->value = of_value_ref(want);
            item->in_flight++;
            if (item->unsure) {
                item->repaired = time_msec();
            }
            item->unsure = false;
        }
    }
}

/* Sends one more bundle of changes. */
static void
send_bundle(struct of_sync *sync)
{
    struct of_bundle *bundle = &sync->bundles[sync->n_bundles++];

    bundle->id = ++sync->bundle_id;
    bundle->n = bundle->n_items = 0;
    bundle->error = 0;
    bundle->bad = NULL;
    take_items(sync, bundle);
    of_send_control(sync, bundle, OFPBCT_OPEN_REQUEST);
    /* Groups come before flows that use them, and go after them. */
    send_items(sync, bundle, true, false);
    send_items(sync, bundle, false, false);
    send_items(sync, bundle, false, true);
    send_items(sync, bundle, true, true);
    /* The switch may refuse a message of the bundle.  So the bundle is
     * committed only after the switch has answered this. */
    bundle->xid = of_send_control(sync, bundle, OFPBCT_CLOSE_REQUEST);
    bundle->state = OF_BUNDLE_FILLED;
    sync->stats.bundles++;
}

static bool
may_send(const struct of_sync *sync)
{
    return (sync->state == OF_SYNCING && sync->complete && sync->n_dirty
            && sync->n_bundles < OF_MAX_BUNDLES);
}

/* Sends bundles of changes, as many as may be under way. */
void
of_bundle_run(struct of_sync *sync)
{
    if (!sync->max_messages) {
        sync->max_messages = MAX_MESSAGES;
    }
    while (may_send(sync) && time_msec() >= sync->retry) {
        send_bundle(sync);
    }
}

/* Wakes the poll loop when of_bundle_run() has something to send. */
void
of_bundle_wait(struct of_sync *sync)
{
    if (may_send(sync)) {
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

/* Ends the first bundle, which the switch has committed. */
static void
end_first(struct of_sync *sync)
{
    struct of_bundle done = sync->bundles[0];
    long long int now = time_msec();
    uint64_t epoch = 0;

    sync->n_bundles--;
    memmove(&sync->bundles[0], &sync->bundles[1],
            (OF_MAX_BUNDLES - 1) * sizeof done);
    sync->bundles[OF_MAX_BUNDLES - 1] = done;

    for (size_t i = 0; i < done.n_items; i++) {
        struct of_item *item = done.items[i].item;

        of_item_set_have(item, done.items[i].value);
        item->in_flight--;
        if (item->epoch != epoch) {
            add_latency(sync, now - done.items[i].age.since);
        }
        epoch = item->epoch;
        of_item_collect(sync, item);
    }
    sync->stats.synced = time_wall_msec();
    sync->max_messages = MIN(sync->max_messages * 2, MAX_MESSAGES);
}

/* Finds out who is at fault that the switch has refused 'bundle'. */
static void
blame(struct of_sync *sync, const struct of_bundle *bundle)
{
    struct of_item *bad = bundle->bad;

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
        of_owner_refuse(sync, bundle->items[0].item,
                        ofperr_to_string(bundle->error));
    }
    if (!bad) {
        sync->retry = time_msec() + RETRY_MS;
        if (sync->repair) {
            sync->retry = MIN(sync->retry, sync->repair);
        }
    }
}

/* Puts the items of 'bundle', which is not under way any more, back into the
 * list of dirty items.  Items of one epoch keep it, so that they are sent
 * together again. */
static void
put_back(struct of_sync *sync, const struct of_bundle *bundle)
{
    uint64_t last = sync->epoch;

    for (size_t i = 0; i < bundle->n_items; i++) {
        const struct of_sent *sent = &bundle->items[i];

        sync->epoch = sent->item->epoch;
        of_item_touch(sync, sent->item);
        if (sent->age.epoch < sent->item->age.epoch) {
            sent->item->age = sent->age;
            sync->oldest_unknown = true;
        }
    }
    sync->epoch = last;
}

/* Ends all bundles, because the switch has refused the first one. */
static void
end_all(struct of_sync *sync)
{
    size_t n = sync->n_bundles;
    struct ovs_list newer;

    for (size_t i = 0; i < n; i++) {
        struct of_bundle *bundle = &sync->bundles[i];

        if (bundle->state != OF_BUNDLE_COMMITTING) {
            of_send_control(sync, bundle, OFPBCT_DISCARD_REQUEST);
        }
        for (size_t j = 0; j < bundle->n_items; j++) {
            bundle->items[j].item->unsure |= bundle->items[j].unsure;
        }
    }
    of_bundle_forget(sync);
    blame(sync, &sync->bundles[0]);

    /* Send these again before newer changes, which may need them. */
    ovs_list_move(&newer, &sync->dirty);
    ovs_list_init(&sync->dirty);
    for (size_t i = 0; i < n; i++) {
        put_back(sync, &sync->bundles[i]);
    }
    if (!ovs_list_is_empty(&newer)) {
        ovs_list_splice(&sync->dirty, ovs_list_front(&newer), &newer);
    }

    /* An item of two bundles is freed with the last one. */
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < sync->bundles[i].n_items; j++) {
            sync->bundles[i].items[j].item->in_flight++;
        }
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < sync->bundles[i].n_items; j++) {
            sync->bundles[i].items[j].item->in_flight--;
            of_item_collect(sync, sync->bundles[i].items[j].item);
        }
    }
}

/* Goes on with the first bundle if the switch has answered its close. */
static void
commit_first(struct of_sync *sync)
{
    struct of_bundle *first = &sync->bundles[0];

    if (sync->n_bundles && first->state == OF_BUNDLE_CLOSED) {
        if (first->error) {
            end_all(sync);
        } else {
            first->xid = of_send_control(sync, first, OFPBCT_COMMIT_REQUEST);
            first->state = OF_BUNDLE_COMMITTING;
        }
    }
}

/* Handles 'oh', the answer to a control message of a bundle.  Returns true if
 * that is a bundle under way. */
bool
of_bundle_reply(struct of_sync *sync, const struct ofp_header *oh)
{
    for (size_t i = 0; i < sync->n_bundles; i++) {
        struct of_bundle *bundle = &sync->bundles[i];

        if (bundle->xid == oh->xid) {
            if (bundle->state == OF_BUNDLE_COMMITTING) {
                end_first(sync);
            } else {
                bundle->state = OF_BUNDLE_CLOSED;
            }
            commit_first(sync);
            return true;
        }
    }
    return false;
}

/* Handles the error message 'oh', which says 'error', if it is about
 * 'bundle'. */
static bool
bundle_error(struct of_sync *sync, struct of_bundle *bundle,
             const struct ofp_header *oh, enum ofperr error)
{
    for (size_t i = 0; i < bundle->n && !bundle->bad; i++) {
        if (bundle->messages[i].xid == oh->xid) {
            bundle->bad = bundle->messages[i].item;
            bundle->error = error;
            return true;
        }
    }
    if (oh->xid != bundle->xid) {
        return false;
    }
    if (!bundle->error) {
        bundle->error = error;
    }
    if (bundle->state == OF_BUNDLE_COMMITTING) {
        end_all(sync);
    } else {
        bundle->state = OF_BUNDLE_CLOSED;
        commit_first(sync);
    }
    return true;
}

/* Handles the error message 'oh', which says 'error'. */
void
of_bundle_error(struct of_sync *sync, const struct ofp_header *oh,
                enum ofperr error)
{
    for (size_t i = 0; i < sync->n_bundles; i++) {
        if (bundle_error(sync, &sync->bundles[i], oh, error)) {
            return;
        }
    }
}

/* Forgets the bundles under way.  After the connection was lost, the switch
 * may or may not have committed the first one. */
void
of_bundle_forget(struct of_sync *sync)
{
    for (size_t i = 0; i < sync->n_bundles; i++) {
        struct of_bundle *bundle = &sync->bundles[i];

        for (size_t j = 0; j < bundle->n_items; j++) {
            bundle->items[j].item->in_flight = 0;
            bundle->items[j].item->sent = NULL;
            of_value_unref(bundle->items[j].value);
        }
    }
    sync->n_bundles = 0;
}

/* Frees what the bundles hold. */
void
of_bundle_destroy(struct of_sync *sync)
{
    for (size_t i = 0; i < OF_MAX_BUNDLES; i++) {
        free(sync->bundles[i].messages);
        free(sync->bundles[i].items);
    }
}
