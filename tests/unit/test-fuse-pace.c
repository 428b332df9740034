/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/fuse/fuse-pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/unit/random-numbers.h"

/* So many trials make the first decision. */
#define N 64

/* What a packet costs, in cycles. */
struct costs {
    uint32_t ordinary, hit, learn;
};

static struct fuse_pace
make_pace(const struct costs *costs)
{
    struct fuse_pace pace;

    fuse_pace_init(&pace);
    fuse_pace_note_cost(&pace, FUSE_PACE_ORDINARY, costs->ordinary);
    fuse_pace_note_cost(&pace, FUSE_PACE_HIT, costs->hit);
    fuse_pace_note_cost(&pace, FUSE_PACE_LEARN, costs->learn);
    return pace;
}

static void
end_trials(struct fuse_pace *pace, uint32_t n, uint32_t hits)
{
    while (n-- > 0) {
        fuse_pace_end_trial(pace, hits);
    }
}

/* Packet by packet: returns what a flow of 'n' packets costs that is learned
 * at packet 'at'. */
static uint64_t
naive_cost(const struct costs *costs, uint32_t n, uint32_t at)
{
    uint64_t cycles = 0;

    for (uint32_t i = 1; i <= n; i++) {
        cycles += (i < at ? costs->ordinary : i == at ? costs->learn
                   : costs->hit);
    }
    return cycles;
}

/* The pace is the one by which the flows that were tried cost least, the
 * soonest of them. */
static void
test_naive(void **state)
{
    uint32_t n_paces[FUSE_PACE_LAST + 1] = { 0 };

    (void) state;
    for (int i = 0; i < 2000; i++) {
        struct costs costs = { .ordinary = 100 + rnd(900) };
        uint64_t least = UINT64_MAX;
        uint32_t lengths[N], best = 0, max = 1 + rnd(17);
        struct fuse_pace pace;

        costs.hit = 20 + rnd(60);
        costs.learn = costs.ordinary * 2 + rnd(6000);
        pace = make_pace(&costs);
        for (int j = 0; j < N; j++) {
            lengths[j] = 2 + (rnd(4) ? rnd(max) : rnd(17));
            assert_int_equal(pace.learn_at, 2);
            assert_int_equal(pace.n_decided, 0);
            fuse_pace_end_trial(&pace, lengths[j] - 2);
        }
        for (uint32_t at = 2; at <= 16; at *= 2) {
            uint64_t cycles = 0;

            for (int j = 0; j < N; j++) {
                cycles += naive_cost(&costs, lengths[j], at);
            }
            if (cycles < least) {
                least = cycles;
                best = at;
            }
        }
        assert_int_equal(pace.n_decided, N);
        assert_int_equal(pace.learn_at, best);
        n_paces[best]++;
    }
    for (uint32_t at = 2; at <= 16; at *= 2) {
        assert_true(n_paces[at] > 50);
    }
}

/* The pace follows the flows. */
static void
test_follows(void **state)
{
    const struct costs costs = { .ordinary = 500, .hit = 100, .learn = 2000 };
    struct fuse_pace pace = make_pace(&costs);

    (void) state;
    end_trials(&pace, N, 0);
    assert_int_equal(pace.learn_at, 4);
    assert_int_equal(pace.n_unpaid, N);
    assert_int_equal(pace.enough, 4);
    end_trials(&pace, 2 * N, 5);
    assert_int_equal(pace.learn_at, 2);
    end_trials(&pace, 2 * N, 3);
    assert_int_equal(pace.learn_at, 8);
    assert_int_equal(pace.n_decided, N);
    end_trials(&pace, 2 * N, 100000);
    assert_int_equal(pace.learn_at, 2);
    end_trials(&pace, N, FUSE_PACE_HITS);
    assert_in_range(pace.n_unpaid, 0, N / 8);
}

/* Without measured costs, a flow of three hits pays. */
static void
test_default(void **state)
{
    struct fuse_pace pace;

    (void) state;
    fuse_pace_init(&pace);
    fuse_pace_note_cost(&pace, FUSE_PACE_LEARN, 1000);
    end_trials(&pace, N / 2, 2);
    end_trials(&pace, N / 2, 3);
    assert_int_equal(pace.enough, 3);
    assert_int_equal(pace.n_unpaid, N / 2);
    fuse_pace_init(&pace);
    assert_int_equal(pace.learn_at, 2);
    assert_int_equal(pace.n_decided, 0);
}

/* With any measured costs, learning costs something and a hit saves
 * something. */
static void
test_odd_costs(void **state)
{
    const struct costs odd[] = {
        { UINT32_MAX, 1, 1 }, { 1, UINT32_MAX, UINT32_MAX }, { 0, 0, 0 },
        { 100, 100, 100 }, { 1, 1, 1 }, { UINT32_MAX, UINT32_MAX, UINT32_MAX },
    };

    (void) state;
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        struct fuse_pace pace = make_pace(&odd[i]);

        fuse_pace_note_cost(&pace, FUSE_PACE_LEARN, UINT64_MAX);
        end_trials(&pace, N, 0);
        assert_int_equal(pace.learn_at, 4);
        pace = make_pace(&odd[i]);
        end_trials(&pace, N, 0);
        end_trials(&pace, 10 * N, FUSE_PACE_HITS);
        assert_int_equal(pace.learn_at, 2);
        assert_true(pace.enough > 0);
    }
}

/* Costs are medians. */
static void
test_median(void **state)
{
    struct fuse_pace pace;

    (void) state;
    fuse_pace_init(&pace);
    for (int i = 0; i < 1000; i++) {
        fuse_pace_note_cost(&pace, FUSE_PACE_HIT, rnd(4) ? 95 + rnd(11)
                            : 1000000);
    }
    assert_in_range(pace.costs[FUSE_PACE_HIT] / 16, 90, 130);
    for (int i = 0; i < 100; i++) {
        fuse_pace_note_cost(&pace, FUSE_PACE_HIT, 50);
    }
    assert_int_equal(pace.costs[FUSE_PACE_HIT] / 16, 50);
}

/* Few flows are tried, at their second packet only. */
static void
test_tries(void **state)
{
    struct fuse_pace pace;

    (void) state;
    fuse_pace_init(&pace);
    for (pace.learn_at = 2; pace.learn_at <= 16; pace.learn_at *= 2) {
        for (uint32_t n = 0; n <= 16; n++) {
            uint32_t n_tried = 0;

            for (uint32_t i = 0; i < 1024; i++) {
                n_tried += fuse_pace_tries(&pace, n, i << 22);
            }
            assert_int_equal(n_tried, n != 2 ? 0
                                      : pace.learn_at == 2 ? 64 : 16);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_naive),
        cmocka_unit_test(test_follows),
        cmocka_unit_test(test_default),
        cmocka_unit_test(test_odd_costs),
        cmocka_unit_test(test_median),
        cmocka_unit_test(test_tries),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
