/* SPDX-License-Identifier: Apache-2.0 */

/* Tests gtpu-path.h and gtpu-watch.h with a clock of the test's own. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/gtpu/gtpu-path.h"
#include "lib/gtpu/gtpu-watch.h"

static const struct gtpu_path_config standard = { 60, 3, 3, false };

/* Runs 'path' from 'from' to 'to', which is not included, ms by ms.  Returns
 * the number of requests, and stores their times in 'at'. */
static int
run(struct gtpu_path *path, uint16_t seq, long long int from,
    long long int to, long long int *at)
{
    int n = 0;

    for (long long int now = from; now < to; now++) {
        if (gtpu_path_run(path, seq, now)) {
            at[n++] = now;
        }
    }
    return n;
}

static bool
answer(struct gtpu_path *path, uint16_t seq, uint8_t recovery, uint32_t time,
       long long int now)
{
    struct gtpu_path_answer a = { seq, recovery, time };

    return gtpu_path_receive(path, &a, now);
}

static void
test_no_answer(void **state)
{
    struct gtpu_path path;
    long long int at[20];

    (void) state;
    gtpu_path_init(&path, &standard, 1000);
    assert_int_equal(path.state, GTPU_PATH_UNKNOWN);
    /* N3 requests, T3 apart, with the same number. */
    assert_int_equal(run(&path, 7, 0, 10000, at), 3);
    assert_int_equal(at[0], 1000);
    assert_int_equal(at[1], 4000);
    assert_int_equal(at[2], 7000);
    assert_int_equal(path.seq, 7);
    assert_int_equal(path.state, GTPU_PATH_UNKNOWN);
    /* T3 after the last, not a millisecond earlier. */
    assert_int_equal(run(&path, 8, 10000, 10001, at), 0);
    assert_int_equal(path.state, GTPU_PATH_DOWN);
    assert_int_equal(path.changed, 10000);
    /* Again after the interval, with a new number. */
    assert_int_equal(run(&path, 8, 10001, 67001, at), 3);
    assert_int_equal(at[0], 61000);
    assert_int_equal(path.seq, 8);
    assert_int_equal(path.n_failures, 1);
    assert_int_equal(path.n_requests, 6);
    /* A late answer to the first round does not count. */
    assert_false(answer(&path, 7, 0, 0, 67001));
    assert_int_equal(path.state, GTPU_PATH_DOWN);
    assert_true(answer(&path, 8, 0, 0, 67001));
    assert_int_equal(path.state, GTPU_PATH_UP);
    assert_int_equal(path.changed, 67001);
}

/* With answers, there is one request an interval. */
static void
test_answers(void **state)
{
    struct gtpu_path path;
    long long int now = 500, last = -60000;

    (void) state;
    gtpu_path_init(&path, &standard, now);
    for (uint16_t i = 0; i < 100; i++) {
        while (!gtpu_path_run(&path, i, now)) {
            now++;
        }
        assert_true(now - last >= 60000);
        last = now;
        assert_false(answer(&path, i + 1, 0, 0, now + 1));
        assert_true(answer(&path, i, 0, 0, now + 1));
        assert_false(answer(&path, i, 0, 0, now + 2));
        assert_int_equal(path.state, GTPU_PATH_UP);
    }
    assert_int_equal(now, 500 + 99 * 60000);
    assert_int_equal(path.n_requests, 100);
    assert_int_equal(path.n_responses, 100);
    assert_int_equal(path.n_failures, 0);
    assert_int_equal(path.n_restarts, 0);
    assert_int_equal(path.changed, 501);
}

/* One lost request does no harm. */
static void
test_second_try(void **state)
{
    struct gtpu_path path;
    long long int at[20];

    (void) state;
    gtpu_path_init(&path, &standard, 0);
    assert_int_equal(run(&path, 1, 0, 5000, at), 2);
    assert_true(answer(&path, 1, 0, 0, 5000));
    assert_int_equal(run(&path, 2, 5000, 60000, at), 0);
    assert_int_equal(run(&path, 2, 60000, 60001, at), 1);
    /* The thread was late: it does not catch up on requests. */
    assert_int_equal(run(&path, 3, 500000, 500001, at), 1);
    assert_int_equal(path.n_sent, 2);
    assert_true(answer(&path, 2, 0, 0, 500001));
    assert_int_equal(path.n_failures, 0);
}

static void
test_restart(void **state)
{
    struct gtpu_path path;
    long long int now = 0;

    (void) state;
    gtpu_path_init(&path, &standard, 0);
#define ROUND(RECOVERY, TIME, RESTARTS)                                 \
    assert_true(gtpu_path_run(&path, 5, now));                          \
    assert_true(answer(&path, 5, RECOVERY, TIME, now));                 \
    assert_int_equal(path.n_restarts, RESTARTS);                        \
    now += 60000;
    ROUND(7, 0, 0);
    ROUND(7, 0, 0);
    ROUND(8, 0, 1);
    ROUND(8, 100, 1);           /* It says more than before. */
    ROUND(8, 0, 1);
    ROUND(8, 100, 1);
    ROUND(8, 101, 2);
    ROUND(0, 102, 3);
    ROUND(0, 102, 3);
    assert_int_equal(path.state, GTPU_PATH_UP);
#undef ROUND
}

