/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "tests/equivalence/eq-frame.h"

#include <netinet/in.h>
#include <netinet/icmp6.h>
#include <string.h>

#include "crc32c.h"
#include "csum.h"
#include "dp-packet.h"
#include "flow.h"
#include "packets.h"
#include "tests/equivalence/eq-device.h"
#include "tests/equivalence/eq-offload.h"
#include "unaligned.h"
#include "util.h"

#define VXLAN_PORT 4789
#define GTPU_PORT 2152
#define FIRST_LEN 1208           /* Payload of a first fragment. */

static struct in6_addr
make_address(bool ipv6, uint32_t last)
{
    struct in6_addr addr = { .s6_addr = { ipv6 ? 0xfd : 0 } };

    addr.s6_addr32[3] = htonl(last);
    return addr;
}

struct eq_header
eq_header_of_conv(const struct eq_conv *conv, uint32_t i)
{
    struct eq_header h = {
        .valid = true,
        .port = conv->in_port,
        .src = ETH_ADDR_C(02, 00, 00, 00, 00, 00),
        .dst = ETH_ADDR_C(02, 00, 00, 00, 01, 00),
        .vlan = conv->vlan,
        .ipv6 = conv->ipv6,
        .proto = (conv->proto == IPPROTO_ICMP && conv->ipv6 ? IPPROTO_ICMPV6
                  : conv->proto),
        .tos = conv->tos, .ttl = conv->ttl,
        .ip_src = make_address(conv->ipv6, conv->src),
        .ip_dst = make_address(conv->ipv6, conv->dst),
        .tp_src = conv->tp_src, .tp_dst = conv->tp_dst,
        .tunnel = conv->tunnel,
        .outer_src = htonl(0xc0a80002 + conv->tun_id),
        .outer_dst = htonl(0xc0a80001),
        .key = conv->tun_id,
    };

    h.src.ea[5] = i;
    h.dst.ea[5] = conv->dst;
    return h;
}

/* Answers. */

static void
answer_flow(struct eq_header *h, const struct flow *flow)
{
    bool icmp = flow->nw_proto == IPPROTO_ICMP
                || flow->nw_proto == IPPROTO_ICMPV6;

    h->src = flow->dl_dst;
    h->dst = flow->dl_src;
    h->vlan = vlan_tci_to_vid(flow->vlans[0].tci);
    h->ipv6 = flow->dl_type == htons(ETH_TYPE_IPV6);
    h->proto = flow->nw_proto;
    h->tos = flow->nw_tos;
    h->ttl = 60;
    if (h->ipv6) {
        h->ip_src = flow->ipv6_dst;
        h->ip_dst = flow->ipv6_src;
    } else {
        h->ip_src = make_address(false, ntohl(flow->nw_dst));
        h->ip_dst = make_address(false, ntohl(flow->nw_src));
    }
    h->tp_src = icmp ? 0 : ntohs(flow->tp_dst);
    h->tp_dst = icmp ? 0 : ntohs(flow->tp_src);
    h->valid = (h->ipv6 || flow->dl_type == htons(ETH_TYPE_IP))
               && !(flow->nw_frag & FLOW_NW_FRAG_LATER);
}

