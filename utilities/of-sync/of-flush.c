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
 * second in the userspace datapath.  And a walk may miss connections, see
 * below.  So each request is sent three times, a second apart.
 *
 * The switch walks through all its connections for each message: see
 * of-walk.h.  If a message for each request costs too much, one stands for all
 * requests of an endpoint, or of an address; else for all of the protocol.  It
 * may forget connections that nobody asked for.  These choose their endpoint
 * anew, for the most part the same one.
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
#include "of-walk.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/rconn.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(of_flush);

/* Times that a request is sent, and time from one to the next. */
#define N_SENDINGS 3
#define AGAIN_MS 1000

/* Limit for requests.  One more, and all connections of the protocol are
 * forgotten instead. */
#define MAX_FLUSHES 4096

/* Which requests a message stands for. */
enum scope {
    SCOPE_REQUEST,              /* One. */
    SCOPE_ENDPOINT,             /* Those of one endpoint. */
    SCOPE_ADDRESS,              /* Those of one address and port. */
    SCOPE_ALL,                  /* All of the zone, protocol and family. */
};

struct of_flush {
    struct hmap_node node;      /* In of_sync's 'flushes'. */
    struct ovs_list list_node;
    struct of_sync_ct ct;
    bool waiting;               /* In 'flushes_waiting'. */
    int n_sent;                 /* Times that it was sent. */
    uint64_t epoch;             /* Of the last change that the request waits
                                 * for. */
    long long int when;         /* In 'flushes_again': time of the next
                                 * sending, in ms. */
};

