/* SPDX-License-Identifier: Apache-2.0 */

/* Rules of the fused flow cache about batches, metadata, and upcalls while it
 * works: see Documentation/internals/cache.md. */

#include <config.h>
#include "tests/unit/fuse-datapath.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "datapath-dpdk/fuse/fuse-cycles.h"
#include "datapath-dpdk/fuse/fuse-dump.h"
#include "datapath-dpdk/fuse/fuse-flush.h"
#include "datapath-dpdk/fuse/fuse-show.h"
#include "datapath-dpdk/fuse/fuse-thread.h"
#include "dpif.h"
#include "netlink.h"
#include "odp-netlink.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofpbuf.h"
#include "tests/unit/random-numbers.h"
#include "util.h"

#define N_FLOWS 8

/* Rule 11. */

/* Sends a packet, as the control path does to find a neighbour. */
static void
send_packet(void)
{
    struct ofpbuf output;

    ofpbuf_init(&output, 0);
    nl_msg_put_odp_port(&output, OVS_ACTION_ATTR_OUTPUT, out_port);
    execute(make_packet(15, 1, PLAIN), &output);
    ofpbuf_uninit(&output);
}

static void
send_and_turn_off(void)
{
    set_fuse("off");
    send_packet();
}

/* Learns a packet whose upcall calls 'func'. */
static void
learn_with_upcall(void (*func)(void))
{
    set_way(0, true);
    put_packet(0, 0, PLAIN);
    run();
    dpif_flow_flush(dpif);
    on_upcall = func;
    put_packet(0, 1, PLAIN);
    run();
    on_upcall = NULL;
    assert_int_equal(n_upcalls, 2);
    assert_int_equal(n_sent, 3);
    assert_int_equal(sent[0].id, 0);
    assert_int_equal(sent[1].id, 0xf001);
    assert_int_equal(sent[2].id, 1);
}

static void
test_execute_while_learning(void **state OVS_UNUSED)
{
    learn_with_upcall(send_packet);
    assert_int_equal(count_of(FUSE_C_REASONS + FUSE_REASON_UPCALL), 1);
    for (int i = 0; i < 4; i++) {
        put_packet(0, 2 + i, PLAIN);
        run();
    }
    assert_int_equal(count_of(FUSE_C_HITS), 2);
    assert_int_equal(n_sent, 7);
}

static void
test_turn_off_while_learning(void **state OVS_UNUSED)
{
    learn_with_upcall(send_and_turn_off);
    put_packet(0, 2, PLAIN);
    run();
    assert_int_equal(n_sent, 4);
    assert_int_equal(count_of(FUSE_C_MISSES), 0);
}

/* Rule 9. */

/* Sends packets of a flow until there are hits.  All must leave with
 * 'priority'. */
static void
check_priority(uint32_t priority)
{
    uint64_t hits = count_of(FUSE_C_HITS);

    set_way(priority, false);
    dpif_flow_flush(dpif);
    n_sent = 0;
    for (int i = 0; i < 6; i++) {
        put_packet(0, i, PLAIN);
        run();
    }
    assert_true(count_of(FUSE_C_HITS) >= hits + 3);
    assert_int_equal(n_sent, 6);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(sent[i].priority, priority);
    }
}

static void
test_priority(void **state OVS_UNUSED)
{
    check_priority(5);
    check_priority(0);
    check_priority(6);
}

/* Rule 8. */

/* Learns flow 'flow', so that its next packets hit. */
static void
learn(unsigned int flow)
{
    for (int i = 0; i < 8; i++) {
        put_packet(flow, i, PLAIN);
        run();
    }
    n_sent = 0;
}

/* Sends packets of flow 0, of the 'n' 'kinds', in one batch.  The PLAIN ones
 * must hit.  All must leave in their order. */
static void
check_order(const enum kind *kinds, uint32_t n)
{
    uint64_t hits = count_of(FUSE_C_HITS);
    uint32_t n_plain = 0;

    n_sent = 0;
    for (uint32_t i = 0; i < n; i++) {
        put_packet(0, i, kinds[i]);
        n_plain += kinds[i] == PLAIN;
    }
    run();
    assert_int_equal(count_of(FUSE_C_HITS), hits + n_plain);
    assert_int_equal(n_sent, n);
    for (uint32_t i = 0; i < n; i++) {
        assert_int_equal(sent[i].id, i);
    }
}

