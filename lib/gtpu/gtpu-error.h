/* SPDX-License-Identifier: Apache-2.0 */

#ifndef GTPU_ERROR_H
#define GTPU_ERROR_H 1

/* Why the GTP-U codec refuses a message
 * =====================================
 *
 * GTPU_ERROR(enumerator, name, description) is an error.
 *
 * The counter of an error is "gtpu_drop_<name>".  It comes from the same list,
 * so that each error has one:
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
               "extension header of the wrong length for its type")           \
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
    GTPU_ERROR(IE_LENGTH, ie_length, "IE of the wrong length for its type") \
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

#endif /* gtpu-error.h */
