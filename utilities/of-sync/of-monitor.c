/* SPDX-License-Identifier: Apache-2.0 */

/* What others do to our flows and groups
 * ======================================
 *
 * The switch reports changes in our tables (OpenFlow's flow monitors), and the
 * group_mods and meter_mods of others (its request forwarding).  So of-sync
 * puts back what others change without asking for all flows and groups again.
 *
 * A report can be older than our last change.  So it is only a hint: the item
 * becomes "unsure", and is sent again whatever the switch may have.
 *
 * A report of the very value that we want is no change: two programs with the
 * same wishes do not disturb each other.  Two with different wishes quarrel.
 * Then of-sync waits longer and longer before it repairs.
 *
 * Not noticed: flows with our cookie that somebody puts in other tables.  They
 * are removed after the next connection. */

#include <config.h>
#include "of-monitor.h"

#include <stdlib.h>

#include "of-item.h"
#include "of-meter.h"
#include "of-owner.h"
#include "of-send.h"
#include "of-state.h"
#include "of-value.h"
#include "openflow/openflow.h"
#include "openvswitch/ofp-connection.h"
#include "openvswitch/ofp-flow.h"
#include "openvswitch/ofp-group.h"
#include "openvswitch/ofp-monitor.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/rconn.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(of_monitor);

/* Time from the first report to the repair, in ms.  Changes that belong
 * together, for example of a group and its flows, come within that time.
 *
 * A change of an item within MAX_REPAIR_MS of its repair is a quarrel.  Each
 * time the wait doubles, up to MAX_REPAIR_MS. */
#define REPAIR_MS 100
#define MAX_REPAIR_MS 10000

static void
monitor_table(struct of_sync *sync, uint8_t table_id)
{
    struct ofputil_flow_monitor_request rq = {
        .id = table_id,
        .command = OFPFMC_ADD,
        .flags = (OFPFMF_ADD | OFPFMF_REMOVED | OFPFMF_MODIFY
                  | OFPFMF_INSTRUCTIONS),
        .out_port = OFPP_ANY,
        .out_group = OFPG_ANY,
        .table_id = table_id,
    };
    struct ofpbuf *b = ofpbuf_new(0);

    match_init_catchall(&rq.match);
    ofputil_append_flow_monitor_request(&rq, b, OF_PROTOCOL);
    ofpmsg_update_length(b);
    sync->monitor_xid = of_send(sync, b);
}

/* Asks the switch for reports.  Must come before the request for all flows and
 * groups, so that no change is missed in between. */
void
of_monitor_start(struct of_sync *sync)
{
    struct ofputil_async_cfg async = OFPUTIL_ASYNC_CFG_INIT;
    const struct of_sync_options *o = &sync->options;

    sync->repair = 0;
    sync->repair_ms = REPAIR_MS;
    sync->quarrel = false;
    async.primary[OAM_REQUESTFORWARD] = (1u << OFPRFR_GROUP_MOD
                                         | 1u << OFPRFR_METER_MOD);
    /* Switches off all other asynchronous messages. */
    rconn_send(sync->rconn, ofputil_encode_set_async_config(
                   &async, (1u << OAM_N_TYPES) - 1, OF_VERSION), NULL);
    if (!o->n_tables) {
        monitor_table(sync, 0xff);
    }
    for (int i = 0; i < o->n_tables; i++) {
        monitor_table(sync, o->first_table + i);
    }
    if (o->other_table) {
        monitor_table(sync, o->other_table);
    }
}

/* Notes that the switch may have anything for 'item'.  Owners of 'item' that
 * the switch had refused get another chance. */
void
of_monitor_suspect(struct of_sync *sync, struct of_item *item)
{
    struct of_claim *claim;

    long long int now = time_msec();

    sync->stats.others_changes++;
    item->unsure = true;
    if (item->repaired && now < item->repaired + MAX_REPAIR_MS) {
        sync->quarrel = true;
    }
    LIST_FOR_EACH (claim, item_node, &item->claims) {
        free(claim->owner->refused);
        claim->owner->refused = NULL;
    }
    if (!sync->repair) {
        sync->repair = MAX(now + REPAIR_MS, sync->repaired + sync->repair_ms);
    }
}

/* Handles a report that somebody has made 'value', null for nothing, of
 * 'item'.  Takes over the reference to 'value'. */
static void
reported(struct of_sync *sync, struct of_item *item, struct of_value *value)
{
    if (sync->state == OF_DUMPING
        || !of_values_equal(sync, value, of_item_belief(item))) {
        of_monitor_suspect(sync, item);
    }
    of_value_unref(value);
}

static void
flow_reported(struct of_sync *sync, const struct ofputil_flow_update *fu)
{
    const struct of_sync_options *o = &sync->options;
    bool ours = !((fu->cookie ^ o->cookie) & o->cookie_mask);
    struct of_value *value = NULL;
    struct minimatch match;
    struct of_item *item;

    minimatch_init(&match, &fu->match);
    item = of_item_find_flow(sync, &match, fu->table_id, fu->priority);
    if (fu->event != OFPFME_REMOVED) {
        value = of_value_from_flow(fu->cookie, fu->ofpacts, fu->ofpacts_len);
        if (!item && ours) {
            item = of_item_get_flow(sync, &match, fu->table_id, fu->priority);
        }
    }
    /* The flow of somebody else may have replaced ours, or made place for
     * ours. */
    if (item) {
        reported(sync, item, value);
    } else {
        of_value_unref(value);
    }
    minimatch_destroy(&match);
}

