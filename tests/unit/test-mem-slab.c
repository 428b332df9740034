/* SPDX-License-Identifier: Apache-2.0 */

/* Tests of lib/mem/slab.c.  With TEST_LIGHT set in the environment there are
 * fewer rounds. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/mem/reserve.h"
#include "lib/mem/slab.h"
#include "tests/unit/random-numbers.h"

/* Few objects a slab. */
#define SIZE 40001
#define PER_SLAB 52
#define MAX_OBJECTS (4 * PER_SLAB)

static struct mem_slabs slabs;
static uint32_t n_slabs;

/* Adds a slab and counts it. */
static void
add(void)
{
    struct mem_slab *slab = mem_slab_create(MEM_ANY_NODE, false);

    assert_non_null(slab);
    assert_null(mem_slabs_add(&slabs, slab));
    n_slabs++;
}

static void
destroy(struct mem_slab *slab)
{
    if (slab) {
        mem_slab_destroy(slab);
        n_slabs--;
    }
}

static int
setup(void **state)
{
    mem_slabs_init(&slabs, SIZE);
    n_slabs = 0;
    return 0;
}

static int
teardown(void **state)
{
    /* Nothing else has the one that is kept. */
    destroy(slabs.spare);
    return n_slabs != 0;
}

/* Returns a new object, with a slab more if that is needed. */
static uint8_t *
alloc(void)
{
    uint8_t *object = mem_slabs_alloc(&slabs);

    if (!object) {
        add();
        object = mem_slabs_alloc(&slabs);
    }
    assert_non_null(object);
    return object;
}

/* Each object keeps what was written to it until it is freed. */
static void
test_contents(void **state)
{
    int n_rounds = getenv("TEST_LIGHT") ? 2000 : 50000;
    uint8_t *objects[MAX_OBJECTS] = { NULL };
    uint32_t n = 0, most = 0;

    for (int round = 0; round < n_rounds; round++) {
        uint32_t i = rnd(MAX_OBJECTS);

        /* At times there are more of them, at times fewer. */
        if (!objects[i] && rnd(1000) < (round / 1000 % 2 ? 900 : 100)) {
            objects[i] = alloc();
            assert_int_equal((uintptr_t) objects[i] % 16, 0);
            assert_ptr_equal(mem_slabs_of(objects[i]), &slabs);
            memset(objects[i], i, SIZE);
            n++;
        } else if (objects[i]) {
            assert_int_equal(objects[i][0], (uint8_t) i);
            assert_memory_equal(objects[i], objects[i] + 1, SIZE - 1);
            destroy(mem_slabs_free(&slabs, objects[i]));
            objects[i] = NULL;
            n--;
        }
        most = n > most ? n : most;
        /* No more slabs than objects once needed, and the one kept. */
        assert_true(n_slabs <= (most + PER_SLAB - 1) / PER_SLAB + 1);
    }
    for (uint32_t i = 0; i < MAX_OBJECTS; i++) {
        if (objects[i]) {
            destroy(mem_slabs_free(&slabs, objects[i]));
        }
    }
    assert_int_equal(n_slabs, 1);
}

/* Slabs are asked for in time, and go back but one. */
static void
test_slabs(void **state)
{
    void *objects[2 * PER_SLAB];

    assert_null(mem_slabs_alloc(&slabs));
    add();
    for (int i = 0; i < PER_SLAB; i++) {
        assert_int_equal(slabs.wants, i >= PER_SLAB / 2);
        objects[i] = mem_slabs_alloc(&slabs);
        assert_non_null(objects[i]);
    }
    assert_null(mem_slabs_alloc(&slabs));
    add();
    assert_false(slabs.wants);

    /* One too many. */
    struct mem_slab *slab = mem_slab_create(MEM_ANY_NODE, false);

    assert_ptr_equal(mem_slabs_add(&slabs, slab), slab);
    mem_slab_destroy(slab);
    for (int i = PER_SLAB; i < 2 * PER_SLAB; i++) {
        objects[i] = mem_slabs_alloc(&slabs);
    }

    assert_true(slabs.wants);

    /* One that is kept is used before another is asked for. */
    for (int i = 0; i < PER_SLAB; i++) {
        assert_null(mem_slabs_free(&slabs, objects[i]));
    }
    assert_false(slabs.wants);
    for (int i = 0; i < PER_SLAB; i++) {
        assert_int_equal(slabs.wants, i >= PER_SLAB / 2);
        objects[i] = mem_slabs_alloc(&slabs);
        assert_non_null(objects[i]);
    }
    for (int i = 0; i < 2 * PER_SLAB; i++) {
        destroy(mem_slabs_free(&slabs, objects[i]));
    }
    assert_int_equal(n_slabs, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_contents, setup, teardown),
        cmocka_unit_test_setup_teardown(test_slabs, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
