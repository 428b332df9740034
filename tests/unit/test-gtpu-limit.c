/* SPDX-License-Identifier: Apache-2.0 */

/* Tests gtpu-limit.h with a clock of the test's own, against buckets that
 * count tokens, and with threads that want the same tokens.  Also tests the
 * logic of lib/gtpu/gtpu-answer.h. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <pthread.h>
#include <cmocka.h>

#include "lib/gtpu/gtpu-answer.h"
#include "lib/gtpu/gtpu-limit.h"
#include "lib/gtpu/gtpu-underlay.h"
#include "tests/unit/random-numbers.h"

#define SEC UINT64_C(1000000000)

static const struct siphash_key key = { 1, 2 };
static struct gtpu_limiter limiter;

static void
init(uint32_t peer, uint32_t peer_burst, uint32_t total, uint32_t total_burst)
{
    gtpu_limiter_init(&limiter, key, (struct gtpu_rate) { peer, peer_burst },
                      (struct gtpu_rate) { total, total_burst });
}

static enum gtpu_limit
admit(uint32_t peer, bool known, uint64_t now)
{
    uint8_t address[16] = { 0 };

    memcpy(address + 12, &peer, sizeof peer);
    return gtpu_limiter_admit(&limiter, address, known, now);
}

/* Returns how many of 'n' requests at once are admitted. */
static int
admitted(uint32_t peer, bool known, int n, uint64_t now)
{
    int count = 0;

    while (n--) {
        count += admit(peer, known, now) == GTPU_LIMIT_NONE;
    }
    return count;
}

static void
test_burst_and_rate(void **state)
{
    (void) state;
    init(10, 20, 1000, 1000);
    assert_int_equal(admitted(1, false, 100, 5 * SEC), 20);
    assert_int_equal(admit(1, false, 5 * SEC), GTPU_LIMIT_PEER);
    /* One more each 100 ms, not a nanosecond earlier. */
    assert_int_equal(admitted(1, false, 5, 5 * SEC + SEC / 10 - 1), 0);
    assert_int_equal(admitted(1, false, 5, 5 * SEC + SEC / 10), 1);
    assert_int_equal(admitted(1, false, 100, 6 * SEC), 9);
    /* A bucket does not hold more than its size. */
    assert_int_equal(admitted(1, false, 100, 1000 * SEC), 20);
    /* Another peer has its own. */
    assert_int_equal(admitted(2, false, 100, 1000 * SEC), 20);
}

static void
test_total(void **state)
{
    int n = 0;

    (void) state;
    init(10, 10, 100, 100);
    for (uint32_t peer = 0; peer < 1000; peer++) {
        n += admitted(peer, false, 1, 5 * SEC);
    }
    assert_int_equal(n, 100);
    assert_int_equal(admit(5000, false, 5 * SEC), GTPU_LIMIT_TOTAL);
    /* Strangers take nothing from known peers, nor these from strangers. */
    assert_int_equal(admitted(5001, true, 100, 5 * SEC), 10);
    assert_int_equal(admitted(5000, false, 100, 6 * SEC), 10);
}

/* A refusal to one peer costs the others no token. */
static void
test_flood_of_one(void **state)
{
    (void) state;
    init(10, 10, 20, 20);
    assert_int_equal(admitted(1, false, 100000, 5 * SEC), 10);
    assert_int_equal(admitted(2, false, 100, 5 * SEC), 10);
    assert_int_equal(admit(3, false, 5 * SEC), GTPU_LIMIT_TOTAL);
}

static void
test_set_rates(void **state)
{
    struct gtpu_rate ten = { 10, 10 }, none = { 0, 5 };
    struct gtpu_rate great = { UINT32_MAX, UINT32_MAX }, no_burst = { 10, 0 };

    (void) state;
    init(10, 10, 10, 10);
    assert_int_equal(admitted(1, false, 100, 5 * SEC), 10);
    /* The same rates again fill nothing. */
    gtpu_limiter_set_rates(&limiter, ten, ten);
    assert_int_equal(admitted(1, false, 100, 5 * SEC), 0);
    gtpu_limiter_set_rates(&limiter, none, ten);
    assert_int_equal(admitted(1, false, 100, 9 * SEC), 0);
    gtpu_limiter_set_rates(&limiter, ten, none);
    assert_int_equal(admit(1, false, 9 * SEC), GTPU_LIMIT_TOTAL);
    gtpu_limiter_set_rates(&limiter, great, great);
    assert_int_equal(admitted(1, false, 1000010, 9 * SEC), 1000000);
    gtpu_limiter_set_rates(&limiter, no_burst, ten);
    assert_int_equal(admitted(1, false, 100, 9 * SEC), 1);
}

/* Buckets with counted tokens, in billionths. */
struct naive {
    uint64_t per_second, burst, tokens, last;
};

