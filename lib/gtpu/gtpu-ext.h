/* SPDX-License-Identifier: Apache-2.0 */

#ifndef GTPU_EXT_H
#define GTPU_EXT_H 1

/* Extension headers of GTP-U
 * ==========================
 *
 * Their types (TS 29.281 clause 5.2) and the PDU Session Container (TS 38.415
 * clause 5.5). */

#include <stdbool.h>
#include <stdint.h>

/* Extension header types (figure 5.2.1-3).  Long PDCP PDU Number and PDU Set
 * Information each have a second value, of older senders, that requires
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

/* What a recipient does with an unknown extension header: bits 8 and 7 of its
 * type (figure 5.2.1-2). */
enum gtpu_ext_class {
    GTPU_EXT_CLASS_FORWARD,     /* Ignore; an intermediate node forwards. */
    GTPU_EXT_CLASS_DISCARD,     /* Ignore; an intermediate node removes. */
    GTPU_EXT_CLASS_ENDPOINT,    /* An endpoint must comprehend; an
                                 * intermediate node forwards. */
    GTPU_EXT_CLASS_ALL,         /* Every recipient must comprehend. */
};

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

#define GTPU_QFI_MAX 63         /* QFI has 6 bits. */

/* PDU type of a PDU Session Container (TS 38.415 clause 5.5.3.1). */
enum gtpu_psc_type {
    GTPU_PSC_DL = 0,            /* Downlink: to the UE. */
    GTPU_PSC_UL = 1,            /* Uplink: from the UE. */
};

/* Further fields that a received PDU Session Container announces.  struct
 * gtpu_psc does not have their values.  Bits 0x0f are the low nibble of the
 * first octet, whose meaning depends on the direction.  Bits 0xc0 are from the
 * second octet. */
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

#endif /* gtpu-ext.h */
