/* SPDX-License-Identifier: Apache-2.0 */

/* Tests of the GTP-U builders (gtpu-build.c): they make the standard's octets,
 * the parser reads them back, and wrong specifications are refused. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/unit/gtpu-hex.h"
#include "lib/gtpu/gtpu-build.h"
#include "lib/gtpu/gtpu-ie.h"
#include "lib/gtpu/gtpu-parse.h"
#include "lib/gtpu/gtpu-tlv.h"

/* Fails the test unless the 'n' octets at 'octets' are 'hex'. */
static void
assert_octets(const uint8_t *octets, int n, const char *hex)
{
    size_t expected_n;
    uint8_t *expected = hex_to_octets(hex, &expected_n);

    assert_non_null(expected);
    assert_int_equal(n, expected_n);
    assert_memory_equal(octets, expected, expected_n);
    free(expected);
}

/* Builds 'spec' into a block of exactly its size, and checks that each smaller
 * size is refused and leaves the block alone.  Returns the length, and the
 * octets in 'buf'. */
static int
build_exact(const struct gtpu_hdr_spec *spec, size_t payload_len,
            uint8_t buf[GTPU_HLEN_MAX])
{
    int n = gtpu_header_len(spec);
    uint8_t *exact;

    assert_true(n >= GTPU_HLEN && n <= GTPU_HLEN_MAX && n % 4 == 0);
    exact = malloc((size_t) n);
    assert_non_null(exact);
    memset(exact, 0xa5, (size_t) n);
    for (int size = 0; size < n; size++) {
        assert_int_equal(gtpu_build_header(exact, (size_t) size, spec,
                                           payload_len), -ENOBUFS);
    }
    for (int i = 0; i < n; i++) {
        assert_int_equal(exact[i], 0xa5);
    }
    assert_int_equal(gtpu_build_header(exact, (size_t) n, spec, payload_len),
                     n);
    memcpy(buf, exact, (size_t) n);
    free(exact);
    return n;
}

static void
test_header(void **state)
{
    uint8_t buf[GTPU_HLEN_MAX];
    struct gtpu_hdr_spec spec = {
        .msg_type = GTPU_MSG_G_PDU,
        .teid = 0x12345678,
        .seq = 0xabcd,
        .npdu = 0xef,
    };

    (void) state;
    assert_octets(buf, build_exact(&spec, 0, buf), "30ff000012345678");
    assert_octets(buf, build_exact(&spec, 0x1234, buf), "30ff123412345678");

    spec.has_seq = true;
    assert_octets(buf, build_exact(&spec, 5, buf),
                  "32ff000912345678 abcd 00 00");
    spec.has_npdu = true;
    assert_octets(buf, build_exact(&spec, 5, buf),
                  "33ff000912345678 abcd ef 00");
    spec.has_seq = false;
    assert_octets(buf, build_exact(&spec, 5, buf),
                  "31ff000912345678 0000 ef 00");
}

static void
test_chain(void **state)
{
    static const uint8_t six[6] = { 1, 2, 3, 4, 5, 6 };
    const struct gtpu_psc psc = { .pdu_type = GTPU_PSC_UL, .qfi = 9 };
    const struct gtpu_ext exts[] = {
        { .type = GTPU_EXT_LONG_PDCP, .len = 6, .content = six },
        { .type = GTPU_EXT_SERVICE_CLASS, .len = 2, .content = six },
    };
    struct gtpu_hdr_spec spec = {
        .msg_type = GTPU_MSG_G_PDU,
        .teid = 1,
        .psc = &psc,
    };
    uint8_t buf[GTPU_HLEN_MAX];

    (void) state;
    assert_octets(buf, build_exact(&spec, 1, buf),
                  "34ff000900000001 0000 00 85 01 10 09 00");
    spec.exts = exts;
    spec.n_exts = 2;
    assert_octets(buf, build_exact(&spec, 1, buf),
                  "34ff001500000001 0000 00 85 01 10 09 03"
                  "02 010203040506 20 01 0102 00");
    spec.psc = NULL;
    spec.n_exts = 1;
    spec.has_seq = true;
    spec.seq = 7;
    assert_octets(buf, build_exact(&spec, 0, buf),
                  "36ff000c00000001 0007 00 03 02 010203040506 00");
}

