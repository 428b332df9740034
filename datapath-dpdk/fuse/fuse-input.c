/* SPDX-License-Identifier: Apache-2.0 */

/* Packets from a port, through the fused flow cache
 * =================================================
 *
 * Hits leave the batch and go out.  Misses stay for the ordinary path.  A miss
 * whose flow may be learned takes that path alone and is recorded.  If a batch
 * has both, some misses go before some hits, which keeps the packets of a flow
 * in their order: see lib/fuse/fuse-order.h. */

#include <config.h>
#include "datapath-dpdk/fuse/fuse-input.h"

#include <string.h>

#include "datapath-dpdk/compat/compat-batch.h"
#include "datapath-dpdk/compat/compat-dpif.h"
#include "datapath-dpdk/compat/compat-offload.h"
#include "datapath-dpdk/fuse/fuse-chain.h"
#include "datapath-dpdk/fuse/fuse-cycles.h"
#include "datapath-dpdk/fuse/fuse-learn.h"
#include "datapath-dpdk/fuse/fuse-meter.h"
#include "datapath-dpdk/fuse/fuse-record.h"
#include "datapath-dpdk/fuse/fuse-thread.h"
#include "datapath-dpdk/fuse/fuse-trial.h"
#include "datapath-dpdk/fuse/fuse.h"
#include "dpdk.h"
#include "lib/fuse/fuse-order.h"
#include "netlink.h"
#include "odp-execute.h"
#include "odp-netlink.h"
#include "util.h"

/* At most so many packets of a batch are learned. */
#define MAX_LEARN 8

/* A packet that is learned takes the ordinary path alone, and costs as much as
 * some others.  So when many flows are to be learned, after a flush say, one
 * packet in LEARN_SHARE is learned, besides LEARN_BURST packets at first. */
#define LEARN_SHARE 8
#define LEARN_BURST 64

/* After so many refusals without success, only one flow in LEARN_RARELY is
 * tried. */
#define MANY_REFUSALS 64
#define LEARN_RARELY 64

static fuse_output_func *output;

/* Packets go out by 'func'.  Called once, before the first packet. */
void
fuse_input_init(fuse_output_func *func)
{
    output = func;
}

/* Makes room for FUSE_MAX_KEY octets before 'packet' if there is none.
 * Returns false if it cannot: Open vSwitch built with DPDK keeps the size of a
 * packet's memory in 16 bits, and loses packets that grow beyond. */
static bool
make_headroom(struct dp_packet *packet)
{
    size_t headroom = dp_packet_headroom(packet);
    size_t allocated = dp_packet_get_allocated(packet);

    if (headroom >= FUSE_MAX_KEY) {
        return true;
    } else if (allocated < headroom + dp_packet_size(packet)
               || allocated - headroom + FUSE_MAX_KEY > UINT16_MAX) {
        return false;
    }
    dp_packet_push_uninit(packet, FUSE_MAX_KEY);
    dp_packet_pull(packet, FUSE_MAX_KEY);
    return true;
}

/* Collects what lib/ needs to know of the packets of 'batch'. */
static inline void
fill_batch(struct fuse_batch *fb, const struct dp_packet_batch *batch,
           odp_port_t in_port)
{
    fb->n = batch->count;
    fb->in_port = odp_to_u32(in_port);
    for (uint32_t i = 0; i < fb->n; i++) {
        struct dp_packet *packet = batch->packets[i];
        uint8_t flags = compat_offloads(packet);
        uint8_t ol = 0;

        if (OVS_UNLIKELY(packet->source == DPBUF_MALLOC
                         && !make_headroom(packet))) {
            ol |= FUSE_OL_SKIP;
        }

        fb->packets[i] = dp_packet_data(packet);
        OVS_PREFETCH(fb->packets[i]);
        fb->sizes[i] = dp_packet_size(packet);
        fb->headroom[i] = dp_packet_headroom(packet);
        fb->rss[i] = *dp_packet_rss_ptr(packet);
        if (OVS_UNLIKELY(flags)) {
            ol |= flags & COMPAT_OL_RSS ? FUSE_OL_RSS : 0;
            ol |= flags & COMPAT_OL_L3_GOOD ? FUSE_OL_L3_GOOD : 0;
            ol |= flags & COMPAT_OL_L4_GOOD ? FUSE_OL_L4_GOOD : 0;
            ol |= flags & COMPAT_OL_OTHER ? FUSE_OL_SKIP : 0;
        }
#ifdef DPDK_NETDEV
        if (OVS_UNLIKELY(packet->source == DPBUF_DPDK
                         && packet->mbuf.nb_segs != 1)) {
            ol |= FUSE_OL_SKIP;
        }
#endif
        fb->ol[i] = ol;
    }
}

