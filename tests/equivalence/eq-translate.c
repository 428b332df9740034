/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "tests/equivalence/eq-translate.h"

#include <netinet/in.h>
#include <string.h>

#include "flow.h"
#include "netdev.h"
#include "netlink.h"
#include "odp-netlink.h"
#include "odp-util.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "tests/equivalence/eq-fields.h"
#include "util.h"

#define VXLAN_PORT 4789
#define GTPU_PORT 2152

struct xlate {
    const struct eq_pipeline *p;
    struct flow flow;            /* The packet after the actions so far. */
    struct flow_wildcards *wc;
    struct ofpbuf *actions;
    bool resolved;
};

static void
put_set(struct xlate *x, enum ovs_key_attr type, const void *key,
        const void *mask, size_t size)
{
    size_t ofs = nl_msg_start_nested(x->actions, OVS_ACTION_ATTR_SET_MASKED);
    uint8_t *p = nl_msg_put_unspec_uninit(x->actions, type, 2 * size);

    memcpy(p, key, size);
    memcpy(p + size, mask, size);
    nl_msg_end_nested(x->actions, ofs);
}

/* Sets 'MEMBER' of key 'KEY', of type 'TYPE', to 'VALUE'. */
#define PUT_SET(X, KEY, TYPE, MEMBER, VALUE)                        \
    do {                                                            \
        struct KEY key__, mask__;                                   \
                                                                    \
        memset(&key__, 0, sizeof key__);                            \
        memset(&mask__, 0, sizeof mask__);                          \
        key__.MEMBER = (VALUE);                                     \
        memset(&mask__.MEMBER, 0xff, sizeof mask__.MEMBER);         \
        put_set(X, TYPE, &key__, &mask__, sizeof key__);            \
    } while (0)

static void
set_address(struct xlate *x, bool source, uint32_t value)
{
    struct flow *masks = &x->wc->masks;

    if (x->flow.dl_type == htons(ETH_TYPE_IP)) {
        ovs_be32 addr = htonl(value);

        if (source) {
            masks->nw_src = OVS_BE32_MAX;
            x->flow.nw_src = addr;
            PUT_SET(x, ovs_key_ipv4, OVS_KEY_ATTR_IPV4, ipv4_src, addr);
        } else {
            masks->nw_dst = OVS_BE32_MAX;
            x->flow.nw_dst = addr;
            PUT_SET(x, ovs_key_ipv4, OVS_KEY_ATTR_IPV4, ipv4_dst, addr);
        }
    } else if (x->flow.dl_type == htons(ETH_TYPE_IPV6)) {
        struct in6_addr addr = x->flow.ipv6_dst;

        addr.s6_addr32[3] = htonl(value);
        if (source) {
            masks->ipv6_src = in6addr_exact;
            masks->ipv6_dst = in6addr_exact;
            x->flow.ipv6_src = addr;
            PUT_SET(x, ovs_key_ipv6, OVS_KEY_ATTR_IPV6, ipv6_src, addr);
        } else {
            masks->ipv6_dst = in6addr_exact;
            x->flow.ipv6_dst = addr;
            PUT_SET(x, ovs_key_ipv6, OVS_KEY_ATTR_IPV6, ipv6_dst, addr);
        }
    }
}

static void
set_tos(struct xlate *x, uint8_t tos)
{
    if (eq_is_ip(&x->flow)) {
        x->wc->masks.nw_tos |= UINT8_MAX;
        x->flow.nw_tos = tos;
        if (x->flow.dl_type == htons(ETH_TYPE_IP)) {
            PUT_SET(x, ovs_key_ipv4, OVS_KEY_ATTR_IPV4, ipv4_tos, tos);
        } else {
            PUT_SET(x, ovs_key_ipv6, OVS_KEY_ATTR_IPV6, ipv6_tclass, tos);
        }
    }
}

