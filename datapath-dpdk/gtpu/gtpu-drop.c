/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-dpdk/gtpu/gtpu-drop.h"

#include "coverage.h"
#include "util.h"

/* The codec's errors have the same form as the other reasons. */
#define GTPU_ERROR GTPU_DROP

#define GTPU_DROP(ENUM, NAME, DESCRIPTION) \
    COVERAGE_DEFINE(gtpu_drop_##NAME);
GTPU_ERRORS
GTPU_DROPS
#undef GTPU_DROP

void
gtpu_drop_count(enum gtpu_drop drop)
{
    switch (drop) {
#define GTPU_DROP(ENUM, NAME, DESCRIPTION) \
    case GTPU_DROP_##ENUM: COVERAGE_INC(gtpu_drop_##NAME); break;
    GTPU_ERRORS
    GTPU_DROPS
#undef GTPU_DROP
    case GTPU_DROP_NONE:
    case GTPU_TAKEN:
        break;
    }
}

unsigned long long int
gtpu_drop_read(enum gtpu_drop drop)
{
    switch (drop) {
#define GTPU_DROP(ENUM, NAME, DESCRIPTION) \
    case GTPU_DROP_##ENUM: return counter_gtpu_drop_##NAME.total;
    GTPU_ERRORS
    GTPU_DROPS
#undef GTPU_DROP
    case GTPU_DROP_NONE:
    case GTPU_TAKEN:
        break;
    }
    return 0;
}

enum gtpu_drop_kind
gtpu_drop_kind(enum gtpu_drop drop)
{
    switch ((unsigned int) drop) {
    case GTPU_DROP_TOO_BIG:
    case GTPU_DROP_NOT_IP:
    case GTPU_DROP_NOT_SENT:
    case GTPU_DROP_ERROR_LIMIT:
    case GTPU_DROP_NO_ERROR:
    case GTPU_DROP_RELAYED:
        return GTPU_TX_DROPPED;
    case GTPU_DROP_NOT_LINEAR:
    case GTPU_DROP_EXT_REQUIRED:
    case GTPU_DROP_FRAGMENT:
    case GTPU_DROP_ECHO_OFF:
    case GTPU_DROP_ECHO_LIMIT:
    case GTPU_DROP_NO_ANSWER:
    case GTPU_DROP_NO_ROUTE:
        return GTPU_RX_DROPPED;
    default:
        return GTPU_RX_ERROR;
    }
}

const char *
gtpu_drop_name(enum gtpu_drop drop)
{
    switch (drop) {
#define GTPU_DROP(ENUM, NAME, DESCRIPTION) \
    case GTPU_DROP_##ENUM: return #NAME;
    GTPU_ERRORS
    GTPU_DROPS
#undef GTPU_DROP
    case GTPU_DROP_NONE: return "ok";
    case GTPU_TAKEN: break;
    }
    return "unknown";
}

const char *
gtpu_drop_description(enum gtpu_drop drop)
{
    switch (drop) {
#define GTPU_DROP(ENUM, NAME, DESCRIPTION) \
    case GTPU_DROP_##ENUM: return DESCRIPTION;
    GTPU_ERRORS
    GTPU_DROPS
#undef GTPU_DROP
    case GTPU_DROP_NONE: return "not dropped";
    case GTPU_TAKEN: break;
    }
    return "unknown reason";
}
