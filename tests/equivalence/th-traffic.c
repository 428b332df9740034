/* SPDX-License-Identifier: Apache-2.0 */

/* Packets for devices to receive, and the checks of those that leave. */

#include <config.h>
#include "tests/equivalence/th-traffic.h"

#include <string.h>

#include "csum.h"
#include "dp-packet.h"
#include "packets.h"
#include "tests/equivalence/eq-random.h"
#include "util.h"

/* Limit of flows in a batch. */
#define MAX_PICKS 6

/* Octets that a peer may send before an acknowledgment. */
#define WINDOW 8192

const char *const th_kind_names[TH_N_KINDS] = {
#define TH_KIND(NAME, TEXT) [TH_##NAME] = TEXT,
    TH_KINDS
#undef TH_KIND
};

struct th_totals th_totals;
__thread struct th_batch th_batch;

static struct th_conv convs[TH_MAX_CONVS];

/* State of a device's thread. */
struct source {
    uint64_t rng;
    struct th_flow *flows[2 * TH_CONVS_OF_PORT];
    uint32_t n_flows;
    atomic_bool idle;
};
static struct source sources[TH_MAX_THREADS];

static void
init_conv(struct th_conv *conv, uint32_t id, uint32_t port)
{
    uint32_t to = (port + 1) % th_n_threads;

    conv->kind = id / 2 % TH_N_KINDS;
    conv->tcp = id % 2;
    conv->client = 0x0a000000 + id;
    conv->server = 0x0a010000 + id;
    conv->client_port = 1024 + id;
    for (int reply = 0; reply < 2; reply++) {
        struct th_flow *flow = &conv->flows[reply];
        struct source *source = &sources[reply ? to : port];

        flow->conv = conv;
        flow->reply = reply;
        flow->out = reply ? port : to;
        source->flows[source->n_flows++] = flow;
    }
}

void
th_traffic_init(uint64_t seed)
{
    for (uint32_t i = 0; i < th_n_threads; i++) {
        sources[i].rng = seed + 100 + i;
        for (uint32_t j = 0; j < TH_CONVS_OF_PORT; j++) {
            uint32_t id = i * TH_CONVS_OF_PORT + j;

            init_conv(&convs[id], id, i);
        }
    }
}

/* Making packets. */

/* Sets the numbers of 'tcp', whose segment has 'len' octets. */
static void
number_segment(struct th_flow *flow, struct tcp_header *tcp, uint32_t len,
               uint16_t flags)
{
    struct th_flow *other = &flow->conv->flows[!flow->reply];
    uint32_t seq = atomic_load(&flow->next);
    uint32_t ack = atomic_load(&other->next);

    put_16aligned_be32(&tcp->tcp_seq, htonl(seq));
    if (!(flags & TCP_SYN)) {
        put_16aligned_be32(&tcp->tcp_ack, htonl(ack));
        atomic_store(&other->acked, ack);
    }
    tcp->tcp_ctl = TCP_CTL(flags, 5);
    tcp->tcp_winsz = htons(65535);
    if (seq - atomic_load(&flow->acked) < WINDOW || flags & TCP_SYN) {
        atomic_store(&flow->next, seq + len + !!(flags & TCP_SYN));
    }
}

static struct ip_header *
put_ip(struct dp_packet *packet, const struct th_flow *flow, bool options)
{
    const struct th_conv *conv = flow->conv;
    struct eth_header *eth = dp_packet_put_zeros(packet, ETH_HEADER_LEN);
    size_t size = IP_HEADER_LEN + (options ? 4 : 0);
    struct ip_header *ip = dp_packet_put_zeros(packet, size);
    uint32_t peer = (flow->reply ? atomic_load(&conv->target) : conv->server);

    eth->eth_type = htons(ETH_TYPE_IP);
    ip->ip_ihl_ver = IP_IHL_VER(size / 4, 4);
    ip->ip_tos = TH_TOS(conv->kind, flow->reply);
    ip->ip_ttl = 64;
    ip->ip_proto = conv->tcp ? IPPROTO_TCP : IPPROTO_UDP;
    put_16aligned_be32(&ip->ip_src,
                       htonl(flow->reply ? peer : conv->client));
    put_16aligned_be32(&ip->ip_dst,
                       htonl(flow->reply ? conv->client : peer));
    if (options) {
        memset(ip + 1, 1, 4);    /* No operation. */
    }
    return ip;
}

