/* SPDX-License-Identifier: Apache-2.0 */

/* Tests lib/lb/maglev.[ch]: the content of the tables, against two naive ways
 * to build them, and their qualities: balance and little disruption.
 *
 * With TEST_LIGHT in the environment, leaves out most of the large tables, for
 * valgrind.  Linked with -Wl,--wrap=malloc, also makes malloc() fail. */

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/lb/maglev.h"
#include "tests/unit/random-numbers.h"

#define ARRAY_SIZE(ARRAY) (sizeof (ARRAY) / sizeof (ARRAY)[0])

static bool light;              /* TEST_LIGHT? */

/* Fault injection.  Without --wrap=malloc, the weak reference is null. */

static int mallocs_to_failure = -1;     /* Negative: never fail. */

void *__real_malloc(size_t) __attribute__((__weak__));
void *__wrap_malloc(size_t);

void *
__wrap_malloc(size_t size)
{
    if (mallocs_to_failure >= 0 && !mallocs_to_failure--) {
        return NULL;
    }
    return __real_malloc(size);
}

static struct siphash_key
random_key(void)
{
    uint64_t k0 = random_u64();

    return (struct siphash_key) { k0, random_u64() };
}

static void *
xmalloc(size_t size)
{
    void *p = malloc(size);

    assert_non_null(p);
    return p;
}

/* Returns 'n' backends of random ids, in ascending order, and equal weight. */
static struct maglev_backend *
make_backends(size_t n, uint32_t weight)
{
    struct maglev_backend *backends = xmalloc(n * sizeof *backends);
    uint64_t id = 0;

    for (size_t i = 0; i < n; i++) {
        id += 1 + random_u64() % (UINT64_MAX / n - 1);
        backends[i] = (struct maglev_backend) { .id = id, .weight = weight };
    }
    return backends;
}

static void
shuffle(struct maglev_backend *backends, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        size_t j = random_u64() % i;
        struct maglev_backend tmp = backends[i - 1];

        backends[i - 1] = backends[j];
        backends[j] = tmp;
    }
}

/* Returns the number of slots that each of the 'n' backends has. */
static uint32_t *
count_slots(const uint16_t *slots, uint32_t size, size_t n)
{
    uint32_t *counts = xmalloc(n * sizeof *counts);

    memset(counts, 0, n * sizeof *counts);
    for (uint32_t i = 0; i < size; i++) {
        assert_in_range(slots[i], 0, n - 1);
        counts[slots[i]]++;
    }
    return counts;
}

/* Returns a table from maglev_build().  Whatever the test, every slot names a
 * live backend, every live backend has a slot, and nothing is written past the
 * end. */
static uint16_t *
build(const struct maglev_backend *backends, size_t n,
      const struct siphash_key *key, uint32_t size)
{
    uint16_t *slots = xmalloc((size + 1) * sizeof *slots);
    uint32_t *counts;

    slots[size] = 0xbeef;
    assert_int_equal(maglev_build(backends, n, key, size, slots), 0);
    assert_int_equal(slots[size], 0xbeef);

    counts = count_slots(slots, size, n);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(counts[i] > 0, backends[i].weight > 0);
    }
    free(counts);
    return slots;
}

/* Returns the number of the 'size' slots whose backend differs by id. */
static uint32_t
count_moved(const struct maglev_backend *a, const uint16_t *a_slots,
            const struct maglev_backend *b, const uint16_t *b_slots,
            uint32_t size)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < size; i++) {
        n += a[a_slots[i]].id != b[b_slots[i]].id;
    }
    return n;
}

/* Naive implementations. */

static uint64_t
naive_hash(uint64_t id, uint64_t which, const struct siphash_key *key)
{
    uint8_t bytes[16];

    for (int i = 0; i < 8; i++) {
        bytes[i] = id >> 8 * i;
        bytes[8 + i] = which >> 8 * i;
    }
    return siphash_bytes(1, 3, bytes, sizeof bytes, key);
}

static uint64_t
naive_scramble(uint64_t x)
{
    x ^= x / (UINT64_C(1) << 30);
    x *= 0xbf58476d1ce4e5b9;
    x ^= x / (UINT64_C(1) << 27);
    x *= 0x94d049bb133111eb;
    return x ^ x / (UINT64_C(1) << 31);
}

/* Returns the slot that a backend with 'secret' visits by step 'step'. */
static uint32_t
naive_visit(uint64_t secret, uint32_t step, uint32_t size)
{
    uint32_t cell_size = size / 64;
    uint32_t cell = (step * (2 * secret + 1) + secret / 256) % 64;
    uint64_t random = naive_scramble(secret
                                     + (cell + 1) * 0x9e3779b97f4a7c15);
    uint32_t slot = step / 64;

    /* Mirrors 'slot': the highest bit becomes the lowest. */
    for (uint32_t bit = cell_size / 2; bit; bit /= 2) {
        slot ^= random >> 63 ? bit : 0;
        random *= 2;
    }
    return cell * cell_size + slot;
}

