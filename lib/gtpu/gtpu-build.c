/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/gtpu/gtpu-build.h"

#include <errno.h>
#include <string.h>

#include "lib/gtpu/gtpu-ie.h"
#include "lib/gtpu/gtpu-parse.h"
#include "lib/gtpu/gtpu-private.h"

/* Most octets that gtpu_psc_build() writes. */
#define PSC_MAX_LEN 6

/* Returns true if gtpu_parse() would accept 'ext'. */
static bool
ext_is_valid(const struct gtpu_ext *ext)
{
    struct gtpu_psc psc;

    if (ext->len % GTPU_EXT_UNIT != 2 || ext->len > GTPU_EXT_MAX_LEN - 2) {
        return false;
    }

    switch (ext->type) {
    case GTPU_EXT_NONE: return false;
    case GTPU_EXT_PSC: return !gtpu_psc_parse(ext->content, ext->len, &psc);
    case GTPU_EXT_UDP_PORT: return ext->len == 2;
    default: return true;
    }
}

int
gtpu_header_len(const struct gtpu_hdr_spec *spec)
{
    size_t n_psc = spec->psc ? 1 : 0;
    size_t len = 0;

    if (spec->n_exts > GTPU_MAX_EXTS - n_psc) {
        return -EINVAL;
    }

    if (spec->psc) {
        uint8_t content[PSC_MAX_LEN];
        int n = gtpu_psc_build(content, sizeof content, spec->psc);

        if (n < 0) {
            return n;
        }
        len += (size_t) n + 2;
    }
    for (size_t i = 0; i < spec->n_exts; i++) {
        const struct gtpu_ext *ext = &spec->exts[i];

        if (!ext_is_valid(ext)
            || (ext->type == GTPU_EXT_PSC && ++n_psc > 1)) {
            return -EINVAL;
        }
        len += ext->len + 2u;
    }

    if (len || spec->has_seq || spec->has_npdu) {
        len += GTPU_OPT_LEN;
    }
    return (int) (GTPU_HLEN + len);
}

int
gtpu_psc_build(uint8_t *buf, size_t size, const struct gtpu_psc *psc)
{
    uint8_t content[PSC_MAX_LEN] = { (uint8_t) (psc->pdu_type << 4) };
    bool dl = psc->pdu_type == GTPU_PSC_DL;
    size_t len = psc->has_ppi ? 6 : 2;

    if (psc->pdu_type > GTPU_PSC_UL || psc->qfi > 63 || psc->flags
        || (psc->has_ppi && psc->ppi > 7)
        || (!dl && (psc->rqi || psc->has_ppi))) {
        return -EINVAL;
    } else if (size < len) {
        return -ENOBUFS;
    }

    content[1] = (uint8_t) (psc->has_ppi << 7 | psc->rqi << 6 | psc->qfi);
    if (psc->has_ppi) {
        content[2] = (uint8_t) (psc->ppi << 5);
    }
    memcpy(buf, content, len);
    return (int) len;
}

/* Appends the extension header 'ext' to the header of 'len' octets at 'hdr',
 * whose last octet is the type of what follows.  Returns the new length. */
static size_t
put_ext(uint8_t *hdr, size_t len, const struct gtpu_ext *ext)
{
    uint8_t *p = hdr + len;

    hdr[len - 1] = ext->type;
    p[0] = (uint8_t) ((ext->len + 2) / GTPU_EXT_UNIT);
    memcpy(p + 1, ext->content, ext->len);
    p[ext->len + 1] = GTPU_EXT_NONE;
    return len + ext->len + 2;
}

int
gtpu_build_header(uint8_t *buf, size_t size, const struct gtpu_hdr_spec *spec,
                  size_t payload_len)
{
    int hdr_len = gtpu_header_len(spec);
    size_t len = GTPU_HLEN;

    if (hdr_len < 0) {
        return hdr_len;
    } else if (payload_len > UINT16_MAX - ((size_t) hdr_len - GTPU_HLEN)) {
        return -EMSGSIZE;
    } else if ((size_t) hdr_len > size) {
        return -ENOBUFS;
    }

    buf[0] = (uint8_t) (GTPU_F_VERSION_1 | GTPU_F_PT
                        | (spec->psc || spec->n_exts ? GTPU_F_E : 0)
                        | (spec->has_seq ? GTPU_F_S : 0)
                        | (spec->has_npdu ? GTPU_F_PN : 0));
    buf[1] = spec->msg_type;
    gtpu_put_be32__(buf + 4, spec->teid);

    if (hdr_len > GTPU_HLEN) {
        gtpu_put_be16__(buf + 8, spec->has_seq ? spec->seq : 0);
        buf[10] = spec->has_npdu ? spec->npdu : 0;
        buf[11] = GTPU_EXT_NONE;
        len += GTPU_OPT_LEN;
    }
    if (spec->psc) {
        uint8_t content[PSC_MAX_LEN];
        int n = gtpu_psc_build(content, sizeof content, spec->psc);
        const struct gtpu_ext ext = {
            .type = GTPU_EXT_PSC,
            .len = (uint16_t) n,
            .content = content,
        };

        len = put_ext(buf, len, &ext);
    }
    for (size_t i = 0; i < spec->n_exts; i++) {
        len = put_ext(buf, len, &spec->exts[i]);
    }

    gtpu_put_be16__(buf + 2, (uint16_t) (len - GTPU_HLEN + payload_len));
    return hdr_len;
}

