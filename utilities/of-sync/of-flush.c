/* SPDX-License-Identifier: Apache-2.0 */

/* Connections that the switch is to forget
 * ========================================
 *
 * The next packet of a forgotten connection makes it anew, by the flows and
 * groups that the switch has then.  If these are still the old ones, nothing
 * is gained.  So a request waits until the switch has acknowledged all changes
 * before it.  Without a connection to the switch, it waits for the next one.
 *
 * Even then the datapath may use its old flows for a moment: about half a
 * second in the userspace datapath.  So each request is sent twice.
 *
 * A request is in one of three lists: 'flushes_waiting', in the order of
 * 'epoch'; 'flushes_sent', until the switch answers the barrier after it;
 * 'flushes_again', in the order of 'when'. */

#include <config.h>
#include "of-flush.h"

#include <stdlib.h>

#include "hash.h"
#include "of-item.h"
#include "of-state.h"
#include "openvswitch/ofp-ct.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofp-util.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/rconn.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(of_flush);

/* From the first sending of a request to the second. */
#define AGAIN_MS 1000

/* Limit for requests.  One more, and all connections of the protocol are
 * forgotten instead. */
#define MAX_FLUSHES 4096

struct of_flush {
    struct hmap_node node;      /* In of_sync's 'flushes'. */
    struct ovs_list list_node;
    struct of_sync_ct ct;
    bool waiting;               /* In 'flushes_waiting'. */
    bool again;                 /* To be sent a second time. */
    uint64_t epoch;             /* Of the last change that the request waits
                                 * for. */
    long long int when;         /* In 'flushes_again': time of the second
                                 * sending, in ms. */
};

void
of_flush_init(struct of_sync *sync)
{
    hmap_init(&sync->flushes);
    ovs_list_init(&sync->flushes_waiting);
    ovs_list_init(&sync->flushes_sent);
    ovs_list_init(&sync->flushes_again);
}

static void
destroy_flush(struct of_sync *sync, struct of_flush *f)
{
    hmap_remove(&sync->flushes, &f->node);
    ovs_list_remove(&f->list_node);
    free(f);
}

void
of_flush_destroy(struct of_sync *sync)
{
    struct of_flush *f;

    HMAP_FOR_EACH_SAFE (f, node, &sync->flushes) {
        destroy_flush(sync, f);
    }
    hmap_destroy(&sync->flushes);
}

static uint32_t
hash_ct(const struct of_sync_ct *ct)
{
    uint32_t hash = hash_3words(ct->zone << 16 | ct->protocol << 8 | ct->ipv6,
                                ct->orig_dport << 16 | ct->reply_sport, 0);

    hash = hash_bytes(&ct->orig_dst, sizeof ct->orig_dst, hash);
    return hash_bytes(&ct->reply_src, sizeof ct->reply_src, hash);
}

static bool
is_same_kind(const struct of_sync_ct *a, const struct of_sync_ct *b)
{
    return (a->zone == b->zone && a->protocol == b->protocol
            && a->ipv6 == b->ipv6);
}

static struct of_flush *
find_flush(struct of_sync *sync, const struct of_sync_ct *ct)
{
    struct of_flush *f;

    HMAP_FOR_EACH_WITH_HASH (f, node, hash_ct(ct), &sync->flushes) {
        if (is_same_kind(&f->ct, ct)
            && IN6_ARE_ADDR_EQUAL(&f->ct.orig_dst, &ct->orig_dst)
            && IN6_ARE_ADDR_EQUAL(&f->ct.reply_src, &ct->reply_src)
            && f->ct.orig_dport == ct->orig_dport
            && f->ct.reply_sport == ct->reply_sport) {
            return f;
        }
    }
    return NULL;
}

/* Moves 'f', from any list, to the end of those that wait for the changes so
 * far. */
static void
enqueue(struct of_sync *sync, struct of_flush *f)
{
    ovs_list_remove(&f->list_node);
    ovs_list_push_back(&sync->flushes_waiting, &f->list_node);
    f->waiting = true;
    f->again = false;
    f->epoch = sync->epoch;
}

/* Drops all requests that 'all' includes.  'all' selects no addresses and no
 * ports. */
static void
coarsen(struct of_sync *sync, const struct of_sync_ct *all)
{
    struct of_flush *f;

    VLOG_WARN("%s: more than %d requests to forget connections: "
              "forgetting all of IP protocol %"PRIu8" instead",
              rconn_get_name(sync->rconn), MAX_FLUSHES, all->protocol);
    HMAP_FOR_EACH_SAFE (f, node, &sync->flushes) {
        if (is_same_kind(&f->ct, all)) {
            destroy_flush(sync, f);
        }
    }
}

/* Makes the switch forget the connections that 'ct' selects, once it has
 * acknowledged all changes so far. */
