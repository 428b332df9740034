/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/gtpu/gtpu-parse.h"

#include <string.h>

#include "lib/gtpu/gtpu-private.h"

const struct gtpu_ext_set gtpu_ext_set_default = {
    .bits = {
        [GTPU_EXT_UDP_PORT / 64] = UINT64_C(1) << GTPU_EXT_UDP_PORT % 64,
        [GTPU_EXT_PSC / 64] = UINT64_C(1) << GTPU_EXT_PSC % 64,
    },
};

/* A packet: its message has 'end' octets by the length field, and 'linear_len'
 * octets can be read. */
struct message {
    const uint8_t *data;
    size_t linear_len;
    size_t end;
};

/* Checks that the 'n' octets at 'ofs' belong to 'm' and can be read.  Returns
 * 'trunc' if they do not belong to it.  'ofs' is not past the end. */
static enum gtpu_error
check_room(const struct message *m, size_t ofs, size_t n,
           enum gtpu_error trunc)
{
    if (n > m->end - ofs) {
        return trunc;
    }
    return ofs + n > m->linear_len ? GTPU_ERR_NOT_LINEAR : GTPU_OK;
}

/* Returns the number of octets that the fields of 'psc' take in Release 16. */
static size_t
psc_fields_len(const struct gtpu_psc *psc)
{
    size_t len = 2;

    if (psc->pdu_type == GTPU_PSC_DL) {
        len += psc->has_ppi ? 1 : 0;
        len += psc->flags & GTPU_PSC_F_QMP ? 8 : 0;
        len += psc->flags & GTPU_PSC_F_DL_SNP ? 3 : 0;
    } else {
        len += psc->flags & GTPU_PSC_F_QMP ? 3 * 8 : 0;
        len += psc->flags & GTPU_PSC_F_UL_DL_DELAY ? 4 : 0;
        len += psc->flags & GTPU_PSC_F_UL_UL_DELAY ? 4 : 0;
        len += psc->flags & GTPU_PSC_F_UL_SNP ? 3 : 0;
        len += psc->flags & GTPU_PSC_F_UL_N3N9 ? 4 : 0;
        len += psc->flags & GTPU_PSC_F_UL_NEW_IE ? 1 : 0;
    }
    return len;
}

enum gtpu_error
gtpu_psc_parse(const uint8_t *p, size_t len, struct gtpu_psc *psc)
{
    memset(psc, 0, sizeof *psc);
    if (len < 2) {
        return GTPU_ERR_PSC_TRUNC;
    }

    struct gtpu_psc c = {
        .pdu_type = p[0] >> 4,
        .qfi = p[1] & 0x3f,
        .flags = p[0] & 0x0f,
    };

    if (c.pdu_type == GTPU_PSC_DL) {
        c.has_ppi = p[1] & 0x80;
        c.rqi = p[1] & 0x40;
    } else if (c.pdu_type == GTPU_PSC_UL) {
        c.flags |= p[1] & 0xc0;
    } else {
        return GTPU_ERR_PSC_TYPE;
    }

    if (psc_fields_len(&c) > len) {
        return GTPU_ERR_PSC_TRUNC;
    }
    if (c.has_ppi) {
        c.ppi = p[2] >> 5;
    }

    *psc = c;
    return GTPU_OK;
}

/* Records the extension header 'ext' in 'h'. */
static enum gtpu_error
parse_ext(const struct gtpu_ext *ext, const struct gtpu_ext_set *known,
          struct gtpu_header *h)
{
    if (!h->unknown_ext
        && gtpu_ext_class(ext->type) >= GTPU_EXT_CLASS_ENDPOINT
        && !gtpu_ext_set_contains(known, ext->type)) {
        h->unknown_ext = ext->type;
    }

    if (ext->type == GTPU_EXT_PSC) {
        if (h->has_psc) {
            return GTPU_ERR_PSC_DUP;
        }
        h->has_psc = true;
        return gtpu_psc_parse(ext->content, ext->len, &h->psc);
    }
    return GTPU_OK;
}

/* Parses the chain of extension headers that begins at 'h->hdr_len' with one
 * of 'type', and moves 'h->hdr_len' past it. */
static enum gtpu_error
parse_chain(const struct message *m, uint8_t type,
            const struct gtpu_ext_set *known, struct gtpu_header *h)
{
    size_t ofs = h->hdr_len;

    while (type != GTPU_EXT_NONE) {
        enum gtpu_error error;
        size_t len;

        if (h->n_exts >= GTPU_MAX_EXTS) {
            return GTPU_ERR_EXT_COUNT;
        }

        error = check_room(m, ofs, 1, GTPU_ERR_EXT_TRUNC);
        if (error) {
            return error;
        }
        len = (size_t) m->data[ofs] * GTPU_EXT_UNIT;
        if (!len) {
            return GTPU_ERR_EXT_ZERO;
        }
        error = check_room(m, ofs, len, GTPU_ERR_EXT_TRUNC);
        if (error) {
            return error;
        }

        const struct gtpu_ext ext = {
            .type = type,
            .len = (uint16_t) (len - 2),
            .content = m->data + ofs + 1,
        };
        error = parse_ext(&ext, known, h);
        if (error) {
            return error;
        }

        h->n_exts++;
        ofs += len;
        type = m->data[ofs - 1];
    }

    h->hdr_len = (uint16_t) ofs;
    return GTPU_OK;
}

/* Parses the optional word and what it announces, and moves 'h->hdr_len' past
 * them. */
