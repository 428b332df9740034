/* SPDX-License-Identifier: Apache-2.0 */

/* Tests lib/lb/lb-sticky.c: against a second implementation without bits,
 * atomics or wrap-around, under a flood of new flows, and with several threads
 * that compete for few entries.  Errors that need a certain order of steps are
 * for test-lb-sticky-schedules.c.
 *
 * With TEST_LIGHT set in the environment the slow tests do less, for runs
 * under valgrind or sanitizers.  Linked with
 * -Wl,--wrap=mmap,--wrap=numa_available, it also makes these two fail. */

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <cmocka.h>

#include "lib/lb/lb-sticky.h"
#include "tests/unit/splitmix64.h"

#define SEC LB_STICKY_TICKS_PER_SEC

/* Returns 'n', or much less with TEST_LIGHT. */
static size_t
scale(size_t n)
{
    return getenv("TEST_LIGHT") ? n / 20 : n;
}

/* Fault injection.  Without --wrap=mmap,--wrap=numa_available, the weak
 * references are null. */

static bool mmap_fails;
static bool numa_is_missing;

void *__real_mmap(void *, size_t, int prot, int flags, int fd, off_t)
    __attribute__((__weak__));
void *__wrap_mmap(void *, size_t, int prot, int flags, int fd, off_t);
int __real_numa_available(void) __attribute__((__weak__));
int __wrap_numa_available(void);

void *
__wrap_mmap(void *addr, size_t n_bytes, int prot, int flags, int fd,
            off_t offset)
{
    if (mmap_fails) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    return __real_mmap(addr, n_bytes, prot, flags, fd, offset);
}

int
__wrap_numa_available(void)
{
    return numa_is_missing ? -1 : __real_numa_available();
}

static struct lb_sticky *
create(size_t n_entries)
{
    struct lb_sticky *sticky;

    assert_int_equal(lb_sticky_create(n_entries, -1, false, &sticky), 0);
    return sticky;
}

/* Inserts the new hash 'hash' with 'token'. */
static void
add(struct lb_sticky *sticky, uint64_t hash, uint32_t token, uint32_t now,
    uint32_t timeout)
{
    uint32_t t = token;

    assert_int_equal(lb_sticky_insert(sticky, hash, &t, now, timeout),
                     LB_STICKY_ADDED);
    assert_int_equal(t, token);
}

static void
test_create(void **state)
{
    (void) state;
    struct lb_sticky *sticky = (struct lb_sticky *) 1;

    assert_int_equal(lb_sticky_create(0, -1, false, &sticky), EINVAL);
    assert_null(sticky);
    assert_int_equal(lb_sticky_create((size_t) LB_STICKY_MAX_ENTRIES + 1, -1,
                                      false, &sticky), EINVAL);
    assert_int_equal(lb_sticky_create(SIZE_MAX, -1, false, &sticky), EINVAL);
    assert_int_equal(lb_sticky_create(1, -2, false, &sticky), EINVAL);

    static const struct {
        size_t asked;
        uint32_t got;
    } sizes[] = {
        { 1, LB_STICKY_MIN_ENTRIES },
        { LB_STICKY_MIN_ENTRIES, LB_STICKY_MIN_ENTRIES },
        { LB_STICKY_MIN_ENTRIES + 1, 2 * LB_STICKY_MIN_ENTRIES },
        { 65536, 65536 },
        { 65537, 131072 },
    };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        sticky = create(sizes[i].asked);
        assert_int_equal(sticky->n_entries, sizes[i].got);
        assert_int_equal(sticky->n_bytes, 16 * sizes[i].got);
        assert_int_equal((uintptr_t) sticky->lines % 64, 0);
        assert_int_equal(lb_sticky_count(sticky, 0), 0);
        lb_sticky_destroy(sticky);
    }
    lb_sticky_destroy(NULL);
}

static void
skip_unless_wrapped(void)
{
    if (!__real_mmap || !__real_numa_available) {
        print_message("skipped: not linked with "
                      "-Wl,--wrap=mmap,--wrap=numa_available\n");
        skip();
    }
}

