/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/fuse/fuse-program.h"

#include <string.h>

/* Runs 'p', with 'image' and the checksum differences, on the packet of 'size'
 * octets at 'packet'.  The result begins 'p->m' - 'p->k' octets earlier, where
 * there must be room. */
void
fuse_program_run(const struct fuse_program *p, const uint8_t *image,
                 uint16_t l3_delta, uint16_t l4_delta,
                 uint8_t *packet, uint32_t size)
{
    uint8_t *q = packet + p->k - p->m;
    struct fuse_csums c = fuse_csums_get(p, packet);
    uint32_t i;

    for (i = 0; i + 8 <= p->n_octets; i += 8) {
        uint64_t x, mask, value;

        memcpy(&x, q + i, sizeof x);
        memcpy(&mask, p->omask + i, sizeof mask);
        memcpy(&value, image + i, sizeof value);
        x = (x & ~mask) | value;
        memcpy(q + i, &x, sizeof x);
    }
    for (; i < p->n_octets; i++) {
        q[i] = (q[i] & ~p->omask[i]) | image[i];
    }
    fuse_csums_put(p, c, l3_delta, l4_delta, q);
    if (p->udp_len) {
        fuse_lengths_put(p, q, size - p->k + p->m);
    }
}

static bool
is_in(uint32_t ofs, uint32_t field)
{
    return field && ofs - field < 2;
}

/* Takes the rewrite of the innermost header from 'sample' into 'out', whose
 * program has 'k' and 'm' already.  Returns false if a bit changed that is not
 * in the key. */
static bool
compose_header(const struct fuse_sample *sample, struct fuse_outcome *out)
{
    const struct fuse_shape *shape = &fuse_shapes[sample->shape];
    struct fuse_program *p = &out->program;
    uint32_t n = sample->n_before - p->k;

    if (n > sample->n_after - p->m) {
        n = sample->n_after - p->m;
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t in = p->k + i;
        uint8_t mask = in < shape->n_octets ? shape->mask[in] : 0;
        uint8_t value = sample->after[p->m + i];

        if (!is_in(in, p->l3_csum) && !is_in(in, p->l4_csum)
            && (value ^ sample->before[in]) & ~mask) {
            return false;
        }
        if (in < shape->n_octets) {
            p->omask[p->m + i] = mask;
            out->image[p->m + i] = value & mask;
        }
    }
    return true;
}

/* Finds the fields that must be filled in for the tunnel 'sample->pushed'. */
static enum fuse_refusal
compose_pushed(const struct fuse_sample *sample, struct fuse_program *p)
{
    const uint8_t *after = sample->after;
    uint32_t l3 = 14, l4, h;
    uint16_t type;

    if (p->m < 14 + 20 + 8 + 8) {
        return FUSE_REFUSED_PUSHED;
    }
    type = fuse_be16(after + 12);
    if (type == 0x8100) {
        type = fuse_be16(after + 16);
        l3 = 18;
    }
    if (type == 0x0800 && after[l3] == 0x45) {
        l4 = l3 + 20;
        p->ip4_len = l3 + 2;
    } else if (type == 0x86dd && after[l3 + 6] == 17) {
        l4 = l3 + 40;
        p->ip6_len = l3 + 4;
    } else {
        return FUSE_REFUSED_PUSHED;
    }
    h = l4 + 8;
    if (h + 8 > p->m || (p->ip4_len && after[l3 + 9] != 17)) {
        return FUSE_REFUSED_PUSHED;
    }
    if (fuse_get16(after + l4 + 6)) {
        return FUSE_REFUSED_PUSHED_CSUM;
    }
    p->udp_len = l4 + 4;
    if (sample->pushed == FUSE_TUNNEL_GTPU) {
        if (after[h] & 0x02) {
            return FUSE_REFUSED_PUSHED_SEQ;
        }
        p->gtp_len = h + 2;
    }
    return FUSE_COMPOSED;
}

/* Returns a bitmap of the lowest 'n' bits. */
static uint64_t
bits(uint32_t n)
{
    return n < 64 ? (UINT64_C(1) << n) - 1 : UINT64_MAX;
}

/* Takes lengths, and the checksum over one, out of the image. */
static void
leave_out(struct fuse_outcome *out)
{
    struct fuse_program *p = &out->program;
    const uint8_t fields[] = { p->ip4_len, p->ip4_len ? p->ip4_len + 8 : 0,
                               p->ip6_len, p->udp_len, p->gtp_len };

    for (size_t i = 0; i < sizeof fields; i++) {
        if (fields[i]) {
            memset(p->omask + fields[i], 0, 2);
            memset(out->image + fields[i], 0, 2);
        }
    }
}

/* Returns by how much the complement of checksum 'before' must grow to become
 * that of 'after'. */
static uint16_t
csum_delta(uint16_t before, uint16_t after)
{
    return before == after ? 0 : fuse_fold((uint16_t) ~after + before);
}

