/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-dpdk/lb/lb-hash.h"

#include <string.h>

#include "datapath-dpdk/lb/lb-gtpu.h"
#include "dp-packet.h"
#include "flow.h"
#include "lib/lb/lb-table.h"
#include "lib/hash/siphash-batch.h"
#include "openvswitch/meta-flow.h"
#include "packets.h"
#include "unaligned.h"
#include "util.h"

/* Returns the Ethernet type of the network header of 'packet', by the offsets
 * that its parser has set, or 0 if the parser found no such header. */
static ovs_be16
network_type(const struct dp_packet *packet)
{
    const char *l3 = dp_packet_l3(packet);

    if (!l3 || packet->l2_5_ofs != UINT16_MAX) {
        return 0;
    }
    if (!dp_packet_is_eth(packet)) {
        return pt_ns_type_be(packet->packet_type);
    }
    /* With VLAN tags or without, the type is what precedes the header. */
    return (packet->l3_ofs >= ETH_HEADER_LEN
            ? get_unaligned_be16((const ovs_be16 *) (l3 - 2))
            : 0);
}

/* Returns true if the network header of 'packet', of Ethernet type 'type', is
 * an IPv4 header, of which all but the options must be there. */
static inline bool
is_ipv4(const struct dp_packet *packet, ovs_be16 type)
{
    return (type == htons(ETH_TYPE_IP)
            && dp_packet_l3_size(packet) >= IP_HEADER_LEN);
}

/* Returns the ports in the transport header 'l4', of protocol 'nw_proto', of
 * which 'size' octets are there, as one number, or 0 if it has none. */
static uint32_t
transport_ports(uint8_t nw_proto, const void *l4, size_t size)
{
    uint32_t ports = 0;

    switch (nw_proto) {
    case IPPROTO_TCP:
    case IPPROTO_UDP:
    case IPPROTO_UDPLITE:
    case IPPROTO_SCTP:
    case IPPROTO_DCCP:
        if (size >= sizeof ports) {
            memcpy(&ports, l4, sizeof ports);
        }
        break;
    }
    return ports;
}

/* What is hashed of a 5-tuple of IPv4. */
struct tuple4 {
    uint64_t addresses;
    uint64_t rest;               /* Protocol and ports. */
};

static inline struct tuple4
make_tuple4(const struct ip_header *ip, uint32_t ports)
{
    struct tuple4 tuple = { .rest = (uint64_t) ip->ip_proto << 32 | ports };

    memcpy(&tuple.addresses, &ip->ip_src, sizeof tuple.addresses);
    return tuple;
}

static uint64_t
hash_tuple4(const struct lb_table *table, struct tuple4 tuple)
{
    return siphash13_u64x2(tuple.addresses, tuple.rest, &table->key);
}

/* Returns the 5-tuple of the packet with IPv4 header 'ip', of which 'size'
 * octets are there, IP_HEADER_LEN at least. */
static inline struct tuple4
tuple_of_ipv4(const struct ip_header *ip, size_t size)
{
    size_t header_len = IP_IHL(ip->ip_ihl_ver) * 4;
    uint32_t ports = 0;

    if (!IP_IS_FRAGMENT(ip->ip_frag_off) && header_len >= IP_HEADER_LEN
        && header_len < size) {
        ports = transport_ports(ip->ip_proto, (const char *) ip + header_len,
                                size - header_len);
    }
    return make_tuple4(ip, ports);
}

/* Hashes two IPv6 addresses, which need no alignment, and the rest of a
 * 5-tuple. */
static uint64_t
hash_tuple6(const struct lb_table *table, const void *src, const void *dst,
            uint8_t nw_proto, uint32_t ports)
{
    uint64_t words[5];

    memcpy(&words[0], src, 16);
    memcpy(&words[2], dst, 16);
    words[4] = (uint64_t) nw_proto << 32 | ports;
    return siphash13_u64xn(words, ARRAY_SIZE(words), &table->key);
}

/* If the packet with IPv6 header 'ip6', of which 'size' octets are there, has
 * a transport header right behind, stores its hash in '*hash' and returns
 * true.  Extension headers are for the parser of Open vSwitch. */
