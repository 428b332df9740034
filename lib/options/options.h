/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OPTIONS_H
#define OPTIONS_H 1

/* Tables of options
 * =================
 *
 * A table has the name, type, range and default of each option of one place:
 * the column "options" of a type of port, or the keys with one prefix in
 * "other_config".  It validates values, names the nearest option for a
 * misspelt one, and shows the values in effect.
 *
 *     static const struct option_spec specs[] = {
 *         { .name = "qfi", .type = OPTION_NUMBER, .max = 63,
 *           .words = "flow", .def = "flow" },
 *         { .name = "csum", .type = OPTION_BOOL, .def = "false" },
 *     };
 *
 *     char *error = option_check(specs, 2, "qfi", "77");
 *
 * The error is 'qfi=77 is not an integer from 0 to 63 or "flow"'.
 *
 * struct option_set keeps the values of a table of keys with a prefix.  A
 * wrong value leaves the one in effect that was there before, be it the
 * default.  It is reported once, not at every look at the database, and stays
 * visible in option_set_format().
 *
 *     option_set_begin(&set);
 *     for each key and value of other_config {
 *         char *error = option_set_take(&set, key, value);
 *
 *         if (error) {
 *             warn(error);
 *             free(error);
 *         }
 *     }
 *     option_set_end(&set);
 *     rate = option_set_number(&set, "gtpu-echo-rate");
 *
 * Memory: results that the caller frees come from malloc().  The process
 * aborts if there is no memory.
 *
 * Thread-safety: a set is for one thread at a time.  All other functions are
 * for any thread.
 *
 * Limits: texts come from the database, which its administrator controls.
 * option_nearest() compares the first OPTION_NAME_MAX characters. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OPTION_NAME_MAX 63

enum option_type {
    OPTION_TEXT,                /* Any text. */
    OPTION_BOOL,                /* "true" or "false". */
    OPTION_NUMBER,              /* An integer from 'min' to 'max'. */
    OPTION_ADDRESS,             /* An IPv4 or IPv6 address. */
    OPTION_WORD,                /* One of 'words'. */
};

struct option_spec {
    const char *name;
    enum option_type type;
    uint64_t min, max;          /* OPTION_NUMBER. */
    uint64_t step;              /* OPTION_NUMBER: a multiple of this, unless
                                 * it is 0. */
    bool decimal;               /* OPTION_NUMBER: without 0x or octal. */
    const char *words;          /* Words that are valid, too, with a space
                                 * between them.  Null for none. */
    const char *def;            /* Null if there is no default. */
};

struct option_value {
    int word;                   /* Index of the word in 'words', or -1. */
    uint64_t number;            /* OPTION_NUMBER.  OPTION_BOOL: 0 or 1. */
};

/* Returns the option 'name' of the 'n' in 'specs', or null. */
const struct option_spec *option_find(const struct option_spec *specs,
                                      size_t n, const char *name);

/* Returns the name in 'specs' that differs from 'name' by the fewest letters,
 * or null if all differ by more than a third of it. */
const char *option_nearest(const struct option_spec *specs, size_t n,
                           const char *name);

/* Parses 'text' into '*value'.  Returns false, with '*value' all zeros but
 * 'word' -1, if it is not valid. */
bool option_parse(const struct option_spec *, const char *text,
                  struct option_value *value);

/* Returns null if 'specs' has the option 'name' and 'text' is valid for it.
 * Otherwise returns what is wrong, which the caller frees. */
char *option_check(const struct option_spec *specs, size_t n,
                   const char *name, const char *text);

/* Returns a line for each option: its name, its default, its valid values.
 * The caller frees it. */
char *option_table_format(const struct option_spec *specs, size_t n);

/* The same as a JSON object: for each option its "default", if it has one, and
 * what is "valid".  The caller frees it. */
char *option_table_json(const struct option_spec *specs, size_t n);

/* The value of one key. */
struct option_state {
    char *text;                 /* In the database, null if it is absent. */
    char *effect;               /* The text of 'value', null at first. */
    bool refused;               /* 'text' is not valid. */
    bool seen;                  /* Since option_set_begin(). */
    struct option_value value;  /* In effect: the last valid one. */
};

/* A key with the prefix that is not in the table. */
struct option_stray {
    struct option_stray *next;
    char *name;
    bool seen;                  /* Since option_set_begin(). */
};

struct option_set {
    const char *prefix;         /* Of all names in 'specs'. */
    const struct option_spec *specs;
    struct option_state *states; /* One for each of 'specs', zeros at first. */
    size_t n;
    struct option_stray *strays; /* Null at first. */
};

/* Begin and end a walk over all keys.  A key that is absent in between has its
 * default afterwards. */
void option_set_begin(struct option_set *);
void option_set_end(struct option_set *);

/* Frees what 'set' holds besides the caller's. */
void option_set_clear(struct option_set *set);

/* Takes the value 'text' of 'key'.  Ignores keys without the prefix.  Returns
 * null, or what is wrong, and which value stays in effect, if it was not wrong
 * in the same way before.  The caller frees it. */
char *option_set_take(struct option_set *, const char *key, const char *text);

/* Return the value of 'key' in effect, after the first option_set_end().
 * 'key' is in the table.  option_set_word() returns an index, or -1. */
uint64_t option_set_number(const struct option_set *, const char *key);
int option_set_word(const struct option_set *, const char *key);

/* Returns a line for each key: its value in effect, its default, its valid
 * values, and the refused value if there is one.  Unknown keys follow.  The
 * caller frees it. */
char *option_set_format(const struct option_set *);

/* The same as a JSON object: for each key its "value", its "default", what is
 * "valid", and the value "refused", if any.  A key that is not in the table
 * has only an "error".  The caller frees it. */
char *option_set_json(const struct option_set *);

#endif /* options.h */