/* Returns false if the packet's time is over. */
static bool
dec_ttl(struct xlate *x)
{
    if (!eq_is_ip(&x->flow)) {
        return true;
    }
    x->wc->masks.nw_ttl = UINT8_MAX;
    if (x->flow.nw_ttl <= 1) {
        return false;
    }
    x->flow.nw_ttl--;
    if (x->flow.dl_type == htons(ETH_TYPE_IP)) {
        PUT_SET(x, ovs_key_ipv4, OVS_KEY_ATTR_IPV4, ipv4_ttl, x->flow.nw_ttl);
    } else {
        PUT_SET(x, ovs_key_ipv6, OVS_KEY_ATTR_IPV6, ipv6_hlimit,
                x->flow.nw_ttl);
    }
    return true;
}

static void
set_port(struct xlate *x, bool source, uint16_t value)
{
    ovs_be16 port = htons(value);

    x->wc->masks.nw_proto |= eq_is_ip(&x->flow) ? UINT8_MAX : 0;
    if (!eq_has_ports(&x->flow)) {
        return;
    }
    x->wc->masks.tp_src |= source ? OVS_BE16_MAX : 0;
    x->wc->masks.tp_dst |= source ? 0 : OVS_BE16_MAX;

    uint8_t proto = x->flow.nw_proto;
    enum ovs_key_attr type = (proto == IPPROTO_TCP ? OVS_KEY_ATTR_TCP
                              : proto == IPPROTO_UDP ? OVS_KEY_ATTR_UDP
                              : OVS_KEY_ATTR_SCTP);

    /* The three keys are alike. */
    if (source) {
        x->flow.tp_src = port;
        PUT_SET(x, ovs_key_udp, type, udp_src, port);
    } else {
        x->flow.tp_dst = port;
        PUT_SET(x, ovs_key_udp, type, udp_dst, port);
    }
}

static void
set_eth(struct xlate *x, uint32_t value)
{
    struct eth_addr mac = ETH_ADDR_C(02, 00, 00, 00, 99, 00);

    mac.ea[5] = value;
    if (x->flow.packet_type == htonl(PT_ETH)) {
        x->wc->masks.dl_dst = eth_addr_exact;
    }
    x->flow.dl_dst = mac;
    PUT_SET(x, ovs_key_ethernet, OVS_KEY_ATTR_ETHERNET, eth_dst, mac);
}

static void
set_u32(struct xlate *x, enum ovs_key_attr type, uint32_t value)
{
    size_t ofs = nl_msg_start_nested(x->actions, OVS_ACTION_ATTR_SET);

    nl_msg_put_u32(x->actions, type, value);
    nl_msg_end_nested(x->actions, ofs);
}

static void
change_vlan(struct xlate *x, bool push, uint16_t vid)
{
    bool tagged = x->flow.vlans[0].tci & htons(VLAN_CFI);

    x->wc->masks.vlans[0].tci |= htons(VLAN_CFI);
    if (push && !tagged) {
        struct ovs_action_push_vlan vlan = {
            .vlan_tpid = htons(ETH_TYPE_VLAN),
            .vlan_tci = htons(vid | VLAN_CFI),
        };

        x->flow.vlans[0].tci = vlan.vlan_tci;
        nl_msg_put_unspec(x->actions, OVS_ACTION_ATTR_PUSH_VLAN, &vlan,
                          sizeof vlan);
    } else if (!push && tagged) {
        memset(&x->flow.vlans[0], 0, sizeof x->flow.vlans[0]);
        nl_msg_put_flag(x->actions, OVS_ACTION_ATTR_POP_VLAN);
    }
}