/* A backend's visit to a slot, or its turn to get one more slot. */
struct event {
    double time;
    uint64_t weight;            /* In parts of the heaviest's. */
    uint64_t id;
    uint32_t slot;
    uint16_t index;
};

static int
compare_events(const void *a_, const void *b_)
{
    const struct event *a = a_;
    const struct event *b = b_;

    return (a->time != b->time ? (a->time < b->time ? -1 : 1)
            : a->weight != b->weight ? (a->weight > b->weight ? -1 : 1)
            : a->id < b->id ? -1 : a->id > b->id);
}

/* Stores in 'weights' those of the 'n' 'backends', as parts of the heaviest's,
 * which becomes 2^32. */
static void
naive_weights(const struct maglev_backend *backends, size_t n,
              uint64_t *weights)
{
    uint64_t max = 0;

    for (size_t i = 0; i < n; i++) {
        max = backends[i].weight > max ? backends[i].weight : max;
    }
    for (size_t i = 0; i < n; i++) {
        weights[i] = backends[i].weight * UINT64_C(4294967296) / max;
    }
}

/* Returns how many of 'size' slots are due to each of 'n' backends, by giving
 * out one after the other.  A backend of weight 'w' has its first turn at
 * once.  Its turn number k, from 0 on, comes when the heaviest is due (k +
 * 1/2) / w slots, rounded up to a 2^11th of a slot. */
static uint32_t *
naive_shares(const struct maglev_backend *backends, const uint64_t *weights,
             size_t n, uint32_t size)
{
    uint32_t *shares = xmalloc(n * sizeof *shares);

    memset(shares, 0, n * sizeof *shares);
    for (uint32_t n_given = 0; n_given < size; n_given++) {
        struct event best = { .time = HUGE_VAL };

        for (size_t i = 0; i < n; i++) {
            if (weights[i]) {
                uint64_t due = 2 * shares[i] + UINT64_C(1);
                struct event turn = {
                    .time = (shares[i] ? ((due << 42) + weights[i] - 1)
                                         / weights[i] : 0),
                    .weight = weights[i],
                    .id = backends[i].id,
                    .index = i,
                };

                if (compare_events(&turn, &best) < 0) {
                    best = turn;
                }
            }
        }
        shares[best.index]++;
    }
    return shares;
}

/* The table by definition: all visits of all backends to all slots, in order
 * of time. */
static uint16_t *
naive_build(const struct maglev_backend *backends, size_t n,
            const struct siphash_key *key, uint32_t size)
{
    struct event *events = xmalloc(n * size * sizeof *events);
    uint64_t *weights = xmalloc(n * sizeof *weights);
    uint16_t *slots = xmalloc(size * sizeof *slots);
    size_t n_events = 0;

    naive_weights(backends, n, weights);
    uint32_t *shares = naive_shares(backends, weights, n, size);

    for (size_t i = 0; i < n; i++) {
        uint64_t secret = naive_hash(backends[i].id, 0, key);
        double time = 0;

        for (uint32_t step = 0; weights[i] && step < size; step++) {
            time += 1. / ((double) (size - step) * weights[i]);
            events[n_events++] = (struct event) {
                .time = time,
                .weight = weights[i],
                .id = backends[i].id,
                .slot = naive_visit(secret, step, size),
                .index = i,
            };
        }
    }
    qsort(events, n_events, sizeof *events, compare_events);

    memset(slots, 0xff, size * sizeof *slots);
    for (size_t i = 0; i < n_events; i++) {
        const struct event *e = &events[i];

        if (slots[e->slot] == UINT16_MAX && shares[e->index]) {
            slots[e->slot] = e->index;
            shares[e->index]--;
        }
    }

    free(shares);
    free(weights);
    free(events);
    return slots;
}

/* What a table holds. */

static void
test_equals_naive(void **state)
{
    static const uint32_t sizes[] = { 64, 128, 1024, 4096, 16384 };
    static const size_t ns[] = { 1, 2, 3, 7, 10, 64, 100 };

    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        for (size_t j = 0; j < ARRAY_SIZE(ns) && ns[j] <= sizes[i]; j++) {
            if (light && ns[j] * sizes[i] > 100000) {
                continue;
            }

            struct maglev_backend *backends = make_backends(ns[j], 1 + i * j);
            struct siphash_key key = random_key();
            uint16_t *slots = build(backends, ns[j], &key, sizes[i]);
            uint16_t *naive = naive_build(backends, ns[j], &key, sizes[i]);

            assert_memory_equal(slots, naive, sizes[i] * sizeof *slots);
            free(naive);
            free(slots);
            free(backends);
        }
    }
}