static void
test_psc(void **state)
{
    uint8_t buf[6];
    struct gtpu_psc psc = { .pdu_type = GTPU_PSC_DL, .qfi = 63 };

    (void) state;
    assert_octets(buf, gtpu_psc_build(buf, 2, &psc), "003f");
    psc.rqi = true;
    assert_octets(buf, gtpu_psc_build(buf, 2, &psc), "007f");
    psc.has_ppi = true;
    psc.ppi = 5;
    memset(buf, 0xff, sizeof buf);
    assert_octets(buf, gtpu_psc_build(buf, 6, &psc), "00ffa0000000");
    assert_int_equal(gtpu_psc_build(buf, 5, &psc), -ENOBUFS);
    psc.ppi = 8;
    assert_int_equal(gtpu_psc_build(buf, 6, &psc), -EINVAL);

    psc = (struct gtpu_psc) { .pdu_type = GTPU_PSC_UL, .qfi = 1 };
    assert_octets(buf, gtpu_psc_build(buf, 2, &psc), "1001");
    assert_int_equal(gtpu_psc_build(buf, 1, &psc), -ENOBUFS);
    psc.rqi = true;
    assert_int_equal(gtpu_psc_build(buf, 6, &psc), -EINVAL);
    psc.rqi = false;
    psc.has_ppi = true;
    assert_int_equal(gtpu_psc_build(buf, 6, &psc), -EINVAL);

    psc = (struct gtpu_psc) { .qfi = 64 };
    assert_int_equal(gtpu_psc_build(buf, 6, &psc), -EINVAL);
    psc = (struct gtpu_psc) { .pdu_type = 2 };
    assert_int_equal(gtpu_psc_build(buf, 6, &psc), -EINVAL);
    psc = (struct gtpu_psc) { .flags = GTPU_PSC_F_QMP };
    assert_int_equal(gtpu_psc_build(buf, 6, &psc), -EINVAL);
}

/* Every container that can be built parses back. */
static void
test_psc_round_trip(void **state)
{
    (void) state;
    for (unsigned int i = 0; i < 64 * 2 * 9 * 2; i++) {
        struct gtpu_psc psc = {
            .pdu_type = i % 2,
            .rqi = i / 2 % 2,
            .qfi = i / 4 % 64,
            .has_ppi = i / 256 != 8,
            .ppi = i / 256 % 8,
        };
        struct gtpu_psc parsed;
        uint8_t buf[6];
        int n = gtpu_psc_build(buf, sizeof buf, &psc);

        if (psc.pdu_type == GTPU_PSC_UL && (psc.rqi || psc.has_ppi)) {
            assert_int_equal(n, -EINVAL);
            continue;
        }
        assert_int_equal(n, psc.has_ppi ? 6 : 2);
        assert_int_equal(gtpu_psc_parse(buf, (size_t) n, &parsed), GTPU_OK);
        assert_int_equal(parsed.pdu_type, psc.pdu_type);
        assert_int_equal(parsed.qfi, psc.qfi);
        assert_int_equal(parsed.rqi, psc.rqi);
        assert_int_equal(parsed.has_ppi, psc.has_ppi);
        assert_int_equal(parsed.ppi, psc.ppi);
        assert_int_equal(parsed.flags, 0);
    }
}

static void
assert_refused(const struct gtpu_hdr_spec *spec)
{
    uint8_t buf[GTPU_HLEN_MAX + 64];

    memset(buf, 0xa5, sizeof buf);
    assert_int_equal(gtpu_header_len(spec), -EINVAL);
    assert_int_equal(gtpu_build_header(buf, sizeof buf, spec, 0), -EINVAL);
    for (size_t i = 0; i < sizeof buf; i++) {
        assert_int_equal(buf[i], 0xa5);
    }
}