int
gtpu_set_length(uint8_t *hdr, size_t hdr_len, size_t payload_len)
{
    size_t rest = hdr_len - GTPU_HLEN;

    if (payload_len > UINT16_MAX - rest) {
        return -EMSGSIZE;
    }
    gtpu_put_be16__(hdr + 2, (uint16_t) (rest + payload_len));
    return 0;
}

void
gtpu_set_seq(uint8_t *hdr, uint16_t seq)
{
    if (hdr[0] & GTPU_F_S) {
        gtpu_put_be16__(hdr + GTPU_HLEN, seq);
    }
}

/* Writes the message 'spec' with the 'n' octets of IEs at 'ies'. */
static int
build_message(uint8_t *buf, size_t size, const struct gtpu_hdr_spec *spec,
              const uint8_t *ies, size_t n)
{
    int hdr_len = gtpu_header_len(spec);

    if (hdr_len >= 0 && size < (size_t) hdr_len + n) {
        return -ENOBUFS;
    }

    hdr_len = gtpu_build_header(buf, size, spec, n);
    if (hdr_len < 0) {
        return hdr_len;
    }
    if (n) {
        memcpy(buf + hdr_len, ies, n);
    }
    return hdr_len + (int) n;
}

int
gtpu_build_echo_request(uint8_t *buf, size_t size, uint16_t seq)
{
    const struct gtpu_hdr_spec spec = {
        .msg_type = GTPU_MSG_ECHO_REQUEST,
        .has_seq = true,
        .seq = seq,
    };

    return build_message(buf, size, &spec, NULL, 0);
}

int
gtpu_build_echo_response(uint8_t *buf, size_t size, uint16_t seq)
{
    const struct gtpu_hdr_spec spec = {
        .msg_type = GTPU_MSG_ECHO_RESPONSE,
        .has_seq = true,
        .seq = seq,
    };
    static const uint8_t ies[] = { GTPU_IE_RECOVERY, 0 };

    return build_message(buf, size, &spec, ies, sizeof ies);
}

int
gtpu_build_error_indication(uint8_t *buf, size_t size,
                            const struct gtpu_error_indication *ei)
{
    uint8_t port[2];
    const struct gtpu_ext ext = {
        .type = GTPU_EXT_UDP_PORT,
        .len = sizeof port,
        .content = port,
    };
    const struct gtpu_hdr_spec spec = {
        .msg_type = GTPU_MSG_ERROR_INDICATION,
        .has_seq = true,
        .seq = ei->seq,
        .exts = &ext,
        .n_exts = ei->has_udp_port,
    };
    uint8_t ies[5 + 3 + sizeof ei->peer];

    if (ei->peer_len != 4 && ei->peer_len != 16) {
        return -EINVAL;
    }

    gtpu_put_be16__(port, ei->udp_port);
    ies[0] = GTPU_IE_TEID_DATA_I;
    gtpu_put_be32__(ies + 1, ei->teid);
    ies[5] = GTPU_IE_PEER_ADDRESS;
    gtpu_put_be16__(ies + 6, ei->peer_len);
    memcpy(ies + 8, ei->peer, ei->peer_len);
    return build_message(buf, size, &spec, ies, 8u + ei->peer_len);
}

int
gtpu_build_ext_notification(uint8_t *buf, size_t size, uint16_t seq,
                            const struct gtpu_ext_set *types)
{
    const struct gtpu_hdr_spec spec = {
        .msg_type = GTPU_MSG_EXT_NOTIFICATION,
        .has_seq = true,
        .seq = seq,
    };
    uint8_t ies[2 + 255];
    size_t n = 0;

    if (gtpu_ext_set_contains(types, GTPU_EXT_NONE)) {
        return -EINVAL;
    }

    for (unsigned int type = 1; type <= 255; type++) {
        if (gtpu_ext_set_contains(types, (uint8_t) type)) {
            ies[2 + n++] = (uint8_t) type;
        }
    }
    ies[0] = GTPU_IE_EXT_TYPE_LIST;
    ies[1] = (uint8_t) n;
    return build_message(buf, size, &spec, ies, 2 + n);
}

int
gtpu_build_end_marker(uint8_t *buf, size_t size, uint32_t teid,
                      const struct gtpu_psc *psc)
{
    const struct gtpu_hdr_spec spec = {
        .msg_type = GTPU_MSG_END_MARKER,
        .teid = teid,
        .psc = psc,
    };

    return build_message(buf, size, &spec, NULL, 0);
}
