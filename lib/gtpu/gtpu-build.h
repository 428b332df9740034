/* SPDX-License-Identifier: Apache-2.0 */

#ifndef GTPU_BUILD_H
#define GTPU_BUILD_H 1

/* Builders of GTP-U headers and signalling messages
 * =================================================
 *
 * See gtpu.h for byte order, memory, threads and limits. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/gtpu/gtpu-ext.h"
#include "lib/gtpu/gtpu.h"

/* Returns true if a tunnel port sends messages of 'msg_type'.  0 stands for a
 * G-PDU, as in the metadata of a packet that came from no tunnel. */
static inline bool
gtpu_is_sendable(uint8_t msg_type)
{
    switch (msg_type) {
    case 0:
    case GTPU_MSG_ECHO_REQUEST:
    case GTPU_MSG_ERROR_INDICATION:
    case GTPU_MSG_END_MARKER:
    case GTPU_MSG_G_PDU:
        return true;
    default:
        return false;
    }
}

/* Most octets that a builder of a signalling message can write. */
#define GTPU_SIGNALLING_MAX_LEN (GTPU_HLEN + GTPU_OPT_LEN + 2 + 255)

/* What to build.  A spec with only 'msg_type' and 'teid' set gives the plain
 * 8-octet header. */
struct gtpu_hdr_spec {
    uint32_t teid;
    uint8_t msg_type;
    uint8_t npdu;
    uint16_t seq;
    bool has_seq;               /* Set S and write 'seq'. */
    bool has_npdu;              /* Set PN and write 'npdu'. */
    const struct gtpu_psc *psc; /* First extension header, null for none. */
    const struct gtpu_ext *exts; /* The next ones, written as they are. */
    size_t n_exts;
};

/* Writes the header of a message with 'payload_len' octets of payload to the
 * 'size' octets at 'buf', in the order of clause 5.2.2.7: PDU Session
 * Container first.  E is set if there is an extension header.
 *
 * Returns the number of octets written, a multiple of 4 from GTPU_HLEN to
 * GTPU_HLEN_MAX, or a negative errno value with 'buf' left as it was:
 *
 *   - -EINVAL: an extension header of type 0, or whose 'len' is not 4n - 2 or
 *     exceeds GTPU_EXT_MAX_LEN - 2; more than GTPU_MAX_EXTS extension headers;
 *     more than one PDU Session Container, or one that gtpu_psc_build() or
 *     gtpu_psc_parse() refuses; a UDP Port that is not 4 octets long.
 *
 *   - -EMSGSIZE: the length field, at most 65535 octets after the first 8,
 *     cannot hold header and payload.
 *
 *   - -ENOBUFS: 'size' is too small.
 *
 * The message type and S are not checked.  The caller sets 'has_seq' for
 * messages 1, 2, 26 and 31, and not for an End Marker (clause 5.1). */
int gtpu_build_header(uint8_t *buf, size_t size,
                      const struct gtpu_hdr_spec *spec, size_t payload_len);

/* Returns the number of octets that gtpu_build_header() would write for
 * 'spec' into a buffer that is large enough, or -EINVAL. */
int gtpu_header_len(const struct gtpu_hdr_spec *spec);

/* Sets the length field of the header of 'hdr_len' octets at 'hdr', which
 * gtpu_build_header() wrote, for 'payload_len' octets of payload.  Returns 0,
 * or -EMSGSIZE if the sum does not fit; the field is then left as it was. */
int gtpu_set_length(uint8_t *hdr, size_t hdr_len, size_t payload_len);

/* Sets the sequence number in the header at 'hdr', which gtpu_build_header()
 * wrote.  Does nothing if the header has no S flag. */
void gtpu_set_seq(uint8_t *hdr, uint16_t seq);

/* Writes the content of a PDU Session Container to the 'size' octets at
 * 'buf': 2 octets, or 6 with a PPI, padding included.
 *
 * Returns the number of octets, -ENOBUFS if 'size' is too small, or -EINVAL
 * for a PDU type other than DL and UL, a QFI above 63, a PPI above 7, RQI or
 * PPI in the uplink, or any 'flags': struct gtpu_psc has no values for the
 * fields that they announce. */
int gtpu_psc_build(uint8_t *buf, size_t size, const struct gtpu_psc *psc);

/* Builders of whole signalling messages.  Each writes to the 'size' octets at
 * 'buf' and returns the number of octets, at most GTPU_SIGNALLING_MAX_LEN, or
 * a negative errno value with 'buf' left as it was: -ENOBUFS if 'size' is too
 * small, and the errors named below.
 *
 * All but the End Marker have S set, sequence number 'seq' and TEID 0
 * (clause 5.1). */

/* Echo Request (clause 7.2.1). */
int gtpu_build_echo_request(uint8_t *buf, size_t size, uint16_t seq);

/* Echo Response (clause 7.2.2), with Recovery 0.  'seq' is the request's. */
int gtpu_build_echo_response(uint8_t *buf, size_t size, uint16_t seq);

/* An Error Indication about a G-PDU. */
struct gtpu_error_indication {
    uint16_t seq;               /* Ignored by the receiver. */
    uint16_t udp_port;          /* Source port of the G-PDU. */
    bool has_udp_port;          /* Send 'udp_port' as extension header. */
    uint32_t teid;              /* TEID of the G-PDU. */
    uint8_t peer_len;           /* 4 (IPv4) or 16 (IPv6). */
    uint8_t peer[16];           /* Destination address of the G-PDU. */
};

/* Error Indication (clause 7.3.1).  Also fails with -EINVAL if 'peer_len' is
 * neither 4 nor 16. */
int gtpu_build_error_indication(uint8_t *buf, size_t size,
                                const struct gtpu_error_indication *);

/* Supported Extension Headers Notification (clause 7.2.3) that lists 'types'
 * in ascending order.  Also fails with -EINVAL if 'types' has type 0. */
int gtpu_build_ext_notification(uint8_t *buf, size_t size, uint16_t seq,
                                const struct gtpu_ext_set *types);

/* End Marker (clause 7.3.2) for tunnel 'teid', without S.  'psc' is a PDU
 * Session Container to include, or null.  Also fails with -EINVAL if
 * gtpu_psc_build() does. */
int gtpu_build_end_marker(uint8_t *buf, size_t size, uint32_t teid,
                          const struct gtpu_psc *psc);

#endif /* gtpu-build.h */
