/* SPDX-License-Identifier: Apache-2.0 */

#ifndef GTPU_DROP_H
#define GTPU_DROP_H 1

/* Reasons to drop a packet of a GTP-U tunnel, and their counters */

#include "lib/gtpu/gtpu-error.h"

/* Reasons besides the errors of lib/gtpu/gtpu-error.h:
 * GTPU_DROP(enumerator, name, description).  Each has the counter
 * "gtpu_drop_<name>". */
#define GTPU_DROPS                                                          \
    GTPU_DROP(OUTER, outer, "outer headers incomplete or inconsistent")     \
    GTPU_DROP(FRAGMENT, fragment, "fragment of an outer packet")            \
    GTPU_DROP(IP_CSUM, ip_csum, "wrong checksum of the outer IPv4 header")  \
    GTPU_DROP(UDP_LENGTH, udp_length,                                       \
              "UDP length field inconsistent or exceeds the packet")        \
    GTPU_DROP(UDP_CSUM, udp_csum, "wrong UDP checksum")                     \
    GTPU_DROP(NO_SEQ, no_seq, "Echo Request without sequence number")       \
    GTPU_DROP(ECHO_OFF, echo_off, "Echo Request, and gtpu-echo=drop")       \
    GTPU_DROP(ECHO_LIMIT, echo_limit, "Echo Request beyond the rate limit") \
    GTPU_DROP(ERROR_LIMIT, error_limit,                                     \
              "Error Indication beyond the rate limit")                     \
    GTPU_DROP(NO_ERROR, no_error,                                           \
              "Error Indication, but not to the sender of a G-PDU")         \
    GTPU_DROP(RELAYED, relayed, "Echo Request of another node")             \
    GTPU_DROP(NO_ANSWER, no_answer,                                         \
              "no answer possible: not sent from another host's address")   \
    GTPU_DROP(NO_ROUTE, no_route, "no answer possible: no bridge leads back") \
    GTPU_DROP(TOO_BIG, too_big,                                             \
              "packet too big for the length fields when encapsulated")     \
    GTPU_DROP(NOT_IP, not_ip,                                               \
              "neither IPv4 nor IPv6, to a port that carries IP")           \
    GTPU_DROP(NOT_SENT, not_sent,                                           \
              "message of a type that a tunnel port does not send")

/* Why a packet is dropped.  An enum gtpu_error has the same value here. */
enum gtpu_drop {
    GTPU_DROP_NONE = GTPU_OK,
#define GTPU_ERROR(ENUM, NAME, DESCRIPTION) GTPU_DROP_##ENUM = GTPU_ERR_##ENUM,
    GTPU_ERRORS
#undef GTPU_ERROR
#define GTPU_DROP(ENUM, NAME, DESCRIPTION) GTPU_DROP_##ENUM,
    GTPU_DROPS
#undef GTPU_DROP
    GTPU_N_DROPS,
    GTPU_TAKEN = GTPU_N_DROPS   /* Consumed by the switch: not counted. */
};

/* Returns the reason to drop a packet that the codec refused with 'error'. */
static inline enum gtpu_drop
gtpu_error_drop(enum gtpu_error error)
{
    return (enum gtpu_drop) error;
}

/* Counts a dropped packet.  Any thread. */
void gtpu_drop_count(enum gtpu_drop);

/* Returns the number of packets that all threads counted for 'drop' up to some
 * seconds ago.  Main thread. */
unsigned long long int gtpu_drop_read(enum gtpu_drop);

/* Which of a port's statistics has a drop. */
enum gtpu_drop_kind {
    GTPU_RX_ERROR,              /* Received, and malformed. */
    GTPU_RX_DROPPED,            /* Received, and refused. */
    GTPU_TX_DROPPED,            /* Not sent. */
};
enum gtpu_drop_kind gtpu_drop_kind(enum gtpu_drop);

/* Returns the name of 'drop', without "gtpu_drop_", and a phrase for people.
 * Both are static strings. */
const char *gtpu_drop_name(enum gtpu_drop);
const char *gtpu_drop_description(enum gtpu_drop);

#endif /* gtpu-drop.h */
