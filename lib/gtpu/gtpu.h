/* SPDX-License-Identifier: Apache-2.0 */

#ifndef GTPU_H
#define GTPU_H 1

/* GTPv1-U codec
 * =============
 *
 * Parses and builds the GTP-U header, its extension headers, the PDU Session
 * Container and the information elements (IEs) of the signalling messages.
 * Sources: 3GPP TS 29.281 (GTP-U), 3GPP TS 38.415 (the content of the PDU
 * Session Container).  Clause numbers below are those of TS 29.281 unless
 * another document is named.
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
 * The third word is there if any of E, S and PN is set, and each of its
 * fields means something only with its own flag.  Extension headers follow
 * if E is set and the next type is not 0, each naming the type of the next.
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
 * An encapsulator calls gtpu_build_header() once for each tunnel, keeps the
 * octets, and for each packet copies them and calls gtpu_set_length() and
 * perhaps gtpu_set_seq().
 *
 * Byte order: every integer in a struct or an argument here is in host order;
 * every address is an array of octets as it is on the wire.
 *
 * Memory: nothing here allocates, keeps a pointer after it returned (but for
 * struct gtpu_ext_iter, which says so), or uses alignment of its input.
 *
 * Thread-safety: no state; any thread may call any function at any time.
 *
 * Limits: GTPU_MAX_EXTS extension headers in a chain and GTPU_MAX_IES IEs in
 * a message; what has more is refused.  Each function does work in
 * proportion to those limits, not to what the packet asks for.
 *
 * Attack model: every octet of the input, and the two lengths of a packet in
 * relation to each other, are the sender's choice.  No octet at or past the
 * stated linear length is read, none past the end that the GTP length field
 * states is interpreted, and no builder makes what gtpu_parse() refuses from
 * a peer that comprehends the same extension headers. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GTPU_UDP_PORT 2152      /* Clause 4.4.2. */

#define GTPU_HLEN 8             /* The mandatory header. */
#define GTPU_OPT_LEN 4          /* The optional word. */
#define GTPU_EXT_UNIT 4         /* Unit of an extension header's length. */
#define GTPU_EXT_MAX_LEN (255 * GTPU_EXT_UNIT)

/* Most extension headers in a chain.  TS 29.281 defines nine kinds and sets no
 * limit; what networks send has one or two. */
#define GTPU_MAX_EXTS 8

/* Most octets before the payload. */
#define GTPU_HLEN_MAX (GTPU_HLEN + GTPU_OPT_LEN                         \
                       + GTPU_MAX_EXTS * GTPU_EXT_MAX_LEN)

/* Most IEs in a signalling message.  No message has more than three, not
 * counting Private Extensions. */
#define GTPU_MAX_IES 32

/* Most octets that a builder of a signalling message can write. */
#define GTPU_SIGNALLING_MAX_LEN (GTPU_HLEN + GTPU_OPT_LEN + 2 + 255)

/* Bits of the first octet (clause 5.1).  The bit of value 0x08 is spare: sent
 * as 0, ignored when received. */
#define GTPU_F_VERSION 0xe0
#define GTPU_F_VERSION_1 0x20
#define GTPU_F_PT 0x10          /* Protocol type: GTP, not GTP'. */
#define GTPU_F_SPARE 0x08
#define GTPU_F_E 0x04           /* Next extension type means something. */
#define GTPU_F_S 0x02           /* Sequence number means something. */
#define GTPU_F_PN 0x01          /* N-PDU number means something. */
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

/* Extension header types (figure 5.2.1-3).  Long PDCP PDU Number and PDU Set
 * Information each have a value that older senders use and that asks for
 * comprehension. */
enum gtpu_ext_type {
    GTPU_EXT_NONE = 0x00,
    GTPU_EXT_LONG_PDCP = 0x03,
    GTPU_EXT_PDU_SET = 0x04,
    GTPU_EXT_SERVICE_CLASS = 0x20,
    GTPU_EXT_UDP_PORT = 0x40,
    GTPU_EXT_RAN_CONTAINER = 0x81,
    GTPU_EXT_LONG_PDCP_OLD = 0x82,
    GTPU_EXT_XW_RAN_CONTAINER = 0x83,
    GTPU_EXT_NR_RAN_CONTAINER = 0x84,
    GTPU_EXT_PSC = 0x85,        /* PDU Session Container. */
    GTPU_EXT_PDU_SET_OLD = 0x86,
    GTPU_EXT_PDCP = 0xc0,
};

