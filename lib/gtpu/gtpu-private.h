/* SPDX-License-Identifier: Apache-2.0 */

#ifndef GTPU_PRIVATE_H
#define GTPU_PRIVATE_H 1

/* GTPv1-U codec, internals
 * ========================
 *
 * Access to big-endian numbers of any alignment, for the codec's own files.
 * The caller has checked the length. */

#include <stdint.h>

static inline uint16_t
gtpu_get_be16__(const uint8_t *p)
{
    return (uint16_t) (p[0] << 8 | p[1]);
}

static inline uint32_t
gtpu_get_be32__(const uint8_t *p)
{
    return (uint32_t) gtpu_get_be16__(p) << 16 | gtpu_get_be16__(p + 2);
}

static inline void
gtpu_put_be16__(uint8_t *p, uint16_t value)
{
    p[0] = (uint8_t) (value >> 8);
    p[1] = (uint8_t) value;
}

static inline void
gtpu_put_be32__(uint8_t *p, uint32_t value)
{
    gtpu_put_be16__(p, (uint16_t) (value >> 16));
    gtpu_put_be16__(p + 2, (uint16_t) value);
}

#endif /* gtpu-private.h */
