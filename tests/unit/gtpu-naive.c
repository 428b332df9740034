/* SPDX-License-Identifier: Apache-2.0 */

#include "tests/unit/gtpu-naive.h"

#include <string.h>

/* Reads bits, the most significant first.
 *
 * The input has 'n_bits' bits: a read past them gives the error 'trunc'.  Only
 * 'n_linear' of them can be read: a read past these gives GTPU_ERR_NOT_LINEAR.
 * After an error every read gives 0. */
struct reader {
    const uint8_t *data;
    size_t pos;
    size_t n_bits;
    size_t n_linear;
    enum gtpu_error trunc;
    enum gtpu_error error;
};

static void
want(struct reader *r, size_t n)
{
    if (!r->error && r->pos + n > r->n_bits) {
        r->error = r->trunc;
    } else if (!r->error && r->pos + n > r->n_linear) {
        r->error = GTPU_ERR_NOT_LINEAR;
    }
}

static uint64_t
bits(struct reader *r, size_t n)
{
    uint64_t value = 0;

    want(r, n);
    for (size_t i = 0; i < n && !r->error; i++, r->pos++) {
        value = value * 2 + (r->data[r->pos / 8] >> (7 - r->pos % 8)) % 2;
    }
    return value;
}

/* DL PDU SESSION INFORMATION, TS 38.415 figure 5.5.2.1-1, after PDU type. */
static void
naive_psc_dl(struct reader *r, struct gtpu_psc *c)
{
    bool qmp = bits(r, 1);
    bool snp = bits(r, 1);
    bool msnp = bits(r, 1);
    bool spare = bits(r, 1);

    c->flags = (uint8_t) (qmp * 8 + snp * 4 + msnp * 2 + spare);
    c->has_ppi = bits(r, 1);
    c->rqi = bits(r, 1);
    c->qfi = (uint8_t) bits(r, 6);
    if (c->has_ppi) {
        c->ppi = (uint8_t) bits(r, 3);
        bits(r, 5);
    }
    if (qmp) {
        bits(r, 64);            /* DL sending time stamp. */
    }
    if (snp) {
        bits(r, 24);            /* DL QFI sequence number. */
    }
}

/* UL PDU SESSION INFORMATION, TS 38.415 figure 5.5.2.2-1, after PDU type. */
static void
naive_psc_ul(struct reader *r, struct gtpu_psc *c)
{
    bool qmp = bits(r, 1);
    bool dl_delay = bits(r, 1);
    bool ul_delay = bits(r, 1);
    bool snp = bits(r, 1);
    bool n3n9_delay = bits(r, 1);
    bool new_ie = bits(r, 1);

    c->flags = (uint8_t) (n3n9_delay * 128 + new_ie * 64 + qmp * 8
                          + dl_delay * 4 + ul_delay * 2 + snp);
    c->qfi = (uint8_t) bits(r, 6);
    if (qmp) {
        bits(r, 64);            /* DL sending time stamp repeated. */
        bits(r, 64);            /* DL received time stamp. */
        bits(r, 64);            /* UL sending time stamp. */
    }
    if (dl_delay) {
        bits(r, 32);
    }
    if (ul_delay) {
        bits(r, 32);
    }
    if (snp) {
        bits(r, 24);
    }
    if (n3n9_delay) {
        bits(r, 32);
    }
    if (new_ie) {
        bits(r, 8);
    }
}

static enum gtpu_error
naive_psc(struct reader *outer, size_t n_octets, struct gtpu_psc *psc)
{
    struct reader r = {
        .data = outer->data + outer->pos / 8,
        .n_bits = n_octets * 8,
        .n_linear = n_octets * 8,
        .trunc = GTPU_ERR_PSC_TRUNC,
    };
    struct gtpu_psc c = { .pdu_type = (uint8_t) bits(&r, 4) };

    if (c.pdu_type == 0) {
        naive_psc_dl(&r, &c);
    } else if (c.pdu_type == 1) {
        naive_psc_ul(&r, &c);
    } else {
        return GTPU_ERR_PSC_TYPE;
    }
    if (!r.error) {
        *psc = c;
    }
    return r.error;
}

