/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "of-walk.h"

#include "of-send.h"
#include "of-state.h"
#include "openvswitch/ofp-ct.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofp-util.h"
#include "openvswitch/ofpbuf.h"
#include "timeval.h"
#include "util.h"

/* Time that walks may take at once, in us. */
#define BURST_US 400000

/* The budget grows by 1 us in so many us. */
#define REFILL 5

/* A walk that takes so much longer than others, in us, ended many
 * connections. */
#define LONG_WALK_US 1000

/* A message is sent until so many walks in a row took about as long as one
 * before, and at most so often. */
#define MAX_STALLS 2
#define MAX_WALKS 24

void
of_walk_init(struct of_sync *sync)
{
    sync->walk.budget = BURST_US;
    sync->walk.filled = time_usec();
}

/* Returns true if the budget allows another message. */
bool
of_walk_is_allowed(struct of_sync *sync)
{
    struct of_walk *w = &sync->walk;
    long long int us = (time_usec() - w->filled) / REFILL;

    w->budget = MIN(w->budget + us, BURST_US);
    w->filled += us * REFILL;
    return w->budget >= w->least_us;
}

/* Returns the time, in ms, from which on of_walk_is_allowed(). */
long long int
of_walk_when(const struct of_sync *sync)
{
    long long int lack = sync->walk.least_us - sync->walk.budget;

    return time_msec() + (lack > 0 ? lack * REFILL / 1000 + 1 : 0);
}

/* Returns the number of messages, at least 1, that the budget allows now if
 * each comes again until it was sent 'n_sendings' times.  If 'many', each of
 * them ends many connections. */
size_t
of_walk_max(const struct of_sync *sync, int n_sendings, bool many)
{
    long long int us = (MAX(sync->walk.least_us, 1) * n_sendings
                        * (many ? MAX_STALLS + 1 : 1));

    return MAX(sync->walk.budget / us, 1);
}

/* Sends the message and a barrier. */
static void
send_message(struct of_sync *sync)
{
    struct of_walk *w = &sync->walk;
    struct ofp_ct_match match = {
        .ip_proto = w->ct.protocol,
        .l3_type = w->ct.ipv6 ? AF_INET6 : AF_INET,
        .tuple_orig = { .dst = w->ct.orig_dst,
                        .dst_port = htons(w->ct.orig_dport) },
        .tuple_reply = { .src = w->ct.reply_src,
                         .src_port = htons(w->ct.reply_sport) },
    };
    uint16_t zone = w->ct.zone;

    sync->ct_xid = of_send(sync, ofp_ct_match_encode(&match, &zone,
                                                     OF_VERSION));
    sync->stats.ct_flushes++;
    w->xid = of_send(sync, ofputil_encode_barrier_request(OF_VERSION));
    w->started = time_usec();
    w->n_walks++;
}

/* Makes the switch forget the connections that 'ct' selects.  'many' says that
 * they are many.  No other walk may be under way. */
void
of_walk_start(struct of_sync *sync, const struct of_sync_ct *ct, bool many)
{
    sync->walk.ct = *ct;
    sync->walk.many = many;
    sync->walk.n_walks = 0;
    send_message(sync);
}

/* Notes that the last message took 'us'.  Returns true if it must be sent
 * again, since it ends so many connections that it may have missed some. */
static bool
note_time(struct of_walk *w, long long int us)
{
    w->budget = MAX(w->budget - us, 0);
    if (w->n_walks == 1) {
        w->best_us = us;
        w->n_stalls = 0;
        w->many |= us > w->least_us * 2 + LONG_WALK_US;
    } else {
        w->n_stalls = us < w->best_us * 3 / 4 ? 0 : w->n_stalls + 1;
        w->best_us = MIN(w->best_us, us);
    }
    if (w->many && w->n_stalls < MAX_STALLS && w->n_walks < MAX_WALKS) {
        return true;
    }
    w->least_us = MIN(w->best_us, w->least_us * 5 / 4 + 100);
    w->least_us = MIN(w->least_us, BURST_US);
    return false;
}

/* Handles 'oh', the switch's answer to a barrier.  Returns true if the walk
 * that is under way has ended. */
bool
of_walk_barrier(struct of_sync *sync, const struct ofp_header *oh)
{
    struct of_walk *w = &sync->walk;

    if (oh->xid != w->xid) {
        return false;
    }
    if (note_time(w, time_usec() - w->started)) {
        send_message(sync);
        return false;
    }
    return true;
}
