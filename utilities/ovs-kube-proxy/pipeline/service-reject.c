/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "service-reject.h"

#include <stdlib.h>

#include "csum.h"
#include "dp-packet.h"
#include "flow.h"
#include "openvswitch/match.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofp-connection.h"
#include "openvswitch/ofp-errors.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofp-packet.h"
#include "openvswitch/ofp-switch.h"
#include "openvswitch/ofp-util.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/rconn.h"
#include "openvswitch/token-bucket.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "socket-util.h"
#include "util.h"
#include "utilities/common/compat-library.h"
#include "utilities/common/metrics.h"

VLOG_DEFINE_THIS_MODULE(service_reject);

/* Messages to handle until the rest of the program gets its turn. */
#define RUN_MESSAGES 50

/* Octets of a rejected packet that an ICMP error quotes: RFC 1812 section
 * 4.3.2.3 and RFC 4443 section 3.1. */
#define ICMP4_MAX (576 - IP_HEADER_LEN - ICMP_HEADER_LEN)
#define ICMP6_MAX (1280 - IPV6_HEADER_LEN - 8)

#define ICMP4_PORT_UNREACHABLE_TYPE 3
#define ICMP4_PORT_UNREACHABLE_CODE 3
#define ICMP6_PORT_UNREACHABLE_TYPE 1
#define ICMP6_PORT_UNREACHABLE_CODE 4

struct service_reject {
    struct service_reject_options o;
    struct rconn *rconn;
    unsigned int seqno;         /* rconn_get_connection_seqno(). */
    struct token_bucket bucket;
    unsigned long long int n_answered, n_limited, n_ignored;
};

struct service_reject *
service_reject_create(const struct service_reject_options *options)
{
    struct service_reject *r = xzalloc(sizeof *r);

    r->o = *options;
    r->rconn = rconn_create(options->probe_interval, 8, DSCP_DEFAULT,
                            1u << OFP15_VERSION);
    rconn_connect(r->rconn, options->remote, NULL);
    token_bucket_init(&r->bucket, options->rate,
                      1000 * MAX(options->rate, 1));
    return r;
}

void
service_reject_destroy(struct service_reject *r)
{
    if (r) {
        rconn_destroy(r->rconn);
        free(r);
    }
}

/* Composing answers. */

static bool
is_icmp_error(const struct flow *flow)
{
    uint16_t type = ntohs(flow->tp_src);

    if (is_icmpv4(flow, NULL)) {
        return (type == 3 || type == 4 || type == 5 || type == 11
                || type == 12);
    }
    return is_icmpv6(flow, NULL) && type < 128;
}

/* Returns false for packets whose answer would go to many, to nobody, or round
 * in circles. */
static bool
may_answer(const struct flow *flow)
{
    if (flow->nw_frag & FLOW_NW_FRAG_LATER || is_icmp_error(flow)
        || eth_addr_is_multicast(flow->dl_src)
        || eth_addr_is_multicast(flow->dl_dst)) {
        return false;
    }
    if (flow->dl_type == htons(ETH_TYPE_IP)) {
        return (flow->nw_src && !ip_is_multicast(flow->nw_src)
                && flow->nw_src != htonl(INADDR_BROADCAST)
                && !ip_is_multicast(flow->nw_dst));
    }
    return (flow->dl_type == htons(ETH_TYPE_IPV6)
            && ipv6_addr_is_set(&flow->ipv6_src)
            && !ipv6_addr_is_multicast(&flow->ipv6_src)
            && !ipv6_addr_is_multicast(&flow->ipv6_dst));
}

/* Returns the addresses of an answer to 'flow'. */
static struct flow
reverse(const struct flow *flow)
{
    struct flow reply;

    memset(&reply, 0, sizeof reply);
    reply.packet_type = htonl(PT_ETH);
    reply.dl_src = flow->dl_dst;
    reply.dl_dst = flow->dl_src;
    reply.dl_type = flow->dl_type;
    memcpy(reply.vlans, flow->vlans, sizeof reply.vlans);
    reply.nw_src = flow->nw_dst;
    reply.nw_dst = flow->nw_src;
    reply.ipv6_src = flow->ipv6_dst;
    reply.ipv6_dst = flow->ipv6_src;
    reply.nw_ttl = 64;
    return reply;
}