/* What the recipient of an unknown extension header is to do: bits 8 and 7 of
 * its type (figure 5.2.1-2). */
enum gtpu_ext_class {
    GTPU_EXT_CLASS_FORWARD,     /* Ignore; an intermediate node forwards. */
    GTPU_EXT_CLASS_DISCARD,     /* Ignore; an intermediate node removes. */
    GTPU_EXT_CLASS_ENDPOINT,    /* An endpoint must comprehend; an
                                 * intermediate node forwards. */
    GTPU_EXT_CLASS_ALL,         /* Every recipient must comprehend. */
};

/* IE types (clause 8.1).  Below 128 the length is fixed by the type ("TV"),
 * above it follows the type ("TLV"). */
enum gtpu_ie_type {
    GTPU_IE_RECOVERY = 14,
    GTPU_IE_TEID_DATA_I = 16,
    GTPU_IE_PEER_ADDRESS = 133,
    GTPU_IE_EXT_TYPE_LIST = 141,
    GTPU_IE_TUNNEL_STATUS = 230,
    GTPU_IE_RECOVERY_TIME = 231,
    GTPU_IE_PRIVATE = 255,
};

/* Why a packet is refused: GTPU_ERROR(enumerator, name, description).
 *
 * The name makes the counter, "gtpu_drop_<name>", so that each reason has one
 * and the lists cannot drift apart:
 *
 *     #define GTPU_ERROR(ENUM, NAME, DESCRIPTION) \
 *         COVERAGE_DEFINE(gtpu_drop_##NAME);
 *     GTPU_ERRORS
 *     #undef GTPU_ERROR
 */
#define GTPU_ERRORS                                                         \
    GTPU_ERROR(SHORT, short, "shorter than the 8-octet header")             \
    GTPU_ERROR(NOT_LINEAR, not_linear, "headers not contiguous in memory")  \
    GTPU_ERROR(VERSION, version, "version is not 1")                        \
    GTPU_ERROR(PT, pt, "protocol type is GTP', not GTP")                    \
    GTPU_ERROR(LENGTH, length, "length field exceeds the packet")           \
    GTPU_ERROR(OPT_TRUNC, opt_trunc, "no room for the optional word")       \
    GTPU_ERROR(EXT_ZERO, ext_zero, "extension header of length 0")          \
    GTPU_ERROR(EXT_TRUNC, ext_trunc, "extension header exceeds the message") \
    GTPU_ERROR(EXT_COUNT, ext_count, "too many extension headers")          \
    GTPU_ERROR(EXT_LENGTH, ext_length,                                      \
               "extension header has not the length of its type")           \
    GTPU_ERROR(EXT_REQUIRED, ext_required,                                  \
               "unknown extension header requires comprehension")           \
    GTPU_ERROR(PSC_TYPE, psc_type,                                          \
               "PDU Session Container of unknown PDU type")                 \
    GTPU_ERROR(PSC_TRUNC, psc_trunc,                                        \
               "PDU Session Container shorter than its flags say")          \
    GTPU_ERROR(PSC_DUP, psc_dup, "more than one PDU Session Container")     \
    GTPU_ERROR(MSG_TYPE, msg_type, "not a signalling message of GTP-U")     \
    GTPU_ERROR(IE_TRUNC, ie_trunc, "IE exceeds the message")                \
    GTPU_ERROR(IE_UNKNOWN_TV, ie_unknown_tv,                                \
               "unknown IE whose length cannot be known")                   \
    GTPU_ERROR(IE_LENGTH, ie_length, "IE has not the length of its type")   \
    GTPU_ERROR(IE_COUNT, ie_count, "too many IEs")                          \
    GTPU_ERROR(IE_MISSING, ie_missing, "mandatory IE missing")              \
    GTPU_ERROR(INNER_EMPTY, inner_empty, "no inner packet")                 \
    GTPU_ERROR(INNER_VERSION, inner_version,                                \
               "inner packet is neither IPv4 nor IPv6")                     \
    GTPU_ERROR(INNER_TRUNC, inner_trunc,                                    \
               "inner packet shorter than its IP header")                   \
    GTPU_ERROR(INNER_LENGTH, inner_length,                                  \
               "inner IP length field inconsistent or exceeds the payload")

