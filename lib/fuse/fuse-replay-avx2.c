/* SPDX-License-Identifier: Apache-2.0 */

/* fuse-replay.h with AVX2, for CPUs without AVX-512.  AVX2 has no masked loads
 * and stores of single octets.  Keys are read by a mask of words of 4 octets,
 * and spans are rewritten as two halves that may overlap. */

#ifdef __x86_64__
#pragma GCC push_options
#pragma GCC target("avx2,bmi,bmi2")
#include <immintrin.h>

#include "lib/fuse/fuse-replay.h"

static inline __m256i
load32(const void *p)
{
    return _mm256_loadu_si256(p);
}

static inline uint64_t
sum_lanes(__m256i x)
{
    __m128i y = _mm_add_epi64(_mm256_castsi256_si128(x),
                              _mm256_extracti128_si256(x, 1));

    return ((uint64_t) _mm_cvtsi128_si64(y)
            + (uint64_t) _mm_extract_epi64(y, 1));
}

/* Loads the octets at 'p' of a header that has 'left' of them from there on,
 * and zeros behind them.
 *
 * Up to 3 octets more are read.  They are there: a header is that of Ethernet,
 * 14 or 18 octets, once or twice, and others of multiples of 4 octets, up to
 * the first 4 or 6 octets of one that has 8 at least. */
static inline __m256i
load_header(const uint8_t *p, uint32_t left)
{
    static const int32_t masks[16] = { -1, -1, -1, -1, -1, -1, -1, -1 };

    return (left >= 32 ? load32(p)
            : _mm256_maskload_epi32((const int *) p,
                                    load32(masks + 8 - (left + 3) / 4)));
}

/* Masks the block of 64 octets at 'packet', of which 'n' are there, and stores
 * it in 'key'. */
static inline void
make_block(const uint8_t *mask, const uint8_t *packet, uint32_t n,
           uint8_t *key)
{
    __m256i low = load_header(packet, n);
    __m256i high = (n > 32 ? load_header(packet + 32, n - 32)
                    : _mm256_setzero_si256());

    low = _mm256_and_si256(low, load32(mask));
    high = _mm256_and_si256(high, load32(mask + 32));
    _mm256_store_si256((__m256i *) key, low);
    _mm256_store_si256((__m256i *) (key + 32), high);
}

static inline __m256i
nh_products(const uint8_t *key, const uint64_t *nh_key)
{
    __m256i t = _mm256_add_epi32(load32(key), load32(nh_key));

    return _mm256_mul_epu32(t, _mm256_srli_epi64(t, 32));
}

static inline __m256i
nh_block(const uint8_t *key, const uint64_t *nh_key)
{
    return _mm256_add_epi64(nh_products(key, nh_key),
                            nh_products(key + 32, nh_key + 4));
}

static inline uint64_t
make_key(const struct fuse_shape *shape, const uint8_t *packet, uint8_t *key,
         const uint64_t *nh_key)
{
    uint32_t n = shape->n_octets;
    __m256i sum;

    make_block(shape->mask, packet, n < 64 ? n : 64, key);
    if (n > 64) {
        make_block(shape->mask + 64, packet + 64, n - 64, key + 64);
        for (uint32_t fold = shape->fold; fold; fold &= fold - 1) {
            uint32_t to = __builtin_ctz(fold);

            __builtin_memcpy(key + 2 * to,
                             key + 64 + 2 * shape->fold_from[to], 2);
        }
    }
    sum = nh_block(key, nh_key);
    if (shape->n_blocks > 1) {
        sum = _mm256_add_epi64(sum, nh_block(key + 64, nh_key + 8));
    }
    return sum_lanes(sum);
}

static inline int
find_sig(const struct fuse_bucket *bucket, uint32_t sig)
{
    /* The signatures are words 2, 4, ..., 14. */
    __m256i sigs = _mm256_set1_epi32(sig);
    __m256i low = _mm256_cmpeq_epi32(load32(bucket), sigs);
    __m256i high = _mm256_cmpeq_epi32(load32((const uint8_t *) bucket + 32),
                                      sigs);
    uint32_t found = (_mm256_movemask_ps(_mm256_castsi256_ps(low))
                      | _mm256_movemask_ps(_mm256_castsi256_ps(high)) << 8)
                     & 0x5554;

    return found ? (__builtin_ctz(found) - 2) / 2 : -1;
}

