/* SPDX-License-Identifier: Apache-2.0 */

#ifndef EQ_CASE_H
#define EQ_CASE_H 1

/* A case of the in-process equivalence harness
 * ============================================
 *
 * A case is a pipeline, conversations, and events: batches of packets, and
 * changes between them.  It is plain data that eq_case_generate() makes from a
 * seed alone, so it can be run again, made smaller and printed.
 *
 * The pipeline has a decision tree for each recirculation.  A node tests some
 * bits of one field; a leaf has actions.  A megaflow matches the bits that the
 * nodes on the way to its leaf tested.  So no two megaflows overlap, like
 * those that ofproto makes of one table.  If 'overlaps', some match more, as
 * those do that ofproto made before other flows changed, and overlap with
 * megaflows that have the same actions.
 *
 * All integers are in host byte order. */

#include <stdbool.h>
#include <stdint.h>

#define EQ_N_PORTS 4             /* Devices; hosts are behind them. */
#define EQ_MAX_TABLES 6
#define EQ_MAX_NODES 15          /* Of a table. */
#define EQ_MAX_ACTIONS 8
#define EQ_MAX_CONVS 10
#define EQ_MAX_EVENTS 40
#define EQ_MAX_BURST 32
#define EQ_N_GROUPS 2
#define EQ_MAX_BUCKETS 4
#define EQ_N_METERS 2

/* Numbers of datapath ports. */
#define EQ_PORT(I) (1 + (I))     /* Device 'I'. */
#define EQ_TUNNEL_PORT(T) (10 + (T)) /* By enum eq_tunnel. */
#define EQ_UNDERLAY 3            /* The device that tunnels go through. */

/* What a node can test: EQ_FIELD(NAME, name). */
#define EQ_FIELDS                                                           \
    EQ_FIELD(IN_PORT, "in_port")                                            \
    EQ_FIELD(DL_DST, "dl_dst")                                              \
    EQ_FIELD(VLAN, "vlan_tci")                                              \
    EQ_FIELD(DL_TYPE, "dl_type")                                            \
    EQ_FIELD(NW_PROTO, "nw_proto")                                          \
    EQ_FIELD(NW_SRC, "nw_src")                                              \
    EQ_FIELD(NW_DST, "nw_dst")                                              \
    EQ_FIELD(IPV6_SRC, "ipv6_src")                                          \
    EQ_FIELD(IPV6_DST, "ipv6_dst")                                          \
    EQ_FIELD(NW_TOS, "nw_tos")                                              \
    EQ_FIELD(NW_TTL, "nw_ttl")                                              \
    EQ_FIELD(NW_FRAG, "nw_frag")                                            \
    EQ_FIELD(TP_SRC, "tp_src")                                              \
    EQ_FIELD(TP_DST, "tp_dst")                                              \
    EQ_FIELD(TCP_FLAGS, "tcp_flags")                                        \
    EQ_FIELD(CT_STATE, "ct_state")                                          \
    EQ_FIELD(CT_ZONE, "ct_zone")                                            \
    EQ_FIELD(CT_MARK, "ct_mark")                                            \
    EQ_FIELD(CT_LABEL, "ct_label")                                          \
    EQ_FIELD(DP_HASH, "dp_hash")                                            \
    EQ_FIELD(PRIORITY, "skb_priority")                                      \
    EQ_FIELD(PKT_MARK, "pkt_mark")                                          \
    EQ_FIELD(TUN_ID, "tun_id")

enum eq_field {
#define EQ_FIELD(NAME, TEXT) EQ_##NAME,
    EQ_FIELDS
#undef EQ_FIELD
    EQ_N_FIELDS
};

struct eq_test {
    enum eq_field field;
    uint32_t mask;               /* Of IPv6 addresses, the last word's. */
    uint32_t value;
};

