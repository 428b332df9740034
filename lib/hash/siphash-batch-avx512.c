/* SPDX-License-Identifier: Apache-2.0 */

/* lib/hash/siphash-batch.h with AVX-512F: a lane for each input. */

#ifdef __x86_64__
#pragma GCC push_options
#pragma GCC target("avx512f")
#include <immintrin.h>

#include "lib/hash/siphash-batch.h"

#define LANES 8

struct state {
    __m512i v0, v1, v2, v3;
};

SIPHASH_INLINE__ void
rounds(struct state *s, int n)
{
    for (int i = 0; i < n; i++) {
        s->v0 = _mm512_add_epi64(s->v0, s->v1);
        s->v2 = _mm512_add_epi64(s->v2, s->v3);
        s->v1 = _mm512_xor_si512(_mm512_rol_epi64(s->v1, 13), s->v0);
        s->v3 = _mm512_xor_si512(_mm512_rol_epi64(s->v3, 16), s->v2);
        s->v0 = _mm512_rol_epi64(s->v0, 32);

        s->v2 = _mm512_add_epi64(s->v2, s->v1);
        s->v0 = _mm512_add_epi64(s->v0, s->v3);
        s->v1 = _mm512_xor_si512(_mm512_rol_epi64(s->v1, 17), s->v2);
        s->v3 = _mm512_xor_si512(_mm512_rol_epi64(s->v3, 21), s->v0);
        s->v2 = _mm512_rol_epi64(s->v2, 32);
    }
}

SIPHASH_INLINE__ void
word(struct state *s, __m512i w)
{
    s->v3 = _mm512_xor_si512(s->v3, w);
    rounds(s, 1);
    s->v0 = _mm512_xor_si512(s->v0, w);
}

void
siphash13_u64x2_avx512(const uint64_t *a, const uint64_t *b, size_t n,
                       const struct siphash_key *key, uint64_t *hashes)
{
    const struct siphash_state__ init = siphash_init__(key);

    for (size_t i = 0; i < n; i += LANES) {
        __mmask8 lanes = n - i < LANES ? (1u << (n - i)) - 1 : 0xff;
        struct state s = {
            _mm512_set1_epi64(init.v0), _mm512_set1_epi64(init.v1),
            _mm512_set1_epi64(init.v2), _mm512_set1_epi64(init.v3),
        };

        word(&s, _mm512_maskz_loadu_epi64(lanes, a + i));
        word(&s, _mm512_maskz_loadu_epi64(lanes, b + i));
        word(&s, _mm512_set1_epi64((uint64_t) (sizeof *a + sizeof *b) << 56));
        s.v2 = _mm512_xor_si512(s.v2, _mm512_set1_epi64(0xff));
        rounds(&s, 3);
        _mm512_mask_storeu_epi64(
            hashes + i, lanes,
            _mm512_xor_si512(_mm512_xor_si512(s.v0, s.v1),
                             _mm512_xor_si512(s.v2, s.v3)));
    }
}

#pragma GCC pop_options
#endif
