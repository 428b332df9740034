/* SPDX-License-Identifier: Apache-2.0 */

/* Tests of the load-balancing table (lib/lb/lb-table.c) and of the registry of
 * tables (lib/lb/lb-registry.c). */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/lb/lb-method.h"
#include "lib/lb/lb-registry.h"
#include "lib/lb/lb-table.h"
#include "lib/lb/maglev.h"

static struct lb_table *
build(const struct lb_member *members, size_t n)
{
    struct lb_table_config config = { .key = { .k0 = 1, .k1 = 2 } };
    struct lb_table *table;

    assert_int_equal(lb_table_build(members, n, &config, &table), 0);
    return table;
}

/* Every slot holds the token of a member with a weight, in the shares of the
 * weights. */
static void
test_tokens(void **state)
{
    (void) state;
    static const struct lb_member members[] = {
        { .id = 11, .token = 0xdead, .weight = 1, .alive = true },
        { .id = 22, .token = 0xbeef, .weight = 3, .alive = true },
        { .id = 33, .token = 0xcafe, .weight = 0, .alive = true },
        { .id = 44, .token = 0xfeed, .weight = 9, .alive = false },
    };
    struct lb_table *table = build(members, 4);
    uint32_t n[2] = { 0, 0 };

    for (uint32_t i = 0; i < table->n_slots; i++) {
        assert_true(table->slots[i] == 0xdead || table->slots[i] == 0xbeef);
        n[table->slots[i] == 0xbeef]++;
    }
    assert_in_range(n[1], 3 * n[0] - 8, 3 * n[0] + 8);
    lb_table_destroy(table);
}

/* The set of tokens holds those of the live members, of any weight. */
static void
test_token_set(void **state)
{
    (void) state;
    for (size_t n = 0; n <= MAGLEV_MAX_BACKENDS; n = n ? n * 2 : 1) {
        struct lb_member *members = calloc(n + 1, sizeof *members);

        for (size_t i = 0; i < n; i++) {
            members[i] = (struct lb_member) { .id = i, .token = 1 + i * 7,
                                              .weight = i % 3,
                                              .alive = i % 5 != 1 };
        }

        struct lb_table *table = build(members, n);

        assert_false(lb_table_has_token(table, 0));
        for (size_t token = 1; token < 7 * n + 10; token++) {
            size_t i = (token - 1) / 7;
            bool is_in = (token - 1) % 7 == 0 && i < n && members[i].alive;

            assert_int_equal(lb_table_has_token(table, token), is_in);
        }
        lb_table_destroy(table);
        free(members);
    }
}

/* A slot's token depends on the members' ids, not on their tokens or order. */
static void
test_order(void **state)
{
    (void) state;
    static const struct lb_member a[] = {
        { .id = 11, .token = 1, .weight = 1, .alive = true },
        { .id = 22, .token = 2, .weight = 1, .alive = true },
    };
    static const struct lb_member b[] = {
        { .id = 22, .token = 20, .weight = 1, .alive = true },
        { .id = 11, .token = 10, .weight = 1, .alive = true },
    };
    struct lb_table *ta = build(a, 2);
    struct lb_table *tb = build(b, 2);

    assert_int_equal(ta->n_slots, tb->n_slots);
    for (uint32_t i = 0; i < ta->n_slots; i++) {
        assert_int_equal(10 * ta->slots[i], tb->slots[i]);
    }
    lb_table_destroy(ta);
    lb_table_destroy(tb);
}

static void
test_nobody_has_weight(void **state)
{
    (void) state;
    static const struct lb_member members[] = { { .id = 1, .token = 1 } };
    struct lb_table *table = build(members, 1);

    assert_int_equal(table->n_slots, 0);
    lb_table_destroy(table);

    table = build(NULL, 0);
    assert_int_equal(table->n_slots, 0);
    lb_table_destroy(table);
}

/* The table keeps its words. */
static void
test_words(void **state)
{
    (void) state;
    static const struct lb_member members[] = {
        { .id = 1, .token = 1, .weight = 1, .alive = true }
    };
    struct lb_hash_word words[] = {
        { .mask = 0xffff, .index = 7 },
        { .mask = UINT64_MAX, .index = 9 },
    };
    struct lb_table_config config = {
        .key = { .k0 = 5, .k1 = 6 }, .input = LB_INPUT_INNER,
        .timeout = 12, .salt = 34, .n_words = 2, .words = words,
    };
    struct lb_table *table;

    assert_int_equal(lb_table_build(members, 1, &config, &table), 0);
    memset(words, 0, sizeof words);
    assert_int_equal(table->n_words, 2);
    assert_int_equal(table->words[0].mask, 0xffff);
    assert_int_equal(table->words[0].index, 7);
    assert_int_equal(table->words[1].index, 9);
    assert_memory_equal(&table->key, &config.key, sizeof config.key);
    assert_int_equal(table->input, LB_INPUT_INNER);
    assert_int_equal(table->timeout, 12);
    assert_int_equal(table->salt, 34);
    lb_table_destroy(table);
}

