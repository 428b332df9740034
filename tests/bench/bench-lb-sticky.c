/* SPDX-License-Identifier: Apache-2.0 */

/* Measures lb-sticky.c: cycles of the time stamp counter per packet, the best
 * of several runs, by number of flows in a table of twice as many entries.
 * Flows come in random order, in batches of 32 as in a PMD thread.
 *
 *     bench-lb-sticky [FLOWS]... */

#include <stdio.h>
#include <stdlib.h>
#include <x86intrin.h>

#include "lib/lb/lb-sticky.h"
#include "tests/unit/random-numbers.h"

#define BATCH 32
#define N_RUNS 7
#define TIMEOUT (60 * LB_STICKY_TICKS_PER_SEC)

enum operation { LOOKUP, LOOKUP_NO_PREFETCH, REFRESH, MISS, INSERT, FULL };

/* Performs 'op' on the 'n' 'hashes', a multiple of BATCH, in order.  Returns a
 * number that depends on all results. */
static uint32_t
run(struct lb_sticky *sticky, const uint64_t *hashes, size_t n,
    enum operation op, uint32_t now)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < n; i += BATCH) {
        for (size_t j = 0; j < BATCH && op != LOOKUP_NO_PREFETCH; j++) {
            lb_sticky_prefetch(sticky, hashes[i + j]);
        }
        for (size_t j = 0; j < BATCH && op != LOOKUP_NO_PREFETCH; j++) {
            lb_sticky_prefetch_other(sticky, hashes[i + j]);
        }
        for (size_t j = 0; j < BATCH; j++) {
            if (op == INSERT || op == FULL) {
                uint32_t token = 1;

                sum += lb_sticky_insert(sticky, hashes[i + j], &token, now,
                                        TIMEOUT);
            } else {
                sum += lb_sticky_lookup(sticky, hashes[i + j], now, TIMEOUT);
            }
        }
    }
    return sum;
}

/* Returns the cycles that run() takes per hash. */
static double
cycles(struct lb_sticky *sticky, const uint64_t *hashes, size_t n,
       enum operation op, uint32_t now)
{
    static volatile uint32_t sink;
    double best = 1e99;

    for (int i = 0; i < N_RUNS; i++) {
        if (op == INSERT) {
            lb_sticky_flush(sticky, NULL, NULL);
        } else if (op == REFRESH) {
            now += TIMEOUT / 2;
        }

        uint64_t start = __rdtsc();
        sink += run(sticky, hashes, n, op, now);
        double c = (double) (__rdtsc() - start) / n;
        best = c < best ? c : best;
    }
    return best;
}

static void
measure(size_t n)
{
    uint64_t *hashes = malloc(n * sizeof *hashes);
    uint64_t *others = malloc(n * sizeof *others);
    struct lb_sticky *sticky;

    n -= n % BATCH;
    if (!hashes || !others || lb_sticky_create(2 * n, -1, false, &sticky)
        || lb_sticky_take(sticky, 0, sticky->n_entries)) {
        fprintf(stderr, "out of memory\n");
        exit(1);
    }
    for (size_t i = 0; i < n; i++) {
        hashes[i] = random_u64();
        others[i] = random_u64();
    }

    double insert = cycles(sticky, hashes, n, INSERT, 0);
    for (size_t i = n - 1; i > 0; i--) {
        size_t j = random_u64() % (i + 1);
        uint64_t tmp = hashes[i];

        hashes[i] = hashes[j];
        hashes[j] = tmp;
    }
    double hit = cycles(sticky, hashes, n, LOOKUP, 0);
    double no_prefetch = cycles(sticky, hashes, n, LOOKUP_NO_PREFETCH, 0);
    double miss = cycles(sticky, others, n, MISS, 0);
    double refresh = cycles(sticky, hashes, n, REFRESH, 0);

    /* Fill the table to the last entry. */
    lb_sticky_flush(sticky, NULL, NULL);
    for (size_t i = 0; i < 16 * n; i++) {
        uint32_t token = 1;

        lb_sticky_insert(sticky, random_u64(), &token, 0, TIMEOUT);
    }
    double full = cycles(sticky, others, n, FULL, 0);

    printf("%8zu %7zu %5.1f %9.1f %8.1f %7.1f %7.1f %7.1f\n", n,
           sticky->n_bytes / 1024, hit, no_prefetch, refresh, miss, insert,
           full);
    lb_sticky_destroy(sticky);
    free(hashes);
    free(others);
}

int
main(int argc, char *argv[])
{
    printf("   flows     KiB   hit  no-pref.  refresh    miss  insert"
           "    full\n");
    if (argc < 2) {
        measure(10000);
        measure(100000);
        measure(1000000);
    }
    for (int i = 1; i < argc; i++) {
        measure(strtoul(argv[i], NULL, 0));
    }
    return 0;
}
