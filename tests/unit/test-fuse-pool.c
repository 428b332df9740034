/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/fuse/fuse-pool.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define MAX 20000

struct element {
    uint64_t value;
    char rest[184];
};

/* What the pool should hold: the hash and the value of each number in use. */
static struct naive {
    bool in_use;
    uint32_t hash;
    uint64_t value;
} naive[MAX];

static uint32_t state_of_random = 1;

static uint32_t
rnd(uint32_t n)
{
    state_of_random = state_of_random * 1664525 + 1013904223;
    return (state_of_random >> 8) % n;
}

/* Checks that 'pool' finds for 'hash' what is in 'naive', each once. */
static void
check_hash(const struct fuse_pool *pool, uint32_t hash)
{
    uint32_t n_naive = 0, n = 0;

    for (uint32_t i = 0; i < pool->n_touched; i++) {
        n_naive += naive[i].in_use && naive[i].hash == hash;
    }
    for (const struct element *e = fuse_pool_first(pool, hash); e;
         e = fuse_pool_next(pool, e)) {
        uint32_t number = fuse_pool_number(pool, e);

        assert_true(naive[number].in_use && naive[number].hash == hash);
        assert_int_equal(e->value, naive[number].value);
        n++;
    }
    assert_int_equal(n, n_naive);
}

/* Does what an array does.  Some hashes are those of many elements. */
static void
test_as_array(void **state)
{
    uint32_t n = 0, n_rounds = getenv("TEST_LIGHT") ? 3000 : 60000;
    struct fuse_pool pool;

    (void) state;
    memset(naive, 0, sizeof naive);
    assert_int_equal(fuse_pool_init(&pool, sizeof(struct element), MAX, -1,
                                    false), 0);
    for (uint32_t round = 0; round < n_rounds; round++) {
        uint32_t hash = rnd(4) ? rnd(UINT32_MAX) : rnd(8);

        if (rnd(n_rounds) > round / 2) {
            struct element *e = fuse_pool_insert(&pool, hash);
            uint32_t number;

            if (n == MAX) {
                assert_null(e);
                continue;
            }
            assert_non_null(e);
            assert_int_equal(e->value, 0);
            number = fuse_pool_number(&pool, e);
            assert_false(naive[number].in_use);
            assert_ptr_equal(fuse_pool_at(&pool, number), e);
            e->value = (uint64_t) round << 32 | 1;
            naive[number] = (struct naive) { true, hash, e->value };
            n++;
        } else if (n) {
            uint32_t number = rnd(pool.n_touched);
            struct element *e = fuse_pool_at(&pool, number);

            assert_int_equal(e != NULL, naive[number].in_use);
            hash = naive[number].hash;
            if (e) {
                fuse_pool_remove(&pool, e);
                naive[number].in_use = false;
                n--;
            }
        }
        assert_int_equal(pool.n, n);
        if (round < 1000 || !(round % 64)) {
            check_hash(&pool, hash);
        }
    }
    for (uint32_t i = 0; i < pool.n_touched; i++) {
        if (naive[i].in_use) {
            assert_ptr_equal(fuse_pool_at(&pool, i),
                             fuse_pool_element(&pool, i));
        }
    }
    fuse_pool_uninit(&pool);
}

/* An insertion adds one list at most, and lists stay short. */
static void
test_grows_in_steps(void **state)
{
    uint32_t longest = 0;
    struct fuse_pool pool;

    (void) state;
    assert_int_equal(fuse_pool_init(&pool, 64, MAX, -1, false), 0);
    for (uint32_t i = 0; i < MAX; i++) {
        uint32_t n_heads = pool.n_heads;

        assert_non_null(fuse_pool_insert(&pool, i * 2654435761u));
        assert_in_range(pool.n_heads, n_heads, n_heads + 1);
    }
    assert_int_equal(pool.n_heads, MAX);
    for (uint32_t i = 0; i < pool.n_heads; i++) {
        uint32_t length = 0;

        for (uint32_t next = pool.heads[i]; next;
             next = pool.links[next - 1].next) {
            length++;
        }
        longest = length > longest ? length : longest;
    }
    assert_in_range(longest, 1, 8);
    assert_null(fuse_pool_insert(&pool, 0));
    fuse_pool_uninit(&pool);
}

/* The owner uses only what another thread has taken, and asks in time. */
static void
test_taken_ahead(void **state)
{
    struct fuse_pool pool;
    uint32_t n = 0, n_takes = 0;

    (void) state;
    assert_int_equal(fuse_pool_init(&pool, 64, MAX, -1, false), 0);
    assert_int_equal(fuse_pool_take_ahead(&pool), 0);
    assert_in_range(pool.n_ready, 1, MAX / 2);
    while (fuse_pool_insert(&pool, n)) {
        n++;
    }
    /* Nobody took more. */
    assert_int_equal(n, pool.n_ready);
    while (n < MAX) {
        if (fuse_pool_follow(&pool)) {
            assert_int_equal(fuse_pool_take(&pool), 0);
            n_takes++;
        }
        fuse_pool_follow(&pool);
        assert_non_null(fuse_pool_insert(&pool, n++));
    }
    assert_in_range(n_takes, 2, MAX / 1000);
    assert_false(fuse_pool_has_room(&pool));
    assert_false(fuse_pool_follow(&pool));
    assert_true(fuse_pool_memory(&pool) >= MAX * 64);
    fuse_pool_uninit(&pool);
}

/* An element that is removed makes room for one other. */
static void
test_reuse(void **state)
{
    struct fuse_pool pool;
    void *first, *second;

    (void) state;
    assert_int_equal(fuse_pool_init(&pool, 64, 2, -1, false), 0);
    first = fuse_pool_insert(&pool, 7);
    second = fuse_pool_insert(&pool, 7);
    assert_null(fuse_pool_insert(&pool, 7));
    fuse_pool_remove(&pool, first);
    assert_null(fuse_pool_at(&pool, fuse_pool_number(&pool, first)));
    assert_ptr_equal(fuse_pool_first(&pool, 7), second);
    assert_ptr_equal(fuse_pool_insert(&pool, 9), first);
    assert_false(fuse_pool_has_room(&pool));
    fuse_pool_uninit(&pool);
    assert_int_equal(fuse_pool_init(&pool, 64, 0, -1, false), EINVAL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_array),
        cmocka_unit_test(test_grows_in_steps),
        cmocka_unit_test(test_taken_ahead),
        cmocka_unit_test(test_reuse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
