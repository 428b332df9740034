/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "of-sync.h"

#include <stdlib.h>
#include <string.h>

#include "of-bundle.h"
#include "of-dump.h"
#include "of-flush.h"
#include "of-group-id.h"
#include "of-item.h"
#include "of-meter.h"
#include "of-monitor.h"
#include "of-owner.h"
#include "of-state.h"
#include "of-stats.h"
#include "of-value.h"
#include "openvswitch/ofp-bundle.h"
#include "openvswitch/ofp-connection.h"
#include "openvswitch/ofp-group.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofp-util.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/rconn.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "socket-util.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(of_sync);

/* Seconds between attempts to connect. */
#define MAX_BACKOFF 8

/* Returns a new of_sync, which copies 'options', for the caller to destroy.
 * Until of_sync_set_complete() it only asks what the switch has. */
struct of_sync *
of_sync_create(const struct of_sync_options *options)
{
    struct of_sync *sync = xzalloc(sizeof *sync);

    sync->options = *options;
    sync->options.remote = xstrdup(options->remote);
    sync->rconn = rconn_create(options->probe_interval, MAX_BACKOFF,
                               DSCP_DEFAULT, 1u << OF_VERSION);
    rconn_connect(sync->rconn, options->remote, options->remote);
    sync->has_lb = sync->has_ct_flush = true;
    sync->has_meter = options->meter_id && options->meter_rate;
    sync->meters = xcalloc(of_meter_count(sync), sizeof *sync->meters);
    hmap_init(&sync->items);
    shash_init(&sync->owners);
    ovs_list_init(&sync->dirty);
    sync->oldest_dirty.epoch = UINT64_MAX;
    sync->behind = time_msec();
    of_flush_init(sync);
    of_stats_init(sync);
    shash_init(&sync->groups);
    hmap_init(&sync->group_ids);
    return sync;
}

/* Frees 'sync', which may be null.  The switch keeps its flows and groups. */
void
of_sync_destroy(struct of_sync *sync)
{
    if (sync) {
        rconn_destroy(sync->rconn);
        of_bundle_forget(sync);
        of_owners_destroy(sync);
        of_flush_destroy(sync);
        of_stats_destroy(sync);
        of_group_ids_destroy(sync);
        hmap_destroy(&sync->items);
        shash_destroy(&sync->owners);
        of_bundle_destroy(sync);
        free(sync->meters);
        free(CONST_CAST(char *, sync->options.remote));
        free(sync);
    }
}

/* The connection. */

/* Finds out whether the switch knows the selection method "maglev": sends a
 * group that uses it, in a bundle that is never committed. */
static void
probe_lb(struct of_sync *sync)
{
    struct ofputil_bundle_ctrl_msg bc = {
        .bundle_id = ++sync->bundle_id,
        .type = OFPBCT_OPEN_REQUEST,
        .flags = OFPBF_ATOMIC | OFPBF_ORDERED,
    };
    struct ofputil_group_mod gm = {
        .command = OFPGC15_ADD,
        .type = OFPGT11_SELECT,
        .group_id = sync->options.group_min,
        .command_bucket_id = OFPG15_BUCKET_ALL,
        .props.selection_method = "maglev",
    };
    struct ofputil_bundle_add_msg add = {
        .bundle_id = bc.bundle_id,
        .flags = bc.flags,
    };
    struct ofpbuf *message;

    ovs_list_init(&gm.buckets);
    message = ofputil_encode_group_mod(OF_VERSION, &gm, NULL, -1);
    add.msg = message->data;
    sync->probe_xid = add.msg->xid;
    sync->has_lb = true;
    rconn_send(sync->rconn,
               ofputil_encode_bundle_ctrl_request(OF_VERSION, &bc), NULL);
    rconn_send(sync->rconn, ofputil_encode_bundle_add(OF_VERSION, &add),
               NULL);
    bc.type = OFPBCT_DISCARD_REQUEST;
    rconn_send(sync->rconn,
               ofputil_encode_bundle_ctrl_request(OF_VERSION, &bc), NULL);
    ofpbuf_delete(message);
}

/* Notes that changes may be missing in the switch, since the connection
 * ended. */
static void
lost(struct of_sync *sync)
{
    if (!sync->behind) {
        struct of_age oldest = of_items_oldest(sync);

        sync->behind = (oldest.epoch == UINT64_MAX ? time_msec()
                        : oldest.since);
    }
}

static void
connected(struct of_sync *sync)
{
    lost(sync);
    sync->state = OF_DUMPING;
    sync->has_ct_flush = true;
    sync->retry = 0;
    sync->stats.connections++;
    of_bundle_forget(sync);
    of_owners_forget_switch(sync);
    of_flush_restart(sync);
    probe_lb(sync);
    of_meter_start(sync);
    of_monitor_start(sync);
    of_dump_start(sync);
}

