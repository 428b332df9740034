/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "of-sync-private.h"

#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofp-bundle.h"
#include "openvswitch/ofp-connection.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofp-util.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/rconn.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "socket-util.h"
#include "svec.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(of_sync);

/* Seconds between attempts to connect. */
#define MAX_BACKOFF 8

struct of_group_id {
    struct hmap_node node;      /* In of_sync's 'group_ids', by 'id'. */
    uint32_t id;
    char *name;
};

/* Returns a new of_sync with copies of 'options'.  Until
 * of_sync_set_complete() is called it only looks at the switch. */
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
    hmap_init(&sync->items);
    shash_init(&sync->owners);
    ovs_list_init(&sync->dirty);
    sync->oldest_dirty.epoch = UINT64_MAX;
    sync->behind = time_msec();
    of_flush_init(sync);
    shash_init(&sync->groups);
    hmap_init(&sync->group_ids);
    return sync;
}

/* Frees 'sync', which may be null.  The switch keeps what it has. */
void
of_sync_destroy(struct of_sync *sync)
{
    if (sync) {
        struct of_group_id *gid;

        rconn_destroy(sync->rconn);
        of_bundle_forget(sync);
        of_items_destroy(sync);
        of_flush_destroy(sync);
        HMAP_FOR_EACH_SAFE (gid, node, &sync->group_ids) {
            hmap_remove(&sync->group_ids, &gid->node);
            free(gid->name);
            free(gid);
        }
        hmap_destroy(&sync->group_ids);
        hmap_destroy(&sync->items);
        shash_destroy(&sync->groups);
        shash_destroy(&sync->owners);
        free(sync->bundle.messages);
        free(sync->bundle.items);
        free(CONST_CAST(char *, sync->options.remote));
        free(sync);
    }
}

/* The ids of groups. */

static bool
id_is_used(const struct of_sync *sync, uint32_t id)
{
    const struct of_group_id *gid;

    HMAP_FOR_EACH_WITH_HASH (gid, node, hash_int(id, 0), &sync->group_ids) {
        if (gid->id == id) {
            return true;
        }
    }
    return false;
}

/* Stores in '*id' the id that belongs to 'name', or a free one, which belongs
 * to it from now on.  An id is a hash of the name, or the next that is free:
 * after a restart a name has the same id, but for those few that met at the
 * same hash.  Returns false if all ids are in use. */
bool
of_sync_group_id(struct of_sync *sync, const char *name, uint32_t *id)
{
    struct of_group_id *gid = shash_find_data(&sync->groups, name);
    uint64_t n_ids = ((uint64_t) sync->options.group_max
                      - sync->options.group_min + 1);

    if (!gid) {
        uint64_t offset = hash_string(name, 0) % n_ids;

        if (hmap_count(&sync->group_ids) >= n_ids) {
            return false;
        }
        while (id_is_used(sync, sync->options.group_min + offset)) {
            offset = (offset + 1) % n_ids;
        }
        gid = xmalloc(sizeof *gid);
        gid->id = sync->options.group_min + offset;
        gid->name = xstrdup(name);
        hmap_insert(&sync->group_ids, &gid->node, hash_int(gid->id, 0));
        shash_add(&sync->groups, name, gid);
    }
    *id = gid->id;
    return true;
}

/* The id of 'name' may become another's, when the group is no more wanted. */
void
of_sync_group_release(struct of_sync *sync, const char *name)
{
    struct of_group_id *gid = shash_find_and_delete(&sync->groups, name);

    if (gid) {
        hmap_remove(&sync->group_ids, &gid->node);
        free(gid->name);
        free(gid);
    }
}

/* The connection. */

/* Finds out whether the switch knows the selection method "maglev": puts a
 * group with it into a bundle that is never committed. */