/* Applies the parts of the entry's program that are not octets of 'packet':
 * see fuse_record_output__(). */
static inline void
set_metadata(struct dp_packet *packet, const struct fuse_batch *fb,
             uint32_t i, const struct fuse_entry *entry)
{
    const struct fuse_program *p = entry->chain->program;

    if (p->k != p->m) {
        dp_packet_set_data(packet, fb->packets[i] + p->k - p->m);
        dp_packet_set_size(packet, fb->sizes[i] - p->k + p->m);
    }
    if (p->flags & (FUSE_P_OL_RESET | FUSE_P_RSS_SET)) {
        if (p->flags & FUSE_P_OL_RESET) {
            dp_packet_reset_offload(packet);
        }
        if (p->flags & FUSE_P_RSS_SET) {
            dp_packet_set_rss_hash(packet, entry->rss);
        }
    }
    packet->l2_pad_size = fb->classes[i].pad;
    packet->l2_5_ofs = p->l2_5_ofs;
    packet->l3_ofs = p->l3_ofs;
    packet->l4_ofs = p->l4_ofs;
    packet->md.skb_priority = p->priority;
}

/* Drops the packets of 'batch' for 'reason', as the action does, which counts
 * them. */
static void
drop_batch(struct dp_packet_batch *batch, uint32_t reason)
{
    const struct {
        struct nlattr header;
        uint32_t reason;
    } action = { { sizeof action, OVS_ACTION_ATTR_DROP }, reason };

    odp_execute_actions(NULL, batch, true, &action.header,
                        reason == FUSE_NO_DROP_REASON ? 0 : sizeof action,
                        NULL);
}

/* A hit's way is its output port, or WAY_DROP with the reason, or WAY_GONE:
 * the packet was freed. */
#define WAY_DROP (UINT64_C(1) << 32)
#define WAY_GONE (UINT64_C(1) << 33)

/* Takes the hits in 'metered', a bitmap, through their meters, and sets the
 * metadata of those that are left. */
static void
meter_hits(struct dp_netdev_pmd_thread *pmd,
           const struct dp_packet_batch *batch, const struct fuse_batch *fb,
           uint32_t metered, uint64_t *ways)
{
    uint32_t left = fuse_meter(pmd, batch, fb, metered);

    for (uint32_t todo = metered; todo; todo = zero_rightmost_1bit(todo)) {
        uint32_t i = rightmost_1bit_idx(todo);

        if (left >> i & 1) {
            set_metadata(batch->packets[i], fb, i, fb->entries[i]);
        } else {
            ways[i] = WAY_GONE;
        }
    }
}

/* Sets the metadata of the hits of 'batch' and notes the way of each in
 * 'ways', by its index.  From then on their entries are not needed.  Returns
 * how many there are, and stores in '*differ' whether some may go other ways
 * than the first packet. */
static inline uint32_t
set_ways(struct dp_netdev_pmd_thread *pmd, const struct dp_packet_batch *batch,
         const struct fuse_batch *fb, uint64_t *ways, bool *differ)
{
    uint64_t difference = 0;
    uint32_t metered = 0;
    uint32_t n_hits = 0;

    ways[0] = 0;
    for (uint32_t i = 0; i < fb->n; i++) {
        if (OVS_LIKELY(fb->verdicts[i] == FUSE_HIT)) {
            const struct fuse_entry *entry = fb->entries[i];
            const struct fuse_chain *chain = entry->chain;
            uint16_t flags = chain->program->flags;

            ways[i] = chain->out_port;
            if (OVS_LIKELY(!(flags & (FUSE_P_DROP | FUSE_P_METER)))) {
                set_metadata(batch->packets[i], fb, i, entry);
            } else if (flags & FUSE_P_DROP) {
                ways[i] |= WAY_DROP;
            } else {
                metered |= UINT32_C(1) << i;
            }
            difference |= ways[i] ^ ways[0];
            n_hits++;
        }
    }
    *differ = difference != 0;
    if (OVS_UNLIKELY(metered)) {
        meter_hits(pmd, batch, fb, metered, ways);
        *differ = true;
    }
    return n_hits;
}

/* Sends the packets of 'batch', or drops them, unless they are gone. */
static inline void
send_way(struct dp_netdev_pmd_thread *pmd, struct dp_packet_batch *batch,
         uint64_t way)
{
    if (OVS_LIKELY(!(way & (WAY_DROP | WAY_GONE)))) {
        output(pmd, batch, true, u32_to_odp(way));
    } else if (way & WAY_DROP) {
        drop_batch(batch, way);
    }
}

