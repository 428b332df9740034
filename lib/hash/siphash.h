/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SIPHASH_H
#define SIPHASH_H 1

#include <stddef.h>
#include <stdint.h>

/* SipHash
 * =======
 *
 * A keyed 64-bit hash of short inputs, for tables whose keys attackers
 * choose.
 * Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF",
 * INDOCRYPT 2012.
 *
 * SipHash-c-d spends 'c' rounds on each word of input and 'd' rounds at the
 * end.  siphash13_*() is SipHash-1-3, the variant for hash tables: it runs per
 * packet, as straight-line code for one and two words of input.
 * siphash_bytes() takes any 'c' and 'd' and any number of bytes: it is for the
 * control path, and ties the fast forms to the published test vectors.
 *
 * All of them hash a string of bytes.  A word stands for its 8 bytes in
 * little-endian order, so that for the same bytes every function here returns
 * the same value, and returns it on every host.
 *
 * Thread-safety: pure functions; any thread.
 *
 * Attack model: the sender picks the input and may know everything except the
 * key.  Without the key, nobody finds inputs that share a bucket faster than
 * by trial.  A linear function such as a CRC does not give that: its
 * collisions hold under every seed.  The key comes from a cryptographic random
 * source and leaves the host only to its peers.  Three final rounds are not
 * enough for authentication: use at least SipHash-2-4 there. */

/* A key: 16 bytes as two little-endian words, 'k0' being the first. */
struct siphash_key {
    uint64_t k0;
    uint64_t k1;
};

/* Internals.  Inlined at any level of optimisation that inlines at all, since
 * the state is in registers only then. */

#define SIPHASH_INLINE__ static inline __attribute__((__always_inline__))

struct siphash_state__ {
    uint64_t v0;
    uint64_t v1;
    uint64_t v2;
    uint64_t v3;
};

SIPHASH_INLINE__ uint64_t
siphash_rotl__(uint64_t x, unsigned int n)
{
    return x << n | x >> (64 - n);
}

SIPHASH_INLINE__ void
siphash_round__(struct siphash_state__ *s)
{
    s->v0 += s->v1;
    s->v2 += s->v3;
    s->v1 = siphash_rotl__(s->v1, 13) ^ s->v0;
    s->v3 = siphash_rotl__(s->v3, 16) ^ s->v2;
    s->v0 = siphash_rotl__(s->v0, 32);

    s->v2 += s->v1;
    s->v0 += s->v3;
    s->v1 = siphash_rotl__(s->v1, 17) ^ s->v2;
    s->v3 = siphash_rotl__(s->v3, 21) ^ s->v0;
    s->v2 = siphash_rotl__(s->v2, 32);
}

SIPHASH_INLINE__ struct siphash_state__
siphash_init__(const struct siphash_key *key)
{
    /* "somepseudorandomlygeneratedbytes". */
    return (struct siphash_state__) {
        .v0 = key->k0 ^ UINT64_C(0x736f6d6570736575),
        .v1 = key->k1 ^ UINT64_C(0x646f72616e646f6d),
        .v2 = key->k0 ^ UINT64_C(0x6c7967656e657261),
        .v3 = key->k1 ^ UINT64_C(0x7465646279746573),
    };
}

SIPHASH_INLINE__ void
siphash_word__(struct siphash_state__ *s, uint64_t word, unsigned int rounds)
{
    s->v3 ^= word;
    for (unsigned int r = 0; r < rounds; r++) {
        siphash_round__(s);
    }
    s->v0 ^= word;
}

SIPHASH_INLINE__ void
siphash13_word__(struct siphash_state__ *s, uint64_t word)
{
    s->v3 ^= word;
    siphash_round__(s);
    s->v0 ^= word;
}

/* The last word of input holds the bytes that do not fill a word, of which
 * there are none here, and the length of the input in its top byte. */
SIPHASH_INLINE__ uint64_t
siphash13_finish__(struct siphash_state__ *s, size_t n_bytes)
{
    siphash13_word__(s, (uint64_t) n_bytes << 56);
    s->v2 ^= 0xff;
    siphash_round__(s);
    siphash_round__(s);
    siphash_round__(s);
    return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

/* Returns the SipHash-1-3 under 'key' of the 8 bytes of 'a'. */
SIPHASH_INLINE__ uint64_t
siphash13_u64x1(uint64_t a, const struct siphash_key *key)
{
    struct siphash_state__ s = siphash_init__(key);

    siphash13_word__(&s, a);
    return siphash13_finish__(&s, sizeof a);
}

/* Returns the SipHash-1-3 under 'key' of the 16 bytes of 'a' and then 'b'. */
SIPHASH_INLINE__ uint64_t
siphash13_u64x2(uint64_t a, uint64_t b, const struct siphash_key *key)
{
    struct siphash_state__ s = siphash_init__(key);

    siphash13_word__(&s, a);
    siphash13_word__(&s, b);
    return siphash13_finish__(&s, sizeof a + sizeof b);
}

/* Returns the SipHash-1-3 under 'key' of the 8 * 'n' bytes of the 'n' words at
 * 'words'.  'words' may be null if 'n' is 0.  Its only branch is on 'n'. */
static inline uint64_t
siphash13_u64xn(const uint64_t *words, size_t n, const struct siphash_key *key)
{
    struct siphash_state__ s = siphash_init__(key);

    for (size_t i = 0; i < n; i++) {
        siphash13_word__(&s, words[i]);
    }
    return siphash13_finish__(&s, n * sizeof *words);
}

/* Returns the SipHash-'c_rounds'-'d_rounds' under 'key' of the 'n' bytes at
 * 'data', which may have any alignment, and may be null if 'n' is 0. */
static inline uint64_t
siphash_bytes(unsigned int c_rounds, unsigned int d_rounds,
              const void *data, size_t n, const struct siphash_key *key)
{
    struct siphash_state__ s = siphash_init__(key);
    const uint8_t *bytes = data;
    uint64_t word = 0;

    for (size_t i = 0; i < n; i++) {
        word |= (uint64_t) bytes[i] << 8 * (i % 8);
        if (i % 8 == 7) {
            siphash_word__(&s, word, c_rounds);
            word = 0;
        }
    }
    siphash_word__(&s, word | (uint64_t) n << 56, c_rounds);

    s.v2 ^= 0xff;
    for (unsigned int r = 0; r < d_rounds; r++) {
        siphash_round__(&s);
    }
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

#endif /* siphash.h */