enum gtpu_error {
    GTPU_OK = 0,
#define GTPU_ERROR(ENUM, NAME, DESCRIPTION) GTPU_ERR_##ENUM,
    GTPU_ERRORS
#undef GTPU_ERROR
    GTPU_N_ERRORS               /* Number of errors plus one. */
};

/* Names, all static strings.  Each function takes any value of its argument.
 *
 * gtpu_error_name() returns "ok" for GTPU_OK, the name in GTPU_ERRORS for an
 * error and "unknown" for anything else; gtpu_error_description() likewise a
 * phrase for people.  gtpu_msg_name() and gtpu_ext_name() return a null
 * pointer for a type that TS 29.281 does not define for GTP-U. */
const char *gtpu_error_name(enum gtpu_error);
const char *gtpu_error_description(enum gtpu_error);
const char *gtpu_msg_name(uint8_t msg_type);
const char *gtpu_ext_name(uint8_t ext_type);

/* A set of extension header types. */
struct gtpu_ext_set {
    uint64_t bits[4];           /* Bit 'type % 64' of word 'type / 64'. */
};

static inline void
gtpu_ext_set_add(struct gtpu_ext_set *set, uint8_t type)
{
    set->bits[type / 64] |= UINT64_C(1) << (type % 64);
}

static inline bool
gtpu_ext_set_contains(const struct gtpu_ext_set *set, uint8_t type)
{
    return set->bits[type / 64] >> (type % 64) & 1;
}

static inline enum gtpu_ext_class
gtpu_ext_class(uint8_t type)
{
    return (enum gtpu_ext_class) (type >> 6);
}

/* The types that this codec itself decodes: UDP Port and PDU Session
 * Container. */
extern const struct gtpu_ext_set gtpu_ext_set_default;

#define GTPU_QFI_MAX 63         /* QFI has 6 bits. */

/* PDU type of a PDU Session Container (TS 38.415 clause 5.5.3.1). */
enum gtpu_psc_type {
    GTPU_PSC_DL = 0,            /* Downlink: to the UE. */
    GTPU_PSC_UL = 1,            /* Uplink: from the UE. */
};

/* Fields of a PDU Session Container past those in struct gtpu_psc that a
 * received one announces.  0x0f is the low nibble of its first octet, where
 * bits mean different things by direction; 0xc0 is from the second octet. */
#define GTPU_PSC_F_QMP 0x08         /* QoS monitoring time stamps. */
#define GTPU_PSC_F_DL_SNP 0x04      /* DL: QFI sequence number. */
#define GTPU_PSC_F_DL_MSNP 0x02     /* DL: MBS QFI sequence number. */
#define GTPU_PSC_F_UL_DL_DELAY 0x04 /* UL: downlink delay result. */
#define GTPU_PSC_F_UL_UL_DELAY 0x02 /* UL: uplink delay result. */
#define GTPU_PSC_F_UL_SNP 0x01      /* UL: QFI sequence number. */
#define GTPU_PSC_F_UL_N3N9 0x80     /* UL: N3/N9 delay result. */
#define GTPU_PSC_F_UL_NEW_IE 0x40   /* UL: octet of "new IE" flags. */

/* A PDU Session Container (TS 38.415 clause 5.5.2). */
struct gtpu_psc {
    uint8_t pdu_type;           /* GTPU_PSC_DL or GTPU_PSC_UL. */
    uint8_t qfi;                /* QoS flow identifier, 0 to 63. */
    bool rqi;                   /* Reflective QoS indicator; false if UL. */
    bool has_ppi;               /* 'ppi' is present (PPP); false if UL. */
    uint8_t ppi;                /* Paging policy indicator, 0 to 7. */
    uint8_t flags;              /* GTPU_PSC_F_*, as received. */
};

