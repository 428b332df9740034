/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "tests/unit/fuse-datapath.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "csum.h"
#include "ct-dpif.h"
#include "datapath-dpdk/compat/compat-batch.h"
#include "datapath-dpdk/compat/compat-execute.h"
#include "datapath-dpdk/fuse/fuse-flush.h"
#include "datapath-dpdk/fuse/fuse-hooks.h"
#include "datapath-dpdk/fuse/fuse-thread.h"
#include "dp-packet.h"
#include "dpif.h"
#include "dummy.h"
#include "flow.h"
#include "netlink.h"
#include "odp-netlink.h"
#include "odp-util.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "smap.h"
#include "tests/unit/memory-netdev.h"
#include "util.h"

#define ID_OFS 18

struct dpif *dpif;
odp_port_t input_port, out_port;
void (*on_upcall)(void);
uint32_t n_upcalls;
bool many_megaflows;
struct dp_packet_batch received;
struct sent sent[MAX_SENT];
uint32_t n_sent;

static struct ofpbuf way;

/* A network device. */

static int
device_send(struct netdev *netdev OVS_UNUSED, int qid OVS_UNUSED,
            struct dp_packet_batch *batch, bool concurrent_txq OVS_UNUSED)
{
    struct dp_packet *packet;

    DP_PACKET_BATCH_FOR_EACH (i, packet, batch) {
        const uint8_t *p = dp_packet_data(packet);

        assert_true(n_sent < MAX_SENT);
        sent[n_sent++] = (struct sent) {
            .id = p[ID_OFS] << 8 | p[ID_OFS + 1],
            .priority = packet->md.skb_priority,
        };
    }
    dp_packet_delete_batch(batch, true);
    return 0;
}

static int
device_rxq_recv(struct netdev_rxq *rxq, struct dp_packet_batch *batch,
                int *qfill OVS_UNUSED)
{
    if (strcmp(netdev_get_name(rxq->netdev), "in") || !received.count) {
        return EAGAIN;
    }
    compat_batch_move(batch, &received);
    return 0;
}

static const struct netdev_class device_class = {
    MEMORY_NETDEV_BASE,
    .type = "fuse-test",
    .send = device_send,
    .rxq_recv = device_rxq_recv,
};

/* The control path. */

static int
answer_upcall(const struct dp_packet *packet OVS_UNUSED,
              const struct flow *flow OVS_UNUSED, ovs_u128 *ufid OVS_UNUSED,
              unsigned int pmd_id OVS_UNUSED,
              enum dpif_upcall_type type OVS_UNUSED,
              const struct nlattr *userdata OVS_UNUSED,
              struct ofpbuf *actions, struct flow_wildcards *wc,
              struct ofpbuf *put_actions OVS_UNUSED, void *aux OVS_UNUSED)
{
    n_upcalls++;
    memset(wc, 0, sizeof *wc);
    wc->masks.in_port.odp_port = ODPP_NONE;
    wc->masks.recirc_id = UINT32_MAX;
    wc->masks.packet_type = OVS_BE32_MAX;
    wc->masks.dl_type = OVS_BE16_MAX;
    if (many_megaflows) {
        wc->masks.nw_src = OVS_BE32_MAX;
        wc->masks.nw_proto = UINT8_MAX;
        wc->masks.tp_src = OVS_BE16_MAX;
    }
    ofpbuf_put(actions, way.data, way.size);
    if (on_upcall) {
        on_upcall();
    }
    return 0;
}

static void
configure(const char *fuse, const char *entries)
{
    struct smap config = SMAP_INITIALIZER(&config);

    smap_add(&config, "fuse", fuse);
    smap_add(&config, "fuse-entries", entries);
    fuse_set_config(&config);
    smap_destroy(&config);
}

void
set_fuse(const char *value)
{
    configure(value, "1024");
}

void
set_entries(const char *entries)
{
    configure("on", entries);
}

/* Makes 'way' set 'priority', unless it is 0, and the destination address of
 * IPv4, if 'rewrite', before it outputs to "out". */
void
set_way(uint32_t priority, bool rewrite)
{
    size_t ofs;

    ofpbuf_clear(&way);
    if (priority) {
        ofs = nl_msg_start_nested(&way, OVS_ACTION_ATTR_SET);
        nl_msg_put_u32(&way, OVS_KEY_ATTR_PRIORITY, priority);
        nl_msg_end_nested(&way, ofs);
    }
    if (rewrite) {
        struct ovs_key_ipv4 key[2];

        memset(key, 0, sizeof key);
        key[0].ipv4_dst = htonl(0x0a090909);
        key[1].ipv4_dst = OVS_BE32_MAX;
        ofs = nl_msg_start_nested(&way, OVS_ACTION_ATTR_SET_MASKED);
        nl_msg_put_unspec(&way, OVS_KEY_ATTR_IPV4, key, sizeof key);
        nl_msg_end_nested(&way, ofs);
    }
    nl_msg_put_odp_port(&way, OVS_ACTION_ATTR_OUTPUT, out_port);
}

/* Makes 'way' commit a packet's connection to 'zone' and output to "out". */
void
set_way_ct(uint16_t zone)
{
    size_t ofs;

    ofpbuf_clear(&way);
    ofs = nl_msg_start_nested(&way, OVS_ACTION_ATTR_CT);
    nl_msg_put_flag(&way, OVS_CT_ATTR_COMMIT);
    nl_msg_put_u16(&way, OVS_CT_ATTR_ZONE, zone);
    nl_msg_end_nested(&way, ofs);
    nl_msg_put_odp_port(&way, OVS_ACTION_ATTR_OUTPUT, out_port);
}