struct eq_header
eq_header_of_answer(const uint8_t *frame, uint32_t size, uint8_t port)
{
    struct eq_header h = { .port = port };
    struct dp_packet packet;
    struct flow flow;
    const uint8_t *l4;

    dp_packet_use_const(&packet, frame, size);
    flow_extract(&packet, &flow);
    l4 = dp_packet_l4(&packet);
    if (l4 && flow.nw_proto == IPPROTO_UDP && !flow.nw_frag
        && (flow.tp_dst == htons(VXLAN_PORT)
            || flow.tp_dst == htons(GTPU_PORT))) {
        bool vxlan = flow.tp_dst == htons(VXLAN_PORT);
        const uint8_t *tunnel = l4 + UDP_HEADER_LEN;
        const uint8_t *inner = tunnel + 8;

        h.tunnel = vxlan ? EQ_VXLAN : EQ_GTPU;
        h.outer_src = flow.nw_dst;
        h.outer_dst = flow.nw_src;
        h.key = ntohl(get_unaligned_be32((ovs_be32 *) (tunnel + 4)));
        h.key >>= vxlan ? 8 : 0;
        dp_packet_use_const(&packet, inner, size - (inner - frame));
        if (!vxlan) {
            packet.packet_type = (inner[0] >> 4 == 6
                                  ? htonl(PT_IPV6) : htonl(PT_IPV4));
        }
        flow_extract(&packet, &flow);
        l4 = dp_packet_l4(&packet);
    }
    answer_flow(&h, &flow);
    if (l4 && (h.proto == IPPROTO_ICMP || h.proto == IPPROTO_ICMPV6)) {
        h.tp_src = ntohs(get_unaligned_be16((ovs_be16 *) (l4 + 4)));
    }
    return h;
}

/* Packets. */

static void
put_payload(struct dp_packet *b, uint32_t len, uint32_t tag)
{
    uint8_t *p = dp_packet_put_zeros(b, len);

    if (len >= 8) {
        put_unaligned_be32((ovs_be32 *) p, htonl(EQ_MAGIC));
        put_unaligned_be32((ovs_be32 *) (p + 4), htonl(tag));
        for (uint32_t i = 8; i < len; i++) {
            p[i] = i * 7 + tag;
        }
    }
}

static void
put_tcp(struct dp_packet *b, const struct eq_header *h,
        const struct eq_pkt *pkt, const struct eq_numbers *n)
{
    uint32_t hlen = TCP_HEADER_LEN + (pkt->timestamps ? 12 : 0);
    struct tcp_header *tcp = dp_packet_put_zeros(b, hlen);

    tcp->tcp_src = htons(h->tp_src);
    tcp->tcp_dst = htons(h->tp_dst);
    put_16aligned_be32(&tcp->tcp_seq, htonl(n->seq));
    put_16aligned_be32(&tcp->tcp_ack,
                       htonl(pkt->flags & TCP_ACK ? n->ack : 0));
    tcp->tcp_ctl = TCP_CTL(pkt->flags, hlen / 4);
    tcp->tcp_winsz = htons(n->window);
    if (pkt->timestamps) {
        uint8_t *option = (uint8_t *) (tcp + 1);

        option[0] = option[1] = 1;
        option[2] = 8;
        option[3] = 10;
        put_unaligned_be32((ovs_be32 *) (option + 4), htonl(EQ_MAGIC));
        put_unaligned_be32((ovs_be32 *) (option + 8), htonl(n->tag));
    }
}

static void
put_l4(struct dp_packet *b, const struct eq_header *h,
       const struct eq_pkt *pkt, const struct eq_numbers *n, bool reply)
{
    if (pkt->frag == EQ_LAST) {
        /* Open vSwitch takes this for a UDP header when it sets addresses, and
         * leaves a checksum of 0 alone. */
        dp_packet_put_zeros(b, UDP_HEADER_LEN);
        return;
    }
    if (h->proto == IPPROTO_TCP) {
        put_tcp(b, h, pkt, n);
    } else if (h->proto == IPPROTO_UDP) {
        struct udp_header *udp = dp_packet_put_zeros(b, UDP_HEADER_LEN);

        udp->udp_src = htons(h->tp_src);
        udp->udp_dst = htons(h->tp_dst);
    } else if (h->proto == IPPROTO_SCTP) {
        struct sctp_header *sctp = dp_packet_put_zeros(b, SCTP_HEADER_LEN + 4);

        sctp->sctp_src = htons(h->tp_src);
        sctp->sctp_dst = htons(h->tp_dst);
        /* DATA, or INIT if it is the first. */
        *(uint8_t *) (sctp + 1) = pkt->flags & TCP_SYN ? 1 + reply : 0;
    } else {
        struct icmp_header *icmp = dp_packet_put_zeros(b, 8);

        icmp->icmp_type = (h->proto == IPPROTO_ICMPV6
                           ? (reply ? ICMP6_ECHO_REPLY : ICMP6_ECHO_REQUEST)
                           : (reply ? ICMP4_ECHO_REPLY : ICMP4_ECHO_REQUEST));
        icmp->icmp_fields.echo.id = htons(h->tp_src);
        icmp->icmp_fields.echo.seq = htons(n->id);
    }
}

