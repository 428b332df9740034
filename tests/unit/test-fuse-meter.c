/* SPDX-License-Identifier: Apache-2.0 */

/* Meters that drop some packets of a batch of hits: see
 * Documentation/internals/cache.md. */

#include <config.h>
#include "tests/unit/fuse-datapath.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "dpif.h"
#include "openvswitch/ofp-meter.h"
#include "util.h"

/* A meter lets BURST packets of a batch pass, once it has had time to fill. */
#define BURST 10
#define FILL_US 50000

enum { METER, OTHER_METER, WIDE_METER };

/* Makes the meter 'id' let 'burst' packets pass at a time. */
static void
set_meter(uint32_t id, uint32_t burst)
{
    struct ofputil_meter_band band = {
        .type = OFPMBT13_DROP, .rate = 1000, .burst_size = burst,
    };
    struct ofputil_meter_config config = {
        .flags = OFPMF13_PKTPS | OFPMF13_BURST | OFPMF13_STATS,
        .n_bands = 1, .bands = &band,
    };
    ofproto_meter_id meter = { id };

    assert_int_equal(dpif_meter_set(dpif, meter, &config), 0);
}

static void
check_meter(uint32_t id, uint64_t packets, uint64_t dropped)
{
    struct ofputil_meter_band_stats band = { 0, 0 };
    struct ofputil_meter_stats stats = { .bands = &band };
    ofproto_meter_id meter = { id };

    assert_int_equal(dpif_meter_get(dpif, meter, &stats, 1), 0);
    assert_int_equal(stats.packet_in_count, packets);
    assert_int_equal(band.packet_count, dropped);
}

/* Starts with meters that are full, and no packet counted. */
static void
fill_meters(void)
{
    set_meter(METER, BURST);
    set_meter(OTHER_METER, 3);
    set_meter(WIDE_METER, 20);
    usleep(FILL_US);
    n_sent = 0;
}

/* Learns 'flow', which goes through 'n' meters. */
static void
learn(unsigned int flow, const uint32_t *meters, uint32_t n)
{
    uint64_t before = count_of(FUSE_C_LEARNED);

    many_megaflows = true;
    set_way_meters(meters, n);
    for (int i = 0; i < 4; i++) {
        fill_meters();
        put_packet(flow, i, PLAIN);
        run();
    }
    assert_int_equal(count_of(FUSE_C_LEARNED), before + 1);
    fill_meters();
}

static void
test_batch(void **state OVS_UNUSED)
{
    const uint32_t meters[] = { METER };
    uint64_t hits;

    learn(0, meters, 1);
    hits = count_of(FUSE_C_HITS);
    for (int i = 0; i < 32; i++) {
        put_packet(0, i, PLAIN);
    }
    run();
    assert_int_equal(count_of(FUSE_C_HITS), hits + 32);
    assert_int_equal(n_sent, BURST);
    for (int i = 0; i < BURST; i++) {
        assert_int_equal(sent[i].id, i);
    }
    check_meter(METER, 32, 32 - BURST);
}

/* The second meter does not count packets that the first one drops. */
static void
test_two_meters(void **state OVS_UNUSED)
{
    const uint32_t meters[] = { WIDE_METER, METER };

    learn(0, meters, 2);
    for (int i = 0; i < 32; i++) {
        put_packet(0, i, PLAIN);
    }
    run();
    assert_int_equal(n_sent, BURST);
    check_meter(WIDE_METER, 32, 12);
    check_meter(METER, 20, 20 - BURST);
}

/* Flows of a batch have meters of their own, or none, and keep their order. */
static void
test_flows(void **state OVS_UNUSED)
{
    const uint32_t meters[] = { METER, OTHER_METER };
    uint16_t next[3] = { 0 };

    learn(0, &meters[0], 1);
    learn(1, &meters[1], 1);
    learn(2, NULL, 0);
    for (int i = 0; i < 30; i++) {
        put_packet(i % 3, i / 3, PLAIN);
    }
    run();
    assert_int_equal(n_sent, 10 + 3 + 10);
    for (uint32_t i = 0; i < n_sent; i++) {
        uint16_t flow = sent[i].id >> 12;

        assert_in_range(flow, 0, 2);
        assert_int_equal(sent[i].id & 0xfff, next[flow]++);
    }
    assert_int_equal(next[1], 3);
    check_meter(METER, 10, 0);
    check_meter(OTHER_METER, 10, 7);
}

/* Packets of the ordinary path come to the meter after the hits. */
static void
test_mixed(void **state OVS_UNUSED)
{
    const uint32_t meters[] = { METER };

    learn(0, meters, 1);
    for (int i = 0; i < 20; i++) {
        put_packet(0, i, i % 5 ? PLAIN : FRAGMENT);
    }
    run();
    assert_int_equal(n_sent, BURST);
    for (int i = 0; i < BURST; i++) {
        assert_int_not_equal(sent[i].id % 5, 0);
    }
    check_meter(METER, 20, 20 - BURST);
}

/* A meter that is gone drops nothing. */
static void
test_gone(void **state OVS_UNUSED)
{
    const uint32_t meters[] = { OTHER_METER };
    ofproto_meter_id meter = { OTHER_METER };

    learn(0, meters, 1);
    assert_int_equal(dpif_meter_del(dpif, meter, NULL, 0), 0);
    for (int i = 0; i < 8; i++) {
        put_packet(0, i, PLAIN);
    }
    run();
    assert_int_equal(n_sent, 8);
}

int
main(int argc OVS_UNUSED, char *argv[])
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_batch, setup),
        cmocka_unit_test_setup(test_two_meters, setup),
        cmocka_unit_test_setup(test_flows, setup),
        cmocka_unit_test_setup(test_mixed, setup),
        cmocka_unit_test_setup(test_gone, setup),
    };

    set_program_name(argv[0]);
    return cmocka_run_group_tests(tests, datapath_start, datapath_stop);
}
