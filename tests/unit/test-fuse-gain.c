/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/fuse/fuse-gain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define BATCH 32
#define PATIENCE 4000000

/* A port: what its packets cost, in cycles, and how that changes. */
struct port {
    struct fuse_gain g;
    uint32_t cache, ordinary;
    uint32_t learned_cost;       /* More, for a packet that is learned. */
    uint32_t n_to_learn;         /* Flows that are not known yet. */
    bool learns_for_ever;        /* One packet in 16. */
    uint32_t n_to_mark;          /* Flows of which no packet came yet. */
    uint32_t warmth;             /* After so many packets the ordinary... */
    uint32_t warm_ordinary;      /* ...path costs only this. */
    uint32_t n_warm;
    uint32_t noise;              /* In percent. */
    bool interrupts;             /* One batch in 200 takes 10 times. */
    uint32_t slowness;           /* At times all is slower, in percent. */
    uint32_t slow_left;          /* Batches until that changes. */

    uint64_t n, n_cache;         /* Packets; those that used the cache. */
    uint64_t cycles;             /* Of all. */
    uint32_t n_asides;
};

static uint32_t state_of_random = 1;

static uint32_t
rnd(uint32_t n)
{
    state_of_random = state_of_random * 1664525 + 1013904223;
    return (state_of_random >> 8) % n;
}

static struct port
make_port(uint32_t cache, uint32_t ordinary)
{
    struct port p = { .cache = cache, .ordinary = ordinary };

    fuse_gain_init(&p.g);
    return p;
}

/* Returns what 'n' packets cost on the ordinary path. */
static uint64_t
ordinary_cost(struct port *p, uint32_t n)
{
    if (!p->warmth) {
        return n * p->ordinary;
    }
    p->n_warm += p->n_warm < p->warmth ? n : 0;
    return n * (p->ordinary - ((uint64_t) (p->ordinary - p->warm_ordinary)
                               * p->n_warm / p->warmth));
}

/* Returns what 'n' packets cost that use the cache, and stores in '*n_missed'
 * how many do not hit. */
static uint64_t
cache_cost(struct port *p, uint32_t n, uint32_t *n_missed)
{
    uint32_t n_learned = n / 8;

    if (!p->n_to_mark && !p->n_to_learn) {
        *n_missed = p->learns_for_ever ? n / 16 : 0;
        return n * p->cache + *n_missed * p->learned_cost;
    }
    *n_missed = n;
    if (p->n_to_mark) {
        p->n_to_mark -= n;
        n_learned = 0;
    } else {
        p->n_to_learn -= n_learned;
    }
    return n * (p->ordinary + 60) + n_learned * p->learned_cost;
}

/* Sends a batch of 'n' packets to 'p'. */
static void
send_batch(struct port *p, uint32_t n)
{
    bool cache = fuse_gain_uses_cache(&p->g, n);
    bool aside = fuse_gain_is_aside(&p->g);
    uint32_t n_missed = 0;
    uint64_t cycles = (cache ? cache_cost(p, n, &n_missed)
                       : ordinary_cost(p, n));

    cycles += cycles * rnd(p->noise + 1) / 100;
    if (p->slowness) {
        if (!p->slow_left) {
            p->slow_left = 800 + rnd(400);
        }
        p->slow_left--;
        cycles += p->slow_left < 500 ? cycles * p->slowness / 100 : 0;
    }
    if (p->interrupts && !rnd(200)) {
        cycles *= 10;
    }
    fuse_gain_note(&p->g, PATIENCE, n, n_missed,
                   fuse_gain_measures(&p->g, n) ? cycles : 0);
    p->n += n;
    p->n_cache += cache ? n : 0;
    p->cycles += cycles;
    p->n_asides += !aside && fuse_gain_is_aside(&p->g);
}

static void
send_batches(struct port *p, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        send_batch(p, BATCH);
    }
}

static void
forget_counts(struct port *p)
{
    p->n = p->n_cache = p->cycles = p->n_asides = 0;
}

/* Checks that packets cost less than 'percent' more than 'cost'. */
static void
check_cost(const struct port *p, uint32_t cost, uint32_t percent)
{
    assert_true(p->cycles * 100 < p->n * cost * (100 + percent));
}

/* Returns how many batches to send, 'n' or few. */
static uint32_t
light(uint32_t n)
{
    return getenv("TEST_LIGHT") ? n / 8 : n;
}

static void
test_steps_aside(void **state)
{
    struct port p = make_port(120, 100);

    (void) state;
    send_batches(&p, 4096);
    assert_true(fuse_gain_is_aside(&p.g));
    check_cost(&p, 100, 10);
    assert_in_range(p.g.cache, 120 * 16, 120 * 16);
    assert_in_range(p.g.ordinary, 100 * 16, 100 * 16);
    send_batches(&p, light(4000000));
    assert_int_equal(p.n_asides, 1);
    check_cost(&p, 100, 1);
}

static void
test_gains(void **state)
{
    struct port p = make_port(160, 900);

    (void) state;
    send_batches(&p, 20000);
    check_cost(&p, 160, 30);
    forget_counts(&p);
    send_batches(&p, light(4000000));
    assert_int_equal(p.n_asides, 0);
    check_cost(&p, 160, 1);
}

