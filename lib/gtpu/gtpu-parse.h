/* SPDX-License-Identifier: Apache-2.0 */

#ifndef GTPU_PARSE_H
#define GTPU_PARSE_H 1

/* Parser of the GTP-U header
 * ==========================
 *
 * See gtpu.h for byte order, memory, threads, limits and the attack model. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/gtpu/gtpu-error.h"
#include "lib/gtpu/gtpu-ext.h"
#include "lib/gtpu/gtpu.h"

/* The extension header types that this codec itself decodes: UDP Port and PDU
 * Session Container. */
extern const struct gtpu_ext_set gtpu_ext_set_default;

/* What gtpu_parse() finds in the octets of a header. */
struct gtpu_header {
    uint32_t teid;
    uint16_t length;            /* The length field. */
    uint16_t hdr_len;           /* Octets before the payload: 8, optional
                                 * word and extension headers. */
    uint16_t payload_len;       /* 8 + 'length' - 'hdr_len'. */
    uint16_t seq;               /* Sequence number if 'has_seq', else 0. */
    uint8_t flags;              /* The first octet as received, GTPU_F_*. */
    uint8_t msg_type;           /* Any value, see enum gtpu_msg_type. */
    uint8_t npdu;               /* N-PDU number if 'has_npdu', else 0. */
    uint8_t n_exts;             /* Extension headers in the chain. */
    uint8_t unknown_ext;        /* First type that requires comprehension and
                                 * is not known, or GTPU_EXT_NONE. */
    bool has_seq;               /* S was set. */
    bool has_npdu;              /* PN was set. */
    bool has_psc;               /* The chain has 'psc', at any place. */
    struct gtpu_psc psc;        /* All zeros if not 'has_psc'. */
    size_t trailing_len;        /* Octets of the packet after the payload. */
};

/* Parses the GTP-U header at 'data', the payload of a UDP datagram.
 *
 * 'linear_len' octets can be read at 'data'.  'total_len' is the length of the
 * whole datagram, whose rest may lie elsewhere (in further segments of an
 * mbuf).  A 'linear_len' above 'total_len' counts as 'total_len'.  'data' may
 * be null if 'linear_len' is 0.
 *
 * 'known' is the set of extension header types that the caller comprehends, or
 * null for gtpu_ext_set_default.  A node that forwards between tunnels adds
 * the types that it passes on, for example the PDCP PDU number.
 *
 * Returns GTPU_OK and fills in '*h', or returns the first of these errors from
 * the front of the packet to its back:
 *
 *   - GTPU_ERR_SHORT, GTPU_ERR_VERSION, GTPU_ERR_PT.
 *
 *   - GTPU_ERR_LENGTH: the length field exceeds 'total_len'.  A smaller length
 *     field is valid: the octets behind it are not payload and are counted in
 *     'trailing_len'.
 *
 *   - GTPU_ERR_OPT_TRUNC, GTPU_ERR_EXT_ZERO, GTPU_ERR_EXT_TRUNC,
 *     GTPU_ERR_EXT_COUNT: measured by the length field, so that trailing
 *     octets never complete a header.
 *
 *   - GTPU_ERR_PSC_TYPE, GTPU_ERR_PSC_TRUNC, GTPU_ERR_PSC_DUP.
 *
 *   - GTPU_ERR_NOT_LINEAR: no error so far, but a header goes on past
 *     'linear_len'.  The caller makes at least GTPU_HLEN_MAX octets, or all,
 *     contiguous and calls again.
 *
 *   - GTPU_ERR_EXT_REQUIRED, only if there is no other error: 'unknown_ext'
 *     requires comprehension (its bit 8 is set) and is not known.  '*h' is
 *     filled in as with GTPU_OK.  An endpoint discards the packet and answers
 *     a G-PDU with gtpu_build_ext_notification().  An intermediate node may go
 *     on if no type of the chain is in GTPU_EXT_CLASS_ALL (clause 5.2.1).
 *
 * With any other error, 'flags', 'msg_type', 'length' and 'teid' are those of
 * the packet or 0, for a log.  The rest has no meaning.
 *
 * Not checked, because valid for one caller and not for another: the message
 * type, a TEID of 0, and whether S is set or clear as clause 5.1 demands for
 * each message.
 *
 * Ignored, as the standard demands: the spare bit, the next type without E,
 * the sequence number without S, the N-PDU number without PN.  The next type
 * may be 0 with E. */
