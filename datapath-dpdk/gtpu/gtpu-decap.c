/* SPDX-License-Identifier: Apache-2.0 */

/* Decapsulation of GTP-U
 * ======================
 *
 * Takes Ethernet, IP, UDP and GTP-U headers off a packet that the underlay
 * bridge received for a local address and port 2152, and puts what they say
 * into its tunnel metadata.
 *
 * A G-PDU leaves as its inner packet.  The switch answers some messages itself
 * (gtpu-receive.c).  Any other message leaves from its outer IP header on, for
 * a controller or an application.  It reaches a port of any mode: see
 * ofproto-ext/gtpu/gtpu-xlate.c.
 *
 * pop_header() is not told the port, so it must guess whether IP or Ethernet
 * is inside.  While all ports carry IP, or all carry Ethernet, that decides.
 * With ports of both kinds, or packet-type-aware ones (ptap), an inner packet
 * that is valid IP counts as IP, any other as Ethernet.  A MAC address may
 * begin with 4 or 6, too.  So "valid" then means a right IPv4 header checksum
 * or an exact IPv6 length. */

#include <config.h>
#include "datapath-dpdk/gtpu/gtpu-hooks.h"

#include "datapath-dpdk/compat/compat-offload.h"
#include "datapath-dpdk/compat/compat-packet.h"
#include "datapath-dpdk/gtpu/gtpu-drop-port.h"
#include "datapath-dpdk/gtpu/gtpu-outer.h"
#include "datapath-dpdk/gtpu/gtpu-psc.h"
#include "datapath-dpdk/gtpu/gtpu-receive.h"
#include "datapath-dpdk/gtpu/gtpu-vport.h"
#include "dp-packet.h"
#include "lib/gtpu/gtpu-parse.h"
#include "openvswitch/flow.h"
#include "packets.h"
#include "util.h"

/* The UDP datagram in a packet. */
struct datagram {
    const uint8_t *payload;     /* What follows the UDP header... */
    size_t len;                 /* ...by the UDP length field. */
    bool is_ipv6;
};

/* Returns the number of octets of 'packet' that are contiguous in memory. */
static size_t
linear_size(const struct dp_packet *packet)
{
#ifdef DPDK_NETDEV
    if (packet->source == DPBUF_DPDK) {
        return MIN(packet->mbuf.data_len, dp_packet_size(packet));
    }
#endif
    return dp_packet_size(packet);
}

/* Checks the IPv4 header 'ip' of 'header_len' octets with its options.  Stores
 * its addresses in 'tnl' and its total length in '*end'. */
static enum gtpu_drop
parse_ipv4(const struct dp_packet *packet, const struct ip_header *ip,
           size_t header_len, struct flow_tnl *tnl, size_t *end)
{
    if (header_len < IP_HEADER_LEN
        || IP_IHL(ip->ip_ihl_ver) * 4 != header_len
        || ip->ip_proto != IPPROTO_UDP) {
        return GTPU_DROP_OUTER;
    } else if (!compat_ip_csum_is_valid(packet)
               && csum(ip, header_len)) {
        return GTPU_DROP_IP_CSUM;
    }

    tnl->ip_src = get_16aligned_be32(&ip->ip_src);
    tnl->ip_dst = get_16aligned_be32(&ip->ip_dst);
    tnl->ip_tos = ip->ip_tos;
    tnl->ip_ttl = ip->ip_ttl;
    *end = ntohs(ip->ip_tot_len);
    return (IP_IS_FRAGMENT(ip->ip_frag_off)
            ? GTPU_DROP_FRAGMENT
            : GTPU_DROP_NONE);
}

/* Returns true if the extension headers of the IPv6 header 'ip6', up to octet
 * 'header_len', have a fragment header. */
static bool
is_ipv6_fragment(const struct ovs_16aligned_ip6_hdr *ip6, size_t header_len)
{
    size_t size = header_len - IPV6_HEADER_LEN;
    const void *data = ip6 + 1;
    uint8_t nw_proto = ip6->ip6_nxt;
    uint8_t nw_frag = 0;

    return (size
            && compat_parse_ipv6_ext_hdrs(&data, &size, &nw_proto, &nw_frag)
            && nw_frag);
}

/* Checks the IPv6 header 'ip6', of 'header_len' octets with its extension
 * headers, likewise. */
static enum gtpu_drop
parse_ipv6(const struct ovs_16aligned_ip6_hdr *ip6, size_t header_len,
           struct flow_tnl *tnl, size_t *end)
{
    if (header_len < IPV6_HEADER_LEN) {
        return GTPU_DROP_OUTER;
    }

