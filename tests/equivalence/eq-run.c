/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "tests/equivalence/eq-run.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "lib/fuse/fuse-replay.h"
#include "ovs-rcu.h"
#include "packets.h"
#include "random.h"
#include "tests/equivalence/eq-case.h"
#include "tests/equivalence/eq-device.h"
#include "tests/equivalence/eq-frame.h"
#include "tests/equivalence/eq-offload.h"
#include "tests/equivalence/eq-side.h"
#include "util.h"

struct eq_totals eq_totals;

static struct eq_side reference, cached;

/* The packets of one direction of a conversation, by number. */
#define MAX_STREAMS (2 * EQ_MAX_CONVS + 1)
#define MAX_NUMBER 2048
static bool was_hit[MAX_STREAMS][MAX_NUMBER];
static uint16_t kinds[MAX_STREAMS][MAX_NUMBER];

/* Two packets of one direction of a conversation that left by one port in
 * another order than they came in. */
struct inversion {
    uint32_t event, port, stream;
};
#define MAX_INVERSIONS 1024

struct run {
    struct eq_case c;            /* The present leaves and groups. */
    uint32_t event;
    bool cache, verbose;
    bool differs;
    struct inversion inversions[MAX_INVERSIONS];
    uint32_t n_inversions;
    struct {
        struct eq_header headers[2]; /* Of those who open it, of answers. */
        uint32_t seq[2];
        uint32_t n[2];           /* Packets. */
    } convs[EQ_MAX_CONVS];
    uint16_t ip_id;
};

static void
start_run(struct run *r, const struct eq_case *c, bool cache, bool verbose)
{
    memset(r, 0, sizeof *r);
    memset(was_hit, 0, sizeof was_hit);
    r->c = *c;
    r->cache = cache;
    r->verbose = verbose;
    for (uint32_t i = 0; i < c->n_convs; i++) {
        r->convs[i].headers[0] = eq_header_of_conv(&c->convs[i], i);
        r->convs[i].seq[0] = 1000 + i;
        r->convs[i].seq[1] = UINT32_MAX - 2000 * i;
    }
}

/* Comparing what came out. */

static int
compare_outs(const void *a_, const void *b_)
{
    const struct eq_out *a = a_, *b = b_;
    int order = (a->port != b->port ? (a->port > b->port ? 1 : -1)
                 : a->tag != b->tag ? (a->tag > b->tag ? 1 : -1)
                 : a->size != b->size ? (a->size > b->size ? 1 : -1)
                 : memcmp(&a->meta, &b->meta, sizeof a->meta));

    return order ? order : memcmp(a->octets, b->octets, a->size);
}

static void
print_out(const char *title, const struct eq_out *out)
{
    printf("%s port %u tag %08x, %u octets, priority %u, rss %08x, offsets "
           "%u %u %u, padding %u, offloads %x\n ",
           title, out->port, out->tag, out->size, out->meta.priority,
           out->meta.rss, out->meta.l2_5_ofs, out->meta.l3_ofs,
           out->meta.l4_ofs, out->meta.l2_pad_size, out->offloads);
    for (uint32_t i = 0; i < MIN(out->size, 128); i++) {
        printf("%s%02x", i % 4 ? "" : " ", out->octets[i]);
    }
    printf("\n");
}

static bool
has_inversion(const struct run *r, const struct inversion *inversion)
{
    for (uint32_t i = 0; i < r->n_inversions; i++) {
        if (!memcmp(&r->inversions[i], inversion, sizeof *inversion)) {
            return true;
        }
    }
    return false;
}

/* Returns a number for packets of one direction of a conversation that may
 * meet other megaflows than the rest.  In a small window it depends on all
 * packets before whether the tracker finds 'pkt', the 'n'th one, valid. */
static uint16_t
get_kind(const struct eq_conv *conv, const struct eq_pkt *pkt, uint32_t n)
{
    if (conv->window < UINT16_MAX) {
        return n;
    }

    const uint8_t what[] = {
        pkt->frag, pkt->tos, pkt->ttl, pkt->options, pkt->ip_wrong,
        pkt->csum == EQ_WRONG, pkt->seq, pkt->ack, pkt->flags,
    };

    return hash_bytes(what, sizeof what, 0);
}