/* Returns a packet of 'flow' with 'tag'.  'flags' are those of TCP. */
static struct dp_packet *
make_packet(struct th_flow *flow, const struct th_tag *tag, uint16_t flags,
            uint64_t *rng)
{
    const struct th_conv *conv = flow->conv;
    uint32_t len = sizeof *tag + eq_random(rng, 64);
    struct dp_packet *packet = dp_packet_new_with_headroom(256, 128);
    size_t l4_size = conv->tcp ? TCP_HEADER_LEN : UDP_HEADER_LEN;
    struct ip_header *ip = put_ip(packet, flow, eq_rarely(rng, 8));
    struct udp_header *udp = dp_packet_put_zeros(packet, l4_size);
    ovs_be16 *sum = &udp->udp_csum;
    uint32_t l4_len = l4_size + len;

    /* Both protocols have the ports at the same place. */
    udp->udp_src = htons(flow->reply ? 80 : conv->client_port);
    udp->udp_dst = htons(flow->reply ? conv->client_port : 80);
    if (conv->tcp) {
        struct tcp_header *tcp = (void *) udp;

        number_segment(flow, tcp, len, flags);
        sum = &tcp->tcp_csum;
    } else {
        udp->udp_len = htons(l4_len);
    }
    memset(dp_packet_put_zeros(packet, len), tag->index, len);
    memcpy((uint8_t *) udp + l4_size, tag, sizeof *tag);
    ip->ip_tot_len = htons((uint8_t *) udp - (uint8_t *) ip + l4_len);
    ip->ip_csum = csum(ip, (uint8_t *) udp - (uint8_t *) ip);
    *sum = csum_finish(csum_continue(packet_csum_pseudoheader(ip), udp,
                                     l4_len));
    if (!conv->tcp && !*sum) {
        *sum = OVS_BE16_MAX;
    }
    return packet;
}

/* Adds a packet of 'flow' to the batch. */
static void
add_packet(struct source *source, struct th_flow *flow, uint16_t flags,
           struct dp_packet_batch *batch)
{
    struct th_tag tag = {
        .magic = TH_MAGIC,
        .thread = source - sources,
        .index = th_batch.n,
        .batch = th_batch.number,
        .conv = flow->conv - convs,
        .reply = flow->reply,
    };
    struct th_packet *p = &th_batch.packets[th_batch.n++];

    p->flow = flow;
    p->sent = false;
    dp_packet_batch_add(batch, make_packet(flow, &tag, flags, &source->rng));
}

/* Sends a RST of 'flow', which opens a TCP connection, now and then, and later
 * a SYN, each the only packet of 'flow' in its batch.  Translated connections
 * are left out: the new one may get another port.  Returns false if nothing
 * was sent. */
static bool
add_control(struct source *source, struct th_flow *flow,
            struct dp_packet_batch *batch)
{
    if (!flow->conv->tcp || flow->conv->kind != TH_CT || flow->reply
        || (!flow->closed && !eq_rarely(&source->rng, 500))) {
        return false;
    }
    flow->closed = !flow->closed;
    add_packet(source, flow, flow->closed ? TCP_RST | TCP_ACK : TCP_SYN,
               batch);
    return true;
}

static void
fill(struct source *source, struct dp_packet_batch *batch)
{
    struct th_flow *picks[MAX_PICKS];
    uint32_t n_picks = 0, n;

    n = 1 + eq_random(&source->rng, MAX_PICKS);
    for (uint32_t i = 0; i < n; i++) {
        struct th_flow *flow = source->flows[eq_random(&source->rng,
                                                       source->n_flows)];

        if (flow->picked == th_batch.number
            || (flow->reply && !atomic_load(&flow->conv->target))) {
            continue;
        }
        th_flow_pick(flow);
        if (!add_control(source, flow, batch)) {
            picks[n_picks++] = flow;
        }
    }
    n = eq_random(&source->rng, TH_BURST - MAX_PICKS) + 1;
    for (uint32_t i = 0; n_picks && i < n; i++) {
        add_packet(source, picks[eq_random(&source->rng, n_picks)],
                   TCP_ACK | TCP_PSH, batch);
    }
}

bool
th_receive(uint32_t i, struct dp_packet_batch *batch)
{
    struct source *source = &sources[i];

    th_batch_end();
    if (!atomic_load(&th_receiving)) {
        atomic_store(&source->idle, true);
        return false;
    }
    atomic_store(&source->idle, false);
    th_batch_begin();
    fill(source, batch);
    atomic_fetch_add(&th_totals.received, th_batch.n);
    return th_batch.n > 0;
}

bool
th_is_idle(uint32_t i)
{
    return atomic_load(&sources[i].idle);
}

struct th_flow *
th_flow_of(const struct th_tag *tag)
{
    return (tag->conv < TH_MAX_CONVS && tag->reply < 2
            ? &convs[tag->conv].flows[tag->reply] : NULL);
}
