/* SPDX-License-Identifier: Apache-2.0 */

/* PMD threads with the fused flow cache, while other threads change everything
 * that it depends on: see Documentation/internals/equivalence.md. */

#include <config.h>

#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "compat/compat-unixctl.h"
#include "coverage.h"
#include "datapath-dpdk/compat/compat-execute.h"
#include "datapath-dpdk/fuse/fuse-hooks.h"
#include "datapath-dpdk/fuse/fuse-thread.h"
#include "datapath-dpdk/fuse/fuse.h"
#include "dpif.h"
#include "dummy.h"
#include "jsonrpc.h"
#include "lib/lb/lb-registry.h"
#include "lib/lb/lb-sticky.h"
#include "netdev.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "ovs-numa.h"
#include "ovs-thread.h"
#include "smap.h"
#include "tests/equivalence/eq-random.h"
#include "tests/equivalence/th.h"
#include "timeval.h"
#include "unixctl.h"
#include "util.h"

/* The least parts, in percent: of packets that must hit the cache, and of
 * pairs whose order must be known.  Otherwise a run proves nothing. */
#define MIN_HITS 5
#define MIN_IN_ORDER 5

#define MAX_MESSAGES 10

/* How long to wait for events that come within a second or two, in ms. */
#define PATIENCE 10000

atomic_bool th_receiving;
atomic_uint th_failures;
uint32_t th_n_threads = 3;
struct dpif *th_dpif;

static double seconds = 10;
static uint64_t seed = 1;
static bool use_cache = true;

static struct unixctl_server *server;
static uint64_t n_hits, n_learned;
static uint64_t n_settings, n_commands;
static atomic_bool commander_done;

void
th_fail(const char *format, ...)
{
    if (atomic_fetch_add(&th_failures, 1) < MAX_MESSAGES) {
        char *message;
        va_list args;

        va_start(args, format);
        message = xvasprintf(format, args);
        va_end(args);
        printf("failure: %s\n", message);
        fflush(stdout);
        free(message);
    }
}

/* Options. */

static void OVS_NO_RETURN
usage(void)
{
    printf("%s: PMD threads with the fused flow cache, under changes\n"
           "usage: %s [OPTIONS]\n"
           "  --seconds=N       how long, by default 10\n"
           "  --threads=N       how many PMD threads, 2 to %d, by default 3\n"
           "  --seed=N          of packets and changes, by default 1\n"
           "  --no-cache        without the cache: tests the checks\n",
           program_name, program_name, TH_MAX_THREADS);
    exit(0);
}

