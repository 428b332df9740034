/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/fuse/fuse-replay.h"

static inline uint64_t
make_key(const struct fuse_shape *shape, const uint8_t *packet, uint8_t *key,
         const uint64_t *nh_key)
{
    uint32_t n = shape->n_octets, size = (n + 63) / 64 * 64;
    uint64_t nh = 0;
    uint32_t i;

    for (i = 0; i + 8 <= n; i += 8) {
        uint64_t x, mask;

        __builtin_memcpy(&x, packet + i, sizeof x);
        __builtin_memcpy(&mask, shape->mask + i, sizeof mask);
        x &= mask;
        __builtin_memcpy(key + i, &x, sizeof x);
    }
    for (; i < n; i++) {
        key[i] = packet[i] & shape->mask[i];
    }
    for (; i < size; i++) {
        key[i] = 0;
    }
    for (uint32_t fold = shape->fold; fold; fold &= fold - 1) {
        uint32_t to = __builtin_ctz(fold);

        __builtin_memcpy(key + 2 * to, key + 64 + 2 * shape->fold_from[to], 2);
    }
    size = shape->n_blocks * 64;
    for (i = 0; i < size; i += 8) {
        uint64_t x, k = nh_key[i / 8];

        __builtin_memcpy(&x, key + i, sizeof x);
        nh += (uint64_t) (uint32_t) ((uint32_t) x + (uint32_t) k)
              * (uint32_t) ((uint32_t) (x >> 32) + (uint32_t) (k >> 32));
    }
    return nh;
}

static inline int
find_sig(const struct fuse_bucket *bucket, uint32_t sig)
{
    for (int i = 0; i < FUSE_BUCKET_PLACES; i++) {
        if (bucket->places[i].sig == sig) {
            return i;
        }
    }
    return -1;
}

static inline bool
block_equals(const uint8_t *a, const uint8_t *b)
{
    uint64_t differ = 0;

    for (uint32_t i = 0; i < 64; i += 8) {
        uint64_t x, y;

        __builtin_memcpy(&x, a + i, sizeof x);
        __builtin_memcpy(&y, b + i, sizeof y);
        differ |= x ^ y;
    }
    return !differ;
}

static inline bool
key_equals(const struct fuse_entry *entry, const uint8_t *key,
           uint32_t n_blocks)
{
    return (block_equals(entry->key, key)
            && (n_blocks == 1 || block_equals(entry->key2, key + 64)));
}

static inline uint32_t
sum_octets(const uint8_t *p, uint32_t n)
{
    uint64_t sum = 0;

    for (; n >= 4; n -= 4, p += 4) {
        uint32_t x;

        __builtin_memcpy(&x, p, sizeof x);
        sum += x;
    }
    if (n) {
        uint32_t x = 0;

        __builtin_memcpy(&x, p, n);
        sum += x;
    }
    sum = (sum & UINT32_MAX) + (sum >> 32);
    sum = (sum & UINT32_MAX) + (sum >> 32);
    return (sum & 0xffff) + (sum >> 16);
}

static inline void
rewrite_part(uint8_t *q, const uint8_t *omask, const uint8_t *image,
             uint32_t n)
{
    uint32_t i;

    for (i = 0; i + 8 <= n; i += 8) {
        uint64_t x, mask, value;

        __builtin_memcpy(&x, q + i, sizeof x);
        __builtin_memcpy(&mask, omask + i, sizeof mask);
        __builtin_memcpy(&value, image + i, sizeof value);
        x = (x & ~mask) | value;
        __builtin_memcpy(q + i, &x, sizeof x);
    }
    for (; i < n; i++) {
        q[i] = (q[i] & ~omask[i]) | image[i];
    }
}

static inline void
rewrite(const struct fuse_program *p, const uint8_t *image,
        const uint8_t *image2, uint8_t *q)
{
    const uint32_t n = FUSE_PART_1;

    rewrite_part(q, p->omask, image, p->n_octets < n ? p->n_octets : n);
    if (p->n_octets > n) {
        rewrite_part(q + n, p->omask + n, image2, p->n_octets - n);
    }
}

#define FUSE_REPLAY_NAME fuse_replay_plain
#include "lib/fuse/fuse-replay-impl.h"

static bool
works_plain(void)
{
    return true;
}

#ifdef __x86_64__
static bool
works_avx2(void)
{
    __builtin_cpu_init();
    return (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi")
            && __builtin_cpu_supports("bmi2"));
}

static bool
works_avx512(void)
{
    return (works_avx2() && __builtin_cpu_supports("avx512f")
            && __builtin_cpu_supports("avx512bw")
            && __builtin_cpu_supports("avx512vl")
            && __builtin_cpu_supports("avx512dq"));
}
#endif

const struct fuse_replay_impl fuse_replay_impls[] = {
#ifdef __x86_64__
    { "avx512", fuse_replay_avx512, works_avx512 },
    { "avx2", fuse_replay_avx2, works_avx2 },
#endif
    { "plain", fuse_replay_plain, works_plain },
};

const size_t fuse_n_replay_impls
    = sizeof fuse_replay_impls / sizeof fuse_replay_impls[0];

fuse_replay_func *fuse_replay_batch = fuse_replay_plain;

/* Chooses the implementation for this CPU.  Returns its name. */
const char *
fuse_replay_select(void)
{
    const struct fuse_replay_impl *impl = fuse_replay_impls;

    while (!impl->works()) {
        impl++;
    }
    fuse_replay_batch = impl->func;
    return impl->name;
}
