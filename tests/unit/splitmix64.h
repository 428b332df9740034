/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SPLITMIX64_H
#define SPLITMIX64_H 1

#include <stdint.h>

/* Returns the next number of the sequence that the first value of '*state'
 * begins.
 * Source: Steele, Lea and Flood, "Fast Splittable Pseudorandom Number
 * Generators", OOPSLA 2014. */
static inline uint64_t
splitmix64(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

#endif /* splitmix64.h */