static void
test_order_between_hits(void **state OVS_UNUSED)
{
    set_way(0, true);
    for (enum kind kind = TTL; kind < N_KINDS; kind++) {
        const enum kind one[] = { kind, PLAIN };
        const enum kind two[] = { PLAIN, kind, PLAIN, PLAIN, kind, PLAIN };

        setup(NULL);
        learn(0);
        check_order(one, ARRAY_SIZE(one));
        if (kind != TTL) {
            check_order(two, ARRAY_SIZE(two));
        }
    }
}

/* Random batches.  Flows are learned within them; now and then all flows are
 * forgotten. */
static void
test_order_of_random_batches(void **state OVS_UNUSED)
{
    uint16_t next[N_FLOWS] = { 0 }, expected[N_FLOWS] = { 0 };

    set_way(0, true);
    for (int batch = 0; batch < 20000; batch++) {
        uint32_t n = 1 + rnd(NETDEV_MAX_BURST), n_flows = 1 + rnd(N_FLOWS);

        if (!rnd(100)) {
            flush();
        }
        n_sent = 0;
        for (uint32_t i = 0; i < n; i++) {
            uint32_t flow = rnd(n_flows);
            enum kind kind = rnd(3) ? PLAIN : rnd(N_KINDS);

            put_packet(flow, next[flow]++ & 0xfff, kind);
        }
        run();
        assert_int_equal(n_sent, n);
        for (uint32_t i = 0; i < n; i++) {
            uint32_t flow = sent[i].id >> 12;

            assert_int_equal(sent[i].id & 0xfff, expected[flow]++ & 0xfff);
        }
    }
    assert_true(count_of(FUSE_C_HITS) > 100000);
    assert_true(count_of(FUSE_C_LEARNED) > 500);
    assert_true(count_of(FUSE_C_DECLINED) > 5000);
}

/* Rule 6. */

/* A flow is learned once in a batch, and gets one entry. */
static void
test_learn_once(void **state OVS_UNUSED)
{
    set_way(0, true);
    put_packet(1, 0, PLAIN);
    run();
    for (int i = 0; i < NETDEV_MAX_BURST; i++) {
        put_packet(0, i, PLAIN);
    }
    run();
    assert_int_equal(count_of(FUSE_C_LEARNED), 1);
    /* Now its entry is stale. */
    dpif_flow_flush(dpif);
    put_packet(1, 1, PLAIN);
    run();
    for (int i = 0; i < NETDEV_MAX_BURST; i++) {
        put_packet(0, i, PLAIN);
    }
    n_sent = 0;
    run();
    assert_int_equal(count_of(FUSE_C_LEARNED), 2);
    for (int i = 0; i < NETDEV_MAX_BURST; i++) {
        assert_int_equal(sent[i].id, i);
    }
}

static uint32_t max_chains;

static bool
limit_chains(struct fuse_thread *t, void *aux OVS_UNUSED)
{
    t->max_chains = max_chains;
    return true;
}

/* A chain whose megaflow is gone makes room for another, even while its entry
 * is there. */
static void
test_dead_chains(void **state OVS_UNUSED)
{
    set_way(0, true);
    learn(0);
    max_chains = 6;
    fuse_for_each_thread(limit_chains, NULL);
    for (int flow = 1; flow < 10; flow++) {
        dpif_flow_flush(dpif);
        learn(flow);
    }
    assert_int_equal(count_of(FUSE_C_REASONS + FUSE_REASON_CHAINS), 0);
    assert_int_equal(count_of(FUSE_C_LEARNED), 10);
}

/* A flow that finds no room is not tried again with each packet. */
static void
test_too_many_chains(void **state OVS_UNUSED)
{
    set_way(0, true);
    put_packet(1, 0, PLAIN);
    run();
    max_chains = 0;
    fuse_for_each_thread(limit_chains, NULL);
    for (int i = 0; i < 20; i++) {
        put_packet(0, i, PLAIN);
        run();
    }
    assert_int_equal(count_of(FUSE_C_REASONS + FUSE_REASON_CHAINS), 1);
    assert_int_equal(count_of(FUSE_C_MISSES), 21);
}

/* Returns how often 'text' is in 's'. */
static uint32_t
count_text(const char *s, const char *text)
{
    uint32_t n = 0;

    while ((s = strstr(s, text))) {
        s += strlen(text);
        n++;
    }
    return n;
}

static uint32_t n_entries, n_chains;

static bool
count_all(struct fuse_thread *t, void *aux OVS_UNUSED)
{
    n_entries = t->replay.table->n_entries;
    n_chains = t->chains->n;
    return true;
}

