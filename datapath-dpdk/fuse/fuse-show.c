/* SPDX-License-Identifier: Apache-2.0 */

/* Commands of the fused flow cache
 * ================================
 *
 * fuse/show      what each thread's cache holds, and its hit share
 * fuse/why-not   why packets took the ordinary path, or were not stored
 * fuse/dump      chains: flows met, port, packets, entries
 * fuse/flush     empties the caches
 *
 * Main thread; the thread whose cache it is does the work, in slices if there
 * is much: see fuse-run.c and fuse-dump.h. */

#include <config.h>
#include "datapath-dpdk/fuse/fuse-show.h"

#include <stdlib.h>
#include <string.h>

#include "compat/compat-unixctl.h"
#include "datapath-dpdk/compat/compat-dpif.h"
#include "datapath-dpdk/fuse/fuse-dump.h"
#include "datapath-dpdk/fuse/fuse-flush.h"
#include "datapath-dpdk/fuse/fuse-memory.h"
#include "datapath-dpdk/fuse/fuse-thread.h"
#include "datapath-dpdk/fuse/fuse.h"
#include "dpdk.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

static const char *implementation_name;

static uint64_t
counter(const struct fuse_thread *t, int c)
{
    return atomic_load_explicit(&t->counters[c], memory_order_relaxed);
}

/* Appends the histogram of the thread's periodic work, from 1 us on. */
static void
put_times(const struct fuse_thread *t, struct ds *reply)
{
    ds_put_cstr(reply, "  work at a time, in us:");
    for (int i = 1; i < FUSE_N_TIMES; i++) {
        ds_put_format(reply, " %d+: %"PRIu64"%s", 1 << (i - 1),
                      atomic_load_explicit(&t->times[i],
                                           memory_order_relaxed),
                      i < FUSE_N_TIMES - 1 ? "," : "\n");
    }
}

/* Appends what was measured of 'port'. */
static void
put_port(const struct fuse_port *port, struct ds *reply)
{
    const struct fuse_gain *g = &port->gain;
    const struct fuse_pace *p = &port->pace;

    if (fuse_gain_is_known(g)) {
        ds_put_format(reply, "  port %"PRIu32": %.1f cycles a packet with the "
                      "cache, %.1f without%s\n", port->number,
                      g->cache / 16.0, g->ordinary / 16.0,
                      fuse_gain_is_aside(g) ? ": steps aside" : "");
    }
    if (p->n_decided) {
        ds_put_format(reply, "  port %"PRIu32": learns flows at packet "
                      "%"PRIu32", since %"PRIu32" of %"PRIu32" tried had "
                      "fewer than the %"PRIu32" hits that pay for it\n",
                      port->number, p->learn_at, p->n_unpaid, p->n_decided,
                      p->enough);
    }
}

static void
put_ports(const struct fuse_port *ports, struct ds *reply)
{
    for (int i = 0; i < FUSE_N_PORTS; i++) {
        put_port(&ports[i], reply);
    }
}

/* Appends what was measured of 'port', as an object of JSON. */
static void
put_port_json(const struct fuse_port *port, struct ds *reply)
{
    const struct fuse_gain *g = &port->gain;
    const struct fuse_pace *p = &port->pace;

    ds_put_format(reply, "{\"port\":%"PRIu32, port->number);
    if (fuse_gain_is_known(g)) {
        ds_put_format(reply, ",\"with\":%.1f,\"without\":%.1f,\"aside\":%s",
                      g->cache / 16.0, g->ordinary / 16.0,
                      fuse_gain_is_aside(g) ? "true" : "false");
    }
    if (p->n_decided) {
        ds_put_format(reply, ",\"learns_at\":%"PRIu32",\"tried\":%"PRIu32
                      ",\"unpaid\":%"PRIu32",\"hits_that_pay\":%"PRIu32,
                      p->learn_at, p->n_decided, p->n_unpaid, p->enough);
    }
    ds_put_char(reply, '}');
}

/* Appends an array of them as a member. */
static void
put_ports_json(const struct fuse_port *ports, struct ds *reply)
{
    const char *comma = "";

    ds_put_cstr(reply, ",\"ports\":[");
    for (int i = 0; i < FUSE_N_PORTS; i++) {
        if (fuse_gain_is_known(&ports[i].gain) || ports[i].pace.n_decided) {
            ds_put_cstr(reply, comma);
            put_port_json(&ports[i], reply);
            comma = ",";
        }
    }
    ds_put_char(reply, ']');
}

