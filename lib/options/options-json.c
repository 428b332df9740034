/* SPDX-License-Identifier: Apache-2.0 */

/* Tables and values of options as JSON. */

#include "lib/options/options.h"
#include "lib/options/options-private.h"

/* Writes 'text' as a string of JSON.  Its octets above 127 are taken for
 * UTF-8, as OVSDB's are. */
static void
put_string(FILE *f, const char *text)
{
    putc('"', f);
    for (const unsigned char *p = (const unsigned char *) text; *p; p++) {
        if (*p < ' ') {
            fprintf(f, "\\u%04x", *p);
        } else {
            fprintf(f, *p == '"' || *p == '\\' ? "\\%c" : "%c", *p);
        }
    }
    putc('"', f);
}

/* Writes a member 'name' of a JSON object, after 'sep', unless 'text' is
 * null. */
static void
put_member(FILE *f, const char *sep, const char *name, const char *text)
{
    if (text) {
        fprintf(f, "%s\"%s\":", sep, name);
        put_string(f, text);
    }
}

/* Writes the members of a JSON object that 'spec' has. */
static void
put_spec(FILE *f, const struct option_spec *spec)
{
    struct option_text t;
    char *valid;

    option_open_text(&t);
    option_describe(t.stream, spec);
    valid = option_close_text(&t);
    put_member(f, "", "valid", valid);
    put_member(f, ",", "default", spec->def);
    free(valid);
}

char *
option_table_json(const struct option_spec *specs, size_t n)
{
    struct option_text t;

    option_open_text(&t);
    for (size_t i = 0; i < n; i++) {
        fprintf(t.stream, "%s\"%s\":{", i ? "," : "{", specs[i].name);
        put_spec(t.stream, &specs[i]);
        putc('}', t.stream);
    }
    fputs(n ? "}" : "{}", t.stream);
    return option_close_text(&t);
}

char *
option_set_json(const struct option_set *set)
{
    const char *sep = "";
    struct option_text t;

    option_open_text(&t);
    putc('{', t.stream);
    for (size_t i = 0; i < set->n; i++) {
        const struct option_spec *spec = &set->specs[i];
        const struct option_state *state = &set->states[i];

        fprintf(t.stream, "%s\"%s\":{", sep, spec->name);
        put_spec(t.stream, spec);
        put_member(t.stream, ",", "value",
                   state->effect ? state->effect : spec->def);
        put_member(t.stream, ",", "refused",
                   state->refused ? state->text : NULL);
        putc('}', t.stream);
        sep = ",";
    }
    for (const struct option_stray *s = set->strays; s; s = s->next) {
        char *error = option_check(set->specs, set->n, s->name, "");

        fputs(sep, t.stream);
        put_string(t.stream, s->name);
        put_member(t.stream, ":{", "error", error);
        putc('}', t.stream);
        free(error);
        sep = ",";
    }
    putc('}', t.stream);
    return option_close_text(&t);
}
