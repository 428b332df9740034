/* SPDX-License-Identifier: Apache-2.0 */

/* Tests of the GTP-U parser (lib/gtpu/gtpu-parse.c, lib/gtpu/gtpu-ie.c).
 *
 * Every packet here is parsed by lib/ and by the naive decoder, which must
 * agree.  The vectors also say the result.  Packets are in heap blocks of
 * their exact size: run this under AddressSanitizer or valgrind to see reads
 * past the end.
 *
 * GTPU_TEST_SEED in the environment changes the seed of the random tests. */

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/unit/gtpu-hex.h"
#include "tests/unit/gtpu-naive.h"
#include "lib/gtpu/gtpu-ie.h"
#include "lib/gtpu/gtpu-name.h"
#include "lib/gtpu/gtpu-parse.h"

/* How often each error was seen, for test_every_error_reached(). */
static unsigned long n_seen[GTPU_N_ERRORS];

/* Parses the first 'linear' of 'total' octets with both decoders, fails the
 * test unless they agree, and returns what they agree on. */
static enum gtpu_error
parse_both(const uint8_t *data, size_t linear, size_t total,
           const struct gtpu_ext_set *known, struct gtpu_header *h)
{
    enum gtpu_error error = gtpu_parse(data, linear, total, known, h);
    struct gtpu_header naive;
    enum gtpu_error naive_error;
    const char *diff = NULL;

    naive_error = naive_parse(data, linear, total, known, &naive);
    if (!error || error == GTPU_ERR_EXT_REQUIRED) {
        diff = naive_header_diff(h, &naive);
    } else if (h->flags != naive.flags || h->msg_type != naive.msg_type
               || h->length != naive.length || h->teid != naive.teid) {
        diff = "first 8 octets";
    }
    if (error != naive_error || diff) {
        fprintf(stderr, "%s != naive %s, %s:", gtpu_error_name(error),
                gtpu_error_name(naive_error), diff ? diff : "");
        for (size_t i = 0; i < linear && i < total; i++) {
            fprintf(stderr, " %02x", data[i]);
        }
        fprintf(stderr, " linear %zu total %zu\n", linear, total);
        fail();
    }
    n_seen[error]++;
    return error;
}

static enum gtpu_error
parse_ies_both(const uint8_t *data, size_t linear,
               const struct gtpu_header *h, struct gtpu_ies *ies)
{
    enum gtpu_error error = gtpu_parse_ies(data, linear, h, ies);
    struct gtpu_ies naive;

    assert_int_equal(error, naive_parse_ies(data, linear, h, &naive));
    if (!error || error == GTPU_ERR_IE_MISSING) {
        const char *diff = naive_ies_diff(ies, &naive);

        if (diff) {
            fail_msg("IEs differ in %s", diff);
        }
    }
    n_seen[error]++;
    return error;
}

static enum gtpu_error
inner_both(const uint8_t *payload, size_t linear, size_t payload_len,
           enum gtpu_inner *inner)
{
    enum gtpu_error error;
    enum gtpu_inner naive;

    error = gtpu_inner_type(payload, linear, payload_len, inner);
    assert_int_equal(error, naive_inner_type(payload, linear, payload_len,
                                             &naive));
    assert_int_equal(*inner, naive);
    assert_int_equal(!error, *inner != GTPU_INNER_NONE);
    n_seen[error]++;
    return error;
}

/* Parses the packet 'hex' and returns the result. */
static enum gtpu_error
parse_hex(const char *hex, struct gtpu_header *h)
{
    enum gtpu_error error;
    uint8_t *data;
    size_t n;

    data = hex_to_octets(hex, &n);
    assert_non_null(data);
    error = parse_both(data, n, n, NULL, h);
    free(data);
    return error;
}

/* Parses the packet 'hex' and fails the test unless the result is
 * 'expected'. */
#define ASSERT_PARSE(HEX, EXPECTED) \
    assert_string_equal(gtpu_error_name(parse_hex(HEX, &h)), \
                        gtpu_error_name(EXPECTED))

/* Likewise for the signalling message 'hex' and its IEs. */
static enum gtpu_error
parse_ies_hex(const char *hex, struct gtpu_ies *ies)
{
    struct gtpu_header h;
    enum gtpu_error error;
    uint8_t *data;
    size_t n;

    data = hex_to_octets(hex, &n);
    assert_non_null(data);
    assert_int_equal(parse_both(data, n, n, NULL, &h), GTPU_OK);
    error = parse_ies_both(data, n, &h, ies);
    free(data);
    return error;
}

#define ASSERT_IES(HEX, EXPECTED) \
    assert_string_equal(gtpu_error_name(parse_ies_hex(HEX, &ies)), \
                        gtpu_error_name(EXPECTED))

static void
test_plain_header(void **state)
{
    struct gtpu_header h;

    (void) state;
    ASSERT_PARSE("30 ff 0003 12345678 aabbcc", GTPU_OK);
    assert_int_equal(h.flags, 0x30);
    assert_int_equal(h.msg_type, GTPU_MSG_G_PDU);
    assert_int_equal(h.length, 3);
    assert_int_equal(h.teid, 0x12345678);
    assert_int_equal(h.hdr_len, 8);
    assert_int_equal(h.payload_len, 3);
    assert_int_equal(h.trailing_len, 0);
    assert_false(h.has_seq || h.has_npdu || h.has_psc);
    assert_int_equal(h.n_exts, 0);

    ASSERT_PARSE("30 fe 0000 00000000", GTPU_OK);
    assert_int_equal(h.payload_len, 0);
    assert_int_equal(h.teid, 0);

    /* A null pointer is good for no octets. */
    assert_int_equal(parse_both(NULL, 0, 0, NULL, &h), GTPU_ERR_SHORT);
    assert_int_equal(parse_both(NULL, 0, 8, NULL, &h), GTPU_ERR_NOT_LINEAR);
}