static void
test_no_memory(void **state)
{
    (void) state;
    struct lb_sticky *sticky = (struct lb_sticky *) 1;

    skip_unless_wrapped();
    mmap_fails = true;
    int error = lb_sticky_create(1000, -1, false, &sticky);
    mmap_fails = false;
    assert_int_equal(error, ENOMEM);
    assert_null(sticky);
}

/* A table can be on one node, or, without NUMA, on any number. */
static void
test_numa(void **state)
{
    (void) state;
    struct lb_sticky *sticky;

    skip_unless_wrapped();
    bool numa_is_there = __real_numa_available() >= 0;

    /* Node 0 may be barred to this process. */
    int error = lb_sticky_create(1000, 0, false, &sticky);
    assert_true(!error || (numa_is_there && error == EINVAL));
    if (!error) {
        add(sticky, 1, 2, 0, 1);
    }
    lb_sticky_destroy(sticky);

    if (numa_is_there) {
        assert_int_equal(lb_sticky_create(1000, INT_MAX, false, &sticky),
                         EINVAL);
        assert_null(sticky);
    }

    numa_is_missing = true;
    for (int node = -1; node < 1000; node += 500) {
        assert_int_equal(lb_sticky_create(1000, node, false, &sticky), 0);
        add(sticky, 1, 2, 0, 1);
        lb_sticky_destroy(sticky);
    }
    numa_is_missing = false;
}

/* Every hash can be stored, 0 and all ones included. */
static void
test_basics(void **state)
{
    (void) state;
    static const uint64_t hashes[] = { 0, 1, UINT64_MAX, UINT64_C(1) << 63 };
    struct lb_sticky *sticky = create(1024);
    uint32_t token;

    for (uint32_t i = 0; i < 4; i++) {
        lb_sticky_prefetch(sticky, hashes[i]);
        lb_sticky_prefetch_other(sticky, hashes[i]);
        assert_int_equal(lb_sticky_lookup(sticky, hashes[i], 7, SEC), 0);
        assert_int_equal(lb_sticky_replace(sticky, hashes[i], 1, 2, 7, SEC),
                         0);
        assert_false(lb_sticky_remove(sticky, hashes[i]));
        add(sticky, hashes[i], UINT32_MAX - i, 7, SEC);
        assert_int_equal(lb_sticky_count(sticky, 7), i + 1);
    }
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(lb_sticky_lookup(sticky, hashes[i], 7, SEC),
                         UINT32_MAX - i);

        token = 1;
        assert_int_equal(lb_sticky_insert(sticky, hashes[i], &token, 7, SEC),
                         LB_STICKY_FOUND);
        assert_int_equal(token, UINT32_MAX - i);

        assert_int_equal(lb_sticky_replace(sticky, hashes[i], 1, 2, 7, SEC),
                         UINT32_MAX - i);
        assert_int_equal(lb_sticky_replace(sticky, hashes[i], UINT32_MAX - i,
                                           i + 1, 7, SEC), i + 1);
        assert_int_equal(lb_sticky_lookup(sticky, hashes[i], 7, SEC), i + 1);
    }
    for (uint32_t i = 0; i < 4; i++) {
        assert_true(lb_sticky_remove(sticky, hashes[i]));
        assert_false(lb_sticky_remove(sticky, hashes[i]));
        assert_int_equal(lb_sticky_lookup(sticky, hashes[i], 7, SEC), 0);
        assert_int_equal(lb_sticky_count(sticky, 7), 3 - i);
    }
    lb_sticky_destroy(sticky);
}

static void
test_ticks(void **state)
{
    (void) state;
    assert_int_equal(lb_sticky_ticks(0), 0);
    assert_int_equal(lb_sticky_ticks(249), 0);
    assert_int_equal(lb_sticky_ticks(250), 1);
    assert_int_equal(lb_sticky_ticks(UINT64_C(86400000)),
                     LB_STICKY_MAX_TIMEOUT);
    assert_int_equal(lb_sticky_ticks(250 * UINT64_C(0x100000002)), 2);
}

/* A flow lives for its timeout after its last packet, and little longer,
 * wherever the clock is. */
