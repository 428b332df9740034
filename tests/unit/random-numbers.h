/* SPDX-License-Identifier: Apache-2.0 */

#ifndef RANDOM_NUMBERS_H
#define RANDOM_NUMBERS_H 1

#include <stdint.h>

#include "tests/unit/splitmix64.h"

/* Random numbers that are the same in each run of a program, for programs of
 * one file and one thread. */

static inline uint64_t
random_u64(void)
{
    static uint64_t state = 1;

    return splitmix64(&state);
}

/* Returns a number below 'n'. */
static inline uint64_t
rnd(uint64_t n)
{
    return random_u64() % n;
}

#endif /* random-numbers.h */
