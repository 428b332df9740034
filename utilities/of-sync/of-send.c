/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "of-send.h"

#include <stdlib.h>

#include "of-bucket.h"
#include "of-item.h"
#include "of-state.h"
#include "of-value.h"
#include "openflow/openflow-common.h"
#include "openvswitch/ofp-bundle.h"
#include "openvswitch/ofp-flow.h"
#include "openvswitch/ofp-group.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/rconn.h"
#include "util.h"

/* The switch rebuilds the group for each bucket that is removed.  For more
 * buckets than this, the whole group is sent instead, which resets the
 * counters of its buckets. */
#define MAX_REMOVE 8

/* Sends 'request', which it takes over.  Returns its xid, which the switch's
 * answer will have. */
ovs_be32
of_send(struct of_sync *sync, struct ofpbuf *request)
{
    ovs_be32 xid = ((const struct ofp_header *) request->data)->xid;

    rconn_send(sync->rconn, request, NULL);
    return xid;
}

/* Sends the request 'type' about 'bundle'.  Returns its xid, which the
 * switch's answer will have. */
ovs_be32
of_send_control(struct of_sync *sync, const struct of_bundle *bundle,
                uint16_t type)
{
    struct ofputil_bundle_ctrl_msg bc = {
        .bundle_id = bundle->id,
        .type = type,
        .flags = OFPBF_ATOMIC | OFPBF_ORDERED,
    };

    return of_send(sync, ofputil_encode_bundle_ctrl_request(OF_VERSION, &bc));
}

/* Sends 'message', about 'item', as part of 'bundle'.  Frees 'message'. */
static void
add_message(struct of_sync *sync, struct of_bundle *bundle,
            struct of_item *item, struct ofpbuf *message)
{
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
add_flow_mod(struct of_sync *sync, struct of_bundle *bundle,
             struct of_item *item, uint16_t command,
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
    add_message(sync, bundle, item, ofputil_encode_flow_mod(&fm, OF_PROTOCOL));
}

static void
send_flow(struct of_sync *sync, struct of_bundle *bundle,
          struct of_item *item, const struct of_value *want)
{
    const struct of_value *have = of_item_belief(item);

    if (!want) {
        add_flow_mod(sync, bundle, item, OFPFC_DELETE_STRICT, NULL);
        sync->stats.flow_deletes++;
    } else {
        /* A modification keeps the flow's counters.  It works only if the flow
         * is there and the cookie stays. */
        bool modify = (have && !item->unsure
                       && have->cookie == want->cookie);

        add_flow_mod(sync, bundle, item,
                     modify ? OFPFC_MODIFY_STRICT : OFPFC_ADD, want);
        sync->stats.flow_adds++;
    }
}

static void
add_group_mod(struct of_sync *sync, struct of_bundle *bundle,
              struct of_item *item, struct ofputil_group_mod *gm)
{
    gm->group_id = item->group_id;
    add_message(sync, bundle, item,
                ofputil_encode_group_mod(OF_VERSION, gm, NULL, -1));
}

/* Sends 'gm', whose list of buckets is empty, with the 'n' buckets at
 * 'buckets'.  They fit into one message: of-owner.c limits the buckets of a
 * group. */
static void
send_buckets(struct of_sync *sync, struct of_bundle *bundle,
             struct of_item *item, struct ofputil_group_mod *gm,
             struct ofputil_bucket **buckets, size_t n)
{
    struct ofputil_bucket *copy;

    ovs_list_init(&gm->buckets);
    for (size_t i = 0; i < n; i++) {
        copy = xmemdup(buckets[i], sizeof *copy);
        ovs_list_push_back(&gm->buckets, &copy->list_node);
    }
    add_group_mod(sync, bundle, item, gm);
    LIST_FOR_EACH_POP (copy, list_node, &gm->buckets) {
        free(copy);
    }
}

/* Sends a request to insert the 'n' buckets at 'buckets'. */
static void
insert_buckets(struct of_sync *sync, struct of_bundle *bundle,
               struct of_item *item, struct ofputil_bucket **buckets, size_t n)
{
    struct ofputil_group_mod gm = {
        .command = OFPGC15_INSERT_BUCKET,
        .type = OFPGT11_SELECT,
        .command_bucket_id = OFPG15_BUCKET_LAST,
    };

    if (n) {
        send_buckets(sync, bundle, item, &gm, buckets, n);
    }
}

static void
remove_bucket(struct of_sync *sync, struct of_bundle *bundle,
              struct of_item *item, uint32_t bucket_id)
{
    struct ofputil_group_mod gm = {
        .command = OFPGC15_REMOVE_BUCKET,
        .type = OFPGT11_SELECT,
        .command_bucket_id = bucket_id,
    };

    ovs_list_init(&gm.buckets);
    add_group_mod(sync, bundle, item, &gm);
}

/* Sends the group 'want' with all of its buckets, by 'command'. */
static void
send_whole_group(struct of_sync *sync, struct of_bundle *bundle,
                 struct of_item *item, struct ofputil_group_mod *want,
                 uint16_t command)
{
    struct ofputil_group_mod gm = *want;

    gm.command = command;
    gm.command_bucket_id = OFPG15_BUCKET_ALL;
    gm.props = of_group_props(sync, want);
    ovs_list_moved(&gm.buckets, &want->buckets);
    add_group_mod(sync, bundle, item, &gm);
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
send_group(struct of_sync *sync, struct of_bundle *bundle,
           struct of_item *item, struct of_value *want)
{
    struct ofputil_group_mod none = { .command = OFPGC15_DELETE };
    const struct of_value *belief = of_item_belief(item);
    struct ofputil_group_mod *have = belief ? belief->group : NULL;
    struct of_bucket_diff diff;

    ovs_list_init(&none.buckets);
    if (!want) {
        none.command_bucket_id = OFPG15_BUCKET_ALL;
        add_group_mod(sync, bundle, item, &none);
        sync->stats.group_deletes++;
        return;
    }

    /* Gives ids to the buckets of 'want'.  A bucket that stays keeps its
     * id. */
    of_bucket_diff(want->group, have ? have : &none, &diff);
    if (!have || item->unsure) {
        /* Open vSwitch's own command overwrites any group that may be
         * there. */
        send_whole_group(sync, bundle, item, want->group,
                         item->unsure ? OFPGC11_ADD_OR_MOD : OFPGC15_ADD);
        sync->stats.group_adds++;
    } else {
        if (!of_groups_alike(sync, want->group, have)
            || want->group->type != OFPGT11_SELECT
            || diff.n_remove > MAX_REMOVE
            || (is_sticky(want->group) && of_bucket_diff_reweighs(&diff))) {
            send_whole_group(sync, bundle, item, want->group, OFPGC15_MODIFY);
        } else {
            for (size_t i = 0; i < diff.n_remove; i++) {
                remove_bucket(sync, bundle, item, diff.remove[i]->bucket_id);
            }
            insert_buckets(sync, bundle, item, diff.add, diff.n_add);
        }
        sync->stats.group_changes++;
    }
    of_bucket_diff_uninit(&diff);
}

/* Sends, as part of 'bundle', what makes 'want' of 'item', null for
 * nothing. */
void
of_send_item(struct of_sync *sync, struct of_bundle *bundle,
             struct of_item *item, struct of_value *want)
{
    if (item->is_group) {
        send_group(sync, bundle, item, want);
    } else {
        send_flow(sync, bundle, item, want);
    }
}