/* Returns where the checksum is in the L4 header 'l4', or null. */
static ovs_be16 *
csum_field(uint8_t proto, void *l4)
{
    return (proto == IPPROTO_TCP ? &((struct tcp_header *) l4)->tcp_csum
            : proto == IPPROTO_UDP ? &((struct udp_header *) l4)->udp_csum
            : proto == IPPROTO_SCTP ? NULL
            : &((struct icmp_header *) l4)->icmp_csum);
}

/* Fills in the checksum of the 'len' octets at 'l4'.  For EQ_ONES, the last
 * two octets make it 0, which is written as 0xffff. */
static void
fill_csum(const struct eq_header *h, const void *ip, uint8_t *l4, size_t len,
          enum eq_csum how)
{
    ovs_be16 *csum_p = csum_field(h->proto, l4), sum;
    uint32_t pseudo = (h->proto == IPPROTO_ICMP ? 0
                       : h->ipv6 ? packet_csum_pseudoheader6(ip)
                       : packet_csum_pseudoheader(ip));

    if (!csum_p) {
        struct sctp_header *sctp = (struct sctp_header *) l4;

        put_16aligned_be32(&sctp->sctp_csum, crc32c(l4, len)
                           ^ htonl(how == EQ_WRONG));
        return;
    }
    *csum_p = 0;
    sum = csum_finish(csum_continue(pseudo, l4, len));
    if (how == EQ_ONES && len % 2 == 0 && len >= 20) {
        ovs_be16 *last = (ovs_be16 *) (l4 + len - 2);
        ovs_be16 old = *last;

        /* Then the sum of all octets is 0xffff, whose complement is 0. */
        *last = csum_finish(csum_continue(pseudo, l4, len - 2));
        sum = csum_finish(csum_continue(pseudo, l4, len));
        if (sum) {
            *last = old;
        }
    }
    if (how == EQ_ONES && !sum) {
        sum = OVS_BE16_MAX;
    }
    if (h->proto == IPPROTO_UDP) {
        sum = how == EQ_ZERO && !h->ipv6 ? 0 : sum ? sum : OVS_BE16_MAX;
    }
    *csum_p = how == EQ_WRONG ? sum ^ htons(0x0101) : sum;
}

static void
put_ipv4(struct dp_packet *b, const struct eq_header *h,
         const struct eq_pkt *pkt, const struct eq_numbers *n)
{
    uint32_t hlen = IP_HEADER_LEN + (pkt->options ? 4 : 0);
    struct ip_header *ip = dp_packet_put_zeros(b, hlen);

    ip->ip_ihl_ver = IP_IHL_VER(hlen / 4, 4);
    ip->ip_tos = h->tos + pkt->tos;
    ip->ip_id = htons(n->id);
    ip->ip_frag_off = htons(pkt->frag == EQ_FIRST ? IP_MORE_FRAGMENTS
                            : pkt->frag == EQ_LAST
                            ? (FIRST_LEN + UDP_HEADER_LEN) / 8
                            : pkt->df ? IP_DONT_FRAGMENT : 0);
    ip->ip_ttl = h->ttl + pkt->ttl;
    ip->ip_proto = h->proto;
    put_16aligned_be32(&ip->ip_src, h->ip_src.s6_addr32[3]);
    put_16aligned_be32(&ip->ip_dst, h->ip_dst.s6_addr32[3]);
    if (pkt->options) {
        memset(ip + 1, 1, 4);    /* No operation. */
    }
}