/* Weights from the whole range: some are equal, some multiples of others (so
 * that turns coincide), some 0. */
static void
test_equals_naive_weighted(void **state)
{
    static const uint32_t sizes[] = { 128, 1024 };
    static const uint32_t max_weights[] = { 1, 3, 10, 1000, UINT32_MAX };
    static const size_t ns[] = { 1, 2, 3, 10, 50, 101 };

    (void) state;
    for (size_t trial = 0; trial < 60; trial++) {
        uint32_t size = sizes[trial % ARRAY_SIZE(sizes)];
        uint32_t max_weight = max_weights[trial % ARRAY_SIZE(max_weights)];
        size_t n = ns[trial % ARRAY_SIZE(ns)];
        struct maglev_backend *backends = make_backends(n, 1);
        struct siphash_key key = random_key();

        for (size_t i = 1; i < n; i++) {
            backends[i].weight = (i % 7 == 3 ? 0
                                  : max_weight - random_u64() % max_weight);
        }
        shuffle(backends, n);

        uint16_t *slots = build(backends, n, &key, size);
        uint16_t *naive = naive_build(backends, n, &key, size);

        assert_memory_equal(slots, naive, size * sizeof *slots);
        free(naive);
        free(slots);
        free(backends);
    }
}

static uint64_t
hash_of_table(size_t n, const uint32_t weights[3], uint32_t size)
{
    struct siphash_key key = { .k0 = 0x0706050403020100,
                               .k1 = 0x0f0e0d0c0b0a0908 };
    struct maglev_backend *backends = make_backends(n, 1);
    uint8_t *bytes = xmalloc(2 * size);
    uint16_t *slots;
    uint64_t hash;

    for (size_t i = 0; i < n; i++) {
        backends[i].id = 0x0a010000 + i;
        backends[i].weight = weights[i % 3];
    }
    slots = build(backends, n, &key, size);
    for (uint32_t i = 0; i < size; i++) {
        bytes[2 * i] = slots[i] % 256;
        bytes[2 * i + 1] = slots[i] / 256;
    }
    hash = siphash_bytes(2, 4, bytes, 2 * size, &key);
    free(bytes);
    free(slots);
    free(backends);
    return hash;
}

/* A table must not depend on release or host.  If this fails, nodes with and
 * without your change send flows to different backends.  (Another program, in
 * another language, computed the hashes.) */
static void
test_contents_are_pinned(void **state)
{
    static const uint32_t equal[3] = { 1, 1, 1 };
    static const uint32_t uneven[3] = { 100, 150, 7 };

    (void) state;
    assert_int_equal(hash_of_table(10, equal, 4096),
                     0x6da9b2421fc2673a);
    assert_int_equal(hash_of_table(10, uneven, 4096),
                     0xd045e066f15d0034);
    assert_int_equal(hash_of_table(300, uneven, 65536),
                     0xd6384a0bb66e0eeb);
}

static void
test_order_does_not_matter(void **state)
{
    enum { N = 50, SIZE = 8192 };
    struct maglev_backend *backends = make_backends(N, 1);
    struct maglev_backend *shuffled = xmalloc(N * sizeof *shuffled);

    (void) state;
    for (size_t i = 0; i < N; i++) {
        backends[i].weight = i % 5;
    }
    for (int trial = 0; trial < 20; trial++) {
        struct siphash_key key = random_key();
        uint16_t *slots = build(backends, N, &key, SIZE);

        memcpy(shuffled, backends, N * sizeof *shuffled);
        shuffle(shuffled, N);
        uint16_t *other = build(shuffled, N, &key, SIZE);

        assert_int_equal(count_moved(backends, slots, shuffled, other, SIZE),
                         0);
        free(other);
        free(slots);
    }
    free(shuffled);
    free(backends);
}

/* Under another key, slots keep their backend by chance only. */
static void
test_key_matters(void **state)
{
    enum { N = 10, SIZE = 8192 };
    struct maglev_backend *backends = make_backends(N, 1);
    struct siphash_key key = random_key();
    uint16_t *slots = build(backends, N, &key, SIZE);

    (void) state;
    for (int i = 0; i < 2; i++) {
        struct siphash_key other_key = key;

        *(i ? &other_key.k1 : &other_key.k0) ^= 1;
        uint16_t *other = build(backends, N, &other_key, SIZE);

        assert_in_range(count_moved(backends, slots, backends, other, SIZE),
                        SIZE * 88 / 100, SIZE * 92 / 100);
        free(other);
    }
    free(slots);
    free(backends);
}