/* Returns true if the packets with these tags, the second of which came first,
 * are in the wrong order.  Open vSwitch takes packets that meet one megaflow
 * before those that meet the next one.  Hits, and packets that meet the same
 * megaflows, must keep their order. */
static bool
is_wrong(uint32_t a, uint32_t b)
{
    uint32_t i = a & 0xffffff, j = b & 0xffffff, stream = a >> 24;

    return (was_hit[stream][i] || was_hit[stream][j]
            || kinds[stream][i] == kinds[stream][j]);
}

static void
note_inversions(struct run *r, const struct eq_outs *outs)
{
    uint32_t last[EQ_N_PORTS][256] = { { 0 } };

    for (uint32_t i = 0; i < outs->n; i++) {
        const struct eq_out *out = &outs->outs[i];
        struct inversion inversion = { r->event, out->port, out->tag >> 24 };
        uint32_t *max = &last[out->port][out->tag >> 24];

        if (!out->tag || out->tag >= *max) {
            *max = out->tag;
        } else if ((!r->cache || is_wrong(out->tag, *max))
                   && !has_inversion(r, &inversion)) {
            ovs_assert(r->n_inversions < MAX_INVERSIONS);
            r->inversions[r->n_inversions++] = inversion;
            if (r->verbose) {
                printf("port %u: %08x leaves after %08x\n", out->port,
                       out->tag, *max);
            }
        }
    }
}

static void
compare_sides(struct run *r)
{
    struct eq_outs *a = &reference.wire.outs, *b = &cached.wire.outs;
    uint32_t n = MAX(a->n, b->n);

    qsort(a->outs, a->n, sizeof a->outs[0], compare_outs);
    qsort(b->outs, b->n, sizeof b->outs[0], compare_outs);
    for (uint32_t i = 0; i < n && !r->differs; i++) {
        r->differs = (i >= a->n || i >= b->n
                      || compare_outs(&a->outs[i], &b->outs[i])
                      || !eq_offloads_fit(a->outs[i].offloads,
                                          b->outs[i].offloads));
        if (r->differs && r->verbose) {
            printf("event %u: %u packets without the cache, %u with it\n",
                   r->event, a->n, b->n);
            if (i < a->n) {
                print_out("without:", &a->outs[i]);
            }
            if (i < b->n) {
                print_out("with:   ", &b->outs[i]);
            }
        }
    }
}

/* Batches. */

/* Returns the sequence number 'next', changed as 'how' says. */
static uint32_t
odd_number(uint32_t next, enum eq_seq how, uint32_t len, uint32_t window)
{
    switch (how) {
    case EQ_AGAIN: return next - len;
    case EQ_OLD: return next - 100000;
    case EQ_FAR: return next + (1 << 24);
    case EQ_EDGE: return next + window;
    case EQ_NEXT:
    default: return next;
    }
}

static struct eq_numbers
make_numbers(struct run *r, const struct eq_pkt *pkt, bool reply)
{
    const struct eq_conv *conv = &r->c.convs[pkt->conv];
    uint32_t *seq = &r->convs[pkt->conv].seq[reply];
    uint32_t ack = r->convs[pkt->conv].seq[!reply];
    struct eq_numbers n = {
        .tag = EQ_TAG(2 * pkt->conv + reply + 1,
                      ++r->convs[pkt->conv].n[reply]),
        .id = pkt->frag == EQ_LAST ? r->ip_id : ++r->ip_id,
        .seq = odd_number(*seq, pkt->seq, pkt->len, conv->window),
        .ack = odd_number(ack, pkt->ack, 1, conv->window),
        .window = conv->window,
        .rss = conv->rss ? conv->rss + pkt->rss + reply : 0,
    };

    ovs_assert(r->convs[pkt->conv].n[reply] < MAX_NUMBER);
    kinds[n.tag >> 24][n.tag & 0xffffff] = get_kind(
        conv, pkt, r->convs[pkt->conv].n[reply]);
    if (pkt->seq == EQ_NEXT) {
        *seq += pkt->len + !!(pkt->flags & (TCP_SYN | TCP_FIN));
    }
    return n;
}

