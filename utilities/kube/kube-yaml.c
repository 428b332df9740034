/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "kube-yaml.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "openvswitch/json.h"
#include "openvswitch/shash.h"
#include "util.h"

/* A double holds every integer below this. */
#define MAX_EXACT_REAL 9007199254740992.0

/* The value of an anchor.  'weight' is the number of nodes in it and 'height'
 * their depth of nesting, both with aliases expanded. */
struct anchor {
    struct json *value;
    size_t weight;
    int height;
};

struct composer {
    yaml_parser_t parser;
    struct shash anchors;       /* Contains "struct anchor"s. */
    size_t n_nodes;             /* So far, aliases expanded. */
    int depth;                  /* Of the present node. */
    int deepest;                /* Of the nodes seen below it. */
    char *error;                /* The first one. */
};

static struct json *compose_node(struct composer *, yaml_event_t *);

static void OVS_PRINTF_FORMAT(3, 4)
fail(struct composer *c, const yaml_mark_t *mark, const char *format, ...)
{
    va_list args;
    char *message;

    if (c->error) {
        return;
    }
    va_start(args, format);
    message = xvasprintf(format, args);
    va_end(args);
    c->error = xasprintf("line %"PRIuSIZE", column %"PRIuSIZE": %s",
                         mark->line + 1, mark->column + 1, message);
    free(message);
}

/* Fetches the next event into 'event', which the caller must delete.  On an
 * error returns false, with nothing to delete. */
static bool
next_event(struct composer *c, yaml_event_t *event)
{
    if (yaml_parser_parse(&c->parser, event)) {
        return true;
    }
    /* libyaml's messages are constants, without text from the input. */
    fail(c, c->parser.error == YAML_READER_ERROR ? &c->parser.mark
                                                 : &c->parser.problem_mark,
         "%s", c->parser.problem ? c->parser.problem : "out of memory");
    return false;
}

static bool
is_one_of(const char *s, const char *const words[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!strcmp(s, words[i])) {
            return true;
        }
    }
    return false;
}

/* If all of 's' is an integer, stores it in '*integer' and returns true. */
static bool
parse_integer(const char *s, long long int *integer)
{
    const char *digits = s + (*s == '-' || *s == '+');
    int base = 10;
    char *tail;

    if (digits[0] == '0' && digits[1]) {
        switch (digits[1]) {
        case 'x': base = 16; digits += 2; break;
        case 'o': base = 8; digits += 2; break;
        case 'b': base = 2; digits += 2; break;
        default: base = 8; digits += 1; break;
        }
    }
    /* strtoll() also accepts white space, signs and "0x" where YAML does
     * not. */
    if (!digits[0] || digits[strspn(digits, "0123456789abcdefABCDEF")]) {
        return false;
    }
    errno = 0;
    *integer = strtoll(digits, &tail, base);
    if (*tail || errno) {
        return false;
    }
    if (*s == '-') {
        *integer = -*integer;
    }
    return true;
}

/* If all of 's' is a decimal number with a fraction or an exponent, or an
 * integer that is too large for one, stores it in '*real' and returns true.
 * JSON has no infinities and no not-a-number: these stay strings. */
static bool
parse_real(const char *s, double *real)
{
    char *tail;

    if (!strpbrk(s, "0123456789") || s[strspn(s, "0123456789.eE+-")]) {
        return false;
    }
    errno = 0;
    *real = strtod(s, &tail);
    return !*tail && isfinite(*real);
}

/* Returns the value of the plain scalar 's'. */
static struct json *
resolve_plain(const char *s)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
    static const char *const trues[] = {
        "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"
    };
    static const char *const falses[] = {
        "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"
    };
    long long int integer;
    double real;

    if (is_one_of(s, nulls, ARRAY_SIZE(nulls))) {
        return json_null_create();
    } else if (is_one_of(s, trues, ARRAY_SIZE(trues))) {
        return json_boolean_create(true);
    } else if (is_one_of(s, falses, ARRAY_SIZE(falses))) {
        return json_boolean_create(false);
    } else if (parse_integer(s, &integer)) {
        return json_integer_create(integer);
    } else if (parse_real(s, &real)) {
        /* JSON has only one kind of number. */
        return (fabs(real) < MAX_EXACT_REAL && real == (long long int) real
                ? json_integer_create(real)
                : json_real_create(real));
    } else {
        return json_string_create(s);
    }
}