/* A backend of weight 0 is as good as absent. */
static void
test_weight_0_is_absence(void **state)
{
    enum { N = 20, SIZE = 8192 };
    struct maglev_backend *backends = make_backends(N, 1);
    struct maglev_backend *live = xmalloc(N * sizeof *live);
    struct siphash_key key = random_key();
    size_t n_live = 0;

    (void) state;
    for (size_t i = 0; i < N; i++) {
        backends[i].weight = i % 4;
        if (backends[i].weight) {
            live[n_live++] = backends[i];
        }
    }
    uint16_t *slots = build(backends, N, &key, SIZE);
    uint16_t *other = build(live, n_live, &key, SIZE);

    assert_int_equal(count_moved(backends, slots, live, other, SIZE), 0);
    free(other);
    free(slots);
    free(live);
    free(backends);
}

static void
test_single_backend(void **state)
{
    static const uint32_t weights[] = { 1, 2, UINT32_MAX };
    struct maglev_backend backends[3] = { { .id = 0 }, { .id = UINT64_MAX },
                                          { .id = 7 } };
    struct siphash_key key = random_key();

    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(weights); i++) {
        backends[1].weight = weights[i];
        uint16_t *slots = build(backends, 3, &key, 1024);

        for (uint32_t slot = 0; slot < 1024; slot++) {
            assert_int_equal(slots[slot], 1);
        }
        assert_true(maglev_imbalance(backends, 3, slots, 1024) == 0);
        free(slots);
    }
}

/* The most backends, also in the fewest slots, and with weights that would
 * starve all but one: build() checks that each has a slot. */
static void
test_max_backends(void **state)
{
    enum { N = MAGLEV_MAX_BACKENDS };
    struct maglev_backend *backends = make_backends(N, 1);
    struct siphash_key key = random_key();

    (void) state;
    free(build(backends, N, &key, 4096));
    for (size_t i = 0; i < N; i++) {
        backends[i].weight = 1 + i;
    }
    free(build(backends, N, &key, 65536));
    if (!light) {
        free(build(backends, N, &key, MAGLEV_MAX_SIZE));
    }
    for (size_t i = 0; i < N; i++) {
        backends[i].weight = i == 1234 ? UINT32_MAX : 1;
    }
    uint16_t *slots = build(backends, N, &key, 8192);
    uint32_t *counts = count_slots(slots, 8192, N);

    assert_int_equal(counts[1234], 8192 - (N - 1));
    free(counts);
    free(slots);
    free(backends);
}

static void
test_as_many_backends_as_slots(void **state)
{
    struct maglev_backend *backends = make_backends(128, 1);
    struct siphash_key key = random_key();

    (void) state;
    for (size_t i = 0; i < 128; i++) {
        backends[i].weight = 1 + i * i * i;
    }
    free(build(backends, 128, &key, 128));
    free(build(backends, 64, &key, 64));
    free(backends);
}

/* Errors. */

/* Fails unless maglev_build() returns 'error' and leaves the slots alone. */
static void
check_error(const struct maglev_backend *backends, size_t n, uint32_t size,
            int error)
{
    struct siphash_key key = random_key();
    uint16_t slots[1024];

    memset(slots, 0x5a, sizeof slots);
    assert_int_equal(maglev_build(backends, n, &key, size, slots), error);
    for (size_t i = 0; i < ARRAY_SIZE(slots); i++) {
        assert_int_equal(slots[i], 0x5a5a);
    }
}