/* Whatever is chosen of two that are alike, nothing is lost by choosing. */
static void
test_alike(void **state)
{
    (void) state;
    for (uint32_t cache = 95; cache <= 105; cache++) {
        struct port p = make_port(cache, 100);

        p.noise = 10;
        send_batches(&p, 100000);
        forget_counts(&p);
        send_batches(&p, light(1000000));
        /* The noise is 5 % on average. */
        check_cost(&p, cache < 100 ? cache : 100, 5 + 2);
        assert_in_range(p.n_asides, 0, 1);
    }
}

/* Interrupts do not count. */
static void
test_interrupts(void **state)
{
    (void) state;
    for (int i = 0; i < 20; i++) {
        struct port p = make_port(118, 110);

        p.interrupts = true;
        p.noise = 5;
        send_batches(&p, 20000);
        assert_int_equal(p.n_asides, 1);
        assert_true(fuse_gain_is_aside(&p.g));
        p = make_port(110, 118);
        p.interrupts = true;
        p.noise = 5;
        send_batches(&p, 20000);
        assert_int_equal(p.n_asides, 0);
    }
}

/* Nor does it count that the processor is slower at times. */
static void
test_slow_times(void **state)
{
    (void) state;
    for (int i = 0; i < 8; i++) {
        struct port p = make_port(140, 122);

        p.slowness = 70;
        p.noise = 3;
        send_batches(&p, 100000);
        forget_counts(&p);
        send_batches(&p, 1000000);
        assert_true(p.n_cache * 10 < p.n);
        p = make_port(122, 140);
        p.slowness = 70;
        p.noise = 3;
        send_batches(&p, 100000);
        forget_counts(&p);
        send_batches(&p, 1000000);
        assert_true(p.n_cache * 10 > p.n * 9);
    }
}

/* The port has other traffic, which gains. */
static void
test_comes_back(void **state)
{
    struct port p = make_port(120, 100);

    (void) state;
    send_batches(&p, 100000);
    assert_true(fuse_gain_is_aside(&p.g));
    p.cache = 160;
    p.ordinary = 900;
    p.learned_cost = 2000;
    p.n_to_learn = 100000;
    forget_counts(&p);
    send_batches(&p, 20000);
    assert_false(fuse_gain_is_aside(&p.g));
    send_batches(&p, 100000);
    assert_int_equal(p.n_to_learn, 0);
    forget_counts(&p);
    send_batches(&p, 100000);
    assert_int_equal(p.n_asides, 0);
    check_cost(&p, 160, 3);
    /* The cache gains although the ordinary path costs the same. */
    p = make_port(120, 100);
    send_batches(&p, 10000);
    assert_true(fuse_gain_is_aside(&p.g));
    p.cache = 90;
    send_batches(&p, 80000);
    assert_false(fuse_gain_is_aside(&p.g));
}

/* The cache must learn before it gains. */
static void
test_learns_first(void **state)
{
    struct port p = make_port(180, 900);

    (void) state;
    p.learned_cost = 3000;
    p.n_to_mark = p.n_to_learn = 300000 - 300000 % BATCH;
    send_batches(&p, 200000);
    assert_int_equal(p.n_to_learn, 0);
    assert_int_equal(p.n_asides, 0);
    /* What is learned for ever does not pay. */
    p = make_port(180, 200);
    p.learned_cost = 3000;
    p.learns_for_ever = true;
    send_batches(&p, PATIENCE / BATCH);
    assert_int_equal(p.n_asides, 0);
    send_batches(&p, 10000);
    assert_int_equal(p.n_asides, 1);
}

/* The ordinary path has caches that fill only while it is used. */
static void
test_warms_up(void **state)
{
    struct port p = make_port(118, 200);

    (void) state;
    p.warmth = 400000;
    p.warm_ordinary = 96;
    send_batches(&p, 1500000);
    assert_true(fuse_gain_is_aside(&p.g));
}

/* Small batches count for nothing. */
static void
test_small_batches(void **state)
{
    struct port p = make_port(120, 100);

    (void) state;
    for (uint32_t i = 0; i < 100000; i++) {
        send_batch(&p, 1 + rnd(FUSE_GAIN_BATCH - 1));
    }
    assert_int_equal(p.n_cache, p.n);
    send_batches(&p, 1024 + 64);
    assert_int_equal(p.g.state, FUSE_GAIN_COMPARE);
    assert_true(fuse_gain_is_ordinary(&p.g));
    forget_counts(&p);
    for (uint32_t i = 0; i < 1000; i++) {
        send_batch(&p, 1);
    }
    assert_int_equal(p.n_cache, p.n);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps_aside),
        cmocka_unit_test(test_gains),
        cmocka_unit_test(test_alike),
        cmocka_unit_test(test_interrupts),
        cmocka_unit_test(test_slow_times),
        cmocka_unit_test(test_comes_back),
        cmocka_unit_test(test_learns_first),
        cmocka_unit_test(test_warms_up),
        cmocka_unit_test(test_small_batches),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