enum gtpu_error gtpu_parse(const uint8_t *data, size_t linear_len,
                           size_t total_len, const struct gtpu_ext_set *known,
                           struct gtpu_header *h);

/* Walks the extension headers of a packet that gtpu_parse() accepted:
 *
 *     gtpu_ext_iter_init(&iter, data, &h);
 *     while (gtpu_ext_iter_next(&iter, &ext)) {
 *         ...'ext.content' points into 'data'...
 *     }
 *
 * 'data' must outlive the walk, with the octets that were parsed.  The walk
 * needs 'h' only to begin.  If the octets have changed, the walk may end early
 * or show other headers, but it stays within the 'h->hdr_len' octets. */
struct gtpu_ext_iter {
    const uint8_t *data;
    uint16_t ofs;               /* Of the next extension header. */
    uint16_t end;
    uint8_t type;               /* Of the next extension header. */
};

void gtpu_ext_iter_init(struct gtpu_ext_iter *, const uint8_t *data,
                        const struct gtpu_header *h);
bool gtpu_ext_iter_next(struct gtpu_ext_iter *, struct gtpu_ext *);

/* Parses the 'len' octets at 'content', the content of an extension header
 * of type GTPU_EXT_PSC, into '*psc' (TS 38.415 clauses 5.5.2.1 and 5.5.2.2).
 *
 * Returns GTPU_OK, GTPU_ERR_PSC_TYPE for a PDU type other than DL and UL, or
 * GTPU_ERR_PSC_TRUNC if a flag announces a field for which there is no room.
 * With an error '*psc' is all zeros.
 *
 * The fields past the PPI are measured but not decoded.  Fields of releases
 * after 16 (GTPU_PSC_F_DL_MSNP, what follows GTPU_PSC_F_UL_NEW_IE) are not
 * measured, and nothing behind them is read.  To forward a whole container,
 * copy it with gtpu_ext_iter_next(). */
enum gtpu_error gtpu_psc_parse(const uint8_t *content, size_t len,
                               struct gtpu_psc *psc);

/* What the payload of a G-PDU is on a port that carries layer 3. */
enum gtpu_inner {
    GTPU_INNER_NONE,
    GTPU_INNER_IPV4,
    GTPU_INNER_IPV6,
};

/* Stores in '*inner' which kind of IP packet the 'payload_len' octets at
 * 'payload' are.  At least 'linear_len' of them can be read.  'linear_len' may
 * exceed 'payload_len'.
 *
 * Returns GTPU_OK, or one of these errors with '*inner' GTPU_INNER_NONE:
 *
 *   - GTPU_ERR_INNER_EMPTY: 'payload_len' is 0.  (A G-PDU with a RAN Container
 *     may have no payload, clause 5.2.2.4.  Its caller does not call this.)
 *
 *   - GTPU_ERR_INNER_VERSION: the first nibble is neither 4 nor 6.
 *
 *   - GTPU_ERR_INNER_TRUNC: shorter than the IP header, with IPv4 options.
 *
 *   - GTPU_ERR_INNER_LENGTH: an IPv4 header length below 20, an IPv4 total
 *     length below the header length, or an IPv4 total length or IPv6 payload
 *     length that exceeds 'payload_len'.  Octets after the inner packet's own
 *     end are allowed.
 *
 *   - GTPU_ERR_NOT_LINEAR: the first 4 (IPv4) or 6 (IPv6) octets are not
 *     within 'linear_len'. */
enum gtpu_error gtpu_inner_type(const uint8_t *payload, size_t linear_len,
                                size_t payload_len, enum gtpu_inner *inner);

#endif /* gtpu-parse.h */