static void
test_size_must_be_power_of_2(void **state)
{
    static const uint32_t bad[] = { 65535, 65537, 3 << 17, 524287, 524289,
                                    1048576, UINT32_C(1) << 31, UINT32_MAX };
    struct maglev_backend *backends = make_backends(2, 1);
    struct siphash_key key = random_key();

    (void) state;
    for (uint32_t size = 0; size < 1100; size++) {
        if (size == 64 || size == 128 || size == 256 || size == 512
            || size == 1024) {
            free(build(backends, 2, &key, size));
        } else {
            check_error(backends, 1, size, EINVAL);
            check_error(backends, 2, size, EINVAL);
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        check_error(backends, 2, bad[i], EINVAL);
    }
    free(backends);
}

static void
test_bad_backends(void **state)
{
    size_t n = MAGLEV_MAX_BACKENDS + 1;
    struct maglev_backend *backends = make_backends(n, 0);

    (void) state;
    check_error(NULL, 0, 1024, EINVAL);
    check_error(backends, 1, 1024, EINVAL);
    check_error(backends, 100, 1024, EINVAL);

    /* Too many, though only one is live. */
    backends[5].weight = 1;
    check_error(backends, n, 1024, EINVAL);
    assert_int_equal(maglev_table_size(n), 0);

    /* More than slots. */
    for (size_t i = 0; i < n; i++) {
        backends[i].weight = 1;
    }
    check_error(backends, 129, 128, EINVAL);

    /* The same id twice, far apart, with equal weights and others. */
    backends[90].id = backends[3].id;
    check_error(backends, 100, 1024, EINVAL);
    backends[90].weight = 2;
    check_error(backends, 100, 1024, EINVAL);
    backends[3].weight = 0;
    check_error(backends, 100, 1024, EINVAL);
    free(backends);
}

static void
test_no_memory(void **state)
{
    struct maglev_backend *backends = make_backends(10, 1);
    struct siphash_key key = random_key();
    uint16_t slots[1024];
    int n_failures = 0;

    (void) state;
    if (!__real_malloc) {
        free(backends);
        print_message("skipped: not linked with -Wl,--wrap=malloc\n");
        skip();
    }
    for (;;) {
        mallocs_to_failure = n_failures;
        memset(slots, 0x5a, sizeof slots);
        int error = maglev_build(backends, 10, &key, 1024, slots);
        bool failed = mallocs_to_failure < 0;

        mallocs_to_failure = -1;
        if (!failed) {
            assert_int_equal(error, 0);
            break;
        }
        assert_int_equal(error, ENOMEM);
        for (size_t i = 0; i < ARRAY_SIZE(slots); i++) {
            assert_int_equal(slots[i], 0x5a5a);
        }
        n_failures++;
    }
    assert_true(n_failures > 0);
    free(backends);
}

/* Sizes and slots. */

static void
test_table_size(void **state)
{
    static const struct {
        size_t n;
        uint32_t size;
    } cases[] = {
        { 0, 0 }, { 1, 64 }, { 2, 4096 }, { 32, 4096 },
        { 33, 8192 }, { 64, 8192 }, { 65, 16384 }, { 128, 16384 },
        { 129, 32768 }, { 1000, 131072 }, { 1024, 131072 }, { 1025, 262144 },
        { 4096, MAGLEV_MAX_SIZE }, { 4097, 0 }, { SIZE_MAX, 0 },
    };

    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_int_equal(maglev_table_size(cases[i].n), cases[i].size);
    }
}

static void
test_slot(void **state)
{
    static const uint32_t sizes[] = {
        64, 128, 1024, 65536, MAGLEV_MAX_SIZE
    };

    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        uint32_t size = sizes[i];
        uint64_t start = 0;

        /* Hashes that share a slot are contiguous, and each slot has equally
         * many, within one. */
        assert_int_equal(maglev_slot(0, size), 0);
        assert_int_equal(maglev_slot(UINT32_MAX, size), size - 1);
        for (uint32_t slot = 0; slot < size; slot++) {
            uint64_t end = ((slot + UINT64_C(1)) * 4294967296 + size - 1)
                           / size;

            assert_int_equal(maglev_slot(start, size), slot);
            assert_int_equal(maglev_slot(end - 1, size), slot);
            assert_in_range(end - start, 4294967296 / size,
                            4294967296 / size + 1);
            start = end;
        }
    }
}

/* Balance. */

static bool
equals(double a, double b)
{
    return fabs(a - b) < 1e-12;
}

static void
test_imbalance_by_hand(void **state)
{
    struct maglev_backend backends[] = { { 1, 1 }, { 2, 1 }, { 3, 0 } };
    const uint16_t even[] = { 0, 1, 0, 1 };
    const uint16_t uneven[] = { 0, 0, 0, 1 };
    const uint16_t starved[] = { 1, 1, 1, 1 };
    const uint16_t weightless[] = { 0, 1, 2, 1 };
    const uint16_t nobody[] = { 0, 1, 3, 1 };

    (void) state;
    assert_true(equals(maglev_imbalance(backends, 3, even, 4), 0));
    assert_true(equals(maglev_imbalance(backends, 3, uneven, 4), 0.5));
    assert_true(equals(maglev_imbalance(backends, 3, starved, 4), 1));
    assert_true(maglev_imbalance(backends, 3, weightless, 4) == HUGE_VAL);
    assert_true(maglev_imbalance(backends, 3, nobody, 4) == HUGE_VAL);
    assert_true(maglev_imbalance(backends, MAGLEV_MAX_BACKENDS + 1, even, 4)
                == HUGE_VAL);

    /* Due 3 and 1: one is 1/3 under, the other is 1 over. */
    backends[0].weight = 3;
    assert_true(equals(maglev_imbalance(backends, 3, uneven, 4), 0));
    assert_true(equals(maglev_imbalance(backends, 3, even, 4), 1));
}

enum { N_PATTERNS = 6 };

/* Returns the weight that backend 'i' of 'n' has in 'pattern'. */
static uint32_t
pattern_weight(int pattern, size_t i, size_t n)
{
    switch (pattern) {
    case 0:
        return 1;
    case 1:
        return 1 + i % 3;
    case 2:                     /* One at half the weight of the others... */
        return i == n / 2 ? 50 : 100;
    case 3:                     /* ...or at ten times their weight. */
        return i == n / 2 ? 10 : 1;
    case 4:
        return 90 + random_u64() % 20;
    default:
        return 1 + i;
    }
}