static void
test_expiry(void **state)
{
    (void) state;
    static const uint32_t starts[] = {
        0, 1, 12345, (1u << 28) - 1, 1u << 28, (1u << 28) - 100000,
        1u << 31, UINT32_MAX, UINT32_MAX - 1000, UINT32_MAX - 300000,
    };
    static const uint32_t timeouts[] = {
        0, 1, 2, SEC, 60 * SEC, 10800 * SEC, LB_STICKY_MAX_TIMEOUT,
        LB_STICKY_MAX_TIMEOUT + 1, UINT32_MAX,
    };
    struct lb_sticky *sticky = create(8);

    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        for (size_t j = 0; j < sizeof timeouts / sizeof *timeouts; j++) {
            uint32_t t = (timeouts[j] < LB_STICKY_MAX_TIMEOUT
                          ? timeouts[j] : LB_STICKY_MAX_TIMEOUT);
            uint32_t now = starts[i];

            /* Idle from the first packet on. */
            add(sticky, 5, 1, now, timeouts[j]);
            assert_int_equal(lb_sticky_count(sticky, now + t), 1);
            assert_int_equal(lb_sticky_count(sticky, now + t + t / 32 + 2), 0);
            assert_int_equal(lb_sticky_lookup(sticky, 5, now + t + t / 32 + 2,
                                              timeouts[j]), 0);
            assert_true(lb_sticky_remove(sticky, 5));

            /* Idle after packets at random times. */
            add(sticky, 5, 2, now, timeouts[j]);
            for (uint32_t k = 0; k < 40; k++) {
                now += (uint64_t) t * k / 39;
                assert_int_equal(lb_sticky_lookup(sticky, 5, now, timeouts[j]),
                                 2);
                assert_int_equal(lb_sticky_count(sticky, now + t), 1);
                assert_int_equal(lb_sticky_count(sticky,
                                                 now + t + t / 32 + 2), 0);
            }
            assert_true(lb_sticky_remove(sticky, 5));
        }
    }
    lb_sticky_destroy(sticky);
}

/* An entry that nobody needs stays dead for 777 days. */
static void
test_long_dead(void **state)
{
    (void) state;
    struct lb_sticky *sticky = create(8);
    uint32_t days = 86400 * SEC;

    add(sticky, 5, 1, 0, 10 * SEC);
    for (uint32_t now = 11 * SEC; now < 775 * days; now += 1021) {
        assert_int_equal(lb_sticky_count(sticky, now), 0);
    }

    /* A clock that is a little behind does not make it look dead. */
    add(sticky, 6, 1, 1000, LB_STICKY_MAX_TIMEOUT);
    assert_int_equal(lb_sticky_lookup(sticky, 6, 1000 - SEC,
                                      LB_STICKY_MAX_TIMEOUT), 1);
    lb_sticky_destroy(sticky);
}

static void
note_ticks(uint64_t hash, uint32_t token, uint32_t ticks, void *ticks_)
{
    (void) hash;
    (void) token;
    *(uint32_t *) ticks_ = ticks;
}

/* Returns how many ticks the only flow in 'sticky' has left at 'now'. */
static uint32_t
ticks_left(const struct lb_sticky *sticky, uint32_t now)
{
    uint32_t ticks = 0;

    lb_sticky_for_each(sticky, now, note_ticks, &ticks);
    return ticks;
}

/* A busy flow writes to its entry rarely.  A shorter timeout takes effect with
 * the next packet, and so does a longer one. */
static void
test_refresh(void **state)
{
    (void) state;
    struct lb_sticky *sticky = create(8);
    uint32_t timeout = 320;
    uint32_t n_writes = 0;

    add(sticky, 5, 1, 0, timeout);
    for (uint32_t now = 1; now <= 1100; now++) {
        uint32_t before = ticks_left(sticky, now);

        assert_int_equal(lb_sticky_lookup(sticky, 5, now, timeout), 1);
        n_writes += ticks_left(sticky, now) != before;
    }
    assert_in_range(n_writes, 80, 100);

    assert_int_equal(lb_sticky_lookup(sticky, 5, 1100, 10), 1);
    assert_in_range(ticks_left(sticky, 1100), 11, 12);
    assert_int_equal(lb_sticky_lookup(sticky, 5, 1100, 5000), 1);
    assert_in_range(ticks_left(sticky, 1100), 5001, 5160);

    /* Two threads whose clocks differ do not write in turns. */
    lb_sticky_flush(sticky, NULL, NULL);
    add(sticky, 5, 1, 2000, timeout);
    assert_int_equal(lb_sticky_lookup(sticky, 5, 2000 - SEC, timeout), 1);
    assert_in_range(ticks_left(sticky, 2000), 330, 340);
    lb_sticky_destroy(sticky);
}