/* Reads an extension header of 'type' and all that follow it. */
static void
naive_exts(struct reader *r, uint8_t type, const struct gtpu_ext_set *known,
           struct gtpu_header *h)
{
    size_t content;

    if (type == 0 || r->error) {
        return;
    } else if (h->n_exts == 8) {
        r->error = GTPU_ERR_EXT_COUNT;
        return;
    }

    content = bits(r, 8) * 4;
    if (!r->error && !content) {
        r->error = GTPU_ERR_EXT_ZERO;
        return;
    }
    want(r, (content - 1) * 8);
    if (r->error) {
        return;
    }
    content -= 2;

    if (type & 0x80 && !h->unknown_ext
        && !(known ? gtpu_ext_set_contains(known, type) : type == 0x85)) {
        h->unknown_ext = type;
    }
    if (type == 0x85) {
        r->error = (h->has_psc ? GTPU_ERR_PSC_DUP
                    : naive_psc(r, content, &h->psc));
        h->has_psc = true;
    }
    r->pos += content * 8;
    h->n_exts++;
    naive_exts(r, (uint8_t) bits(r, 8), known, h);
}

/* TS 29.281 figure 5.1-1. */
enum gtpu_error
naive_parse(const uint8_t *data, size_t linear_len, size_t total_len,
            const struct gtpu_ext_set *known, struct gtpu_header *h)
{
    struct reader r = {
        .data = data,
        .n_bits = total_len * 8,
        .n_linear = linear_len * 8,
        .trunc = GTPU_ERR_SHORT,
    };
    bool e, s, pn;

    memset(h, 0, sizeof *h);
    want(&r, 64);
    if (r.error) {
        return r.error;
    }

    unsigned int version = (unsigned int) bits(&r, 3);
    bool pt = bits(&r, 1);
    bool spare = bits(&r, 1);
    e = bits(&r, 1);
    s = bits(&r, 1);
    pn = bits(&r, 1);
    h->flags = (uint8_t) (version * 32 + pt * 16 + spare * 8 + e * 4 + s * 2
                          + pn);
    h->msg_type = (uint8_t) bits(&r, 8);
    h->length = (uint16_t) bits(&r, 16);
    h->teid = (uint32_t) bits(&r, 32);
    if (version != 1) {
        return GTPU_ERR_VERSION;
    } else if (!pt) {
        return GTPU_ERR_PT;
    } else if (h->length + (size_t) 8 > total_len) {
        return GTPU_ERR_LENGTH;
    }

    r.n_bits = (h->length + (size_t) 8) * 8;
    if (e || s || pn) {
        r.trunc = GTPU_ERR_OPT_TRUNC;
        want(&r, 32);

        uint16_t seq = (uint16_t) bits(&r, 16);
        uint8_t npdu = (uint8_t) bits(&r, 8);
        uint8_t next = (uint8_t) bits(&r, 8);

        h->has_seq = s;
        h->seq = s ? seq : 0;
        h->has_npdu = pn;
        h->npdu = pn ? npdu : 0;
        r.trunc = GTPU_ERR_EXT_TRUNC;
        naive_exts(&r, e ? next : 0, known, h);
    }
    if (r.error) {
        return r.error;
    }

    h->hdr_len = (uint16_t) (r.pos / 8);
    h->payload_len = (uint16_t) ((r.n_bits - r.pos) / 8);
    h->trailing_len = total_len - r.n_bits / 8;
    return h->unknown_ext ? GTPU_ERR_EXT_REQUIRED : GTPU_OK;
}