/* Checks each backend's number of slots against the bound in maglev.h, and
 * maglev_imbalance() against the worst of them.  Returns the worst. */
static double
check_balance(const struct maglev_backend *backends, size_t n, uint32_t size)
{
    struct siphash_key key = random_key();
    uint16_t *slots = build(backends, n, &key, size);
    uint32_t *counts = count_slots(slots, size, n);
    double total = 0;
    double lightest = HUGE_VAL;
    double worst = 0;

    for (size_t i = 0; i < n; i++) {
        total += backends[i].weight;
        lightest = fmin(lightest, backends[i].weight);
    }
    for (size_t i = 0; i < n; i++) {
        double share = backends[i].weight / total * size;
        double deviation = fabs(counts[i] / share - 1);

        if (lightest / total * size >= 1) {
            assert_true(deviation <= .5 / share + .5 * n / size + 1e-9);
        }
        worst = fmax(worst, deviation);
    }
    if (lightest / total * size >= 100) {
        assert_true(worst <= .01);
    }
    assert_true(equals(maglev_imbalance(backends, n, slots, size), worst));
    free(counts);
    free(slots);
    return worst;
}

static void
test_balance(void **state)
{
    static const size_t ns[] = { 1, 2, 3, 7, 10, 11, 50, 81, 82, 300, 655,
                                 1000 };
    static const uint32_t sizes[] = { 256, 1024, 8192, 65536 };
    double worst = 0;

    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(ns) * N_PATTERNS; i++) {
        size_t n = ns[i / N_PATTERNS];
        int pattern = i % N_PATTERNS;
        struct maglev_backend *backends = make_backends(n, 1);

        for (size_t j = 0; j < n; j++) {
            backends[j].weight = pattern_weight(pattern, j, n);
        }

        /* The recommended size keeps equal backends within 1 %... */
        double imbalance = check_balance(backends, n, maglev_table_size(n));

        if (!pattern) {
            assert_true(imbalance <= .01);
            worst = fmax(worst, imbalance);
        }

        /* ...and other sizes as well as they can. */
        for (size_t j = 0; j < ARRAY_SIZE(sizes); j++) {
            if (sizes[j] >= n && (!light || sizes[j] < 65536)) {
                check_balance(backends, n, sizes[j]);
            }
        }
        free(backends);
    }
    print_message("worst imbalance of equals with maglev_table_size(): "
                  "%.2f %%\n",
                  100 * worst);
}

/* Disruption. */

/* The tables before and after one of 'n' equal backends goes.  A table has no
 * history, so these are also the tables after and before it comes.
 *
 * Returns the part of the others' slots that moves without need.  Stores the
 * part of all slots that moves in '*moved', and the least possible one in
 * '*least'. */
static double
disruption_of_removal(size_t n, double *moved, double *least)
{
    struct maglev_backend *backends = make_backends(n, 1);
    struct maglev_backend *rest = make_backends(n, 1);
    struct siphash_key key = random_key();
    size_t victim = random_u64() % n;
    uint32_t size = maglev_table_size(n);
    uint16_t *before = build(backends, n, &key, size);
    uint16_t *after;
    uint32_t *counts = count_slots(before, size, n);
    uint32_t n_own = counts[victim];

    for (size_t i = 0; i < n - 1; i++) {
        rest[i] = backends[i + (i >= victim)];
    }
    after = build(rest, n - 1, &key, size);

    uint32_t n_moved = count_moved(backends, before, rest, after, size);

    *moved = (double) n_moved / size;
    *least = (double) n_own / size;
    free(counts);
    free(after);
    free(before);
    free(rest);
    free(backends);
    return (double) (n_moved - n_own) / (size - n_own);
}

/* The bounds are measured values plus a good margin for other sequences of
 * random numbers. */
static void
test_one_comes_or_goes(void **state)
{
    static const struct {
        size_t n;
        int n_trials;
        double max_mean;
        double max;
    } cases[] = {
        { 2, 20, 0, 0 },
        { 3, 100, .02, .07 },
        { 5, 100, .03, .07 },
        { 10, 100, .03, .06 },
        { 20, 50, .03, .05 },
        { 81, 50, .015, .025 },
        { 100, 5, .015, .020 },
        { 300, 5, .010, .015 },
        { 655, 5, .006, .010 },
        { 1000, 2, .005, .007 },
    };

    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int n_trials = light ? (cases[i].n_trials + 4) / 5
                       : cases[i].n_trials;
        double sum = 0;
        double max = 0;
        double sum_moved = 0;
        double sum_least = 0;

        if (light && cases[i].n == 1000) {
            continue;
        }
        for (int trial = 0; trial < n_trials; trial++) {
            double moved, least;
            double extra = disruption_of_removal(cases[i].n, &moved, &least);

            assert_true(moved >= least);
            assert_true(extra <= cases[i].max);
            max = fmax(max, extra);
            sum += extra;
            sum_moved += moved;
            sum_least += least;
        }
        print_message("%4zu <-> %4zu: %5.2f %% of slots move (least %5.2f %%),"
                      " %.2f %% of the others' (worst %.2f %%)\n",
                      cases[i].n, cases[i].n - 1, 100 * sum_moved / n_trials,
                      100 * sum_least / n_trials, 100 * sum / n_trials,
                      100 * max);
        assert_true(sum / n_trials <= cases[i].max_mean);
        assert_true(fabs(sum_least / n_trials * cases[i].n - 1) <= .01);
    }
}

