/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-ext/lb/lb-fields.h"

#include <string.h>

#include "bitmap.h"
#include "flow.h"
#include "openvswitch/meta-flow.h"
#include "util.h"

/* Returns true if the data path can tell the value of 'mf' from a packet and
 * its metadata. */
static bool
field_is_in_packet(const struct mf_field *mf)
{
    switch (mf->id) {
    case MFF_DP_HASH:
    case MFF_RECIRC_ID:
    case MFF_CONJ_ID:
    case MFF_METADATA:
    case MFF_IN_PORT:
    case MFF_IN_PORT_OXM:
    case MFF_ACTSET_OUTPUT:
    CASE_MFF_REGS:
    CASE_MFF_XREGS:
    CASE_MFF_XXREGS:
    CASE_MFF_TUN_METADATA:
        return false;
    default:
        return true;
    }
}

/* Appends to the '*n' 'words' those that make up the bits 'mask' of field
 * 'mf'.  Returns false if there are too many. */
static bool
append_field(const struct mf_field *mf, const union mf_value *mask,
             struct lb_hash_word *words, size_t *n)
{
    struct flow_wildcards wc;
    const uint64_t *masks = (const uint64_t *) &wc.masks;

    memset(&wc, 0, sizeof wc);
    mf_mask_field_masked(mf, mask, &wc);
    for (size_t i = 0; i < FLOW_U64S; i++) {
        if (masks[i]) {
            if (*n >= LB_TABLE_MAX_WORDS) {
                return false;
            }
            words[(*n)++] = (struct lb_hash_word) { .mask = masks[i],
                                                    .index = i,
                                                    .field = mf->id };
        }
    }
    return true;
}

/* Stores in 'words' the words of "struct flow" that make up 'fields', with the
 * masks that 'fields' gives them, and their number, 0 if there are no fields,
 * in '*n_words'.
 *
 * Returns null, or the name, which the caller must not free, of the first
 * field that cannot be hashed or is one too many. */
const char *
lb_fields_to_words(const struct field_array *fields,
                   struct lb_hash_word words[LB_TABLE_MAX_WORDS],
                   size_t *n_words)
{
    const uint8_t *mask_value = fields->values;
    size_t id;

    *n_words = 0;
    BITMAP_FOR_EACH_1 (id, MFF_N_IDS, fields->used.bm) {
        const struct mf_field *mf = mf_from_id(id);
        union mf_value mask;

        memset(&mask, 0, sizeof mask);
        memcpy(&mask, mask_value, mf->n_bytes);
        mask_value += mf->n_bytes;
        if (!field_is_in_packet(mf)
            || !append_field(mf, &mask, words, n_words)) {
            return mf->name;
        }
    }
    return NULL;
}