static void
parse_options(int argc, char *argv[])
{
    static const struct option longs[] = {
        { "seconds", required_argument, NULL, 't' },
        { "threads", required_argument, NULL, 'n' },
        { "seed", required_argument, NULL, 's' },
        { "no-cache", no_argument, NULL, 'c' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    int c;

    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        switch (c) {
        case 't': seconds = strtod(optarg, NULL); break;
        case 'n': th_n_threads = strtoul(optarg, NULL, 0); break;
        case 's': seed = strtoull(optarg, NULL, 0); break;
        case 'c': use_cache = false; break;
        case 'h': usage();
        default: exit(2);
        }
    }
    if (optind < argc || th_n_threads < 2 || th_n_threads > TH_MAX_THREADS) {
        ovs_fatal(0, "use --help for help");
    }
}

/* The datapath. */

static void
set_fuse(bool on, uint32_t entries)
{
    struct smap config = SMAP_INITIALIZER(&config);

    smap_add(&config, "fuse", on ? "on" : "off");
    smap_add_format(&config, "fuse-entries", "%"PRIu32, entries);
    fuse_set_config(&config);
    smap_destroy(&config);
}

static void
add_port(uint32_t i)
{
    char name[] = { 'p', '0' + i, 0 };
    struct smap config = SMAP_INITIALIZER(&config);
    odp_port_t port = u32_to_odp(TH_PORT(i));
    struct netdev *netdev;

    if (netdev_open(name, TH_DEVICE_TYPE, &netdev)
        || dpif_port_add(th_dpif, netdev, &port)) {
        ovs_fatal(0, "cannot add port %s", name);
    }
    netdev_close(netdev);
    smap_add_format(&config, "pmd-rxq-affinity", "0:%"PRIu32, i);
    dpif_port_set_config(th_dpif, port, &config);
    smap_destroy(&config);
}

static void
start(void)
{
    struct smap config = SMAP_INITIALIZER(&config);
    struct lb_sticky *sticky;
    char *name, *path;

    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
    dummy_enable("");
    coverage_init();
    compat_odp_execute_init();
    ovs_numa_set_dummy("0,0,0,0");
    ovs_numa_init();
    if (lb_sticky_create(65536, 0, false, &sticky)) {
        ovs_fatal(0, "no memory");
    }
    lb_registry_set_sticky(sticky);
    name = xasprintf("fuse-threads.%ld.ctl", (long) getpid());
    path = abs_file_name(NULL, name);
    if (unixctl_server_create(path, &server)) {
        ovs_fatal(0, "no control socket");
    }
    free(path);
    free(name);

    th_device_register();
    if (dpif_create_and_open("threads", "dummy", &th_dpif)) {
        ovs_fatal(0, "no datapath");
    }
    smap_add_format(&config, "pmd-cpu-mask", "%x", (1 << th_n_threads) - 1);
    dpif_set_config(th_dpif, &config);
    smap_destroy(&config);
    th_pipeline_init();
    for (uint32_t i = 0; i < th_n_threads; i++) {
        add_port(i);
    }
    th_change_init();
    th_traffic_init(seed);
    dpif_run(th_dpif);
}

/* Commands, from a client like ovs-appctl. */

/* Returns the reply to 'command', which the caller frees, or null. */
static char *
transact(struct jsonrpc *client, const char *command, const char *arg)
{
    char *argv[] = { CONST_CAST(char *, arg) };
    char *result, *error;

    if (compat_client_transact(client, command, arg != NULL, argv, &result,
                               &error)) {
        ovs_fatal(0, "no reply to %s", command);
    }
    if (error) {
        th_fail("%s: %s", command, error);
        free(error);
    }
    return result;
}

/* Returns how many packets the counters say were dropped. */
static uint64_t
count_drops(struct jsonrpc *client)
{
    static const char *const names[] = {
        "drop_action_of_pipeline", "lb_drop_no_bucket", "lb_drop_no_group",
        "datapath_drop_upcall_error", "datapath_drop_lock_error",
        "datapath_drop_recirc_error", "datapath_drop_invalid_port",
        "datapath_drop_rx_invalid_packet",
    };
    uint64_t sum = 0;

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        char *reply = transact(client, "coverage/read-counter", names[i]);

        sum += reply ? strtoull(reply, NULL, 10) : 0;
        free(reply);
    }
    return sum;
}

/* A thread adds its counts to the common ones once a second. */
static void
check_drops(struct jsonrpc *client)
{
    uint64_t dropped = atomic_load(&th_totals.dropped), counted;
    long long int end = time_msec() + PATIENCE;

    do {
        xnanosleep(100 * 1000 * 1000);
        counted = count_drops(client);
    } while (counted < dropped && time_msec() < end);
    if (counted != dropped) {
        th_fail("%"PRIu64" packets were dropped, but %"PRIu64" counted",
                dropped, counted);
    }
}

static bool
all_idle(void)
{
    for (uint32_t i = 0; i < th_n_threads; i++) {
        if (!th_is_idle(i)) {
            return false;
        }
    }
    return true;
}

static void *
commander_main(void *aux OVS_UNUSED)
{
    static const char *const commands[] = {
        "fuse/show", "fuse/dump", "fuse/why-not", "fuse/flush",
        "fuse/show-config",
    };
    uint64_t rng = seed + 3;
    struct jsonrpc *client;

    if (unixctl_client_create(unixctl_server_get_path(server), &client)) {
        ovs_fatal(0, "cannot connect");
    }
    while (atomic_load(&th_receiving)) {
        free(transact(client, commands[eq_random(&rng, ARRAY_SIZE(commands))],
                      NULL));
        n_commands++;
        xnanosleep(eq_random(&rng, 10 * 1000 * 1000));
    }
    while (!all_idle()) {
        xnanosleep(1000 * 1000);
    }
    check_drops(client);
    jsonrpc_close(client);
    atomic_store(&commander_done, true);
    return NULL;
}

