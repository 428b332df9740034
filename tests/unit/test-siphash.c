/* SPDX-License-Identifier: Apache-2.0 */

/* Tests siphash.h against the published test vectors, and beyond their 63
 * bytes against a second implementation, which follows the paper word by
 * word. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/hash/siphash-batch.h"
#include "tests/unit/random-numbers.h"

/* The key of the test vectors: bytes 00 01 ... 0f. */
static const struct siphash_key vector_key = {
    .k0 = 0x0706050403020100,
    .k1 = 0x0f0e0d0c0b0a0908,
};

/* The hashes of the strings of 0 to 63 bytes 00 01 02..., under 'vector_key'.
 *
 * SipHash-2-4: the vectors of the authors' reference implementation
 * (https://github.com/veorq/SipHash, vectors.h); the one of 15 bytes is worked
 * out in appendix A of the paper.  SipHash-1-3: the vectors in the tests of
 * the Rust core library (library/coretests/tests/hash/sip.rs). */
static const uint64_t siphash24_vectors[64] = {
    0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a,
    0x85676696d7fb7e2d, 0xcf2794e0277187b7, 0x18765564cd99a68d,
    0xcbc9466e58fee3ce, 0xab0200f58b01d137, 0x93f5f5799a932462,
    0x9e0082df0ba9e4b0, 0x7a5dbbc594ddb9f3, 0xf4b32f46226bada7,
    0x751e8fbc860ee5fb, 0x14ea5627c0843d90, 0xf723ca908e7af2ee,
    0xa129ca6149be45e5, 0x3f2acc7f57c29bdb, 0x699ae9f52cbe4794,
    0x4bc1b3f0968dd39c, 0xbb6dc91da77961bd, 0xbed65cf21aa2ee98,
    0xd0f2cbb02e3b67c7, 0x93536795e3a33e88, 0xa80c038ccd5ccec8,
    0xb8ad50c6f649af94, 0xbce192de8a85b8ea, 0x17d835b85bbb15f3,
    0x2f2e6163076bcfad, 0xde4daaaca71dc9a5, 0xa6a2506687956571,
    0xad87a3535c49ef28, 0x32d892fad841c342, 0x7127512f72f27cce,
    0xa7f32346f95978e3, 0x12e0b01abb051238, 0x15e034d40fa197ae,
    0x314dffbe0815a3b4, 0x027990f029623981, 0xcadcd4e59ef40c4d,
    0x9abfd8766a33735c, 0x0e3ea96b5304a7d0, 0xad0c42d6fc585992,
    0x187306c89bc215a9, 0xd4a60abcf3792b95, 0xf935451de4f21df2,
    0xa9538f0419755787, 0xdb9acddff56ca510, 0xd06c98cd5c0975eb,
    0xe612a3cb9ecba951, 0xc766e62cfcadaf96, 0xee64435a9752fe72,
    0xa192d576b245165a, 0x0a8787bf8ecb74b2, 0x81b3e73d20b49b6f,
    0x7fa8220ba3b2ecea, 0x245731c13ca42499, 0xb78dbfaf3a8d83bd,
    0xea1ad565322a1a0b, 0x60e61c23a3795013, 0x6606d7e446282b93,
    0x6ca4ecb15c5f91e1, 0x9f626da15c9625f3, 0xe51b38608ef25f57,
    0x958a324ceb064572,
};

