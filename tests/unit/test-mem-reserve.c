/* SPDX-License-Identifier: Apache-2.0 */

/* Tests that reserved memory (lib/mem/reserve.c), and a table of the fused
 * flow cache in it, is taken as it is used, with locked memory too.  Locking
 * lasts as long as the process, so these tests fork.
 *
 * With TEST_LIGHT set in the environment the tests that measure the process
 * are left out: valgrind and sanitizers add memory of their own. */

#define _GNU_SOURCE 1            /* For mlock2(). */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/fuse/fuse-table.h"
#include "lib/mem/reserve.h"

#define KB 1024
#define MB (1024 * KB)
#define N_ENTRIES (1 << 20)      /* The default: reserves more than 500 MB. */
#define N_INSERTED 5000
#define N_AHEAD 30000

/* What a child found. */
struct result {
    bool forbidden;              /* It cannot lock memory. */
    int error;
    size_t created;              /* The growth of the process, in octets... */
    size_t used;                 /* ...at first, and with use. */
    size_t locked;               /* Of what is used. */
    bool locks;
    long n_faults;               /* While entries were inserted. */
    uint32_t n_missing;
    size_t memory;
};

static bool mlock2_fails;

int __real_mlock2(const void *, size_t, unsigned int flags);
int __wrap_mlock2(const void *, size_t, unsigned int flags);

int
__wrap_mlock2(const void *addr, size_t size, unsigned int flags)
{
    if (mlock2_fails) {
        errno = ENOSYS;
        return -1;
    }
    return __real_mlock2(addr, size, flags);
}

/* Returns the number of octets resident in this process. */
static size_t
resident(void)
{
    FILE *f = fopen("/proc/self/statm", "r");
    size_t total = 0, n = 0;

    if (f) {
        if (fscanf(f, "%zu %zu", &total, &n) != 2) {
            n = 0;
        }
        fclose(f);
    }
    return n * sysconf(_SC_PAGESIZE);
}

/* Returns how many octets of the mapping around 'p' are locked and
 * resident. */
static size_t
locked_at(const void *p)
{
    FILE *f = fopen("/proc/self/smaps", "r");
    unsigned long start, end, kb;
    bool here = false;
    size_t n = 0;
    char line[512];

    while (f && fgets(line, sizeof line, f)) {
        if (sscanf(line, "%lx-%lx ", &start, &end) == 2) {
            here = start <= (uintptr_t) p && (uintptr_t) p < end;
        } else if (here && sscanf(line, "Locked: %lu kB", &kb) == 1) {
            n = kb * KB;
        }
    }
    if (f) {
        fclose(f);
    }
    return n;
}

/* Locks all memory that this process will get.  Returns false if it may not,
 * or if nothing happens: AddressSanitizer has a mlockall() of its own. */
static bool
lock_memory(void)
{
    size_t size = sysconf(_SC_PAGESIZE);
    bool locked;
    void *page;

    if (mlockall(MCL_FUTURE)) {
        return false;
    }
    page = mmap(NULL, size, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) {
        return false;
    }
    locked = locked_at(page);
    munmap(page, size);
    return locked;
}

/* Adds entry 'i' to 'table'.  Returns false if there was no room. */
static bool
insert(struct fuse_table *table, uint32_t i, bool large)
{
    uint64_t hash = i * UINT64_C(0x9e3779b97f4a7c15) | UINT64_C(1) << 32;
    uint8_t key[FUSE_MAX_KEY] = { 0 };

    memcpy(key, &i, sizeof i);
    fuse_table_count_miss(table, hash);
    return fuse_table_insert(table, hash, 0, large ? FUSE_PART_1 + 1 : 0, 1,
                             key, 0);
}

/* Inserts some entries into a new table. */
static void
use_table(bool locked, struct result *result)
{
    size_t before = resident();
    struct fuse_table *table;

    result->error = fuse_table_create(N_ENTRIES, -1, locked, &table);
    if (result->error) {
        return;
    }
    result->created = resident() - before;
    for (uint32_t i = 0; i < N_INSERTED; i++) {
        insert(table, i, false);
    }
    result->used = resident() - before;
    result->locked = locked_at(table->small);
    fuse_table_destroy(table);
}

static void
without_lock(struct result *result)
{
    use_table(false, result);
}

static void
with_lock(struct result *result)
{
    /* Memory that is there already does not count, such as a sanitizer's
     * shadow memory. */
    if (!lock_memory()) {
        result->forbidden = true;
        return;
    }
    use_table(true, result);
}

static void
with_old_kernel(struct result *result)
{
    mlock2_fails = true;
    with_lock(result);
}

static void
beyond_limit(struct result *result)
{
    struct rlimit limit = { 8 * MB, 8 * MB };

    if (setrlimit(RLIMIT_MEMLOCK, &limit) || (!getuid() && setuid(65534))
        || !lock_memory()) {
        result->forbidden = true;
        return;
    }
    use_table(true, result);
}

static long
n_faults(void)
{
    struct rusage usage;

    getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_minflt;
}

/* Inserts 'n' entries, and takes memory from time to time, as the thread
 * beside the owner does. */
static void
insert_many(struct fuse_table *table, uint32_t n, bool large,
            struct result *result)
{
    for (uint32_t i = 0; i < n; i++) {
        long before = n_faults();

        result->n_missing += !insert(table, i, large);
        result->n_faults += n_faults() - before;
        if (i % 1000 == 0 && fuse_table_follow(table)) {
            result->error = fuse_table_take(table);
            fuse_table_follow(table);
        }
    }
}

