/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "util.h"
#include "utilities/kube/kube-lines.h"
#include "utilities/kube/kube-yaml.h"

/* Checks that 'yaml' is what the JSON 'expected', an array of documents,
 * is. */
static void
check_parse(const char *yaml, const char *expected)
{
    struct json *documents, *wanted = json_from_string(expected);
    char *error = kube_yaml_parse(yaml, strlen(yaml), &documents);

    if (error) {
        fail_msg("%s: %s", yaml, error);
    }
    assert_int_equal(wanted->type, JSON_ARRAY);
    if (!json_equal(documents, wanted)) {
        fail_msg("%s: got %s, not %s", yaml,
                 json_to_string(documents, JSSF_SORT), expected);
    }
    json_destroy(documents);
    json_destroy(wanted);
}

/* Checks that the 'size' octets at 'yaml' are refused with a message that
 * contains 'expected'. */
static void
check_refused_n(const char *yaml, size_t size, const char *expected)
{
    struct json *documents;
    char *error = kube_yaml_parse(yaml, size, &documents);

    assert_non_null(error);
    assert_null(documents);
    if (!strstr(error, expected)) {
        fail_msg("%.100s: \"%s\" lacks \"%s\"", yaml, error, expected);
    }
    free(error);
}

static void
check_refused(const char *yaml, const char *expected)
{
    check_refused_n(yaml, strlen(yaml), expected);
}

static void
test_documents(void **state OVS_UNUSED)
{
    check_parse("", "[]");
    check_parse("# nothing\n", "[]");
    check_parse("---\n", "[null]");
    check_parse("a: 1\n---\nb: [x, y]\n...\n---\n- c\n",
                "[{\"a\":1},{\"b\":[\"x\",\"y\"]},[\"c\"]]");
    check_parse("{\"a\": [1, 2.5, \"x\\ny\", null, true]}",
                "[{\"a\":[1,2.5,\"x\\ny\",null,true]}]");
    check_parse("a: |\n  x\n  y\nb: >-\n  x\n  y\n",
                "[{\"a\":\"x\\ny\\n\",\"b\":\"x y\"}]");
    check_parse("\xc3\xa9: \"\\u00e9\"", "[{\"\xc3\xa9\":\"\xc3\xa9\"}]");
}

static void
test_scalars(void **state OVS_UNUSED)
{
    check_parse("[~, null, Null, '', 'null', \"~\"]",
                "[[null,null,null,\"\",\"null\",\"~\"]]");
    check_parse("[true, False, yes, No, ON, off, y, n, tRUE, 'true']",
                "[[true,false,true,false,true,false,"
                "\"y\",\"n\",\"tRUE\",\"true\"]]");
    check_parse("[0, -0, +7, -42, 0x1f, 0o17, 017, 0b101, '80']",
                "[[0,0,7,-42,31,15,15,5,\"80\"]]");
    check_parse("[9223372036854775807, 08, 0x, 0xg, 1_000, -, +, 0x-1]",
                "[[9223372036854775807,8,\"0x\",\"0xg\",\"1_000\",\"-\","
                "\"+\",\"0x-1\"]]");
    check_parse("[1.5, 1e3, -2.0, .5, .nan, .inf, 1e999, 1.2.3, 1.2.3.4]",
                "[[1.5,1000,-2,0.5,\".nan\",\".inf\",\"1e999\",\"1.2.3\","
                "\"1.2.3.4\"]]");
    check_parse("[fd00::1, 10.0.0.1, 2020-01-01, 12:30, 0x1.8p3, !!str 80]",
                "[[\"fd00::1\",\"10.0.0.1\",\"2020-01-01\",\"12:30\","
                "\"0x1.8p3\",\"80\"]]");
    check_parse("{80: a, true: b, ~: c}",
                "[{\"80\":\"a\",\"true\":\"b\",\"~\":\"c\"}]");
}