/* Each field of the optional word counts only with its own flag. */
static void
test_optional_word(void **state)
{
    struct gtpu_header h;

    (void) state;
    ASSERT_PARSE("32 ff 0005 00000001 1234 56 85 99", GTPU_OK);
    assert_true(h.has_seq && !h.has_npdu && !h.has_psc);
    assert_int_equal(h.seq, 0x1234);
    assert_int_equal(h.npdu, 0);
    assert_int_equal(h.hdr_len, 12);
    assert_int_equal(h.payload_len, 1);

    ASSERT_PARSE("31 ff 0005 00000001 1234 56 85 99", GTPU_OK);
    assert_true(!h.has_seq && h.has_npdu && !h.has_psc);
    assert_int_equal(h.seq, 0);
    assert_int_equal(h.npdu, 0x56);
    assert_int_equal(h.payload_len, 1);

    /* E with next type 0: no chain. */
    ASSERT_PARSE("34 ff 0005 00000001 1234 56 00 99", GTPU_OK);
    assert_true(!h.has_seq && !h.has_npdu && !h.has_psc);
    assert_int_equal(h.n_exts, 0);
    assert_int_equal(h.hdr_len, 12);

    ASSERT_PARSE("37 ff 0009 00000001 1234 56 85 01 10 09 00 99", GTPU_OK);
    assert_true(h.has_seq && h.has_npdu && h.has_psc);
    assert_int_equal(h.hdr_len, 16);
    assert_int_equal(h.payload_len, 1);

    ASSERT_PARSE("32 ff 0003 00000001 1234 56", GTPU_ERR_OPT_TRUNC);
    ASSERT_PARSE("31 ff 0000 00000001", GTPU_ERR_OPT_TRUNC);
}

static void
test_first_octet(void **state)
{
    struct gtpu_header h;

    (void) state;
    ASSERT_PARSE("38 ff 0001 00000001 45", GTPU_OK);    /* Spare bit. */
    ASSERT_PARSE("50 ff 0001 00000001 45", GTPU_ERR_VERSION);
    ASSERT_PARSE("10 ff 0001 00000001 45", GTPU_ERR_VERSION);
    ASSERT_PARSE("f0 ff 0001 00000001 45", GTPU_ERR_VERSION);
    ASSERT_PARSE("20 ff 0001 00000001 45", GTPU_ERR_PT);
    ASSERT_PARSE("", GTPU_ERR_SHORT);
    ASSERT_PARSE("30 ff 0000 000000", GTPU_ERR_SHORT);

    /* The log shows this of a refused packet. */
    ASSERT_PARSE("50 ff 0002 0000abcd 45", GTPU_ERR_VERSION);
    assert_int_equal(h.flags, 0x50);
    assert_int_equal(h.length, 2);
    assert_int_equal(h.teid, 0xabcd);
}

static void
test_length_field(void **state)
{
    struct gtpu_header h;

    (void) state;
    ASSERT_PARSE("30 ff 0002 00000001 45", GTPU_ERR_LENGTH);
    ASSERT_PARSE("30 ff ffff 00000001 45", GTPU_ERR_LENGTH);

    /* Octets after the stated length are not payload... */
    ASSERT_PARSE("30 ff 0001 00000001 45 eeeeee", GTPU_OK);
    assert_int_equal(h.payload_len, 1);
    assert_int_equal(h.trailing_len, 3);

    /* ...and complete no header. */
    ASSERT_PARSE("32 ff 0000 00000001 1234 56 00", GTPU_ERR_OPT_TRUNC);
    ASSERT_PARSE("34 ff 0004 00000001 0000 00 85 01 10 09 00",
                 GTPU_ERR_EXT_TRUNC);
    ASSERT_PARSE("34 ff 0007 00000001 0000 00 85 01 10 09 00",
                 GTPU_ERR_EXT_TRUNC);
    ASSERT_PARSE("34 ff 0008 00000001 0000 00 85 01 10 09 00 ee", GTPU_OK);
    assert_int_equal(h.payload_len, 0);
    assert_int_equal(h.trailing_len, 1);
}

static void
test_chain(void **state)
{
    struct gtpu_header h;

    (void) state;
    ASSERT_PARSE("34 ff 0008 00000001 0000 00 20 00 00 00 00",
                 GTPU_ERR_EXT_ZERO);
    ASSERT_PARSE("34 ff 0008 00000001 0000 00 20 02 00 00 00",
                 GTPU_ERR_EXT_TRUNC);
    ASSERT_PARSE("34 ff 0008 00000001 0000 00 20 ff 00 00 00",
                 GTPU_ERR_EXT_TRUNC);
    /* The chain goes on exactly at the end. */
    ASSERT_PARSE("34 ff 0008 00000001 0000 00 20 01 00 00 20",
                 GTPU_ERR_EXT_TRUNC);

    /* Any place for a PDU Session Container, but only one. */
    ASSERT_PARSE("34 ff 0011 00000001 0000 00 20 01 00 00 85"
                 "01 00 49 40 01 08 68 00 45", GTPU_OK);
    assert_int_equal(h.n_exts, 3);
    assert_true(h.has_psc);
    assert_int_equal(h.psc.qfi, 9);
    assert_int_equal(h.hdr_len, 24);
    assert_int_equal(h.payload_len, 1);
    ASSERT_PARSE("34 ff 000c 00000001 0000 00 85 01 00 09 85 01 00 09 00",
                 GTPU_ERR_PSC_DUP);

    /* Eight headers pass, nine do not. */
    ASSERT_PARSE("34 ff 0024 00000001 0000 00 20"
                 "01000020 01000020 01000020 01000020"
                 "01000020 01000020 01000020 01000000", GTPU_OK);
    assert_int_equal(h.n_exts, GTPU_MAX_EXTS);
    ASSERT_PARSE("34 ff 0028 00000001 0000 00 20"
                 "01000020 01000020 01000020 01000020 01000020"
                 "01000020 01000020 01000020 01000000", GTPU_ERR_EXT_COUNT);
}