static void
test_refused(void **state)
{
    static const uint8_t zeros[GTPU_EXT_MAX_LEN + 4];
    struct gtpu_psc psc = { .qfi = 9 };
    struct gtpu_ext exts[GTPU_MAX_EXTS + 1];
    struct gtpu_hdr_spec spec = { .msg_type = GTPU_MSG_G_PDU, .exts = exts };

    (void) state;
    for (size_t i = 0; i <= GTPU_MAX_EXTS; i++) {
        exts[i] = (struct gtpu_ext) { 0x20, 2, zeros };
    }
    spec.n_exts = GTPU_MAX_EXTS;
    assert_int_equal(gtpu_header_len(&spec), 12 + 4 * GTPU_MAX_EXTS);
    spec.psc = &psc;
    assert_refused(&spec);
    spec.n_exts--;
    assert_int_equal(gtpu_header_len(&spec), 12 + 4 * GTPU_MAX_EXTS);
    spec.psc = NULL;
    spec.n_exts = GTPU_MAX_EXTS + 1;
    assert_refused(&spec);
    spec.n_exts = SIZE_MAX;
    assert_refused(&spec);

    /* Lengths that are not 4n - 2, or do not fit into the octet. */
    spec.n_exts = 1;
    for (unsigned int len = 0; len <= GTPU_EXT_MAX_LEN + 2; len++) {
        exts[0].len = (uint16_t) len;
        if (len % 4 == 2 && len < GTPU_EXT_MAX_LEN) {
            assert_int_equal(gtpu_header_len(&spec), 12 + 2 + len);
        } else {
            assert_refused(&spec);
        }
    }
    exts[0].len = 2;
    exts[0].type = GTPU_EXT_NONE;
    assert_refused(&spec);
    exts[0] = (struct gtpu_ext) { GTPU_EXT_UDP_PORT, 6, zeros };
    assert_refused(&spec);

    /* A second PDU Session Container, or one that is malformed. */
    exts[0] = (struct gtpu_ext) { GTPU_EXT_PSC, 2, zeros };
    assert_int_equal(gtpu_header_len(&spec), 16);
    spec.psc = &psc;
    assert_refused(&spec);
    spec.psc = NULL;
    exts[1] = exts[0];
    spec.n_exts = 2;
    assert_refused(&spec);
    spec.n_exts = 1;
    exts[0].content = (const uint8_t *) "\0\x80";
    assert_refused(&spec);
    exts[0].content = (const uint8_t *) "\x20\0";
    assert_refused(&spec);
    spec.n_exts = 0;
    psc.qfi = 64;
    spec.psc = &psc;
    assert_refused(&spec);
}

static void
test_length_overflow(void **state)
{
    struct gtpu_hdr_spec spec = { .msg_type = GTPU_MSG_G_PDU };
    uint8_t buf[16] = { 0 };

    (void) state;
    assert_int_equal(gtpu_build_header(buf, 8, &spec, 65535), 8);
    assert_octets(buf, 8, "30ffffff00000000");
    assert_int_equal(gtpu_build_header(buf, 8, &spec, 65536), -EMSGSIZE);
    assert_int_equal(gtpu_build_header(buf, 8, &spec, SIZE_MAX), -EMSGSIZE);
    spec.has_seq = true;
    assert_int_equal(gtpu_build_header(buf, 12, &spec, 65532), -EMSGSIZE);
    assert_octets(buf, 8, "30ffffff00000000");
    assert_int_equal(gtpu_build_header(buf, 12, &spec, 65531), 12);
    assert_octets(buf, 8, "32ffffff00000000");

    assert_int_equal(gtpu_set_length(buf, 12, 0), 0);
    assert_octets(buf, 4, "32ff0004");
    assert_int_equal(gtpu_set_length(buf, 12, 65531), 0);
    assert_octets(buf, 4, "32ffffff");
    assert_int_equal(gtpu_set_length(buf, 12, 1500), 0);
    assert_int_equal(gtpu_set_length(buf, 12, 65532), -EMSGSIZE);
    assert_int_equal(gtpu_set_length(buf, 12, SIZE_MAX), -EMSGSIZE);
    assert_octets(buf, 4, "32ff05e0");
}

