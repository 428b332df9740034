/* SPDX-License-Identifier: Apache-2.0 */

#ifndef EQ_RANDOM_H
#define EQ_RANDOM_H 1

#include <stdint.h>

/* Random numbers that depend on a seed alone: SplitMix64, by Steele, Lea and
 * Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014. */

static inline uint64_t
eq_random64(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* Returns a number below 'n'. */
static inline uint32_t
eq_random(uint64_t *state, uint32_t n)
{
    return (eq_random64(state) >> 32) * n >> 32;
}

/* Returns 1 once in 'n' times. */
static inline int
eq_rarely(uint64_t *state, uint32_t n)
{
    return !eq_random(state, n);
}

#endif /* eq-random.h */