/* Sends 'n' hits, in their order for each port, or drops them.  Destroys
 * 'packets' and their 'ways'. */
static void
send_hits(struct dp_netdev_pmd_thread *pmd, struct dp_packet **packets,
          uint64_t *ways, uint32_t n)
{
    struct dp_packet_batch out;

    while (n) {
        uint64_t way = ways[0];
        uint32_t n_left = 0;

        dp_packet_batch_init(&out);
        for (uint32_t j = 0; j < n; j++) {
            if (OVS_LIKELY(ways[j] == way)) {
                dp_packet_batch_add(&out, packets[j]);
            } else {
                ways[n_left] = ways[j];
                packets[n_left++] = packets[j];
            }
        }
        n = n_left;
        send_way(pmd, &out, way);
        compat_batch_destroy(&out);
    }
}

/* Takes 'batch' through the ordinary path, as if the port had just received
 * it. */
void
fuse_take_ordinary_path(struct dp_netdev_pmd_thread *pmd,
                        struct dp_packet_batch *batch, odp_port_t in_port)
{
    if (!dp_packet_batch_is_empty(batch)) {
        fuse_ordinary_input(pmd, batch, in_port);
        compat_batch_clear(batch);
    }
}

/* Hashes of the flows of a batch that learning was tried for. */
struct tried {
    uint32_t n;
    uint64_t hashes[MAX_LEARN];
};

/* Returns whether the flow of the 'i'th packet, a miss, is learned.  A batch
 * tries each flow once: all packets were looked up before. */
static enum fuse_admission
admit(struct fuse_thread *t, const struct fuse_batch *fb, uint32_t i,
      const struct tried *tried)
{
    enum fuse_admission admission = FUSE_ADMITTED;

    if (fb->shapes[i] < 0 || fb->verdicts[i] == FUSE_DECLINED
        || fb->classes[i].end || tried->n >= MAX_LEARN
        || t->learn_debt >= LEARN_BURST * LEARN_SHARE) {
        return FUSE_NOT_ADMITTED;
    }
    for (uint32_t j = 0; j < tried->n; j++) {
        if (tried->hashes[j] == fb->hashes[i]) {
            return FUSE_NOT_ADMITTED;
        }
    }
    if (fb->verdicts[i] == FUSE_MISS) {
        admission = fuse_admit(t, fb->in_port, fb->hashes[i]);
    }
    return (admission
            && (t->refusals_in_a_row < MANY_REFUSALS
                || !(t->refusals_in_a_row++ % LEARN_RARELY))
            ? admission : FUSE_NOT_ADMITTED);
}

/* Takes 'packet', the 'i'th, through the ordinary path and learns from it.
 * Returns false if its flow could not be learned. */
static bool
learn_packet(struct fuse_thread *t, const struct fuse_batch *fb, uint32_t i,
             struct dp_packet *packet, odp_port_t in_port, bool on_trial)
{
    uint64_t start = on_trial ? fuse_cycles(t->pmd) : 0;
    struct dp_packet_batch one;
    struct fuse_entry *entry;
    enum fuse_reason reason;

    fuse_record_start(&t->record, fb, i, packet, t->pmd->ctx.now / 1000);
    dp_packet_batch_init_packet(&one, packet);
    fuse_take_ordinary_path(t->pmd, &one, in_port);
    compat_batch_destroy(&one);
    fuse_record_current = NULL;

    reason = fuse_learn(t, fb, i, &entry);
    if (!reason) {
        fuse_count(t, FUSE_C_LEARNED, 1);
        t->refusals_in_a_row = 0;
        if (on_trial) {
            fuse_trial_start(t, entry, fuse_cycles(t->pmd) - start);
        }
    } else {
        fuse_count(t, FUSE_C_REASONS + reason, 1);
        if (!fuse_reason_is_transient(reason)) {
            fuse_table_refuse(t->replay.table, fb->hashes[i]);
        }
        t->refusals_in_a_row++;
    }
    return !reason;
}

/* Counts the 'i'th packet, a miss. */
static void
count_rest(struct fuse_thread *t, const struct fuse_batch *fb, uint32_t i)
{
    int shape = fb->shapes[i];

    fuse_count(t, (shape < 0 ? FUSE_C_SKIPS - 1 - shape
                   : fb->verdicts[i] == FUSE_DECLINED ? FUSE_C_DECLINED
                   : fb->verdicts[i] == FUSE_STALE ? FUSE_C_STALE
                   : FUSE_C_MISSES), 1);
}

