/* SPDX-License-Identifier: Apache-2.0 */

/* Fuzz target: GTP-U decapsulation
 * ================================
 *
 * The input is a packet as a port receives it, and where it is cut into mbuf
 * segments:
 *
 *     octet 0    flags, F_*
 *     octet 1    how many cuts follow, modulo 8
 *     then       each cut, in two octets, modulo the packet's size plus one
 *     the rest   a GTP-U message, or with F_RAW an Ethernet frame
 *
 * Each packet is received three times: from malloc(), in DPDK's segments, and
 * in segments that were not made contiguous.  Every segment is a block of its
 * own, so that the sanitizers see its end.  This must hold:
 *
 *   - no access outside of the blocks, no undefined behaviour, no leak,
 *     nothing freed twice;
 *
 *   - segments make no difference: the same drop, or the same packet with the
 *     same metadata, in one segment; packets left in segments are dropped
 *     for that;
 *
 *   - a packet either is dropped and counted once, or lives;
 *
 *   - for a message in right outer headers, the naive decoder of
 *     gtpu-naive.c has the same reason to drop it, or the same inner
 *     packet;
 *
 *   - an answer has right lengths and checksums.
 *
 * The parts of Open vSwitch that read the packet are compiled here too, under
 * the sanitizers.  'make fuzz FUZZ_TARGETS=gtpu-decap' makes the target and
 * runs it under libFuzzer.
 *
 * Without libFuzzer, each input is also cut into segments at each octet of its
 * headers, and octets are cut off its end. */

#include <config.h>

#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "csum.h"
#include "datapath-dpdk/gtpu/gtpu-drop-port.h"
#include "datapath-dpdk/gtpu/gtpu-hooks.h"
#include "datapath-dpdk/gtpu/gtpu-outer.h"
#include "datapath-dpdk/gtpu/gtpu-vport.h"
#include "dp-packet.h"
#include "flow.h"
#include "lib/gtpu/gtpu-answer.h"
#include "lib/gtpu/gtpu-port.h"
#include "lib/gtpu/gtpu-underlay.h"
#include "lib/gtpu/gtpu.h"
#include "netdev.h"
#include "ovs-router.h"
#include "packets.h"
#include "tests/fuzz/fuzz-target.h"
#include "tests/unit/gtpu-naive.h"
#include "util.h"

enum {
    F_IPV6 = 1 << 0,
    F_RAW = 1 << 1,             /* The rest is a frame. */
    F_L2 = 1 << 2,              /* There is a port for Ethernet... */
    F_NO_L3 = 1 << 3,           /* ...and, with F_L2, none for IP. */
    F_ROOM = 1 << 4,            /* The first segment has room. */
    F_CSUM = 1 << 5,            /* There is a UDP checksum. */
    F_OPTIONS = 1 << 6,         /* There are IPv4 options. */
};

#define MAX_CUTS 7
#define MAX_SIZE 40000

/* The functions of the switch that decapsulation calls. */

static uint8_t flags;
static unsigned int n_drops;
static enum gtpu_drop last_drop;

void __wrap_gtpu_drop_count(enum gtpu_drop);
struct gtpu_carried __wrap_gtpu_vport_carried(void);
enum gtpu_limit __wrap_gtpu_answer_admit(enum gtpu_answer, const uint8_t *,
                                         bool, uint64_t);
bool __wrap_ovs_router_lookup(uint32_t, const struct in6_addr *, char *,
                              struct in6_addr *, struct in6_addr *);
bool __wrap_gtpu_underlay_find(const struct gtpu_underlay *, const char *,
                               uint32_t *);
void *__wrap_rte_malloc(const char *, size_t, unsigned);
void __wrap_rte_free(void *);
rte_iova_t __wrap_rte_malloc_virt2iova(const void *);

void
__wrap_gtpu_drop_count(enum gtpu_drop drop)
{
    if (drop != GTPU_TAKEN) {
        CHECK(drop > GTPU_DROP_NONE && drop < GTPU_N_DROPS);
        n_drops++;
        last_drop = drop;
    }
}

struct gtpu_carried
__wrap_gtpu_vport_carried(void)
{
    return (struct gtpu_carried) {
        .l2 = flags & F_L2,
        .l3 = !(flags & F_L2) || !(flags & F_NO_L3),
    };
}