/* The longest possible chain, at the longest length field. */
static void
test_longest_chain(void **state)
{
    enum { N = GTPU_HLEN + UINT16_MAX };
    uint8_t *data = calloc(1, N);
    struct gtpu_header h;

    (void) state;
    assert_non_null(data);
    memcpy(data, "\x34\xff\xff\xff\0\0\0\1\0\0\0\x20", 12);
    for (int i = 0; i < GTPU_MAX_EXTS; i++) {
        uint8_t *ext = &data[12 + i * GTPU_EXT_MAX_LEN];

        ext[0] = 0xff;
        ext[GTPU_EXT_MAX_LEN - 1] = i < GTPU_MAX_EXTS - 1 ? 0x20 : 0;
    }
    assert_int_equal(parse_both(data, N, N, NULL, &h), GTPU_OK);
    assert_int_equal(h.hdr_len, GTPU_HLEN_MAX);
    assert_int_equal(h.payload_len, N - GTPU_HLEN_MAX);
    assert_int_equal(parse_both(data, N, SIZE_MAX / 16, NULL, &h), GTPU_OK);
    assert_true(h.trailing_len == SIZE_MAX / 16 - N);
    assert_int_equal(parse_both(data, GTPU_HLEN_MAX, N, NULL, &h), GTPU_OK);
    assert_int_equal(parse_both(data, GTPU_HLEN_MAX - 1, N, NULL, &h),
                     GTPU_ERR_NOT_LINEAR);
    free(data);
}

static void
test_comprehension(void **state)
{
    static const uint8_t types[] = { 0x20, 0x3f, 0x40, 0x7f, 0x81, 0xbf,
                                     0xc0, 0xff };
    struct gtpu_header h;

    (void) state;
    for (size_t i = 0; i < sizeof types; i++) {
        uint8_t pkt[] = "\x34\xff\0\x08\0\0\0\1\0\0\0?\1\0\0";
        struct gtpu_ext_set known = { { 0, 0, 0, 0 } };
        bool required = types[i] >= 0x80;

        pkt[11] = types[i];
        assert_int_equal(parse_both(pkt, sizeof pkt, sizeof pkt, NULL, &h),
                         required ? GTPU_ERR_EXT_REQUIRED : GTPU_OK);
        assert_int_equal(h.unknown_ext, required ? types[i] : 0);
        assert_int_equal(h.hdr_len, 16);

        gtpu_ext_set_add(&known, types[i]);
        assert_int_equal(parse_both(pkt, sizeof pkt, sizeof pkt, &known, &h),
                         GTPU_OK);
        assert_int_equal(h.unknown_ext, 0);
    }

    /* The first of several; the rest is parsed too. */
    ASSERT_PARSE("34 ff 0015 00000001 0000 00 20 01000082 01000085"
                 "011007c0 01000000 45", GTPU_ERR_EXT_REQUIRED);
    assert_int_equal(h.unknown_ext, 0x82);
    assert_int_equal(h.n_exts, 4);
    assert_int_equal(h.psc.qfi, 7);
    assert_int_equal(h.payload_len, 1);

    /* A malformed chain is reported before anything else. */
    ASSERT_PARSE("34 ff 000c 00000001 0000 00 82 01000020 00000000",
                 GTPU_ERR_EXT_ZERO);

    /* A caller need not know the PDU Session Container. */
    const struct gtpu_ext_set none = { { 0, 0, 0, 0 } };

    assert_int_equal(parse_both((const uint8_t *)
                                "\x34\xff\0\x08\0\0\0\1\0\0\0\x85\1\x10\7\0",
                                16, 16, &none, &h), GTPU_ERR_EXT_REQUIRED);
    assert_int_equal(h.unknown_ext, GTPU_EXT_PSC);
    assert_int_equal(h.psc.qfi, 7);

    assert_int_equal(gtpu_ext_class(0x3f), GTPU_EXT_CLASS_FORWARD);
    assert_int_equal(gtpu_ext_class(0x40), GTPU_EXT_CLASS_DISCARD);
    assert_int_equal(gtpu_ext_class(0x85), GTPU_EXT_CLASS_ENDPOINT);
    assert_int_equal(gtpu_ext_class(0xc0), GTPU_EXT_CLASS_ALL);
}

