/* SPDX-License-Identifier: Apache-2.0 */

/* Tests what lib/lb/lb-sticky.c promises to threads, by schedules.  This file
 * includes its source with atomic operations that can stop.  So one real
 * thread runs several simulated ones, and can switch before any access to
 * shared memory.
 *
 * One part runs all schedules of a few short programs that interrupt a thread
 * at most a given number of times.  The other part runs random programs under
 * random schedules.  After every access this must hold:
 *
 *    - no hash has two published entries;
 *    - the token of a published entry is one of its own hash's;
 *
 * and for every operation:
 *
 *    - the returned token was its hash's at some time between start and end;
 *    - if a lookup returns none, its hash had none at some such time.
 *
 * Memory accesses happen here in the order of the source.  The threads of
 * test-lb-sticky.c test what processors and compilers make of it.
 *
 * With TEST_LIGHT set in the environment there are fewer interruptions and
 * random programs. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <cmocka.h>

static void step(const volatile void *);

static bool
compare_exchange(_Atomic(uint64_t) *p, uint64_t *expected, uint64_t desired)
{
    return atomic_compare_exchange_strong(p, expected, desired);
}

#undef atomic_load
#undef atomic_load_explicit
#undef atomic_store
#undef atomic_store_explicit
#undef atomic_compare_exchange_strong
#define atomic_load(P) (step(P), *(P))
#define atomic_load_explicit(P, ORDER) (step(P), *(P))
#define atomic_store(P, VALUE) (step(P), (void) (*(P) = (VALUE)))
#define atomic_store_explicit(P, VALUE, ORDER) atomic_store(P, VALUE)
#define atomic_compare_exchange_strong(P, EXPECTED, DESIRED) \
    (step(P), compare_exchange(P, EXPECTED, DESIRED))

#include "lib/lb/lb-sticky.c"
#include "tests/unit/splitmix64.h"

/* Programs
 * ========
 *
 * All hashes of a table of 8 entries share the same 8 candidates.  Most
 * entries are taken by flows that nobody touches.  Accesses to these do not
 * count as steps, which keeps the schedules few. */

enum { N_HASHES = 3, MAX_THREADS = 3, MAX_OPS = 6, MAX_DECISIONS = 4096 };

#define FILLER 1                 /* Token of flows that nobody touches. */

static const uint64_t hashes[N_HASHES] = {
    UINT64_C(0x0123456700000000), UINT64_C(0x89abcdef00000001),
    UINT64_C(0xfedcba9800000002),
};

enum op_type { END, LOOKUP, INSERT, REPLACE, REMOVE, FLUSH, FOR_EACH };

/* A step of a program.  A token is 1000 * (hash + 1) + a number. */
struct op {
    enum op_type type;
    int hash;                    /* Index into 'hashes'. */
    uint32_t token;              /* INSERT, REPLACE. */
    uint32_t old_token;          /* REPLACE. */
    uint32_t now;
    uint32_t timeout;            /* 0 for 4. */
};

struct program {
    int n_fillers;
    struct op setup[MAX_OPS + 1];
    struct op threads[MAX_THREADS][MAX_OPS + 1];
};

/* What came of an operation. */
struct outcome {
    enum lb_sticky_result result;
    uint32_t token;
};

/* A thread that is simulated. */
struct thread {
    ucontext_t context;
    const struct op *op;         /* What it is at, or null. */
    const struct op *ops;
    bool done;
    bool was_absent;             /* Since 'op' started. */
    uint32_t seen[32];           /* Tokens since 'op' started. */
    size_t n_seen;
    struct outcome outcomes[MAX_OPS];
    char stack[4 << 20];         /* Large enough for valgrind to see the
                                  * switch. */
};

static struct lb_sticky *table;
static struct thread threads[MAX_THREADS];
static struct thread *running;   /* Null: nothing stops. */
static ucontext_t scheduler;

/* A schedule is the choice at each decision: which thread goes on, among those
 * that can, in cyclic order from the running one.  A choice other than 0 costs
 * one interruption while the running thread can go on. */
static struct {
    uint8_t choice;
    uint8_t n;
} decisions[MAX_DECISIONS];
static size_t n_decisions;
static size_t n_prefix;          /* Of choices that are given. */
static int max_interruptions;
static int n_interruptions;
static uint64_t random_state;    /* 0: always 0 after the prefix. */

/* Returns the next number of a reproducible sequence. */
static uint64_t
random_u64(void)
{
    return splitmix64(&random_state);
}

/* Stores the values of the published entries of hash number 'hash' in
 * 'values'.  Returns their number. */