static void
test_set_seq(void **state)
{
    struct gtpu_hdr_spec spec = { .msg_type = GTPU_MSG_G_PDU };
    uint8_t buf[12];

    (void) state;
    memset(buf, 0xa5, sizeof buf);
    assert_int_equal(gtpu_build_header(buf, sizeof buf, &spec, 0), 8);
    gtpu_set_seq(buf, 0x1234);
    assert_octets(buf, 12, "30ff000000000000 a5a5a5a5");
    spec.has_seq = true;
    assert_int_equal(gtpu_build_header(buf, sizeof buf, &spec, 0), 12);
    gtpu_set_seq(buf, 0x1234);
    assert_octets(buf, 12, "32ff000400000000 12340000");
}

/* Fails the test unless the 'n' octets at 'buf' are the message 'hex' and
 * parse with all mandatory IEs. */
static void
assert_message(const uint8_t *buf, int n, const char *hex)
{
    struct gtpu_header h;
    struct gtpu_ies ies;

    assert_octets(buf, n, hex);
    assert_int_equal(gtpu_parse(buf, (size_t) n, (size_t) n, NULL, &h),
                     GTPU_OK);
    assert_int_equal(h.trailing_len, 0);
    assert_int_equal(gtpu_parse_ies(buf, (size_t) n, &h, &ies), GTPU_OK);
}

static void
test_signalling(void **state)
{
    uint8_t buf[GTPU_SIGNALLING_MAX_LEN];
    const size_t size = sizeof buf;
    struct gtpu_error_indication ei = {
        .seq = 3, .teid = 0x01020304, .peer_len = 4,
        .peer = { 192, 0, 2, 1 },
    };
    struct gtpu_ext_set types = gtpu_ext_set_default;
    const struct gtpu_psc psc = { .pdu_type = GTPU_PSC_DL, .qfi = 5 };

    (void) state;
    assert_message(buf, gtpu_build_echo_request(buf, size, 0xfffe),
                   "32 01 0004 00000000 fffe 00 00");
    assert_message(buf, gtpu_build_echo_response(buf, size, 0xfffe),
                   "32 02 0006 00000000 fffe 00 00 0e 00");

    assert_message(buf, gtpu_build_error_indication(buf, size, &ei),
                   "32 1a 0010 00000000 0003 00 00 10 01020304"
                   "85 0004 c0000201");
    ei.has_udp_port = true;
    ei.udp_port = 50000;
    assert_message(buf, gtpu_build_error_indication(buf, size, &ei),
                   "36 1a 0014 00000000 0003 00 40 01 c350 00 10 01020304"
                   "85 0004 c0000201");
    ei.peer_len = 16;
    assert_message(buf, gtpu_build_error_indication(buf, size, &ei),
                   "36 1a 0020 00000000 0003 00 40 01 c350 00 10 01020304"
                   "85 0010 c0000201000000000000000000000000");
    for (unsigned int len = 0; len < 256; len++) {
        ei.peer_len = (uint8_t) len;
        if (len != 4 && len != 16) {
            assert_int_equal(gtpu_build_error_indication(buf, size, &ei),
                             -EINVAL);
        }
    }

    assert_message(buf, gtpu_build_ext_notification(buf, size, 9, &types),
                   "32 1f 0008 00000000 0009 00 00 8d 02 40 85");
    memset(&types, 0, sizeof types);
    assert_message(buf, gtpu_build_ext_notification(buf, size, 9, &types),
                   "32 1f 0006 00000000 0009 00 00 8d 00");
    memset(&types, 0xff, sizeof types);
    assert_int_equal(gtpu_build_ext_notification(buf, size, 9, &types),
                     -EINVAL);
    types.bits[0]--;
    assert_int_equal(gtpu_build_ext_notification(buf, size, 9, &types),
                     GTPU_SIGNALLING_MAX_LEN);
    assert_int_equal(buf[13], 255);
    assert_int_equal(buf[14], 1);
    assert_int_equal(buf[GTPU_SIGNALLING_MAX_LEN - 1], 255);

    assert_message(buf, gtpu_build_end_marker(buf, size, 0xdeadbeef, NULL),
                   "30 fe 0000 deadbeef");
    assert_message(buf, gtpu_build_end_marker(buf, size, 1, &psc),
                   "34 fe 0008 00000001 0000 00 85 01 00 05 00");
}