/* Returns the number of packets that the cache never takes. */
static uint64_t
count_skips(const struct fuse_thread *t)
{
    uint64_t skips = 0;

    for (int i = 0; i < FUSE_N_SKIPS + 1; i++) {
        skips += counter(t, FUSE_C_SKIPS + i);
    }
    return skips;
}

/* Returns how much memory 't', which has a table, has taken, in octets. */
static size_t
get_memory(const struct fuse_thread *t)
{
    return fuse_table_memory(t->replay.table) + fuse_pool_memory(t->chains);
}

static bool
show(struct fuse_thread *t, void *reply_)
{
    const struct fuse_table *table = t->replay.table;
    uint64_t hits = counter(t, FUSE_C_HITS), skips = count_skips(t), all;
    struct ds *reply = reply_;

    all = hits + skips + counter(t, FUSE_C_MISSES)
          + counter(t, FUSE_C_DECLINED) + counter(t, FUSE_C_STALE);
    fuse_thread_put_name(t, reply);
    if (!table) {
        ds_put_cstr(reply, "  no memory yet: all packets take the ordinary "
                    "path\n");
        fuse_memory_show(t->memory, reply);
        return true;
    }
    ds_put_format(reply, "  entries: %"PRIu32" of %"PRIu32", chains: %"PRIu32
                  ", programs: %"PRIu32"\n",
                  table->n_entries, table->max_entries, t->chains->n,
                  t->n_programs);
    ds_put_format(reply, "  instructions: %s\n", implementation_name);
    ds_put_format(reply, "  memory: %"PRIuSIZE" kB\n",
                  get_memory(t) / 1024);
    fuse_memory_show(t->memory, reply);
    ds_put_format(reply, "  packets: %"PRIu64", hits: %"PRIu64" (%.1f%%)\n",
                  all, hits, all ? 100.0 * hits / all : 0.0);
    ds_put_format(reply, "  misses: %"PRIu64", stale: %"PRIu64", declined: "
                  "%"PRIu64", not eligible: %"PRIu64"\n",
                  counter(t, FUSE_C_MISSES), counter(t, FUSE_C_STALE),
                  counter(t, FUSE_C_DECLINED), skips);
    ds_put_format(reply, "  learned: %"PRIu64"\n",
                  counter(t, FUSE_C_LEARNED));
    put_times(t, reply);
    return true;
}

static bool
copy_ports(struct fuse_thread *t, void *ports)
{
    memcpy(ports, t->ports, sizeof t->ports);
    return true;
}

static void
show_thread(struct fuse_thread *t, void *reply)
{
    struct fuse_port *ports = xmalloc(sizeof t->ports);

    if (fuse_ask_thread(t, show, reply)
        && fuse_ask_thread(t, copy_ports, ports)) {
        put_ports(ports, reply);
    } else {
        fuse_put_silent(t, reply);
    }
    free(ports);
}

void
fuse_show(struct ds *reply)
{
    fuse_visit_threads(show_thread, reply);
}

/* Appends an object of JSON, for an array, after a comma. */
static bool
show_json(struct fuse_thread *t, void *reply_)
{
    const struct fuse_table *table = t->replay.table;
    struct ds *reply = reply_;

    ds_put_cstr(reply, ",{\"thread\":");
    if (t->pmd->core_id == NON_PMD_CORE_ID) {
        ds_put_cstr(reply, "\"main\"");
    } else {
        ds_put_format(reply, "%u", t->pmd->core_id);
    }
    ds_put_format(reply, ",\"entries\":%"PRIu32",\"max_entries\":%"PRIu32
                  ",\"chains\":%"PRIu32",\"programs\":%"PRIu32
                  ",\"instructions\":\"%s\",\"memory\":%"PRIuSIZE,
                  table ? table->n_entries : 0, t->max_entries,
                  table ? t->chains->n : 0, t->n_programs,
                  implementation_name, table ? get_memory(t) : 0);
    ds_put_format(reply, ",\"hits\":%"PRIu64",\"misses\":%"PRIu64
                  ",\"stale\":%"PRIu64",\"declined\":%"PRIu64
                  ",\"not_eligible\":%"PRIu64",\"learned\":%"PRIu64,
                  counter(t, FUSE_C_HITS), counter(t, FUSE_C_MISSES),
                  counter(t, FUSE_C_STALE), counter(t, FUSE_C_DECLINED),
                  count_skips(t), counter(t, FUSE_C_LEARNED));
    return true;
}