enum gtpu_limit
__wrap_gtpu_answer_admit(enum gtpu_answer kind OVS_UNUSED,
                         const uint8_t *peer OVS_UNUSED,
                         bool known OVS_UNUSED, uint64_t now OVS_UNUSED)
{
    return 0;
}

bool
__wrap_ovs_router_lookup(uint32_t mark OVS_UNUSED,
                         const struct in6_addr *dst OVS_UNUSED, char *name,
                         struct in6_addr *src OVS_UNUSED,
                         struct in6_addr *gw OVS_UNUSED)
{
    strcpy(name, "br");
    return true;
}

bool
__wrap_gtpu_underlay_find(const struct gtpu_underlay *underlay OVS_UNUSED,
                          const char *name OVS_UNUSED, uint32_t *port)
{
    *port = 77;
    return true;
}

void *
__wrap_rte_malloc(const char *type OVS_UNUSED, size_t size,
                  unsigned align OVS_UNUSED)
{
    return xmalloc_cacheline(size);
}

void
__wrap_rte_free(void *p)
{
    free_cacheline(p);
}

rte_iova_t
__wrap_rte_malloc_virt2iova(const void *p)
{
    return (uintptr_t) p;
}

/* A pool of objects from malloc(). */

struct segment {
    uint8_t *buf;
    struct rte_mempool_objhdr hdr;
    struct dp_packet packet;
};

static struct {
    struct rte_mempool mp;
    struct rte_pktmbuf_pool_private private;
} pool;
static int n_segments;

static int
pool_alloc(struct rte_mempool *mp OVS_UNUSED)
{
    return 0;
}

static int
pool_enqueue(struct rte_mempool *mp OVS_UNUSED, void *const *objects,
             unsigned int n)
{
    for (unsigned int i = 0; i < n; i++) {
        struct segment *segment = CONTAINER_OF(objects[i], struct segment,
                                               packet);

        free(segment->buf);
        free_cacheline(segment);
        n_segments--;
    }
    return 0;
}

static int
pool_dequeue(struct rte_mempool *mp OVS_UNUSED, void **objects OVS_UNUSED,
             unsigned int n OVS_UNUSED)
{
    return -1;
}

static unsigned int
pool_count(const struct rte_mempool *mp OVS_UNUSED)
{
    return 0;
}

static const struct rte_mempool_ops pool_ops = {
    .name = "fuzz",
    .alloc = pool_alloc,
    .enqueue = pool_enqueue,
    .dequeue = pool_dequeue,
    .get_count = pool_count,
};
RTE_MEMPOOL_REGISTER_OPS(pool_ops);

static struct dp_packet *
make_segment(const uint8_t *data, size_t len, size_t room)
{
    struct segment *segment = xzalloc_cacheline(sizeof *segment);
    struct rte_mbuf *m = &segment->packet.mbuf;

    segment->buf = xmalloc(len + room ? len + room : 1);
    memcpy(segment->buf, data, len);
    segment->packet.source = DPBUF_DPDK;
    m->buf_addr = segment->buf;
    m->buf_len = len + room;
    m->data_len = m->pkt_len = len;
    m->pool = &pool.mp;
    m->nb_segs = 1;
    rte_mbuf_refcnt_set(m, 1);
    n_segments++;
    return &segment->packet;
}

/* A packet of the 'size' octets at 'frame' in segments that end at the 'n'
 * 'cuts' and at its end. */
static struct dp_packet *
make_chain(const uint8_t *frame, size_t size, const size_t cuts[], size_t n)
{
    struct dp_packet *first = NULL;
    struct rte_mbuf *last = NULL;
    size_t ofs = 0;

    for (size_t i = 0; i <= n; i++) {
        size_t end = i < n ? cuts[i] : size;
        size_t room = !first && flags & F_ROOM ? size - end : 0;
        struct dp_packet *p = make_segment(frame + ofs, end - ofs, room);

        if (!first) {
            first = p;
        } else {
            last->next = &p->mbuf;
            first->mbuf.nb_segs++;
            first->mbuf.pkt_len += end - ofs;
        }
        last = &p->mbuf;
        ofs = end;
    }
    dp_packet_reset_cutlen(first);
    dp_packet_reset_offload(first);
    first->packet_type = htonl(PT_ETH);
    return first;
}

static struct dp_packet *
make_plain(const uint8_t *frame, size_t size)
{
    struct dp_packet *packet = dp_packet_new(MAX(size, 1));

    dp_packet_put(packet, frame, size);
    return packet;
}

