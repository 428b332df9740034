/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/options/options.h"
#include "lib/options/options-private.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIN(A, B) ((A) < (B) ? (A) : (B))

static char *
copy(const char *s)
{
    char *p = strdup(s);

    if (!p) {
        abort();
    }
    return p;
}

const struct option_spec *
option_find(const struct option_spec *specs, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (!strcmp(specs[i].name, name)) {
            return &specs[i];
        }
    }
    return NULL;
}

/* Returns the number of letters to insert, delete or replace to turn 'a' into
 * 'b', whose case does not count. */
static size_t
edit_distance(const char *a, const char *b)
{
    size_t na = MIN(strlen(a), OPTION_NAME_MAX);
    size_t nb = MIN(strlen(b), OPTION_NAME_MAX);
    size_t row[OPTION_NAME_MAX + 1];

    for (size_t j = 0; j <= nb; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= na; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= nb; j++) {
            size_t above = row[j];
            bool same = (tolower((unsigned char) a[i - 1])
                         == tolower((unsigned char) b[j - 1]));

            row[j] = MIN(MIN(above, row[j - 1]) + 1, diagonal + !same);
            diagonal = above;
        }
    }
    return row[nb];
}

const char *
option_nearest(const struct option_spec *specs, size_t n, const char *name)
{
    size_t least = MIN(strlen(name), OPTION_NAME_MAX) / 3 + 1;
    const char *nearest = NULL;

    for (size_t i = 0; i < n; i++) {
        size_t distance = edit_distance(name, specs[i].name);

        if (distance < least) {
            least = distance;
            nearest = specs[i].name;
        }
    }
    return nearest;
}

/* Returns the index in 'words', with a space between them, of 'text', or
 * -1. */
static int
find_word(const char *words, const char *text)
{
    size_t len = strlen(text);

    for (int i = 0; words && *words; i++) {
        size_t n = strcspn(words, " ");

        if (n == len && !memcmp(words, text, n)) {
            return i;
        }
        words += n;
        words += strspn(words, " ");
    }
    return -1;
}

static bool
parse_number(const struct option_spec *spec, const char *text, uint64_t *n)
{
    unsigned long long int number;
    char *end;

    if (*text < '0' || *text > '9') {
        return false;           /* strtoull() takes signs and spaces. */
    }
    errno = 0;
    number = strtoull(text, &end, spec->decimal ? 10 : 0);
    *n = number;
    return (!errno && !*end && number >= spec->min && number <= spec->max
            && !(spec->step && number % spec->step));
}

static bool
is_address(const char *text)
{
    uint8_t address[16];

    return (inet_pton(AF_INET, text, address) == 1
            || inet_pton(AF_INET6, text, address) == 1);
}

bool
option_parse(const struct option_spec *spec, const char *text,
             struct option_value *value)
{
    uint64_t number = 0;
    bool ok = false;

    value->number = 0;
    value->word = find_word(spec->words, text);
    if (value->word >= 0) {
        return true;
    }

    switch (spec->type) {
    case OPTION_TEXT:
        ok = true;
        break;
    case OPTION_BOOL:
        number = !strcmp(text, "true");
        ok = number || !strcmp(text, "false");
        break;
    case OPTION_NUMBER:
        ok = parse_number(spec, text, &number);
        break;
    case OPTION_ADDRESS:
        ok = is_address(text);
        break;
    case OPTION_WORD:
        break;
    }
    if (ok) {
        value->number = number;
    }
    return ok;
}

void
option_describe(FILE *f, const struct option_spec *spec)
{
    const char *sep = " or ";

    switch (spec->type) {
    case OPTION_TEXT:
        fputs("a text", f);
        break;
    case OPTION_BOOL:
        fputs("\"true\" or \"false\"", f);
        break;
    case OPTION_NUMBER:
        if (spec->min == spec->max) {
            fprintf(f, "%"PRIu64, spec->min);
            break;
        }
        fprintf(f, spec->step ? "a multiple of %"PRIu64 : "an integer",
                spec->step);
        fprintf(f, " from %"PRIu64" to %"PRIu64, spec->min, spec->max);
        break;
    case OPTION_ADDRESS:
        fputs("an IPv4 or IPv6 address", f);
        break;
    case OPTION_WORD:
        sep = "";
        break;
    }

    for (const char *word = spec->words; word && *word; ) {
        int n = (int) strcspn(word, " ");

        fprintf(f, "%s\"%.*s\"", sep, n, word);
        word += n;
        word += strspn(word, " ");
        sep = " or ";
    }
}

char *
option_check(const struct option_spec *specs, size_t n, const char *name,
             const char *text)
{
    const struct option_spec *spec = option_find(specs, n, name);
    struct option_value value;
    struct option_text t;

    if (spec && option_parse(spec, text, &value)) {
        return NULL;
    }

    option_open_text(&t);
    if (spec) {
        fprintf(t.stream, "%s=%s is not ", name, text);
        option_describe(t.stream, spec);
    } else {
        const char *nearest = option_nearest(specs, n, name);

        fprintf(t.stream, "%s is unknown", name);
        if (nearest) {
            fprintf(t.stream, ", the nearest name is %s", nearest);
        }
    }
    return option_close_text(&t);
}