void
of_flush_init(struct of_sync *sync)
{
    hmap_init(&sync->flushes);
    ovs_list_init(&sync->flushes_waiting);
    ovs_list_init(&sync->flushes_sent);
    ovs_list_init(&sync->flushes_again);
    of_walk_init(sync);
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

static bool
same_endpoint(const struct of_sync_ct *a, const struct of_sync_ct *b)
{
    return (is_same_kind(a, b) && a->reply_sport == b->reply_sport
            && IN6_ARE_ADDR_EQUAL(&a->reply_src, &b->reply_src));
}

static bool
same_address(const struct of_sync_ct *a, const struct of_sync_ct *b)
{
    return (is_same_kind(a, b) && a->orig_dport == b->orig_dport
            && IN6_ARE_ADDR_EQUAL(&a->orig_dst, &b->orig_dst));
}

/* Returns true if one message of 'scope' stands for both 'a' and 'b'. */
static bool
in_scope(enum scope scope, const struct of_sync_ct *a,
         const struct of_sync_ct *b)
{
    switch (scope) {
    case SCOPE_ENDPOINT: return same_endpoint(a, b);
    case SCOPE_ADDRESS: return same_address(a, b);
    case SCOPE_ALL: return is_same_kind(a, b);
    case SCOPE_REQUEST:
    default: return same_endpoint(a, b) && same_address(a, b);
    }
}

static struct of_flush *
find_flush(struct of_sync *sync, const struct of_sync_ct *ct)
{
    struct of_flush *f;

    HMAP_FOR_EACH_WITH_HASH (f, node, hash_ct(ct), &sync->flushes) {
        if (in_scope(SCOPE_REQUEST, &f->ct, ct)) {
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
    f->n_sent = 0;
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

/* The requests that are due. */
struct due {
    struct of_flush **f;
    size_t n, allocated;
};

static void
add_due(struct due *due, struct of_flush *f)
{
    if (due->n >= due->allocated) {
        due->f = x2nrealloc(due->f, &due->allocated, sizeof *due->f);
    }
    due->f[due->n++] = f;
}

/* Collects the requests whose changes the switch has acknowledged, and those
 * whose next sending is due. */
static void
collect_due(struct of_sync *sync, struct due *due)
{
    uint64_t unacked = of_items_oldest(sync).epoch;
    struct of_flush *f;

    LIST_FOR_EACH (f, list_node, &sync->flushes_waiting) {
        /* A look at all items gave their changes a later epoch. */
        if (MAX(f->epoch, sync->touched) >= unacked) {
            break;
        }
        add_due(due, f);
    }
    LIST_FOR_EACH (f, list_node, &sync->flushes_again) {
        if (time_msec() < f->when) {
            break;
        }
        add_due(due, f);
    }
}

static int
compare_kinds(const struct of_sync_ct *a, const struct of_sync_ct *b)
{
    int cmp = a->zone - b->zone;

    cmp = cmp ? cmp : a->protocol - b->protocol;
    return cmp ? cmp : a->ipv6 - b->ipv6;
}

static int
compare_endpoints(const void *a_, const void *b_)
{
    const struct of_sync_ct *a = &(*(struct of_flush *const *) a_)->ct;
    const struct of_sync_ct *b = &(*(struct of_flush *const *) b_)->ct;
    int cmp = memcmp(&a->reply_src, &b->reply_src, sizeof a->reply_src);

    cmp = cmp ? cmp : a->reply_sport - b->reply_sport;
    return cmp ? cmp : compare_kinds(a, b);
}

static int
compare_addresses(const void *a_, const void *b_)
{
    const struct of_sync_ct *a = &(*(struct of_flush *const *) a_)->ct;
    const struct of_sync_ct *b = &(*(struct of_flush *const *) b_)->ct;
    int cmp = memcmp(&a->orig_dst, &b->orig_dst, sizeof a->orig_dst);

    cmp = cmp ? cmp : a->orig_dport - b->orig_dport;
    return cmp ? cmp : compare_kinds(a, b);
}

/* Returns the number of messages of 'scope' that stand for all of 'due', which
 * 'compare' sorts. */
static size_t
count_messages(struct due *due, enum scope scope,
               int (*compare)(const void *, const void *))
{
    size_t n = 0;

    qsort(due->f, due->n, sizeof *due->f, compare);
    for (size_t i = 0; i < due->n; i++) {
        n += !i || !in_scope(scope, &due->f[i - 1]->ct, &due->f[i]->ct);
    }
    return n;
}

/* Returns the narrowest scope by which 'due' keeps to the budget. */
static enum scope
choose_scope(const struct of_sync *sync, struct due *due)
{
    size_t n_endpoints, n_addresses;

    if (due->n <= of_walk_max(sync, N_SENDINGS, false)) {
        return SCOPE_REQUEST;
    }
    n_endpoints = count_messages(due, SCOPE_ENDPOINT, compare_endpoints);
    n_addresses = count_messages(due, SCOPE_ADDRESS, compare_addresses);
    return (MIN(n_endpoints, n_addresses) > of_walk_max(sync, N_SENDINGS, true)
            ? SCOPE_ALL
            : n_addresses <= n_endpoints ? SCOPE_ADDRESS
            : SCOPE_ENDPOINT);
}

/* Sends one message of 'scope' for the first of 'due', and for all others that
 * it stands for. */
static void
send_flush(struct of_sync *sync, const struct due *due, enum scope scope)
{
    const struct of_sync_ct *first = &due->f[0]->ct;
    struct of_sync_ct ct = *first;

    if (scope == SCOPE_ENDPOINT || scope == SCOPE_ALL) {
        ct.orig_dst = in6addr_any;
        ct.orig_dport = 0;
    }
    if (scope == SCOPE_ADDRESS || scope == SCOPE_ALL) {
        ct.reply_src = in6addr_any;
        ct.reply_sport = 0;
    }
    of_walk_start(sync, &ct, scope != SCOPE_REQUEST);
    for (size_t i = 0; i < due->n; i++) {
        struct of_flush *f = due->f[i];

        if (in_scope(scope, first, &f->ct)) {
            ovs_list_remove(&f->list_node);
            ovs_list_push_back(&sync->flushes_sent, &f->list_node);
            f->waiting = false;
        }
    }
}

/* Sends a message, if one is due. */
void
of_flush_run(struct of_sync *sync)
{
    struct due due = { .f = NULL };
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
    if (!of_walk_is_allowed(sync)) {
        return;
    }
    collect_due(sync, &due);
    if (due.n) {
        send_flush(sync, &due, choose_scope(sync, &due));
    }
    free(due.f);
}

/* Handles 'oh', the switch's answer to a barrier. */
void
of_flush_barrier(struct of_sync *sync, const struct ofp_header *oh)
{
    struct of_flush *f;

    if (ovs_list_is_empty(&sync->flushes_sent)
        || !of_walk_barrier(sync, oh)) {
        return;
    }
    LIST_FOR_EACH_SAFE (f, list_node, &sync->flushes_sent) {
        if (++f->n_sent >= N_SENDINGS) {
            destroy_flush(sync, f);
        } else {
            f->when = time_msec() + AGAIN_MS;
            ovs_list_remove(&f->list_node);
            ovs_list_push_back(&sync->flushes_again, &f->list_node);
        }
    }
}

/* Wakes the poll loop when a message is due and the budget allows it. */
void
of_flush_wait(struct of_sync *sync)
{
    long long int when = of_walk_when(sync);

    if (sync->state != OF_SYNCING || !sync->complete
        || !ovs_list_is_empty(&sync->flushes_sent)) {
        return;
    }
    if (!ovs_list_is_empty(&sync->flushes_waiting) && when > time_msec()) {
        poll_timer_wait_until(when);
    }
    if (!ovs_list_is_empty(&sync->flushes_again)) {
        const struct of_flush *f = CONTAINER_OF(
            ovs_list_front(&sync->flushes_again), struct of_flush, list_node);

        poll_timer_wait_until(MAX(f->when, when));
    }
}

/* Returns true if the switch has answered each request once. */
bool
of_flush_is_done(const struct of_sync *sync)
{
    return (ovs_list_is_empty(&sync->flushes_waiting)
            && ovs_list_is_empty(&sync->flushes_sent));
}
