/* SPDX-License-Identifier: Apache-2.0 */

/* Fuzz target: what ovs-kube-proxy reads
 * ======================================
 *
 * The input is YAML and, a second time, the stream of a watch.  This must hold
 * for any:
 *
 *   - no access outside of it, no undefined behaviour, no leak (the
 *     sanitizers), and no value that is too deep;
 *
 *   - the parsed value, printed as JSON, parses to the same value;
 *
 *   - text that Open vSwitch's JSON parser takes means the same as YAML,
 *     unless it is refused or has one of the three characters that end a
 *     line in YAML 1.1 and not in JSON;
 *
 *   - a stream gives the same objects, and the same error, whole and octet
 *     by octet.
 *
 * 'make fuzz FUZZ_TARGETS=kube-yaml' makes the target and runs it under
 * libFuzzer.
 *
 * Without libFuzzer, octets are also cut off each input's end. */

#include <config.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "openvswitch/shash.h"
#include "tests/fuzz/fuzz-target.h"
#include "util.h"
#include "utilities/common/compat-json.h"
#include "utilities/kube/kube-config.h"
#include "utilities/kube/kube-lines.h"
#include "utilities/kube/kube-yaml.h"

/* Compares 'a' and 'b'.  The precision that printing takes from real numbers
 * does not count. */
static bool
is_same(const struct json *a, const struct json *b)
{
    const struct shash_node *node;

    if ((a->type == JSON_REAL || b->type == JSON_REAL)
        && (a->type == JSON_REAL || a->type == JSON_INTEGER)
        && (b->type == JSON_REAL || b->type == JSON_INTEGER)) {
        double x = json_real(a), y = json_real(b);

        return fabs(x - y) <= 1e-12 * (fabs(x) + fabs(y));
    } else if (a->type != b->type) {
        return false;
    } else if (a->type == JSON_ARRAY) {
        if (json_array_size(a) != json_array_size(b)) {
            return false;
        }
        for (size_t i = 0; i < json_array_size(a); i++) {
            if (!is_same(json_array_at(a, i), json_array_at(b, i))) {
                return false;
            }
        }
        return true;
    } else if (a->type == JSON_OBJECT) {
        if (shash_count(json_object(a)) != shash_count(json_object(b))) {
            return false;
        }
        SHASH_FOR_EACH (node, json_object(a)) {
            struct json *other = shash_find_data(json_object(b), node->name);

            if (!other || !is_same(node->data, other)) {
                return false;
            }
        }
        return true;
    }
    return json_equal(a, b);
}

static int
depth(const struct json *json)
{
    const struct shash_node *node;
    int max = 0;

    if (json->type == JSON_ARRAY) {
        for (size_t i = 0; i < json_array_size(json); i++) {
            max = MAX(max, depth(json_array_at(json, i)));
        }
    } else if (json->type == JSON_OBJECT) {
        SHASH_FOR_EACH (node, json_object(json)) {
            max = MAX(max, depth(node->data));
        }
    }
    return max + 1;
}

/* Returns true if 'text' has a next line, a line separator or a paragraph
 * separator. */
static bool
has_odd_break(const char *text)
{
    return (strstr(text, "\xc2\x85") || strstr(text, "\xe2\x80\xa8")
            || strstr(text, "\xe2\x80\xa9"));
}

static void
check_yaml(const char *text, size_t size)
{
    struct json *documents, *again;
    char *error = kube_yaml_parse(text, size, &documents);

    CHECK(!error == !!documents);
    if (error) {
        free(error);
        return;
    }
    for (size_t i = 0; i < json_array_size(documents); i++) {
        const struct json *document = json_array_at(documents, i);
        char *printed = json_to_string(document, 0);
        struct json *json;

        CHECK(depth(document) <= KUBE_YAML_MAX_DEPTH);
        error = kube_yaml_parse(printed, strlen(printed), &again);
        if (!error) {
            CHECK(json_array_size(again) == 1);
            CHECK(is_same(json_array_at(again, 0), document)
                  || has_odd_break(printed));
            json_destroy(again);
        }
        free(error);

        json = json_from_string(printed);
        CHECK(is_same(json, document) || document->type < JSON_OBJECT
              || document->type > JSON_ARRAY);
        json_destroy(json);
        free(printed);
    }
    json_destroy(documents);
}

/* Text that both parsers take. */
static void
check_json(const char *text, size_t size)
{
    struct json *json = json_from_string(text);
    struct json *documents;
    char *error;

    if (json->type == JSON_OBJECT || json->type == JSON_ARRAY) {
        error = kube_yaml_parse(text, size, &documents);
        if (!error) {
            CHECK(json_array_size(documents) == 1);
            CHECK(is_same(json_array_at(documents, 0), json)
                  || has_odd_break(text));
            json_destroy(documents);
        }
        free(error);
    }
    json_destroy(json);
}

static bool
collect(struct json *object, void *s)
{
    json_to_ds(object, JSSF_SORT, s);
    ds_put_char(s, '\n');
    json_destroy(object);
    return true;
}

static char *
feed(const char *text, size_t size, size_t chunk, struct ds *s)
{
    struct kube_lines lines;
    char *error = NULL;

    kube_lines_init(&lines, 256);
    for (size_t i = 0; i < size && !error; i += chunk) {
        error = kube_lines_feed(&lines, text + i, MIN(chunk, size - i),
                                collect, s);
        CHECK(lines.partial.length <= 256);
    }
    kube_lines_destroy(&lines);
    return error;
}

static void
check_lines(const char *text, size_t size)
{
    struct ds a = DS_EMPTY_INITIALIZER, b = DS_EMPTY_INITIALIZER;
    char *error_a = feed(text, size, size, &a);
    char *error_b = feed(text, size, 1, &b);

    CHECK(!strcmp(ds_cstr(&a), ds_cstr(&b)));
    CHECK(nullable_string_is_equal(error_a, error_b));
    free(error_a);
    free(error_b);
    ds_destroy(&a);
    ds_destroy(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* A block of its own, so that the sanitizer sees its end. */
    char *text = xmemdup0((const char *) data, size);

    check_yaml(text, size);
    if (strlen(text) == size) {
        check_json(text, size);
    }
    if (size) {
        check_lines(text, size);
    }
    free(text);
    return 0;
}

#ifdef FUZZ_REPLAY
static void
replay(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i <= size; i++) {
        LLVMFuzzerTestOneInput(data, i);
    }
}
#endif