static bool
hash_plain_ipv6(const struct lb_table *table,
                const struct ovs_16aligned_ip6_hdr *ip6, size_t size,
                uint64_t *hash)
{
    if (size < IPV6_HEADER_LEN
        || !(ip6->ip6_nxt == IPPROTO_TCP || ip6->ip6_nxt == IPPROTO_UDP
             || ip6->ip6_nxt == IPPROTO_SCTP)) {
        return false;
    }
    *hash = hash_tuple6(table, &ip6->ip6_src, &ip6->ip6_dst, ip6->ip6_nxt,
                        transport_ports(ip6->ip6_nxt, ip6 + 1,
                                        size - IPV6_HEADER_LEN));
    return true;
}

/* The same as hash_plain_ipv6(), from the result of Open vSwitch's parser,
 * which shows the protocol of the first fragment only. */
static uint64_t
hash_ipv6(const struct lb_table *table, const struct flow *flow)
{
    uint8_t nw_proto = flow->nw_proto;
    uint32_t ports = 0;

    if (flow->nw_frag & FLOW_NW_FRAG_ANY) {
        nw_proto = IPPROTO_FRAGMENT;
    } else {
        BUILD_ASSERT_DECL(offsetof(struct flow, tp_dst)
                          == offsetof(struct flow, tp_src) + 2);
        ports = transport_ports(flow->nw_proto, &flow->tp_src, sizeof ports);
    }
    return hash_tuple6(table, &flow->ipv6_src, &flow->ipv6_dst, nw_proto,
                       ports);
}

static uint64_t
hash_ethernet(const struct lb_table *table, const struct flow *flow)
{
    uint64_t words[2] = { 0, 0 };

    memcpy(&words[0], &flow->dl_src, sizeof flow->dl_src);
    memcpy(&words[1], &flow->dl_dst, sizeof flow->dl_dst);
    memcpy((char *) &words[1] + 6, &flow->dl_type, sizeof flow->dl_type);
    return siphash13_u64xn(words, ARRAY_SIZE(words), &table->key);
}

/* Hashes the words of 'flow' that 'table' names. */
static uint64_t
hash_flow_words(const struct lb_table *table, const struct flow *flow)
{
    const uint64_t *flow_words = (const uint64_t *) flow;
    uint64_t words[LB_TABLE_MAX_WORDS];

    for (uint32_t i = 0; i < table->n_words; i++) {
        const struct lb_hash_word *w = &table->words[i];

        words[i] = (mf_are_prereqs_ok(mf_from_id(w->field), flow, NULL)
                    ? (flow_words[w->index] & w->mask) >> ctz64(w->mask)
                    : 0);
    }
    return siphash13_u64xn(words, table->n_words, &table->key);
}

/* Hashes 'packet', whose network header has Ethernet type 'type'. */
static uint64_t
hash_packet(const struct lb_table *table, struct dp_packet *packet,
            ovs_be16 type)
{
    const void *l3 = dp_packet_l3(packet);
    size_t l3_size = dp_packet_l3_size(packet);
    struct flow flow;
    uint64_t hash;

    if (OVS_LIKELY(!table->n_words)) {
        if (OVS_LIKELY(is_ipv4(packet, type))) {
            return hash_tuple4(table, tuple_of_ipv4(l3, l3_size));
        } else if (type == htons(ETH_TYPE_IPV6)
                   && hash_plain_ipv6(table, l3, l3_size, &hash)) {
            return hash;
        }
    }

    flow_extract(packet, &flow);
    if (table->n_words) {
        return hash_flow_words(table, &flow);
    }
    return (flow.dl_type == htons(ETH_TYPE_IPV6)
            ? hash_ipv6(table, &flow)
            : hash_ethernet(table, &flow));
}