static size_t
published(int hash, uint64_t values[N_CANDIDATES])
{
    size_t n = 0;

    for (size_t i = 0; i < N_CANDIDATES; i++) {
        struct entry *entry = candidate(table, hashes[hash], i);

        if (entry->hash == hashes[hash] && value_token(entry->value)) {
            values[n++] = entry->value;
        }
    }
    return n;
}

/* Checks the present table, and notes what the operations under way may have
 * seen. */
static void
observe(void)
{
    uint64_t values[N_HASHES][N_CANDIDATES];
    size_t n[N_HASHES];

    for (int i = 0; i < N_HASHES; i++) {
        n[i] = published(i, values[i]);
        assert_in_range(n[i], 0, 1);
        if (n[i]) {
            assert_int_equal(value_token(values[i][0]) / 1000, i + 1);
        }
    }
    for (int i = 0; i < MAX_THREADS; i++) {
        struct thread *t = &threads[i];

        if (t->op) {
            int hash = t->op->hash;
            uint32_t token = n[hash] ? value_token(values[hash][0]) : 0;

            if (!token || !value_is_live(values[hash][0], t->op->now)) {
                t->was_absent = true;
            }
            if (token && (!t->n_seen || t->seen[t->n_seen - 1] != token)) {
                assert_in_range(t->n_seen, 0, 31);
                t->seen[t->n_seen++] = token;
            }
        }
    }
}

/* Chooses the thread to go on.  Returns null if none can. */
static struct thread *
decide(void)
{
    struct thread *able[MAX_THREADS];
    size_t n = 0;
    int first = running - threads;

    for (int i = 0; i < MAX_THREADS; i++) {
        struct thread *t = &threads[(first + i) % MAX_THREADS];

        if (!t->done) {
            able[n++] = t;
        }
    }
    if (!n) {
        return NULL;
    }

    bool costs = able[0] == running && running->op;
    if (costs && n_interruptions >= max_interruptions) {
        n = 1;
    }
    if (n == 1) {
        return able[0];
    }

    assert_in_range(n_decisions, 0, MAX_DECISIONS - 1);
    if (n_decisions >= n_prefix) {
        uint32_t choice = 0;

        if (random_state) {
            choice = costs && random_u64() % 4 ? 0 : random_u64() % n;
        }
        decisions[n_decisions].choice = choice;
    }
    decisions[n_decisions].n = n;

    size_t choice = decisions[n_decisions++].choice;
    n_interruptions += costs && choice;
    return able[choice];
}

/* Switches to another thread before an access to 'p', if so decided. */
static void
step(const volatile void *p)
{
    if (!running) {
        return;
    }

    size_t i = ((const char *) p - (const char *) table->lines) / 16;
    if (value_token(table->lines[i / 4].entries[i % 4].value) == FILLER) {
        return;
    }
    observe();

    struct thread *self = running;
    struct thread *next = decide();
    if (next != self) {
        running = next;
        swapcontext(&self->context, &next->context);
    }
}

static void
check_visit(uint64_t hash, uint32_t token, uint32_t ticks, void *aux)
{
    (void) ticks;
    (void) aux;
    for (int i = 0; i < N_HASHES; i++) {
        if (hashes[i] == hash) {
            assert_int_equal(token / 1000, i + 1);
        }
    }
}

static bool
is_not_filler(uint32_t token, void *aux)
{
    (void) aux;
    return token != FILLER;
}

static struct outcome
perform(const struct op *op)
{
    struct outcome outcome = { .token = 0 };
    uint32_t timeout = op->timeout ? op->timeout : 4;
    uint64_t hash = hashes[op->hash];

    switch (op->type) {
    case LOOKUP:
        outcome.token = lb_sticky_lookup(table, hash, op->now, timeout);
        break;

    case INSERT: {
        uint32_t token = op->token;

        outcome.result = lb_sticky_insert(table, hash, &token, op->now,
                                          timeout);
        if (outcome.result == LB_STICKY_ADDED
            || outcome.result == LB_STICKY_FOUND) {
            outcome.token = token;
        } else {
            assert_int_equal(token, op->token);
        }
        break;
    }

    case REPLACE:
        outcome.token = lb_sticky_replace(table, hash, op->old_token,
                                          op->token, op->now, timeout);
        break;

    case REMOVE:
        lb_sticky_remove(table, hash);
        break;

    case FLUSH:
        lb_sticky_flush(table, is_not_filler, NULL);
        break;

    case FOR_EACH:
        lb_sticky_for_each(table, op->now, check_visit, NULL);
        break;

    case END:
    default:
        abort();
    }
    return outcome;
}

static void
check_outcome(const struct thread *t, const struct op *op,
              struct outcome outcome)
{
    bool found = false;

    if (op->type == REMOVE || op->type == FLUSH || op->type == FOR_EACH) {
        return;
    }
    for (size_t i = 0; i < t->n_seen; i++) {
        found = found || t->seen[i] == outcome.token;
    }
    if (outcome.token) {
        assert_true(found);
    } else if (op->type != INSERT) {
        assert_true(t->was_absent);
    }
}