static bool
naive_take(struct naive *b, uint64_t now)
{
    b->tokens += (now - b->last) * b->per_second;
    b->last = now;
    if (b->tokens > b->burst * SEC) {
        b->tokens = b->burst * SEC;
    }
    if (b->tokens < SEC) {
        return false;
    }
    b->tokens -= SEC;
    return true;
}

static void
test_against_naive(void **state)
{
    /* Rates that divide the nanoseconds of a second. */
    static const uint32_t rates[] = { 1, 2, 5, 10, 100, 1000, 100000 };

    (void) state;
    for (int i = 0; i < 500; i++) {
        uint32_t rate = rates[random_u64() % 7];
        uint32_t burst = 1 + random_u64() % 30;
        uint64_t now = SEC + random_u64() % SEC;
        struct naive naive = { rate, burst, burst * SEC, now };

        init(rate, burst, 1000000, 1000000);
        for (int j = 0; j < 400; j++) {
            bool expected = naive_take(&naive, now);

            assert_int_equal(admit(1, false, now) == GTPU_LIMIT_NONE,
                             expected);
            now += random_u64() % (2 * SEC / rate);
            now += random_u64() % 20 ? 0 : random_u64() % (burst * SEC / rate);
        }
    }
}

static void *
worker(void *count_)
{
    int *count = count_;

    for (int i = 0; i < 20000; i++) {
        *count += admit(i % 50, i & 1, 5 * SEC) == GTPU_LIMIT_NONE;
    }
    return NULL;
}

/* No token goes to two threads. */
static void
test_threads(void **state)
{
    pthread_t threads[4];
    int counts[4] = { 0 }, sum = 0;

    (void) state;
    init(100, 100, 700, 700);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, worker,
                                        &counts[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        sum += counts[i];
    }
    assert_int_equal(sum, 2 * 700);
}

static void
test_underlay(void **state)
{
    struct gtpu_subnet *subnets, *other_subnets;
    struct gtpu_underlay *u = gtpu_underlay_alloc(2, 3, &subnets);
    struct gtpu_underlay *other = gtpu_underlay_alloc(2, 3, &other_subnets);
    uint32_t port = 0;

    (void) state;
    assert_true(gtpu_underlay_equal(u, other));
    strcpy(u->bridges[0].name, "br-phy");
    u->bridges[0].odp_port = 7;
    strcpy(u->bridges[1].name, "fifteen-letters");
    u->bridges[1].odp_port = 8;
    assert_false(gtpu_underlay_equal(u, other));
    assert_false(gtpu_underlay_equal(u, NULL));
    assert_true(gtpu_underlay_find(u, "br-phy", &port) && port == 7);
    assert_true(gtpu_underlay_find(u, "fifteen-letters", &port) && port == 8);
    assert_false(gtpu_underlay_find(u, "br-ph", &port));
    assert_false(gtpu_underlay_find(u, "br-phys", &port));
    assert_false(gtpu_underlay_find(NULL, "br-phy", &port));

    subnets[0] = (struct gtpu_subnet) { 0x0a010200, 0xffffff00 };
    subnets[1] = (struct gtpu_subnet) { 0x0a020300, 0xfffffffe };
    subnets[2] = (struct gtpu_subnet) { 0x0a030301, 0xffffffff };
    assert_true(gtpu_underlay_is_broadcast(u, 0x0a0102ff));
    assert_true(gtpu_underlay_is_broadcast(u, 0x0a010200));
    assert_false(gtpu_underlay_is_broadcast(u, 0x0a010201));
    assert_false(gtpu_underlay_is_broadcast(u, 0x0a0101ff));
    assert_false(gtpu_underlay_is_broadcast(u, 0x0a020301));
    assert_false(gtpu_underlay_is_broadcast(u, 0x0a030301));
    assert_false(gtpu_underlay_is_broadcast(NULL, 0x0a0102ff));
    free(u);
    free(other);
}

/* Nothing is admitted before the limits are set, and each kind of answer has
 * its own. */
static void
test_answers(void **state)
{
    uint8_t peer[16] = { 1 };
    int n = 0;

    (void) state;
    assert_int_equal(gtpu_answer_admit(GTPU_ANSWER_ECHO, peer, true, SEC),
                     GTPU_LIMIT_PEER);
    gtpu_answers_set(&key);
    for (int i = 0; i < 100; i++) {
        n += !gtpu_answer_admit(GTPU_ANSWER_ECHO, peer, true, SEC);
    }
    assert_int_equal(n, GTPU_ECHO_RATE_PEER);
    gtpu_answer_set_rates(GTPU_ANSWER_ERROR, 3, 4);
    for (int i = 0; i < 100; i++) {
        n += !gtpu_answer_admit(GTPU_ANSWER_ERROR, peer, true, SEC);
    }
    assert_int_equal(n, GTPU_ECHO_RATE_PEER + 3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_burst_and_rate),
        cmocka_unit_test(test_total),
        cmocka_unit_test(test_flood_of_one),
        cmocka_unit_test(test_set_rates),
        cmocka_unit_test(test_against_naive),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_underlay),
        cmocka_unit_test(test_answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
