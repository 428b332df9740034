/* SPDX-License-Identifier: Apache-2.0 */

/* The switch answers Echo Requests and takes Echo Responses that it waits for.
 * All other messages go to OpenFlow. */

#include <config.h>
#include "datapath-dpdk/gtpu/gtpu-receive.h"

#include "datapath-dpdk/gtpu/gtpu-count.h"
#include "datapath-dpdk/gtpu/gtpu-drop-port.h"
#include "datapath-dpdk/gtpu/gtpu-reply.h"
#include "dp-packet.h"
#include "lib/gtpu/gtpu-build.h"
#include "lib/gtpu/gtpu-ie.h"
#include "lib/gtpu/gtpu-parse.h"
#include "lib/gtpu/gtpu-watch.h"
#include "openvswitch/flow.h"
#include "ovs-thread.h"

/* Answers an Echo Request (TS 29.281 clause 7.2.2) with its sequence number.
 * Addresses and ports change places. */
static enum gtpu_drop
answer_echo(struct dp_packet *packet, const struct gtpu_message *message)
{
    uint8_t answer[GTPU_SIGNALLING_MAX_LEN];
    struct gtpu_ies ies;
    enum gtpu_error error;
    int len;

    error = gtpu_parse_ies(message->data, message->len, message->header,
                           &ies);
    if (error) {
        return gtpu_error_drop(error);
    } else if (!message->header->has_seq) {
        return GTPU_DROP_NO_SEQ;
    }

    len = gtpu_build_echo_response(answer, sizeof answer,
                                   message->header->seq);
    return gtpu_reply(packet, message->is_ipv6, GTPU_ANSWER_ECHO, answer, len,
                      packet->md.tunnel.tp_src);
}

static enum gtpu_fate
receive_echo_request(struct dp_packet *packet,
                     const struct gtpu_message *message, enum gtpu_drop *drop)
{
    switch (gtpu_echo_mode()) {
    case GTPU_ECHO_CONTROLLER:
        return GTPU_DELIVER;
    case GTPU_ECHO_DROP:
        *drop = GTPU_DROP_ECHO_OFF;
        return GTPU_DROPPED;
    case GTPU_ECHO_ANSWER:
    default:
        *drop = answer_echo(packet, message);
        return *drop ? GTPU_DROPPED : GTPU_ANSWERED;
    }
}

/* Takes an Echo Response if path supervision waits for it. */
static enum gtpu_fate
receive_echo_response(const struct dp_packet *packet,
                      const struct gtpu_message *message,
                      enum gtpu_drop *drop)
{
    struct in6_addr peer = flow_tnl_src(&packet->md.tunnel);
    struct gtpu_path_answer answer = { .seq = message->header->seq };
    struct gtpu_ies ies;
    enum gtpu_error error;

    error = gtpu_parse_ies(message->data, message->len, message->header,
                           &ies);
    if (!message->header->has_seq
        || (error && error != GTPU_ERR_IE_MISSING)) {
        return GTPU_DELIVER;
    }
    answer.recovery = ies.recovery;
    answer.recovery_time = ies.recovery_time;
    *drop = GTPU_TAKEN;
    return (gtpu_watch_receive(peer.s6_addr, &answer)
            ? GTPU_DROPPED
            : GTPU_DELIVER);
}

enum gtpu_fate
gtpu_receive(struct dp_packet *packet, const struct gtpu_message *message,
             enum gtpu_drop *drop)
{
    gtpu_count_rx(message->header->msg_type);
    switch (message->header->msg_type) {
    case GTPU_MSG_ECHO_REQUEST:
        return receive_echo_request(packet, message, drop);
    case GTPU_MSG_ECHO_RESPONSE:
        return receive_echo_response(packet, message, drop);
    default:
        return GTPU_DELIVER;
    }
}

/* The next Supported Extension Headers Notification's sequence number.  Nobody
 * answers it, so threads may use the same: a shared counter would be written
 * for each packet of an attack. */
DEFINE_STATIC_PER_THREAD_DATA(uint16_t, next_seq, 0);

enum gtpu_drop
gtpu_refuse(struct dp_packet *packet, const struct gtpu_message *message)
{
    uint8_t answer[GTPU_SIGNALLING_MAX_LEN];
    int len;

    gtpu_drop_rx(&packet->md.tunnel, GTPU_DROP_EXT_REQUIRED);
    if (message->header->msg_type == GTPU_MSG_G_PDU) {
        len = gtpu_build_ext_notification(answer, sizeof answer,
                                          (*next_seq_get())++,
                                          &gtpu_ext_set_default);
        if (!gtpu_reply(packet, message->is_ipv6, GTPU_ANSWER_EXT, answer, len,
                        htons(GTPU_UDP_PORT))) {
            return GTPU_DROP_NONE;
        }
    }
    return GTPU_TAKEN;
}