/* The second implementation.  Time has 64 bits.  The order of a line's slots,
 * and the choice among them, are part of the promise: they decide which dead
 * flow is forgotten. */

struct naive_slot {
    bool used;
    uint64_t hash;
    uint32_t token;
    uint64_t expiry;
};

#define NAIVE_LINES 32

struct naive {
    struct naive_slot lines[NAIVE_LINES][4];
};

static bool
naive_is_live(const struct naive_slot *slot, uint64_t now)
{
    return slot->used && slot->expiry > now;
}

static void
naive_lines(uint64_t hash, uint32_t lines[2])
{
    lines[0] = hash % NAIVE_LINES;
    lines[1] = lines[0] ^ (hash >> 32) % NAIVE_LINES;
    if (lines[0] % 2 == lines[1] % 2) {
        lines[1] ^= 1;
    }
}

static struct naive_slot *
naive_find(struct naive *naive, uint64_t hash)
{
    for (uint32_t line = 0; line < NAIVE_LINES; line++) {
        for (int i = 0; i < 4; i++) {
            struct naive_slot *slot = &naive->lines[line][i];

            if (slot->used && slot->hash == hash) {
                return slot;
            }
        }
    }
    return NULL;
}

static void
naive_touch(struct naive_slot *slot, uint64_t now, uint32_t timeout)
{
    uint64_t least = now + timeout + 1;

    if (slot->expiry < least
        || slot->expiry > least + timeout / 32 + 1 + 2 * SEC) {
        slot->expiry = least + timeout / 32 + 1;
    }
}

static uint32_t
naive_lookup(struct naive *naive, uint64_t hash, uint64_t now,
             uint32_t timeout)
{
    struct naive_slot *slot = naive_find(naive, hash);

    if (!slot || !naive_is_live(slot, now)) {
        return 0;
    }
    naive_touch(slot, now, timeout);
    return slot->token;
}

static enum lb_sticky_result
naive_insert(struct naive *naive, uint64_t hash, uint32_t *token, uint64_t now,
             uint32_t timeout)
{
    struct naive_slot *slot = naive_find(naive, hash);
    if (slot && naive_is_live(slot, now)) {
        naive_touch(slot, now, timeout);
        *token = slot->token;
        return LB_STICKY_FOUND;
    }

    if (!slot) {
        uint32_t lines[2];
        int n_live[2] = { 0, 0 };

        naive_lines(hash, lines);
        for (int i = 0; i < 8; i++) {
            n_live[i / 4] += naive_is_live(&naive->lines[lines[i / 4]][i % 4],
                                           now);
        }
        slot = naive->lines[lines[n_live[1] < n_live[0]]];
        if (n_live[0] == 4 && n_live[1] == 4) {
            return LB_STICKY_FULL;
        }
        while (naive_is_live(slot, now)) {
            slot++;
        }
    }
    *slot = (struct naive_slot) { .used = true, .hash = hash,
                                  .token = *token };
    naive_touch(slot, now, timeout);
    return LB_STICKY_ADDED;
}

static uint32_t
naive_replace(struct naive *naive, uint64_t hash, uint32_t old, uint32_t new,
              uint64_t now, uint32_t timeout)
{
    struct naive_slot *slot = naive_find(naive, hash);

    if (!slot || !naive_is_live(slot, now)) {
        return 0;
    }
    if (slot->token == old) {
        slot->token = new;
        slot->expiry = 0;
        naive_touch(slot, now, timeout);
    }
    return slot->token;
}

static bool
naive_remove(struct naive *naive, uint64_t hash)
{
    struct naive_slot *slot = naive_find(naive, hash);

    if (slot) {
        slot->used = false;
    }
    return slot != NULL;
}

static bool
is_token(uint32_t token, void *other)
{
    return token == *(uint32_t *) other;
}