static void
put_nat(struct xlate *x, const struct eq_action *a)
{
    size_t ofs = nl_msg_start_nested(x->actions, OVS_CT_ATTR_NAT);

    if (a->ct & (EQ_DO_SNAT | EQ_DO_DNAT)) {
        nl_msg_put_flag(x->actions, a->ct & EQ_DO_SNAT ? OVS_NAT_ATTR_SRC
                        : OVS_NAT_ATTR_DST);
        if (x->flow.dl_type == htons(ETH_TYPE_IPV6)) {
            struct in6_addr addr = { .s6_addr = { 0xfd } };

            addr.s6_addr32[3] = htonl(a->a);
            nl_msg_put_in6_addr(x->actions, OVS_NAT_ATTR_IP_MIN, &addr);
        } else {
            nl_msg_put_be32(x->actions, OVS_NAT_ATTR_IP_MIN, htonl(a->a));
        }
        if (a->b) {
            nl_msg_put_u16(x->actions, OVS_NAT_ATTR_PROTO_MIN, a->b);
        }
    }
    nl_msg_end_nested(x->actions, ofs);
}

static void
put_ct(struct xlate *x, const struct eq_action *a)
{
    uint32_t mark[2] = { a->mark, 3 };
    struct {
        ovs_u128 value, mask;
    } label = { { .u32 = { a->mark } }, { .u32 = { 3 } } };
    size_t ofs;

    if (!eq_is_ip(&x->flow)) {
        return;
    }
    ofs = nl_msg_start_nested(x->actions, OVS_ACTION_ATTR_CT);
    if (a->ct & EQ_DO_COMMIT) {
        nl_msg_put_flag(x->actions, OVS_CT_ATTR_COMMIT);
    }
    nl_msg_put_u16(x->actions, OVS_CT_ATTR_ZONE, a->zone);
    if (a->ct & EQ_DO_MARK) {
        nl_msg_put_unspec(x->actions, OVS_CT_ATTR_MARK, mark, sizeof mark);
    }
    if (a->ct & EQ_DO_LABEL) {
        nl_msg_put_unspec(x->actions, OVS_CT_ATTR_LABELS, &label,
                          sizeof label);
    }
    if (a->ct & EQ_DO_NAT) {
        put_nat(x, a);
    }
    nl_msg_end_nested(x->actions, ofs);
}

static void
put_output(struct ofpbuf *actions, uint32_t port)
{
    nl_msg_put_odp_port(actions, OVS_ACTION_ATTR_OUTPUT, u32_to_odp(port));
}

static void
put_hash(struct xlate *x, uint32_t basis)
{
    struct ovs_action_hash hash = { .hash_alg = OVS_HASH_ALG_L4,
                                    .hash_basis = basis };

    nl_msg_put_unspec(x->actions, OVS_ACTION_ATTR_HASH, &hash, sizeof hash);
}

static void
put_clone(struct xlate *x, uint32_t port)
{
    size_t ofs = nl_msg_start_nested(x->actions, OVS_ACTION_ATTR_CLONE);

    put_output(x->actions, EQ_PORT(port));
    nl_msg_end_nested(x->actions, ofs);
}

/* Sends the packet through tunnel 'a->a' to peer 'a->b', once its address is
 * known. */