static void
test_aliases(void **state OVS_UNUSED)
{
    check_parse("{a: &x [1], b: *x, c: *x}",
                "[{\"a\":[1],\"b\":[1],\"c\":[1]}]");
    check_parse("{a: &x 1, b: &x 2, c: *x}", "[{\"a\":1,\"b\":2,\"c\":2}]");
    check_refused("a: *x", "unknown alias");
    check_refused("&x [*x]", "unknown alias");
    /* An anchor is one of its document. */
    check_refused("a: &x 1\n---\nb: *x\n", "unknown alias");
}

static void
test_refused(void **state OVS_UNUSED)
{
    check_refused("{a: 1, a: 2}", "duplicate key \"a\"");
    check_refused("a: &x {}\nb: {<<: *x}\n", "merge keys");
    check_refused("!x a", "tags");
    check_refused("!!binary aGk=", "tags");
    check_refused("!x {a: b}", "tags");
    check_refused("!!set [a]", "tags");
    check_refused("? [a]\n: b\n", "not a scalar");
    check_refused("\"a\\0b\": c", "null character");
    check_refused("a: \"b\\0c\"", "null character");
    check_refused("a: [b", "line 2, column 1: did not find");
    check_refused("a: b\n c: d\n", "line 2, column 3");
    check_refused("%YAML 9.9\n---\na", "incompatible");
    check_refused("a: b\n\tc: d\n", "line 2");
    check_refused("a\xff", "UTF-8");
    check_refused_n("a\0b", 3, "control characters");
    check_refused("&a b: c\n", "anchor");
}

static void
test_depth(void **state OVS_UNUSED)
{
    char text[2 * 100000 + 1];
    size_t n;

    /* Each of the two ways to nest, as deep as may be and one more. */
    for (n = KUBE_YAML_MAX_DEPTH; n <= KUBE_YAML_MAX_DEPTH + 1; n++) {
        memset(text, '[', n);
        memset(text + n, ']', n);
        text[2 * n] = '\0';
        if (n == KUBE_YAML_MAX_DEPTH) {
            char *expected = xasprintf("[%s]", text);

            check_parse(text, expected);
            free(expected);
        } else {
            check_refused(text, "nested too deeply");
        }
    }
    memset(text, '[', 100000);
    check_refused_n(text, 100000, "nest");
    for (n = 0; n < 100000; n += 2) {
        memcpy(text + n, "- ", 2);
    }
    check_refused_n(text, n, "nest");
    memset(text, '{', 100000);
    check_refused_n(text, 100000, "");
}

/* A chain of aliases, each one level deeper than the one before. */
static void
test_alias_depth(void **state OVS_UNUSED)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    struct json *documents;
    int i;

    /* The list and, in it, 'i + 1' levels. */
    ds_put_cstr(&s, "- &a0 x\n");
    for (i = 1; i <= KUBE_YAML_MAX_DEPTH - 2; i++) {
        ds_put_format(&s, "- &a%d [*a%d]\n", i, i - 1);
    }
    assert_null(kube_yaml_parse(ds_cstr(&s), s.length, &documents));
    json_destroy(documents);
    ds_put_format(&s, "- {a: *a%d, b: [*a0]}\n", i - 2);
    assert_null(kube_yaml_parse(ds_cstr(&s), s.length, &documents));
    json_destroy(documents);
    ds_put_format(&s, "- [*a%d]\n", i - 1);
    check_refused(ds_cstr(&s), "nested too deeply");
    ds_destroy(&s);
}

/* 10 levels, each with 10 aliases to the one below: 10^10 nodes. */
static void
test_bomb(void **state OVS_UNUSED)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_cstr(&s, "l0: &l0 x\n");
    for (int i = 1; i <= 10; i++) {
        ds_put_format(&s, "l%d: &l%d [", i, i);
        for (int j = 0; j < 10; j++) {
            ds_put_format(&s, "%s*l%d", j ? "," : "", i - 1);
        }
        ds_put_cstr(&s, "]\n");
    }
    check_refused(ds_cstr(&s), "too many nodes");

    ds_clear(&s);
    for (int i = 0; i <= KUBE_YAML_MAX_ANCHORS; i++) {
        ds_put_format(&s, "- &a%d x\n", i);
    }
    check_refused(ds_cstr(&s), "too many anchors");
    ds_destroy(&s);
}