    memcpy(&tnl->ipv6_src, &ip6->ip6_src, sizeof tnl->ipv6_src);
    memcpy(&tnl->ipv6_dst, &ip6->ip6_dst, sizeof tnl->ipv6_dst);
    tnl->ip_tos = ntohl(get_16aligned_be32(&ip6->ip6_flow)) >> 20;
    tnl->ip_ttl = ip6->ip6_hlim;
    *end = IPV6_HEADER_LEN + ntohs(ip6->ip6_plen);
    return (is_ipv6_fragment(ip6, header_len)
            ? GTPU_DROP_FRAGMENT
            : GTPU_DROP_NONE);
}

/* Checks the UDP header of 'packet'.  Its IP packet has 'room' octets for it,
 * all in memory.  Fills in 'dg', whose 'is_ipv6' is input. */
static enum gtpu_drop
parse_udp(const struct dp_packet *packet, size_t room, struct flow_tnl *tnl,
          struct datagram *dg)
{
    const struct udp_header *udp = dp_packet_l4(packet);
    size_t len;

    if (room < UDP_HEADER_LEN) {
        return GTPU_DROP_OUTER;
    }
    len = ntohs(udp->udp_len);
    if (len < UDP_HEADER_LEN || len > room) {
        return GTPU_DROP_UDP_LENGTH;
    }

    if (udp->udp_csum) {
        if (!compat_udp_csum_is_valid(packet)
            && gtpu_udp_csum(dp_packet_l3(packet), dg->is_ipv6, udp, len)) {
            return GTPU_DROP_UDP_CSUM;
        }
        tnl->flags |= FLOW_TNL_F_CSUM;
    }
    tnl->tp_src = udp->udp_src;
    tnl->tp_dst = udp->udp_dst;
    dg->payload = (const uint8_t *) (udp + 1);
    dg->len = len - UDP_HEADER_LEN;
    return GTPU_DROP_NONE;
}

/* Parses the outer headers of 'packet', whose offsets are set, into its
 * tunnel metadata 'tnl', and stores the datagram in '*dg'. */
static enum gtpu_drop
parse_outer(const struct dp_packet *packet, struct flow_tnl *tnl,
            struct datagram *dg)
{
    const uint8_t *l3 = dp_packet_l3(packet);
    const uint8_t *l4 = dp_packet_l4(packet);
    size_t linear = linear_size(packet);
    enum gtpu_drop drop = GTPU_DROP_OUTER;
    size_t header_len, end;

    if (!l3 || !l4 || l4 <= l3 || packet->l4_ofs > linear) {
        return GTPU_DROP_OUTER;
    } else if (linear < dp_packet_size(packet)) {
        /* gtpu-linear.c has failed on it.  dp_packet_set_size() would set the
         * length of its first segment wrong. */
        return GTPU_DROP_NOT_LINEAR;
    }

    header_len = l4 - l3;
    dg->is_ipv6 = IP_VER(*l3) == 6;
    if (dg->is_ipv6) {
        drop = parse_ipv6((const void *) l3, header_len, tnl, &end);
    } else if (IP_VER(*l3) == 4) {
        drop = parse_ipv4(packet, (const void *) l3, header_len, tnl, &end);
    }
    if (drop) {
        return drop;
    } else if (end < header_len || end > linear - packet->l3_ofs) {
        return GTPU_DROP_OUTER;
    }
    return parse_udp(packet, end - header_len, tnl, dg);
}

/* Returns true if the 'len' octets at 'inner' are beyond doubt an IP packet of
 * 'type', which gtpu_inner_type() found. */
static bool
is_surely_ip(const uint8_t *inner, size_t len, enum gtpu_inner type)
{
    if (type == GTPU_INNER_IPV4) {
        return !csum(inner, (inner[0] & 0x0f) * 4);
    }
    return (inner[4] << 8 | inner[5]) + IPV6_HEADER_LEN == len;
}

/* Stores in '*packet_type' the type of the 'len' octets at 'inner', the
 * payload of a G-PDU. */
static enum gtpu_drop
find_inner_type(const uint8_t *inner, size_t len, ovs_be32 *packet_type)
{
    struct gtpu_carried carried = gtpu_vport_carried();
    enum gtpu_error error = GTPU_ERR_INNER_TRUNC;
    enum gtpu_inner type;

    if (carried.l3) {
        error = gtpu_inner_type(inner, len, len, &type);
        if (!error && (!carried.l2 || is_surely_ip(inner, len, type))) {
            *packet_type = htonl(type == GTPU_INNER_IPV4 ? PT_IPV4 : PT_IPV6);
            return GTPU_DROP_NONE;
        }
    }
    if (carried.l2 && len >= ETH_HEADER_LEN) {
        *packet_type = htonl(PT_ETH);
        return GTPU_DROP_NONE;
    }
    return len ? gtpu_error_drop(error) : GTPU_DROP_INNER_EMPTY;
}

