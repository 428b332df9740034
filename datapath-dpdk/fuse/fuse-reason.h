/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FUSE_REASON_H
#define FUSE_REASON_H 1

/* Why the fused flow cache does not learn a flow
 * ============================================== */

#include <stdbool.h>

#include "lib/fuse/fuse-program.h"

/* Why a flow is not learned, besides lib/'s reasons: FUSE_REASON(NAME,
 * transient, text).  A transient reason may be gone for the next packet. */
#define FUSE_REASONS                                                        \
    FUSE_REASON(UPCALL, true, "upcall")                                     \
    FUSE_REASON(FLOW_GONE, true, "a flow on the way is being deleted")      \
    FUSE_REASON(TCP_FLAGS, false, "a flow matches TCP flags")               \
    FUSE_REASON(ACTION, false, "action that the cache does not know")       \
    FUSE_REASON(METER, false, "meter before ct, group or recirculation")    \
    FUSE_REASON(METERS, false, "too many meters")                           \
    FUSE_REASON(OUTPUTS, false, "more than one output")                     \
    FUSE_REASON(INCOMPLETE, true, "the packet did not come to its end")     \
    FUSE_REASON(TOO_LONG, false, "too many flows on the way")               \
    FUSE_REASON(PACKET_TYPE, false, "no Ethernet packet goes out")          \
    FUSE_REASON(OFFLOAD, false, "offload flags")                            \
    FUSE_REASON(TUNNEL_PORT, true, "new tunnel port")                       \
    FUSE_REASON(PADDING, true, "padding goes into the tunnel")              \
    FUSE_REASON(TUNNEL_KIND, false, "tunnel of another kind")               \
    FUSE_REASON(CT_ACTION, false, "ct action that the cache does not know") \
    FUSE_REASON(CT_STATE, true, "connection not established")               \
    FUSE_REASON(CT_ALG, false, "connection with a helper")                  \
    FUSE_REASON(CT_CHANGED, true, "ct_mark or ct_label changed")            \
    FUSE_REASON(CT_BUSY, true, "connection has too many entries")           \
    FUSE_REASON(CT_TCP, true, "connections differ in direction or scale")   \
    FUSE_REASON(LB_FIELDS, false, "group hashes what is not in the key")    \
    FUSE_REASON(OWNERS, false, "too many connections and sticky groups")    \
    FUSE_REASON(CHAINS, false, "too many chains")                           \
    FUSE_REASON(FULL, true, "no room for an entry")

enum fuse_reason {
    FUSE_LEARNED,
#define FUSE_REASON(NAME, TRANSIENT, TEXT) FUSE_REASON_##NAME,
    FUSE_REASONS
#undef FUSE_REASON
    FUSE_N_REASONS
};

/* Return the text that commands show.  It is static. */
const char *fuse_reason_text(enum fuse_reason);
const char *fuse_refusal_text(enum fuse_refusal);

/* Returns true if the reason may be gone for the next packet. */
bool fuse_reason_is_transient(enum fuse_reason);

#endif /* fuse-reason.h */
