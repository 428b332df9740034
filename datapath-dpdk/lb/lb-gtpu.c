/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-dpdk/lb/lb-gtpu.h"

#include "dp-packet.h"
#include "flow.h"
#include "lib/gtpu/gtpu-parse.h"
#include "packets.h"
#include "unaligned.h"
#include "util.h"

/* All types of extension headers: whether the UPF comprehends one is its own
 * affair. */
static const struct gtpu_ext_set all_exts = {
    .bits = { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX },
};

/* Returns true if 'packet' is UDP and no fragment, with IPv4 or IPv6 header
 * 'l3' of which 'size' octets are there. */
static bool
is_whole_udp(struct dp_packet *packet, const void *l3, size_t size)
{
    const struct ip_header *ip = l3;
    const struct ovs_16aligned_ip6_hdr *ip6 = l3;

    if (size >= IP_HEADER_LEN && IP_VER(ip->ip_ihl_ver) == 4) {
        return ip->ip_proto == IPPROTO_UDP && !IP_IS_FRAGMENT(ip->ip_frag_off);
    } else if (size < IPV6_HEADER_LEN || IP_VER(ip->ip_ihl_ver) != 6) {
        return false;
    }

    switch (ip6->ip6_nxt) {
    case IPPROTO_UDP:
        return true;
    case IPPROTO_HOPOPTS:
    case IPPROTO_ROUTING:
    case IPPROTO_DSTOPTS: {
        struct flow flow;

        flow_extract(packet, &flow);
        return flow.nw_proto == IPPROTO_UDP && !flow.nw_frag;
    }
    default:
        return false;
    }
}

/* If 'packet' goes to the port of GTP-U, returns its UDP payload, and stores
 * the payload's length in '*lenp', by the shortest of all lengths.  Otherwise
 * returns null. */
static const uint8_t *
find_payload(struct dp_packet *packet, size_t *lenp)
{
    const struct udp_header *udp = dp_packet_l4(packet);
    const void *l3 = dp_packet_l3(packet);
    size_t size = dp_packet_l4_size(packet);

    if (!l3 || !udp || size < UDP_HEADER_LEN
        || udp->udp_dst != htons(GTPU_UDP_PORT)
        || !is_whole_udp(packet, l3, dp_packet_l3_size(packet))) {
        return NULL;
    }

#ifdef DPDK_NETDEV
    if (packet->source == DPBUF_DPDK
        && packet->mbuf.data_len < dp_packet_size(packet)) {
        return NULL;
    }
#endif

    size_t len = ntohs(udp->udp_len);

    if (len < UDP_HEADER_LEN || len > size) {
        return NULL;
    }
    *lenp = len - UDP_HEADER_LEN;
    return (const uint8_t *) (udp + 1);
}

/* Finds the packet inside of 'gtpu', a G-PDU of 'len' octets, if that can be
 * hashed. */
static void
find_inner(const uint8_t *gtpu, size_t len, struct lb_gtpu *found)
{
    struct gtpu_header h;
    enum gtpu_inner type;

    if (gtpu_parse(gtpu, len, len, &all_exts, &h)
        || gtpu_inner_type(gtpu + h.hdr_len, h.payload_len, h.payload_len,
                           &type)) {
        return;
    }
    found->hashed = LB_HASHED_INNER;
    found->inner = gtpu + h.hdr_len;
    found->inner_len = h.payload_len;
    found->inner_version = type == GTPU_INNER_IPV4 ? 4 : 6;
}

/* Finds the part of 'packet', which Open vSwitch has parsed, that a table with
 * 'input' hashes.  The result refers to the packet's data. */
struct lb_gtpu
lb_gtpu_find(struct dp_packet *packet, enum lb_input input)
{
    struct lb_gtpu found = { .hashed = LB_HASHED_PACKET };
    const uint8_t *gtpu;
    size_t len;

    gtpu = find_payload(packet, &len);
    if (!gtpu || len < GTPU_HLEN
        || (gtpu[0] & GTPU_F_VERSION) != GTPU_F_VERSION_1
        || !(gtpu[0] & GTPU_F_PT)) {
        return found;
    }

    switch (gtpu[1]) {
    case GTPU_MSG_G_PDU:
    case GTPU_MSG_END_MARKER:
    case GTPU_MSG_TUNNEL_STATUS:
        found.hashed = LB_HASHED_TEID;
        found.teid = ntohl(get_unaligned_be32((const ovs_be32 *) (gtpu + 4)));
        if (input == LB_INPUT_INNER && gtpu[1] == GTPU_MSG_G_PDU) {
            find_inner(gtpu, len, &found);
        }
        break;
    default:
        found.hashed = LB_HASHED_PATH;
        break;
    }
    return found;
}