static void
handle_error(struct of_sync *sync, const struct ofp_header *oh)
{
    enum ofperr error = ofperr_decode_msg(oh, NULL);

    if (oh->xid == sync->probe_xid) {
        sync->has_lb = false;
        VLOG_INFO("%s: no selection method maglev (%s): groups use dp_hash",
                  rconn_get_name(sync->rconn), ofperr_to_string(error));
    } else if (oh->xid == sync->ct_xid) {
        sync->stats.ct_flushes_lost++;
        if (sync->has_ct_flush) {
            sync->has_ct_flush = false;
            VLOG_WARN("%s: the switch cannot forget connections (%s): UDP "
                      "clients keep a removed endpoint until they pause",
                      rconn_get_name(sync->rconn), ofperr_to_string(error));
        }
    } else if (oh->xid == sync->group_xid || oh->xid == sync->flow_xid) {
        VLOG_WARN("%s: the switch does not list its flows and groups (%s)",
                  rconn_get_name(sync->rconn), ofperr_to_string(error));
        rconn_reconnect(sync->rconn);
    } else if (oh->xid == sync->monitor_xid) {
        VLOG_WARN("%s: the switch does not report changes (%s): what others "
                  "change stays so until the next connection",
                  rconn_get_name(sync->rconn), ofperr_to_string(error));
    } else if (!of_meter_error(sync, oh, error)) {
        of_bundle_error(sync, oh, error);
    }
}

static void
handle_message(struct of_sync *sync, const struct ofp_header *oh)
{
    enum ofptype type;

    if (ofptype_decode(&type, oh)) {
        return;
    }
    switch ((int) type) {
    case OFPTYPE_ECHO_REQUEST:
        rconn_send(sync->rconn, ofputil_encode_echo_reply(oh), NULL);
        break;
    case OFPTYPE_ERROR:
        handle_error(sync, oh);
        break;
    case OFPTYPE_GROUP_DESC_STATS_REPLY:
        if (!of_stats_groups(sync, oh)) {
            of_dump_groups(sync, oh);
        }
        break;
    case OFPTYPE_GROUP_STATS_REPLY:
        of_stats_counters(sync, oh);
        break;
    case OFPTYPE_FLOW_STATS_REPLY:
        of_dump_flows(sync, oh);
        break;
    case OFPTYPE_FLOW_MONITOR_STATS_REPLY:
        of_monitor_flows(sync, oh);
        break;
    case OFPTYPE_REQUESTFORWARD:
        of_monitor_request(sync, oh);
        break;
    case OFPTYPE_BUNDLE_CONTROL:
        of_bundle_reply(sync, oh);
        break;
    case OFPTYPE_BARRIER_REPLY:
        of_flush_barrier(sync, oh);
        break;
    default:
        break;
    }
}

/* Does all work that is due.  Must be called whenever the poll loop wakes
 * up. */
void
of_sync_run(struct of_sync *sync)
{
    rconn_run(sync->rconn);
    if (!rconn_is_connected(sync->rconn)) {
        lost(sync);
        sync->state = OF_DISCONNECTED;
    } else if (sync->state == OF_DISCONNECTED
               || sync->seqno != rconn_get_connection_seqno(sync->rconn)) {
        sync->seqno = rconn_get_connection_seqno(sync->rconn);
        connected(sync);
    }
    for (int i = 0; i < 500 && sync->state != OF_DISCONNECTED; i++) {
        struct ofpbuf *b = rconn_recv(sync->rconn);

        if (!b) {
            break;
        }
        handle_message(sync, b->data);
        ofpbuf_delete(b);
    }
    of_monitor_run(sync);
    of_bundle_run(sync);
    of_flush_run(sync);
    of_stats_run(sync);
    if (sync->behind && sync->state == OF_SYNCING && sync->complete
        && of_items_oldest(sync).epoch > sync->touched) {
        sync->behind = 0;
    }
}

void
of_sync_wait(struct of_sync *sync)
{
    rconn_run_wait(sync->rconn);
    rconn_recv_wait(sync->rconn);
    of_monitor_wait(sync);
    of_bundle_wait(sync);
    of_flush_wait(sync);
    of_stats_wait(sync);
}

/* The wishes of users. */

/* See of_owner_replace(), and so on: each of these has its description where
 * the work is done. */
void
of_sync_replace(struct of_sync *sync, const char *key,
                struct ofputil_flow_mod *flows, size_t n_flows,
                struct ofputil_group_mod *groups, size_t n_groups)
{
    of_owner_replace(sync, key, flows, n_flows, groups, n_groups);
}

