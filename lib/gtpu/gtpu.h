/* SPDX-License-Identifier: Apache-2.0 */

#ifndef GTPU_H
#define GTPU_H 1

/* GTPv1-U codec
 * =============
 *
 * Parses and builds the GTP-U header, its extension headers, the PDU Session
 * Container and the information elements (IEs) of the signalling messages.
 * Sources: 3GPP TS 29.281 (GTP-U), 3GPP TS 38.415 (the content of the PDU
 * Session Container).  Clause numbers are those of TS 29.281 unless another
 * document is named.
 *
 *       0                   1                   2                   3
 *      +-----+-+-+-+-+-+---------------+-------------------------------+
 *      |  1  |P|*|E|S|N| message type  | length: all after the TEID    |
 *      +-----+-+-+-+-+-+---------------+-------------------------------+
 *      | TEID                                                          |
 *      +-------------------------------+---------------+---------------+
 *      | sequence number, if S         | N-PDU, if PN  | next type, E  |
 *      +---------------+---------------+---------------+---------------+
 *      | length / 4    | content: 4n - 2 octets        | next type     |
 *      +---------------+-------------------------------+---------------+
 *
 * The third word is there if E, S or PN is set.  Each of its fields has a
 * meaning only with its own flag.  Extension headers follow if E is set and
 * the next type is not 0.  Each names the type of the next.
 *
 * This header has what all parts of the codec share.  The parts are:
 *
 *     gtpu-error.h   why a message is refused
 *     gtpu-name.h    names of errors and types
 *     gtpu-ext.h     extension headers and the PDU Session Container
 *     gtpu-parse.h   the header and its extension headers
 *     gtpu-ie.h      the IEs of signalling messages
 *     gtpu-build.h   headers and whole signalling messages
 *     gtpu-tlv.h     a PDU Session Container as a tunnel option
 *
 * How to use it
 * -------------
 *
 *     struct gtpu_header h;
 *     enum gtpu_error error = gtpu_parse(data, linear, total, NULL, &h);
 *
 *     if (error) {
 *         count(gtpu_error_name(error));         gtpu_drop_<name>
 *     } else if (h.msg_type == GTPU_MSG_G_PDU) {
 *         inner packet: 'h.payload_len' octets from 'data + h.hdr_len'
 *     } else {
 *         error = gtpu_parse_ies(data, linear, &h, &ies);
 *     }
 *
 * An encapsulator calls gtpu_build_header() once for each tunnel and keeps
 * the octets.  For each packet it copies them and calls gtpu_set_length(), and
 * gtpu_set_seq() if the tunnel has sequence numbers.
 *
 * The following holds for all parts.
 *
 * Byte order: every integer in a struct or an argument is in host order.
 * Every address is an array of octets in network order.
 *
 * Memory: no function allocates.  No function keeps a pointer after it
 * returned, except in struct gtpu_ext_iter.  Input may have any alignment.
 *
 * Thread-safety: there is no state.  Any thread may call any function at any
 * time.
 *
 * Limits: GTPU_MAX_EXTS extension headers in a chain and GTPU_MAX_IES IEs in
 * a message.  A message with more is refused.  The work of each function is
 * bounded by those limits, whatever the packet says.
 *
 * Attack model: the sender chooses every octet of the input, and how the
 * lengths of a packet relate to each other.  No function reads an octet at or
 * past the stated linear length, or interprets one past the end that the GTP
 * length field states.  No builder writes a message that gtpu_parse() refuses
 * at a peer that comprehends the same extension headers. */

#define GTPU_UDP_PORT 2152      /* Clause 4.4.2. */

#define GTPU_HLEN 8             /* The mandatory header. */
#define GTPU_OPT_LEN 4          /* The optional word. */
#define GTPU_EXT_UNIT 4         /* Unit of an extension header's length. */
#define GTPU_EXT_MAX_LEN (255 * GTPU_EXT_UNIT)

/* Most extension headers in a chain.  TS 29.281 defines nine kinds and sets no
 * limit.  Networks send one or two. */
#define GTPU_MAX_EXTS 8

/* Most octets before the payload. */
#define GTPU_HLEN_MAX (GTPU_HLEN + GTPU_OPT_LEN                         \
                       + GTPU_MAX_EXTS * GTPU_EXT_MAX_LEN)

/* Bits of the first octet (clause 5.1).  The bit of value 0x08 is spare:
 * senders clear it, receivers ignore it. */
#define GTPU_F_VERSION 0xe0
#define GTPU_F_VERSION_1 0x20
#define GTPU_F_PT 0x10          /* Protocol type: GTP, not GTP'. */
#define GTPU_F_SPARE 0x08
#define GTPU_F_E 0x04           /* The next extension type is valid. */
#define GTPU_F_S 0x02           /* The sequence number is valid. */
#define GTPU_F_PN 0x01          /* The N-PDU number is valid. */
#define GTPU_F_OPT (GTPU_F_E | GTPU_F_S | GTPU_F_PN)

/* Message types (clause 6.1). */
enum gtpu_msg_type {
    GTPU_MSG_ECHO_REQUEST = 1,
    GTPU_MSG_ECHO_RESPONSE = 2,
    GTPU_MSG_ERROR_INDICATION = 26,
    GTPU_MSG_EXT_NOTIFICATION = 31, /* Supported Extension Headers
                                     * Notification. */
    GTPU_MSG_TUNNEL_STATUS = 253,
    GTPU_MSG_END_MARKER = 254,
    GTPU_MSG_G_PDU = 255,
};

#endif /* gtpu.h */
