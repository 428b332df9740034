/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "cni-error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/json.h"
#include "util.h"

/* Octets of a message. */
#define MAX_MESSAGE_LEN 1000

static char *
clean(char *s)
{
    for (char *p = s; *p; p++) {
        if (*p < ' ' || *p > '~') {
            *p = '?';
        }
    }
    if (strlen(s) > MAX_MESSAGE_LEN) {
        memcpy(&s[MAX_MESSAGE_LEN - 3], "...", 4);
    }
    return s;
}

/* Returns an error with 'code', 'details' on what to do, and the message of
 * 'format', for the caller to destroy. */
struct cni_error *
cni_error(int code, const char *details, const char *format, ...)
{
    struct cni_error *error = xmalloc(sizeof *error);
    va_list args;

    va_start(args, format);
    error->code = code;
    error->msg = clean(xvasprintf(format, args));
    error->details = clean(xstrdup(details));
    va_end(args);
    return error;
}

/* Frees 'error', which may be null. */
void
cni_error_destroy(struct cni_error *error)
{
    if (error) {
        free(error->msg);
        free(error->details);
        free(error);
    }
}

/* Stores 'next' in '*first' if that is null.  Otherwise destroys 'next': work
 * that goes on after errors reports the first one. */
void
cni_error_keep(struct cni_error **first, struct cni_error *next)
{
    if (!*first) {
        *first = next;
    } else {
        cni_error_destroy(next);
    }
}

/* Prints 'error' on stdout in the form of the specification, for a runtime
 * that speaks 'version'. */
void
cni_error_print(const struct cni_error *error, const char *version)
{
    struct json *json = json_object_create();
    char *s;

    json_object_put_string(json, "cniVersion", version);
    json_object_put(json, "code", json_integer_create(error->code));
    json_object_put_string(json, "msg", error->msg);
    json_object_put_string(json, "details", error->details);
    s = json_to_string(json, JSSF_PRETTY | JSSF_SORT);
    puts(s);
    free(s);
    json_destroy(json);
}