/* Hashes the packet inside of 'gtpu' as if it were outside. */
static uint64_t
hash_inner(const struct lb_table *table, const struct lb_gtpu *gtpu)
{
    bool is_ipv4 = gtpu->inner_version == 4;
    struct dp_packet packet;
    uint64_t hash;

    if (!table->n_words) {
        if (is_ipv4) {
            return hash_tuple4(table, tuple_of_ipv4(
                (const struct ip_header *) gtpu->inner, gtpu->inner_len));
        } else if (hash_plain_ipv6(table,
                                   (const struct ovs_16aligned_ip6_hdr *)
                                   gtpu->inner, gtpu->inner_len, &hash)) {
            return hash;
        }
    }

    dp_packet_use_const(&packet, gtpu->inner, gtpu->inner_len);
    packet.packet_type = htonl(is_ipv4 ? PT_IPV4 : PT_IPV6);

    struct flow flow;

    flow_extract(&packet, &flow);
    return (table->n_words
            ? hash_flow_words(table, &flow)
            : hash_ipv6(table, &flow));
}

/* Hashes the addresses of 'packet', which is GTP-U, as those of its fragments
 * are. */
static uint64_t
hash_path(const struct lb_table *table, struct dp_packet *packet)
{
    const struct ip_header *ip = dp_packet_l3(packet);
    const struct ovs_16aligned_ip6_hdr *ip6 = dp_packet_l3(packet);

    return (IP_VER(ip->ip_ihl_ver) == 4
            ? hash_tuple4(table, make_tuple4(ip, 0))
            : hash_tuple6(table, &ip6->ip6_src, &ip6->ip6_dst, IPPROTO_UDP,
                          0));
}

/* Returns the hash of 'packet' for 'table', as lb_hash_packet() does, and
 * stores what was hashed in '*hashed'. */
uint64_t
lb_hash_explain(const struct lb_table *table, struct dp_packet *packet,
                enum lb_hashed *hashed)
{
    *hashed = LB_HASHED_PACKET;
    if (OVS_UNLIKELY(table->input != LB_INPUT_PACKET)) {
        struct lb_gtpu gtpu = lb_gtpu_find(packet, table->input);

        *hashed = gtpu.hashed;
        switch (gtpu.hashed) {
        case LB_HASHED_TEID:
            return siphash13_u64x1((OVS_FORCE uint64_t) htonll(gtpu.teid),
                                   &table->key);
        case LB_HASHED_INNER:
            return hash_inner(table, &gtpu);
        case LB_HASHED_PATH:
            return hash_path(table, packet);
        case LB_HASHED_PACKET:
            break;
        }
    }
    return hash_packet(table, packet, network_type(packet));
}

/* Returns the hash of 'packet' for 'table'.  Open vSwitch must have parsed
 * 'packet' already; actions may have rewritten it since. */
uint64_t
lb_hash_packet(const struct lb_table *table, struct dp_packet *packet)
{
    enum lb_hashed hashed;

    return lb_hash_explain(table, packet, &hashed);
}

/* Stores in 'hashes', an array of 'n' elements, what lb_hash_packet() returns
 * of each of the 'n' packets in 'packets', at most NETDEV_MAX_BURST. */
void
lb_hash_burst(const struct lb_table *table, struct dp_packet **packets,
              size_t n, uint64_t *hashes)
{
    uint64_t addresses[NETDEV_MAX_BURST], rests[NETDEV_MAX_BURST];
    uint8_t positions[NETDEV_MAX_BURST];
    uint64_t found[NETDEV_MAX_BURST];
    size_t n_ipv4 = 0;

    if (table->n_words || table->input != LB_INPUT_PACKET) {
        for (size_t i = 0; i < n; i++) {
            hashes[i] = lb_hash_packet(table, packets[i]);
        }
        return;
    }

    addresses[0] = rests[0] = 0; /* For the compiler's warnings. */
    for (size_t i = 0; i < n; i++) {
        struct dp_packet *packet = packets[i];
        ovs_be16 type = network_type(packet);

        if (OVS_LIKELY(is_ipv4(packet, type))) {
            struct tuple4 tuple = tuple_of_ipv4(dp_packet_l3(packet),
                                                dp_packet_l3_size(packet));

            addresses[n_ipv4] = tuple.addresses;
            rests[n_ipv4] = tuple.rest;
            positions[n_ipv4++] = i;
        } else {
            hashes[i] = hash_packet(table, packet, type);
        }
    }
    siphash13_u64x2_batch(addresses, rests, n_ipv4, &table->key, found);
    for (size_t i = 0; i < n_ipv4; i++) {
        hashes[positions[i]] = found[i];
    }
}
