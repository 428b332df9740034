/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/gtpu/gtpu-ie.h"

#include <string.h>

#include "lib/gtpu/gtpu-parse.h"
#include "lib/gtpu/gtpu-private.h"

/* An IE whose value is the 'len' octets at 'value'. */
struct ie {
    uint8_t type;
    uint16_t len;
    const uint8_t *value;
};

/* Stores in '*mandatory' the IEs that a message of 'msg_type' must have.
 * Returns false if 'msg_type' is not a signalling message. */
static bool
mandatory_ies(uint8_t msg_type, uint16_t *mandatory)
{
    switch (msg_type) {
    case GTPU_MSG_ECHO_REQUEST:
    case GTPU_MSG_END_MARKER:
        *mandatory = 0;
        return true;
    case GTPU_MSG_ECHO_RESPONSE:
        *mandatory = GTPU_HAS_RECOVERY;
        return true;
    case GTPU_MSG_ERROR_INDICATION:
        *mandatory = GTPU_HAS_TEID | GTPU_HAS_PEER;
        return true;
    case GTPU_MSG_EXT_NOTIFICATION:
        *mandatory = GTPU_HAS_EXT_TYPES;
        return true;
    case GTPU_MSG_TUNNEL_STATUS:
        *mandatory = GTPU_HAS_TUNNEL_STATUS;
        return true;
    default:
        return false;
    }
}

/* Stores the first IE of the '*left' octets at '*p', one or more, in '*ie' and
 * moves '*p' past it. */
static enum gtpu_error
next_ie(const uint8_t **p, size_t *left, struct ie *ie)
{
    size_t head;

    ie->type = **p;
    switch (ie->type) {
    case GTPU_IE_RECOVERY:
        head = 1;
        ie->len = 1;
        break;

    case GTPU_IE_TEID_DATA_I:
        head = 1;
        ie->len = 4;
        break;

    case GTPU_IE_EXT_TYPE_LIST: /* The only TLV with one octet of length. */
        head = 2;
        if (*left < head) {
            return GTPU_ERR_IE_TRUNC;
        }
        ie->len = (*p)[1];
        break;

    default:
        if (ie->type < 128) {
            return GTPU_ERR_IE_UNKNOWN_TV;
        }
        head = 3;
        if (*left < head) {
            return GTPU_ERR_IE_TRUNC;
        }
        ie->len = gtpu_get_be16__(*p + 1);
        break;
    }
    if (ie->len > *left - head) {
        return GTPU_ERR_IE_TRUNC;
    }

    ie->value = *p + head;
    *p += head + ie->len;
    *left -= head + ie->len;
    return GTPU_OK;
}

/* Returns the bit in 'present' for an IE of 'type', 0 if it is unknown. */
static uint16_t
ie_bit(uint8_t type)
{
    switch (type) {
    case GTPU_IE_RECOVERY: return GTPU_HAS_RECOVERY;
    case GTPU_IE_TEID_DATA_I: return GTPU_HAS_TEID;
    case GTPU_IE_PEER_ADDRESS: return GTPU_HAS_PEER;
    case GTPU_IE_EXT_TYPE_LIST: return GTPU_HAS_EXT_TYPES;
    case GTPU_IE_TUNNEL_STATUS: return GTPU_HAS_TUNNEL_STATUS;
    case GTPU_IE_RECOVERY_TIME: return GTPU_HAS_RECOVERY_TIME;
    case GTPU_IE_PRIVATE: return GTPU_HAS_PRIVATE;
    default: return 0;
    }
}

/* Returns true if the length of 'ie' is valid for its type.  Later versions
 * may add octets to an IE of variable length. */
static bool
ie_length_is_valid(const struct ie *ie)
{
    switch (ie->type) {
    case GTPU_IE_PEER_ADDRESS: return ie->len == 4 || ie->len == 16;
    case GTPU_IE_TUNNEL_STATUS: return ie->len >= 1;
    case GTPU_IE_RECOVERY_TIME: return ie->len >= 4;
    case GTPU_IE_PRIVATE: return ie->len >= 2;
    default: return true;
    }
}

