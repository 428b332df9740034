/* SPDX-License-Identifier: Apache-2.0 */

#ifndef GTPU_HEX_H
#define GTPU_HEX_H 1

/* Octets from hexadecimal text, for the GTP-U tests. */

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Reads the pairs of hexadecimal digits in 's', which blanks may separate,
 * and stores their number in '*n'.
 *
 * Returns the octets in a block of exactly that size, which the caller must
 * free, so that a memory checker sees each access past them; a null pointer
 * if 's' has anything else. */
static inline uint8_t *
hex_to_octets(const char *s, size_t *n)
{
    uint8_t *octets = malloc(strlen(s) / 2 + 1);
    uint8_t *exact;

    *n = 0;
    while (octets && *s) {
        char pair[3] = { s[0], s[1], '\0' };

        if (isspace((unsigned char) *s)) {
            s++;
            continue;
        }
        if (!isxdigit((unsigned char) pair[0])
            || !isxdigit((unsigned char) pair[1])) {
            free(octets);
            return NULL;
        }
        octets[(*n)++] = (uint8_t) strtoul(pair, NULL, 16);
        s += 2;
    }

    exact = malloc(*n ? *n : 1);
    if (octets && exact) {
        memcpy(exact, octets, *n);
    }
    free(octets);
    return exact;
}

#endif /* gtpu-hex.h */
