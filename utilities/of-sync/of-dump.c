/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "of-dump.h"

#include "of-item.h"
#include "of-owner.h"
#include "of-send.h"
#include "of-state.h"
#include "of-value.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofp-flow.h"
#include "openvswitch/ofp-group.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/rconn.h"
#include "openvswitch/vlog.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(of_dump);

/* Asks for all groups, and for the flows with our cookie. */
void
of_dump_start(struct of_sync *sync)
{
    struct ofputil_flow_stats_request fsr = {
        .cookie = sync->options.cookie & sync->options.cookie_mask,
        .cookie_mask = sync->options.cookie_mask,
        .out_port = OFPP_ANY,
        .out_group = OFPG_ANY,
        .table_id = 0xff,
    };

    match_init_catchall(&fsr.match);
    sync->groups_dumped = sync->flows_dumped = false;
    sync->group_xid = of_send(
        sync, ofputil_encode_group_desc_request(OF_VERSION, OFPG_ALL));
    sync->flow_xid = of_send(
        sync, ofputil_encode_flow_stats_request(&fsr, OF_PROTOCOL));
}

static void
end_if_dumped(struct of_sync *sync)
{
    if (sync->groups_dumped && sync->flows_dumped) {
        sync->state = OF_SYNCING;
        sync->dumped = true;
        if (sync->complete) {
            of_owners_touch_all(sync);
            VLOG_INFO("%s: %"PRIuSIZE" flows and groups are not as they "
                      "should be", rconn_get_name(sync->rconn),
                      sync->n_dirty);
        }
    }
}

static void
bad_reply(struct of_sync *sync, const char *what, enum ofperr error)
{
    VLOG_WARN("%s: cannot decode the switch's %s (%s)",
              rconn_get_name(sync->rconn), what, ofperr_to_string(error));
    rconn_reconnect(sync->rconn);
}

static void
tell_buckets(const struct of_sync *sync, const struct ofputil_group_desc *gd)
{
    const struct ofputil_bucket *bucket;

    if (sync->bucket_cb && !sync->dumped) {
        LIST_FOR_EACH (bucket, list_node, &gd->buckets) {
            sync->bucket_cb(gd->group_id, bucket, sync->bucket_aux);
        }
    }
}

/* Stores the groups in 'oh', a part of the switch's answer. */
void
of_dump_groups(struct of_sync *sync, const struct ofp_header *oh)
{
    struct ofpbuf b = ofpbuf_const_initializer(oh, ntohs(oh->length));

    if (sync->state != OF_DUMPING || oh->xid != sync->group_xid) {
        return;
    }
    for (;;) {
        struct ofputil_group_desc gd;
        int retval = ofputil_decode_group_desc_reply(&gd, &b, oh->version);

        if (retval) {
            if (retval != EOF) {
                bad_reply(sync, "groups", retval);
                return;
            }
            break;
        }
        if (gd.group_id >= sync->options.group_min
            && gd.group_id <= sync->options.group_max) {
            struct ofputil_group_mod gm = {
                .type = gd.type,
                .group_id = gd.group_id,
                .props = gd.props,
            };

            tell_buckets(sync, &gd);
            ovs_list_move(&gm.buckets, &gd.buckets);
            of_item_set_have(of_item_get_group(sync, gd.group_id),
                             of_value_from_group(&gm));
        } else {
            ofputil_uninit_group_desc(&gd);
        }
    }
    if (!ofpmp_more(oh)) {
        sync->groups_dumped = true;
        end_if_dumped(sync);
    }
}

/* Stores the flows in 'oh', a part of the switch's answer. */
void
of_dump_flows(struct of_sync *sync, const struct ofp_header *oh)
{
    struct ofpbuf b = ofpbuf_const_initializer(oh, ntohs(oh->length));
    uint64_t stub[1024 / 8];
    struct ofpbuf ofpacts = OFPBUF_STUB_INITIALIZER(stub);

    if (sync->state != OF_DUMPING || oh->xid != sync->flow_xid) {
        return;
    }
    for (;;) {
        struct ofputil_flow_stats fs;
        struct minimatch match;
        int retval = ofputil_decode_flow_stats_reply(&fs, &b, false,
                                                     &ofpacts);

        if (retval) {
            if (retval != EOF) {
                bad_reply(sync, "flows", retval);
                ofpbuf_uninit(&ofpacts);
                return;
            }
            break;
        }
        minimatch_init(&match, &fs.match);
        of_item_set_have(of_item_get_flow(sync, &match, fs.table_id,
                                          fs.priority),
                         of_value_from_flow(fs.cookie, fs.ofpacts,
                                            fs.ofpacts_len));
        minimatch_destroy(&match);
    }
    ofpbuf_uninit(&ofpacts);
    if (!ofpmp_more(oh)) {
        sync->flows_dumped = true;
        end_if_dumped(sync);
    }
}
