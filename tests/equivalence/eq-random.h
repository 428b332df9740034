/* SPDX-License-Identifier: Apache-2.0 */

#ifndef EQ_RANDOM_H
#define EQ_RANDOM_H 1

#include <stdint.h>

#include "tests/unit/splitmix64.h"

/* Random numbers that depend on a seed alone. */

/* Returns a number below 'n'. */
static inline uint32_t
eq_random(uint64_t *state, uint32_t n)
{
    return (splitmix64(state) >> 32) * n >> 32;
}

/* Returns 1 once in 'n' times. */
static inline int
eq_rarely(uint64_t *state, uint32_t n)
{
    return !eq_random(state, n);
}

#endif /* eq-random.h */