static size_t
naive_flush(struct naive *naive, uint32_t token)
{
    size_t n = 0;

    for (int i = 0; i < NAIVE_LINES * 4; i++) {
        struct naive_slot *slot = &naive->lines[i / 4][i % 4];

        if (slot->used && slot->token == token) {
            slot->used = false;
            n++;
        }
    }
    return n;
}

/* What check_entry() compares with. */
struct check {
    struct naive *naive;
    uint64_t now;
    size_t n;
};

static void
check_entry(uint64_t hash, uint32_t token, uint32_t ticks, void *check_)
{
    struct check *check = check_;
    struct naive_slot *slot = naive_find(check->naive, hash);

    assert_non_null(slot);
    assert_true(naive_is_live(slot, check->now));
    assert_int_equal(token, slot->token);
    assert_int_equal(ticks, slot->expiry - check->now);
    check->n++;
}

static void
check_all(const struct lb_sticky *sticky, struct naive *naive, uint64_t now)
{
    struct check check = { .naive = naive, .now = now };
    size_t n_live = 0;

    lb_sticky_for_each(sticky, now, check_entry, &check);
    for (int i = 0; i < NAIVE_LINES * 4; i++) {
        n_live += naive_is_live(&naive->lines[i / 4][i % 4], now);
    }
    assert_int_equal(check.n, n_live);
    assert_int_equal(lb_sticky_count(sticky, now), n_live);
}

/* Runs 'n_ops' random operations on both from 'now' on.  The clock jitters as
 * between threads, and stands still for long enough to fill the table. */
static void
compare(uint64_t now, size_t n_ops, uint64_t *rng)
{
    static const uint32_t timeouts[] = { 1, SEC, 20 * SEC, 3600 * SEC };
    struct lb_sticky *sticky = create(NAIVE_LINES * 4);
    struct naive naive = { .lines = { { { .used = false } } } };
    uint64_t hashes[300];
    size_t results[4] = { 0, 0, 0, 0 };

    for (int i = 0; i < 300; i++) {
        hashes[i] = splitmix64(rng);
    }
    for (size_t i = 0; i < n_ops; i++) {
        uint64_t r = splitmix64(rng);
        uint64_t hash = hashes[(r & 0xffff) % 300];
        uint32_t token = 1 + (r >> 16) % 20;
        uint32_t timeout = timeouts[(r >> 24) % 4];
        uint64_t t = now - (r >> 28) % 3;
        uint32_t op = (r >> 32) % 100;

        if (i % 2000 >= 1000) {
            now += (r >> 40) % 16 * ((r >> 44) % 4);
        }
        if (op < 10) {
            const struct naive_slot *slot = naive_find(&naive, hash);
            uint32_t left = 0, token_ = lb_sticky_peek(sticky, hash, t, &left);

            if (slot && naive_is_live(slot, t)) {
                assert_int_equal(token_, slot->token);
                assert_int_equal(left, slot->expiry - t);
            } else {
                assert_int_equal(token_, 0);
            }
        } else if (op < 40) {
            assert_int_equal(lb_sticky_lookup(sticky, hash, t, timeout),
                             naive_lookup(&naive, hash, t, timeout));
        } else if (op < 85) {
            uint32_t naive_token = token;
            enum lb_sticky_result result
                = lb_sticky_insert(sticky, hash, &token, t, timeout);

            assert_int_equal(result, naive_insert(&naive, hash, &naive_token,
                                                  t, timeout));
            assert_int_equal(token, naive_token);
            results[result]++;
        } else if (op < 92) {
            uint32_t old = 1 + (r >> 50) % 20;

            assert_int_equal(lb_sticky_replace(sticky, hash, old, token, t,
                                               timeout),
                             naive_replace(&naive, hash, old, token, t,
                                           timeout));
        } else if (op < 98) {
            assert_int_equal(lb_sticky_remove(sticky, hash),
                             naive_remove(&naive, hash));
        } else if (op == 98) {
            assert_int_equal(lb_sticky_flush(sticky, is_token, &token),
                             naive_flush(&naive, token));
        } else {
            check_all(sticky, &naive, t);
        }
    }
    assert_true(results[LB_STICKY_ADDED]);
    assert_true(results[LB_STICKY_FOUND]);
    assert_true(results[LB_STICKY_FULL]);
    assert_false(results[LB_STICKY_BUSY]);
    lb_sticky_destroy(sticky);
}