static void
finish_ipv4(struct ip_header *ip, const struct eq_pkt *pkt, size_t len)
{
    ip->ip_tot_len = htons(len);
    ip->ip_csum = 0;
    if (pkt->ip_zero && !pkt->frag) {
        ip->ip_id = 0;
        ip->ip_id = csum(ip, IP_IHL(ip->ip_ihl_ver) * 4);
    }
    ip->ip_csum = csum(ip, IP_IHL(ip->ip_ihl_ver) * 4);
    if (!ip->ip_csum && pkt->ip_zero == 2) {
        ip->ip_csum = OVS_BE16_MAX;
    }
    if (pkt->ip_wrong) {
        ip->ip_csum ^= htons(0x1010);
    }
}

static void
put_ipv6(struct dp_packet *b, const struct eq_header *h,
         const struct eq_pkt *pkt, const struct eq_numbers *n)
{
    struct ovs_16aligned_ip6_hdr *ip = dp_packet_put_zeros(b,
                                                           IPV6_HEADER_LEN);

    put_16aligned_be32(&ip->ip6_flow,
                       htonl(6u << 28 | (uint8_t) (h->tos + pkt->tos) << 20));
    ip->ip6_nxt = pkt->frag ? IPPROTO_FRAGMENT : h->proto;
    ip->ip6_hlim = h->ttl + pkt->ttl;
    memcpy(&ip->ip6_src, &h->ip_src, sizeof ip->ip6_src);
    memcpy(&ip->ip6_dst, &h->ip_dst, sizeof ip->ip6_dst);
    if (pkt->frag) {
        struct ovs_16aligned_ip6_frag *frag
            = dp_packet_put_zeros(b, sizeof *frag);

        frag->ip6f_nxt = h->proto;
        frag->ip6f_offlg = (pkt->frag == EQ_FIRST ? IP6F_MORE_FRAG
                            : htons(FIRST_LEN + UDP_HEADER_LEN));
        put_16aligned_be32(&frag->ip6f_ident, htonl(n->id));
    }
}

/* Puts the IP packet into 'b'. */
static void
put_packet(struct dp_packet *b, const struct eq_header *h,
           const struct eq_pkt *pkt, const struct eq_numbers *n, bool reply)
{
    size_t l3_ofs = dp_packet_size(b), l4_ofs, l4_len;
    uint8_t *l3;

    if (h->ipv6) {
        put_ipv6(b, h, pkt, n);
    } else {
        put_ipv4(b, h, pkt, n);
    }
    l4_ofs = dp_packet_size(b);
    put_l4(b, h, pkt, n, reply);
    put_payload(b, pkt->frag == EQ_FIRST ? FIRST_LEN : pkt->len, n->tag);

    l3 = (uint8_t *) dp_packet_data(b) + l3_ofs;
    l4_len = dp_packet_size(b) - l4_ofs;
    if (h->proto == IPPROTO_UDP && pkt->frag != EQ_LAST) {
        struct udp_header *udp = (void *) (l3 + l4_ofs - l3_ofs);

        udp->udp_len = htons(l4_len + (pkt->frag ? pkt->len : 0));
    }
    if (h->ipv6) {
        ((struct ovs_16aligned_ip6_hdr *) l3)->ip6_plen
            = htons(dp_packet_size(b) - l3_ofs - IPV6_HEADER_LEN);
    } else {
        finish_ipv4((struct ip_header *) l3, pkt,
                    dp_packet_size(b) - l3_ofs);
    }
    if (!pkt->frag) {
        /* EQ_ONES must leave the tag alone. */
        fill_csum(h, l3, l3 + l4_ofs - l3_ofs, l4_len,
                  pkt->csum == EQ_ONES && pkt->len < 10 ? EQ_RIGHT
                  : pkt->csum);
    }
}

