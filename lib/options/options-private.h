/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OPTIONS_PRIVATE_H
#define OPTIONS_PRIVATE_H 1

/* Shared by the files of this folder. */

#include <stdio.h>
#include <stdlib.h>

struct option_spec;

/* A stream that writes to memory. */
struct option_text {
    FILE *stream;
    char *string;
    size_t length;
};

static inline void
option_open_text(struct option_text *t)
{
    t->stream = open_memstream(&t->string, &t->length);
    if (!t->stream) {
        abort();
    }
}

static inline char *
option_close_text(struct option_text *t)
{
    if (fclose(t->stream)) {
        abort();
    }
    return t->string;
}

/* Writes the valid values of 'spec'. */
void option_describe(FILE *, const struct option_spec *spec);

#endif /* options-private.h */