/* Returns the checksum of the 'size' octets after the IP header. */
static ovs_be16
l4_checksum(struct dp_packet *packet, const struct flow *flow, size_t size)
{
    uint32_t pseudo = (flow->dl_type == htons(ETH_TYPE_IP)
                       ? packet_csum_pseudoheader(dp_packet_l3(packet))
                       : packet_csum_pseudoheader6(dp_packet_l3(packet)));

    return csum_finish(csum_continue(pseudo, dp_packet_l4(packet), size));
}

/* RFC 9293, section 3.5.2: the reset takes its sequence number from the ACK of
 * the segment.  Without an ACK, it acknowledges the segment. */
static struct dp_packet *
compose_rst(const struct dp_packet *in, const struct flow *flow)
{
    const struct tcp_header *old = dp_packet_l4(in);
    uint16_t flags = ntohs(flow->tcp_flags);
    uint32_t end = ntohl(get_16aligned_be32(&old->tcp_seq));
    struct flow reply = reverse(flow);
    struct tcp_header *tcp;
    struct dp_packet *out;

    if (flags & TCP_RST) {
        return NULL;
    }
    end += (dp_packet_l4_size(in) - TCP_OFFSET(old->tcp_ctl) * 4
            + !!(flags & TCP_SYN) + !!(flags & TCP_FIN));

    reply.nw_proto = IPPROTO_TCP;
    reply.tp_src = flow->tp_dst;
    reply.tp_dst = flow->tp_src;
    reply.tcp_flags = htons(flags & TCP_ACK ? TCP_RST : TCP_RST | TCP_ACK);
    out = dp_packet_new(128);
    compat_flow_compose(out, &reply);
    tcp = dp_packet_l4(out);
    if (flags & TCP_ACK) {
        tcp->tcp_seq = old->tcp_ack;
    } else {
        put_16aligned_be32(&tcp->tcp_ack, htonl(end));
    }
    tcp->tcp_csum = 0;
    tcp->tcp_csum = l4_checksum(out, &reply, sizeof *tcp);
    return out;
}

/* Returns an ICMP error for 'in', which quotes '*size' octets of it, at most
 * 'max'.  Its lengths and checksums are the caller's to set.  'reply', what it
 * is made from, gets the rest. */
static struct dp_packet *
compose_icmp(const struct dp_packet *in, struct flow *reply, uint8_t proto,
             uint16_t type, uint16_t code, size_t max, size_t *size)
{
    struct dp_packet *out;

    *size = MIN(dp_packet_l3_size(in), max);
    reply->nw_proto = proto;
    reply->tp_src = htons(type);
    reply->tp_dst = htons(code);
    out = dp_packet_new(128 + *size);
    compat_flow_compose(out, reply);
    dp_packet_put(out, dp_packet_l3(in), *size);
    return out;
}

static struct dp_packet *
compose_unreachable4(const struct dp_packet *in, const struct flow *flow)
{
    struct flow reply = reverse(flow);
    struct icmp_header *icmp;
    struct dp_packet *out;
    struct ip_header *ip;
    size_t size;

    out = compose_icmp(in, &reply, IPPROTO_ICMP, ICMP4_PORT_UNREACHABLE_TYPE,
                       ICMP4_PORT_UNREACHABLE_CODE, ICMP4_MAX, &size);
    ip = dp_packet_l3(out);
    ip->ip_tot_len = htons(IP_HEADER_LEN + ICMP_HEADER_LEN + size);
    ip->ip_csum = 0;
    ip->ip_csum = csum(ip, sizeof *ip);
    icmp = dp_packet_l4(out);
    icmp->icmp_csum = 0;
    icmp->icmp_csum = csum(icmp, ICMP_HEADER_LEN + size);
    return out;
}