/* An extension header without its length and its next type. */
struct gtpu_ext {
    uint8_t type;               /* Not GTPU_EXT_NONE. */
    uint16_t len;               /* Octets in 'content', 4n - 2, n >= 1. */
    const uint8_t *content;
};

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
                                 * is not known, GTPU_EXT_NONE if none. */
    bool has_seq;               /* S was set. */
    bool has_npdu;              /* PN was set. */
    bool has_psc;               /* 'psc' was in the chain, at any place. */
    struct gtpu_psc psc;        /* All zeros if not 'has_psc'. */
    size_t trailing_len;        /* Octets of the packet after the payload. */
};

/* Parses the GTP-U header at 'data', the payload of a UDP datagram.
 *
 * 'linear_len' is the number of octets that can be read at 'data',
 * 'total_len' the number that the whole datagram has, of which the rest may
 * lie elsewhere (in further segments of an mbuf).  If 'linear_len' is the
 * greater one then it counts as 'total_len'.  'data' may be null if
 * 'linear_len' is 0.
 *
 * 'known' is the set of extension header types that the caller comprehends,
 * a null pointer for gtpu_ext_set_default.  A node that only forwards between
 * tunnels would add what it passes on, for example the PDCP PDU number.
 *
 * Returns GTPU_OK and fills in '*h', or returns the first of these errors
 * from the front of the packet to its back:
 *
 *   - GTPU_ERR_SHORT, GTPU_ERR_VERSION, GTPU_ERR_PT.
 *
 *   - GTPU_ERR_LENGTH: the length field says more than 'total_len' has.  If
 *     it says less, the packet is valid: what follows is not payload and is
 *     counted in 'trailing_len'.
 *
 *   - GTPU_ERR_OPT_TRUNC, GTPU_ERR_EXT_ZERO, GTPU_ERR_EXT_TRUNC,
 *     GTPU_ERR_EXT_COUNT: measured by the length field, so that trailing
 *     octets never complete a header.
 *
 *   - GTPU_ERR_PSC_TYPE, GTPU_ERR_PSC_TRUNC, GTPU_ERR_PSC_DUP.
 *
 *   - GTPU_ERR_NOT_LINEAR: so far no error, but a header goes on past
 *     'linear_len'.  The caller makes at least GTPU_HLEN_MAX octets, or all,
 *     contiguous and calls again.
 *
 *   - GTPU_ERR_EXT_REQUIRED, only if there is no other error: 'unknown_ext'
 *     is to be comprehended (its bit 8 is set) and is not known.  '*h' is
 *     filled in as with GTPU_OK.  An endpoint discards the packet and answers
 *     a G-PDU with gtpu_build_ext_notification(); an intermediate node may go
 *     on if no type of the chain is in GTPU_EXT_CLASS_ALL (clause 5.2.1).
 *
 * With any other error, 'flags', 'msg_type', 'length' and 'teid' have what
 * the packet says or 0, good for a log, and the rest means nothing.
 *
 * Not checked here, because valid for one caller and not for another: the
 * message type, whether the TEID is 0, and whether S is set or clear as
 * clause 5.1 asks for each message.
 *
 * Ignored as the standard says: the spare bit, the next type without E (with
 * E it may be 0), the sequence number without S, the N-PDU number without
 * PN. */
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
 * 'data' must be as it was then and must outlive the walk; for the rest of
 * the walk 'h' is not needed.  If the octets have changed, the walk may end
 * early or show other headers, but does not leave the 'h->hdr_len' octets. */
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
 * GTPU_ERR_PSC_TRUNC if there is no room for a field that a flag announces.
 * With an error '*psc' is all zeros.
 *
 * The fields past the PPI are measured but not decoded, and those that came
 * after Release 16 (GTPU_PSC_F_DL_MSNP, what follows GTPU_PSC_F_UL_NEW_IE)
 * are not measured: nothing behind them is read.  To forward a container
 * with all it has, copy it with gtpu_ext_iter_next(). */
enum gtpu_error gtpu_psc_parse(const uint8_t *content, size_t len,
                               struct gtpu_psc *psc);

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
                                 * the G-PDU that an Error Indication is
                                 * about. */
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
    uint8_t n_skipped;          /* Of these, unknown or repeated ones. */
};