/* The same with the ports, or only the number of a thread that does not
 * answer. */
static void
show_thread_json(struct fuse_thread *t, void *reply_)
{
    struct fuse_port *ports = xmalloc(sizeof t->ports);
    struct ds *reply = reply_;

    if (fuse_ask_thread(t, copy_ports, ports)
        && fuse_ask_thread(t, show_json, reply)) {
        put_ports_json(ports, reply);
        ds_put_char(reply, '}');
    } else {
        ds_put_format(reply, ",{\"thread\":%u}", t->pmd->core_id);
    }
    free(ports);
}

static void
put_reason(struct ds *reply, const char *text, uint64_t n)
{
    if (n) {
        ds_put_format(reply, "    %s: %"PRIu64"\n", text, n);
    }
}

static bool
why_not(struct fuse_thread *t, void *reply_)
{
    struct ds *reply = reply_;

    fuse_thread_put_name(t, reply);
    ds_put_cstr(reply, "  packets by the ordinary path:\n");
    for (int i = 0; i < FUSE_N_SKIPS; i++) {
        put_reason(reply, fuse_skip_text(i), counter(t, FUSE_C_SKIPS + i));
    }
    put_reason(reply, "offload flags or several segments",
               counter(t, FUSE_C_SKIP_OFFLOAD));
    put_reason(reply, "simple match costs less",
               counter(t, FUSE_C_SIMPLE));
    put_reason(reply, "cache is of no use to this port",
               counter(t, FUSE_C_FUTILE));
    put_reason(reply, "ordinary path costs less", counter(t, FUSE_C_ASIDE));
    put_reason(reply, "no entry", counter(t, FUSE_C_MISSES));
    put_reason(reply, "entry no longer true", counter(t, FUSE_C_STALE));
    put_reason(reply, "wrong checksum, or end of a connection",
               counter(t, FUSE_C_DECLINED));
    ds_put_cstr(reply, "  flows not learned:\n");
    for (int i = 1; i < FUSE_N_REASONS; i++) {
        put_reason(reply, fuse_reason_text(i), counter(t, FUSE_C_REASONS + i));
    }
    for (int i = 1; i < FUSE_N_REFUSALS; i++) {
        put_reason(reply, fuse_refusal_text(i),
                   counter(t, FUSE_C_REFUSALS + i));
    }
    return true;
}

static bool
flush(struct fuse_thread *t, void *aux OVS_UNUSED)
{
    return fuse_thread_flush(t);
}

static void
command(struct unixctl_conn *conn, int argc OVS_UNUSED,
        const char *argv[] OVS_UNUSED, void *func)
{
    struct ds reply = DS_EMPTY_INITIALIZER;

    fuse_for_each_thread((fuse_request_func *) func, &reply);
    unixctl_command_reply(conn, ds_cstr(&reply));
    ds_destroy(&reply);
}

/* "fuse/show". */
static void
show_command(struct unixctl_conn *conn, int argc OVS_UNUSED,
             const char *argv[] OVS_UNUSED, void *aux OVS_UNUSED)
{
    struct ds reply = DS_EMPTY_INITIALIZER;
    char *text;

    if (!compat_wants_json(conn)) {
        fuse_show(&reply);
        unixctl_command_reply(conn, ds_cstr(&reply));
        ds_destroy(&reply);
        return;
    }
    fuse_visit_threads(show_thread_json, &reply);
    text = xasprintf("[%s]", reply.length ? ds_cstr(&reply) + 1 : "");
    compat_reply_json(conn, json_from_string(text));
    free(text);
    ds_destroy(&reply);
}

/* "fuse/dump". */
static void
dump_command(struct unixctl_conn *conn, int argc OVS_UNUSED,
             const char *argv[] OVS_UNUSED, void *aux OVS_UNUSED)
{
    struct ds reply = DS_EMPTY_INITIALIZER;

    fuse_dump(&reply);
    unixctl_command_reply(conn, ds_cstr(&reply));
    ds_destroy(&reply);
}

/* Registers the commands.  'implementation' is the name of what replays. */
void
fuse_show_init(const char *implementation)
{
    implementation_name = implementation;
    unixctl_command_register("fuse/show", "", 0, 0, show_command, NULL);
    unixctl_command_register("fuse/why-not", "", 0, 0, command, why_not);
    unixctl_command_register("fuse/dump", "", 0, 0, dump_command, NULL);
    unixctl_command_register("fuse/flush", "", 0, 0, command, flush);
}
