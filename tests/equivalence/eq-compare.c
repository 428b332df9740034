/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "tests/equivalence/eq-side.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ct-dpif.h"
#include "dpif.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofp-meter.h"
#include "util.h"

/* Seconds by which timeouts of connections may differ: the cache refreshes a
 * connection once in 5 s, and the dump has whole seconds. */
#define TIMEOUT_SLACK 6

/* A line that a side says about itself. */
struct line {
    char *text;
    uint32_t timeout;
};

struct report {
    struct line *lines;
    size_t n, allocated;
};

static void
add_line(struct report *report, char *text, uint32_t timeout)
{
    if (report->n >= report->allocated) {
        report->lines = x2nrealloc(report->lines, &report->allocated,
                                   sizeof *report->lines);
    }
    report->lines[report->n++] = (struct line) { text, timeout };
}

static int
compare_lines(const void *a_, const void *b_)
{
    const struct line *a = a_, *b = b_;

    return strcmp(a->text, b->text);
}

static void
free_report(struct report *report)
{
    for (size_t i = 0; i < report->n; i++) {
        free(report->lines[i].text);
    }
    free(report->lines);
}

static const struct eq_megaflow *
find_megaflow(const struct eq_side *side, const ovs_u128 *ufid)
{
    for (uint32_t i = 0; i < side->n_megaflows; i++) {
        if (ovs_u128_equals(side->megaflows[i].ufid, *ufid)) {
            return &side->megaflows[i];
        }
    }
    OVS_NOT_REACHED();
}

/* What the megaflows of a group have counted.  Of those that overlap, a packet
 * may meet any. */
struct sum {
    uint64_t group;
    uint32_t n;                  /* That are there. */
    uint64_t packets, octets;
    uint16_t tcp_flags;
    long long int used;
};

struct sums {
    struct sum sums[EQ_MAX_MEGAFLOWS];
    uint32_t n;
};

/* Returns the sum of 'group', made if it is not there. */
static struct sum *
find_sum(struct sums *sums, uint64_t group)
{
    for (uint32_t i = 0; i < sums->n; i++) {
        if (sums->sums[i].group == group) {
            return &sums->sums[i];
        }
    }
    ovs_assert(sums->n < EQ_MAX_MEGAFLOWS);
    sums->sums[sums->n] = (struct sum) { .group = group };
    return &sums->sums[sums->n++];
}

static void
add_flow(const struct eq_side *side, const struct dpif_flow *flow,
         struct sums *sums)
{
    const struct eq_megaflow *m = find_megaflow(side, &flow->ufid);
    struct sum *sum = find_sum(sums, m->group);

    sum->n++;
    sum->packets += m->packets + flow->stats.n_packets;
    sum->octets += m->octets + flow->stats.n_bytes;
    sum->tcp_flags |= m->tcp_flags | flow->stats.tcp_flags;
    sum->used = MAX(sum->used, flow->stats.used);
}

static void
report_sums(const struct eq_side *side, struct sums *sums,
            struct report *report)
{
    for (uint32_t i = 0; i < side->n_deleted; i++) {
        const struct eq_deleted *d = &side->deleted[i];
        struct sum *sum = find_sum(sums, d->group);

        sum->packets += d->packets;
        sum->octets += d->octets;
        sum->tcp_flags |= d->tcp_flags;
        sum->used = MAX(sum->used, d->used);
    }
    for (uint32_t i = 0; i < sums->n; i++) {
        const struct sum *sum = &sums->sums[i];

        add_line(report, xasprintf(
                     "%"PRIu32" megaflows %016"PRIx64": packets %"PRIu64
                     ", octets %"PRIu64", TCP flags %x, used %lld ",
                     sum->n, sum->group, sum->packets, sum->octets,
                     sum->tcp_flags, sum->used), 0);
    }
}

static void
report_flows(const struct eq_side *side, struct report *report)
{
    struct dpif_flow_dump_thread *thread;
    struct dpif_flow_dump *dump;
    struct dpif_flow flows[32];
    struct sums sums;
    int n;

    sums.n = 0;

    dump = dpif_flow_dump_create(side->dpif, false, NULL);
    thread = dpif_flow_dump_thread_create(dump);
    while ((n = dpif_flow_dump_next(thread, flows, ARRAY_SIZE(flows))) > 0) {
        for (int i = 0; i < n; i++) {
            add_flow(side, &flows[i], &sums);
        }
    }
    dpif_flow_dump_thread_destroy(thread);
    dpif_flow_dump_destroy(dump);
    report_sums(side, &sums, report);
}