static void
test_psc(void **state)
{
    struct gtpu_header h;

    (void) state;
    ASSERT_PARSE("34 ff 0008 00000001 0000 00 85 01 00 7f 00", GTPU_OK);
    assert_int_equal(h.psc.pdu_type, GTPU_PSC_DL);
    assert_int_equal(h.psc.qfi, 63);
    assert_true(h.psc.rqi && !h.psc.has_ppi);

    ASSERT_PARSE("34 ff 000c 00000001 0000 00 85 02 00 81 bf 00 00 00 00",
                 GTPU_OK);
    assert_int_equal(h.psc.qfi, 1);
    assert_true(!h.psc.rqi && h.psc.has_ppi);
    assert_int_equal(h.psc.ppi, 5);

    /* RQI and PPP have no meaning in the uplink. */
    ASSERT_PARSE("34 ff 000c 00000001 0000 00 85 02 10 c1 ff 00 00 00 00",
                 GTPU_ERR_PSC_TRUNC);
    ASSERT_PARSE("34 ff 0010 00000001 0000 00 85"
                 "03 10 c1 ff 00 00 00 00 00 00 00 00", GTPU_OK);
    assert_int_equal(h.psc.pdu_type, GTPU_PSC_UL);
    assert_int_equal(h.psc.qfi, 1);
    assert_false(h.psc.rqi || h.psc.has_ppi || h.psc.ppi);
    assert_int_equal(h.psc.flags, GTPU_PSC_F_UL_N3N9 | GTPU_PSC_F_UL_NEW_IE);

    /* PPP, QMP and SNP in the downlink: 14 octets. */
    ASSERT_PARSE("34 ff 0014 00000001 0000 00 85"
                 "04 0c c9 60 1122334455667788 010203 00", GTPU_OK);
    assert_int_equal(h.psc.flags, GTPU_PSC_F_QMP | GTPU_PSC_F_DL_SNP);
    assert_int_equal(h.psc.ppi, 3);
    ASSERT_PARSE("34 ff 0010 00000001 0000 00 85"
                 "03 0c c9 60 1122334455667788 00", GTPU_ERR_PSC_TRUNC);

    ASSERT_PARSE("34 ff 0008 00000001 0000 00 85 01 00 89 00",
                 GTPU_ERR_PSC_TRUNC);
    ASSERT_PARSE("34 ff 0008 00000001 0000 00 85 01 18 09 00",
                 GTPU_ERR_PSC_TRUNC);
    ASSERT_PARSE("34 ff 0008 00000001 0000 00 85 01 20 09 00",
                 GTPU_ERR_PSC_TYPE);
    ASSERT_PARSE("34 ff 0008 00000001 0000 00 85 01 f0 09 00",
                 GTPU_ERR_PSC_TYPE);

    /* Less than the shortest extension header, given to the function
     * itself. */
    assert_int_equal(gtpu_psc_parse(NULL, 0, &h.psc), GTPU_ERR_PSC_TRUNC);
    assert_int_equal(gtpu_psc_parse((const uint8_t *) "", 1, &h.psc),
                     GTPU_ERR_PSC_TRUNC);
}

/* Every first two octets of a container in every length up to all fields. */
static void
test_psc_exhaustive(void **state)
{
    (void) state;
    for (unsigned int n = 1; n <= 12; n++) {
        size_t len = GTPU_HLEN + GTPU_OPT_LEN + n * 4;
        uint8_t *data = malloc(len);

        assert_non_null(data);
        memset(data, 0xa5, len);
        memcpy(data, "\x34\xff\0\0\0\0\0\1\0\0\0\x85", 12);
        data[3] = (uint8_t) (len - GTPU_HLEN);
        data[12] = (uint8_t) n;
        data[len - 1] = 0;
        for (unsigned int i = 0; i < 65536; i++) {
            struct gtpu_header h;

            data[13] = (uint8_t) (i >> 8);
            data[14] = (uint8_t) i;
            parse_both(data, len, len, NULL, &h);
        }
        free(data);
    }
}

static void
test_ext_iter(void **state)
{
    uint8_t pkt[] = "\x34\xff\0\x11\0\0\0\1\0\0\0\x20" "\1\xab\0\x85"
                    "\2\x10\7\0\0\0\0\0" "E";
    size_t n = sizeof pkt - 1;
    struct gtpu_ext_iter iter;
    struct gtpu_header h;
    struct gtpu_ext ext;

    (void) state;
    assert_int_equal(parse_both(pkt, n, n, NULL, &h), GTPU_OK);
    gtpu_ext_iter_init(&iter, pkt, &h);
    assert_true(gtpu_ext_iter_next(&iter, &ext));
    assert_int_equal(ext.type, 0x20);
    assert_int_equal(ext.len, 2);
    assert_ptr_equal(ext.content, &pkt[13]);
    assert_true(gtpu_ext_iter_next(&iter, &ext));
    assert_int_equal(ext.type, 0x85);
    assert_int_equal(ext.len, 6);
    assert_false(gtpu_ext_iter_next(&iter, &ext));
    assert_false(gtpu_ext_iter_next(&iter, &ext));

    /* The octets change during the walk, which stays within the header. */
    static const uint8_t lengths[] = { 0, 1, 2, 3, 4, 255 };
    uint8_t *exact = malloc(h.hdr_len);

    assert_non_null(exact);
    memcpy(exact, pkt, h.hdr_len);
    exact[19] = exact[23] = 0x20;
    for (size_t i = 0; i < sizeof lengths; i++) {
        int count = 0;

        exact[16] = lengths[i];
        gtpu_ext_iter_init(&iter, exact, &h);
        while (gtpu_ext_iter_next(&iter, &ext)) {
            assert_true(ext.content + ext.len + 1 <= exact + h.hdr_len);
            assert_true(++count < 8);
        }
    }
    free(exact);

    /* No E, no walk. */
    pkt[0] = 0x32;
    assert_int_equal(parse_both(pkt, n, n, NULL, &h), GTPU_OK);
    gtpu_ext_iter_init(&iter, pkt, &h);
    assert_false(gtpu_ext_iter_next(&iter, &ext));
}

