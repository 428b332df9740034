/* SPDX-License-Identifier: Apache-2.0 */

/* Sends generated traffic through generated pipelines in two datapaths of one
 * process, one with the fused flow cache: see
 * Documentation/internals/equivalence.md. */

#include <config.h>

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datapath-dpdk/compat/compat-execute.h"
#include "lib/fuse/fuse-replay.h"
#include "dummy.h"
#include "lib/lb/lb-registry.h"
#include "lib/lb/lb-sticky.h"
#include "openvswitch/vlog.h"
#include "ovs-rcu.h"
#include "tests/equivalence/eq-case.h"
#include "tests/equivalence/eq-run.h"
#include "tests/equivalence/eq-side.h"
#include "util.h"

/* The least part of all packets that must hit the cache, in percent: otherwise
 * a run proves nothing. */
#define MIN_HITS 25
#define MAX_VOID 2               /* Of cases, likewise. */

struct options {
    const char *replay;
    const char *ledger;
    const char *note;            /* For the ledger: the commit, say. */
    const char *corpus;
    uint64_t first, count;
    double seconds;              /* 0: no limit. */
    bool counters, verbose;
};

static void OVS_NO_RETURN
usage(void)
{
    printf("%s: compares the datapath with and without the fused flow cache\n"
           "usage: %s [OPTIONS]\n"
           "  --seed=N          the first seed, by default 1\n"
           "  --count=N         how many seeds, by default 1000\n"
           "  --seconds=N       stop after that long\n"
           "  --corpus=FILE     first run the seeds in FILE\n"
           "  --replay=NAME     avx512, avx2 or plain: not the best one\n"
           "  --ledger=FILE     append to FILE what was run\n"
           "  --note=TEXT       begin that line with TEXT\n"
           "  --counters        print what the cache counted\n"
           "  --verbose         print each case\n",
           program_name, program_name);
    exit(0);
}

