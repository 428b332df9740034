/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/gtpu/gtpu-tlv.h"

#include <errno.h>
#include <string.h>

#include "lib/gtpu/gtpu-ext.h"

#define TLV_PPI_PRESENT 0x80

void
gtpu_psc_to_tlv(const struct gtpu_psc *psc, uint8_t value[GTPU_TLV_PSC_LEN])
{
    value[0] = psc->pdu_type;
    value[1] = psc->qfi;
    value[2] = psc->rqi;
    value[3] = psc->has_ppi ? TLV_PPI_PRESENT | psc->ppi : 0;
}

int
gtpu_psc_from_tlv(const uint8_t value[GTPU_TLV_PSC_LEN], struct gtpu_psc *psc)
{
    memset(psc, 0, sizeof *psc);
    if (value[0] > GTPU_PSC_UL || value[1] > GTPU_QFI_MAX) {
        return -EINVAL;
    }

    psc->pdu_type = value[0];
    psc->qfi = value[1];
    if (psc->pdu_type == GTPU_PSC_DL) {
        if (value[2] > 1
            || (value[3] && (value[3] & ~7) != TLV_PPI_PRESENT)) {
            return -EINVAL;
        }
        psc->rqi = value[2];
        psc->has_ppi = value[3] != 0;
        psc->ppi = value[3] & 7;
    }
    return 0;
}