/* Parses the IEs of the signalling message at 'data', whose header
 * gtpu_parse() has put into 'h' (clauses 7.2, 7.3 and 8).  'linear_len' is as
 * in gtpu_parse(), with the same 'data'.
 *
 * IEs may be in any order.  Of an IE that is repeated the first counts.
 * Unknown IEs of the TLV format are skipped.  IEs that are known but have no
 * business in this message are decoded, too.
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
 *   - GTPU_ERR_IE_UNKNOWN_TV: a type below 128 that clause 8.1 does not list;
 *     nothing tells where the next IE begins.
 *
 *   - GTPU_ERR_IE_MISSING: there is no other error, but a mandatory IE is not
 *     there.  '*ies' is filled in, so that a caller may be lenient (some
 *     peers answer an Echo without Recovery).
 *
 * With any other error '*ies' means nothing. */
enum gtpu_error gtpu_parse_ies(const uint8_t *data, size_t linear_len,
                               const struct gtpu_header *h,
                               struct gtpu_ies *ies);

/* What the payload of a G-PDU is on a port that carries layer 3. */
enum gtpu_inner {
    GTPU_INNER_NONE,
    GTPU_INNER_IPV4,
    GTPU_INNER_IPV6,
};

/* Finds out which kind of IP packet the 'payload_len' octets at 'payload'
 * are, of which at least 'linear_len' can be read, and stores it in '*inner'.
 * 'linear_len' may be greater than 'payload_len'.
 *
 * Returns GTPU_OK, or with '*inner' set to GTPU_INNER_NONE:
 *
 *   - GTPU_ERR_INNER_EMPTY: 'payload_len' is 0.  (A G-PDU with a RAN
 *     Container may have no payload, clause 5.2.2.4: it is not for this
 *     function.)
 *
 *   - GTPU_ERR_INNER_VERSION: the first nibble is neither 4 nor 6.
 *
 *   - GTPU_ERR_INNER_TRUNC: shorter than the IP header, with IPv4 options.
 *
 *   - GTPU_ERR_INNER_LENGTH: an IPv4 header length below 20 or a total length
 *     below the header length; or an IPv4 total length or IPv6 payload length
 *     that exceeds 'payload_len'.  Octets after the inner packet's own end
 *     are allowed.
 *
 *   - GTPU_ERR_NOT_LINEAR: the 4 (IPv4) or 6 (IPv6) octets that are looked at
 *     are not within 'linear_len'. */
enum gtpu_error gtpu_inner_type(const uint8_t *payload, size_t linear_len,
                                size_t payload_len, enum gtpu_inner *inner);

/* What to build.  All zeros but 'msg_type' and 'teid' gives the plain 8-octet
 * header. */
struct gtpu_hdr_spec {
    uint32_t teid;
    uint8_t msg_type;
    uint8_t npdu;
    uint16_t seq;
    bool has_seq;               /* Set S and write 'seq'. */
    bool has_npdu;              /* Set PN and write 'npdu'. */
    const struct gtpu_psc *psc; /* First extension header, null for none. */
    const struct gtpu_ext *exts; /* Those after it, written as they are. */
    size_t n_exts;
};

/* Writes the header of a message with 'payload_len' octets of payload to the
 * 'size' octets at 'buf', in the order of clause 5.2.2.7: PDU Session
 * Container first.  E is set if there is an extension header.
 *
 * Returns the number of octets written, a multiple of 4 from GTPU_HLEN to
 * GTPU_HLEN_MAX, or a negative errno value with 'buf' left as it was:
 *
 *   - -EINVAL: an extension header of type 0 or with a 'len' that is not
 *     4n - 2 or exceeds GTPU_EXT_MAX_LEN - 2; more than GTPU_MAX_EXTS
 *     extension headers; more than one PDU Session Container, or one that
 *     gtpu_psc_build() or gtpu_psc_parse() would refuse; a UDP Port that is
 *     not 4 octets.
 *
 *   - -EMSGSIZE: the length field cannot hold header and payload, at most
 *     65535 octets after the first 8.
 *
 *   - -ENOBUFS: 'size' is too small.
 *
 * The message type is not judged, nor is S.  The caller sets 'has_seq' for
 * messages 1, 2, 26 and 31, and not for an End Marker (clause 5.1). */
int gtpu_build_header(uint8_t *buf, size_t size,
                      const struct gtpu_hdr_spec *spec, size_t payload_len);

