/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-ext/lb-fields.h"

#include <string.h>

#include "bitmap.h"
#include "flow.h"
#include "openvswitch/meta-flow.h"
#include "openvswitch/vlog.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(lb_fields);

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

/* Stores in '*wordsp' the words of "struct flow" that make up 'fields', with
 * the masks that 'fields' gives them, and their number in '*n_wordsp'.  The
 * caller frees '*wordsp', which is null if there are none.
 *
 * Returns 0, or OFPERR_OFPBPC_BAD_VALUE if a field cannot be hashed. */
enum ofperr
lb_fields_to_words(const struct field_array *fields,
                   struct lb_hash_word **wordsp, size_t *n_wordsp)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);
    const uint8_t *mask_value = fields->values;
    struct flow_wildcards wc;
    size_t id;

    *wordsp = NULL;
    *n_wordsp = 0;
    if (!fields->values_size) {
        return 0;
    }

    memset(&wc, 0, sizeof wc);
    BITMAP_FOR_EACH_1 (id, MFF_N_IDS, fields->used.bm) {
        const struct mf_field *mf = mf_from_id(id);
        union mf_value mask;

        if (!field_is_in_packet(mf)) {
            VLOG_INFO_RL(&rl, "selection method maglev cannot hash field %s",
                         mf->name);
            return OFPERR_OFPBPC_BAD_VALUE;
        }
        memset(&mask, 0, sizeof mask);
        memcpy(&mask, mask_value, mf->n_bytes);
        mask_value += mf->n_bytes;
        mf_mask_field_masked(mf, &mask, &wc);
    }

    const uint64_t *masks = (const uint64_t *) &wc.masks;
    struct lb_hash_word *words = xcalloc(FLOW_U64S, sizeof *words);
    size_t n = 0;

    for (size_t i = 0; i < FLOW_U64S; i++) {
        if (masks[i]) {
            words[n++] = (struct lb_hash_word) { .mask = masks[i],
                                                 .index = i };
        }
    }
    *wordsp = words;
    *n_wordsp = n;
    return 0;
}