static void
put_tunnel(struct xlate *x, const struct eq_action *a)
{
    static const struct eth_addr smac = ETH_ADDR_C(02, 00, 00, 00, 88, 00);
    static const struct eth_addr dmac = ETH_ADDR_C(02, 00, 00, 00, 88, 01);
    struct in6_addr s_ip = in6_addr_mapped_ipv4(htonl(EQ_LOCAL_IP));
    struct netdev_tnl_build_header_params params;
    struct ovs_action_push_tnl data;
    struct flow tunnel;
    size_t ofs;

    if (!(x->p->neighbours & 1u << a->b)) {
        x->resolved = false;
        return;
    }
    if (a->a == EQ_GTPU && !eq_is_ip(&x->flow)) {
        return;
    }
    ofs = nl_msg_start_nested(x->actions, OVS_ACTION_ATTR_CLONE);
    if (a->a == EQ_GTPU) {
        x->wc->masks.vlans[0].tci |= htons(VLAN_CFI);
        if (x->flow.vlans[0].tci & htons(VLAN_CFI)) {
            nl_msg_put_flag(x->actions, OVS_ACTION_ATTR_POP_VLAN);
        }
        nl_msg_put_flag(x->actions, OVS_ACTION_ATTR_POP_ETH);
    }
    memset(&tunnel, 0, sizeof tunnel);
    tunnel.tunnel.ip_src = htonl(EQ_LOCAL_IP);
    tunnel.tunnel.ip_dst = htonl(EQ_PEER_IP + a->b);
    tunnel.tunnel.tun_id = htonll(a->b);
    tunnel.tunnel.ip_ttl = 64;
    tunnel.tunnel.flags = FLOW_TNL_F_KEY;
    netdev_init_tnl_build_header_params(&params, &tunnel, &s_ip, dmac, smac);
    memset(&data, 0, sizeof data);
    if (netdev_build_header(x->p->tunnels[a->a], &data, &params)) {
        OVS_NOT_REACHED();
    }
    data.tnl_port = u32_to_odp(EQ_TUNNEL_PORT(a->a));
    data.out_port = u32_to_odp(EQ_PORT(EQ_UNDERLAY));
    nl_msg_put_unspec(x->actions, OVS_ACTION_ATTR_TUNNEL_PUSH, &data,
                      sizeof data);
    put_output(x->actions, EQ_PORT(EQ_UNDERLAY));
    nl_msg_end_nested(x->actions, ofs);
}

/* Returns false if no more actions are to follow. */
static bool
put_action(struct xlate *x, const struct eq_action *a)
{
    switch (a->kind) {
    case EQ_A_OUTPUT: put_output(x->actions, EQ_PORT(a->a)); break;
    case EQ_A_CLONE: put_clone(x, a->a); break;
    case EQ_A_TUNNEL: put_tunnel(x, a); break;
    case EQ_A_TRUNC: {
        struct ovs_action_trunc trunc = { a->a };

        nl_msg_put_unspec(x->actions, OVS_ACTION_ATTR_TRUNC, &trunc,
                          sizeof trunc);
        break;
    }
    case EQ_A_RECIRC:
        nl_msg_put_u32(x->actions, OVS_ACTION_ATTR_RECIRC, a->a);
        break;
    case EQ_A_HASH: put_hash(x, a->a); break;
    case EQ_A_LB:
        nl_msg_put_u32(x->actions, OVS_ACTION_ATTR_LB,
                       x->p->groups[a->a - 1]);
        break;
    case EQ_A_DROP:
        nl_msg_put_u32(x->actions, OVS_ACTION_ATTR_DROP, 1);
        break;
    case EQ_A_METER:
        nl_msg_put_u32(x->actions, OVS_ACTION_ATTR_METER, a->a);
        break;
    case EQ_A_CT: put_ct(x, a); break;
    case EQ_A_CT_CLEAR:
        nl_msg_put_flag(x->actions, OVS_ACTION_ATTR_CT_CLEAR);
        break;
    case EQ_A_PRIORITY: set_u32(x, OVS_KEY_ATTR_PRIORITY, a->a); break;
    case EQ_A_PKT_MARK: set_u32(x, OVS_KEY_ATTR_SKB_MARK, a->a); break;
    case EQ_A_ETH: set_eth(x, a->a); break;
    case EQ_A_NW_SRC: set_address(x, true, a->a); break;
    case EQ_A_NW_DST: set_address(x, false, a->a); break;
    case EQ_A_NW_TOS: set_tos(x, a->a); break;
    case EQ_A_DEC_TTL: return dec_ttl(x);
    case EQ_A_TP_SRC: set_port(x, true, a->a); break;
    case EQ_A_TP_DST: set_port(x, false, a->a); break;
    case EQ_A_PUSH_VLAN: change_vlan(x, true, a->a); break;
    case EQ_A_POP_VLAN: change_vlan(x, false, 0); break;
    case EQ_A_NOTHING:
    case EQ_N_ACTIONS:
    default: break;
    }
    return true;
}