static void
bad_report(struct of_sync *sync, const char *what, enum ofperr error)
{
    VLOG_WARN("%s: cannot decode a report of changed %s (%s)",
              rconn_get_name(sync->rconn), what, ofperr_to_string(error));
    rconn_reconnect(sync->rconn);
}

/* Handles 'oh', a report of changed flows. */
void
of_monitor_flows(struct of_sync *sync, const struct ofp_header *oh)
{
    struct ofpbuf b = ofpbuf_const_initializer(oh, ntohs(oh->length));
    uint64_t stub[1024 / 8];
    struct ofpbuf ofpacts = OFPBUF_STUB_INITIALIZER(stub);

    for (;;) {
        struct ofputil_flow_update fu;
        int retval = ofputil_decode_flow_update(&fu, &b, &ofpacts);

        if (retval) {
            if (retval != EOF) {
                bad_report(sync, "flows", retval);
            }
            break;
        }
        if (fu.event == OFPFME_ADDED || fu.event == OFPFME_MODIFIED
            || fu.event == OFPFME_REMOVED) {
            flow_reported(sync, &fu);
        }
    }
    ofpbuf_uninit(&ofpacts);
}

/* Handles 'command' of somebody else for the group 'item'.  'request' is the
 * whole message. */
static void
group_reported(struct of_sync *sync, struct of_item *item, uint16_t command,
               const struct ofp_header *request)
{
    struct ofputil_group_mod gm;

    if (command == OFPGC11_DELETE) {
        reported(sync, item, NULL);
    } else if ((command == OFPGC11_ADD || command == OFPGC11_MODIFY
                || command == OFPGC11_ADD_OR_MOD)
               && !ofputil_decode_group_mod(request, &gm)) {
        reported(sync, item, of_value_from_group(&gm));
    } else {
        /* A change of single buckets, or an unknown command. */
        of_monitor_suspect(sync, item);
    }
    of_item_collect(sync, item);
}

static void
group_mod(struct of_sync *sync, struct ofpbuf *b,
          const struct ofp_header *request)
{
    const struct ofp15_group_mod *ogm = ofpbuf_try_pull(b, sizeof *ogm);
    const struct of_sync_options *o = &sync->options;
    uint32_t group_id = ogm ? ntohl(ogm->group_id) : 0;
    struct of_item *item;

    if (group_id == OFPG_ALL) {
        HMAP_FOR_EACH (item, node, &sync->items) {
            if (item->is_group) {
                reported(sync, item, NULL);
            }
        }
    } else if (group_id >= o->group_min && group_id <= o->group_max) {
        group_reported(sync, of_item_get_group(sync, group_id),
                       ntohs(ogm->command), request);
    }
}

static void
meter_mod(struct of_sync *sync, struct ofpbuf *b)
{
    const struct ofp13_meter_mod *omm = ofpbuf_try_pull(b, sizeof *omm);

    if (omm && omm->command == htons(OFPMC13_DELETE)
        && sync->options.meter_rate
        && (ntohl(omm->meter_id) - sync->options.meter_id
            < of_meter_count(sync)
            || omm->meter_id == htonl(OFPM13_ALL))) {
        /* The flows that use the meter are deleted with it and reported after
         * it. */
        of_meter_start(sync);
    }
}

/* Handles 'oh', a group_mod or meter_mod of somebody else.  Open vSwitch
 * forwards commands for single buckets in a form that
 * ofputil_decode_requestforward() refuses.  So this looks only for the group's
 * id. */
void
of_monitor_request(struct of_sync *sync, const struct ofp_header *oh)
{
    struct ofpbuf b = ofpbuf_const_initializer(oh, ntohs(oh->length));
    const struct ofp_header *request;
    enum ofpraw raw;

    ofpraw_pull_assert(&b);
    request = b.data;
    if (b.size < sizeof *request || ntohs(request->length) != b.size
        || ofpraw_pull(&raw, &b)) {
        bad_report(sync, "groups", OFPERR_OFPBRC_BAD_LEN);
    } else if (raw == OFPRAW_OFPT15_GROUP_MOD) {
        group_mod(sync, &b, request);
    } else if (raw == OFPRAW_OFPT13_METER_MOD) {
        meter_mod(sync, &b);
    }
}

/* Sends the items again that others have changed, when that is due. */
void
of_monitor_run(struct of_sync *sync)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(6, 6);

    if (sync->state != OF_SYNCING || !sync->complete || !sync->repair
        || time_msec() < sync->repair) {
        return;
    }
    VLOG_WARN_RL(&rl, "%s: putting back flows and groups that "
                 "somebody else has changed or deleted (%"PRIu64" reports)",
                 rconn_get_name(sync->rconn),
                 sync->stats.others_changes - sync->n_repaired);
    sync->n_repaired = sync->stats.others_changes;
    sync->repair = 0;
    sync->repaired = time_msec();
    sync->repair_ms = (sync->quarrel
                       ? MIN(sync->repair_ms * 2, MAX_REPAIR_MS) : REPAIR_MS);
    sync->quarrel = false;
    sync->stats.repairs++;
    /* A flush takes the meters, too, and the switch reports only flows. */
    of_meter_start(sync);
    of_owners_touch_all(sync);
}

/* Wakes the poll loop when of_monitor_run() has something to do. */
void
of_monitor_wait(struct of_sync *sync)
{
    if (sync->state == OF_SYNCING && sync->complete && sync->repair) {
        poll_timer_wait_until(sync->repair);
    }
}