void
of_flush_add(struct of_sync *sync, const struct of_sync_ct *ct)
{
    struct of_sync_ct all = {
        .zone = ct->zone, .protocol = ct->protocol, .ipv6 = ct->ipv6,
    };
    struct of_flush *f = find_flush(sync, &all);

    if (!f || !f->waiting) {
        f = find_flush(sync, ct);
    }
    if (!f) {
        bool full = hmap_count(&sync->flushes) >= MAX_FLUSHES;

        if (full) {
            coarsen(sync, &all);
        }
        f = xzalloc(sizeof *f);
        f->ct = full ? all : *ct;
        ovs_list_init(&f->list_node);
        hmap_insert(&sync->flushes, &f->node, hash_ct(&f->ct));
    }
    enqueue(sync, f);
}

/* After a new connection: sends all requests anew, since the switch may not
 * have got them. */
void
of_flush_restart(struct of_sync *sync)
{
    struct of_flush *f;

    HMAP_FOR_EACH (f, node, &sync->flushes) {
        enqueue(sync, f);
    }
}

static void
send_flush(struct of_sync *sync, struct of_flush *f)
{
    const struct of_sync_ct *ct = &f->ct;
    struct ofp_ct_match match = {
        .ip_proto = ct->protocol,
        .l3_type = ct->ipv6 ? AF_INET6 : AF_INET,
        .tuple_orig = { .dst = ct->orig_dst,
                        .dst_port = htons(ct->orig_dport) },
        .tuple_reply = { .src = ct->reply_src,
                         .src_port = htons(ct->reply_sport) },
    };
    uint16_t zone = ct->zone;
    struct ofpbuf *b = ofp_ct_match_encode(&match, &zone, OF_VERSION);
    const struct ofp_header *oh = b->data;

    sync->ct_xid = oh->xid;
    sync->stats.ct_flushes++;
    rconn_send(sync->rconn, b, NULL);
    ovs_list_remove(&f->list_node);
    ovs_list_push_back(&sync->flushes_sent, &f->list_node);
    f->waiting = false;
}

/* Sends the requests that are due. */
void
of_flush_run(struct of_sync *sync)
{
    uint64_t unacked;
    struct of_flush *f;

    if (sync->state != OF_SYNCING || !sync->complete
        || hmap_is_empty(&sync->flushes)
        || !ovs_list_is_empty(&sync->flushes_sent)) {
        return;
    }
    if (!sync->has_ct_flush) {
        HMAP_FOR_EACH_SAFE (f, node, &sync->flushes) {
            sync->stats.ct_flushes_lost++;
            destroy_flush(sync, f);
        }
        return;
    }
    unacked = of_items_oldest(sync).epoch;
    LIST_FOR_EACH_SAFE (f, list_node, &sync->flushes_waiting) {
        /* A look at all items gave their changes a later epoch. */
        if (MAX(f->epoch, sync->touched) >= unacked) {
            break;
        }
        send_flush(sync, f);
    }
    LIST_FOR_EACH_SAFE (f, list_node, &sync->flushes_again) {
        if (time_msec() < f->when) {
            break;
        }
        send_flush(sync, f);
    }
    if (!ovs_list_is_empty(&sync->flushes_sent)) {
        struct ofpbuf *b = ofputil_encode_barrier_request(OF_VERSION);
        const struct ofp_header *oh = b->data;

        sync->flush_xid = oh->xid;
        rconn_send(sync->rconn, b, NULL);
    }
}

/* Handles 'oh', the switch's answer to a barrier. */
void
of_flush_barrier(struct of_sync *sync, const struct ofp_header *oh)
{
    struct of_flush *f;

    if (oh->xid != sync->flush_xid) {
        return;
    }
    LIST_FOR_EACH_SAFE (f, list_node, &sync->flushes_sent) {
        if (f->again) {
            destroy_flush(sync, f);
        } else {
            f->again = true;
            f->when = time_msec() + AGAIN_MS;
            ovs_list_remove(&f->list_node);
            ovs_list_push_back(&sync->flushes_again, &f->list_node);
        }
    }
}

/* Wakes the poll loop when a second sending is due. */
void
of_flush_wait(struct of_sync *sync)
{
    if (sync->state == OF_SYNCING && sync->complete
        && ovs_list_is_empty(&sync->flushes_sent)
        && !ovs_list_is_empty(&sync->flushes_again)) {
        const struct of_flush *f = CONTAINER_OF(
            ovs_list_front(&sync->flushes_again), struct of_flush, list_node);

        poll_timer_wait_until(f->when);
    }
}

/* Returns true if the switch has answered each request once. */
bool
of_flush_is_done(const struct of_sync *sync)
{
    return (ovs_list_is_empty(&sync->flushes_waiting)
            && ovs_list_is_empty(&sync->flushes_sent));
}