/* Decodes 'ie', of the message at 'data', into 'ies'.  An unknown or repeated
 * one only counts. */
static enum gtpu_error
decode_ie(const uint8_t *data, const struct ie *ie, struct gtpu_ies *ies)
{
    uint16_t bit = ie_bit(ie->type);

    if (!bit || ies->present & bit) {
        ies->n_skipped++;
        return GTPU_OK;
    } else if (!ie_length_is_valid(ie)) {
        return GTPU_ERR_IE_LENGTH;
    }

    ies->present |= bit;
    switch (ie->type) {
    case GTPU_IE_RECOVERY:
        ies->recovery = ie->value[0];
        break;
    case GTPU_IE_TEID_DATA_I:
        ies->teid = gtpu_get_be32__(ie->value);
        break;
    case GTPU_IE_PEER_ADDRESS:
        ies->peer_len = (uint8_t) ie->len;
        memcpy(ies->peer, ie->value, ie->len);
        break;
    case GTPU_IE_EXT_TYPE_LIST:
        for (size_t i = 0; i < ie->len; i++) {
            gtpu_ext_set_add(&ies->ext_types, ie->value[i]);
        }
        break;
    case GTPU_IE_TUNNEL_STATUS:
        ies->spoc = ie->value[0] & 1;
        break;
    case GTPU_IE_RECOVERY_TIME:
        ies->recovery_time = gtpu_get_be32__(ie->value);
        break;
    case GTPU_IE_PRIVATE:
        ies->private_id = gtpu_get_be16__(ie->value);
        ies->private_len = ie->len - 2;
        ies->private_ofs = (uint32_t) (ie->value + 2 - data);
        break;
    }
    return GTPU_OK;
}

/* Decodes the first UDP Port extension header, if any. */
static enum gtpu_error
decode_udp_port(const uint8_t *data, const struct gtpu_header *h,
                struct gtpu_ies *ies)
{
    struct gtpu_ext_iter iter;
    struct gtpu_ext ext;

    gtpu_ext_iter_init(&iter, data, h);
    while (gtpu_ext_iter_next(&iter, &ext)) {
        if (ext.type != GTPU_EXT_UDP_PORT) {
            continue;
        } else if (ext.len != 2) {
            return GTPU_ERR_EXT_LENGTH;
        } else if (!(ies->present & GTPU_HAS_UDP_PORT)) {
            ies->present |= GTPU_HAS_UDP_PORT;
            ies->udp_port = gtpu_get_be16__(ext.content);
        }
    }
    return GTPU_OK;
}

enum gtpu_error
gtpu_parse_ies(const uint8_t *data, size_t linear_len,
               const struct gtpu_header *h, struct gtpu_ies *ies)
{
    size_t left = h->payload_len;
    enum gtpu_error error;
    uint16_t mandatory;
    const uint8_t *p;

    memset(ies, 0, sizeof *ies);
    if (!mandatory_ies(h->msg_type, &mandatory)) {
        return GTPU_ERR_MSG_TYPE;
    } else if (h->hdr_len + left > linear_len) {
        return GTPU_ERR_NOT_LINEAR;
    }

    error = decode_udp_port(data, h, ies);
    p = data + h->hdr_len;
    while (!error && left) {
        struct ie ie;

        if (ies->n_ies >= GTPU_MAX_IES) {
            return GTPU_ERR_IE_COUNT;
        }
        ies->n_ies++;

        error = next_ie(&p, &left, &ie);
        if (!error) {
            error = decode_ie(data, &ie, ies);
        }
    }
    if (error) {
        return error;
    }
    return mandatory & ~ies->present ? GTPU_ERR_IE_MISSING : GTPU_OK;
}