static void
thread_main(int index)
{
    struct thread *t = &threads[index];

    for (const struct op *op = t->ops; op->type != END; op++) {
        t->n_seen = 0;
        t->was_absent = false;
        t->op = op;
        observe();
        struct outcome outcome = perform(op);
        observe();
        t->op = NULL;
        check_outcome(t, op, outcome);
        t->outcomes[op - t->ops] = outcome;
    }
    t->done = true;
    running = decide();
    setcontext(running ? &running->context : &scheduler);
}

/* Runs 'program' once. */
static void
run(const struct program *program)
{
    running = NULL;
    for (size_t i = 0; i < N_CANDIDATES; i++) {
        struct entry *entry = candidate(table, 0, i);

        entry->hash = 0;
        entry->value = random_state & VALUE_GENERATION;
    }
    for (int i = 0; i < program->n_fillers; i++) {
        uint32_t token = FILLER;

        assert_int_equal(lb_sticky_insert(table, UINT64_MAX - i, &token, 0,
                                          1000), LB_STICKY_ADDED);
    }
    for (const struct op *op = program->setup; op->type != END; op++) {
        perform(op);
    }

    for (int i = 0; i < MAX_THREADS; i++) {
        struct thread *t = &threads[i];

        t->op = NULL;
        t->ops = program->threads[i];
        t->done = t->ops->type == END;
        memset(t->outcomes, 0, sizeof t->outcomes);
        getcontext(&t->context);
        t->context.uc_stack.ss_sp = t->stack;
        t->context.uc_stack.ss_size = sizeof t->stack;
        t->context.uc_link = NULL;
        makecontext(&t->context, (void (*)(void)) thread_main, 1, i);
    }
    n_decisions = n_interruptions = 0;
    running = &threads[0];
    running = decide();
    swapcontext(&scheduler, &running->context);

    /* No entry stays claimed. */
    for (size_t i = 0; i < N_CANDIDATES; i++) {
        uint64_t value = candidate(table, 0, i)->value;

        assert_true(value_token(value) || value_is_free(value));
    }
}

/* Runs 'program' under all schedules with up to 'max' interruptions, and calls
 * 'check', if that is not null, after each. */
static void
run_all(const struct program *program, int max, void (*check)(void))
{
    size_t n = 0;

    random_state = 0;
    max_interruptions = getenv("TEST_LIGHT") ? 2 : max;
    n_prefix = 0;
    do {
        run(program);
        if (check) {
            check();
        }
        n++;

        n_prefix = n_decisions;
        while (n_prefix && (decisions[n_prefix - 1].choice + 1
                            == decisions[n_prefix - 1].n)) {
            n_prefix--;
        }
        if (n_prefix) {
            decisions[n_prefix - 1].choice++;
        }
    } while (n_prefix);
    print_message("%zu schedules\n", n);
}

/* Several threads insert one hash.  One wins and nobody sees another token, or
 * all give way to each other. */
static void
check_one_winner(void)
{
    uint64_t values[N_CANDIDATES];
    uint32_t token = 0;
    size_t n_added = 0;

    if (published(0, values)) {
        token = value_token(values[0]);
    }
    for (int i = 0; i < MAX_THREADS; i++) {
        for (const struct op *op = threads[i].ops; op->type != END; op++) {
            struct outcome outcome = threads[i].outcomes[op - threads[i].ops];

            if (op->type == INSERT) {
                n_added += outcome.result == LB_STICKY_ADDED;
            }
            if (outcome.token) {
                assert_int_equal(outcome.token, token);
            }
        }
    }
    assert_int_equal(n_added, token != 0);
}

static void
test_insert_same(void **state)
{
    (void) state;
    static const struct program two = {
        .n_fillers = 6,
        .threads = {
            { { .type = INSERT, .token = 1001 },
              { .type = LOOKUP } },
            { { .type = INSERT, .token = 1002 },
              { .type = LOOKUP } },
        },
    };
    static const struct program three = {
        .n_fillers = 5,
        .threads = {
            { { .type = INSERT, .token = 1001 } },
            { { .type = INSERT, .token = 1002 } },
            { { .type = INSERT, .token = 1003 } },
        },
    };
    static const struct program dead = {
        .n_fillers = 6,
        .setup = { { .type = INSERT, .token = 1000 } },
        .threads = {
            { { .type = INSERT, .token = 1001, .now = 100 },
              { .type = LOOKUP, .now = 100 } },
            { { .type = INSERT, .token = 1002, .now = 100 },
              { .type = LOOKUP, .now = 100 } },
        },
    };

    run_all(&two, 4, check_one_winner);
    run_all(&three, 2, check_one_winner);
    run_all(&dead, 4, check_one_winner);
}