static const uint64_t siphash13_vectors[64] = {
    0xabac0158050fc4dc, 0xc9f49bf37d57ca93, 0x82cb9b024dc7d44d,
    0x8bf80ab8e7ddf7fb, 0xcf75576088d38328, 0xdef9d52f49533b67,
    0xc50d2b50c59f22a7, 0xd3927d989bb11140, 0x369095118d299a8e,
    0x25a48eb36c063de4, 0x79de85ee92ff097f, 0x70c118c1f94dc352,
    0x78a384b157b4d9a2, 0x306f760c1229ffa7, 0x605aa111c0f95d34,
    0xd320d86d2a519956, 0xcc4fdd1a7d908b66, 0x9cf2689063dbd80c,
    0x8ffc389cb473e63e, 0xf21f9de58d297d1c, 0xc0dc2f46a6cce040,
    0xb992abfe2b45f844, 0x7ffe7b9ba320872e, 0x525a0e7fdae6c123,
    0xf464aeb267349c8c, 0x45cd5928705b0979, 0x3a3e35e3ca9913a5,
    0xa91dc74e4ade3b35, 0xfb0bed02ef6cd00d, 0x88d93cb44ab1e1f4,
    0x540f11d643c5e663, 0x2370dd1f8c21d1bc, 0x81157b6c16a7b60d,
    0x4d54b9e57a8ff9bf, 0x759f12781f2a753e, 0xcea1a3bebf186b91,
    0x2cf508d3ada26206, 0xb6101c2da3c33057, 0xb3f47496ae3a36a1,
    0x626b57547b108392, 0xc1d2363299e41531, 0x667cc1923f1ad944,
    0x65704ffec8138825, 0x24f280d1c28949a6, 0xc2ca1cedfaf8876b,
    0xc2164bfc9f042196, 0xa16e9c9368b1d623, 0x49fb169c8b5114fd,
    0x9f3143f8df074c46, 0xc6fdaf2412cc86b3, 0x7eaf49d10a52098f,
    0x1cf313559d292f9a, 0xc44a30dda2f41f12, 0x36fae98943a71ed0,
    0x318fb34c73f0bce6, 0xa27abf3670a7e980, 0xb4bcc0db243c6d75,
    0x23f8d852fdb71513, 0x8f035f4da67d8a08, 0xd89cd0e5b7e8f148,
    0xf6f4e6bcf7a644ee, 0xaec59ad80f1837f2, 0xc3b2f6154b6694e0,
    0x9d199062b7bbb3a8,
};

static struct siphash_key
random_key(void)
{
    uint64_t k0 = random_u64();

    return (struct siphash_key) { k0, random_u64() };
}

static void
random_bytes(uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bytes[i] = random_u64();
    }
}

/* Stores 'word' at 'bytes', least significant byte first. */
static void
store_le64(uint8_t *bytes, uint64_t word)
{
    for (int i = 0; i < 8; i++) {
        bytes[i] = word >> 8 * i;
    }
}

/* The naive implementation: section 2 of the paper. */

static void
naive_rotate_left(uint64_t *x, int n)
{
    while (n-- > 0) {
        *x = *x * 2 + *x / (UINT64_C(1) << 63);
    }
}

static void
naive_sip_rounds(uint64_t v[4], unsigned int n)
{
    while (n-- > 0) {
        v[0] += v[1];
        v[2] += v[3];
        naive_rotate_left(&v[1], 13);
        naive_rotate_left(&v[3], 16);
        v[1] ^= v[0];
        v[3] ^= v[2];
        naive_rotate_left(&v[0], 32);
        v[2] += v[1];
        v[0] += v[3];
        naive_rotate_left(&v[1], 17);
        naive_rotate_left(&v[3], 21);
        v[1] ^= v[2];
        v[3] ^= v[0];
        naive_rotate_left(&v[2], 32);
    }
}