/* Decodes the value of an IE of 'type', 'len' octets.  TS 29.281 clause 8. */
static void
naive_value(struct reader *r, unsigned int type, size_t len,
            struct gtpu_ies *ies)
{
    static const struct {
        unsigned int type;
        uint16_t bit;
    } known[] = {
        { 14, 1 }, { 16, 2 }, { 133, 4 }, { 141, 8 }, { 230, 16 },
        { 231, 32 }, { 255, 64 },
    };
    size_t end = r->pos + len * 8;
    uint16_t bit = 0;

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (known[i].type == type && !(ies->present & known[i].bit)) {
            bit = known[i].bit;
        }
    }
    if (!bit) {
        ies->n_skipped++;
    } else if ((type == 133 && len != 4 && len != 16)
               || (type == 230 && len < 1) || (type == 231 && len < 4)
               || (type == 255 && len < 2)) {
        r->error = GTPU_ERR_IE_LENGTH;
    } else if (type == 14) {
        ies->recovery = (uint8_t) bits(r, 8);
    } else if (type == 16) {
        ies->teid = (uint32_t) bits(r, 32);
    } else if (type == 133) {
        for (size_t i = 0; i < len; i++) {
            ies->peer[i] = (uint8_t) bits(r, 8);
        }
        ies->peer_len = (uint8_t) len;
    } else if (type == 141) {
        for (size_t i = 0; i < len; i++) {
            size_t ext = (size_t) bits(r, 8);

            ies->ext_types.bits[ext / 64] |= UINT64_C(1) << ext % 64;
        }
    } else if (type == 230) {
        bits(r, 7);
        ies->spoc = bits(r, 1);
    } else if (type == 231) {
        ies->recovery_time = (uint32_t) bits(r, 32);
    } else {
        ies->private_id = (uint16_t) bits(r, 16);
        ies->private_ofs = (uint32_t) (r->pos / 8);
        ies->private_len = (uint16_t) (len - 2);
    }
    ies->present |= bit;
    r->pos = end;
}

/* Reads an IE and all that follow it. */
static void
naive_ies(struct reader *r, struct gtpu_ies *ies)
{
    unsigned int type;
    size_t len;

    if (r->error || r->pos == r->n_bits) {
        return;
    } else if (ies->n_ies == 32) {
        r->error = GTPU_ERR_IE_COUNT;
        return;
    }
    ies->n_ies++;

    type = (unsigned int) bits(r, 8);
    if (type == 14) {
        len = 1;
    } else if (type == 16) {
        len = 4;
    } else if (type < 128) {
        r->error = GTPU_ERR_IE_UNKNOWN_TV;
        return;
    } else {
        len = (size_t) bits(r, type == 141 ? 8 : 16);
    }

    want(r, len * 8);
    if (!r->error) {
        naive_value(r, type, len, ies);
        naive_ies(r, ies);
    }
}

/* UDP Port, TS 29.281 figure 5.2.2.1-1. */
static enum gtpu_error
naive_udp_port(const uint8_t *data, const struct gtpu_header *h,
               struct gtpu_ies *ies)
{
    uint8_t type = h->flags & 4 ? data[11] : 0;
    size_t ofs = 12;

    while (type) {
        size_t len = data[ofs] * (size_t) 4;

        if (type == 0x40) {
            if (len != 4) {
                return GTPU_ERR_EXT_LENGTH;
            }
            if (!(ies->present & 128)) {
                ies->udp_port = (uint16_t) (data[ofs + 1] * 256
                                            + data[ofs + 2]);
                ies->present |= 128;
            }
        }
        ofs += len;
        type = data[ofs - 1];
    }
    return GTPU_OK;
}

