/* SPDX-License-Identifier: Apache-2.0 */

/* Why the fused flow cache does not learn a flow, as text
 * ======================================================= */

#include <config.h>
#include "datapath-dpdk/fuse/fuse-reason.h"

static const char *const reason_texts[FUSE_N_REASONS] = {
    "learned",
#define FUSE_REASON(NAME, TRANSIENT, TEXT) TEXT,
    FUSE_REASONS
#undef FUSE_REASON
};

static const bool transient[FUSE_N_REASONS] = {
    true,
#define FUSE_REASON(NAME, TRANSIENT, TEXT) TRANSIENT,
    FUSE_REASONS
#undef FUSE_REASON
};

static const char *const refusal_texts[FUSE_N_REFUSALS] = {
    "composed",
#define FUSE_REFUSAL(NAME, TEXT) TEXT,
    FUSE_REFUSALS
#undef FUSE_REFUSAL
};

const char *
fuse_reason_text(enum fuse_reason reason)
{
    return reason_texts[reason];
}

bool
fuse_reason_is_transient(enum fuse_reason reason)
{
    return transient[reason];
}

const char *
fuse_refusal_text(enum fuse_refusal refusal)
{
    return refusal_texts[refusal];
}
