/* SPDX-License-Identifier: Apache-2.0 */

/* Fuzz target: the GTP-U parser
 * =============================
 *
 * The input is a packet.  This must hold for every packet, whole and in each
 * of two linear parts:
 *
 *   - no access outside the block, no undefined behaviour (the sanitizers);
 *
 *   - lib/ and the naive decoder of gtpu-naive.c agree on the result, the
 *     header, the IEs and the kind of inner packet;
 *
 *   - the walk over the extension headers shows as many as were counted;
 *
 *   - an accepted packet can be built again from the parsed header, to the
 *     same octets except those that the standard says to ignore.
 *
 * 'make fuzz FUZZ_TARGETS=gtpu-parse' makes the target and runs it under
 * libFuzzer.
 *
 * Without libFuzzer, each input is also cut off and apart at each octet. */

#include <string.h>

#include "lib/gtpu/gtpu-build.h"
#include "lib/gtpu/gtpu-ie.h"
#include "lib/gtpu/gtpu-parse.h"
#include "tests/fuzz/fuzz-target.h"
#include "tests/unit/gtpu-naive.h"

static void
check_ies(const uint8_t *data, size_t linear, const struct gtpu_header *h)
{
    struct gtpu_ies ies, naive;
    enum gtpu_error error = gtpu_parse_ies(data, linear, h, &ies);

    CHECK(error == naive_parse_ies(data, linear, h, &naive));
    if (!error || error == GTPU_ERR_IE_MISSING) {
        CHECK(!naive_ies_diff(&ies, &naive));
        CHECK(ies.private_ofs + ies.private_len <= linear);
    }
}

static void
check_inner(const uint8_t *data, size_t linear, const struct gtpu_header *h)
{
    enum gtpu_inner inner, naive;
    enum gtpu_error error;

    linear -= h->hdr_len;
    error = gtpu_inner_type(data + h->hdr_len, linear, h->payload_len,
                            &inner);
    CHECK(error == naive_inner_type(data + h->hdr_len, linear, h->payload_len,
                                    &naive));
    CHECK(inner == naive);
}

/* Builds the header 'h' of the packet at 'data' again.  The parser accepts a
 * UDP Port of any length; the builder does not. */
static void
check_rebuild(const uint8_t *data, const struct gtpu_header *h)
{
    static uint8_t buf[GTPU_HLEN_MAX];
    struct gtpu_ext exts[GTPU_MAX_EXTS];
    struct gtpu_hdr_spec spec = {
        .msg_type = h->msg_type,
        .teid = h->teid,
        .has_seq = h->has_seq,
        .seq = h->seq,
        .has_npdu = h->has_npdu,
        .npdu = h->npdu,
        .exts = exts,
    };
    bool buildable = true;
    struct gtpu_ext_iter iter;
    struct gtpu_ext ext;

    gtpu_ext_iter_init(&iter, data, h);
    while (gtpu_ext_iter_next(&iter, &ext)) {
        CHECK(spec.n_exts < h->n_exts);
        exts[spec.n_exts++] = ext;
        buildable &= ext.type != GTPU_EXT_UDP_PORT || ext.len == 2;
    }
    CHECK(spec.n_exts == h->n_exts);

    /* E without a chain is not built. */
    if (h->flags & GTPU_F_E && !h->n_exts) {
        buildable = false;
    }
    if (!buildable) {
        return;
    }

    int n = gtpu_build_header(buf, sizeof buf, &spec, h->payload_len);

    CHECK(n == h->hdr_len);
    CHECK(buf[0] == (data[0] & ~GTPU_F_SPARE));
    CHECK(!memcmp(buf + 1, data + 1, 7));
    if (n > GTPU_HLEN) {
        CHECK(!h->has_seq || !memcmp(buf + 8, data + 8, 2));
        CHECK(!h->has_npdu || buf[10] == data[10]);
        CHECK(!h->n_exts || buf[11] == data[11]);
        CHECK(!memcmp(buf + 12, data + 12, (size_t) n - 12));
    }
}

/* Parses a packet of 'total' octets, the first 'linear' at 'octets'. */
static void
check_packet(const uint8_t *octets, size_t linear, size_t total)
{
    uint8_t *data = malloc(linear ? linear : 1);
    struct gtpu_header h, naive;
    enum gtpu_error error;

    CHECK(data);
    if (linear) {
        memcpy(data, octets, linear);
    }

    error = gtpu_parse(data, linear, total, NULL, &h);
    CHECK(error == naive_parse(data, linear, total, NULL, &naive));
    CHECK(error < GTPU_N_ERRORS);
    if (!error || error == GTPU_ERR_EXT_REQUIRED) {
        CHECK(!naive_header_diff(&h, &naive));
        CHECK(h.hdr_len <= linear && h.hdr_len <= GTPU_HLEN_MAX);
        CHECK(h.hdr_len + (size_t) h.payload_len + h.trailing_len == total);
        check_rebuild(data, &h);
        check_ies(data, linear, &h);
        check_inner(data, linear, &h);
    }
    free(data);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* The place of the cut is taken from the packet, so that the fuzzer can
     * move it. */
    size_t cut = size ? data[size - 1] % (size + 1) : 0;

    check_packet(data, size, size);
    check_packet(data, cut, size);
    return 0;
}

#ifdef FUZZ_REPLAY
static void
replay(const uint8_t *data, size_t size)
{
    LLVMFuzzerTestOneInput(data, size);
    for (size_t cut = 0; cut < size; cut++) {
        check_packet(data, cut, size);
        check_packet(data, cut, cut);
    }
}
#endif