/* Notes the headers of answers to the packets that left the reference. */
static void
note_answers(struct run *r)
{
    for (uint32_t i = 0; i < reference.wire.outs.n; i++) {
        const struct eq_out *out = &reference.wire.outs.outs[i];
        uint32_t stream = (out->tag >> 24) - 1;

        if (out->tag && !(stream & 1)) {
            struct eq_header h = eq_header_of_answer(out->octets, out->size,
                                                     out->port);

            if (h.valid) {
                r->convs[stream / 2].headers[1] = h;
            }
        }
    }
}

/* Returns true if the order of packets decides more than the order in which
 * they leave: if meters drop some, or if megaflows match TCP flags and a
 * connection may end in 'event'.  Open vSwitch takes packets of one megaflow
 * before those of the next one, so it depends on how a batch is split which
 * ones exceed a meter, and whether a RST comes when its sequence number is the
 * next one. */
static bool
order_decides(const struct run *r, const struct eq_event *event)
{
    bool ends = false;

    for (uint32_t i = 0; i < event->n; i++) {
        ends |= (event->pkts[i].flags & (TCP_SYN | TCP_FIN | TCP_RST)) != 0;
    }
    if (r->c.meters == EQ_DROPPING_METERS) {
        return true;
    }
    for (uint32_t i = 0; i < r->c.n_tables && ends; i++) {
        const struct eq_table *table = &r->c.tables[i];

        for (uint32_t j = 0; j < table->n_nodes; j++) {
            if (table->nodes[j].test.field == EQ_TCP_FLAGS) {
                return true;
            }
        }
    }
    return false;
}

/* Takes those packets in 'todo', a bitmap, that come in at the same port as
 * the first one.  Returns the others. */
static uint32_t
run_port(struct run *r, const struct eq_event *event, uint32_t todo)
{
    struct dp_packet *a[EQ_MAX_BURST], *b[EQ_MAX_BURST];
    uint32_t n = 0, left = 0, port = 0;

    for (uint32_t i = 0; i < event->n; i++) {
        const struct eq_pkt *pkt = &event->pkts[i];
        const struct eq_header *h
            = &r->convs[pkt->conv].headers[event->reply];

        if (!(todo & 1u << i) || !h->valid) {
            continue;
        } else if (n && h->port != port) {
            left |= 1u << i;
            continue;
        }

        struct eq_numbers numbers = make_numbers(r, pkt, event->reply);

        port = h->port;
        a[n] = eq_frame(h, pkt, &numbers, event->reply);
        b[n++] = eq_frame(h, pkt, &numbers, event->reply);
    }
    if (n) {
        /* Around upcalls, Open vSwitch reorders a batch. */
        bool upcalls = eq_side_input(&reference, port, a, n, true);

        eq_side_input(&cached, port, b, n,
                      upcalls || order_decides(r, event));
        note_inversions(r, &cached.wire.outs);
        eq_totals.packets += n;
        eq_totals.outputs += cached.wire.outs.n;
        if (!event->reply) {
            note_answers(r);
        }
        compare_sides(r);
    }
    return left;
}

static void
for_both(void (*func)(struct eq_side *))
{
    func(&reference);
    func(&cached);
}