/* The main thread. */

static bool
take_counters(struct fuse_thread *t, void *aux OVS_UNUSED)
{
    n_hits += t->counters[FUSE_C_HITS];
    n_learned += t->counters[FUSE_C_LEARNED];
    t->counters[FUSE_C_HITS] = 0;
    t->counters[FUSE_C_LEARNED] = 0;
    return true;
}

/* Turns the cache on or off, or changes its size.  Returns when to call this
 * again, in ms. */
static long long int
change_settings(uint64_t *rng)
{
    static const uint32_t sizes[] = { 16, 64, 1024, 4096 };
    bool on = use_cache && !eq_rarely(rng, 4);

    fuse_for_each_thread(take_counters, NULL);
    set_fuse(on, sizes[eq_random(rng, ARRAY_SIZE(sizes))]);
    n_settings++;
    return time_msec() + (on ? 50 + eq_random(rng, 400) : eq_random(rng, 50));
}

static void
run(void)
{
    long long int end = time_msec() + seconds * 1000;
    long long int next = 0;
    uint64_t rng = seed;
    pthread_t commander;

    atomic_store(&th_receiving, true);
    th_change_start(seed);
    commander = ovs_thread_create("commander", commander_main, NULL);
    while (!atomic_load(&commander_done)) {
        if (time_msec() >= end || atomic_load(&th_failures)) {
            atomic_store(&th_receiving, false);
        } else if (time_msec() >= next) {
            next = change_settings(&rng);
        }
        dpif_run(th_dpif);
        unixctl_server_run(server);
        coverage_run();
        unixctl_server_wait(server);
        poll_timer_wait(5);
        poll_block();
    }
    xpthread_join(commander, NULL);
    th_change_join();
    fuse_for_each_thread(take_counters, NULL);
}

static void
stop(void)
{
    unixctl_server_destroy(server);
    for (uint32_t i = 0; i < th_n_threads; i++) {
        dpif_port_del(th_dpif, u32_to_odp(TH_PORT(i)), false);
    }
    /* PMD threads cannot end while upcalls are disabled. */
    dpif_disable_upcall(th_dpif);
    dpif_delete(th_dpif);
    dpif_close(th_dpif);
}

int
main(int argc, char *argv[])
{
    uint64_t received, in_order;

    set_program_name(argv[0]);
    parse_options(argc, argv);
    start();
    run();
    stop();

    received = MAX(atomic_load(&th_totals.received), 1);
    in_order = atomic_load(&th_totals.in_order);
    printf("%"PRIu32" PMD threads, seed %"PRIu64": %"PRIu64" packets, "
           "%"PRIu64" %% hit, %llu dropped, %llu upcalls, %"PRIu64" pairs in "
           "order; %"PRIu64" learned, %"PRIu64" settings, %"PRIu64" commands,"
           "\n", th_n_threads, seed, received, 100 * n_hits / received,
           atomic_load(&th_totals.dropped), atomic_load(&th_totals.upcalls),
           in_order, n_learned, n_settings, n_commands);
    for (enum th_kind kind = 0; kind < TH_N_KINDS; kind++) {
        printf("%s %llu, %u versions%s", th_kind_names[kind],
               atomic_load(&th_totals.by_kind[kind]),
               atomic_load(&th_versions[kind].newest),
               kind < TH_N_KINDS - 1 ? "; " : "\n");
    }
    if (use_cache && seconds >= 5
        && (100 * n_hits < MIN_HITS * received
            || 100 * in_order < MIN_IN_ORDER * received)) {
        printf("too few hits, or too few pairs in order: this proves "
               "nothing\n");
        return 1;
    }
    return atomic_load(&th_failures) != 0;
}