void
of_sync_remove(struct of_sync *sync, const char *key)
{
    of_owner_remove(sync, key);
}

void
of_sync_set_complete(struct of_sync *sync)
{
    of_owners_set_complete(sync);
}

void
of_sync_clear(struct of_sync *sync)
{
    of_owners_clear(sync);
}

const char *
of_sync_refused(const struct of_sync *sync, const char *key)
{
    return of_owner_refused(sync, key);
}

bool
of_sync_group_id(struct of_sync *sync, const char *name, uint32_t *id)
{
    return of_group_id_get(sync, name, id);
}

uint32_t
of_sync_group_id_of(const struct of_sync *sync, const char *name)
{
    return of_group_id_of(sync, name);
}

bool
of_sync_group_is_used(const struct of_sync *sync, uint32_t id)
{
    return of_group_id_is_used(sync, id);
}

void
of_sync_group_release(struct of_sync *sync, const char *name)
{
    of_group_id_release(sync, name);
}

void
of_sync_ct_flush(struct of_sync *sync, const struct of_sync_ct *ct)
{
    of_flush_add(sync, ct);
}

void
of_sync_watch_counters(struct of_sync *sync)
{
    of_stats_watch(sync);
}

void
of_sync_ask_counters(struct of_sync *sync)
{
    of_stats_ask(sync);
}

bool
of_sync_group_packets(const struct of_sync *sync, uint32_t group_id,
                      uint64_t *packets)
{
    return of_stats_group(sync, group_id, packets);
}

void
of_sync_for_each_bucket(const struct of_sync *sync, uint32_t group_id,
                        of_sync_bucket_cb *cb, void *aux)
{
    of_stats_for_each_bucket(sync, group_id, cb, aux);
}

/* Returns the bucket 'bucket_id', or the first one if that is
 * OFPG15_BUCKET_FIRST, of our group 'group_id' in the switch, or null if it is
 * not there.  Belongs to 'sync', until the next of_sync_run(). */
const struct ofputil_bucket *
of_sync_find_bucket(const struct of_sync *sync, uint32_t group_id,
                    uint32_t bucket_id)
{
    const struct of_item *item = of_item_find_group(sync, group_id);
    const struct ofputil_bucket *bucket;

    if (item && item->have) {
        LIST_FOR_EACH (bucket, list_node, &item->have->group->buckets) {
            if (bucket_id == OFPG15_BUCKET_FIRST
                || bucket->bucket_id == bucket_id) {
                return bucket;
            }
        }
    }
    return NULL;
}

/* Returns true if our group 'group_id' is in the switch and chooses one of its
 * buckets. */
bool
of_sync_group_chooses(const struct of_sync *sync, uint32_t group_id)
{
    const struct of_item *item = of_item_find_group(sync, group_id);

    return item && item->have && item->have->group->type == OFPGT11_SELECT;
}

uint32_t
of_sync_meter(const struct of_sync *sync)
{
    return of_meter_id(sync);
}

/* Calls 'cb' with 'aux' for each bucket of our groups that the switch has at
 * the first connection, and again if that connection is lost meanwhile. */
void
of_sync_set_bucket_cb(struct of_sync *sync, of_sync_bucket_cb *cb, void *aux)
{
    sync->bucket_cb = cb;
    sync->bucket_aux = aux;
}

/* Returns true once the switch has said what it has. */
bool
of_sync_has_dumped(const struct of_sync *sync)
{
    return sync->dumped;
}

/* Returns true if the switch has acknowledged all changes, and has forgotten
 * the connections that it should. */
bool
of_sync_is_settled(const struct of_sync *sync)
{
    return (sync->state == OF_SYNCING && sync->complete && !sync->n_dirty
            && !sync->repair && !sync->n_bundles
            && of_flush_is_done(sync));
}

/* Returns true if the switch has acknowledged or refused all that was wanted
 * when the connection began or of_sync_set_complete() was called, whichever
 * came later. */
bool
of_sync_has_caught_up(const struct of_sync *sync)
{
    return !sync->behind;
}

/* Returns the time, in ms, of the oldest change that the switch has not
 * acknowledged, or LLONG_MAX if there is none.  After a lost connection,
 * returns the time of the loss or earlier, until the switch has caught up. */
long long int
of_sync_behind_since(struct of_sync *sync)
{
    struct of_age oldest = of_items_oldest(sync);

    return (sync->behind ? sync->behind
            : oldest.epoch == UINT64_MAX ? LLONG_MAX : oldest.since);
}

/* Returns true unless the switch lacks the selection method "maglev". */
bool
of_sync_has_lb(const struct of_sync *sync)
{
    return sync->has_lb;
}