static void
test_naive(void **state)
{
    (void) state;
    uint64_t rng = 1;

    for (int i = 0; i < 20; i++) {
        uint64_t now = i % 2 ? UINT64_C(1) << 32 : UINT64_C(1) << 28;

        compare(now - splitmix64(&rng) % 5000, scale(40000), &rng);
    }
}

static void
test_flush_all(void **state)
{
    (void) state;
    struct lb_sticky *sticky = create(1024);

    for (uint64_t i = 0; i < 100; i++) {
        add(sticky, i << 32 | i, i + 1, 0, SEC);
    }
    assert_int_equal(lb_sticky_flush(sticky, NULL, NULL), 100);
    assert_int_equal(lb_sticky_count(sticky, 0), 0);
    assert_int_equal(lb_sticky_flush(sticky, NULL, NULL), 0);
    lb_sticky_destroy(sticky);
}

/* A flood of new flows, ten times the table's size, takes free entries.  It
 * evicts no established flow and changes no token. */
static void
test_flood(void **state)
{
    (void) state;
    size_t n_entries = scale(1 << 18);
    struct lb_sticky *sticky = create(n_entries);
    size_t n_flows;
    uint64_t rng = 1;

    n_entries = sticky->n_entries;
    n_flows = n_entries / 4;
    for (size_t i = 0; i < n_flows; i++) {
        add(sticky, splitmix64(&rng), i + 1, 0, 60 * SEC);
    }

    size_t n_full = 0;
    size_t n_live = n_flows;
    for (size_t i = 0; i < 10 * n_entries; i++) {
        uint32_t token = UINT32_MAX;
        enum lb_sticky_result result
            = lb_sticky_insert(sticky, splitmix64(&rng), &token, 0, 10 * SEC);

        if (result == LB_STICKY_ADDED) {
            n_live++;
        } else {
            assert_int_equal(result, LB_STICKY_FULL);
            if (!n_full++) {
                print_message("first of %zu entries refused at %.1f %% load\n",
                              n_entries, 100.0 * n_live / n_entries);
            }
        }
    }
    assert_int_equal(lb_sticky_count(sticky, 0), n_live);
    assert_in_range(n_live, n_entries / 100 * 99, n_entries);

    /* Others get the entries of the flood once it has expired. */
    for (int round = 0; round < 2; round++) {
        uint32_t now = round * 20 * SEC;

        rng = 1;
        for (size_t i = 0; i < n_flows; i++) {
            assert_int_equal(lb_sticky_lookup(sticky, splitmix64(&rng), now,
                                              60 * SEC), i + 1);
        }
    }
    assert_int_equal(lb_sticky_count(sticky, 20 * SEC), n_flows);
    for (size_t i = 0; i < n_flows / 4; i++) {
        add(sticky, splitmix64(&rng), 1, 20 * SEC, 60 * SEC);
    }
    lb_sticky_destroy(sticky);
}

/* The table gets as full as its header says. */
static void
test_load(void **state)
{
    (void) state;
    struct lb_sticky *sticky = create(scale(1 << 19));
    size_t n = sticky->n_entries;
    size_t n_full = 0;
    uint64_t rng = 7;

    for (size_t i = 1; i <= n; i++) {
        uint32_t token = 1;

        n_full += (lb_sticky_insert(sticky, splitmix64(&rng), &token, 0, 1)
                   == LB_STICKY_FULL);
        if (i == n / 2) {
            assert_true(n_full < 0.0005 * i);
        } else if (i == n / 4 * 3) {
            assert_in_range(n_full, 0.005 * i, 0.009 * i);
        }
        if (i % (n / 4) == 0) {
            print_message("%zu flows for %zu entries: %.4f %% refused\n",
                          i, n, 100.0 * n_full / i);
        }
    }
    assert_in_range(n_full, 0.07 * n, 0.09 * n);
    lb_sticky_destroy(sticky);
}

/* Threads.  cmocka's assertions are for the main thread only, so the others
 * count errors. */

#define N_THREADS 4