static void
test_inner(void **state)
{
    uint8_t p[64] = { 0 };
    enum gtpu_inner inner;

    (void) state;
    assert_int_equal(inner_both(NULL, 0, 0, &inner), GTPU_ERR_INNER_EMPTY);
    assert_int_equal(inner_both(NULL, 0, 20, &inner), GTPU_ERR_NOT_LINEAR);

    p[0] = 0x45;
    p[3] = 20;
    assert_int_equal(inner_both(p, 20, 20, &inner), GTPU_OK);
    assert_int_equal(inner, GTPU_INNER_IPV4);
    assert_int_equal(inner_both(p, 4, 64, &inner), GTPU_OK);
    assert_int_equal(inner_both(p, 3, 64, &inner), GTPU_ERR_NOT_LINEAR);
    assert_int_equal(inner_both(p, 64, 19, &inner), GTPU_ERR_INNER_TRUNC);
    p[3] = 21;
    assert_int_equal(inner_both(p, 20, 20, &inner), GTPU_ERR_INNER_LENGTH);
    p[3] = 19;
    assert_int_equal(inner_both(p, 20, 20, &inner), GTPU_ERR_INNER_LENGTH);
    p[0] = 0x44;
    p[3] = 20;
    assert_int_equal(inner_both(p, 20, 20, &inner), GTPU_ERR_INNER_LENGTH);
    p[0] = 0x4f;
    p[3] = 60;
    assert_int_equal(inner_both(p, 60, 59, &inner), GTPU_ERR_INNER_TRUNC);
    assert_int_equal(inner_both(p, 60, 60, &inner), GTPU_OK);

    p[0] = 0x60;
    p[3] = p[4] = p[5] = 0;
    assert_int_equal(inner_both(p, 40, 40, &inner), GTPU_OK);
    assert_int_equal(inner, GTPU_INNER_IPV6);
    assert_int_equal(inner_both(p, 5, 40, &inner), GTPU_ERR_NOT_LINEAR);
    assert_int_equal(inner_both(p, 40, 39, &inner), GTPU_ERR_INNER_TRUNC);
    p[5] = 1;
    assert_int_equal(inner_both(p, 40, 40, &inner), GTPU_ERR_INNER_LENGTH);

    for (unsigned int i = 0; i < 256; i++) {
        p[0] = (uint8_t) i;
        for (unsigned int tot = 0; tot < 70; tot++) {
            p[3] = p[5] = (uint8_t) tot;
            for (size_t n = 0; n <= 64; n++) {
                for (size_t linear = 0; linear < 8; linear++) {
                    inner_both(p, linear, n, &inner);
                }
            }
        }
        if (i >> 4 != 4 && i >> 4 != 6) {
            assert_int_equal(inner_both(p, 64, 64, &inner),
                             GTPU_ERR_INNER_VERSION);
        }
    }
}

/* Every TTL and every inner address is accepted: Open vSwitch 3.1.0 refuses
 * some. */
static void
test_inner_any_ttl(void **state)
{
    uint8_t p[40] = { 0x45, 0, 0, 40 };
    enum gtpu_inner inner;

    (void) state;
    for (unsigned int ttl = 0; ttl < 256; ttl++) {
        p[8] = (uint8_t) ttl;
        assert_int_equal(inner_both(p, 40, 40, &inner), GTPU_OK);
        assert_int_equal(inner, GTPU_INNER_IPV4);
    }
    p[0] = 0x60;
    p[3] = 0;
    for (unsigned int octet = 0; octet < 256; octet++) {
        p[8] = (uint8_t) octet;
        assert_int_equal(inner_both(p, 40, 40, &inner), GTPU_OK);
        assert_int_equal(inner, GTPU_INNER_IPV6);
    }
}

static void
test_ies(void **state)
{
    struct gtpu_ies ies;

    (void) state;
    ASSERT_IES("32 01 0004 00000000 0001 00 00", GTPU_OK);
    assert_int_equal(ies.n_ies, 0);
    ASSERT_IES("32 02 0006 00000000 0001 00 00 0e 07", GTPU_OK);
    assert_int_equal(ies.present, GTPU_HAS_RECOVERY);
    assert_int_equal(ies.recovery, 7);

    ASSERT_IES("32 1a 0010 00000000 0000 00 00 10 89abcdef 85 0004 c0000201",
               GTPU_OK);
    assert_int_equal(ies.present, GTPU_HAS_TEID | GTPU_HAS_PEER);
    assert_int_equal(ies.teid, 0x89abcdef);
    assert_int_equal(ies.peer_len, 4);
    assert_memory_equal(ies.peer, "\xc0\x00\x02\x01", 4);

    /* IPv6, UDP Port, a Private Extension. */
    ASSERT_IES("36 1a 0027 00000000 0000 00 40 01 0868 00 10 00000001"
               "85 0010 20010db8000000000000000000000001 ff 0004 0009 abcd",
               GTPU_OK);
    assert_int_equal(ies.present, GTPU_HAS_TEID | GTPU_HAS_PEER
                     | GTPU_HAS_UDP_PORT | GTPU_HAS_PRIVATE);
    assert_int_equal(ies.udp_port, 2152);
    assert_int_equal(ies.peer_len, 16);
    assert_int_equal(ies.peer[15], 1);
    assert_int_equal(ies.private_id, 9);
    assert_int_equal(ies.private_len, 2);
    assert_int_equal(ies.private_ofs, 45);

    ASSERT_IES("32 1f 0008 00000000 0000 00 00 8d 02 40 85", GTPU_OK);
    assert_int_equal(ies.present, GTPU_HAS_EXT_TYPES);
    assert_memory_equal(&ies.ext_types, &gtpu_ext_set_default,
                        sizeof gtpu_ext_set_default);
    ASSERT_IES("32 1f 0006 00000000 0000 00 00 8d 00", GTPU_OK);

    ASSERT_IES("30 fd 000b 00000005 e6 0001 01 e7 0004 e8000001", GTPU_OK);
    assert_true(ies.spoc);
    assert_int_equal(ies.recovery_time, 0xe8000001);
    ASSERT_IES("30 fe 0000 00000005", GTPU_OK);
}

