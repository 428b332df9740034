/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-dpdk/gtpu/gtpu-vport.h"

#include "coverage.h"
#include "util.h"

#define GTPU_ERROR(ENUM, NAME, DESCRIPTION) \
    COVERAGE_DEFINE(gtpu_drop_##NAME);
#define GTPU_DROP GTPU_ERROR
GTPU_ERRORS
GTPU_DROPS
#undef GTPU_ERROR

void
gtpu_drop_count(enum gtpu_drop drop)
{
    switch ((unsigned int) drop) {
#define GTPU_ERROR(ENUM, NAME, DESCRIPTION) \
    case GTPU_ERR_##ENUM: COVERAGE_INC(gtpu_drop_##NAME); break;
    GTPU_ERRORS
#undef GTPU_ERROR
#undef GTPU_DROP
#define GTPU_DROP(ENUM, NAME, DESCRIPTION) \
    case GTPU_DROP_##ENUM: COVERAGE_INC(gtpu_drop_##NAME); break;
    GTPU_DROPS
#undef GTPU_DROP
    }
}

unsigned long long int
gtpu_drop_read(enum gtpu_drop drop)
{
    switch ((unsigned int) drop) {
#define GTPU_ERROR(ENUM, NAME, DESCRIPTION) \
    case GTPU_ERR_##ENUM: return counter_gtpu_drop_##NAME.total;
    GTPU_ERRORS
#undef GTPU_ERROR
#undef GTPU_DROP
#define GTPU_DROP(ENUM, NAME, DESCRIPTION) \
    case GTPU_DROP_##ENUM: return counter_gtpu_drop_##NAME.total;
    GTPU_DROPS
#undef GTPU_DROP
    }
    return 0;
}

enum gtpu_drop_kind
gtpu_drop_kind(enum gtpu_drop drop)
{
    switch ((unsigned int) drop) {
    case GTPU_DROP_TOO_BIG:
    case GTPU_DROP_NOT_IP:
    case GTPU_DROP_ERROR_LIMIT:
    case GTPU_DROP_NO_ERROR:
    case GTPU_DROP_RELAYED:
        return GTPU_TX_DROPPED;
    case GTPU_ERR_NOT_LINEAR:
    case GTPU_ERR_EXT_REQUIRED:
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
    switch ((unsigned int) drop) {
#define GTPU_DROP(ENUM, NAME, DESCRIPTION) \
    case GTPU_DROP_##ENUM: return #NAME;
    GTPU_DROPS
#undef GTPU_DROP
    default: return gtpu_error_name((enum gtpu_error) drop);
    }
}

const char *
gtpu_drop_description(enum gtpu_drop drop)
{
    switch ((unsigned int) drop) {
#define GTPU_DROP(ENUM, NAME, DESCRIPTION) \
    case GTPU_DROP_##ENUM: return DESCRIPTION;
    GTPU_DROPS
#undef GTPU_DROP
    default: return gtpu_error_description((enum gtpu_error) drop);
    }
}