static struct dp_packet *
compose_unreachable6(const struct dp_packet *in, const struct flow *flow)
{
    struct flow reply = reverse(flow);
    struct ovs_16aligned_ip6_hdr *ip;
    struct icmp6_header *icmp;
    struct dp_packet *out;
    size_t size;

    out = compose_icmp(in, &reply, IPPROTO_ICMPV6,
                       ICMP6_PORT_UNREACHABLE_TYPE,
                       ICMP6_PORT_UNREACHABLE_CODE, ICMP6_MAX, &size);
    ip = dp_packet_l3(out);
    ip->ip6_plen = htons(8 + size);
    icmp = dp_packet_l4(out);
    icmp->icmp6_cksum = 0;
    icmp->icmp6_cksum = l4_checksum(out, &reply, 8 + size);
    return out;
}

/* Returns the answer to the Ethernet frame of 'size' octets at 'packet', for
 * the caller to free with dp_packet_delete(), or null for no answer. */
struct dp_packet *
service_reject_compose(const void *packet, size_t size)
{
    struct dp_packet *out = NULL;
    struct dp_packet in;
    struct flow flow;

    dp_packet_use_const(&in, packet, size);
    flow_extract(&in, &flow);
    if (may_answer(&flow)) {
        if (flow.nw_proto == IPPROTO_TCP) {
            if (flow.tcp_flags && !(flow.nw_frag & FLOW_NW_FRAG_ANY)
                && dp_packet_l4(&in)) {
                out = compose_rst(&in, &flow);
            }
        } else if (flow.dl_type == htons(ETH_TYPE_IP)) {
            out = compose_unreachable4(&in, &flow);
        } else {
            out = compose_unreachable6(&in, &flow);
        }
    }
    dp_packet_uninit(&in);
    return out;
}

/* The connection. */

/* Asks for the packets of our flows and for no other messages.  To get whole
 * packets, the switch's configuration must be set: see handle_config().  That
 * message also says what the switch does with fragments, so the present
 * setting is read first. */
static void
greet(struct service_reject *r)
{
    struct ofputil_async_cfg async = OFPUTIL_ASYNC_CFG_INIT;
    struct nx_controller_id *nci;
    struct ofpbuf *msg;

    msg = ofpraw_alloc(OFPRAW_NXT_SET_CONTROLLER_ID, OFP15_VERSION, 0);
    nci = ofpbuf_put_zeros(msg, sizeof *nci);
    nci->controller_id = htons(r->o.controller_id);
    rconn_send(r->rconn, msg, NULL);

    rconn_send(r->rconn, ofputil_encode_set_packet_in_format(
        OFP15_VERSION, OFPUTIL_PACKET_IN_STD), NULL);

    async.primary[OAM_PACKET_IN] = async.secondary[OAM_PACKET_IN] =
        1u << OFPR_ACTION;
    msg = ofputil_encode_set_async_config(&async, (1u << OAM_N_TYPES) - 1,
                                          OFP15_VERSION);
    if (msg) {
        rconn_send(r->rconn, msg, NULL);
    }
    rconn_send(r->rconn, ofpraw_alloc(OFPRAW_OFPT_GET_CONFIG_REQUEST,
                                      OFP15_VERSION, 0), NULL);
}

static void
handle_config(struct service_reject *r, const struct ofp_header *oh)
{
    struct ofputil_switch_config config;

    ofputil_decode_get_config_reply(oh, &config);
    config.miss_send_len = UINT16_MAX;
    rconn_send(r->rconn, ofputil_encode_set_config(&config, OFP15_VERSION),
               NULL);
}

