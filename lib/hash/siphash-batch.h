/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SIPHASH_BATCH_H
#define SIPHASH_BATCH_H 1

#include <stddef.h>
#include <stdint.h>

#include "lib/hash/siphash.h"

/* SipHash-1-3 of the packets of a batch
 * =====================================
 *
 * One SipHash is a chain of operations that wait for each other.  Those of a
 * batch, under one key, do not: eight are computed side by side with AVX-512,
 * four with AVX2.
 *
 * Thread-safety: pure functions; any thread, after siphash_batch_select(). */

/* Stores siphash13_u64x2('a'[i], 'b'[i], 'key') in 'hashes'[i] for each i
 * below 'n', which may be 0.  The arrays have 'n' elements, need no alignment,
 * and do not overlap. */
typedef void siphash_batch_func(const uint64_t *a, const uint64_t *b,
                                size_t n, const struct siphash_key *key,
                                uint64_t *hashes);

siphash_batch_func siphash13_u64x2_plain;
#ifdef __x86_64__
siphash_batch_func siphash13_u64x2_avx2;
siphash_batch_func siphash13_u64x2_avx512;
#endif

/* The one that siphash_batch_select() chose; the plain one before. */
extern siphash_batch_func *siphash13_u64x2_batch;

void siphash_batch_select(void);

#endif /* siphash-batch.h */
