/* SPDX-License-Identifier: Apache-2.0 */

/* Unit tests of lib/options/options.h */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/options/options.h"

#define ARRAY_SIZE(A) (sizeof (A) / sizeof (A)[0])

static const struct option_spec specs[] = {
    { .name = "x-rate", .type = OPTION_NUMBER, .max = 1000000, .def = "10" },
    { .name = "x-tos", .type = OPTION_NUMBER, .max = 252, .step = 4,
      .words = "inherit", .def = "0" },
    { .name = "x-ttl", .type = OPTION_NUMBER, .min = 1, .max = 255,
      .decimal = true, .def = "64" },
    { .name = "x-key", .type = OPTION_NUMBER, .max = UINT64_MAX },
    { .name = "x-port", .type = OPTION_NUMBER, .min = 2152, .max = 2152,
      .def = "2152" },
    { .name = "x-on", .type = OPTION_BOOL, .def = "false" },
    { .name = "x-mode", .type = OPTION_WORD, .words = "answer drop",
      .def = "answer" },
    { .name = "x-ip", .type = OPTION_ADDRESS, .words = "flow" },
    { .name = "x-text", .type = OPTION_TEXT },
};

static void
check(const char *name, const char *text, const char *expected)
{
    char *error = option_check(specs, ARRAY_SIZE(specs), name, text);

    if (expected) {
        assert_non_null(error);
        assert_string_equal(error, expected);
    } else {
        assert_null(error);
    }
    free(error);
}

static void
test_check(void **state)
{
    static const struct {
        const char *name, *text, *expected;
    } rows[] = {
        { "x-rate", "0", NULL },
        { "x-rate", "1000000", NULL },
        { "x-rate", "0x10", NULL },
        { "x-rate", "1000001",
          "x-rate=1000001 is not an integer from 0 to 1000000" },
        { "x-rate", "-1", "x-rate=-1 is not an integer from 0 to 1000000" },
        { "x-rate", "+1", "x-rate=+1 is not an integer from 0 to 1000000" },
        { "x-rate", " 1", "x-rate= 1 is not an integer from 0 to 1000000" },
        { "x-rate", "1 ", "x-rate=1  is not an integer from 0 to 1000000" },
        { "x-rate", "", "x-rate= is not an integer from 0 to 1000000" },
        { "x-rate", "abc", "x-rate=abc is not an integer from 0 to 1000000" },
        { "x-rate", "18446744073709551617",
          "x-rate=18446744073709551617 is not an integer from 0 to 1000000" },
        { "x-key", "18446744073709551615", NULL },
        { "x-key", "18446744073709551616",
          "x-key=18446744073709551616 is not an integer from 0 to "
          "18446744073709551615" },
        { "x-tos", "inherit", NULL },
        { "x-tos", "inheri", "x-tos=inheri is not a multiple of 4 from 0 to "
          "252 or \"inherit\"" },
        { "x-tos", "0xb8", NULL },
        { "x-tos", "3",
          "x-tos=3 is not a multiple of 4 from 0 to 252 or \"inherit\"" },
        { "x-tos", "256",
          "x-tos=256 is not a multiple of 4 from 0 to 252 or \"inherit\"" },
        { "x-ttl", "255", NULL },
        { "x-ttl", "010", NULL },
        { "x-ttl", "0", "x-ttl=0 is not an integer from 1 to 255" },
        { "x-ttl", "0x10", "x-ttl=0x10 is not an integer from 1 to 255" },
        { "x-port", "2153", "x-port=2153 is not 2152" },
        { "x-on", "true", NULL },
        { "x-on", "TRUE", "x-on=TRUE is not \"true\" or \"false\"" },
        { "x-on", "yes", "x-on=yes is not \"true\" or \"false\"" },
        { "x-mode", "drop", NULL },
        { "x-mode", "answer drop",
          "x-mode=answer drop is not \"answer\" or \"drop\"" },
        { "x-mode", "", "x-mode= is not \"answer\" or \"drop\"" },
        { "x-ip", "1.2.3.4", NULL },
        { "x-ip", "fe80::1", NULL },
        { "x-ip", "flow", NULL },
        { "x-ip", "1.2.3",
          "x-ip=1.2.3 is not an IPv4 or IPv6 address or \"flow\"" },
        { "x-text", "", NULL },
        { "x-rat", "1", "x-rat is unknown, the nearest name is x-rate" },
        { "X-Rate", "1", "X-Rate is unknown, the nearest name is x-rate" },
        { "x-tls", "1", "x-tls is unknown, the nearest name is x-tos" },
        { "unlike-all", "1", "unlike-all is unknown" },
        { "", "1", " is unknown" },
    };

    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        check(rows[i].name, rows[i].text, rows[i].expected);
    }
}