static void
change(struct run *r, const struct eq_event *event)
{
    struct eq_node *leaf = &r->c.tables[event->table].nodes[event->node];

    if (r->c.overlaps || event->kind == EQ_E_TIME) {
        /* A megaflow that is deleted loses what it was not credited with. */
        eq_settle(&reference, &cached);
    }
    switch (event->kind) {
    case EQ_E_TIME:
        eq_clock_advance(event->a);
        break;
    case EQ_E_FLUSH_FLOWS:
        for_both(eq_side_flush_flows);
        break;
    case EQ_E_DELETE_FLOW:
        eq_side_delete_flow(&reference, event->a);
        eq_side_delete_flow(&cached, event->a);
        break;
    case EQ_E_FLUSH_CT:
        eq_side_flush_ct(&reference, event->a);
        eq_side_flush_ct(&cached, event->a);
        break;
    case EQ_E_CHANGE_LEAF:
        memcpy(leaf->actions, event->actions, sizeof leaf->actions);
        leaf->n_actions = event->n_actions;
        for_both(eq_side_revalidate);
        break;
    case EQ_E_GROUP:
        eq_side_set_group(&reference, event->a, &event->group);
        eq_side_set_group(&cached, event->a, &event->group);
        break;
    case EQ_E_NEIGHBOUR:
        reference.pipeline.neighbours = event->a;
        cached.pipeline.neighbours = event->a;
        for_both(eq_side_revalidate);
        break;
    case EQ_E_PORT_FLAP:
        eq_side_flap_port(&reference, event->a);
        eq_side_flap_port(&cached, event->a);
        for_both(eq_side_revalidate);
        break;
    case EQ_E_TUNNEL:
        eq_side_toggle_tunnel(&reference, event->a);
        eq_side_toggle_tunnel(&cached, event->a);
        break;
    case EQ_E_FLUSH_CACHE:
        eq_flush_cache();
        break;
    case EQ_E_BATCH:
    case EQ_N_EVENTS:
    default:
        break;
    }
}

static void
run_case(struct run *r, const struct eq_case *c, bool cache, bool verbose)
{
    static uint32_t n_runs;

    start_run(r, c, cache, verbose);
    random_set_seed(c->seed | 1);
    eq_clock_advance(1000000);
    eq_set_fuse(false);
    eq_settle(&reference, &cached);
    eq_side_reset(&reference, &r->c);
    eq_side_reset(&cached, &r->c);
    eq_clock_advance(2000);      /* So that meters let some packets pass. */
    eq_set_fuse(cache);
    for (; r->event < r->c.n_events && !r->differs; r->event++) {
        const struct eq_event *event = &r->c.events[r->event];
        uint32_t todo = UINT32_MAX;

        if (event->kind != EQ_E_BATCH) {
            change(r, event);
        }
        while (event->kind == EQ_E_BATCH && todo && !r->differs) {
            todo = run_port(r, event, todo);
        }
    }
    if (!r->differs) {
        r->differs = !eq_sides_agree(&reference, &cached, verbose);
    }
    eq_totals.hits = eq_n_hits();
    if (!(++n_runs % 16)) {
        ovsrcu_quiesce();
    }
}

static fuse_replay_func *replay;

/* Replays, and notes the hits. */
static void
note_hits(struct fuse_replay *fr, struct fuse_batch *batch)
{
    uint32_t tags[FUSE_BATCH];

    for (uint32_t i = 0; i < batch->n; i++) {
        tags[i] = eq_find_tag(batch->packets[i], batch->sizes[i]);
    }
    replay(fr, batch);
    for (uint32_t i = 0; i < batch->n; i++) {
        if (tags[i] && batch->verdicts[i] == FUSE_HIT) {
            was_hit[tags[i] >> 24][tags[i] & 0xffffff] = true;
        }
    }
}

void
eq_start(fuse_replay_func *func)
{
    eq_device_register();
    eq_side_start(&reference, 'a');
    eq_side_start(&cached, 'b');
    replay = func;
    fuse_replay_batch = note_hits;
}

enum eq_verdict
eq_judge(const struct eq_case *c, bool verbose)
{
    static struct run with, without;

    run_case(&with, c, true, verbose);
    if (!with.differs && !with.n_inversions) {
        return EQ_SAME;
    }
    if (eq_side_has_twins(&reference)) {
        return EQ_VOID;
    }
    if (verbose) {
        printf("again, with the cache off:\n");
    }
    run_case(&without, c, false, verbose);
    if (without.differs) {
        return EQ_VOID;
    }
    if (with.differs) {
        return EQ_FAULT;
    }
    for (uint32_t i = 0; i < with.n_inversions; i++) {
        if (!has_inversion(&without, &with.inversions[i])) {
            return EQ_FAULT;
        }
    }
    return EQ_SAME;
}