/* Each message in each buffer that is too small. */
static void
test_signalling_no_room(void **state)
{
    const struct gtpu_error_indication ei = { .has_udp_port = true,
                                              .peer_len = 16 };
    const struct gtpu_psc psc = { .qfi = 5 };
    const struct gtpu_psc bad = { .qfi = 255 };
    uint8_t buf[64];

    (void) state;
    memset(buf, 0xa5, sizeof buf);
    for (size_t n = 0; n < 12; n++) {
        assert_int_equal(gtpu_build_echo_request(buf, n, 0), -ENOBUFS);
    }
    for (size_t n = 0; n < 14; n++) {
        assert_int_equal(gtpu_build_echo_response(buf, n, 0), -ENOBUFS);
    }
    for (size_t n = 0; n < 40; n++) {
        assert_int_equal(gtpu_build_error_indication(buf, n, &ei), -ENOBUFS);
    }
    for (size_t n = 0; n < 16; n++) {
        assert_int_equal(gtpu_build_ext_notification(buf, n, 0,
                                                     &gtpu_ext_set_default),
                         -ENOBUFS);
        assert_int_equal(gtpu_build_end_marker(buf, n, 0, &psc), -ENOBUFS);
    }
    for (size_t n = 0; n < 8; n++) {
        assert_int_equal(gtpu_build_end_marker(buf, n, 0, NULL), -ENOBUFS);
    }
    assert_int_equal(gtpu_build_end_marker(buf, sizeof buf, 0, &bad),
                     -EINVAL);
    for (size_t i = 0; i < sizeof buf; i++) {
        assert_int_equal(buf[i], 0xa5);
    }
}

/* Builds 'spec' for 'payload_len' octets and fails the test unless the parser
 * finds in the result what 'spec' says. */
static void
check_round_trip(const struct gtpu_hdr_spec *spec, size_t payload_len)
{
    uint8_t buf[GTPU_HLEN_MAX];
    int n = build_exact(spec, payload_len, buf);
    struct gtpu_ext_iter iter;
    struct gtpu_ext ext;
    struct gtpu_header h;

    assert_int_equal(gtpu_parse(buf, (size_t) n, (size_t) n + payload_len,
                                NULL, &h), GTPU_OK);
    assert_int_equal(h.hdr_len, n);
    assert_int_equal(h.payload_len, payload_len);
    assert_int_equal(h.trailing_len, 0);
    assert_int_equal(h.msg_type, spec->msg_type);
    assert_int_equal(h.teid, spec->teid);
    assert_int_equal(h.has_seq, spec->has_seq);
    assert_int_equal(h.seq, spec->has_seq ? spec->seq : 0);
    assert_int_equal(h.has_npdu, spec->has_npdu);
    assert_int_equal(h.npdu, spec->has_npdu ? spec->npdu : 0);
    assert_int_equal(h.has_psc, spec->psc != NULL);
    assert_int_equal(h.n_exts, spec->n_exts + h.has_psc);

    gtpu_ext_iter_init(&iter, buf, &h);
    if (spec->psc) {
        assert_true(gtpu_ext_iter_next(&iter, &ext));
        assert_int_equal(ext.type, GTPU_EXT_PSC);
        assert_memory_equal(&h.psc, spec->psc, sizeof h.psc);
    }
    for (size_t i = 0; i < spec->n_exts; i++) {
        assert_true(gtpu_ext_iter_next(&iter, &ext));
        assert_int_equal(ext.type, spec->exts[i].type);
        assert_int_equal(ext.len, spec->exts[i].len);
        assert_memory_equal(ext.content, spec->exts[i].content, ext.len);
    }
    assert_false(gtpu_ext_iter_next(&iter, &ext));
}