static uint64_t
naive_siphash(unsigned int c, unsigned int d, const uint8_t *bytes, size_t n,
              const struct siphash_key *key)
{
    uint8_t padded[1024];
    uint64_t v[4];
    size_t n_words = (n + 1 + 7) / 8;

    assert_true(n_words * 8 <= sizeof padded);
    memset(padded, 0, sizeof padded);
    memcpy(padded, bytes, n);
    padded[n_words * 8 - 1] = n % 256;

    v[0] = key->k0 ^ 0x736f6d6570736575;
    v[1] = key->k1 ^ 0x646f72616e646f6d;
    v[2] = key->k0 ^ 0x6c7967656e657261;
    v[3] = key->k1 ^ 0x7465646279746573;
    for (size_t i = 0; i < n_words; i++) {
        uint64_t word = 0;

        for (int j = 7; j >= 0; j--) {
            word = word * 256 + padded[i * 8 + j];
        }
        v[3] ^= word;
        naive_sip_rounds(v, c);
        v[0] ^= word;
    }
    v[2] ^= 0xff;
    naive_sip_rounds(v, d);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static void
test_vectors(void **state)
{
    uint8_t bytes[64];

    (void) state;
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = i;
    }
    assert_int_equal(siphash_bytes(2, 4, bytes, 15, &vector_key),
                     0xa129ca6149be45e5);
    assert_int_equal(siphash_bytes(2, 4, NULL, 0, &vector_key),
                     siphash24_vectors[0]);
    for (size_t i = 0; i < 64; i++) {
        assert_int_equal(siphash_bytes(2, 4, bytes, i, &vector_key),
                         siphash24_vectors[i]);
        assert_int_equal(siphash_bytes(1, 3, bytes, i, &vector_key),
                         siphash13_vectors[i]);
    }
}

/* The data path's functions against the published vectors, without
 * siphash_bytes() in between. */
static void
test_word_vectors(void **state)
{
    uint64_t words[7];

    (void) state;
    for (size_t i = 0; i < 7; i++) {
        words[i] = 0x0706050403020100 + i * 0x0808080808080808;
    }
    assert_int_equal(siphash13_u64x1(words[0], &vector_key),
                     siphash13_vectors[8]);
    assert_int_equal(siphash13_u64x2(words[0], words[1], &vector_key),
                     siphash13_vectors[16]);
    assert_int_equal(siphash13_u64xn(NULL, 0, &vector_key),
                     siphash13_vectors[0]);
    for (size_t i = 0; i <= 7; i++) {
        assert_int_equal(siphash13_u64xn(words, i, &vector_key),
                         siphash13_vectors[8 * i]);
    }
}

/* Lengths above 255 wrap around in the last word. */
static void
test_naive(void **state)
{
    static const unsigned int rounds[][2] = { { 1, 3 }, { 2, 4 }, { 4, 8 } };
    uint8_t bytes[600];

    (void) state;
    for (size_t n = 0; n < 520; n++) {
        struct siphash_key key = random_key();
        const uint8_t *data = bytes + n % 8;    /* At every alignment. */

        random_bytes(bytes, sizeof bytes);
        for (size_t i = 0; i < sizeof rounds / sizeof rounds[0]; i++) {
            unsigned int c = rounds[i][0];
            unsigned int d = rounds[i][1];

            assert_int_equal(siphash_bytes(c, d, data, n, &key),
                             naive_siphash(c, d, data, n, &key));
        }
    }
}

static void
test_words_equal_bytes(void **state)
{
    (void) state;
    for (size_t n = 0; n <= 64; n++) {
        struct siphash_key key = random_key();
        uint8_t bytes[64 * 8];
        uint64_t words[64];

        for (size_t i = 0; i < n; i++) {
            words[i] = random_u64();
            store_le64(&bytes[8 * i], words[i]);
        }
        uint64_t hash = siphash13_u64xn(words, n, &key);

        assert_int_equal(hash, naive_siphash(1, 3, bytes, 8 * n, &key));
        if (n == 1) {
            assert_int_equal(siphash13_u64x1(words[0], &key), hash);
        } else if (n == 2) {
            assert_int_equal(siphash13_u64x2(words[0], words[1], &key), hash);
        }
    }
}

static int
count_1bits(uint64_t x)
{
    int n = 0;

    for (; x; x &= x - 1) {
        n++;
    }
    return n;
}

/* Checks 'batch' with up to 40 inputs, at any alignment.  It must write
 * nothing else. */
