/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "service-terms.h"

#include "openvswitch/match.h"
#include "openvswitch/meta-flow.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "util.h"
#include "utilities/kube/kube-direct.h"

BUILD_ASSERT_DECL(KUBE_DIRECT_MARK
                  == (SERVICE_MARK_OURS | SERVICE_MARK_DIRECT));
BUILD_ASSERT_DECL(REG_DIRECT == REG_MASQ + 1);

/* Matches. */

static void
match_family(struct match *match, bool ipv6)
{
    match_set_dl_type(match, htons(ipv6 ? ETH_TYPE_IPV6 : ETH_TYPE_IP));
}

void
flows_match_init_family(struct match *match, bool ipv6)
{
    match_init_catchall(match);
    match_family(match, ipv6);
}

bool
is_ipv6(const struct in6_addr *addr)
{
    return !IN6_IS_ADDR_V4MAPPED(addr);
}

struct kube_cidr
host_cidr(const struct in6_addr *addr)
{
    return (struct kube_cidr) {
        .addr = *addr,
        .plen = is_ipv6(addr) ? 128 : 32,
    };
}

/* Matches destination 'cidr' and its family. */
void
flows_match_dst(struct match *match, const struct kube_cidr *cidr)
{
    bool ipv6 = is_ipv6(&cidr->addr);

    match_family(match, ipv6);
    if (ipv6) {
        struct in6_addr mask = ipv6_create_mask(cidr->plen);

        match_set_ipv6_dst_masked(match, &cidr->addr, &mask);
    } else {
        match_set_nw_dst_masked(match, in6_addr_get_mapped_ipv4(&cidr->addr),
                                be32_prefix_mask(cidr->plen));
    }
}

void
flows_match_src(struct match *match, const struct kube_cidr *cidr)
{
    bool ipv6 = is_ipv6(&cidr->addr);

    match_family(match, ipv6);
    if (ipv6) {
        struct in6_addr mask = ipv6_create_mask(cidr->plen);

        match_set_ipv6_src_masked(match, &cidr->addr, &mask);
    } else {
        match_set_nw_src_masked(match, in6_addr_get_mapped_ipv4(&cidr->addr),
                                be32_prefix_mask(cidr->plen));
    }
}

/* Matches what a node has handed over, to us or to another. */
void
flows_match_handed(struct match *match)
{
    match_set_tun_id(match, htonll(KUBE_DIRECT_TUN_ID));
}

/* Actions. */

uint8_t
flows_table_id(const struct service_tables *t, enum service_table table)
{
    return t->first + table;
}

void
flows_put_resubmit(struct ofpbuf *acts, uint8_t table)
{
    struct ofpact_resubmit *resubmit = ofpact_put_RESUBMIT(acts);

    resubmit->in_port = OFPP_IN_PORT;
    resubmit->table_id = table;
}

void
flows_put_goto(struct ofpbuf *acts, const struct service_tables *t,
               enum service_table table)
{
    flows_put_resubmit(acts, flows_table_id(t, table));
}

/* Sets the bits 'mask' of the 32-bit 'field' to 'value'.  Passes no value to
 * ofpact_put_set_field(), which would leave padding unset: equal actions must
 * be equal for memcmp(). */
static void
put_set(struct ofpbuf *acts, enum mf_field_id field, uint32_t value,
        uint32_t mask)
{
    struct ofpact_set_field *sf = ofpact_put_set_field(
        acts, mf_from_id(field), NULL, NULL);

    sf->value->be32 = htonl(value);
    ofpact_set_field_mask(sf)->be32 = htonl(mask);
}

/* Sets the bits 'mask' of our register to 'value'. */
void
flows_put_reg(struct ofpbuf *acts, const struct service_tables *t,
              uint32_t value, uint32_t mask)
{
    put_set(acts, MFF_REG0 + t->reg, value, mask);
}

/* Sets the end of the tunnel to 'addr'. */
void
flows_put_tunnel_end(struct ofpbuf *acts, const struct in6_addr *addr)
{
    bool ipv6 = is_ipv6(addr);
    struct ofpact_set_field *sf = ofpact_put_set_field(
        acts, mf_from_id(ipv6 ? MFF_TUN_IPV6_DST : MFF_TUN_DST), NULL, NULL);

    if (ipv6) {
        sf->value->ipv6 = *addr;
        ofpact_set_field_mask(sf)->ipv6 = in6addr_exact;
    } else {
        sf->value->be32 = in6_addr_get_mapped_ipv4(addr);
        ofpact_set_field_mask(sf)->be32 = OVS_BE32_MAX;
    }
}