static void
put_eth(struct dp_packet *b, struct eth_addr dst, struct eth_addr src,
        uint16_t vlan, uint16_t type)
{
    struct eth_header *eth = dp_packet_put_zeros(b, ETH_HEADER_LEN);

    eth->eth_dst = dst;
    eth->eth_src = src;
    eth->eth_type = htons(vlan ? ETH_TYPE_VLAN : type);
    if (vlan) {
        struct {
            ovs_be16 tci, type;
        } tag = { htons(vlan), htons(type) };

        dp_packet_put(b, &tag, sizeof tag);
    }
}

/* Puts the headers of the tunnel before the content of 'b'. */
static void
push_tunnel(struct dp_packet *b, const struct eq_header *h, uint16_t id,
            bool outer_wrong)
{
    struct eth_addr src = ETH_ADDR_C(02, 00, 00, 00, 88, 01);
    struct eth_addr dst = ETH_ADDR_C(02, 00, 00, 00, 88, 00);
    bool vxlan = h->tunnel == EQ_VXLAN;
    uint16_t len = dp_packet_size(b);
    ovs_be32 *tunnel = dp_packet_push_zeros(b, 8);
    struct udp_header *udp;
    struct ip_header *ip;
    struct eth_header *eth;

    tunnel[0] = vxlan ? htonl(0x08000000) : htonl(0x30ff0000 | len);
    tunnel[1] = htonl(vxlan ? h->key << 8 : h->key);
    udp = dp_packet_push_zeros(b, UDP_HEADER_LEN);
    udp->udp_src = htons(40000 + h->key);
    udp->udp_dst = htons(vxlan ? VXLAN_PORT : GTPU_PORT);
    udp->udp_len = htons(dp_packet_size(b));
    ip = dp_packet_push_zeros(b, IP_HEADER_LEN);
    ip->ip_ihl_ver = IP_IHL_VER(5, 4);
    ip->ip_tot_len = htons(dp_packet_size(b));
    ip->ip_id = htons(id);
    ip->ip_ttl = 64;
    ip->ip_proto = IPPROTO_UDP;
    put_16aligned_be32(&ip->ip_src, h->outer_src);
    put_16aligned_be32(&ip->ip_dst, h->outer_dst);
    ip->ip_csum = csum(ip, sizeof *ip) ^ htons(outer_wrong ? 0x1010 : 0);
    eth = dp_packet_push_zeros(b, ETH_HEADER_LEN);
    eth->eth_src = src;
    eth->eth_dst = dst;
    eth->eth_type = htons(ETH_TYPE_IP);
}

struct dp_packet *
eq_frame(const struct eq_header *h, const struct eq_pkt *pkt,
         const struct eq_numbers *n, bool reply)
{
    static const uint8_t headrooms[] = { 128, 0, 40 };
    uint32_t headroom = headrooms[pkt->headroom] + (h->tunnel ? 64 : 0);
    struct dp_packet *b = dp_packet_new_with_headroom(1800, headroom);

    if (h->tunnel != EQ_GTPU) {
        put_eth(b, h->dst, h->src, h->vlan,
                h->ipv6 ? ETH_TYPE_IPV6 : ETH_TYPE_IP);
    }
    put_packet(b, h, pkt, n, reply);
    if (h->tunnel) {
        push_tunnel(b, h, n->id, pkt->outer_wrong);
    }
    if (dp_packet_size(b) < 60) {
        dp_packet_put_zeros(b, 60 - dp_packet_size(b));
    }
    memset(dp_packet_put_uninit(b, pkt->pad), 0x5a, pkt->pad);
    eq_set_offloads(b, h->tunnel ? EQ_NONE : pkt->offload, pkt, n->rss);
    /* As if left by the packet that used this memory before. */
    b->md.skb_priority = 77;
    b->md.pkt_mark = 77;
    return b;
}