static void
report_conns(const struct eq_side *side, struct report *report)
{
    struct ct_dpif_dump_state *dump;
    struct ct_dpif_entry entry;
    int total;

    if (ct_dpif_dump_start(side->dpif, &dump, NULL, &total)) {
        OVS_NOT_REACHED();
    }
    while (!ct_dpif_dump_next(dump, &entry)) {
        if (entry.timeout) {
            struct ds s = DS_EMPTY_INITIALIZER;

            ct_dpif_format_entry(&entry, &s, false, false);
            add_line(report, ds_steal_cstr(&s), entry.timeout);
        }
        ct_dpif_entry_uninit(&entry);
    }
    ct_dpif_dump_done(dump);
}

/* One of the two names of a connection. */
struct key {
    struct ct_dpif_tuple tuple;
    uint16_t zone;
};

bool
eq_side_has_twins(const struct eq_side *side)
{
    struct ct_dpif_dump_state *dump;
    struct ct_dpif_entry entry;
    struct key keys[2 * 256];
    bool twins = false;
    uint32_t n = 0;
    int total;

    memset(keys, 0, sizeof keys);
    if (ct_dpif_dump_start(side->dpif, &dump, NULL, &total)) {
        OVS_NOT_REACHED();
    }
    while (!ct_dpif_dump_next(dump, &entry) && n + 2 < ARRAY_SIZE(keys)) {
        memcpy(&keys[n].tuple, &entry.tuple_orig, sizeof keys[n].tuple);
        memcpy(&keys[n + 1].tuple, &entry.tuple_reply, sizeof keys[n].tuple);
        keys[n].zone = keys[n + 1].zone = entry.zone;
        n += 2;
        ct_dpif_entry_uninit(&entry);
    }
    ct_dpif_dump_done(dump);
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t j = (i | 1) + 1; j < n; j++) {
            twins |= !memcmp(&keys[i], &keys[j], sizeof keys[i]);
        }
    }
    return twins;
}

static void
report_drops(const struct eq_side *side, struct report *report)
{
    for (int i = 0; i < EQ_N_DROPS; i++) {
        add_line(report, xasprintf("%s %"PRIu64, eq_drop_names[i],
                                   side->drops[i]), 0);
    }
}

static void
report_meters(const struct eq_side *side, struct report *report)
{
    for (uint32_t i = 0; i < EQ_N_METERS; i++) {
        struct ofputil_meter_band_stats band = { 0, 0 };
        struct ofputil_meter_stats stats = { .bands = &band };
        ofproto_meter_id id = { i };

        if (dpif_meter_get(side->dpif, id, &stats, 1)) {
            OVS_NOT_REACHED();
        }
        add_line(report, xasprintf(
                     "meter %"PRIu32": packets %"PRIu64", octets %"PRIu64
                     ", dropped %"PRIu64" and %"PRIu64, i,
                     stats.packet_in_count, stats.byte_in_count,
                     band.packet_count, band.byte_count), 0);
    }
}

static struct report
make_report(const struct eq_side *side)
{
    struct report report = { NULL, 0, 0 };

    report_flows(side, &report);
    report_conns(side, &report);
    report_drops(side, &report);
    report_meters(side, &report);
    qsort(report.lines, report.n, sizeof *report.lines, compare_lines);
    return report;
}

static const char *
text_of(const struct report *report, size_t i)
{
    return i < report->n ? report->lines[i].text : "nothing";
}

bool
eq_sides_agree(struct eq_side *a, struct eq_side *b, bool verbose)
{
    struct report x, y;
    size_t n;
    bool same = true;

    eq_settle(a, b);
    x = make_report(a);
    y = make_report(b);
    n = MAX(x.n, y.n);
    for (size_t i = 0; i < n && same; i++) {
        same = (!strcmp(text_of(&x, i), text_of(&y, i))
                && i < x.n && i < y.n
                && abs((int) x.lines[i].timeout - (int) y.lines[i].timeout)
                   <= TIMEOUT_SLACK);
        if (!same && verbose) {
            printf("without: %s (%u s)\nwith:    %s (%u s)\n",
                   text_of(&x, i), i < x.n ? x.lines[i].timeout : 0,
                   text_of(&y, i), i < y.n ? y.lines[i].timeout : 0);
        }
    }
    free_report(&x);
    free_report(&y);
    return same;
}