static void
check_batch(siphash_batch_func *batch)
{
    enum { MAX = 40, GUARD = 8 };
    uint64_t a[MAX + 1], b[MAX + 1], hashes[MAX + 1 + GUARD];

    for (size_t n = 0; n <= MAX; n++) {
        struct siphash_key key = random_key();
        size_t ofs = random_u64() & 1;

        for (size_t i = 0; i <= MAX; i++) {
            a[i] = random_u64();
            b[i] = random_u64();
        }
        memset(hashes, 0xa5, sizeof hashes);
        batch(a + ofs, b + ofs, n, &key, hashes + ofs);
        for (size_t i = 0; i < MAX + 1 + GUARD; i++) {
            assert_true(hashes[i]
                        == (i >= ofs && i < ofs + n
                            ? siphash13_u64x2(a[i], b[i], &key)
                            : UINT64_C(0xa5a5a5a5a5a5a5a5)));
        }
    }
}

static void
test_batch_plain(void **state)
{
    (void) state;
    check_batch(siphash13_u64x2_plain);
}

#ifdef __x86_64__
static void
check_batch_if(bool works, siphash_batch_func *batch)
{
    if (!works) {
        skip();
    }
    check_batch(batch);
}

static void
test_batch_avx2(void **state)
{
    (void) state;
    check_batch_if(__builtin_cpu_supports("avx2"), siphash13_u64x2_avx2);
}

static void
test_batch_avx512(void **state)
{
    (void) state;
    check_batch_if(__builtin_cpu_supports("avx512f"), siphash13_u64x2_avx512);
}
#endif

/* Every bit of the input and of the key changes each bit of the output in half
 * of all cases. */
static void
test_avalanche(void **state)
{
    enum { N_TRIALS = 1000 };

    (void) state;
    for (int bit = 0; bit < 4 * 64; bit++) {
        uint64_t flip = UINT64_C(1) << bit % 64;
        int n_flipped = 0;

        for (int i = 0; i < N_TRIALS; i++) {
            struct siphash_key key = random_key();
            uint64_t a = random_u64();
            uint64_t b = random_u64();
            uint64_t before = siphash13_u64x2(a, b, &key);

            a ^= bit / 64 == 0 ? flip : 0;
            b ^= bit / 64 == 1 ? flip : 0;
            key.k0 ^= bit / 64 == 2 ? flip : 0;
            key.k1 ^= bit / 64 == 3 ? flip : 0;
            n_flipped += count_1bits(before ^ siphash13_u64x2(a, b, &key));
        }

        /* 32 of 64, within 8 standard deviations. */
        assert_in_range(n_flipped, 31 * N_TRIALS, 33 * N_TRIALS);
    }
}

/* Inputs that collide under one key collide under another by chance only.  A
 * seeded CRC does not give that. */
static void
test_collisions_do_not_outlive_key(void **state)
{
    enum { N_BUCKETS = 1 << 12 };
    struct siphash_key old_key = random_key();
    struct siphash_key new_key = random_key();
    uint64_t occupant[N_BUCKETS];
    int n_together = 0;
    int n_collisions = 0;

    (void) state;
    for (uint64_t i = 0; i < N_BUCKETS; i++) {
        occupant[i] = UINT64_MAX;
    }
    for (uint64_t i = 0; i < 16 * N_BUCKETS; i++) {
        uint64_t bucket = siphash13_u64x1(i, &old_key) % N_BUCKETS;

        if (occupant[bucket] == UINT64_MAX) {
            occupant[bucket] = i;
        } else {
            n_collisions++;
            n_together += (siphash13_u64x1(i, &new_key) % N_BUCKETS
                           == siphash13_u64x1(occupant[bucket], &new_key)
                              % N_BUCKETS);
        }
    }

    /* About 15 by chance, among 61440. */
    assert_in_range(n_collisions, 61430, 61450);
    assert_in_range(n_together, 1, 40);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_word_vectors),
        cmocka_unit_test(test_naive),
        cmocka_unit_test(test_words_equal_bytes),
        cmocka_unit_test(test_batch_plain),
#ifdef __x86_64__
        cmocka_unit_test(test_batch_avx2),
        cmocka_unit_test(test_batch_avx512),
#endif
        cmocka_unit_test(test_avalanche),
        cmocka_unit_test(test_collisions_do_not_outlive_key),
    };

    return cmocka_run_group_tests_name("siphash", tests, NULL, NULL);
}