static void
ahead(struct result *result)
{
    size_t before = resident();
    struct fuse_table *table;

    result->error = fuse_table_create(N_ENTRIES, -1, result->locks, &table);
    if (result->error) {
        return;
    }
    result->error = fuse_table_take_ahead(table);
    result->created = resident() - before;
    insert_many(table, N_AHEAD, false, result);
    insert_many(table, N_AHEAD, true, result);
    result->used = resident() - before;
    result->memory = fuse_table_memory(table);
    result->locked = locked_at(table->small);
    fuse_table_destroy(table);
}

static void
ahead_with_lock(struct result *result)
{
    if (!lock_memory()) {
        result->forbidden = true;
        return;
    }
    result->locks = true;
    ahead(result);
}

/* Runs 'func' in a process of its own.  Skips the test if that may not lock
 * memory. */
static struct result
run_child(void (*func)(struct result *))
{
    struct result *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct result result;
    int status;
    pid_t pid;

    if (getenv("TEST_LIGHT")) {
        skip();
    }
    assert_ptr_not_equal(shared, MAP_FAILED);
    fflush(NULL);
    pid = fork();
    assert_int_not_equal(pid, -1);
    if (!pid) {
        func(shared);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    result = *shared;
    munmap(shared, sizeof *shared);
    if (result.forbidden) {
        print_message("skipped: this process cannot lock its memory, for "
                      "RLIMIT_MEMLOCK or a sanitizer\n");
        skip();
    }
    return result;
}

/* 'result' took the memory of a few thousand entries. */
static void
check_size(const struct result *result)
{
    assert_int_equal(result->error, 0);
    assert_in_range(result->created, 0, 4 * MB);
    assert_in_range(result->used, N_INSERTED * FUSE_SMALL_ENTRY, 32 * MB);
}

static void
test_unlocked(void **state)
{
    struct result result = run_child(without_lock);

    (void) state;
    check_size(&result);
    assert_int_equal(result.locked, 0);
}

static void
test_locked(void **state)
{
    struct result result = run_child(with_lock);

    (void) state;
    check_size(&result);
    assert_in_range(result.locked, N_INSERTED * FUSE_SMALL_ENTRY,
                    result.used);
}

/* A kernel that cannot lock on access leaves the memory unlocked. */
static void
test_old_kernel(void **state)
{
    struct result result = run_child(with_old_kernel);

    (void) state;
    check_size(&result);
    assert_int_equal(result.locked, 0);
}

/* If another thread takes memory, the owner never waits: no insertion causes a
 * page fault. */
static void
check_ahead(const struct result *result)
{
    assert_int_equal(result->error, 0);
    assert_int_equal(result->n_faults, 0);
    /* The first large page, until memory is taken for it. */
    assert_in_range(result->n_missing, 1, N_AHEAD / 1000);
    assert_in_range(result->created, MB, 16 * MB);
    assert_in_range(result->used, N_AHEAD * FUSE_LARGE_ENTRY, 48 * MB);
    assert_in_range(result->memory, result->used / 2, result->used);
}

static void
test_ahead(void **state)
{
    struct result result = run_child(ahead);

    (void) state;
    check_ahead(&result);
}

static void
test_ahead_locked(void **state)
{
    struct result result = run_child(ahead_with_lock);

    (void) state;
    check_ahead(&result);
    assert_in_range(result.locked, N_AHEAD * FUSE_SMALL_ENTRY, result.used);
}

/* While nobody takes memory, the owner makes do with what is there. */
static void
test_no_more(void **state)
{
    struct fuse_table *table;
    uint32_t n = 0;

    (void) state;
    assert_int_equal(fuse_table_create(N_ENTRIES, -1, false, &table), 0);
    assert_int_equal(fuse_table_take_ahead(table), 0);
    for (uint32_t i = 0; i < N_AHEAD; i++) {
        n += insert(table, i, false);
        fuse_table_follow(table);
    }
    assert_int_equal(n, table->n_ready[FUSE_SUPPLY_SMALL]);
    assert_true(n < N_AHEAD);
    assert_false(insert(table, N_AHEAD, true));
    assert_true(fuse_table_follow(table));
    assert_false(fuse_table_follow(table));
    assert_int_equal(fuse_table_take(table), 0);
    assert_false(insert(table, N_AHEAD, true));
    fuse_table_follow(table);
    assert_true(insert(table, N_AHEAD, true));
    assert_true(insert(table, N_AHEAD + 1, false));

    /* What follows TCP is a third kind. */
    assert_null(fuse_table_track(table, fuse_table_entry(table, 0)));
    while (fuse_table_follow(table)) {
        assert_int_equal(fuse_table_take(table), 0);
    }
    assert_non_null(fuse_table_track(table, fuse_table_entry(table, 0)));
    fuse_table_destroy(table);
}

static void
test_limit(void **state)
{
    struct result result = run_child(beyond_limit);

    (void) state;
    assert_int_equal(result.error, EAGAIN);
}

static void
test_no_address_space(void **state)
{
    void *mem = &mem;

    (void) state;
    assert_int_not_equal(mem_reserve((size_t) 1 << 47, MEM_ANY_NODE, 0, &mem),
                         0);
    assert_null(mem);
    mem_release(NULL, 0);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unlocked),
        cmocka_unit_test(test_locked),
        cmocka_unit_test(test_old_kernel),
        cmocka_unit_test(test_ahead),
        cmocka_unit_test(test_ahead_locked),
        cmocka_unit_test(test_no_more),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_no_address_space),
    };

    return cmocka_run_group_tests_name("mem-reserve", tests, NULL, NULL);
}