/* Writes 'spec' in parentheses. */
static void
explain(FILE *f, const struct option_spec *spec)
{
    if (spec->def) {
        fprintf(f, " (default %s; ", spec->def);
    } else {
        fputs(" (", f);
    }
    option_describe(f, spec);
    fputs(")\n", f);
}

char *
option_table_format(const struct option_spec *specs, size_t n)
{
    struct option_text t;

    option_open_text(&t);
    for (size_t i = 0; i < n; i++) {
        fputs(specs[i].name, t.stream);
        explain(t.stream, &specs[i]);
    }
    return option_close_text(&t);
}

/* Returns the state of 'key' in 'set', or null. */
static struct option_state *
find_state(const struct option_set *set, const char *key)
{
    const struct option_spec *spec = option_find(set->specs, set->n, key);

    return spec ? &set->states[spec - set->specs] : NULL;
}

/* Puts 'text', or null for none, into effect. */
static void
set_effect(struct option_state *state, const char *text,
           struct option_value value)
{
    free(state->effect);
    state->effect = copy(text ? text : "");
    state->value = value;
}

static void
set_default(struct option_state *state, const struct option_spec *spec)
{
    struct option_value value = { .word = -1 };

    if (spec->def) {
        option_parse(spec, spec->def, &value);
    }
    set_effect(state, spec->def, value);
}

/* Stores 'text', or null for none, in 'state' of 'spec'. */
static void
set_state(struct option_state *state, const struct option_spec *spec,
          const char *text)
{
    struct option_value value = { .word = -1 };

    free(state->text);
    state->text = text ? copy(text) : NULL;
    state->refused = text && !option_parse(spec, text, &value);
    if (text && !state->refused) {
        set_effect(state, text, value);
    } else if (!text || !state->effect) {
        set_default(state, spec);
    }
}

void
option_set_begin(struct option_set *set)
{
    for (size_t i = 0; i < set->n; i++) {
        set->states[i].seen = false;
    }
    for (struct option_stray *s = set->strays; s; s = s->next) {
        s->seen = false;
    }
}

/* Returns true if 'key', which is not in the table, is new. */
static bool
take_stray(struct option_set *set, const char *key)
{
    struct option_stray *s;

    for (s = set->strays; s; s = s->next) {
        if (!strcmp(s->name, key)) {
            s->seen = true;
            return false;
        }
    }
    s = malloc(sizeof *s);
    if (!s) {
        abort();
    }
    s->name = copy(key);
    s->seen = true;
    s->next = set->strays;
    set->strays = s;
    return true;
}

/* Returns what is wrong with 'text' of 'key', and that 'effect' stays. */
static char *
refusal(const struct option_set *set, const char *key, const char *text,
        const char *effect)
{
    char *error = option_check(set->specs, set->n, key, text);
    struct option_text t;

    option_open_text(&t);
    fprintf(t.stream, "%s: %s stays", error,
            effect[0] ? effect : "no value");
    free(error);
    return option_close_text(&t);
}

char *
option_set_take(struct option_set *set, const char *key, const char *text)
{
    struct option_state *state;

    if (strncmp(key, set->prefix, strlen(set->prefix))) {
        return NULL;
    }
    state = find_state(set, key);
    if (!state) {
        return (take_stray(set, key)
                ? option_check(set->specs, set->n, key, text) : NULL);
    }
    state->seen = true;
    if (state->text && !strcmp(state->text, text)) {
        return NULL;
    }
    set_state(state, &set->specs[state - set->states], text);
    return state->refused ? refusal(set, key, text, state->effect) : NULL;
}

void
option_set_end(struct option_set *set)
{
    struct option_stray **p = &set->strays;

    for (size_t i = 0; i < set->n; i++) {
        if (!set->states[i].seen) {
            set_state(&set->states[i], &set->specs[i], NULL);
        }
    }
    while (*p) {
        struct option_stray *s = *p;

        if (s->seen) {
            p = &s->next;
        } else {
            *p = s->next;
            free(s->name);
            free(s);
        }
    }
}

void
option_set_clear(struct option_set *set)
{
    option_set_begin(set);
    option_set_end(set);
    for (size_t i = 0; i < set->n; i++) {
        free(set->states[i].effect);
        set->states[i].effect = NULL;
    }
}

uint64_t
option_set_number(const struct option_set *set, const char *key)
{
    return find_state(set, key)->value.number;
}

int
option_set_word(const struct option_set *set, const char *key)
{
    return find_state(set, key)->value.word;
}

char *
option_set_format(const struct option_set *set)
{
    struct option_text t;

    option_open_text(&t);
    for (size_t i = 0; i < set->n; i++) {
        const struct option_spec *spec = &set->specs[i];
        const struct option_state *state = &set->states[i];

        fprintf(t.stream, "%s=%s", spec->name,
                state->effect ? state->effect : spec->def);
        explain(t.stream, spec);
        if (state->refused) {
            fprintf(t.stream, "  refused: %s\n", state->text);
        }
    }
    for (const struct option_stray *s = set->strays; s; s = s->next) {
        char *error = option_check(set->specs, set->n, s->name, "");

        fprintf(t.stream, "%s\n", error);
        free(error);
    }
    return option_close_text(&t);
}