/* There is room for as many chains as entries. */
static void
test_many_chains(void **state OVS_UNUSED)
{
    const int n = 66000;
    struct ds text = DS_EMPTY_INITIALIZER;

    set_entries("131072");
    set_way(0, true);
    many_megaflows = true;
    for (int flow = 0; flow < n; flow++) {
        learn(flow);
    }
    assert_int_equal(count_of(FUSE_C_REASONS + FUSE_REASON_CHAINS), 0);
    /* Some find no place at once. */
    assert_in_range(count_of(FUSE_C_LEARNED), n - 100, n);
    /* On a slow machine the first ones are idle for long enough to go. */
    fuse_for_each_thread(count_all, NULL);
    fuse_dump(&text);
    assert_int_equal(count_text(ds_cstr(&text), "entries:1, replace "),
                     n_entries);
    ds_destroy(&text);
}

/* Receives a packet of each of 'n' flows.  Returns how many flows were
 * learned. */
static uint32_t
run_flows(int n)
{
    uint64_t before = count_of(FUSE_C_LEARNED);

    for (int i = 0; i < n; i += NETDEV_MAX_BURST) {
        for (int j = 0; j < NETDEV_MAX_BURST; j++) {
            put_packet(i + j, 0, PLAIN);
        }
        run();
        n_sent = 0;
    }
    return count_of(FUSE_C_LEARNED) - before;
}

/* Of many flows that come at once, one packet in 8 is learned, besides 64 at
 * first. */
static void
test_learn_in_steps(void **state OVS_UNUSED)
{
    const uint32_t n = 800;
    uint32_t sum = 0, rounds = 0;

    set_way(0, true);
    assert_int_equal(run_flows(n), 0);
    assert_in_range(run_flows(n), n / 8, 64 + n / 8);
    assert_in_range(run_flows(n), n / 8 - 1, n / 8 + 1);
    while (sum < 500 && rounds++ < 8) {
        sum += run_flows(n);
    }
    assert_in_range(sum, 500, n);
}

/* A flood of flows that come once is left alone soon.  Many flows that come
 * round in turn are learned. */
static void
test_flood(void **state OVS_UNUSED)
{
    uint32_t n_learned = 0, rounds = 0;

    set_entries("131072");
    set_way(0, true);
    run_flows(65536);
    assert_true(count_of(FUSE_C_FUTILE) > 55000);
    while (n_learned < 19000 && rounds++ < 40) {
        n_learned += run_flows(20000);
    }
    assert_in_range(n_learned, 19000, 21000);
}

/* Rule 14. */

#define N_PATHS 400
static uint32_t n_slices, n_left;

static bool
flush_slice(struct fuse_thread *t, void *aux OVS_UNUSED)
{
    uint32_t n = t->replay.table->n_entries;
    bool done = fuse_thread_flush(t);

    assert_true(n - t->replay.table->n_entries <= 64);
    n_slices++;
    n_left = t->replay.table->n_entries;
    return done;
}

/* Leaves statistics to be credited in all chains. */
static bool
make_dirty(struct fuse_thread *t, void *aux OVS_UNUSED)
{
    for (uint32_t i = 0; i < t->chains->n_touched; i++) {
        struct fuse_dp_chain *chain = fuse_pool_at(t->chains, i);

        if (chain && !chain->up.dirty) {
            chain->up.packets++;
            fuse_chain_make_dirty(&t->replay, &chain->up);
        }
    }
    return true;
}

static bool
count_dirty(struct fuse_thread *t, void *aux OVS_UNUSED)
{
    n_left = t->replay.n_dirty;
    return true;
}

static bool
dump_slice(struct fuse_thread *t, void *dump_)
{
    struct fuse_dump *dump = dump_;
    uint32_t n = dump->n;
    bool done = fuse_dump_copy(t, dump);

    assert_true(dump->n - n <= 16);
    n_slices++;
    return done;
}

static void
dump_slices(struct fuse_thread *t, void *dump)
{
    assert_true(fuse_ask_thread(t, dump_slice, dump));
}

