/* SPDX-License-Identifier: Apache-2.0 */

#ifndef GTPU_NAIVE_H
#define GTPU_NAIVE_H 1

/* A second GTP-U decoder, for tests
 * =================================
 *
 * Does what gtpu_parse(), gtpu_parse_ies() and gtpu_inner_type() promise, in
 * the plainest way.  It reads a field at a time, bit by bit, in the order of
 * the figures of TS 29.281 and TS 38.415.  Numbers are those of the standards
 * instead of the macros of gtpu.h.  It recurses where the standard says
 * "next".  It shares the result structs with lib/gtpu/ and no code.
 *
 * The unit tests and the fuzz target compare the two on each input. */

#include "lib/gtpu/gtpu-ie.h"
#include "lib/gtpu/gtpu-parse.h"

enum gtpu_error naive_parse(const uint8_t *data, size_t linear_len,
                            size_t total_len,
                            const struct gtpu_ext_set *known,
                            struct gtpu_header *);
enum gtpu_error naive_parse_ies(const uint8_t *data, size_t linear_len,
                                const struct gtpu_header *,
                                struct gtpu_ies *);
enum gtpu_error naive_inner_type(const uint8_t *payload, size_t linear_len,
                                 size_t payload_len, enum gtpu_inner *);

/* Each returns a null pointer if 'a' and 'b' are equal, otherwise the name of
 * a member in which they differ. */
const char *naive_header_diff(const struct gtpu_header *a,
                              const struct gtpu_header *b);
const char *naive_ies_diff(const struct gtpu_ies *a,
                           const struct gtpu_ies *b);

#endif /* gtpu-naive.h */