/* One entry is left, and passes from flow to flow while a thread looks one of
 * them up. */
static void
test_reuse(void **state)
{
    (void) state;
    static const struct program program = {
        .n_fillers = 7,
        .setup = { { .type = INSERT, .token = 1000 } },
        .threads = {
            { { .type = LOOKUP, .now = 2 },
              { .type = REPLACE, .token = 1001, .old_token = 1002 } },
            { { .type = REMOVE },
              { .type = INSERT, .hash = 1, .token = 2000 },
              { .type = REMOVE, .hash = 1 },
              { .type = INSERT, .token = 1002 } },
        },
    };
    static const struct program visit = {
        .n_fillers = 7,
        .setup = { { .type = INSERT, .token = 1000 } },
        .threads = {
            { { .type = FOR_EACH },
              { .type = FLUSH } },
            { { .type = REMOVE },
              { .type = INSERT, .hash = 1, .token = 2000 },
              { .type = REMOVE, .hash = 1 },
              { .type = INSERT, .token = 1002 } },
        },
    };

    run_all(&program, 4, NULL);
    run_all(&visit, 4, NULL);
}

/* A flow is dead for one thread and alive for another, whose clock is behind.
 * The first inserts it again, or gives its entry to another flow, while the
 * other refreshes it. */
static void
test_clocks_differ(void **state)
{
    (void) state;
    static const struct program again = {
        .n_fillers = 6,
        .setup = { { .type = INSERT, .token = 1000 } },
        .threads = {
            { { .type = INSERT, .token = 1001, .now = 7 },
              { .type = LOOKUP, .now = 7 } },
            { { .type = LOOKUP, .now = 5 },
              { .type = INSERT, .token = 1002, .now = 5 },
              { .type = LOOKUP, .now = 5 } },
            { { .type = INSERT, .hash = 1, .token = 2000, .now = 7 } },
        },
    };
    static const struct program other = {
        .n_fillers = 7,
        .setup = { { .type = INSERT, .token = 1000 } },
        .threads = {
            { { .type = INSERT, .hash = 1, .token = 2000, .now = 7 },
              { .type = LOOKUP, .hash = 1, .now = 7 } },
            { { .type = LOOKUP, .now = 5 },
              { .type = REPLACE, .token = 1001, .old_token = 1000,
                .now = 5 } },
            { { .type = INSERT, .token = 1002, .now = 7 } },
        },
    };

    run_all(&again, 3, NULL);
    run_all(&other, 3, NULL);
}

static void
test_replace(void **state)
{
    (void) state;
    static const struct program program = {
        .n_fillers = 7,
        .setup = { { .type = INSERT, .token = 1000 } },
        .threads = {
            { { .type = REPLACE, .token = 1001, .old_token = 1000 } },
            { { .type = REPLACE, .token = 1002, .old_token = 1000 } },
            { { .type = LOOKUP, .now = 2 },
              { .type = REMOVE } },
        },
    };

    run_all(&program, 4, NULL);
}

static void
test_random(void **state)
{
    (void) state;
    size_t n = getenv("TEST_LIGHT") ? 3000 : 100000;

    for (size_t seed = 1; seed <= n; seed++) {
        struct program program = { .n_fillers = 5 + seed % 3 };

        random_state = seed << 32;
        for (int i = 0; i < MAX_THREADS; i++) {
            int n_ops = 1 + random_u64() % MAX_OPS;

            for (int j = 0; j < n_ops; j++) {
                static const uint32_t timeouts[] = { 1, 3, 5, 100 };
                struct op *op = &program.threads[i][j];

                op->type = LOOKUP + random_u64() % 6;
                if (op->type >= FLUSH && random_u64() % 4) {
                    op->type = INSERT;
                }
                op->hash = random_u64() % N_HASHES;
                op->token = 1000 * (op->hash + 1) + random_u64() % 3;
                op->old_token = 1000 * (op->hash + 1) + random_u64() % 3;
                op->now = 2 * j + random_u64() % 4;
                op->timeout = timeouts[random_u64() % 4];
            }
        }
        n_prefix = 0;
        max_interruptions = 1000;
        run(&program);
    }
}

static int
create_table(void **state)
{
    (void) state;
    return lb_sticky_create(8, -1, false, &table);
}

static int
destroy_table(void **state)
{
    (void) state;
    lb_sticky_destroy(table);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_insert_same),
        cmocka_unit_test(test_reuse),
        cmocka_unit_test(test_clocks_differ),
        cmocka_unit_test(test_replace),
        cmocka_unit_test(test_random),
    };

    return cmocka_run_group_tests_name("lb-sticky-schedules", tests,
                                       create_table, destroy_table);
}
