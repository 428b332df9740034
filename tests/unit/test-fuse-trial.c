/* SPDX-License-Identifier: Apache-2.0 */

/* At which packet the fused flow cache learns flows: see
 * lib/fuse/fuse-pace.h. */

#include <config.h>
#include "tests/unit/fuse-datapath.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "datapath-dpdk/fuse/fuse-cycles.h"
#include "datapath-dpdk/fuse/fuse-show.h"
#include "datapath-dpdk/fuse/fuse-thread.h"
#include "dpif.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

static uint32_t pace, n_entries;

static bool
look(struct fuse_thread *t, void *aux OVS_UNUSED)
{
    pace = fuse_port_of(t, odp_to_u32(input_port))->pace.learn_at;
    n_entries = t->replay.table->n_entries;
    return true;
}

static bool
start_measuring(struct fuse_thread *t, void *aux OVS_UNUSED)
{
    t->measures = true;
    return true;
}

/* Fills all places with trials of flows that have no packet for long. */
static bool
fill_trials(struct fuse_thread *t, void *aux OVS_UNUSED)
{
    for (int i = 0; i < FUSE_N_TRIALS; i++) {
        t->trials[i] = (struct fuse_trial) {
            .entry = fuse_table_entry(t->replay.table, t->max_entries - 1),
            .since = t->replay.now - FUSE_TRIAL_MS,
        };
    }
    return true;
}

/* Without costs, learning is worth three hits. */
static uint64_t
no_cycles(struct dp_netdev_pmd_thread *pmd OVS_UNUSED)
{
    return 0;
}

/* Receives 'n_packets' of each of 256 new flows, four at a time, in small
 * batches with packets of flow 0, which keep the cache of use to the port.
 * Then ends all flows.  Returns how many were learned. */
static uint32_t
run_new_flows(uint32_t n_packets)
{
    static uint32_t next_flow = 1000;
    uint64_t before = count_of(FUSE_C_LEARNED), learned;

    for (int i = 0; i < 256 / 4; i++) {
        for (uint32_t j = 0; j < n_packets; j++) {
            for (uint32_t k = 0; k < FUSE_GAIN_BATCH - 1; k++) {
                put_packet(k < 4 ? next_flow + k : 0, j, PLAIN);
            }
            run();
            n_sent = 0;
        }
        next_flow += 4;
    }
    learned = count_of(FUSE_C_LEARNED) - before;
    dpif_flow_flush(dpif);
    do {
        run();
        fuse_for_each_thread(look, NULL);
    } while (n_entries);
    return learned;
}

/* Flows that end soon are learned later, until flows are longer. */
static void
test_short_flows(void **state OVS_UNUSED)
{
    fuse_cycles_func *clock = fuse_cycles;
    struct ds text = DS_EMPTY_INITIALIZER;
    uint32_t rounds = 0;

    /* So many that few flows share a place for their marks. */
    set_entries("131072");
    set_way(0, true);
    assert_in_range(run_new_flows(3), 250, 260);
    assert_int_equal(pace, 2);
    fuse_for_each_thread(start_measuring, NULL);
    fuse_for_each_thread(fill_trials, NULL);
    fuse_cycles = no_cycles;
    do {
        assert_in_range(run_new_flows(3), 250, 260);
    } while (pace == 2 && rounds++ < 20);
    assert_int_equal(pace, 4);
    fuse_show(&text);
    assert_non_null(strstr(ds_cstr(&text), ": learns flows at packet 4, "
                           "since "));
    ds_clear(&text);
    /* Only those that are tried. */
    assert_in_range(run_new_flows(3), 1, 30);
    assert_in_range(run_new_flows(5), 230, 260);
    for (rounds = 0; pace != 2 && rounds < 60; rounds++) {
        run_new_flows(20);
    }
    assert_int_equal(pace, 2);
    assert_in_range(run_new_flows(3), 250, 260);
    flush();
    fuse_show(&text);
    assert_null(strstr(ds_cstr(&text), "learns"));
    ds_destroy(&text);
    fuse_cycles = clock;
}

int
main(int argc OVS_UNUSED, char *argv[])
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_short_flows, setup),
    };

    set_program_name(argv[0]);
    return cmocka_run_group_tests(tests, datapath_start, datapath_stop);
}