static void
test_configure(void **state)
{
    const struct gtpu_path_config fast = { 5, 1, 2, true };
    struct gtpu_path path;
    long long int at[20];

    (void) state;
    gtpu_path_init(&path, &standard, 0);
    assert_int_equal(run(&path, 1, 0, 1, at), 1);
    assert_true(answer(&path, 1, 0, 0, 1));
    gtpu_path_configure(&path, &fast);
    assert_int_equal(run(&path, 2, 1, 5000, at), 0);
    assert_int_equal(run(&path, 2, 5000, 10000, at), 2);
    assert_int_equal(path.state, GTPU_PATH_DOWN);
    gtpu_path_configure(&path, &standard);
    assert_int_equal(run(&path, 3, 10000, 65000, at), 0);
    assert_int_equal(run(&path, 3, 65000, 65001, at), 1);
}

static void
test_parse(void **state)
{
    struct gtpu_path_config c;

    (void) state;
#define GOOD(...) \
    c = (struct gtpu_path_config) { __VA_ARGS__ }; \
    assert_null(gtpu_path_config_check(&c))
#define BAD(...) \
    c = (struct gtpu_path_config) { __VA_ARGS__ }; \
    assert_non_null(gtpu_path_config_check(&c))
    GOOD(0, 0, 0, false);
    GOOD(0, 1, 1, true);
    GOOD(60, 3, 3, false);
    GOOD(86400, 60, 20, false);
    GOOD(5, 1, 5, true);
    BAD(59, 3, 3, false);
    BAD(5, 2, 3, true);
    BAD(60, 60, 2, false);
}

static void
test_merge(void **state)
{
    const struct gtpu_path_config slow = { 600, 1, 1, false };
    const struct gtpu_path_config patient = { 60, 5, 3, false };
    struct gtpu_path_config c = slow;

    (void) state;
    gtpu_path_config_merge(&c, &patient);
    assert_true(gtpu_path_config_equal(&c, &patient));
    gtpu_path_config_merge(&c, &standard);
    gtpu_path_config_merge(&c, &slow);
    gtpu_path_config_merge(&c, &patient);
    assert_true(gtpu_path_config_equal(&c, &standard));
}

static void
test_watch(void **state)
{
    enum { N = 5 };
    struct gtpu_watch watches[N];
    struct gtpu_watch_set *set = malloc(sizeof *set
                                        + N * sizeof set->watches[0]);
    struct gtpu_path_answer a = { 0xffff, 255, UINT32_MAX }, got;
    uint8_t peer[16] = { 0 };

    (void) state;
    assert_null(gtpu_watch_find(peer));
    memset(watches, 0, sizeof watches);
    set->n = N;
    for (int i = 0; i < N; i++) {
        watches[i].peer[15] = (uint8_t) (2 * i + 1);
        atomic_store(&watches[i].awaited, GTPU_WATCH_NONE);
        set->watches[i] = &watches[i];
    }
    assert_null(gtpu_watch_set_replace(set));
    for (int i = 0; i <= 2 * N; i++) {
        peer[15] = (uint8_t) i;
        assert_ptr_equal(gtpu_watch_find(peer),
                         i & 1 ? &watches[i / 2] : NULL);
    }

    peer[15] = 3;
    assert_false(gtpu_watch_receive(peer, &a));
    gtpu_watch_expect(&watches[1], 0xffff);
    assert_false(gtpu_watch_take(&watches[1], &got));
    a.seq = 0;
    assert_false(gtpu_watch_receive(peer, &a));
    a.seq = 0xffff;
    peer[15] = 5;
    assert_false(gtpu_watch_receive(peer, &a));
    peer[15] = 3;
    assert_true(gtpu_watch_receive(peer, &a));
    assert_true(gtpu_watch_take(&watches[1], &got));
    assert_true(got.seq == 0xffff && got.recovery == 255
                && got.recovery_time == UINT32_MAX);
    assert_false(gtpu_watch_take(&watches[1], &got));
    assert_false(gtpu_watch_receive(peer, &a));
    /* All zeros is an answer, too. */
    memset(&a, 0, sizeof a);
    gtpu_watch_expect(&watches[1], 0);
    assert_true(gtpu_watch_receive(peer, &a));
    /* The next request drops the last answer. */
    gtpu_watch_expect(&watches[1], 1);
    assert_false(gtpu_watch_take(&watches[1], &got));
    assert_ptr_equal(gtpu_watch_set_replace(NULL), set);
    free(set);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_answer),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_second_try),
        cmocka_unit_test(test_restart),
        cmocka_unit_test(test_configure),
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_merge),
        cmocka_unit_test(test_watch),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
