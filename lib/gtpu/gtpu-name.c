/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/gtpu/gtpu-name.h"

#include <stddef.h>

#include "lib/gtpu/gtpu-ext.h"
#include "lib/gtpu/gtpu.h"

const char *
gtpu_error_name(enum gtpu_error error)
{
    switch (error) {
    case GTPU_OK: return "ok";
#define GTPU_ERROR(ENUM, NAME, DESCRIPTION) \
    case GTPU_ERR_##ENUM: return #NAME;
    GTPU_ERRORS
#undef GTPU_ERROR
    case GTPU_N_ERRORS: break;
    }
    return "unknown";
}

const char *
gtpu_error_description(enum gtpu_error error)
{
    switch (error) {
    case GTPU_OK: return "no error";
#define GTPU_ERROR(ENUM, NAME, DESCRIPTION) \
    case GTPU_ERR_##ENUM: return DESCRIPTION;
    GTPU_ERRORS
#undef GTPU_ERROR
    case GTPU_N_ERRORS: break;
    }
    return "unknown error";
}

const char *
gtpu_msg_name(uint8_t msg_type)
{
    switch ((enum gtpu_msg_type) msg_type) {
    case GTPU_MSG_ECHO_REQUEST: return "Echo Request";
    case GTPU_MSG_ECHO_RESPONSE: return "Echo Response";
    case GTPU_MSG_ERROR_INDICATION: return "Error Indication";
    case GTPU_MSG_EXT_NOTIFICATION:
        return "Supported Extension Headers Notification";
    case GTPU_MSG_TUNNEL_STATUS: return "Tunnel Status";
    case GTPU_MSG_END_MARKER: return "End Marker";
    case GTPU_MSG_G_PDU: return "G-PDU";
    }
    return NULL;
}

const char *
gtpu_ext_name(uint8_t ext_type)
{
    switch ((enum gtpu_ext_type) ext_type) {
    case GTPU_EXT_NONE: break;
    case GTPU_EXT_LONG_PDCP:
    case GTPU_EXT_LONG_PDCP_OLD: return "Long PDCP PDU Number";
    case GTPU_EXT_PDU_SET:
    case GTPU_EXT_PDU_SET_OLD: return "PDU Set Information Container";
    case GTPU_EXT_SERVICE_CLASS: return "Service Class Indicator";
    case GTPU_EXT_UDP_PORT: return "UDP Port";
    case GTPU_EXT_RAN_CONTAINER: return "RAN Container";
    case GTPU_EXT_XW_RAN_CONTAINER: return "Xw RAN Container";
    case GTPU_EXT_NR_RAN_CONTAINER: return "NR RAN Container";
    case GTPU_EXT_PSC: return "PDU Session Container";
    case GTPU_EXT_PDCP: return "PDCP PDU Number";
    }
    return NULL;
}
