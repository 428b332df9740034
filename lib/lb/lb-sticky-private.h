/* SPDX-License-Identifier: Apache-2.0 */

#ifndef LB_STICKY_PRIVATE_H
#define LB_STICKY_PRIVATE_H 1

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/lb/lb-sticky.h"

/* Entries
 * =======
 *
 * An entry is a hash and a value.  The value has the token in its upper half,
 * then a generation, then the tick at which the entry expires.  The value says
 * what the entry is:
 *
 *    - Free: no token, no expiry.
 *
 *    - Claimed: no token, expiry VALUE_CLAIMED.  It belongs to one thread, the
 *      one that brought it into this state.
 *
 *    - Published: a token.  Live until it expires, then dead, and still the
 *      entry of its hash until somebody claims it.
 *
 * Memory of zeros is a free entry of generation 0.
 *
 * Only the thread that claimed an entry writes to its hash, and only while it
 * is claimed; to claim adds 1 to the generation.  The generation thus does for
 * the hash what the sequence number of a seqlock does.
 *
 *    - A reader loads the value, the hash and the value again.  With the same
 *      generation in both, nobody claimed the entry in between, so the value
 *      was of this hash.
 *
 *    - A writer changes a published entry by a compare-and-exchange of the
 *      value, with the generation that it has read, so it changes no other
 *      flow's.
 *
 * The generation has 4 bits only.  It would take 16 flows to follow each other
 * in one entry between two adjacent loads of one thread to be fooled.  Even so
 * a lookup then asks for the token to be the same both times, and so returns
 * another flow's only if the entry changed hands 16 times in each of two
 * adjacent intervals.
 */

#define ENTRIES_PER_LINE 4

struct entry {
    _Atomic(uint64_t) hash;
    _Atomic(uint64_t) value;
};

struct lb_sticky_line__ {
    struct entry entries[ENTRIES_PER_LINE];
};

static_assert(sizeof(struct lb_sticky_line__) == LB_STICKY_LINE_SIZE__,
              "a line is a cache line");

#define VALUE_TOKEN_SHIFT 32
#define VALUE_GENERATION_ONE (UINT64_C(1) << 28)
#define VALUE_GENERATION (UINT64_C(0xf) << 28)
#define VALUE_EXPIRY (VALUE_GENERATION_ONE - 1)
#define VALUE_CLAIMED UINT64_C(1)

/* The clocks of two threads may differ by so many ticks.  Beyond, they would
 * correct each other's expiry in turns. */
#define CLOCK_SKEW (2 * LB_STICKY_TICKS_PER_SEC)

/* The most ticks that an entry may have left to live. */
#define MAX_TICKS_LEFT (LB_STICKY_MAX_TIMEOUT + LB_STICKY_MAX_TIMEOUT / 32 \
                        + 2 + CLOCK_SKEW)

static inline uint32_t
value_token(uint64_t value)
{
    return value >> VALUE_TOKEN_SHIFT;
}

static inline bool
value_is_free(uint64_t value)
{
    return !(value & ~VALUE_GENERATION);
}

static inline uint32_t
value_ticks_left(uint64_t value, uint32_t now)
{
    return (value - now) & VALUE_EXPIRY;
}

static inline bool
value_is_live(uint64_t value, uint32_t now)
{
    return (value_token(value)
            && value_ticks_left(value, now) - 1 < MAX_TICKS_LEFT);
}

/* Returns true if a thread may claim an entry with 'value'. */
static inline bool
value_is_dead(uint64_t value, uint32_t now)
{
    return value_token(value) ? !value_is_live(value, now)
                              : value_is_free(value);
}

/* Returns true if 'a' and 'b' differ in nothing but their expiry. */
static inline bool
value_is_same(uint64_t a, uint64_t b)
{
    return !((a ^ b) & ~VALUE_EXPIRY);
}

#endif /* lb-sticky-private.h */