static inline __m256i
difference(const uint8_t *a, const uint8_t *b)
{
    return _mm256_or_si256(_mm256_xor_si256(load32(a), load32(b)),
                           _mm256_xor_si256(load32(a + 32), load32(b + 32)));
}

static inline bool
key_equals(const struct fuse_entry *entry, const uint8_t *key,
           uint32_t n_blocks)
{
    __m256i differ = difference(entry->key, key);

    if (n_blocks > 1) {
        differ = _mm256_or_si256(differ, difference(entry->key2, key + 64));
    }
    return _mm256_testz_si256(differ, differ);
}

static inline uint32_t
sum_octets(const uint8_t *p, uint32_t n)
{
    const __m256i low = _mm256_set1_epi16(0xff), zero = _mm256_setzero_si256();
    __m256i even = zero, odd = zero;
    uint64_t sum = 0;

    if (n >= 32) {
        for (; n >= 32; n -= 32, p += 32) {
            __m256i x = load32(p);

            even = _mm256_add_epi64(even, _mm256_sad_epu8(
                                              _mm256_and_si256(x, low), zero));
            odd = _mm256_add_epi64(odd, _mm256_sad_epu8(
                                            _mm256_srli_epi16(x, 8), zero));
        }
        sum = sum_lanes(_mm256_add_epi64(even, _mm256_slli_epi64(odd, 8)));
    }
    for (; n >= 4; n -= 4, p += 4) {
        uint32_t x;

        __builtin_memcpy(&x, p, sizeof x);
        sum += (x & 0xffff) + (x >> 16);
    }
    if (n) {
        uint32_t x = 0;

        __builtin_memcpy(&x, p, n);
        sum += (x & 0xffff) + (x >> 16);
    }
    return sum;
}

/* Returns ('x' & ~'omask') | 'image'. */
static inline __m256i
merge32(__m256i x, const uint8_t *omask, const uint8_t *image)
{
    return _mm256_or_si256(_mm256_andnot_si256(load32(omask), x),
                           load32(image));
}

static inline __m128i
merge16(__m128i x, const uint8_t *omask, const uint8_t *image)
{
    return _mm_or_si128(
        _mm_andnot_si128(_mm_loadu_si128((const __m128i *) omask), x),
        _mm_loadu_si128((const __m128i *) image));
}

/* Rewrites 'n' octets, 64 at most.  The last ones may be written twice, from
 * the octets that were there before. */
static inline void
rewrite_part(uint8_t *q, const uint8_t *omask, const uint8_t *image,
             uint32_t n)
{
    if (n >= 32) {
        uint32_t last = n - 32;
        __m256i a = load32(q), b = load32(q + last);

        _mm256_storeu_si256((__m256i *) q, merge32(a, omask, image));
        _mm256_storeu_si256((__m256i *) (q + last),
                            merge32(b, omask + last, image + last));
    } else if (n >= 16) {
        uint32_t last = n - 16;
        __m128i a = _mm_loadu_si128((const __m128i *) q);
        __m128i b = _mm_loadu_si128((const __m128i *) (q + last));

        _mm_storeu_si128((__m128i *) q, merge16(a, omask, image));
        _mm_storeu_si128((__m128i *) (q + last),
                         merge16(b, omask + last, image + last));
    } else {
        for (uint32_t i = 0; i < n; i++) {
            q[i] = (q[i] & ~omask[i]) | image[i];
        }
    }
}

static inline void
rewrite(const struct fuse_program *p, const uint8_t *image,
        const uint8_t *image2, uint8_t *q)
{
    const uint32_t part1 = FUSE_PART_1, part2 = FUSE_PART_2;
    const uint8_t *omask = p->omask;
    uint32_t n = p->n_octets;

    rewrite_part(q, omask, image, n < part1 ? n : part1);
    if (n > part1) {
        n -= part1;
        q += part1;
        omask += part1;
        rewrite_part(q, omask, image2, n < part2 ? n : part2);
        if (n > part2) {
            rewrite_part(q + part2, omask + part2, image2 + part2, n - part2);
        }
    }
}

#define FUSE_REPLAY_NAME fuse_replay_avx2
#include "lib/fuse/fuse-replay-impl.h"
#pragma GCC pop_options
#endif