static void
test_parse(void **state)
{
    struct option_value v;

    (void) state;
    assert_true(option_parse(&specs[0], "0x1f", &v));
    assert_true(v.word == -1 && v.number == 31);
    assert_false(option_parse(&specs[0], "31x", &v));
    assert_true(v.word == -1 && !v.number);
    assert_true(option_parse(&specs[2], "010", &v));
    assert_int_equal(v.number, 10);
    assert_true(option_parse(&specs[5], "true", &v));
    assert_int_equal(v.number, 1);
    assert_true(option_parse(&specs[6], "drop", &v));
    assert_int_equal(v.word, 1);
}

/* A long name must not overrun the table of distances. */
static void
test_long_name(void **state)
{
    char name[5 * OPTION_NAME_MAX];

    (void) state;
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = '\0';
    assert_null(option_nearest(specs, ARRAY_SIZE(specs), name));
}

static struct option_state states[ARRAY_SIZE(specs)];
static struct option_set set = {
    .prefix = "x-",
    .specs = specs,
    .states = states,
    .n = ARRAY_SIZE(specs),
};

/* Takes one key, or none if 'key' is null, and checks what is reported. */
static void
take(const char *key, const char *text, const char *expected)
{
    char *error = NULL;

    option_set_begin(&set);
    if (key) {
        error = option_set_take(&set, key, text);
    }
    option_set_end(&set);
    if (expected) {
        assert_non_null(error);
        assert_string_equal(error, expected);
    } else {
        assert_null(error);
    }
    free(error);
}

static void
test_set(void **state)
{
    char *shown;

    (void) state;
    take(NULL, NULL, NULL);
    assert_int_equal(option_set_number(&set, "x-rate"), 10);
    assert_int_equal(option_set_word(&set, "x-mode"), 0);
    take("x-rate", "7", NULL);
    assert_int_equal(option_set_number(&set, "x-rate"), 7);

    /* A wrong value leaves the last good one, and is reported once. */
    take("x-rate", "-1", "x-rate=-1 is not an integer from 0 to 1000000: "
                         "7 stays");
    assert_int_equal(option_set_number(&set, "x-rate"), 7);
    take("x-rate", "-1", NULL);
    shown = option_set_format(&set);
    assert_non_null(strstr(shown, "x-rate=7 (default 10; an integer from 0 "
                                  "to 1000000)\n  refused: -1\n"));
    free(shown);
    take("x-rate", "-2", "x-rate=-2 is not an integer from 0 to 1000000: "
                         "7 stays");

    /* Without a good one before, the default stays. */
    take(NULL, NULL, NULL);
    take("x-rate", "-2", "x-rate=-2 is not an integer from 0 to 1000000: "
                         "10 stays");
    assert_int_equal(option_set_number(&set, "x-rate"), 10);

    /* An unknown key is reported once, and again after it was gone. */
    take("x-rat", "1", "x-rat is unknown, the nearest name is x-rate");
    assert_int_equal(option_set_number(&set, "x-rate"), 10);
    take("x-rat", "2", NULL);
    shown = option_set_format(&set);
    assert_non_null(strstr(shown, "x-rat is unknown"));
    assert_null(strstr(shown, "refused"));
    free(shown);
    take("y-rat", "1", NULL);
    take("x-rat", "1", "x-rat is unknown, the nearest name is x-rate");
    take(NULL, NULL, NULL);
    assert_null(set.strays);
}

/* As JSON, with escaped characters. */
static void
test_json(void **state)
{
    char *error, *json;

    (void) state;
    json = option_table_json(specs, 1);
    assert_string_equal(json, "{\"x-rate\":{\"valid\":\"an integer from 0 to "
                        "1000000\",\"default\":\"10\"}}");
    free(json);

    option_set_begin(&set);
    error = option_set_take(&set, "x-rate", "\"\\\n7");
    free(error);
    error = option_set_take(&set, "x-\"", "1");
    free(error);
    option_set_end(&set);
    json = option_set_json(&set);
    assert_memory_equal(json, "{\"x-rate\":{", 11);
    assert_non_null(strstr(json, "\"default\":\"10\",\"value\":\"10\","
                           "\"refused\":\"\\\"\\\\\\u000a7\"},\""));
    assert_non_null(strstr(json, ",\"x-\\\"\":{\"error\":\"x-\\\" is "
                           "unknown"));
    assert_string_equal(json + strlen(json) - 2, "}}");
    free(json);
    option_set_clear(&set);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_long_name),
        cmocka_unit_test(test_set),
        cmocka_unit_test(test_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