/* EQ_ACTION(NAME, name): arguments 'a' and 'b' are what the name says. */
#define EQ_ACTIONS                                                          \
    EQ_ACTION(NOTHING, "nothing")                                           \
    EQ_ACTION(OUTPUT, "output")                                             \
    EQ_ACTION(CLONE, "clone,output")                                        \
    EQ_ACTION(TUNNEL, "tunnel")                                             \
    EQ_ACTION(TRUNC, "trunc")                                               \
    EQ_ACTION(RECIRC, "recirc")                                             \
    EQ_ACTION(HASH, "hash")                                                 \
    EQ_ACTION(LB, "lb")                                                     \
    EQ_ACTION(DROP, "drop")                                                 \
    EQ_ACTION(METER, "meter")                                               \
    EQ_ACTION(CT, "ct")                                                     \
    EQ_ACTION(CT_CLEAR, "ct_clear")                                         \
    EQ_ACTION(PRIORITY, "set:priority")                                     \
    EQ_ACTION(PKT_MARK, "set:pkt_mark")                                     \
    EQ_ACTION(ETH, "set:eth_dst")                                           \
    EQ_ACTION(NW_SRC, "set:nw_src")                                         \
    EQ_ACTION(NW_DST, "set:nw_dst")                                         \
    EQ_ACTION(NW_TOS, "set:nw_tos")                                         \
    EQ_ACTION(DEC_TTL, "dec_ttl")                                           \
    EQ_ACTION(TP_SRC, "set:tp_src")                                         \
    EQ_ACTION(TP_DST, "set:tp_dst")                                         \
    EQ_ACTION(PUSH_VLAN, "push_vlan")                                       \
    EQ_ACTION(POP_VLAN, "pop_vlan")

enum eq_action_kind {
#define EQ_ACTION(NAME, TEXT) EQ_A_##NAME,
    EQ_ACTIONS
#undef EQ_ACTION
    EQ_N_ACTIONS
};

/* What a ct action does. */
#define EQ_DO_COMMIT (1 << 0)
#define EQ_DO_NAT (1 << 1)       /* Translates as was committed. */
#define EQ_DO_SNAT (1 << 2)      /* To 'a'. */
#define EQ_DO_DNAT (1 << 3)      /* To 'a' and, if nonzero, port 'b'. */
#define EQ_DO_MARK (1 << 4)      /* To 'mark'. */
#define EQ_DO_LABEL (1 << 5)     /* Likewise. */

struct eq_action {
    enum eq_action_kind kind;
    uint32_t a, b;
    uint8_t zone, ct, mark;      /* Of ct. */
};

struct eq_node {
    struct eq_test test;
    uint8_t children[2];         /* If the test fails, or not; 0: a leaf. */
    struct eq_action actions[EQ_MAX_ACTIONS];
    uint32_t n_actions;
    bool is_new;                 /* For packets that the tracker finds new. */
};

struct eq_table {
    struct eq_node nodes[EQ_MAX_NODES];
    uint32_t n_nodes;            /* 'nodes[0]' is the root. */
};

/* A conversation: the tuple of the side that opens it. */
struct eq_conv {
    uint8_t in_port, proto;
    bool ipv6;
    uint8_t tos, ttl;
    uint16_t vlan;               /* 0: none. */
    uint32_t src, dst;           /* Of IPv6 addresses, the last word. */
    uint16_t tp_src, tp_dst;
    uint32_t rss;                /* 0: the device gives none. */
    uint16_t window;
    uint8_t tunnel;              /* 0: none, else an enum eq_tunnel. */
    uint32_t tun_id;
};

enum eq_tunnel { EQ_NO_TUNNEL, EQ_VXLAN, EQ_GTPU, EQ_N_TUNNELS };

/* Packets that meters drop depend on the order of all packets.  Meters that
 * drop none count them. */
enum eq_meters { EQ_NO_METERS, EQ_COUNTING_METERS, EQ_DROPPING_METERS };