/* Long work is done in slices. */
static void
test_slices(void **state OVS_UNUSED)
{
    static struct fuse_dump dump;

    set_way(0, true);
    many_megaflows = true;
    for (int i = 0; i < N_PATHS; i++) {
        learn(i);
    }
    fuse_for_each_thread(count_all, NULL);
    fuse_for_each_thread(make_dirty, NULL);
    n_slices = 0;
    do {
        uint32_t n;

        fuse_for_each_thread(count_dirty, NULL);
        n = n_left;
        run();
        fuse_for_each_thread(count_dirty, NULL);
        assert_in_range(n - n_left, 1, 128);
        n_slices++;
    } while (n_left);
    assert_true(n_slices > n_chains / 128);
    n_slices = 0;
    fuse_visit_threads(dump_slices, &dump);
    assert_int_equal(dump.n, n_chains);
    assert_in_range(n_chains, N_PATHS - 10, N_PATHS);
    assert_true(dump.end && n_slices > n_chains / 16);
    n_slices = 0;
    fuse_for_each_thread(flush_slice, NULL);
    assert_int_equal(n_left, 0);
    assert_true(n_slices > n_chains / 64);
}

/* The cache measures what it gains. */

static struct fuse_thread *measured;
static uint32_t cost_of_cache, cost_of_ordinary; /* Of a packet. */

static bool
start_measuring(struct fuse_thread *t, void *aux OVS_UNUSED)
{
    t->measures = true;
    measured = t;
    return true;
}

/* A clock that goes on with each packet. */
static uint64_t
count_cycles(struct dp_netdev_pmd_thread *pmd OVS_UNUSED)
{
    return (measured->counters[FUSE_C_HITS] * cost_of_cache
            + measured->counters[FUSE_C_ASIDE] * cost_of_ordinary);
}

/* Receives 'n' batches of flow 0, all of which must leave in their order.
 * Returns how many packets hit. */
static uint64_t
run_batches(int n)
{
    uint64_t hits = count_of(FUSE_C_HITS);

    while (n-- > 0) {
        n_sent = 0;
        for (int i = 0; i < NETDEV_MAX_BURST; i++) {
            put_packet(0, i, PLAIN);
        }
        run();
        assert_int_equal(n_sent, NETDEV_MAX_BURST);
        for (int i = 0; i < NETDEV_MAX_BURST; i++) {
            assert_int_equal(sent[i].id, i);
        }
    }
    return count_of(FUSE_C_HITS) - hits;
}

/* A port whose packets cost less without the cache steps aside, until they
 * cost more. */
static void
test_step_aside(void **state OVS_UNUSED)
{
    fuse_cycles_func *clock = fuse_cycles;
    struct ds text = DS_EMPTY_INITIALIZER;

    set_way(0, true);
    learn(0);
    fuse_for_each_thread(start_measuring, NULL);
    fuse_cycles = count_cycles;
    cost_of_cache = 120;
    cost_of_ordinary = 100;
    assert_true(run_batches(3000) > 1500 * NETDEV_MAX_BURST);
    assert_int_equal(run_batches(100), 0);
    assert_true(count_of(FUSE_C_ASIDE) > 1000 * NETDEV_MAX_BURST);
    fuse_show(&text);
    assert_non_null(strstr(ds_cstr(&text), ": 120.0 cycles a packet with "
                           "the cache, 100.0 without: steps aside\n"));
    ds_clear(&text);
    cost_of_ordinary = 900;
    assert_true(run_batches(20000) > 2000 * NETDEV_MAX_BURST);
    assert_true(run_batches(4000) > 3500 * NETDEV_MAX_BURST);
    fuse_show(&text);
    assert_null(strstr(ds_cstr(&text), "aside"));
    ds_destroy(&text);
    fuse_cycles = clock;
}

int
main(int argc OVS_UNUSED, char *argv[])
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_execute_while_learning, setup),
        cmocka_unit_test_setup(test_turn_off_while_learning, setup),
        cmocka_unit_test_setup(test_priority, setup),
        cmocka_unit_test_setup(test_learn_once, setup),
        cmocka_unit_test_setup(test_dead_chains, setup),
        cmocka_unit_test_setup(test_many_chains, setup),
        cmocka_unit_test_setup(test_learn_in_steps, setup),
        cmocka_unit_test_setup(test_flood, setup),
        cmocka_unit_test_setup(test_slices, setup),
        cmocka_unit_test_setup(test_too_many_chains, setup),
        cmocka_unit_test_setup(test_step_aside, setup),
        cmocka_unit_test_setup(test_order_between_hits, setup),
        cmocka_unit_test_setup(test_order_of_random_batches, setup),
    };

    set_program_name(argv[0]);
    return cmocka_run_group_tests(tests, datapath_start, datapath_stop);
}