enum gtpu_error
naive_parse_ies(const uint8_t *data, size_t linear_len,
                const struct gtpu_header *h, struct gtpu_ies *ies)
{
    size_t end = h->hdr_len + (size_t) h->payload_len;
    struct reader r = {
        .data = data,
        .pos = h->hdr_len * (size_t) 8,
        .n_bits = end * 8,
        .n_linear = linear_len * 8,
        .trunc = GTPU_ERR_IE_TRUNC,
    };
    uint16_t need = (h->msg_type == 2 ? 1
                     : h->msg_type == 26 ? 2 + 4
                     : h->msg_type == 31 ? 8
                     : h->msg_type == 253 ? 16
                     : 0);

    memset(ies, 0, sizeof *ies);
    if (h->msg_type != 1 && h->msg_type != 254 && !need) {
        return GTPU_ERR_MSG_TYPE;
    } else if (end > linear_len) {
        return GTPU_ERR_NOT_LINEAR;
    }
    r.error = naive_udp_port(data, h, ies);
    naive_ies(&r, ies);
    if (!r.error && (ies->present & need) != need) {
        r.error = GTPU_ERR_IE_MISSING;
    }
    return r.error;
}

enum gtpu_error
naive_inner_type(const uint8_t *payload, size_t linear_len,
                 size_t payload_len, enum gtpu_inner *inner)
{
    struct reader r = {
        .data = payload,
        .n_bits = payload_len * 8,
        .n_linear = linear_len * 8,
        .trunc = GTPU_ERR_INNER_EMPTY,
    };
    unsigned int version = (unsigned int) bits(&r, 4);

    *inner = GTPU_INNER_NONE;
    if (r.error) {
        return r.error;
    }

    if (version == 4) {         /* RFC 791 figure 4. */
        size_t header = (size_t) bits(&r, 4) * 4;

        if (payload_len < 20 || payload_len < header) {
            return GTPU_ERR_INNER_TRUNC;
        }
        bits(&r, 8);

        size_t total = (size_t) bits(&r, 16);

        if (r.error) {
            return r.error;
        } else if (header < 20 || total < header || total > payload_len) {
            return GTPU_ERR_INNER_LENGTH;
        }
        *inner = GTPU_INNER_IPV4;
    } else if (version == 6) {  /* RFC 8200 section 3. */
        if (payload_len < 40) {
            return GTPU_ERR_INNER_TRUNC;
        }
        bits(&r, 4 + 24);

        size_t length = (size_t) bits(&r, 16);

        if (r.error) {
            return r.error;
        } else if (length + 40 > payload_len) {
            return GTPU_ERR_INNER_LENGTH;
        }
        *inner = GTPU_INNER_IPV6;
    } else {
        return GTPU_ERR_INNER_VERSION;
    }
    return GTPU_OK;
}

#define DIFF(MEMBER)                                                    \
    if (memcmp(&a->MEMBER, &b->MEMBER, sizeof a->MEMBER)) {             \
        return #MEMBER;                                                 \
    }

const char *
naive_header_diff(const struct gtpu_header *a, const struct gtpu_header *b)
{
    DIFF(teid);
    DIFF(length);
    DIFF(hdr_len);
    DIFF(payload_len);
    DIFF(seq);
    DIFF(flags);
    DIFF(msg_type);
    DIFF(npdu);
    DIFF(n_exts);
    DIFF(unknown_ext);
    DIFF(has_seq);
    DIFF(has_npdu);
    DIFF(has_psc);
    DIFF(psc.pdu_type);
    DIFF(psc.qfi);
    DIFF(psc.rqi);
    DIFF(psc.has_ppi);
    DIFF(psc.ppi);
    DIFF(psc.flags);
    DIFF(trailing_len);
    return NULL;
}

const char *
naive_ies_diff(const struct gtpu_ies *a, const struct gtpu_ies *b)
{
    DIFF(present);
    DIFF(udp_port);
    DIFF(teid);
    DIFF(peer_len);
    DIFF(peer);
    DIFF(recovery);
    DIFF(spoc);
    DIFF(recovery_time);
    DIFF(ext_types);
    DIFF(private_id);
    DIFF(private_len);
    DIFF(private_ofs);
    DIFF(n_ies);
    DIFF(n_skipped);
    return NULL;
}
