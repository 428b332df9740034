/* SPDX-License-Identifier: Apache-2.0 */

#ifndef GTPU_TLV_H
#define GTPU_TLV_H 1

/* A PDU Session Container as a tunnel option
 * ==========================================
 *
 * A switch that knows the options of Geneve (class, type, value) but no
 * extension headers of GTP-U can match and set a PDU Session Container as the
 * option of class GTPU_TLV_CLASS and type GTPU_TLV_PSC.  The class is from the
 * range for experiments (RFC 8926 section 7), named after TS 29.281.  The type
 * is GTPU_EXT_PSC without the bit that means "critical" in Geneve.
 *
 *      0                   1                   2                   3
 *     +---------------+---------------+---------------+---------------+
 *     | PDU type      | QFI           | RQI           |P|  0    | PPI |
 *     +---------------+---------------+---------------+---------------+
 *
 * Each field has an octet of its own, so that a mask of whole octets selects
 * it.  P is set if there is a PPI.  Without a PPI the octet is 0. */

#include <stdint.h>

struct gtpu_psc;

#define GTPU_TLV_CLASS 0xff29
#define GTPU_TLV_PSC 0x05
#define GTPU_TLV_PSC_LEN 4

/* Stores 'psc', as gtpu_parse() found it, in 'value'.  The fields that
 * 'psc->flags' announces are lost. */
void gtpu_psc_to_tlv(const struct gtpu_psc *psc,
                     uint8_t value[GTPU_TLV_PSC_LEN]);

/* Stores in '*psc' the container that 'value' describes, which
 * gtpu_psc_build() accepts.  The octets of RQI and PPI are ignored for an
 * uplink container, which has neither.  So a relay turns a downlink container
 * round by its PDU type alone.
 *
 * Returns 0, or -EINVAL, with '*psc' all zeros, if a value does not fit its
 * field. */
int gtpu_psc_from_tlv(const uint8_t value[GTPU_TLV_PSC_LEN],
                      struct gtpu_psc *psc);

#endif /* gtpu-tlv.h */
