/* SPDX-License-Identifier: Apache-2.0 */

#ifndef GTPU_SIGNALLING_DATAPATH_H
#define GTPU_SIGNALLING_DATAPATH_H 1

/* GTP-U signalling in the data path, internals
 * ============================================
 *
 * Messages that are no G-PDU, as they come in and go out: which the switch
 * answers itself, and counters.
 *
 * Thread-safety: PMD thread, where nothing else is said. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datapath-dpdk/gtpu/gtpu-vport.h"
#include "lib/gtpu/gtpu-signalling.h"

struct in6_addr;
struct dp_packet;

/* A received message and where in its packet it is. */
struct gtpu_message {
    const struct gtpu_header *header;
    const uint8_t *data;        /* Payload of the UDP datagram... */
    size_t len;                 /* ...and its length. */
    bool is_ipv6;               /* Of the outer packet. */
};

/* What becomes of a received message. */
enum gtpu_fate {
    GTPU_DELIVER,               /* To OpenFlow. */
    GTPU_ANSWERED,              /* The packet now is the answer. */
    GTPU_DROPPED,               /* Or taken, as '*drop' says. */
};

/* Handles 'message', which is no G-PDU, in 'packet', whose tunnel metadata
 * tells of its outer headers.  If it is dropped, stores in '*drop' why. */
enum gtpu_fate gtpu_signalling_receive(struct dp_packet *packet,
                                       const struct gtpu_message *message,
                                       enum gtpu_drop *drop);

/* Answers 'message', a G-PDU with an extension header that is unknown and to
 * be comprehended, by the list of those that are known.  Counts it as dropped.
 * Returns GTPU_DROP_NONE if the packet now is the answer, otherwise
 * GTPU_TAKEN. */
enum gtpu_drop gtpu_signalling_refuse(struct dp_packet *packet,
                                      const struct gtpu_message *message);

/* Makes of 'packet', in which a G-PDU or a signalling message is, an answer to
 * its sender: the GTP-U message 'answer' of 'len' octets, from port 2152 to
 * port 'dst_port'.  The packet then is one that the underlay bridge itself
 * sends, and is on its way through that bridge's flow table.
 *
 * Nobody gets an answer whose address is none of one host.
 *
 * Returns why it could not be, with 'packet' as it was, or
 * GTPU_DROP_NONE. */
enum gtpu_drop gtpu_reply(struct dp_packet *packet,
                          const struct gtpu_message *message,
                          enum gtpu_answer kind, const uint8_t *answer,
                          size_t len, ovs_be16 dst_port);

/* Takes a token for an answer of 'kind' to 'peer'.  Returns GTPU_DROP_NONE, or
 * that there is none. */
enum gtpu_drop gtpu_check_limit(const struct in6_addr *peer,
                                enum gtpu_answer kind);

/* Makes room for 'size' octets in 'packet'.  Returns false if its buffer is of
 * a kind that cannot grow. */
bool gtpu_make_room(struct dp_packet *packet, size_t size);

/* What is sent by a tunnel port and is no G-PDU; see gtpu-push.c. */
uint16_t gtpu_push_payload(struct dp_packet *, uint8_t msg_type);
void gtpu_push_udp_port(const struct dp_packet *, uint8_t *gtpu,
                        size_t hdr_len);

/* Counters of messages by type; see gtpu-count.c.  Any thread.  The main
 * thread reads them, some seconds late. */
void gtpu_count_rx(uint8_t msg_type);
void gtpu_count_tx(uint8_t msg_type);

struct ds;
void gtpu_count_show(struct ds *);

/* The peers that tunnels are configured to; see gtpu-peer.c.
 *
 * gtpu_peer_add() and gtpu_peer_remove() are for the main thread and count:
 * each call of one is undone by one of the other.  gtpu_peer_is_known() is for
 * any thread. */
void gtpu_peer_add(const struct in6_addr *);
void gtpu_peer_remove(const struct in6_addr *);
bool gtpu_peer_is_known(const struct in6_addr *);

#endif /* gtpu-signalling.h */