static struct json *
compose_scalar(struct composer *c, const yaml_event_t *event)
{
    const char *value = (const char *) event->data.scalar.value;
    const char *tag = (const char *) event->data.scalar.tag;

    if (strlen(value) != event->data.scalar.length) {
        fail(c, &event->start_mark, "null character in a string");
        return NULL;
    } else if (!tag) {
        return (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE
                ? resolve_plain(value)
                : json_string_create(value));
    } else if (!strcmp(tag, YAML_STR_TAG) || !strcmp(tag, "!")) {
        return json_string_create(value);
    } else {
        fail(c, &event->start_mark, "tags are not supported");
        return NULL;
    }
}

static struct json *
compose_sequence(struct composer *c)
{
    struct json *array = json_array_create_empty();

    for (;;) {
        yaml_event_t event;

        if (!next_event(c, &event)) {
            break;
        } else if (event.type == YAML_SEQUENCE_END_EVENT) {
            yaml_event_delete(&event);
            return array;
        }

        struct json *element = compose_node(c, &event);

        yaml_event_delete(&event);
        if (!element) {
            break;
        }
        json_array_add(array, element);
    }
    json_destroy(array);
    return NULL;
}

/* Returns the key of a mapping in 'event', for the caller to free, or null on
 * an error. */
static char *
compose_key(struct composer *c, const yaml_event_t *event,
            const struct json *object)
{
    const char *key;

    if (event->type != YAML_SCALAR_EVENT) {
        fail(c, &event->start_mark, "the key is not a scalar");
        return NULL;
    }
    key = (const char *) event->data.scalar.value;
    if (strlen(key) != event->data.scalar.length) {
        fail(c, &event->start_mark, "null character in a key");
    } else if (event->data.scalar.anchor || event->data.scalar.tag) {
        fail(c, &event->start_mark, "a key with an anchor or a tag");
    } else if (!strcmp(key, "<<")
               && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE) {
        fail(c, &event->start_mark, "merge keys are not supported");
    } else if (shash_find(json_object(object), key)) {
        fail(c, &event->start_mark, "duplicate key \"%.64s\"", key);
    } else {
        return xstrdup(key);
    }
    return NULL;
}

static struct json *
compose_mapping(struct composer *c)
{
    struct json *object = json_object_create();

    for (;;) {
        struct json *value = NULL;
        yaml_event_t event;
        char *key;

        if (!next_event(c, &event)) {
            break;
        } else if (event.type == YAML_MAPPING_END_EVENT) {
            yaml_event_delete(&event);
            return object;
        }
        key = compose_key(c, &event, object);
        yaml_event_delete(&event);
        if (key && next_event(c, &event)) {
            value = compose_node(c, &event);
            yaml_event_delete(&event);
        }
        if (!value) {
            free(key);
            break;
        }
        json_object_put_nocopy(object, key, value);
    }
    json_destroy(object);
    return NULL;
}

static struct json *
compose_alias(struct composer *c, const yaml_event_t *event)
{
    const char *name = (const char *) event->data.alias.anchor;
    const struct anchor *anchor = shash_find_data(&c->anchors, name);

    /* An anchor is known once its node is complete.  So no value contains
     * itself. */
    if (!anchor) {
        fail(c, &event->start_mark, "unknown alias \"%.64s\"", name);
        return NULL;
    } else if (anchor->weight > KUBE_YAML_MAX_NODES - c->n_nodes) {
        fail(c, &event->start_mark, "too many nodes");
        return NULL;
    } else if (anchor->height > KUBE_YAML_MAX_DEPTH - c->depth) {
        fail(c, &event->start_mark, "nested too deeply");
        return NULL;
    }
    c->n_nodes += anchor->weight;
    c->deepest = MAX(c->deepest, c->depth + anchor->height);
    return json_clone(anchor->value);
}

/* Makes 'name' an anchor of 'value'.  Returns false on an error. */
static bool
add_anchor(struct composer *c, const yaml_event_t *event, const char *name,
           struct json *value, size_t weight, int height)
{
    struct anchor *anchor = shash_find_data(&c->anchors, name);

