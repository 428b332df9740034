/* SPDX-License-Identifier: Apache-2.0 */

#ifndef GTPU_IE_H
#define GTPU_IE_H 1

/* Information elements of GTP-U's signalling messages
 * ===================================================
 *
 * See gtpu.h for byte order, memory, threads, limits and the attack model. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/gtpu/gtpu-error.h"
#include "lib/gtpu/gtpu-ext.h"

struct gtpu_header;

/* Most IEs in a signalling message.  No message defines more than three,
 * not counting Private Extensions. */
#define GTPU_MAX_IES 32

/* IE types (clause 8.1).  The type fixes the length of an IE below 128 ("TV").
 * From 128 on a length follows the type ("TLV"). */
enum gtpu_ie_type {
    GTPU_IE_RECOVERY = 14,
    GTPU_IE_TEID_DATA_I = 16,
    GTPU_IE_PEER_ADDRESS = 133,
    GTPU_IE_EXT_TYPE_LIST = 141,
    GTPU_IE_TUNNEL_STATUS = 230,
    GTPU_IE_RECOVERY_TIME = 231,
    GTPU_IE_PRIVATE = 255,
};

/* Bits of 'present' in struct gtpu_ies. */
#define GTPU_HAS_RECOVERY 0x0001
#define GTPU_HAS_TEID 0x0002
#define GTPU_HAS_PEER 0x0004
#define GTPU_HAS_EXT_TYPES 0x0008
#define GTPU_HAS_TUNNEL_STATUS 0x0010
#define GTPU_HAS_RECOVERY_TIME 0x0020
#define GTPU_HAS_PRIVATE 0x0040
#define GTPU_HAS_UDP_PORT 0x0080

/* What gtpu_parse_ies() finds.  A member is 0 unless its bit is in
 * 'present'. */
struct gtpu_ies {
    uint16_t present;           /* GTPU_HAS_*. */
    uint16_t udp_port;          /* Extension header UDP Port: source port of
                                 * the G-PDU that an Error Indication
                                 * reports. */
    uint32_t teid;              /* Its TEID. */
    uint8_t peer_len;           /* 4 (IPv4) or 16 (IPv6). */
    uint8_t peer[16];           /* Its destination address. */
    uint8_t recovery;           /* Restart counter, to be ignored. */
    bool spoc;                  /* Start pause of charging. */
    uint32_t recovery_time;     /* NTP seconds since 1900. */
    struct gtpu_ext_set ext_types; /* Types that the sender comprehends. */
    uint16_t private_id;        /* Enterprise number. */
    uint16_t private_len;       /* Octets of the extension value... */
    uint32_t private_ofs;       /* ...and where it is in 'data'. */
    uint8_t n_ies;              /* IEs in the message. */
    uint8_t n_skipped;          /* How many of them are unknown or repeated. */
};

/* Parses the IEs of the signalling message at 'data', whose header
 * gtpu_parse() has put into 'h' (clauses 7.2, 7.3 and 8).  'linear_len' is as
 * in gtpu_parse(), with the same 'data'.
 *
 * IEs may be in any order.  The first of several IEs of one type counts.
 * Unknown IEs of the TLV format are skipped.  Known IEs are decoded in any
 * message, even where the standard does not list them.
 *
 * Returns GTPU_OK or the first of these errors:
 *
 *   - GTPU_ERR_MSG_TYPE: 'h->msg_type' is G-PDU or not known.
 *
 *   - GTPU_ERR_NOT_LINEAR: the message does not end within 'linear_len'.
 *
 *   - GTPU_ERR_EXT_LENGTH: a UDP Port extension header is not 4 octets long.
 *
 *   - GTPU_ERR_IE_TRUNC, GTPU_ERR_IE_LENGTH, GTPU_ERR_IE_COUNT.
 *
 *   - GTPU_ERR_IE_UNKNOWN_TV: a type below 128 that clause 8.1 does not list.
 *     Nothing tells where the next IE begins.
 *
 *   - GTPU_ERR_IE_MISSING: no other error, but a mandatory IE is missing.
 *     '*ies' is filled in, so that a caller may be lenient (some peers answer
 *     an Echo without Recovery).
 *
 * With any other error '*ies' has no meaning. */
enum gtpu_error gtpu_parse_ies(const uint8_t *data, size_t linear_len,
                               const struct gtpu_header *h,
                               struct gtpu_ies *ies);

#endif /* gtpu-ie.h */