/* What became of a packet. */
struct outcome {
    bool popped;                /* It was one for a tunnel. */
    enum gtpu_drop drop;        /* Counted as. */
    struct dp_packet *packet;   /* Null if it is gone. */
};

/* Does the work of Open vSwitch up to the tunnel.  Later fragments match
 * none. */
static struct outcome
receive(struct dp_packet *packet)
{
    struct outcome o = { .packet = packet };
    struct flow flow;

    memset(&packet->md, 0, sizeof packet->md);
    pkt_metadata_init(&packet->md, u32_to_odp(1));
    flow_extract(packet, &flow);
    if (!is_ip_any(&flow) || flow.nw_proto != IPPROTO_UDP
        || flow.tp_dst != htons(GTPU_UDP_PORT)
        || flow.nw_frag & FLOW_NW_FRAG_LATER) {
        return o;
    }
    n_drops = 0;
    last_drop = GTPU_DROP_NONE;
    o.popped = true;
    o.packet = gtpu_vport_pop_header(packet);
    o.drop = last_drop;
    CHECK(n_drops <= 1);
    CHECK(o.packet ? !n_drops || o.drop == (int) GTPU_ERR_EXT_REQUIRED
                   : n_drops == 1);
    return o;
}

static bool
is_answer(const struct outcome *o)
{
    return (o->popped && o->packet
            && o->packet->md.in_port.odp_port == u32_to_odp(77));
}

static void
check_same(const struct outcome *a, const struct outcome *b)
{
    CHECK(a->popped == b->popped);
    if (is_answer(a) && !is_answer(b)) {
        /* An mbuf cannot grow. */
        CHECK(b->drop == GTPU_DROP_NO_ANSWER
              || b->drop == (int) GTPU_ERR_EXT_REQUIRED);
        return;
    }
    CHECK(a->drop == b->drop);
    CHECK(!a->packet == !b->packet);
    if (a->packet) {
        size_t size = dp_packet_size(a->packet);

        CHECK(b->packet->mbuf.nb_segs == 1 && !b->packet->mbuf.next);
        CHECK(b->packet->mbuf.data_len == dp_packet_size(b->packet));
        CHECK(size == dp_packet_size(b->packet));
        /* Each list of known extension headers has a number of its own. */
        CHECK(a->drop == (int) GTPU_ERR_EXT_REQUIRED
              || !size || !memcmp(dp_packet_data(a->packet),
                                  dp_packet_data(b->packet), size));
        CHECK(a->packet->packet_type == b->packet->packet_type);
        CHECK(a->packet->l3_ofs == b->packet->l3_ofs);
        CHECK(a->packet->l4_ofs == b->packet->l4_ofs);
        CHECK(!memcmp(&a->packet->md.tunnel, &b->packet->md.tunnel,
                      sizeof a->packet->md.tunnel));
    }
}

static void
check_answer(struct dp_packet *packet)
{
    const struct udp_header *udp = dp_packet_l4(packet);
    const uint8_t *l3 = dp_packet_l3(packet);
    const char *tail = dp_packet_tail(packet);
    size_t len = tail - (const char *) udp;
    struct gtpu_header h;

    CHECK(ntohs(udp->udp_len) == len);
    if (IP_VER(*l3) == 4) {
        CHECK(!csum(l3, IP_HEADER_LEN));
        CHECK(((l3[2] << 8) | l3[3]) == tail - (const char *) l3);
    } else {
        CHECK(udp->udp_csum);
    }
    CHECK(!udp->udp_csum
          || !gtpu_udp_csum(l3, IP_VER(*l3) == 6, udp, len));
    CHECK(!naive_parse((const uint8_t *) (udp + 1), len - UDP_HEADER_LEN,
                       len - UDP_HEADER_LEN, &gtpu_ext_set_default, &h));
    CHECK(h.msg_type == GTPU_MSG_ECHO_RESPONSE
          || h.msg_type == GTPU_MSG_EXT_NOTIFICATION);
}

/* Compares 'o' with the naive decoder's result for the message of 'len' octets
 * at 'msg', which came in right outer headers. */