/* Gives the image of 'p' 'n' octets, FUSE_MAX_KEY at most. */
void
fuse_program_set_octets(struct fuse_program *p, uint32_t n)
{
    p->n_octets = n;
    p->octets[0] = bits(n < FUSE_PART_1 ? n : FUSE_PART_1);
    n -= n < FUSE_PART_1 ? n : FUSE_PART_1;
    p->octets[1] = bits(n < FUSE_PART_2 ? n : FUSE_PART_2);
    n -= n < FUSE_PART_2 ? n : FUSE_PART_2;
    p->octets[2] = bits(n);
}

/* Ends the image of 'p' before the L4 header, the addresses, or the header, if
 * nothing changes from there on. */
static void
trim(const struct fuse_sample *sample, struct fuse_program *p)
{
    const struct fuse_shape *shape = &fuse_shapes[p->shape];
    uint32_t end = p->m + (shape->n_octets - p->k);
    uint32_t parts[] = { p->m, p->m + (shape->ipv6 ? 8 : 12),
                         p->m + (shape->l4 - shape->l3), end };
    size_t part = 0;

    for (uint32_t i = p->m; i < end; i++) {
        while (i >= parts[part + 1]) {
            part++;
        }
        if ((sample->after[i] ^ sample->before[i - p->m + p->k])
            & p->omask[i]) {
            parts[0] = parts[part + 1];
        }
    }
    memset(p->omask + parts[0], 0, sizeof p->omask - parts[0]);
    fuse_program_set_octets(p, parts[0]);
}

static void
compose_csums(const struct fuse_sample *sample, struct fuse_outcome *out)
{
    const struct fuse_program *p = &out->program;
    int shift = p->m - p->k;

    if (p->l3_csum) {
        out->l3_delta = csum_delta(
            fuse_get16(sample->before + p->l3_csum),
            fuse_get16(sample->after + p->l3_csum + shift));
    }
    if (p->l4_csum) {
        out->l4_delta = csum_delta(
            fuse_get16(sample->before + p->l4_csum),
            fuse_get16(sample->after + p->l4_csum + shift));
    }
}

/* Returns true if 'out' turns the packet as it came into the packet as it
 * went. */
static bool
replays(const struct fuse_sample *sample, const struct fuse_outcome *out)
{
    uint8_t buffer[FUSE_MAX_KEY + FUSE_SAMPLE_SIZE];
    const struct fuse_program *p = &out->program;
    uint8_t *packet = buffer + FUSE_MAX_KEY;
    uint32_t n = sample->n_before - p->k + p->m;

    memset(buffer, 0xa5, FUSE_MAX_KEY);
    memcpy(packet, sample->before, sample->n_before);
    fuse_program_run(p, out->image, out->l3_delta, out->l4_delta, packet,
                     sample->before_size);
    if (n > sample->n_after) {
        n = sample->n_after;
    }
    return !memcmp(packet + p->k - p->m, sample->after, n);
}

/* Composes 'sample', a packet that was classified as 'sample->shape', into
 * '*out'.  Returns FUSE_COMPOSED, or the reason why it cannot. */
enum fuse_refusal
fuse_compose(const struct fuse_sample *sample, struct fuse_outcome *out)
{
    const struct fuse_shape *shape = &fuse_shapes[sample->shape];
    struct fuse_program *p = &out->program;
    int m;

    memset(out, 0, sizeof *out);
    p->shape = sample->shape;
    p->flags = sample->flags;
    p->l2_5_ofs = p->l3_ofs = p->l4_ofs = UINT16_MAX;
    if (p->flags & FUSE_P_DROP) {
        return FUSE_COMPOSED;
    }

    p->k = shape->l3;
    m = (int) sample->after_size - (int) (sample->before_size - p->k);
    if (m < 14 || m + (shape->n_octets - p->k) > FUSE_MAX_KEY
        || sample->n_before > FUSE_SAMPLE_SIZE
        || sample->n_before < shape->n_octets
        || sample->n_after < m + (shape->n_octets - p->k)) {
        return FUSE_REFUSED_HEADER_SIZE;
    }
    p->m = m;
    p->l3_csum = shape->ipv6 ? 0 : shape->l3 + 10;
    p->l4_csum = shape->l4_csum;
    p->l4_zero = shape->l4_kind == FUSE_L4_UDP ? 0xffff : 0;
    if (sample->rewritten) {
        p->flags |= ((p->l3_csum ? FUSE_P_L3_UPDATE : 0)
                     | (p->l4_csum ? FUSE_P_L4_UPDATE : 0));
    }
    if (p->flags & FUSE_P_L4_UPDATE && p->l4_zero
        && !fuse_get16(sample->before + p->l4_csum)) {
        p->flags |= FUSE_P_NO_CSUM;
    }
    p->flags |= p->m > p->k ? FUSE_P_PUSH : 0;

    memset(p->omask, 0xff, m);
    memcpy(out->image, sample->after, m);
    if (!compose_header(sample, out)) {
        return FUSE_REFUSED_UNKNOWN_CHANGE;
    }
    if (sample->pushed) {
        enum fuse_refusal refusal = compose_pushed(sample, p);

        if (refusal) {
            return refusal;
        }
        p->flags |= FUSE_P_NO_PAD;
    }
    leave_out(out);
    trim(sample, p);
    compose_csums(sample, out);
    return replays(sample, out) ? FUSE_COMPOSED : FUSE_REFUSED_REPLAY;
}
