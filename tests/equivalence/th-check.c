/* SPDX-License-Identifier: Apache-2.0 */

/* The checks of packets that leave
 * ================================
 *
 * Conservation: a packet of the batch leaves once.  A packet that has not left
 * when the thread receives its next batch was dropped, and the pipeline must
 * mean that.  In the end the counters of drops must say the same number.
 *
 * Order: batches follow one another.  Within a batch, packets of a flow leave
 * in their order, unless Open vSwitch itself may reorder them: one of them has
 * no megaflow, or megaflows, connections or states come or go meanwhile.
 *
 * Outcome: ports, addresses, checksums and payload are those of the pipeline,
 * in a version that a packet of the batch may meet. */

#include <config.h>
#include "tests/equivalence/th-traffic.h"

#include <inttypes.h>
#include <string.h>

#include "csum.h"
#include "dp-packet.h"
#include "packets.h"
#include "util.h"

/* A frame, taken apart. */
struct frame {
    const struct ip_header *ip;
    const uint8_t *l4;
    uint32_t l4_size;
    struct th_tag tag;
};

static bool
parse(const struct dp_packet *packet, struct frame *f)
{
    const uint8_t *p = dp_packet_data(packet);
    uint32_t size = dp_packet_size(packet), header;

    if (size < ETH_HEADER_LEN + IP_HEADER_LEN + TCP_HEADER_LEN) {
        return false;
    }
    f->ip = (void *) (p + ETH_HEADER_LEN);
    f->l4 = (uint8_t *) f->ip + IP_IHL(f->ip->ip_ihl_ver) * 4;
    f->l4_size = size - (f->l4 - p);
    header = f->ip->ip_proto == IPPROTO_TCP ? TCP_HEADER_LEN : UDP_HEADER_LEN;
    if (f->l4_size < header + sizeof f->tag || f->l4_size > size) {
        return false;
    }
    memcpy(&f->tag, f->l4 + header, sizeof f->tag);
    for (uint32_t i = header + sizeof f->tag; i < f->l4_size; i++) {
        if (f->l4[i] != f->tag.index) {
            return false;
        }
    }
    return f->tag.magic == TH_MAGIC && f->tag.index < TH_BURST;
}

/* Batches. */

void
th_batch_begin(void)
{
    th_batch.number++;
    for (int i = 0; i < TH_N_FLUSHES; i++) {
        th_batch.flushes[i] = atomic_load(&th_flushes[i]);
    }
    for (int i = 0; i < TH_N_KINDS; i++) {
        th_batch.oldest[i] = atomic_load(&th_versions[i].oldest);
    }
}

/* Returns true if nothing of 'what' was flushed since the batch began. */
static bool
is_calm(enum th_flush what)
{
    return (th_batch.flushes[what] % 2 == 0
            && th_batch.flushes[what] == atomic_load(&th_flushes[what]));
}

void
th_flow_pick(struct th_flow *flow)
{
    flow->picked = th_batch.number;
    flow->answered = (atomic_load(&flow->conv->answered)
                      == th_batch.flushes[TH_CONNECTIONS] + 1);
}

/* Returns true if a reply left before the batch began, and connections were
 * not flushed since.  Then all packets of 'flow' meet the same state. */
static bool
is_settled(const struct th_flow *flow)
{
    return flow->answered && is_calm(TH_CONNECTIONS);
}

/* Returns true if a version of 'kind' that the batch may have met has no
 * bucket or, of an ACL, drops. */
static bool
a_version_drops(enum th_kind kind)
{
    uint32_t newest = atomic_load(&th_versions[kind].newest);

    for (uint32_t v = th_batch.oldest[kind]; v <= newest; v++) {
        if (kind == TH_ACL ? v % 2 : TH_HAS_NO_BUCKET(v)) {
            return true;
        }
    }
    return false;
}

/* Returns true if packets of 'flow' may have been dropped. */
static bool
may_drop(const struct th_flow *flow)
{
    const struct th_conv *conv = flow->conv;

    switch (conv->kind) {
    case TH_PLAIN:
        return false;
    case TH_ACL:
    case TH_LB:
    case TH_STICKY:
        return a_version_drops(conv->kind);
    case TH_CT:
    case TH_NAT:
    case TH_SERVICE:
        /* Segments may be outside of the window; replies may have no
         * connection. */
        return (conv->tcp || (flow->reply && !is_settled(flow))
                || (conv->kind == TH_SERVICE
                    && a_version_drops(conv->kind)));
    case TH_N_KINDS:
    default:
        OVS_NOT_REACHED();
    }
}

void
th_batch_end(void)
{
    uint32_t n_sent = 0;

    for (uint32_t i = 0; i < th_batch.n; i++) {
        const struct th_flow *flow = th_batch.packets[i].flow;

        n_sent += th_batch.packets[i].sent;
        if (!th_batch.packets[i].sent && !may_drop(flow)) {
            th_fail("a packet was lost: %s, %s, %s",
                    th_kind_names[flow->conv->kind],
                    flow->conv->tcp ? "TCP" : "UDP",
                    flow->reply ? "reply" : "original");
        }
    }
    atomic_fetch_add(&th_totals.sent, n_sent);
    atomic_fetch_add(&th_totals.dropped, th_batch.n - n_sent);
    th_batch.n = 0;
}