static void
test_ies_lenient(void **state)
{
    struct gtpu_ies ies;

    (void) state;
    /* Any order; unknown TLVs, 238 and 131, and repetitions are skipped. */
    ASSERT_IES("32 1a 001e 00000000 0000 00 00 85 0004 c0000201 ee 0000"
               "83 0003 616263 10 00000001 10 00000002", GTPU_OK);
    assert_int_equal(ies.teid, 1);
    assert_int_equal(ies.n_ies, 5);
    assert_int_equal(ies.n_skipped, 3);

    /* Mandatory IEs are missing; the rest is parsed nevertheless. */
    ASSERT_IES("32 02 0004 00000000 0001 00 00", GTPU_ERR_IE_MISSING);
    ASSERT_IES("32 1a 0009 00000000 0000 00 00 10 00000001",
               GTPU_ERR_IE_MISSING);
    assert_int_equal(ies.teid, 1);
    ASSERT_IES("32 1f 0004 00000000 0000 00 00", GTPU_ERR_IE_MISSING);
    ASSERT_IES("30 fd 0000 00000000", GTPU_ERR_IE_MISSING);

    /* Octets after the message are not IEs. */
    ASSERT_IES("32 02 0006 00000000 0001 00 00 0e 00 85 ffff", GTPU_OK);
}

static void
test_ies_refused(void **state)
{
    struct gtpu_header h;
    struct gtpu_ies ies;

    (void) state;
    ASSERT_IES("30 ff 0000 00000001", GTPU_ERR_MSG_TYPE);
    ASSERT_IES("30 04 0000 00000001", GTPU_ERR_MSG_TYPE);

    ASSERT_IES("32 02 0005 00000000 0001 00 00 0e", GTPU_ERR_IE_TRUNC);
    ASSERT_IES("32 1a 0008 00000000 0001 00 00 10 000000", GTPU_ERR_IE_TRUNC);
    ASSERT_IES("32 1f 0005 00000000 0001 00 00 8d", GTPU_ERR_IE_TRUNC);
    ASSERT_IES("32 1f 0007 00000000 0001 00 00 8d 02 85", GTPU_ERR_IE_TRUNC);
    ASSERT_IES("32 01 0005 00000000 0001 00 00 ff", GTPU_ERR_IE_TRUNC);
    ASSERT_IES("32 01 0006 00000000 0001 00 00 ff 00", GTPU_ERR_IE_TRUNC);
    ASSERT_IES("32 01 0008 00000000 0001 00 00 ff 0002 00",
               GTPU_ERR_IE_TRUNC);
    ASSERT_IES("32 01 0009 00000000 0001 00 00 ee ffff 0000",
               GTPU_ERR_IE_TRUNC);
    /* Trailing octets do not complete an IE. */
    ASSERT_IES("32 02 0005 00000000 0001 00 00 0e 00", GTPU_ERR_IE_TRUNC);

    ASSERT_IES("32 01 0006 00000000 0001 00 00 0f 00", GTPU_ERR_IE_UNKNOWN_TV);
    ASSERT_IES("32 01 0006 00000000 0001 00 00 00 00", GTPU_ERR_IE_UNKNOWN_TV);
    ASSERT_IES("32 01 0006 00000000 0001 00 00 7f 00", GTPU_ERR_IE_UNKNOWN_TV);

    ASSERT_IES("32 1a 000c 00000000 0000 00 00 85 0005 c000020100",
               GTPU_ERR_IE_LENGTH);
    ASSERT_IES("32 1a 0007 00000000 0000 00 00 85 0000", GTPU_ERR_IE_LENGTH);
    ASSERT_IES("32 01 0008 00000000 0000 00 00 ff 0001 00",
               GTPU_ERR_IE_LENGTH);
    ASSERT_IES("30 fd 0003 00000000 e6 0000", GTPU_ERR_IE_LENGTH);
    ASSERT_IES("30 fd 0006 00000000 e7 0003 000000", GTPU_ERR_IE_LENGTH);

    ASSERT_IES("36 1a 0018 00000000 0000 00 40 02 0868 00000000 00"
               "10 00000001 85 0004 c0000201", GTPU_ERR_EXT_LENGTH);

    /* 32 IEs pass, 33 do not. */
    uint8_t pkt[8 + 33 * 3] = { 0x30, 0xfe, 0, 33 * 3 };

    for (int i = 0; i < 33; i++) {
        pkt[8 + i * 3] = 0xee;
    }
    assert_int_equal(parse_both(pkt, sizeof pkt, sizeof pkt, NULL, &h),
                     GTPU_OK);
    assert_int_equal(parse_ies_both(pkt, sizeof pkt, &h, &ies),
                     GTPU_ERR_IE_COUNT);
    pkt[3] = 32 * 3;
    assert_int_equal(parse_both(pkt, sizeof pkt, sizeof pkt, NULL, &h),
                     GTPU_OK);
    assert_int_equal(parse_ies_both(pkt, sizeof pkt, &h, &ies), GTPU_OK);
    assert_int_equal(parse_ies_both(pkt, sizeof pkt - 4, &h, &ies),
                     GTPU_ERR_NOT_LINEAR);
    assert_int_equal(parse_ies_both(pkt, sizeof pkt - 3, &h, &ies), GTPU_OK);
}

