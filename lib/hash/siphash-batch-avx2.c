/* SPDX-License-Identifier: Apache-2.0 */

/* siphash-batch.h with AVX2, for CPUs without AVX-512: a lane for each
 * input. */

#ifdef __x86_64__
#pragma GCC push_options
#pragma GCC target("avx2")
#include <immintrin.h>

#include "lib/hash/siphash-batch.h"

#define LANES 4

struct state {
    __m256i v0, v1, v2, v3;
};

SIPHASH_INLINE__ __m256i
rotate(__m256i x, int n)
{
    return _mm256_or_si256(_mm256_slli_epi64(x, n),
                           _mm256_srli_epi64(x, 64 - n));
}

SIPHASH_INLINE__ __m256i
rotate32(__m256i x)
{
    return _mm256_shuffle_epi32(x, _MM_SHUFFLE(2, 3, 0, 1));
}

SIPHASH_INLINE__ void
rounds(struct state *s, int n)
{
    for (int i = 0; i < n; i++) {
        s->v0 = _mm256_add_epi64(s->v0, s->v1);
        s->v2 = _mm256_add_epi64(s->v2, s->v3);
        s->v1 = _mm256_xor_si256(rotate(s->v1, 13), s->v0);
        s->v3 = _mm256_xor_si256(rotate(s->v3, 16), s->v2);
        s->v0 = rotate32(s->v0);

        s->v2 = _mm256_add_epi64(s->v2, s->v1);
        s->v0 = _mm256_add_epi64(s->v0, s->v3);
        s->v1 = _mm256_xor_si256(rotate(s->v1, 17), s->v2);
        s->v3 = _mm256_xor_si256(rotate(s->v3, 21), s->v0);
        s->v2 = rotate32(s->v2);
    }
}

SIPHASH_INLINE__ void
word(struct state *s, __m256i w)
{
    s->v3 = _mm256_xor_si256(s->v3, w);
    rounds(s, 1);
    s->v0 = _mm256_xor_si256(s->v0, w);
}

SIPHASH_INLINE__ __m256i
hash(__m256i a, __m256i b, const struct siphash_state__ *init)
{
    struct state s = {
        _mm256_set1_epi64x(init->v0), _mm256_set1_epi64x(init->v1),
        _mm256_set1_epi64x(init->v2), _mm256_set1_epi64x(init->v3),
    };

    word(&s, a);
    word(&s, b);
    word(&s, _mm256_set1_epi64x((uint64_t) 2 * sizeof(uint64_t) << 56));
    s.v2 = _mm256_xor_si256(s.v2, _mm256_set1_epi64x(0xff));
    rounds(&s, 3);
    return _mm256_xor_si256(_mm256_xor_si256(s.v0, s.v1),
                            _mm256_xor_si256(s.v2, s.v3));
}

void
siphash13_u64x2_avx2(const uint64_t *a, const uint64_t *b, size_t n,
                     const struct siphash_key *key, uint64_t *hashes)
{
    const struct siphash_state__ init = siphash_init__(key);
    size_t i;

    for (i = 0; i + LANES <= n; i += LANES) {
        _mm256_storeu_si256(
            (__m256i *) (hashes + i),
            hash(_mm256_loadu_si256((const __m256i *) (a + i)),
                 _mm256_loadu_si256((const __m256i *) (b + i)), &init));
    }
    for (; i < n; i++) {
        hashes[i] = siphash13_u64x2(a[i], b[i], key);
    }
}

#pragma GCC pop_options
#endif