    if (anchor) {
        json_destroy(anchor->value);
    } else if (shash_count(&c->anchors) >= KUBE_YAML_MAX_ANCHORS) {
        fail(c, &event->start_mark, "too many anchors");
        return false;
    } else {
        anchor = xmalloc(sizeof *anchor);
        shash_add(&c->anchors, name, anchor);
    }
    anchor->value = json_clone(value);
    anchor->weight = weight;
    anchor->height = height;
    return true;
}

/* Returns the node that starts with 'event', or null on an error. */
static struct json *
compose_node(struct composer *c, yaml_event_t *event)
{
    size_t n_before = c->n_nodes;
    int deepest_before = c->deepest;
    const yaml_char_t *anchor;
    const yaml_char_t *tag = NULL;
    struct json *value = NULL;

    if (event->type == YAML_ALIAS_EVENT) {
        return compose_alias(c, event);
    } else if (c->n_nodes >= KUBE_YAML_MAX_NODES) {
        fail(c, &event->start_mark, "too many nodes");
        return NULL;
    } else if (c->depth >= KUBE_YAML_MAX_DEPTH) {
        fail(c, &event->start_mark, "nested too deeply");
        return NULL;
    }

    c->n_nodes++;
    c->deepest = ++c->depth;
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        anchor = event->data.scalar.anchor;
        value = compose_scalar(c, event);
        break;
    case YAML_SEQUENCE_START_EVENT:
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
        value = tag ? NULL : compose_sequence(c);
        break;
    case YAML_MAPPING_START_EVENT:
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
        value = tag ? NULL : compose_mapping(c);
        break;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
    case YAML_ALIAS_EVENT:
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
    default:
        OVS_NOT_REACHED();
    }
    c->depth--;

    if (tag) {
        fail(c, &event->start_mark, "tags are not supported");
    }
    if (value && anchor
        && !add_anchor(c, event, (const char *) anchor, value,
                       c->n_nodes - n_before, c->deepest - c->depth)) {
        json_destroy(value);
        value = NULL;
    }
    c->deepest = MAX(c->deepest, deepest_before);
    return value;
}

static void
clear_anchors(struct composer *c)
{
    struct shash_node *node;

    SHASH_FOR_EACH (node, &c->anchors) {
        struct anchor *anchor = node->data;

        json_destroy(anchor->value);
    }
    shash_clear_free_data(&c->anchors);
}

/* Adds the documents of the stream to 'documents'. */
static void
compose_stream(struct composer *c, struct json *documents)
{
    bool end = false;

    while (!end && !c->error) {
        struct json *document;
        yaml_event_t event;

        if (!next_event(c, &event)) {
            return;
        }
        switch (event.type) {
        case YAML_NO_EVENT:
        case YAML_STREAM_END_EVENT:
            end = true;
            break;
        case YAML_STREAM_START_EVENT:
        case YAML_DOCUMENT_START_EVENT:
            break;
        case YAML_DOCUMENT_END_EVENT:
            clear_anchors(c);
            break;
        case YAML_ALIAS_EVENT:
        case YAML_SCALAR_EVENT:
        case YAML_SEQUENCE_START_EVENT:
        case YAML_SEQUENCE_END_EVENT:
        case YAML_MAPPING_START_EVENT:
        case YAML_MAPPING_END_EVENT:
        default:
            document = compose_node(c, &event);
            if (document) {
                json_array_add(documents, document);
            }
            break;
        }
        yaml_event_delete(&event);
    }
}

/* Parses the YAML or JSON in the 'size' octets at 'text'.  Returns null and
 * stores an array of the documents, which the caller must destroy, in
 * '*documents'; or returns an error message, which the caller must free, and
 * stores null.  An empty document is a JSON null. */
char *
kube_yaml_parse(const char *text, size_t size, struct json **documents)
{
    struct composer c = { .n_nodes = 0 };

    *documents = NULL;
    if (size > KUBE_YAML_MAX_SIZE) {
        return xasprintf("longer than %d octets", KUBE_YAML_MAX_SIZE);
    } else if (!yaml_parser_initialize(&c.parser)) {
        return xstrdup("out of memory");
    }
    shash_init(&c.anchors);
    yaml_parser_set_encoding(&c.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&c.parser, (const unsigned char *) text,
                                 size);

    *documents = json_array_create_empty();
    compose_stream(&c, *documents);
    if (c.error) {
        json_destroy(*documents);
        *documents = NULL;
    }
    clear_anchors(&c);
    shash_destroy(&c.anchors);
    yaml_parser_delete(&c.parser);
    return c.error;
}