/* Raises the weight of one of 'n' backends from 100 to 'weight', averaged over
 * 'n_trials'.  Stores the part of all slots that it gains in '*gain', and the
 * part of those that move to others in '*extra'.  Returns the part of its own
 * slots that it loses. */
static double
disruption_of_raise(size_t n, uint32_t weight, int n_trials,
                    double *gain, double *extra)
{
    double loss = 0;

    *gain = *extra = 0;
    for (int trial = 0; trial < n_trials; trial++) {
        struct maglev_backend *backends = make_backends(n, 100);
        struct siphash_key key = random_key();
        size_t raised = random_u64() % n;
        uint32_t size = maglev_table_size(n);
        uint16_t *before = build(backends, n, &key, size);
        uint32_t *counts = count_slots(before, size, n);

        backends[raised].weight = weight;
        uint16_t *after = build(backends, n, &key, size);

        for (uint32_t i = 0; i < size; i++) {
            if (before[i] != after[i]) {
                *(after[i] == raised ? gain : extra) += 1. / size / n_trials;
                loss += (before[i] == raised) / (double) counts[raised]
                        / n_trials;
            }
        }
        free(after);
        free(counts);
        free(before);
        free(backends);
    }
    return loss;
}

static void
test_weight_is_raised(void **state)
{
    static const struct {
        size_t n;
        uint32_t weight;
        double max_extra;
    } cases[] = {
        { 2, 110, .03 }, { 2, 200, .02 }, { 2, 1000, .01 },
        { 10, 110, .03 }, { 10, 200, .04 }, { 10, 1000, .03 },
        { 80, 110, .01 }, { 80, 200, .02 }, { 80, 1000, .035 },
        { 200, 110, .008 }, { 200, 200, .015 }, { 200, 1000, .025 },
    };
    /* With TEST_LIGHT too: means over fewer tables differ by more. */
    int n_trials = 20;

    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        double n = cases[i].n;
        double weight = cases[i].weight;
        double least = weight / (100 * (n - 1) + weight) - 1 / n;
        double gain, extra;
        double loss = disruption_of_raise(n, weight, n_trials, &gain, &extra);

        print_message("%3.0f backends, one from 100 to %4.0f: gains %.2f %% of"
                      " slots (least %.2f %%), loses %.2f %% of its own;"
                      " %.2f %% move elsewhere\n", n, weight, 100 * gain,
                      100 * least, 100 * loss, 100 * extra);

        /* It gains its share, keeps what it had, and leaves the others
         * alone. */
        assert_true(gain >= least * .95 - 1e-4);
        assert_true(gain <= least + .01 / n + .01 * least + loss / n);
        assert_true(loss <= .03);
        assert_true(extra <= cases[i].max_extra);
        if (n <= 10 && weight >= 200) {
            assert_true(gain > 2 * extra);
        }
    }
}

/* A change of weights or of the number of backends, which may change the size
 * of the table. */
struct change {
    const char *name;
    size_t n[2];                /* Backends before and after. */
    uint32_t weight;            /* Of all before, and of all but one after. */
    uint32_t changed;           /* Of the last one after. */
    double max_extra;           /* Part that may move without need. */
};

/* Stores in '*least' the part of all flows that has to move by 'change'.
 * Returns the part that moves, in a table of the size for each number of
 * backends. */