/* The size depends on the number of members, not on weights or liveness. */
static void
test_size(void **state)
{
    (void) state;
    static const struct {
        size_t n;
        uint32_t size;
    } cases[] = {
        { 1, 64 }, { 2, 4096 }, { 32, 4096 }, { 33, 8192 }, { 4096, 524288 },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t n = cases[i].n;
        struct lb_member *members = calloc(n, sizeof *members);
        struct lb_table *table;

        for (size_t j = 0; j < n; j++) {
            members[j] = (struct lb_member) { .id = j, .token = 1 + j,
                                              .weight = 3, .alive = true };
        }
        for (int change = 0; change < 3; change++) {
            if (change == 1) {
                members[0].weight = n > 1 ? 0 : 65535;
            } else if (change == 2) {
                members[n - 1].alive = n == 1;
                members[n / 2].weight = 65535;
                members[n / 2].alive = true;
            }
            if (n == 2 && change == 2) {
                members[0] = (struct lb_member) { .id = 0, .token = 1,
                                                  .weight = 1, .alive = true };
            }
            table = build(members, n);
            assert_int_equal(table->n_slots, cases[i].size);
            lb_table_destroy(table);
        }
        free(members);
    }
}

static void
test_errors(void **state)
{
    (void) state;
    static const struct lb_member twins[] = {
        { .id = 1, .token = 1, .weight = 1, .alive = true },
        { .id = 1, .token = 2, .weight = 1, .alive = true },
    };
    static const struct lb_hash_word words[LB_TABLE_MAX_WORDS + 1];
    struct lb_table_config config = { .words = words };
    struct lb_member *many = calloc(MAGLEV_MAX_BACKENDS + 1, sizeof *many);
    struct lb_table *table = (struct lb_table *) 1;

    assert_int_equal(lb_table_build(twins, 2, &config, &table), EINVAL);
    assert_null(table);
    assert_int_equal(lb_table_build(many, MAGLEV_MAX_BACKENDS + 1, &config,
                                    &table), EINVAL);
    assert_null(table);
    config.n_words = LB_TABLE_MAX_WORDS + 1;
    assert_int_equal(lb_table_build(twins, 1, &config, &table), EINVAL);
    assert_null(table);
    free(many);
}

static void
test_registry(void **state)
{
    (void) state;
    struct lb_table *a = build(NULL, 0);
    struct lb_table *b = build(NULL, 0);
    uint32_t id = lb_registry_alloc_id();

    assert_int_not_equal(id, 0);
    assert_null(lb_registry_get(id));
    assert_null(lb_registry_get(0));
    assert_null(lb_registry_get(LB_REGISTRY_MAX_ID + 1));
    assert_null(lb_registry_get(UINT32_MAX));

    assert_null(lb_registry_set(id, a));
    assert_ptr_equal(lb_registry_get(id), a);
    assert_ptr_equal(lb_registry_set(id, b), a);
    assert_ptr_equal(lb_registry_get(id), b);
    assert_ptr_equal(lb_registry_set(id, NULL), b);
    lb_registry_free_id(id);

    lb_table_destroy(a);
    lb_table_destroy(b);
}

/* All ids are given out, each once, and a freed one comes last. */
static void
test_registry_ids(void **state)
{
    (void) state;
    static bool seen[LB_REGISTRY_MAX_ID + 1];
    uint32_t first = lb_registry_alloc_id();

    seen[first] = true;
    for (int i = 1; i < LB_REGISTRY_MAX_ID; i++) {
        uint32_t id = lb_registry_alloc_id();

        assert_in_range(id, 1, LB_REGISTRY_MAX_ID);
        assert_false(seen[id]);
        seen[id] = true;
    }
    assert_int_equal(lb_registry_alloc_id(), 0);

    lb_registry_free_id(first);
    assert_int_equal(lb_registry_alloc_id(), first);
    for (uint32_t id = 1; id <= LB_REGISTRY_MAX_ID; id++) {
        lb_registry_free_id(id);
    }
    assert_int_not_equal(lb_registry_alloc_id(), first);
}

static void
test_method(void **state)
{
    (void) state;
    assert_true(lb_method_is_known("maglev"));
    assert_true(lb_method_is_known("maglev-teid"));
    assert_true(lb_method_is_known("maglev-inner"));
    assert_int_equal(lb_method_input("maglev"), LB_INPUT_PACKET);
    assert_int_equal(lb_method_input("maglev-teid"), LB_INPUT_TEID);
    assert_int_equal(lb_method_input("maglev-inner"), LB_INPUT_INNER);
    assert_int_equal(lb_method_input("dp_hash"), LB_INPUT_PACKET);
    assert_string_equal(lb_method_name(LB_INPUT_PACKET), "maglev");
    assert_string_equal(lb_method_name(LB_INPUT_TEID), "maglev-teid");
    assert_string_equal(lb_method_name(LB_INPUT_INNER), "maglev-inner");
    assert_false(lb_method_is_known("maglev-"));
    assert_false(lb_method_is_known(""));
    assert_false(lb_method_is_known("maglev2"));
    assert_false(lb_method_is_known("dp_hash"));
    for (int version = 1; version <= 7; version++) {
        assert_int_equal(lb_method_has_version("maglev", version),
                         version == 1 || version >= 6);
        assert_true(lb_method_has_version("dp_hash", version));
        assert_true(lb_method_has_version("", version));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_token_set),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_nobody_has_weight),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_registry),
        cmocka_unit_test(test_registry_ids),
        cmocka_unit_test(test_method),
    };

    return cmocka_run_group_tests_name("lb-table", tests, NULL, NULL);
}
