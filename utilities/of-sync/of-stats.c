/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "of-stats.h"

#include <stdlib.h>

#include "hash.h"
#include "of-send.h"
#include "of-state.h"
#include "openvswitch/hmap.h"
#include "openvswitch/ofp-group.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/poll-loop.h"
#include "timeval.h"
#include "util.h"

/* Time between two questions, and how long somebody counts as a reader. */
#define INTERVAL_MS 2000
#define READER_MS 15000

struct of_counters {
    struct hmap_node node;      /* In of_sync's 'counters'. */
    uint32_t group_id;
    unsigned int round;         /* Question to which the switch last named
                                 * the group. */

    /* Contain "struct ofputil_bucket"s, in the switch's order. */
    struct ovs_list named;      /* Their counters are still to come. */
    struct ovs_list buckets;    /* With counters, in 'stats'. */

    uint64_t packets;           /* Of the group, if 'counted'. */
    bool counted;
};

void
of_stats_init(struct of_sync *sync)
{
    hmap_init(&sync->counters);
}

static struct of_counters *
find(const struct of_sync *sync, uint32_t group_id)
{
    struct of_counters *c;

    HMAP_FOR_EACH_WITH_HASH (c, node, hash_int(group_id, 0),
                             &sync->counters) {
        if (c->group_id == group_id) {
            return c;
        }
    }
    return NULL;
}

static void
destroy(struct of_sync *sync, struct of_counters *c)
{
    hmap_remove(&sync->counters, &c->node);
    ofputil_bucket_list_destroy(&c->named);
    ofputil_bucket_list_destroy(&c->buckets);
    free(c);
}

void
of_stats_destroy(struct of_sync *sync)
{
    struct of_counters *c;

    HMAP_FOR_EACH_SAFE (c, node, &sync->counters) {
        destroy(sync, c);
    }
    hmap_destroy(&sync->counters);
}

/* Forgets the groups that the last round's answer did not name. */
static void
collect(struct of_sync *sync)
{
    struct of_counters *c;

    HMAP_FOR_EACH_SAFE (c, node, &sync->counters) {
        if (c->round != sync->counters_round) {
            destroy(sync, c);
        }
    }
}

static bool
is_due(const struct of_sync *sync)
{
    return (sync->state == OF_SYNCING
            && (sync->counters_once
                || sync->counters_read + READER_MS > time_msec()));
}

/* Asks the switch if that is due. */
void
of_stats_run(struct of_sync *sync)
{
    if (is_due(sync) && time_msec() >= sync->counters_next) {
        sync->counters_once = false;
        sync->counters_round++;
        sync->counters_next = time_msec() + INTERVAL_MS;
        sync->counters_desc_xid = of_send(
            sync, ofputil_encode_group_desc_request(OF_VERSION, OFPG_ALL));
        sync->counters_xid = of_send(
            sync, ofputil_encode_group_stats_request(OF_VERSION, OFPG_ALL));
    }
}

void
of_stats_wait(struct of_sync *sync)
{
    if (is_due(sync)) {
        poll_timer_wait_until(sync->counters_next);
    }
}

/* Moves the buckets of 'src' to 'dst', instead of those that it has. */
static void
replace(struct ovs_list *dst, struct ovs_list *src)
{
    ofputil_bucket_list_destroy(dst);
    ovs_list_move(dst, src);
    ovs_list_init(src);
}

/* Takes over the buckets of 'gd'. */
static void
take_buckets(struct of_sync *sync, struct ofputil_group_desc *gd)
{
    struct of_counters *c = find(sync, gd->group_id);

    if (!c) {
        c = xzalloc(sizeof *c);
        c->group_id = gd->group_id;
        ovs_list_init(&c->named);
        ovs_list_init(&c->buckets);
        hmap_insert(&sync->counters, &c->node, hash_int(gd->group_id, 0));
    }
    c->round = sync->counters_round;
    replace(&c->named, &gd->buckets);
}

/* Takes 'oh', a part of the switch's answer about its groups.  Returns false
 * if it answers somebody else's question. */
bool
of_stats_groups(struct of_sync *sync, const struct ofp_header *oh)
{
    struct ofpbuf b = ofpbuf_const_initializer(oh, ntohs(oh->length));
    struct ofputil_group_desc gd;

    if (oh->xid != sync->counters_desc_xid) {
        return false;
    }
    while (!ofputil_decode_group_desc_reply(&gd, &b, oh->version)) {
        if (gd.group_id >= sync->options.group_min
            && gd.group_id <= sync->options.group_max) {
            take_buckets(sync, &gd);
        }
        ofputil_uninit_group_desc(&gd);
    }
    return true;
}

/* Takes the counters of the buckets that the switch has just named. */
static void
take_counters(struct of_counters *c, const struct bucket_counter *counters)
{
    struct ofputil_bucket *bucket;

    LIST_FOR_EACH (bucket, list_node, &c->named) {
        bucket->stats = *counters++;
    }
    replace(&c->buckets, &c->named);
}

/* Takes 'oh', a part of the switch's answer about counters. */
void
of_stats_counters(struct of_sync *sync, const struct ofp_header *oh)
{
    struct ofpbuf b = ofpbuf_const_initializer(oh, ntohs(oh->length));
    struct ofputil_group_stats gs;

    if (oh->xid != sync->counters_xid) {
        return;
    }
    while (!ofputil_decode_group_stats_reply(&b, &gs)) {
        struct of_counters *c = find(sync, gs.group_id);

        if (c && ovs_list_size(&c->named) == gs.n_buckets) {
            take_counters(c, gs.bucket_stats);
            c->packets = gs.packet_count;
            c->counted = true;
        }
        free(gs.bucket_stats);
    }
    if (!ofpmp_more(oh)) {
        collect(sync);
    }
}

/* Has the switch asked every few seconds, for some seconds from now on. */
void
of_stats_watch(struct of_sync *sync)
{
    sync->counters_read = time_msec();
}

/* Has the switch asked once. */
void
of_stats_ask(struct of_sync *sync)
{
    sync->counters_once = true;
}

/* Calls 'cb' with 'aux' for each bucket of our group 'group_id', whose member
 * 'stats' says what the switch had counted when it was last asked.  Does
 * nothing if that is not known yet. */
void
of_stats_for_each_bucket(const struct of_sync *sync, uint32_t group_id,
                         of_sync_bucket_cb *cb, void *aux)
{
    const struct of_counters *c = find(sync, group_id);
    const struct ofputil_bucket *bucket;

    if (c) {
        LIST_FOR_EACH (bucket, list_node, &c->buckets) {
            cb(group_id, bucket, aux);
        }
    }
}

/* Stores in '*packets' how many packets had met our group 'group_id' when the
 * switch was last asked.  Returns false if that is not known. */
bool
of_stats_group(const struct of_sync *sync, uint32_t group_id,
               uint64_t *packets)
{
    const struct of_counters *c = find(sync, group_id);

    if (!c || !c->counted) {
        return false;
    }
    *packets = c->packets;
    return true;
}