/* Packets of a batch that wait, and their flows: see lib/fuse/fuse-order.h. */
struct waiting_hits {
    uint32_t n;
    struct fuse_flows flows;
    struct dp_packet *packets[FUSE_BATCH];
    uint64_t ways[FUSE_BATCH];
};

struct waiting_rest {
    struct dp_packet_batch batch;
    struct fuse_flows flows;
};

static void
run_rest(struct fuse_thread *t, struct waiting_rest *rest, odp_port_t in_port)
{
    fuse_take_ordinary_path(t->pmd, &rest->batch, in_port);
    fuse_flows_clear(&rest->flows);
}

static void
run_hits(struct fuse_thread *t, struct waiting_hits *hits)
{
    send_hits(t->pmd, hits->packets, hits->ways, hits->n);
    hits->n = 0;
    fuse_flows_clear(&hits->flows);
}

/* Sends the hits of 'batch' by their 'ways' and takes other packets through
 * the ordinary path, in an order that keeps the order within flows.  Leaves
 * the packets that may go last in 'batch'.  Returns how many were learned. */
static uint32_t
handle_mixed(struct fuse_thread *t, struct dp_packet_batch *batch,
             const struct fuse_batch *fb, const uint64_t *ways,
             odp_port_t in_port)
{
    struct waiting_hits hits;
    struct waiting_rest rest;
    struct tried tried = { .n = 0 };
    bool outer = !fuse_batch_has_shapes(fb);
    uint32_t n_learned = 0;

    hits.n = 0;
    fuse_flows_clear(&hits.flows);
    dp_packet_batch_init(&rest.batch);
    fuse_flows_clear(&rest.flows);
    for (uint32_t i = 0; i < fb->n; i++) {
        struct dp_packet *packet = batch->packets[i];
        struct fuse_flow flow = fuse_flow_of(fb, i, outer);
        enum fuse_admission admission;

        if (fb->verdicts[i] == FUSE_HIT) {
            if (fuse_flows_have(&rest.flows, &flow)) {
                run_rest(t, &rest, in_port);
            }
            fuse_flows_add(&hits.flows, &flow);
            hits.packets[hits.n] = packet;
            hits.ways[hits.n++] = ways[i];
            continue;
        }
        count_rest(t, fb, i);
        if (fuse_flows_have(&hits.flows, &flow)) {
            run_hits(t, &hits);
        }
        admission = admit(t, fb, i, &tried);
        if (admission) {
            tried.hashes[tried.n++] = fb->hashes[i];
            t->learn_debt += LEARN_SHARE;
            if (fuse_flows_have(&rest.flows, &flow)) {
                run_rest(t, &rest, in_port);
            }
            n_learned += learn_packet(t, fb, i, packet, in_port,
                                      admission == FUSE_ON_TRIAL);
        } else {
            fuse_flows_add(&rest.flows, &flow);
            dp_packet_batch_add(&rest.batch, packet);
        }
    }
    run_hits(t, &hits);
    compat_batch_clear(batch);
    compat_batch_move(batch, &rest.batch);
    compat_batch_destroy(&rest.batch);
    return n_learned;
}

uint32_t
fuse_use_cache(struct fuse_thread *t, struct dp_packet_batch *batch,
               odp_port_t in_port, uint32_t *n_learned)
{
    struct dp_netdev_pmd_thread *pmd = t->pmd;
    struct fuse_batch fb;
    uint64_t ways[FUSE_BATCH];
    uint32_t n_hits;
    bool differ;

    *n_learned = 0;
    t->replay.epoch = fuse_epoch(pmd);
    t->replay.now = pmd->ctx.now / 1000;
    t->learn_debt -= MIN(t->learn_debt, batch->count);
    fill_batch(&fb, batch, in_port);
    fuse_replay_batch(&t->replay, &fb);

    n_hits = set_ways(pmd, batch, &fb, ways, &differ);
    if (n_hits) {
        fuse_count(t, FUSE_C_HITS, n_hits);
        pmd_perf_update_counter(&pmd->perf_stats, PMD_STAT_RECV, n_hits);
        pmd_perf_update_counter(&pmd->perf_stats, PMD_STAT_EXACT_HIT, n_hits);
    }
    if (OVS_LIKELY(n_hits == fb.n)) {
        if (OVS_LIKELY(!differ)) {
            send_way(pmd, batch, ways[0]);
        } else {
            send_hits(pmd, batch->packets, ways, n_hits);
        }
        compat_batch_clear(batch);
    } else {
        *n_learned = handle_mixed(t, batch, &fb, ways, in_port);
    }
    return n_hits;
}