struct arena {
    struct lb_sticky *sticky;
    const uint64_t *hashes;
    size_t n_hashes;
    size_t n_ops;                /* For each thread. */
    pthread_barrier_t barrier;
    atomic_uint clock;
    atomic_uint seed;
    atomic_size_t n_strangers;   /* Tokens of another hash that were seen. */
    atomic_size_t n_hits;
    atomic_size_t n_results[4];  /* By enum lb_sticky_result. */
    uint32_t (*tokens)[N_THREADS];
};

static void
run_threads(struct arena *arena, void *(*main_)(void *arena))
{
    pthread_t threads[N_THREADS];

    for (int i = 0; i < N_THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, main_, arena), 0);
    }
    for (int i = 0; i < N_THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
}

/* Notes that a thread saw 'token' for hash number 'i'. */
static void
check_token(struct arena *arena, uint32_t token, size_t i)
{
    if (token) {
        arena->n_hits++;
        if (token >> 8 != i + 1) {
            arena->n_strangers++;
        }
    }
}

static void
check_hammer_entry(uint64_t hash, uint32_t token, uint32_t ticks, void *arena_)
{
    struct arena *arena = arena_;

    (void) ticks;
    for (size_t i = 0; i < arena->n_hashes; i++) {
        if (arena->hashes[i] == hash) {
            check_token(arena, token, i);
            return;
        }
    }
    arena->n_strangers++;
}

/* Does every operation on hashes that are too many for the table. */
static void *
hammer_main(void *arena_)
{
    struct arena *arena = arena_;
    struct lb_sticky *sticky = arena->sticky;
    uint64_t rng = ++arena->seed;

    pthread_barrier_wait(&arena->barrier);
    for (size_t n = 0; n < arena->n_ops; n++) {
        uint64_t r = splitmix64(&rng);
        size_t i = (r & 0xffff) % arena->n_hashes;
        uint64_t hash = arena->hashes[i];
        uint32_t token = (i + 1) << 8 | (r >> 16 & 0xff);
        uint32_t timeout = 1 + (r >> 24) % 8;
        uint32_t op = (r >> 32) % 1000;
        uint32_t now = arena->clock;

        if ((r >> 44) % 64 == 0) {
            arena->clock++;
        }
        if (op < 450) {
            check_token(arena, lb_sticky_lookup(sticky, hash, now, timeout),
                        i);
        } else if (op < 800) {
            enum lb_sticky_result result
                = lb_sticky_insert(sticky, hash, &token, now, timeout);

            arena->n_results[result]++;
            check_token(arena, token, i);
        } else if (op < 900) {
            uint32_t old = lb_sticky_lookup(sticky, hash, now, timeout);

            check_token(arena, old, i);
            check_token(arena, lb_sticky_replace(sticky, hash, old, token, now,
                                                 timeout), i);
        } else if (op < 995) {
            lb_sticky_remove(sticky, hash);
        } else if (op < 997) {
            lb_sticky_flush(sticky, NULL, NULL);
        } else {
            lb_sticky_for_each(sticky, now, check_hammer_entry, arena);
        }
    }
    return NULL;
}

static void
count_entry(uint64_t hash, uint32_t token, uint32_t ticks, void *counts_)
{
    uint32_t *counts = counts_;

    (void) hash;
    (void) ticks;
    counts[token >> 8]++;
}

static void
test_hammer(void **state)
{
    (void) state;
    uint64_t hashes[24];
    uint32_t counts[25] = { 0 };
    uint64_t rng = 3;
    struct arena arena = {
        .sticky = create(16),
        .hashes = hashes,
        .n_hashes = 24,
        .n_ops = scale(1000000),
    };

    for (int i = 0; i < 24; i++) {
        hashes[i] = splitmix64(&rng);
    }
    pthread_barrier_init(&arena.barrier, NULL, N_THREADS);
    run_threads(&arena, hammer_main);

    print_message("%zu hits, %zu added, %zu found, %zu full, %zu busy\n",
                  arena.n_hits, arena.n_results[LB_STICKY_ADDED],
                  arena.n_results[LB_STICKY_FOUND],
                  arena.n_results[LB_STICKY_FULL],
                  arena.n_results[LB_STICKY_BUSY]);
    assert_int_equal(arena.n_strangers, 0);
    assert_true(arena.n_hits);

    lb_sticky_for_each(arena.sticky, arena.clock, count_entry, counts);
    for (int i = 0; i < 25; i++) {
        assert_in_range(counts[i], 0, i > 0);
    }

    /* No entry is lost: all can be freed and used again. */
    lb_sticky_flush(arena.sticky, NULL, NULL);
    for (int i = 0; i < 1000; i++) {
        uint32_t token = 1;

        lb_sticky_insert(arena.sticky, splitmix64(&rng), &token, 0, 1);
    }
    assert_int_equal(lb_sticky_count(arena.sticky, 0), 16);
    pthread_barrier_destroy(&arena.barrier);
    lb_sticky_destroy(arena.sticky);
}