/* Turns 'packet', a G-PDU 'h' in 'dg', into its inner packet. */
static enum gtpu_drop
decap_g_pdu(struct dp_packet *packet, const struct gtpu_header *h,
            const struct datagram *dg)
{
    const uint8_t *inner = dg->payload + h->hdr_len;
    size_t ofs = inner - (const uint8_t *) dp_packet_data(packet);
    ovs_be32 packet_type = htonl(PT_ETH);
    enum gtpu_drop drop;

    drop = find_inner_type(inner, h->payload_len, &packet_type);
    if (!drop) {
        packet->packet_type = packet_type;
        dp_packet_set_size(packet, ofs + h->payload_len);
        dp_packet_reset_packet(packet, ofs);
    }
    return drop;
}

/* Returns 'h' in 'dg' in the form that gtpu-receive.c takes. */
static struct gtpu_message
make_message(const struct gtpu_header *h, const struct datagram *dg)
{
    return (struct gtpu_message) {
        .header = h,
        .data = dg->payload,
        .len = dg->len,
        .is_ipv6 = dg->is_ipv6,
    };
}

/* Turns 'packet', a signalling message 'h' in 'dg', into an IP packet for the
 * ports, or into the answer to it. */
static enum gtpu_drop
decap_signalling(struct dp_packet *packet, const struct gtpu_header *h,
                 const struct datagram *dg)
{
    const struct gtpu_message message = make_message(h, dg);
    enum gtpu_drop drop = GTPU_DROP_NONE;
    enum gtpu_fate fate = gtpu_receive(packet, &message, &drop);

    if (fate != GTPU_DELIVER) {
        return fate == GTPU_DROPPED ? drop : GTPU_DROP_NONE;
    }
    packet->packet_type = htonl(dg->is_ipv6 ? PT_IPV6 : PT_IPV4);
    dp_packet_reset_packet(packet, packet->l3_ofs);
    return GTPU_DROP_NONE;
}

/* Turns 'packet', with an unknown extension header that requires
 * comprehension, into the answer to it. */
static enum gtpu_drop
refuse(struct dp_packet *packet, const struct gtpu_header *h,
       const struct datagram *dg)
{
    const struct gtpu_message message = make_message(h, dg);

    return gtpu_refuse(packet, &message);
}

static enum gtpu_drop
decap(struct dp_packet *packet)
{
    struct flow_tnl *tnl = &packet->md.tunnel;
    struct gtpu_header h;
    enum gtpu_drop drop;
    struct datagram dg;

    drop = parse_outer(packet, tnl, &dg);
    if (!drop) {
        drop = gtpu_error_drop(gtpu_parse(dg.payload, dg.len, dg.len, NULL,
                                          &h));
        if (!drop || drop > GTPU_DROP_PT) {
            tnl->tun_id = htonll(h.teid);
            tnl->flags |= FLOW_TNL_F_KEY;
        }
    }
    if (drop == GTPU_DROP_EXT_REQUIRED) {
        return refuse(packet, &h, &dg);
    } else if (drop) {
        return drop;
    }

    /* Read from the packet: a read of two octets of 'h' at once would wait for
     * the writes of single octets just before. */
    tnl->gtpu_flags = dg.payload[0];
    tnl->gtpu_msgtype = dg.payload[1];
    gtpu_psc_to_tnl(h.has_psc ? &h.psc : NULL, tnl);
    if (h.msg_type == GTPU_MSG_G_PDU) {
        return decap_g_pdu(packet, &h, &dg);
    }
    return decap_signalling(packet, &h, &dg);
}

/* Does the same as pkt_metadata_init_tnl().  Compilers turn that into "rep
 * stos", which is slower to start than a call of memset(). */
static inline void
init_metadata(struct pkt_metadata *md)
{
    odp_port_t orig_in_port = md->in_port.odp_port;
    size_t size = offsetof(struct pkt_metadata, tunnel.metadata.opts);

    __asm__("" : "+r" (size));   /* Not known to the compiler. */
    memset(md, 0, size);
    md->orig_in_port = orig_in_port;
}

struct dp_packet *
gtpu_vport_pop_header(struct dp_packet *packet)
{
    enum gtpu_drop drop;

    init_metadata(&packet->md);
    drop = decap(packet);
    if (drop) {
        gtpu_drop_rx(&packet->md.tunnel, drop);
        dp_packet_delete(packet);
        return NULL;
    }
    return packet;
}

uint8_t
gtpu_tunnel_frag_mask(const char *name)
{
    return (strncmp(name, "gtpu_", 5)
            ? FLOW_NW_FRAG_MASK
            : FLOW_NW_FRAG_LATER);
}
