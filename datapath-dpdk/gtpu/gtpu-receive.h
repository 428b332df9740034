/* SPDX-License-Identifier: Apache-2.0 */

#ifndef GTPU_RECEIVE_H
#define GTPU_RECEIVE_H 1

/* Received GTP-U messages that are not G-PDUs.  PMD thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datapath-dpdk/gtpu/gtpu-drop.h"

struct dp_packet;
struct gtpu_header;

/* A received message and its place in its packet. */
struct gtpu_message {
    const struct gtpu_header *header;
    const uint8_t *data;        /* Payload of the UDP datagram... */
    size_t len;                 /* ...and its length. */
    bool is_ipv6;               /* Of the outer packet. */
};

/* What gtpu_receive() did with a message. */
enum gtpu_fate {
    GTPU_DELIVER,               /* The caller delivers it to OpenFlow. */
    GTPU_ANSWERED,              /* The packet now is the answer. */
    GTPU_DROPPED,               /* The caller drops it, for '*drop'. */
};

/* Handles 'message', which is not a G-PDU, in 'packet', whose tunnel metadata
 * has its outer headers.  With GTPU_DROPPED stores the reason in '*drop'. */
enum gtpu_fate gtpu_receive(struct dp_packet *packet,
                            const struct gtpu_message *message,
                            enum gtpu_drop *drop);

/* Answers 'message', a G-PDU with an unknown extension header that requires
 * comprehension, by the list of the known ones (TS 29.281 clause 7.2.3).
 * Counts it as dropped.  Returns GTPU_DROP_NONE if the packet now is the
 * answer, otherwise GTPU_TAKEN. */
enum gtpu_drop gtpu_refuse(struct dp_packet *packet,
                           const struct gtpu_message *message);

#endif /* gtpu-receive.h */