enum eq_frag { EQ_WHOLE, EQ_FIRST, EQ_LAST };
enum eq_csum { EQ_RIGHT, EQ_ZERO, EQ_ONES, EQ_WRONG };
enum eq_seq { EQ_NEXT, EQ_AGAIN, EQ_OLD, EQ_FAR, EQ_EDGE };
enum eq_offload { EQ_NONE, EQ_GOOD, EQ_L3_BAD, EQ_L4_BAD };

struct eq_pkt {
    uint8_t conv;
    uint8_t flags;               /* Of TCP. */
    uint8_t seq, ack;            /* An enum eq_seq each. */
    uint8_t frag, csum;
    bool ip_wrong;               /* Its checksum. */
    uint8_t ip_zero;             /* Its checksum is 0, as 0 or as 0xffff. */
    bool outer_wrong;            /* Of the tunnel's header. */
    bool options, df;
    bool timestamps;             /* A TCP option. */
    uint8_t tos, ttl;            /* To be added to the conversation's. */
    uint8_t offload, rss;        /* RSS: another than usual, if nonzero. */
    uint8_t pad, headroom;
    uint16_t len;                /* Payload. */
};

/* EQ_EVENT(NAME, name). */
#define EQ_EVENTS                                                           \
    EQ_EVENT(BATCH, "batch")                                                \
    EQ_EVENT(TIME, "time")                                                  \
    EQ_EVENT(FLUSH_FLOWS, "flush-flows")                                    \
    EQ_EVENT(DELETE_FLOW, "delete-flow")                                    \
    EQ_EVENT(FLUSH_CT, "flush-ct")                                          \
    EQ_EVENT(CHANGE_LEAF, "change-leaf")                                    \
    EQ_EVENT(GROUP, "group")                                                \
    EQ_EVENT(NEIGHBOUR, "neighbour")                                        \
    EQ_EVENT(PORT_FLAP, "port-flap")                                        \
    EQ_EVENT(TUNNEL, "tunnel-comes-or-goes")                                \
    EQ_EVENT(FLUSH_CACHE, "flush-cache")

enum eq_event_kind {
#define EQ_EVENT(NAME, TEXT) EQ_E_##NAME,
    EQ_EVENTS
#undef EQ_EVENT
    EQ_N_EVENTS
};

/* State of a group: bucket 'i' has weight 'weights[i]' and lives if bit 'i' of
 * 'alive' is set. */
struct eq_group {
    uint32_t timeout;            /* In s; 0: stateless. */
    uint32_t n_buckets;
    uint8_t alive;
    uint8_t weights[EQ_MAX_BUCKETS];
};

struct eq_event {
    enum eq_event_kind kind;
    uint32_t a;                  /* Milliseconds, megaflow, zone, group. */
    uint8_t table, node;         /* Of a leaf that changes, to... */
    struct eq_action actions[EQ_MAX_ACTIONS];
    uint32_t n_actions;          /* ...these. */
    struct eq_group group;
    bool reply;                  /* Batch: of those that answer. */
    struct eq_pkt pkts[EQ_MAX_BURST];
    uint32_t n;
};

struct eq_case {
    uint64_t seed;
    struct eq_table tables[EQ_MAX_TABLES];
    uint32_t n_tables;
    bool tunnels;                /* Packets to ends of tunnels go there. */
    bool overlaps;               /* Some megaflows match more than needed. */
    enum eq_meters meters;
    struct eq_group groups[EQ_N_GROUPS];
    struct eq_conv convs[EQ_MAX_CONVS];
    uint32_t n_convs;
    struct eq_event events[EQ_MAX_EVENTS];
    uint32_t n_events;
};

/* Fills in '*c' from 'seed'. */
void eq_case_generate(struct eq_case *c, uint64_t seed);
void eq_case_print(const struct eq_case *);

/* Makes '*c', which differs, smaller: leaves out what 'differs' does not need
 * to go on returning true.  Returns true if anything was left out. */
bool eq_case_shrink(struct eq_case *c,
                    bool (*differs)(const struct eq_case *));

#endif /* eq-case.h */