/* Returns the number of octets that gtpu_build_header() would write for
 * 'spec' into a buffer that is large enough, or -EINVAL. */
int gtpu_header_len(const struct gtpu_hdr_spec *spec);

/* Sets the length field in the header of 'hdr_len' octets at 'hdr', which
 * gtpu_build_header() made, for 'payload_len' octets of payload.  Returns 0,
 * or -EMSGSIZE, with the field left as it was, if the sum does not fit. */
int gtpu_set_length(uint8_t *hdr, size_t hdr_len, size_t payload_len);

/* Sets the sequence number in the header at 'hdr', which gtpu_build_header()
 * made.  Does nothing if the header has no S flag. */
void gtpu_set_seq(uint8_t *hdr, uint16_t seq);

/* A PDU Session Container as a tunnel option
 * ------------------------------------------
 *
 * A switch that knows the options of Geneve (class, type, value) but no
 * extension headers of GTP-U can match and set a PDU Session Container as the
 * option of class GTPU_TLV_CLASS and type GTPU_TLV_PSC.  The class is from the
 * range for experiments (RFC 8926 section 7), named after TS 29.281; the type
 * is GTPU_EXT_PSC without the bit that means "critical" there.
 *
 *      0                   1                   2                   3
 *     +---------------+---------------+---------------+---------------+
 *     | PDU type      | QFI           | RQI           |P|  0    | PPI |
 *     +---------------+---------------+---------------+---------------+
 *
 * Each field has an octet of its own, so that a mask of whole octets selects
 * it.  P is set if there is a PPI; without it the octet is 0. */
#define GTPU_TLV_CLASS 0xff29
#define GTPU_TLV_PSC 0x05
#define GTPU_TLV_PSC_LEN 4

/* Stores 'psc', as gtpu_parse() found it, in 'value'.  Fields that struct
 * gtpu_psc has only flags of do not survive. */
void gtpu_psc_to_tlv(const struct gtpu_psc *psc,
                     uint8_t value[GTPU_TLV_PSC_LEN]);

/* Stores in '*psc' what 'value' says: what gtpu_psc_build() accepts.  An
 * uplink container has neither RQI nor PPI: those octets are ignored, so that
 * a relay can turn a downlink container round by its PDU type alone.
 *
 * Returns 0, or -EINVAL, with '*psc' all zeros, if a value does not fit its
 * field. */
int gtpu_psc_from_tlv(const uint8_t value[GTPU_TLV_PSC_LEN],
                      struct gtpu_psc *psc);

/* Writes the content of a PDU Session Container to the 'size' octets at
 * 'buf': 2 octets, or 6 with a PPI, padding included.
 *
 * Returns the number of octets, -ENOBUFS if 'size' is too small, or -EINVAL:
 * a PDU type other than DL and UL, a QFI above 63, a PPI above 7, RQI or PPI
 * in the uplink, or any 'flags', since the fields that they announce have no
 * place in struct gtpu_psc. */
int gtpu_psc_build(uint8_t *buf, size_t size, const struct gtpu_psc *psc);

/* Builders of whole signalling messages.  Each writes to the 'size' octets at
 * 'buf' and returns the number of octets, at most GTPU_SIGNALLING_MAX_LEN, or
 * a negative errno value with 'buf' left as it was: -ENOBUFS if 'size' is too
 * small, and what is said below.
 *
 * All but the End Marker have S set, sequence number 'seq' and TEID 0
 * (clause 5.1). */

/* Echo Request (clause 7.2.1). */
int gtpu_build_echo_request(uint8_t *buf, size_t size, uint16_t seq);

/* Echo Response (clause 7.2.2), with Recovery 0.  'seq' is that of the
 * request. */
int gtpu_build_echo_response(uint8_t *buf, size_t size, uint16_t seq);

/* What an Error Indication says about the G-PDU that caused it. */
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
 * Session Container to include, a null pointer for none.  Also fails with
 * -EINVAL if gtpu_psc_build() does. */
int gtpu_build_end_marker(uint8_t *buf, size_t size, uint32_t teid,
                          const struct gtpu_psc *psc);

#ifdef __cplusplus
}
#endif

#endif /* gtpu.h */