static void
test_size(void **state OVS_UNUSED)
{
    size_t n = KUBE_YAML_MAX_SIZE + 1;
    char *text = xmalloc(n);

    memset(text, ' ', n);
    check_refused_n(text, n, "longer than");
    free(text);

    /* As many nodes as are too many, in 2 octets each. */
    n = 1 + 2 * KUBE_YAML_MAX_NODES;
    text = xmalloc(n);
    text[0] = '[';
    for (size_t i = 1; i < n; i += 2) {
        memcpy(text + i, "1,", 2);
    }
    check_refused_n(text, n, "too many nodes");
    free(text);
}

/* Lines. */

struct collected {
    struct ds text;
    int left;                   /* Objects until it is enough. */
};

static bool
collect(struct json *object, void *c_)
{
    struct collected *c = c_;

    json_to_ds(object, JSSF_SORT, &c->text);
    json_destroy(object);
    return --c->left > 0;
}

/* Feeds 'text' in pieces of 'chunk' octets to a splitter of lines of at most
 * 'max', and checks that the objects, in a row, are 'expected' and that the
 * error, or "", contains 'error'. */
static void
check_lines(const char *text, size_t chunk, size_t max, int left,
            const char *expected, const char *error)
{
    struct collected c = { .text = DS_EMPTY_INITIALIZER, .left = left };
    size_t n = strlen(text);
    struct kube_lines lines;
    char *message = NULL;

    kube_lines_init(&lines, max);
    for (size_t i = 0; i < n && !message && c.left > 0; i += chunk) {
        message = kube_lines_feed(&lines, text + i, MIN(chunk, n - i),
                                  collect, &c);
    }
    assert_string_equal(ds_cstr(&c.text), expected);
    if (error[0]) {
        assert_non_null(message);
        assert_non_null(strstr(message, error));
    } else {
        assert_null(message);
    }
    assert_true(lines.partial.length <= max);
    free(message);
    ds_destroy(&c.text);
    kube_lines_destroy(&lines);
}

static void
test_lines(void **state OVS_UNUSED)
{
    for (size_t chunk = 1; chunk < 40; chunk++) {
        check_lines("{\"a\":1}\n\n \r\n{\"b\":[2]}\r\n{\"c\"", chunk, 100, 9,
                    "{\"a\":1}{\"b\":[2]}", "");
        check_lines("{\"a\":1}\n{\"b\":2}\n{\"c\":3}\n", chunk, 100, 2,
                    "{\"a\":1}{\"b\":2}", "");
        check_lines("{\"a\":1}\ngarbage\n{\"b\":2}\n", chunk, 100, 9,
                    "{\"a\":1}", "not JSON");
        check_lines("{\"a\":1}{\"b\":2}\n", chunk, 100, 9, "", "not JSON");
        check_lines("[1]\n", chunk, 100, 9, "", "array");
        check_lines("{\"a\":\n1}\n", chunk, 100, 9, "", "not JSON");
        /* 20 octets, with the end of the line. */
        check_lines("{\"a\":\"0123456789\" }\n", chunk, 20, 9,
                    "{\"a\":\"0123456789\"}", "");
        check_lines("{\"a\":\"0123456789\"  }\n", chunk, 20, 9, "",
                    "more than 20");
        check_lines("{\"a\":\"01234567890123456789", chunk, 20, 9, "",
                    "more than 20");
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_documents),
        cmocka_unit_test(test_scalars),
        cmocka_unit_test(test_aliases),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_alias_depth),
        cmocka_unit_test(test_bomb),
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_lines),
    };

    return cmocka_run_group_tests_name("kube-yaml", tests, NULL, NULL);
}