void
th_note_upcall(const struct dp_packet *packet)
{
    struct frame f;

    atomic_fetch_add(&th_totals.upcalls, 1);
    if (parse(packet, &f)) {
        th_batch.packets[f.tag.index].flow->upcall = th_batch.number;
    } else {
        th_fail("an upcall has a packet that was not received");
    }
}

/* Packets. */

/* Returns true if a packet may meet 'version' of 'kind' by now. */
static bool
version_is_right(enum th_kind kind, uint32_t version)
{
    uint32_t oldest = th_batch.oldest[kind];

    return (version >= (th_balances(kind) ? oldest & ~1 : oldest)
            && version <= atomic_load(&th_versions[kind].newest)
            && (kind != TH_ACL || version % 2 == 0));
}

static void
check_outcome(const struct frame *f, const struct th_flow *flow)
{
    const struct th_conv *conv = flow->conv;
    const struct udp_header *udp = (void *) f->l4;
    uint32_t src = ntohl(get_16aligned_be32(&f->ip->ip_src));
    uint32_t dst = ntohl(get_16aligned_be32(&f->ip->ip_dst));
    bool translates = conv->kind == TH_NAT || conv->kind == TH_SERVICE;
    uint32_t version = (dst - TH_ADDRESS(0, 0)) / TH_BUCKETS;

    if (ntohs(udp->udp_src) != (flow->reply ? 80 : conv->client_port)
        || ntohs(udp->udp_dst) != (flow->reply ? conv->client_port : 80)
        || src != (flow->reply ? conv->server : conv->client)) {
        th_fail("a packet of %s (%s) leaves from "IP_FMT":%d to "IP_FMT":%d",
                th_kind_names[conv->kind],
                flow->reply ? "reply" : "original",
                IP_ARGS(htonl(src)), ntohs(udp->udp_src),
                IP_ARGS(htonl(dst)), ntohs(udp->udp_dst));
    } else if (translates && flow->reply ? dst != conv->client
               : !version_is_right(conv->kind, version)) {
        th_fail("a packet of %s leaves by version %"PRIu32", not %"PRIu32
                " to %"PRIu32, th_kind_names[conv->kind], version,
                th_batch.oldest[conv->kind],
                atomic_load(&th_versions[conv->kind].newest));
    } else if (csum(f->ip, f->l4 - (uint8_t *) f->ip)
               || csum_finish(csum_continue(packet_csum_pseudoheader(f->ip),
                                            f->l4, f->l4_size))) {
        th_fail("a packet of %s leaves with a wrong checksum",
                th_kind_names[conv->kind]);
    }
}

static void
check_order(struct th_flow *flow, uint32_t index)
{
    bool first = flow->last_batch != th_batch.number;
    bool certain = (flow->upcall != th_batch.number && is_calm(TH_MEGAFLOWS)
                    && (!th_tracks(flow->conv->kind)
                        || is_settled(flow)));

    if (!first && certain) {
        atomic_fetch_add(&th_totals.in_order, 1);
        if (index < flow->last_index) {
            th_fail("packets of %s leave in another order",
                    th_kind_names[flow->conv->kind]);
        }
    }
    flow->last_batch = th_batch.number;
    flow->last_index = index;
}

/* Allows replies to the packet 'f' of 'flow'. */
static void
note_progress(const struct frame *f, struct th_flow *flow)
{
    struct th_conv *conv = flow->conv;

    if (flow->reply) {
        atomic_store(&conv->answered, th_batch.flushes[TH_CONNECTIONS] + 1);
    } else {
        atomic_store(&conv->target,
                     conv->kind == TH_NAT || conv->kind == TH_SERVICE
                     ? ntohl(get_16aligned_be32(&f->ip->ip_dst))
                     : conv->server);
    }
}

void
th_check(uint32_t i, const struct dp_packet *packet)
{
    struct th_packet *p;
    struct th_flow *flow;
    struct frame f;

    if (!parse(packet, &f)) {
        th_fail("a packet leaves that was not received");
        return;
    }
    p = &th_batch.packets[f.tag.index];
    flow = th_flow_of(&f.tag);
    if (f.tag.batch != th_batch.number || f.tag.index >= th_batch.n
        || p->flow != flow) {
        th_fail("a packet leaves after its batch");
    } else if (p->sent) {
        th_fail("a packet of %s leaves twice",
                th_kind_names[flow->conv->kind]);
    } else if (flow->out != i) {
        th_fail("a packet leaves by another port");
    } else {
        p->sent = true;
        check_outcome(&f, flow);
        check_order(flow, f.tag.index);
        note_progress(&f, flow);
        atomic_fetch_add(&th_totals.by_kind[flow->conv->kind], 1);
    }
}