/* A Private Extension at the very end of the longest message: its offset does
 * not fit into 16 bits. */
static void
test_ies_last_offset(void **state)
{
    enum { N = GTPU_HLEN + UINT16_MAX };
    uint8_t *data = calloc(1, N);
    struct gtpu_header h;
    struct gtpu_ies ies;

    (void) state;
    assert_non_null(data);
    memcpy(data, "\x30\xfe\xff\xff\0\0\0\1\xee\xff\xf7", 11);
    memcpy(data + N - 5, "\xff\0\2\x12\x34", 5);
    assert_int_equal(parse_both(data, N, N, NULL, &h), GTPU_OK);
    assert_int_equal(parse_ies_both(data, N, &h, &ies), GTPU_OK);
    assert_int_equal(ies.private_id, 0x1234);
    assert_int_equal(ies.private_ofs, N);
    assert_int_equal(ies.private_len, 0);
    free(data);
}

/* Parses the packet of 'total' octets with 'flags', next type 'next' and the
 * length field 'length', once for each linear length. */
static void
check_truncated(unsigned int flags, unsigned int next, size_t length,
                size_t total)
{
    uint8_t full[64];

    memset(full, 0x20, sizeof full);
    full[0] = (uint8_t) (0x30 | flags);
    full[1] = GTPU_MSG_G_PDU;
    full[2] = 0;
    full[3] = (uint8_t) length;
    full[11] = (uint8_t) next;
    memcpy(full + 12, "\1\x10\x09\x20\3", 5);
    memcpy(full + 27, "\x20\1\0\0", 4);

    for (size_t linear = 0; linear <= total; linear++) {
        uint8_t *data = malloc(linear ? linear : 1);
        struct gtpu_header h;

        assert_non_null(data);
        memcpy(data, full, linear);
        parse_both(data, linear, total, NULL, &h);
        free(data);
    }
}

/* Each combination of flags, with and without a chain, cut at each length,
 * with each length field around it. */
static void
test_exhaustive_truncation(void **state)
{
    (void) state;
    for (unsigned int flags = 0; flags < 16; flags++) {
        for (size_t total = 0; total <= 64; total++) {
            for (size_t length = 0; length <= 72; length++) {
                check_truncated(flags, GTPU_EXT_NONE, length, total);
                check_truncated(flags, GTPU_EXT_PSC, length, total);
            }
        }
    }
}

/* GTPU_ERR_NOT_LINEAR comes exactly when the linear part ends before the
 * headers of a packet that is right otherwise. */
static void
test_not_linear(void **state)
{
    static const char hex[] =
        "36 ff 0014 00000001 0001 00 20 01 00 00 85 02 00 89 40 000000 00"
        "45000000";
    struct gtpu_header h;
    uint8_t *data;
    size_t n;

    (void) state;
    data = hex_to_octets(hex, &n);
    assert_non_null(data);
    for (size_t linear = 0; linear <= n; linear++) {
        assert_int_equal(parse_both(data, linear, n, NULL, &h),
                         linear < 24 ? GTPU_ERR_NOT_LINEAR : GTPU_OK);
    }
    /* 'linear_len' beyond 'total_len' does not count. */
    assert_int_equal(parse_both(data, n, 7, NULL, &h), GTPU_ERR_SHORT);
    assert_int_equal(parse_both(data, n, 20, NULL, &h), GTPU_ERR_LENGTH);
    free(data);
}

/* xorshift64*, so that a seed gives the same packets everywhere. */
static uint64_t rng = UINT64_C(0x9e3779b97f4a7c15);

static unsigned int
rnd(unsigned int n)
{
    rng ^= rng >> 12;
    rng ^= rng << 25;
    rng ^= rng >> 27;
    return (unsigned int) ((rng * UINT64_C(0x2545f4914f6cdd1d)) >> 33) % n;
}

static uint8_t
rnd_octet(void)
{
    return (uint8_t) rnd(256);
}

/* Appends a random IE. */
static size_t
random_ie(uint8_t *p)
{
    static const uint8_t types[] = { 14, 16, 133, 141, 230, 231, 255, 200 };
    uint8_t type = types[rnd(sizeof types)];
    unsigned int len = (type == 133 ? (rnd(2) ? 4 : 16) : rnd(12));
    size_t n = 0;

    p[n++] = type;
    if (type == 14) {
        len = 1;
    } else if (type == 16) {
        len = 4;
    } else {
        if (type != 141) {
            p[n++] = 0;
        }
        p[n++] = (uint8_t) len;
    }
    while (len--) {
        p[n++] = rnd_octet();
    }
    return n;
}

