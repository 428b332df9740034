/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "tests/equivalence/eq-fields.h"

#include <netinet/in.h>

#include "flow.h"
#include "odp-util.h"
#include "packets.h"
#include "util.h"

bool
eq_is_ip(const struct flow *flow)
{
    return (flow->dl_type == htons(ETH_TYPE_IP)
            || flow->dl_type == htons(ETH_TYPE_IPV6));
}

bool
eq_has_ports(const struct flow *flow)
{
    return (eq_is_ip(flow) && !(flow->nw_frag & FLOW_NW_FRAG_LATER)
            && (flow->nw_proto == IPPROTO_TCP
                || flow->nw_proto == IPPROTO_UDP
                || flow->nw_proto == IPPROTO_SCTP));
}

bool
eq_has_field(const struct flow *flow, enum eq_field field,
          struct flow_wildcards *wc)
{
    switch (field) {
    case EQ_NW_SRC:
    case EQ_NW_DST:
        return flow->dl_type == htons(ETH_TYPE_IP);
    case EQ_IPV6_SRC:
    case EQ_IPV6_DST:
        return flow->dl_type == htons(ETH_TYPE_IPV6);
    case EQ_NW_PROTO:
    case EQ_NW_TOS:
    case EQ_NW_TTL:
    case EQ_NW_FRAG:
        return eq_is_ip(flow);
    case EQ_TP_SRC:
    case EQ_TP_DST:
    case EQ_TCP_FLAGS:
        wc->masks.nw_proto |= eq_is_ip(flow) ? UINT8_MAX : 0;
        return (eq_has_ports(flow)
                && (field != EQ_TCP_FLAGS || flow->nw_proto == IPPROTO_TCP));
    case EQ_DL_DST:
        return flow->packet_type == htonl(PT_ETH);
    default:
        return true;
    }
}

uint32_t
eq_get_field(const struct flow *flow, enum eq_field field, uint32_t mask,
          struct flow *wc)
{
#define GET32(MEMBER) wc->MEMBER |= mask; return flow->MEMBER
#define GETN32(MEMBER) wc->MEMBER |= htonl(mask); return ntohl(flow->MEMBER)
#define GETN16(MEMBER) wc->MEMBER |= htons(mask); return ntohs(flow->MEMBER)
    switch (field) {
    case EQ_IN_PORT:             /* Exact in any case. */
        return odp_to_u32(flow->in_port.odp_port) - EQ_PORT(0);
    case EQ_DL_TYPE:
        return ntohs(flow->dl_type);
    case EQ_DL_DST:
        wc->dl_dst.be16[2] |= htons(mask);
        return ntohs(flow->dl_dst.be16[2]);
    case EQ_VLAN:
        wc->vlans[0].tci |= htons(mask | VLAN_CFI);
        return ntohs(flow->vlans[0].tci) & VLAN_VID_MASK;
    case EQ_NW_PROTO: GET32(nw_proto);
    case EQ_NW_SRC: GETN32(nw_src);
    case EQ_NW_DST: GETN32(nw_dst);
    case EQ_IPV6_SRC:
        wc->ipv6_src.s6_addr32[3] |= htonl(mask);
        return ntohl(flow->ipv6_src.s6_addr32[3]);
    case EQ_IPV6_DST:
        wc->ipv6_dst.s6_addr32[3] |= htonl(mask);
        return ntohl(flow->ipv6_dst.s6_addr32[3]);
    case EQ_NW_TOS: GET32(nw_tos);
    case EQ_NW_TTL: GET32(nw_ttl);
    case EQ_NW_FRAG: GET32(nw_frag);
    case EQ_TP_SRC: GETN16(tp_src);
    case EQ_TP_DST: GETN16(tp_dst);
    case EQ_TCP_FLAGS: GETN16(tcp_flags);
    case EQ_CT_STATE: GET32(ct_state);
    case EQ_CT_ZONE: GET32(ct_zone);
    case EQ_CT_MARK: GET32(ct_mark);
    case EQ_CT_LABEL: GET32(ct_label.u32[0]);
    case EQ_DP_HASH: GET32(dp_hash);
    case EQ_PRIORITY: GET32(skb_priority);
    case EQ_PKT_MARK: GET32(pkt_mark);
    case EQ_TUN_ID:
        wc->tunnel.tun_id |= htonll(mask);
        return ntohll(flow->tunnel.tun_id);
    case EQ_N_FIELDS:
    default:
        OVS_NOT_REACHED();
    }
#undef GET32
#undef GETN32
#undef GETN16
}