static void
check_naive(const struct outcome *o, const uint8_t *msg, size_t len)
{
    enum gtpu_inner type;
    struct gtpu_header h;
    enum gtpu_error error;

    CHECK(o->popped);
    error = naive_parse(msg, len, len, &gtpu_ext_set_default, &h);
    if (error) {
        CHECK(o->drop == (int) error);
        return;
    }
    if (h.msg_type != GTPU_MSG_G_PDU) {
        return;
    }
    error = naive_inner_type(msg + h.hdr_len, h.payload_len, h.payload_len,
                             &type);
    if (!(flags & F_L2)) {
        CHECK(o->drop == (int) error);
    }
    if (o->packet) {
        CHECK(dp_packet_size(o->packet) == h.payload_len);
        CHECK(!memcmp(dp_packet_data(o->packet), msg + h.hdr_len,
                      h.payload_len));
        CHECK(ntohll(o->packet->md.tunnel.tun_id) == h.teid);
        CHECK(o->packet->md.tunnel.gtpu_flags == h.flags);
        CHECK(o->packet->md.tunnel.gtpu_msgtype == h.msg_type);
    }
}

/* Writes to 'frame' a frame with the message of 'len' octets at 'msg', and
 * returns its size. */
static size_t
make_frame(uint8_t *frame, const uint8_t *msg, size_t len)
{
    bool is_ipv6 = flags & F_IPV6;
    size_t options = !is_ipv6 && flags & F_OPTIONS ? 4 : 0;
    struct eth_header *eth = (void *) frame;
    uint8_t *l3 = frame + ETH_HEADER_LEN;
    struct udp_header *udp;

    memset(frame, 0, ETH_HEADER_LEN + IPV6_HEADER_LEN + UDP_HEADER_LEN);
    eth->eth_dst = eth_addr_zero;
    eth->eth_dst.ea[5] = 1;
    eth->eth_src = eth_addr_zero;
    eth->eth_src.ea[5] = 2;
    if (is_ipv6) {
        struct ovs_16aligned_ip6_hdr *ip6 = (void *) l3;

        eth->eth_type = htons(ETH_TYPE_IPV6);
        udp = (void *) (ip6 + 1);
        put_16aligned_be32(&ip6->ip6_flow, htonl(6u << 28));
        ip6->ip6_plen = htons(UDP_HEADER_LEN + len);
        ip6->ip6_nxt = IPPROTO_UDP;
        ip6->ip6_hlim = 64;
        memset(&ip6->ip6_src, 0x20, 15);
        memset(&ip6->ip6_dst, 0x20, 16);
    } else {
        struct ip_header *ip = (void *) l3;

        eth->eth_type = htons(ETH_TYPE_IP);
        udp = (void *) (l3 + IP_HEADER_LEN + options);
        memset(ip + 1, 1, options);
        ip->ip_ihl_ver = IP_IHL_VER((IP_HEADER_LEN + options) / 4, 4);
        ip->ip_tot_len = htons(IP_HEADER_LEN + options + UDP_HEADER_LEN
                               + len);
        ip->ip_ttl = 64;
        ip->ip_proto = IPPROTO_UDP;
        put_16aligned_be32(&ip->ip_src, htonl(0x0101025c));
        put_16aligned_be32(&ip->ip_dst, htonl(0x01010258));
        ip->ip_csum = csum(ip, IP_HEADER_LEN + options);
    }
    udp->udp_src = htons(51234);
    udp->udp_dst = htons(GTPU_UDP_PORT);
    udp->udp_len = htons(UDP_HEADER_LEN + len);
    udp->udp_csum = 0;
    memcpy(udp + 1, msg, len);
    if (flags & F_CSUM || is_ipv6) {
        udp->udp_csum = gtpu_udp_csum(l3, is_ipv6, udp, UDP_HEADER_LEN + len);
        if (!udp->udp_csum) {
            udp->udp_csum = htons(0xffff);
        }
    }
    return (uint8_t *) (udp + 1) + len - frame;
}

static int
compare_cuts(const void *a_, const void *b_)
{
    const size_t *a = a_, *b = b_;

    return *a < *b ? -1 : *a > *b;
}

/* Receives the frame of 'size' octets.  If 'msg' is not null, the frame has
 * the message 'msg' of 'len' octets in right headers. */