/* Each flag, each kind of container and zero to three more headers. */
static void
test_round_trip(void **state)
{
    static const struct gtpu_psc pscs[] = {
        { .pdu_type = GTPU_PSC_DL, .qfi = 1 },
        { .pdu_type = GTPU_PSC_DL, .qfi = 63, .rqi = true, .has_ppi = true,
          .ppi = 7 },
        { .pdu_type = GTPU_PSC_UL, .qfi = 32 },
    };
    static const uint8_t content[10] = { 9, 8, 7, 6, 5, 4, 3, 2, 1 };
    static const struct gtpu_ext exts[] = {
        { GTPU_EXT_SERVICE_CLASS, 2, content },
        { GTPU_EXT_LONG_PDCP, 6, content },
        { GTPU_EXT_PDU_SET, 10, content },
    };

    (void) state;
    for (unsigned int i = 0; i < 2 * 2 * 4 * 4; i++) {
        const struct gtpu_hdr_spec spec = {
            .msg_type = GTPU_MSG_G_PDU,
            .teid = 0xfedcba98 + i,
            .has_seq = i % 2,
            .seq = 0x8001,
            .has_npdu = i / 2 % 2,
            .npdu = 0x81,
            .psc = i / 4 % 4 ? &pscs[i / 4 % 4 - 1] : NULL,
            .exts = exts,
            .n_exts = i / 16,
        };

        check_round_trip(&spec, 0);
        check_round_trip(&spec, 1);
        check_round_trip(&spec, 1500);
    }
}

/* The tunnel option for a PDU Session Container keeps each value of each
 * field, and gtpu_psc_build() takes it.  Other values are refused. */
static void
test_psc_tlv(void **state)
{
    static const uint8_t values[] = {
        0, 1, 2, 7, 8, 62, 63, 64, 0x7f, 0x80, 0x81, 0x87, 0x88, 0xc0, 0xff
    };
    static const size_t n = sizeof values;

    (void) state;
    for (size_t i = 0; i < n * n * n * n; i++) {
        const uint8_t in[GTPU_TLV_PSC_LEN] = {
            values[i % n], values[i / n % n], values[i / n / n % n],
            values[i / n / n / n],
        };
        bool dl_ok = in[2] <= 1 && (!in[3] || (in[3] >= 0x80 && in[3] < 0x88));
        bool ok = in[1] < 64 && (in[0] == 1 || (in[0] == 0 && dl_ok));
        uint8_t out[GTPU_TLV_PSC_LEN], content[6];
        struct gtpu_psc psc;

        assert_int_equal(gtpu_psc_from_tlv(in, &psc), ok ? 0 : -EINVAL);
        if (ok) {
            const uint8_t expected[GTPU_TLV_PSC_LEN] = {
                in[0], in[1], in[0] ? 0 : in[2], in[0] ? 0 : in[3],
            };

            assert_true(gtpu_psc_build(content, sizeof content, &psc) > 0);
            gtpu_psc_to_tlv(&psc, out);
            assert_memory_equal(out, expected, sizeof expected);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_header),
        cmocka_unit_test(test_chain),
        cmocka_unit_test(test_psc),
        cmocka_unit_test(test_psc_round_trip),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_length_overflow),
        cmocka_unit_test(test_set_seq),
        cmocka_unit_test(test_signalling),
        cmocka_unit_test(test_signalling_no_room),
        cmocka_unit_test(test_psc_tlv),
        cmocka_unit_test(test_round_trip),
    };

    return cmocka_run_group_tests_name("gtpu-build", tests, NULL, NULL);
}