static void
probe_lb(struct of_sync *sync)
{
    struct ofputil_bundle_ctrl_msg bc = {
        .bundle_id = ++sync->bundle.id,
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

/* The connection was lost, or there has been another one since. */
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
    of_items_forget_switch(sync);
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
            VLOG_WARN("%s: connections cannot be flushed (%s): UDP clients "
                      "keep endpoints that have gone until they pause",
                      rconn_get_name(sync->rconn), ofperr_to_string(error));
        }
    } else if (oh->xid == sync->group_xid || oh->xid == sync->flow_xid) {
        VLOG_WARN("%s: does not tell what it has (%s)",
                  rconn_get_name(sync->rconn), ofperr_to_string(error));
        rconn_reconnect(sync->rconn);
    } else if (oh->xid == sync->monitor_xid) {
        VLOG_WARN("%s: does not tell of changes (%s): what others delete "
                  "stays so until the next connection",
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
        of_dump_groups(sync, oh);
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

/* Does what there is to do.  To be called whenever the poll loop wakes up. */
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
}

/* All owners have said what they want: from now on the switch is changed, and
 * what nobody wants is deleted. */
void
of_sync_set_complete(struct of_sync *sync)
{
    if (!sync->complete) {
        sync->complete = true;
        if (sync->state == OF_SYNCING) {
            of_items_touch_all(sync);
        }
    }
}

/* Returns true if the switch is known to have what it should, and to have
 * forgotten what it should. */
bool
of_sync_is_settled(const struct of_sync *sync)
{
    return (sync->state == OF_SYNCING && sync->complete && !sync->n_dirty
            && !sync->repair && sync->bundle.state == OF_BUNDLE_NONE
            && of_flush_is_done(sync));
}

/* Returns true if the switch is known to have, or to have refused, all that
 * there should be when the connection began or of_sync_set_complete() was
 * called, whichever was later. */
bool
of_sync_has_caught_up(const struct of_sync *sync)
{
    return !sync->behind;
}

/* Returns the time, in ms, of the oldest change that the switch has not
 * acknowledged, or LLONG_MAX if there is none.  As long as the switch has not
 * caught up since it was away, that is when it went or earlier. */
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

/* What is to be seen of it. */

static const char *
state_name(const struct of_sync *sync)
{
    switch (sync->state) {
    case OF_DISCONNECTED:
        return rconn_get_state(sync->rconn);
    case OF_DUMPING:
        return "asking what the switch has";
    case OF_SYNCING:
        return (!sync->complete ? "waiting for the lists to be complete"
                : of_sync_is_settled(sync) ? "settled"
                : sync->repair ? "to put back what others have changed"
                : "changing the switch");
    }
    OVS_NOT_REACHED();
}

static void
count_items(const struct of_sync *sync, size_t *n_flows, size_t *n_groups)
{
    const struct of_item *item;

    *n_flows = *n_groups = 0;
    HMAP_FOR_EACH (item, node, &sync->items) {
        if (item->have) {
            ++*(item->is_group ? n_groups : n_flows);
        }
    }
}

/* Appends the state of 'sync' to 's', in lines. */
void
of_sync_format(const struct of_sync *sync, struct ds *s)
{
    struct svec refused = SVEC_EMPTY_INITIALIZER;
    const struct shash_node *node;
    size_t n_flows, n_groups;

    count_items(sync, &n_flows, &n_groups);
    ds_put_format(s, "switch %s: %s\n", sync->options.remote,
                  state_name(sync));
    ds_put_format(s, "selection method: %s\n",
                  sync->has_lb ? "maglev" : "dp_hash");
    ds_put_format(s, "has %"PRIuSIZE" flows, %"PRIuSIZE" groups; "
                  "%"PRIuSIZE" to be changed, %"PRIuSIZE" under way\n",
                  n_flows, n_groups, sync->n_dirty,
                  sync->bundle.state ? sync->bundle.n_items : 0);
    SHASH_FOR_EACH (node, &sync->owners) {
        const struct of_owner *owner = node->data;

        if (owner->refused) {
            svec_add_nocopy(&refused, xasprintf("refused: %s: %s\n",
                                                owner->key, owner->refused));
        }
    }
    svec_sort(&refused);
    for (size_t i = 0; i < refused.n; i++) {
        ds_put_cstr(s, refused.names[i]);
    }
    svec_destroy(&refused);
}

static void
put_counter(struct ds *s, const char *name, const char *help, uint64_t n)
{
    ds_put_format(s, "# HELP ovs_kube_proxy_%s %s\n"
                  "# TYPE ovs_kube_proxy_%s counter\n"
                  "ovs_kube_proxy_%s %"PRIu64"\n", name, help, name, name, n);
}

/* Appends counters to 's', in the text format of Prometheus. */
void
of_sync_format_metrics(const struct of_sync *sync, struct ds *s)
{
    static const char latency[] = "ovs_kube_proxy_sync_latency_seconds";
    size_t n_flows, n_groups;
    uint64_t n = 0;

    count_items(sync, &n_flows, &n_groups);
    ds_put_format(s, "# HELP ovs_kube_proxy_switch_items Flows and groups of "
                  "ours in the switch.\n"
                  "# TYPE ovs_kube_proxy_switch_items gauge\n"
                  "ovs_kube_proxy_switch_items{type=\"flow\"} %"PRIuSIZE"\n"
                  "ovs_kube_proxy_switch_items{type=\"group\"} %"PRIuSIZE"\n"
                  "# HELP ovs_kube_proxy_settled Whether the switch has all "
                  "that it should.\n"
                  "# TYPE ovs_kube_proxy_settled gauge\n"
                  "ovs_kube_proxy_settled %d\n",
                  n_flows, n_groups, of_sync_is_settled(sync));
    put_counter(s, "switch_connections_total",
                "Times the switch was connected to.",
                sync->stats.connections);
    put_counter(s, "bundles_total", "Bundles sent.", sync->stats.bundles);
    put_counter(s, "bundles_failed_total", "Bundles that the switch refused.",
                sync->stats.bundles_failed);
    put_counter(s, "refused_total", "Services that the switch refused.",
                sync->stats.refused);
    ds_put_format(s, "# HELP ovs_kube_proxy_changes_total Changes sent.\n"
                  "# TYPE ovs_kube_proxy_changes_total counter\n"
                  "ovs_kube_proxy_changes_total{type=\"flow-put\"} "
                  "%"PRIu64"\n"
                  "ovs_kube_proxy_changes_total{type=\"flow-delete\"} "
                  "%"PRIu64"\n"
                  "ovs_kube_proxy_changes_total{type=\"group-add\"} "
                  "%"PRIu64"\n"
                  "ovs_kube_proxy_changes_total{type=\"group-modify\"} "
                  "%"PRIu64"\n"
                  "ovs_kube_proxy_changes_total{type=\"group-delete\"} "
                  "%"PRIu64"\n",
                  sync->stats.flow_adds, sync->stats.flow_deletes,
                  sync->stats.group_adds, sync->stats.group_changes,
                  sync->stats.group_deletes);
    put_counter(s, "ct_flushes_total", "Requests to forget connections.",
                sync->stats.ct_flushes);
    put_counter(s, "ct_flushes_lost_total",
                "Those that the switch could not be asked for.",
                sync->stats.ct_flushes_lost);
    put_counter(s, "others_changes_total",
                "Changes of our flows and groups by somebody else.",
                sync->stats.others_changes);
    put_counter(s, "repairs_total", "Times that those were put back.",
                sync->stats.repairs);
    ds_put_format(s, "# HELP %s From a change to the switch's answer.\n"
                  "# TYPE %s histogram\n", latency, latency);
    for (size_t i = 0; i < OF_N_LATENCIES; i++) {
        n += sync->stats.latency[i];
        ds_put_format(s, "%s_bucket{le=\"%g\"} %"PRIu64"\n", latency,
                      (1 << i) / 1000.0, n);
    }
    ds_put_format(s, "%s_bucket{le=\"+Inf\"} %"PRIu64"\n"
                  "%s_sum %.3f\n%s_count %"PRIu64"\n", latency,
                  sync->stats.n_latency, latency, sync->stats.latency_sum,
                  latency, sync->stats.n_latency);
}
