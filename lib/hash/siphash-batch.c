/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/hash/siphash-batch.h"

siphash_batch_func *siphash13_u64x2_batch = siphash13_u64x2_plain;

void
siphash13_u64x2_plain(const uint64_t *a, const uint64_t *b, size_t n,
                      const struct siphash_key *key, uint64_t *hashes)
{
    for (size_t i = 0; i < n; i++) {
        hashes[i] = siphash13_u64x2(a[i], b[i], key);
    }
}

/* Chooses the implementation for this CPU.  Main thread, before others use
 * it. */
void
siphash_batch_select(void)
{
#ifdef __x86_64__
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f")) {
        siphash13_u64x2_batch = siphash13_u64x2_avx512;
    } else if (__builtin_cpu_supports("avx2")) {
        siphash13_u64x2_batch = siphash13_u64x2_avx2;
    }
#endif
}