static void
check_frame(const uint8_t *frame, size_t size, size_t *cuts, size_t n,
            const uint8_t *msg, size_t len)
{
    struct dp_packet_batch batch;
    struct dp_packet *chain;
    struct outcome a, b, c;

    qsort(cuts, n, sizeof *cuts, compare_cuts);
    a = receive(make_plain(frame, size));
    if (msg) {
        check_naive(&a, msg, len);
    }
    if (is_answer(&a)) {
        check_answer(a.packet);
    }

    chain = make_chain(frame, size, cuts, n);
    dp_packet_batch_init_packet(&batch, chain);
    gtpu_linearize_batch(&batch);
    CHECK(batch.count == 1 && batch.packets[0] == chain);
    CHECK(chain->mbuf.nb_segs == 1);
    b = receive(chain);
    check_same(&a, &b);
    if (is_answer(&b)) {
        check_answer(b.packet);
    }

    /* Segments that contradict the size are left alone. */
    if (n && size) {
        chain = make_chain(frame, size, cuts, n);
        chain->mbuf.pkt_len = size - 1 - flags % size;
        dp_packet_batch_init_packet(&batch, chain);
        gtpu_linearize_batch(&batch);
        CHECK(chain->mbuf.nb_segs == n + 1);
        chain->mbuf.pkt_len = size + 1 + flags;
        gtpu_linearize_batch(&batch);
        CHECK(chain->mbuf.nb_segs == n + 1);
        dp_packet_delete(chain);
    }

    /* Offsets as they would be if the headers were in the first segment. */
    if (n && a.popped && cuts[0] < size) {
        struct dp_packet *whole = make_plain(frame, size);
        struct flow flow;

        flow_extract(whole, &flow);
        chain = make_chain(frame, size, cuts, n);
        memset(&chain->md, 0, sizeof chain->md);
        chain->l3_ofs = whole->l3_ofs;
        chain->l4_ofs = whole->l4_ofs;
        n_drops = 0;
        c.packet = gtpu_vport_pop_header(chain);
        CHECK(!c.packet && n_drops == 1);
        CHECK(last_drop == (int) GTPU_ERR_NOT_LINEAR
              || (last_drop == GTPU_DROP_OUTER
                  && cuts[0] < whole->l4_ofs));
        dp_packet_delete(whole);
    }

    dp_packet_delete(a.packet);
    dp_packet_delete(b.packet);
    CHECK(!n_segments);
}

/* Splits the input as described above. */
static void
check_input(const uint8_t *data, size_t size, bool have_cut, size_t cut)
{
    static uint8_t buf[MAX_SIZE + 128];
    size_t cuts[MAX_CUTS + 1];
    size_t n, frame_len;
    uint8_t *frame;

    if (size < 2) {
        return;
    }
    flags = data[0];
    n = data[1] % (MAX_CUTS + 1);
    data += 2;
    size -= 2;
    if (size < 2 * n || size - 2 * n > MAX_SIZE) {
        return;
    }

    const uint8_t *rest = data + 2 * n;
    size_t len = size - 2 * n;

    if (flags & F_RAW) {
        frame_len = len;
        memcpy(buf, rest, len);
    } else {
        frame_len = make_frame(buf, rest, len);
    }
    for (size_t i = 0; i < n; i++) {
        cuts[i] = (data[2 * i] << 8 | data[2 * i + 1]) % (frame_len + 1);
    }
    if (have_cut) {
        n = 1;
        cuts[0] = cut % (frame_len + 1);
    }

    /* A block of its own, so that the sanitizer sees its end. */
    frame = xmemdup(buf, frame_len ? frame_len : 1);
    check_frame(frame, frame_len, cuts, n, flags & F_RAW ? NULL : rest, len);
    free(frame);
}

/* A tunnel whose drops are counted. */
static void
init(void)
{
    static struct netdev_tunnel_config cfg = {
        .ip_dst_flow = true, .in_key_flow = true, .out_key_flow = true,
    };
    static struct gtpu_drops drops;

    if (!pool.mp.pool_id) {
        CHECK(!rte_mempool_set_ops_byname(&pool.mp, "fuzz", NULL));
        pool.mp.pool_id = 1;
        gtpu_drop_port_add(&cfg, &drops);
        atomic_fetch_add(&gtpu_n_ports, 1);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    init();
    check_input(data, size, false, 0);
    return 0;
}

#ifdef FUZZ_REPLAY
static void
replay(const uint8_t *data, size_t size)
{
    LLVMFuzzerTestOneInput(data, size);

    /* The headers are where it matters. */
    for (size_t i = 0; i <= MIN(size + 128, 300); i++) {
        check_input(data, size, true, i);
    }
    for (size_t i = 0; i < MIN(size, 100); i++) {
        check_input(data, size - i, false, 0);
    }
}
#endif