/* Inserts all hashes in the same order as the other threads, with tokens of
 * its own, and then looks them up. */
static void *
converge_main(void *arena_)
{
    struct arena *arena = arena_;
    uint32_t id = arena->seed++;

    pthread_barrier_wait(&arena->barrier);
    for (size_t i = 0; i < arena->n_hashes; i++) {
        uint32_t token = id + 1;
        enum lb_sticky_result result
            = lb_sticky_insert(arena->sticky, arena->hashes[i], &token, 0,
                               SEC);

        arena->n_results[result]++;
        if (result == LB_STICKY_ADDED || result == LB_STICKY_FOUND) {
            arena->tokens[i][id] = token;
        }
    }
    pthread_barrier_wait(&arena->barrier);
    for (size_t i = 0; i < arena->n_hashes; i++) {
        uint32_t token = lb_sticky_lookup(arena->sticky, arena->hashes[i], 0,
                                          SEC);

        if (arena->tokens[i][id] && arena->tokens[i][id] != token) {
            arena->n_strangers++;
        }
        arena->tokens[i][id] = token;
    }
    return NULL;
}

static void
test_converge(void **state)
{
    (void) state;
    size_t n_rounds = scale(400);
    size_t n_hashes = 1000;
    uint64_t *hashes = calloc(n_hashes, sizeof *hashes);
    size_t n_results[4] = { 0, 0, 0, 0 };
    uint64_t rng = 5;

    for (size_t round = 0; round < n_rounds; round++) {
        struct arena arena = {
            .sticky = create(2 * n_hashes),
            .hashes = hashes,
            .n_hashes = n_hashes,
            .tokens = calloc(n_hashes, sizeof *arena.tokens),
        };

        for (size_t i = 0; i < n_hashes; i++) {
            hashes[i] = splitmix64(&rng);
        }
        pthread_barrier_init(&arena.barrier, NULL, N_THREADS);
        run_threads(&arena, converge_main);

        assert_int_equal(arena.n_strangers, 0);
        size_t n_known = 0;
        for (size_t i = 0; i < n_hashes; i++) {
            for (int j = 1; j < N_THREADS; j++) {
                assert_int_equal(arena.tokens[i][j], arena.tokens[i][0]);
            }
            n_known += arena.tokens[i][0] != 0;
        }
        assert_int_equal(arena.n_results[LB_STICKY_ADDED], n_known);
        assert_int_equal(lb_sticky_count(arena.sticky, 0), n_known);
        for (int i = 0; i < 4; i++) {
            n_results[i] += arena.n_results[i];
        }
        pthread_barrier_destroy(&arena.barrier);
        free(arena.tokens);
        lb_sticky_destroy(arena.sticky);
    }
    print_message("%zu added, %zu found, %zu full, %zu busy\n",
                  n_results[LB_STICKY_ADDED], n_results[LB_STICKY_FOUND],
                  n_results[LB_STICKY_FULL], n_results[LB_STICKY_BUSY]);
    free(hashes);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_numa),
        cmocka_unit_test(test_basics),
        cmocka_unit_test(test_ticks),
        cmocka_unit_test(test_expiry),
        cmocka_unit_test(test_long_dead),
        cmocka_unit_test(test_refresh),
        cmocka_unit_test(test_naive),
        cmocka_unit_test(test_flush_all),
        cmocka_unit_test(test_flood),
        cmocka_unit_test(test_load),
        cmocka_unit_test(test_hammer),
        cmocka_unit_test(test_converge),
    };

    return cmocka_run_group_tests_name("lb-sticky", tests, NULL, NULL);
}