static void
send_answer(struct service_reject *r, const struct ofputil_packet_in *pin,
            const struct dp_packet *packet)
{
    uint64_t stub[64 / 8];
    struct ofpbuf acts = OFPBUF_STUB_INITIALIZER(stub);
    struct ofputil_packet_out po = {
        .packet = dp_packet_data(packet),
        .packet_len = dp_packet_size(packet),
        .buffer_id = UINT32_MAX,
    };
    struct ofpact_resubmit *resubmit = ofpact_put_RESUBMIT(&acts);
    const struct flow *md = &pin->flow_metadata.flow;

    resubmit->in_port = OFPP_IN_PORT;
    resubmit->table_id = r->o.leave_table;
    po.ofpacts = acts.data;
    po.ofpacts_len = acts.size;

    /* The answer comes from no port, so that it can leave by the packet's own.
     * It keeps the registers that others have set. */
    match_init_catchall(&po.flow_metadata);
    match_set_in_port(&po.flow_metadata, OFPP_CONTROLLER);
    match_set_metadata(&po.flow_metadata, md->metadata);
    for (int i = 0; i < FLOW_N_REGS; i++) {
        if (md->regs[i] && i != r->o.reg) {
            match_set_reg(&po.flow_metadata, i, md->regs[i]);
        }
    }
    rconn_send(r->rconn, ofputil_encode_packet_out(
        &po, ofputil_protocol_from_ofp_version(OFP15_VERSION)), NULL);
    ofpbuf_uninit(&acts);
}

static void
handle_packet_in(struct service_reject *r, const struct ofp_header *oh)
{
    struct ofputil_packet_in pin;
    struct dp_packet *answer;

    if (!token_bucket_withdraw(&r->bucket, 1000)) {
        r->n_limited++;
        return;
    }
    if (ofputil_decode_packet_in(oh, true, NULL, NULL, &pin, NULL, NULL,
                                 NULL)) {
        r->n_ignored++;
        return;
    }
    answer = service_reject_compose(pin.packet, pin.packet_len);
    if (answer) {
        send_answer(r, &pin, answer);
        dp_packet_delete(answer);
        r->n_answered++;
    } else {
        r->n_ignored++;
    }
}

static void
handle_message(struct service_reject *r, const struct ofpbuf *msg)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);
    const struct ofp_header *oh = msg->data;
    enum ofptype type;

    if (ofptype_decode(&type, oh)) {
        return;
    }
    if (type == OFPTYPE_PACKET_IN) {
        handle_packet_in(r, oh);
    } else if (type == OFPTYPE_GET_CONFIG_REPLY) {
        handle_config(r, oh);
    } else if (type == OFPTYPE_ECHO_REQUEST) {
        rconn_send(r->rconn, ofputil_encode_echo_reply(oh), NULL);
    } else if (type == OFPTYPE_ERROR) {
        VLOG_WARN_RL(&rl, "%s: OpenFlow error: %s",
                     rconn_get_name(r->rconn),
                     ofperr_to_string(ofperr_decode_msg(oh, NULL)));
    }
}

void
service_reject_run(struct service_reject *r)
{
    rconn_run(r->rconn);
    if (!rconn_is_connected(r->rconn)) {
        return;
    }
    if (r->seqno != rconn_get_connection_seqno(r->rconn)) {
        r->seqno = rconn_get_connection_seqno(r->rconn);
        greet(r);
    }
    for (int i = 0; i < RUN_MESSAGES; i++) {
        struct ofpbuf *msg = rconn_recv(r->rconn);

        if (!msg) {
            break;
        }
        handle_message(r, msg);
        ofpbuf_delete(msg);
    }
}

void
service_reject_wait(struct service_reject *r)
{
    rconn_run_wait(r->rconn);
    rconn_recv_wait(r->rconn);
}

/* Appends counters to 'm'. */
void
service_reject_format_metrics(const struct service_reject *r,
                              const struct metrics *m)
{
    static const char name[] = "rejects_total";

    metrics_begin(m, name, "counter", "Packets to be rejected.");
    metrics_put(m, name, "result", "answered", r->n_answered);
    metrics_put(m, name, "result", "limited", r->n_limited);
    metrics_put(m, name, "result", "ignored", r->n_ignored);
}