/* Makes a packet of at most 'max' octets, most of the time a valid one. */
static size_t
random_packet(uint8_t *p)
{
    static const uint8_t msgs[] = { 1, 2, 26, 31, 253, 254, 255, 255 };
    static const uint8_t exts[] = { 0x85, 0x85, 0x40, 0x20, 0x03, 0x82,
                                    0xc0, 0x84 };
    size_t n = 12;

    memset(p, 0, 12);
    p[0] = (uint8_t) (0x30 | rnd(16));
    p[1] = msgs[rnd(sizeof msgs)];
    for (int i = 4; i < 11; i++) {
        p[i] = rnd_octet();
    }
    if (!(p[0] & 7)) {
        n = 8;
    } else if (p[0] & 4) {
        for (unsigned int i = rnd(rnd(8) ? 4 : 11); i > 0; i--) {
            size_t len = rnd(16) ? 1 + rnd(3) : 1 + rnd(12);

            p[n - 1] = exts[rnd(sizeof exts)];
            for (size_t j = 0; j < len * 4; j++) {
                p[n + j] = rnd_octet();
            }
            p[n] = (uint8_t) len;
            p[n + 1] &= rnd(2) ? 0x10 : 0x1f;
            p[n + 2] &= rnd(2) ? 0x3f : 0xff;
            n += len * 4;
            p[n - 1] = 0;
        }
    }

    if (p[1] == 255) {
        size_t start = n;

        for (unsigned int i = rnd(64); i > 0; i--) {
            p[n++] = rnd_octet();
        }
        if (n > start + 5) {
            p[start] = (uint8_t) (rnd(2) ? 0x45 : 0x60);
            p[start + 2] = p[start + 4] = 0;
            p[start + 3] = (uint8_t) (n - start);
            p[start + 5] = 0;
        }
    } else {
        for (unsigned int i = rnd(6); i > 0; i--) {
            n += random_ie(p + n);
        }
    }
    p[2] = (uint8_t) ((n - 8) >> 8);
    p[3] = (uint8_t) (n - 8);
    return n;
}

static void
test_random(void **state)
{
    const char *seed = getenv("GTPU_TEST_SEED");
    enum { MAX = 12 + 11 * 48 + 6 * 19 + 64 + 64 };
    unsigned long n_ok = 0;

    (void) state;
    if (seed) {
        rng ^= strtoull(seed, NULL, 0) * UINT64_C(0xd1342543de82ef95);
    }
    for (int i = 0; i < 400000; i++) {
        uint8_t buf[MAX];
        size_t n = random_packet(buf);
        size_t linear;
        struct gtpu_header h;
        enum gtpu_error error;
        uint8_t *data;

        for (unsigned int m = rnd(4); m > 0; m--) {
            buf[rnd((unsigned int) (rnd(2) ? n : 16))] = rnd_octet();
        }
        if (!rnd(4)) {
            n = rnd((unsigned int) n + 1);
        } else if (!rnd(4)) {
            memset(buf + n, 0xee, 8);
            n += rnd(8);
        }
        linear = rnd(4) ? n : rnd((unsigned int) n + 1);

        data = malloc(linear ? linear : 1);
        assert_non_null(data);
        memcpy(data, buf, linear);
        error = parse_both(data, linear, n, NULL, &h);
        if (!error && h.msg_type == GTPU_MSG_G_PDU) {
            enum gtpu_inner inner;

            n_ok++;
            inner_both(data + h.hdr_len, linear - h.hdr_len, h.payload_len,
                       &inner);
        } else if (!error) {
            struct gtpu_ies ies;

            n_ok++;
            parse_ies_both(data, linear, &h, &ies);
        }
        free(data);
    }
    /* Enough of the generated packets must be valid. */
    assert_true(n_ok > 100000);
}

static void
test_names(void **state)
{
    (void) state;
    for (int i = 0; i < GTPU_N_ERRORS; i++) {
        const char *name = gtpu_error_name((enum gtpu_error) i);

        /* Fit for a counter. */
        assert_true(*name);
        assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz_"),
                         strlen(name));
        assert_true(*gtpu_error_description((enum gtpu_error) i));
        for (int j = 0; j < i; j++) {
            assert_string_not_equal(name,
                                    gtpu_error_name((enum gtpu_error) j));
        }
    }
    assert_string_equal(gtpu_error_name(GTPU_OK), "ok");
    assert_string_equal(gtpu_error_name(GTPU_ERR_EXT_ZERO), "ext_zero");
    assert_string_equal(gtpu_error_name(GTPU_N_ERRORS), "unknown");
    assert_string_equal(gtpu_error_name((enum gtpu_error) 1000), "unknown");
    assert_string_equal(gtpu_error_description((enum gtpu_error) 1000),
                        "unknown error");

    unsigned int n_msgs = 0;
    unsigned int n_exts = 0;

    for (unsigned int i = 0; i < 256; i++) {
        n_msgs += gtpu_msg_name((uint8_t) i) != NULL;
        n_exts += gtpu_ext_name((uint8_t) i) != NULL;
    }
    assert_int_equal(n_msgs, 7);
    assert_int_equal(n_exts, 11);
    assert_string_equal(gtpu_msg_name(254), "End Marker");
    assert_string_equal(gtpu_ext_name(0x85), "PDU Session Container");
}

/* Must come last: the packets above have caused each error at least once. */
static void
test_every_error_reached(void **state)
{
    (void) state;
    for (int i = 0; i < GTPU_N_ERRORS; i++) {
        print_message("    %-14s %9lu\n",
                      gtpu_error_name((enum gtpu_error) i), n_seen[i]);
        assert_true(n_seen[i] > 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_header),
        cmocka_unit_test(test_optional_word),
        cmocka_unit_test(test_first_octet),
        cmocka_unit_test(test_length_field),
        cmocka_unit_test(test_chain),
        cmocka_unit_test(test_longest_chain),
        cmocka_unit_test(test_comprehension),
        cmocka_unit_test(test_psc),
        cmocka_unit_test(test_psc_exhaustive),
        cmocka_unit_test(test_ext_iter),
        cmocka_unit_test(test_inner),
        cmocka_unit_test(test_inner_any_ttl),
        cmocka_unit_test(test_ies),
        cmocka_unit_test(test_ies_lenient),
        cmocka_unit_test(test_ies_refused),
        cmocka_unit_test(test_ies_last_offset),
        cmocka_unit_test(test_exhaustive_truncation),
        cmocka_unit_test(test_not_linear),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_every_error_reached),
    };

    return cmocka_run_group_tests_name("gtpu-parse", tests, NULL, NULL);
}
