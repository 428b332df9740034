/* SPDX-License-Identifier: Apache-2.0 */

/* Tests that reserved memory (lib/mem/reserve.c), and a table of the fused
 * flow cache in it, is taken as it is used, in a process with locked memory
 * too.  Locking lasts as long as the process, so each test forks. */

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

/* What a child found. */
struct result {
    bool forbidden;              /* It cannot lock memory. */
    int error;
    size_t created;              /* What the process grew by, in octets... */
    size_t used;                 /* ...at first, and with use. */
    size_t locked;               /* Of what is used. */
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

/* Returns how many octets of the mapping that 'p' points into are locked and
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
 * or if that does nothing: AddressSanitizer has a mlockall() of its own. */
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

/* Inserts some entries into a new table. */
static void
use_table(bool locked, struct result *result)
{
    uint8_t key[FUSE_MAX_KEY] = { 0 };
    size_t before = resident();
    struct fuse_table *table;

    result->error = fuse_table_create(N_ENTRIES, -1, locked, &table);
    if (result->error) {
        return;
    }
    result->created = resident() - before;
    for (uint32_t i = 0; i < N_INSERTED; i++) {
        uint64_t hash = i * UINT64_C(0x9e3779b97f4a7c15) | UINT64_C(1) << 32;

        memcpy(key, &i, sizeof i);
        fuse_table_insert(table, hash, 0, 0, 1, key, 0);
        fuse_table_admit(table, hash);
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
    /* What is there already, shadow memory of a sanitizer among it, is of no
     * concern. */
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

/* Runs 'func' in a process of its own and skips the test if it may not lock
 * memory. */
static struct result
run_child(void (*func)(struct result *))
{
    struct result *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct result result;
    int status;
    pid_t pid;

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

/* 'result' took what a few thousand entries need. */
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
    assert_int_equal(mem_reserve(SIZE_MAX / 2, -1, false, &mem), ENOMEM);
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
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_no_address_space),
    };

    return cmocka_run_group_tests_name("mem-reserve", tests, NULL, NULL);
}
