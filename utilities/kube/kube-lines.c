/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "kube-lines.h"

#include <stdlib.h>
#include <string.h>

#include "openvswitch/json.h"
#include "util.h"

/* Makes 'lines' a stream that accepts lines of up to 'max' octets. */
void
kube_lines_init(struct kube_lines *lines, size_t max)
{
    ds_init(&lines->partial);
    lines->max = max;
}

void
kube_lines_destroy(struct kube_lines *lines)
{
    ds_destroy(&lines->partial);
}

/* Hands the object in the 'size' octets at 'line' to 'cb', and sets '*stop' if
 * 'cb' asks for that.  Returns null or an error message. */
static char *
parse_line(const char *line, size_t size, kube_lines_cb *cb, void *aux,
           bool *stop)
{
    struct json_parser *parser;
    struct json *json;
    char *error = NULL;

    if (line[strspn(line, " \t\r")] == '\n') {
        return NULL;
    }
    parser = json_parser_create(JSPF_TRAILER);
    json_parser_feed(parser, line, size);
    json = json_parser_finish(parser);
    if (json->type == JSON_OBJECT) {
        *stop = !cb(json, aux);
        return NULL;
    }
    error = (json->type == JSON_STRING
             ? xasprintf("not JSON: %s", json_string(json))
             : xasprintf("a JSON %s in place of an object",
                         json_type_to_string(json->type)));
    json_destroy(json);
    return error;
}

/* Appends the 'size' octets at 'data' to 'lines', and calls 'cb' with 'aux'
 * for each line that is complete now.  Returns null, or an error message that
 * the caller must free.  After an error the stream cannot be used any more. */
char *
kube_lines_feed(struct kube_lines *lines, const char *data, size_t size,
                kube_lines_cb *cb, void *aux)
{
    bool stop = false;
    char *error = NULL;

    while (size && !stop && !error) {
        const char *end = memchr(data, '\n', size);
        size_t n = end ? end + 1 - data : size;

        if (lines->partial.length + n > lines->max) {
            return xasprintf("a line of more than %"PRIuSIZE" octets",
                             lines->max);
        }
        if (!end) {
            ds_put_buffer(&lines->partial, data, n);
        } else if (!lines->partial.length) {
            error = parse_line(data, n, cb, aux, &stop);
        } else {
            ds_put_buffer(&lines->partial, data, n);
            error = parse_line(ds_cstr(&lines->partial),
                               lines->partial.length, cb, aux, &stop);
            /* Most lines are short: give the room for a long one back. */
            if (lines->partial.allocated > 64 * 1024) {
                ds_destroy(&lines->partial);
                ds_init(&lines->partial);
            } else {
                ds_clear(&lines->partial);
            }
        }
        data += n;
        size -= n;
    }
    return error;
}