/* Makes 'way' take packets through 'n' meters and output to "out". */
void
set_way_meters(const uint32_t *ids, uint32_t n)
{
    ofpbuf_clear(&way);
    for (uint32_t i = 0; i < n; i++) {
        nl_msg_put_u32(&way, OVS_ACTION_ATTR_METER, ids[i]);
    }
    nl_msg_put_odp_port(&way, OVS_ACTION_ATTR_OUTPUT, out_port);
}

static odp_port_t
add_port(const char *name)
{
    odp_port_t port = ODPP_NONE;
    struct netdev *netdev;

    assert_int_equal(netdev_open(name, device_class.type, &netdev), 0);
    assert_int_equal(dpif_port_add(dpif, netdev, &port), 0);
    netdev_close(netdev);
    return port;
}

int
datapath_start(void **state OVS_UNUSED)
{
    dummy_enable("");
    compat_odp_execute_init();
    netdev_register_provider(&device_class);
    assert_int_equal(dpif_create_and_open("fuse-test", "dummy", &dpif), 0);
    input_port = add_port("in");
    out_port = add_port("out");
    dpif_register_upcall_cb(dpif, answer_upcall, NULL);
    dpif_enable_upcall(dpif);
    ofpbuf_init(&way, 0);
    return 0;
}

int
datapath_stop(void **state OVS_UNUSED)
{
    ofpbuf_uninit(&way);
    dpif_disable_upcall(dpif);
    dpif_delete(dpif);
    dpif_close(dpif);
    return 0;
}

/* Each test starts with an empty cache, no megaflow and no connection. */
int
setup(void **state OVS_UNUSED)
{
    set_fuse("off");
    dpif_run(dpif);
    dpif_flow_flush(dpif);
    ct_dpif_flush(dpif, NULL, NULL);
    set_fuse("on");
    on_upcall = NULL;
    many_megaflows = false;
    n_upcalls = n_sent = 0;
    dp_packet_batch_init(&received);
    return 0;
}

/* Packets. */

/* Returns packet number 'seq', below 4096, of flow 'flow'. */
struct dp_packet *
make_packet(unsigned int flow, uint16_t seq, enum kind kind)
{
    bool reply = kind == REPLY;
    struct dp_packet *packet = dp_packet_new_with_headroom(100, 128);
    struct eth_header *eth = dp_packet_put_zeros(packet, ETH_HEADER_LEN);
    struct ip_header *ip = dp_packet_put_zeros(packet, IP_HEADER_LEN);
    struct udp_header *udp = dp_packet_put_zeros(packet, UDP_HEADER_LEN);
    size_t len = UDP_HEADER_LEN + 26;

    dp_packet_put_zeros(packet, 26);
    eth->eth_type = htons(ETH_TYPE_IP);
    ip->ip_ihl_ver = IP_IHL_VER(5, 4);
    ip->ip_tot_len = htons(IP_HEADER_LEN + len);
    ip->ip_id = htons(flow << 12 | seq);
    ip->ip_ttl = kind == TTL ? 63 : 64;
    ip->ip_proto = IPPROTO_UDP;
    ip->ip_frag_off = htons(kind == FRAGMENT ? IP_MORE_FRAGMENTS
                            : kind == LATER_FRAGMENT ? 100 : 0);
    /* Two flows from each address. */
    put_16aligned_be32(reply ? &ip->ip_dst : &ip->ip_src,
                       htonl(0x0a000001 + flow / 2));
    put_16aligned_be32(reply ? &ip->ip_src : &ip->ip_dst, htonl(0x0a000101));
    ip->ip_csum = csum(ip, sizeof *ip);
    udp->udp_src = htons(reply ? 80 : 1000 + flow);
    udp->udp_dst = htons(reply ? 1000 + flow : 80);
    udp->udp_len = htons(len);
    udp->udp_csum = csum_finish(csum_continue(packet_csum_pseudoheader(ip),
                                              udp, len));
    if (kind == ALL_ONES) {
        udp->udp_csum = OVS_BE16_MAX;
    }
    /* As if left by the packet that used this memory before. */
    packet->md.skb_priority = 77;
    return packet;
}

/* Adds a packet as of make_packet() to those to be received. */
void
put_packet(unsigned int flow, uint16_t seq, enum kind kind)
{
    dp_packet_batch_add(&received, make_packet(flow, seq, kind));
}

/* Has the datapath receive all packets that were put. */
void
run(void)
{
    dpif_run(dpif);
    assert_int_equal(received.count, 0);
}

/* Has the control path execute 'actions' on 'packet', and frees it.  Any
 * thread. */
void
execute(struct dp_packet *packet, const struct ofpbuf *actions)
{
    struct dpif_execute execute = {
        .packet = packet, .actions = actions->data,
        .actions_len = actions->size,
    };
    struct flow flow;

    flow_extract(packet, &flow);
    execute.flow = &flow;
    assert_int_equal(dpif_execute(dpif, &execute), 0);
    dp_packet_delete(packet);
}

static uint64_t counters[FUSE_N_COUNTERS];

static bool
add_counters(struct fuse_thread *t, void *aux OVS_UNUSED)
{
    for (int i = 0; i < FUSE_N_COUNTERS; i++) {
        counters[i] += t->counters[i];
    }
    return true;
}

/* Returns the value of 'counter' in all caches. */
uint64_t
count_of(int counter)
{
    memset(counters, 0, sizeof counters);
    fuse_for_each_thread(add_counters, NULL);
    return counters[counter];
}

static bool
flush_thread(struct fuse_thread *t, void *aux OVS_UNUSED)
{
    return fuse_thread_flush(t);
}

/* Empties all caches. */
void
flush(void)
{
    fuse_for_each_thread(flush_thread, NULL);
}