/* Says that the packet is handed over. */
void
flows_put_handed(struct ofpbuf *acts)
{
    struct ofpact_set_field *sf = ofpact_put_set_field(
        acts, mf_from_id(MFF_TUN_ID), NULL, NULL);

    sf->value->be64 = htonll(KUBE_DIRECT_TUN_ID);
    ofpact_set_field_mask(sf)->be64 = OVS_BE64_MAX;
}

/* Chooses the node whose tunnel ends at 'addr'.  Buckets with these actions
 * are alike on all nodes, so that "maglev" chooses alike. */
void
flows_put_node(struct ofpbuf *acts, const struct service_tables *t,
               const struct in6_addr *addr)
{
    flows_put_tunnel_end(acts, addr);
    flows_put_goto(acts, t, SERVICE_TRANSLATED);
}

static void
put_move(struct ofpbuf *acts, const struct service_tables *t,
         unsigned int from, enum mf_field_id field, unsigned int to,
         unsigned int n_bits)
{
    struct ofpact_reg_move *move = ofpact_put_REG_MOVE(acts);

    move->src = (struct mf_subfield) {
        .field = mf_from_id(MFF_REG0 + t->reg), .ofs = from,
        .n_bits = n_bits,
    };
    move->dst = (struct mf_subfield) {
        .field = mf_from_id(field), .ofs = to, .n_bits = n_bits,
    };
}

/* Copies bit 'from' of our register to bit 'to' of 'field'. */
void
flows_put_move_bit(struct ofpbuf *acts, const struct service_tables *t,
                   unsigned int from, enum mf_field_id field, unsigned int to)
{
    put_move(acts, t, from, field, to, 1);
}

/* Appends ct(...,nat(...),table='table').  With 'addr', commits the connection
 * and gives it that address in the direction of 'flags' (NX_NAT_F_SRC or
 * NX_NAT_F_DST), and a port from 'min' to 'max'.
 *
 * If the connection tracker is full or no port is left, the packet comes out
 * unchanged and without our mark. */
void
flows_put_ct_nat(struct ofpbuf *acts, const struct service_tables *t,
                 uint16_t zone, enum service_table table, uint16_t flags,
                 const struct in6_addr *addr, uint16_t min, uint16_t max)
{
    size_t ofs = acts->size;
    struct ofpact_conntrack *ct;
    struct ofpact_nat *nat;

    ofpbuf_pull(acts, ofs);
    ct = ofpact_put_CT(acts);
    ct->flags = addr ? NX_CT_F_COMMIT : 0;
    ct->zone_src.field = NULL;
    ct->zone_imm = zone;
    ct->recirc_table = flows_table_id(t, table);
    ct->alg = 0;

    nat = ofpact_put_NAT(acts);
    nat->flags = flags;
    nat->range_af = AF_UNSPEC;
    if (addr && is_ipv6(addr)) {
        nat->range_af = AF_INET6;
        nat->range.addr.ipv6.min = *addr;
    } else if (addr) {
        nat->range_af = AF_INET;
        nat->range.addr.ipv4.min = in6_addr_get_mapped_ipv4(addr);
    }
    if (addr) {
        nat->range.proto.min = min;
        nat->range.proto.max = max > min ? max : 0;
    }
    if (addr) {
        put_set(acts, MFF_CT_MARK, SERVICE_MARK_OURS, SERVICE_MARK_OURS);
    }
    if (flags & NX_NAT_F_DST) {
        /* One action for both bits keeps buckets small. */
        put_move(acts, t, REG_MASQ, MFF_CT_MARK, 1, t->direct ? 2 : 1);
    }
    ct = acts->header = acts->data;
    ofpact_finish_CT(acts, &ct);
    ofpbuf_push_uninit(acts, ofs);
}

void
flows_put_masquerade(struct ofpbuf *acts, const struct service_tables *t,
                     const struct in6_addr *addr)
{
    flows_put_ct_nat(acts, t, t->zone + 1, SERVICE_LEAVE, NX_NAT_F_SRC, addr,
                     t->masq_min, t->masq_max);
}

void
flows_put_reject(struct ofpbuf *acts, const struct service_tables *t)
{
    struct ofpact_controller *controller = ofpact_put_CONTROLLER(acts);

    controller->max_len = UINT16_MAX;
    controller->reason = OFPR_ACTION;
    controller->controller_id = t->controller_id;
    controller->meter_id = t->meter;
    controller->provider_meter_id = UINT32_MAX;
    ofpact_finish_CONTROLLER(acts, &controller);
}