static double
moved_by(const struct change *change, double *least)
{
    size_t n = change->n[0] > change->n[1] ? change->n[0] : change->n[1];
    struct maglev_backend *all = make_backends(n, change->weight);
    struct siphash_key key = random_key();
    uint32_t sizes[2], moved = 0;
    uint16_t *tables[2];
    double total[2] = { 0, 0 };

    *least = 0;
    for (int i = 0; i < 2; i++) {
        sizes[i] = maglev_table_size(change->n[i]);
        all[change->n[1] - 1].weight = i ? change->changed : change->weight;
        tables[i] = build(all, change->n[i], &key, sizes[i]);
        for (size_t j = 0; j < change->n[i]; j++) {
            total[i] += all[j].weight;
        }
    }
    for (size_t j = 0; j < n; j++) {
        double weight = (j + 1 == change->n[1] ? change->changed
                         : change->weight);
        double gain = (j < change->n[1] ? weight / total[1] : 0)
                      - (j < change->n[0] ? change->weight / total[0] : 0);

        *least += gain > 0 ? gain : 0;
    }

    /* The part of each hash that its first 19 bits hold. */
    for (uint32_t i = 0; i < MAGLEV_MAX_SIZE; i++) {
        uint32_t hash = i << 13;

        moved += (tables[0][maglev_slot(hash, sizes[0])]
                  != tables[1][maglev_slot(hash, sizes[1])]);
    }
    free(tables[1]);
    free(tables[0]);
    free(all);
    return (double) moved / MAGLEV_MAX_SIZE;
}

/* The first two are how Services are rolled out and drained. */
static void
test_only_few_flows_move(void **state)
{
    static const struct change changes[] = {
        { "canary of 1 joins 3 of 100", { 3, 4 }, 100, 1, .005 },
        { "one of 3 goes from 100 to 5", { 3, 3 }, 100, 5, .02 },
        { "canary of 1 joins 10 of 100", { 10, 11 }, 100, 1, .005 },
        { "one of 10 goes from 100 to 5", { 10, 10 }, 100, 5, .03 },
        { "one of 10 goes from 100 to 99", { 10, 10 }, 100, 99, .015 },
        { "canary of 1 joins 99 of 100", { 99, 100 }, 100, 1, .001 },
        { "one of 100 goes from 100 to 5", { 100, 100 }, 100, 5, .02 },
        { "canary of 1 joins 999 of 100", { 999, 1000 }, 100, 1, .001 },
        { "one of 1000 goes from 100 to 5", { 1000, 1000 }, 100, 5, .005 },
        { "1 of 1 of 65535 is added", { 1, 2 }, 65535, 1, .001 },
        { "2 become 1", { 2, 1 }, 1, 1, 0.001 },
        { "32 become 33, table doubles", { 32, 33 }, 1, 1, .12 },
        { "33 become 32, table halves", { 33, 32 }, 1, 1, .12 },
        { "64 become 65, table doubles", { 64, 65 }, 1, 1, .12 },
        { "512 become 513, table doubles", { 512, 513 }, 1, 1, .12 },
    };

    (void) state;
    for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
        int n_trials = light ? 2 : changes[i].n[0] > 500 ? 3 : 20;
        double sum = 0;
        double max = 0;
        double least;

        for (int trial = 0; trial < n_trials; trial++) {
            double moved = moved_by(&changes[i], &least);

            sum += moved / n_trials;
            max = fmax(max, moved);
        }
        print_message("%-32s least %5.2f %%, moved %5.2f %%, at most "
                      "%5.2f %%\n", changes[i].name, 100 * least, 100 * sum,
                      100 * max);
        assert_true(sum <= least + changes[i].max_extra);
    }
}

int
main(void)
{
    const struct CMUnitTest contents[] = {
        cmocka_unit_test(test_equals_naive),
        cmocka_unit_test(test_equals_naive_weighted),
        cmocka_unit_test(test_contents_are_pinned),
        cmocka_unit_test(test_order_does_not_matter),
        cmocka_unit_test(test_key_matters),
        cmocka_unit_test(test_weight_0_is_absence),
        cmocka_unit_test(test_single_backend),
        cmocka_unit_test(test_max_backends),
        cmocka_unit_test(test_as_many_backends_as_slots),
    };
    const struct CMUnitTest errors[] = {
        cmocka_unit_test(test_size_must_be_power_of_2),
        cmocka_unit_test(test_bad_backends),
        cmocka_unit_test(test_no_memory),
    };
    const struct CMUnitTest sizes[] = {
        cmocka_unit_test(test_table_size),
        cmocka_unit_test(test_slot),
    };
    const struct CMUnitTest shares[] = {
        cmocka_unit_test(test_imbalance_by_hand),
        cmocka_unit_test(test_balance),
        cmocka_unit_test(test_one_comes_or_goes),
        cmocka_unit_test(test_weight_is_raised),
        cmocka_unit_test(test_only_few_flows_move),
    };
    int n_failed = 0;

    light = getenv("TEST_LIGHT") != NULL;
    n_failed += cmocka_run_group_tests_name("maglev contents", contents,
                                            NULL, NULL);
    n_failed += cmocka_run_group_tests_name("maglev errors", errors,
                                            NULL, NULL);
    n_failed += cmocka_run_group_tests_name("maglev sizes", sizes,
                                            NULL, NULL);
    n_failed += cmocka_run_group_tests_name("maglev balance and disruption",
                                            shares, NULL, NULL);
    return n_failed != 0;
}
