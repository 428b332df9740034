/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-dpdk/lb-hash.h"

#include <string.h>

#include "dp-packet.h"
#include "flow.h"
#include "lib/lb-table.h"
#include "lib/siphash.h"
#include "openvswitch/meta-flow.h"
#include "packets.h"
#include "unaligned.h"
#include "util.h"

/* Returns the Ethernet type of the network header of 'packet' by what its
 * parser noted, or 0 if there is none that the parser got to. */
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

/* Returns the ports of 'packet', of protocol 'nw_proto', as one number, or 0
 * if it has none. */
static uint32_t
transport_ports(const struct dp_packet *packet, uint8_t nw_proto)
{
    const char *l4 = dp_packet_l4(packet);
    uint32_t ports = 0;

    switch (nw_proto) {
    case IPPROTO_TCP:
    case IPPROTO_UDP:
    case IPPROTO_UDPLITE:
    case IPPROTO_SCTP:
    case IPPROTO_DCCP:
        if (l4 && dp_packet_l4_size(packet) >= sizeof ports) {
            memcpy(&ports, l4, sizeof ports);
        }
        break;
    }
    return ports;
}

static uint64_t
hash_ipv4(const struct lb_table *table, const struct dp_packet *packet,
          const struct ip_header *ip)
{
    uint32_t ports = (IP_IS_FRAGMENT(ip->ip_frag_off)
                      ? 0 : transport_ports(packet, ip->ip_proto));
    uint64_t addresses;

    memcpy(&addresses, &ip->ip_src, sizeof addresses);
    return siphash13_u64x2(addresses, (uint64_t) ip->ip_proto << 32 | ports,
                           &table->key);
}

/* 'nw_proto' and 'ports' are those of 'flow', which the parser of Open vSwitch
 * took from behind the extension headers. */
static uint64_t
hash_ipv6(const struct lb_table *table, const struct flow *flow)
{
    bool frag = flow->nw_frag & FLOW_NW_FRAG_ANY;
    uint32_t ports = (frag ? 0
                      : (OVS_FORCE uint32_t) flow->tp_src << 16
                        | (OVS_FORCE uint32_t) flow->tp_dst);
    uint64_t words[5];

    memcpy(&words[0], &flow->ipv6_src, 16);
    memcpy(&words[2], &flow->ipv6_dst, 16);
    words[4] = (uint64_t) flow->nw_proto << 32 | ports;
    return siphash13_u64xn(words, ARRAY_SIZE(words), &table->key);
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
                    ? flow_words[w->index] & w->mask : 0);
    }
    return siphash13_u64xn(words, table->n_words, &table->key);
}

/* Returns the hash of 'packet' for 'table'.  Open vSwitch must have parsed
 * 'packet' already; actions may have rewritten it since. */
uint64_t
lb_hash_packet(const struct lb_table *table, struct dp_packet *packet)
{
    if (!table->n_words && network_type(packet) == htons(ETH_TYPE_IP)
        && dp_packet_l3_size(packet) >= IP_HEADER_LEN) {
        return hash_ipv4(table, packet, dp_packet_l3(packet));
    }

    struct flow flow;

    flow_extract(packet, &flow);
    if (table->n_words) {
        return hash_flow_words(table, &flow);
    }
    return (flow.dl_type == htons(ETH_TYPE_IPV6)
            ? hash_ipv6(table, &flow)
            : flow.dl_type == htons(ETH_TYPE_IP)
            ? hash_ipv4(table, packet, dp_packet_l3(packet))
            : hash_ethernet(table, &flow));
}