static enum gtpu_error
parse_optional(const struct message *m, const struct gtpu_ext_set *known,
               struct gtpu_header *h)
{
    const uint8_t *p = m->data + GTPU_HLEN;
    enum gtpu_error error;

    error = check_room(m, GTPU_HLEN, GTPU_OPT_LEN, GTPU_ERR_OPT_TRUNC);
    if (error) {
        return error;
    }

    h->hdr_len += GTPU_OPT_LEN;
    if (h->flags & GTPU_F_S) {
        h->has_seq = true;
        h->seq = gtpu_get_be16__(p);
    }
    if (h->flags & GTPU_F_PN) {
        h->has_npdu = true;
        h->npdu = p[2];
    }
    return h->flags & GTPU_F_E ? parse_chain(m, p[3], known, h) : GTPU_OK;
}

enum gtpu_error
gtpu_parse(const uint8_t *data, size_t linear_len, size_t total_len,
           const struct gtpu_ext_set *known, struct gtpu_header *h)
{
    memset(h, 0, sizeof *h);
    if (total_len < GTPU_HLEN) {
        return GTPU_ERR_SHORT;
    } else if (linear_len < GTPU_HLEN) {
        return GTPU_ERR_NOT_LINEAR;
    }

    h->flags = data[0];
    h->msg_type = data[1];
    h->length = gtpu_get_be16__(data + 2);
    h->teid = gtpu_get_be32__(data + 4);
    if ((h->flags & GTPU_F_VERSION) != GTPU_F_VERSION_1) {
        return GTPU_ERR_VERSION;
    } else if (!(h->flags & GTPU_F_PT)) {
        return GTPU_ERR_PT;
    } else if (h->length > total_len - GTPU_HLEN) {
        return GTPU_ERR_LENGTH;
    }

    h->hdr_len = GTPU_HLEN;
    h->trailing_len = total_len - GTPU_HLEN - h->length;
    if (h->flags & GTPU_F_OPT) {
        const struct message m = {
            .data = data,
            .linear_len = linear_len,
            .end = GTPU_HLEN + (size_t) h->length,
        };
        enum gtpu_error error;

        error = parse_optional(&m, known ? known : &gtpu_ext_set_default, h);
        if (error) {
            return error;
        }
    }
    h->payload_len = (uint16_t) (GTPU_HLEN + h->length - h->hdr_len);

    return h->unknown_ext ? GTPU_ERR_EXT_REQUIRED : GTPU_OK;
}

void
gtpu_ext_iter_init(struct gtpu_ext_iter *iter, const uint8_t *data,
                   const struct gtpu_header *h)
{
    bool chain = h->flags & GTPU_F_E && h->hdr_len >= GTPU_HLEN + GTPU_OPT_LEN;

    iter->data = data;
    iter->ofs = GTPU_HLEN + GTPU_OPT_LEN;
    iter->end = h->hdr_len;
    iter->type = chain ? data[GTPU_HLEN + GTPU_OPT_LEN - 1] : GTPU_EXT_NONE;
}

bool
gtpu_ext_iter_next(struct gtpu_ext_iter *iter, struct gtpu_ext *ext)
{
    const uint8_t *p = iter->data + iter->ofs;
    size_t len;

    if (iter->type == GTPU_EXT_NONE || iter->ofs >= iter->end) {
        return false;
    }

    len = (size_t) p[0] * GTPU_EXT_UNIT;
    if (!len || len > (size_t) (iter->end - iter->ofs)) {
        return false;
    }

    ext->type = iter->type;
    ext->len = (uint16_t) (len - 2);
    ext->content = p + 1;
    iter->type = p[len - 1];
    iter->ofs += (uint16_t) len;
    return true;
}

static enum gtpu_error
check_ipv4(const uint8_t *p, size_t linear_len, size_t payload_len)
{
    size_t header_len = (p[0] & 0x0f) * 4;
    size_t total_len;

    if (payload_len < 20 || payload_len < header_len) {
        return GTPU_ERR_INNER_TRUNC;
    } else if (linear_len < 4) {
        return GTPU_ERR_NOT_LINEAR;
    }
    total_len = gtpu_get_be16__(p + 2);
    return (header_len < 20 || total_len < header_len
            || total_len > payload_len) ? GTPU_ERR_INNER_LENGTH : GTPU_OK;
}

static enum gtpu_error
check_ipv6(const uint8_t *p, size_t linear_len, size_t payload_len)
{
    if (payload_len < 40) {
        return GTPU_ERR_INNER_TRUNC;
    } else if (linear_len < 6) {
        return GTPU_ERR_NOT_LINEAR;
    }
    return (gtpu_get_be16__(p + 4) > payload_len - 40
            ? GTPU_ERR_INNER_LENGTH : GTPU_OK);
}

enum gtpu_error
gtpu_inner_type(const uint8_t *p, size_t linear_len, size_t payload_len,
                enum gtpu_inner *inner)
{
    enum gtpu_inner type;
    enum gtpu_error error;

    *inner = GTPU_INNER_NONE;
    if (!payload_len) {
        return GTPU_ERR_INNER_EMPTY;
    } else if (!linear_len) {
        return GTPU_ERR_NOT_LINEAR;
    }

    switch (p[0] >> 4) {
    case 4:
        type = GTPU_INNER_IPV4;
        error = check_ipv4(p, linear_len, payload_len);
        break;
    case 6:
        type = GTPU_INNER_IPV6;
        error = check_ipv6(p, linear_len, payload_len);
        break;
    default:
        return GTPU_ERR_INNER_VERSION;
    }

    if (!error) {
        *inner = type;
    }
    return error;
}
