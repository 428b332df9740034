/* SPDX-License-Identifier: Apache-2.0 */

/* lib/fuse/fuse-replay.h with AVX-512: F, BW, DQ and VL.  Loads and stores are
 * masked, so that no octet outside of a packet is touched. */

#ifdef __x86_64__
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,bmi,bmi2")
#include <immintrin.h>

#include "lib/fuse/fuse-replay.h"

static inline __m512i
nh_products(__m512i block, const uint64_t *nh_key)
{
    __m512i t = _mm512_add_epi32(block, _mm512_load_si512(nh_key));

    return _mm512_mul_epu32(t, _mm512_srli_epi64(t, 32));
}

static inline uint64_t
make_key(const struct fuse_shape *shape, const uint8_t *packet, uint8_t *key,
         const uint64_t *nh_key)
{
    __m512i x = _mm512_maskz_loadu_epi8(shape->octets[0], packet);
    __m512i sum;

    x = _mm512_and_si512(x, _mm512_load_si512(shape->mask));
    _mm512_store_si512(key, x);
    sum = nh_products(x, nh_key);
    if (shape->octets[1]) {
        __m512i y = _mm512_maskz_loadu_epi8(shape->octets[1], packet + 64);

        y = _mm512_and_si512(y, _mm512_load_si512(shape->mask + 64));
        if (shape->fold) {
            x = _mm512_or_si512(x, _mm512_maskz_permutexvar_epi16(
                                    shape->fold,
                                    _mm512_load_si512(shape->fold_from), y));
            _mm512_store_si512(key, x);
            sum = nh_products(x, nh_key);
        } else {
            _mm512_store_si512(key + 64, y);
            sum = _mm512_add_epi64(sum, nh_products(y, nh_key + 8));
        }
    }
    return _mm512_reduce_add_epi64(sum);
}

static inline int
find_sig(const struct fuse_bucket *bucket, uint32_t sig)
{
    /* The signatures are words 2, 4, ..., 14. */
    uint32_t found = _mm512_mask_cmpeq_epi32_mask(
        0x5554, _mm512_load_si512(bucket), _mm512_set1_epi32(sig));

    return found ? (__builtin_ctz(found) - 2) / 2 : -1;
}

static inline bool
key_equals(const struct fuse_entry *entry, const uint8_t *key,
           uint32_t n_blocks)
{
    __m512i differ = _mm512_xor_si512(_mm512_load_si512(entry->key),
                                      _mm512_load_si512(key));

    if (n_blocks > 1) {
        differ = _mm512_or_si512(
            differ, _mm512_xor_si512(_mm512_load_si512(entry->key2),
                                     _mm512_load_si512(key + 64)));
    }
    return !_mm512_test_epi64_mask(differ, differ);
}

static inline uint32_t
sum_octets(const uint8_t *p, uint32_t n)
{
    const __m512i low = _mm512_set1_epi16(0xff), zero = _mm512_setzero_si512();
    __m512i even = zero, odd = zero;
    uint64_t sum;

    for (;; p += 64, n -= 64) {
        __m512i x = _mm512_maskz_loadu_epi8(
            n >= 64 ? UINT64_MAX : _bzhi_u64(UINT64_MAX, n), p);

        even = _mm512_add_epi64(even, _mm512_sad_epu8(
                                          _mm512_and_si512(x, low), zero));
        odd = _mm512_add_epi64(odd, _mm512_sad_epu8(_mm512_srli_epi16(x, 8),
                                                    zero));
        if (n <= 64) {
            break;
        }
    }
    sum = _mm512_reduce_add_epi64(
        _mm512_add_epi64(even, _mm512_slli_epi64(odd, 8)));
    return sum;
}

static inline void
rewrite_part(uint8_t *q, uint64_t octets, const uint8_t *omask,
             const uint8_t *image)
{
    __m512i x = _mm512_maskz_loadu_epi8(octets, q);

    /* (x & ~omask) | image */
    x = _mm512_ternarylogic_epi64(x, _mm512_maskz_loadu_epi8(octets, omask),
                                  _mm512_load_si512(image), 0xba);
    _mm512_mask_storeu_epi8(q, octets, x);
}

static inline void
rewrite(const struct fuse_program *p, const uint8_t *image,
        const uint8_t *image2, uint8_t *q)
{
    rewrite_part(q, p->octets[0], p->omask, image);
    if (p->octets[1]) {
        q += FUSE_PART_1;
        rewrite_part(q, p->octets[1], p->omask + FUSE_PART_1, image2);
        if (p->octets[2]) {
            rewrite_part(q + FUSE_PART_2, p->octets[2],
                         p->omask + FUSE_PART_1 + FUSE_PART_2,
                         image2 + FUSE_PART_2);
        }
    }
}

#define FUSE_REPLAY_NAME fuse_replay_avx512
#include "lib/fuse/fuse-replay-impl.h"
#pragma GCC pop_options
#endif