/* Finds the leaf for 'flow', in its present table. */
static const struct eq_node *
find_leaf(const struct eq_case *c, const struct flow *flow,
          struct flow_wildcards *wc)
{
    const struct eq_table *table = &c->tables[flow->recirc_id];
    const struct eq_node *node = &table->nodes[0];

    while (node->children[1]) {
        const struct eq_test *t = &node->test;
        bool pass = (eq_has_field(flow, t->field, wc)
                     && !((eq_get_field(flow, t->field, t->mask, &wc->masks)
                           ^ t->value) & t->mask));

        node = &table->nodes[node->children[pass]];
    }
    return node;
}

/* Puts the action that removes the tunnel's headers into 'actions' if 'flow'
 * comes to an end of a tunnel. */
static bool
ends_tunnel(const struct flow *flow, struct flow_wildcards *wc,
            struct ofpbuf *actions)
{
    if (flow->recirc_id || flow->dl_type != htons(ETH_TYPE_IP)
        || flow->in_port.odp_port != u32_to_odp(EQ_PORT(EQ_UNDERLAY))) {
        return false;
    }
    wc->masks.nw_proto = UINT8_MAX;
    if (flow->nw_proto != IPPROTO_UDP || flow->nw_frag) {
        return false;
    }
    wc->masks.tp_dst = OVS_BE16_MAX;
    if (flow->tp_dst != htons(VXLAN_PORT)
        && flow->tp_dst != htons(GTPU_PORT)) {
        return false;
    }
    wc->masks.nw_dst = OVS_BE32_MAX;
    if (flow->nw_dst != htonl(EQ_LOCAL_IP)) {
        return false;
    }
    nl_msg_put_odp_port(actions, OVS_ACTION_ATTR_TUNNEL_POP,
                        u32_to_odp(EQ_TUNNEL_PORT(
                            flow->tp_dst == htons(VXLAN_PORT) ? EQ_VXLAN
                            : EQ_GTPU)));
    return true;
}

bool
eq_translate(const struct eq_pipeline *p, const struct flow *flow,
             struct flow_wildcards *wc, struct ofpbuf *actions)
{
    struct xlate x = { p, *flow, wc, actions, true };
    const struct eq_node *leaf;

    memset(wc, 0, sizeof *wc);
    wc->masks.in_port.odp_port = ODPP_NONE;
    wc->masks.recirc_id = UINT32_MAX;
    wc->masks.packet_type = OVS_BE32_MAX;
    wc->masks.dl_type = OVS_BE16_MAX;
    wc->masks.nw_frag = eq_is_ip(flow) ? FLOW_NW_FRAG_MASK : 0;
    if (p->c->tunnels && ends_tunnel(flow, wc, actions)) {
        return true;
    }
    if (!flow->recirc_id && eq_is_ip(flow)) {
        /* No simple match: it may come and go with other megaflows of the
         * port, and the RSS hash that the datapath computes with it. */
        wc->masks.nw_proto = UINT8_MAX;
    }
    leaf = find_leaf(p->c, flow, wc);
    if (flow->packet_type != htonl(PT_ETH)) {
        struct ovs_action_push_eth eth = {
            .addresses = { .eth_src = ETH_ADDR_C(02, 00, 00, 00, 77, 00),
                           .eth_dst = ETH_ADDR_C(02, 00, 00, 00, 77, 01) },
        };

        nl_msg_put_unspec(actions, OVS_ACTION_ATTR_PUSH_ETH, &eth,
                          sizeof eth);
    }
    for (uint32_t i = 0; i < leaf->n_actions; i++) {
        if (!put_action(&x, &leaf->actions[i])) {
            ofpbuf_clear(actions);
            break;
        }
    }
    if (!x.resolved) {
        ofpbuf_clear(actions);
    }
    return x.resolved;
}