static struct options
parse_options(int argc, char *argv[])
{
    static const struct option longs[] = {
        { "seed", required_argument, NULL, 's' },
        { "count", required_argument, NULL, 'n' },
        { "seconds", required_argument, NULL, 't' },
        { "corpus", required_argument, NULL, 'c' },
        { "replay", required_argument, NULL, 'r' },
        { "ledger", required_argument, NULL, 'l' },
        { "note", required_argument, NULL, 'N' },
        { "counters", no_argument, NULL, 'C' },
        { "verbose", no_argument, NULL, 'v' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    struct options o = { .first = 1, .count = 1000, .note = "-" };
    int c;

    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        switch (c) {
        case 's': o.first = strtoull(optarg, NULL, 0); break;
        case 'n': o.count = strtoull(optarg, NULL, 0); break;
        case 't': o.seconds = strtod(optarg, NULL); break;
        case 'c': o.corpus = optarg; break;
        case 'r': o.replay = optarg; break;
        case 'l': o.ledger = optarg; break;
        case 'N': o.note = optarg; break;
        case 'C': o.counters = true; break;
        case 'v': o.verbose = true; break;
        case 'h': usage();
        default: exit(2);
        }
    }
    if (optind < argc) {
        ovs_fatal(0, "'%s' is no option (use --help for help)", argv[optind]);
    }
    return o;
}

/* Returns the replay with 'name', or the best. */
static const struct fuse_replay_impl *
choose_replay(const char *name)
{
    for (size_t i = 0; i < fuse_n_replay_impls; i++) {
        const struct fuse_replay_impl *impl = &fuse_replay_impls[i];

        if (name ? !strcmp(impl->name, name) : impl->works()) {
            if (!impl->works()) {
                printf("this processor has no %s\n", name);
                exit(77);
            }
            return impl;
        }
    }
    ovs_fatal(0, "there is no replay '%s'", name);
}

static uint64_t current_seed;

static void
handle_abort(int signal OVS_UNUSED)
{
    /* Not safe in general, but the process ends. */
    fprintf(stderr, "seed %"PRIu64": aborted\n", current_seed);
}

static void
start(fuse_replay_func *replay)
{
    struct lb_sticky *sticky;

    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
    dummy_enable("");
    compat_odp_execute_init();
    if (lb_sticky_create(65536, 0, false, &sticky)) {
        ovs_fatal(0, "no memory");
    }
    lb_registry_set_sticky(sticky);
    eq_start(replay);
    signal(SIGABRT, handle_abort);
}

static bool
is_fault(const struct eq_case *c)
{
    return eq_judge(c, false) == EQ_FAULT;
}

/* Prints the case of 'seed', as small as it can be made. */
static void
report_fault(struct eq_case *c)
{
    printf("seed %"PRIu64": a difference\n", c->seed);
    eq_judge(c, true);
    if (!is_fault(c)) {
        printf("not again: it depends on what was run before\n");
        return;
    }
    while (eq_case_shrink(c, is_fault)) {
        continue;
    }
    printf("made smaller:\n");
    eq_case_print(c);
    eq_judge(c, true);
}

struct sum {
    uint64_t n[EQ_FAULT + 1];
};

static void
run_seed(uint64_t seed, bool verbose, struct sum *sum)
{
    static struct eq_case c;
    enum eq_verdict verdict;

    current_seed = seed;
    eq_case_generate(&c, seed);
    if (verbose) {
        eq_case_print(&c);
    }
    verdict = eq_judge(&c, verbose);
    sum->n[verdict]++;
    if (verdict == EQ_FAULT) {
        report_fault(&c);
    } else if (verdict == EQ_VOID && verbose) {
        printf("void\n");
    }
}

static void
run_corpus(const char *name, struct sum *sum)
{
    FILE *file = fopen(name, "r");
    char line[256];

    if (!file) {
        ovs_fatal(errno, "%s", name);
    }
    while (fgets(line, sizeof line, file) && !sum->n[EQ_FAULT]) {
        uint64_t seed;

        if (ovs_scan(line, "%"SCNu64, &seed)) {
            run_seed(seed, false, sum);
        }
    }
    fclose(file);
}

static void
write_ledger(const struct options *o, const char *replay, uint64_t next,
             const struct sum *sum)
{
    FILE *file = fopen(o->ledger, "a");

    if (!file) {
        ovs_fatal(errno, "%s", o->ledger);
    }
    fprintf(file, "%s replay %s seeds %"PRIu64" to %"PRIu64" same %"PRIu64
            " void %"PRIu64" differences %"PRIu64" packets %"PRIu64
            " hits %"PRIu64"\n", o->note, replay, o->first, next - 1,
            sum->n[EQ_SAME], sum->n[EQ_VOID], sum->n[EQ_FAULT],
            eq_totals.packets, eq_totals.hits);
    fclose(file);
}

int
main(int argc, char *argv[])
{
    struct options o;
    struct sum sum = { { 0 } };
    const struct fuse_replay_impl *replay;
    uint64_t seed, hits, n;
    double begin, seconds;

    set_program_name(argv[0]);
    o = parse_options(argc, argv);
    replay = choose_replay(o.replay);
    start(replay->func);
    begin = eq_clock_real();
    if (o.corpus) {
        run_corpus(o.corpus, &sum);
    }
    for (seed = o.first; seed < o.first + o.count && !sum.n[EQ_FAULT]
         && (!o.seconds || eq_clock_real() - begin < o.seconds); seed++) {
        run_seed(seed, o.verbose, &sum);
    }
    seconds = eq_clock_real() - begin;

    n = sum.n[EQ_SAME] + sum.n[EQ_VOID] + sum.n[EQ_FAULT];
    hits = 100 * eq_totals.hits / MAX(eq_totals.packets, 1);
    printf("replay %s, seeds %"PRIu64" to %"PRIu64": %"PRIu64" the same, "
           "%"PRIu64" void, %"PRIu64" different; %"PRIu64" packets, "
           "%"PRIu64" %% hit; %.0f pipelines/s\n",
           replay->name, o.first, seed - 1, sum.n[EQ_SAME], sum.n[EQ_VOID],
           sum.n[EQ_FAULT], eq_totals.packets, hits, n / seconds);
    if (o.counters) {
        eq_print_counters();
    }
    if (o.ledger) {
        write_ledger(&o, replay->name, seed, &sum);
    }
    printf("%s: %"PRIu64" passed, %"PRIu64" failed, %"PRIu64" skipped\n",
           program_name, sum.n[EQ_SAME], sum.n[EQ_FAULT], sum.n[EQ_VOID]);
    if (n >= 100 && (hits < MIN_HITS || 100 * sum.n[EQ_VOID] > MAX_VOID * n)) {
        printf("too few hits, or too many void: this proves nothing\n");
        return 1;
    }
    return sum.n[EQ_FAULT] != 0;
}
