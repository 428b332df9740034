/* SPDX-License-Identifier: Apache-2.0 */

/* Memory of a table of the fused flow cache: creation, growth, end. */

#include "lib/fuse/fuse-table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "lib/mem/reserve.h"

#define MIN_BUCKETS 16

/* Places for candidates, for each possible bucket: one for each entry.  Flows
 * of one place are learned one after the other. */
#define CANDIDATES 4

/* Memory is taken ahead of use for so many entries or buckets at a time, when
 * less than half as many are left. */
#define STEP 8192

/* Memory of a table: 'unit' octets for each element of a supply, or for each
 * candidate.  That of the candidates is taken at once. */
#define CANDIDATE_SUPPLY FUSE_N_SUPPLIES
struct region {
    void **p;
    size_t unit;
    int supply;
};

#define N_REGIONS 8

static struct region
get_region(struct fuse_table *table, size_t i)
{
    const struct region regions[N_REGIONS] = {
        { (void **) &table->buckets, sizeof *table->buckets,
          FUSE_SUPPLY_BUCKETS },
        { (void **) &table->candidates, sizeof *table->candidates,
          CANDIDATE_SUPPLY },
        { (void **) &table->small, FUSE_SMALL_ENTRY, FUSE_SUPPLY_SMALL },
        { (void **) &table->large, FUSE_LARGE_ENTRY, FUSE_SUPPLY_LARGE },
        { (void **) &table->colds[0], sizeof *table->colds[0],
          FUSE_SUPPLY_SMALL },
        { (void **) &table->colds[1], sizeof *table->colds[1],
          FUSE_SUPPLY_LARGE },
        { (void **) &table->tcps[0], sizeof *table->tcps[0],
          FUSE_SUPPLY_SMALL_TCP },
        { (void **) &table->tcps[1], sizeof *table->tcps[1],
          FUSE_SUPPLY_LARGE_TCP },
    };

    return regions[i];
}

/* Returns how many there may be in 'supply'. */
static size_t
get_max(const struct fuse_table *table, int supply)
{
    return (supply == CANDIDATE_SUPPLY ? table->candidate_mask + 1
            : supply == FUSE_SUPPLY_BUCKETS ? table->max_buckets
            : table->max_entries);
}

static size_t
get_size(const struct fuse_table *table, const struct region *region)
{
    return get_max(table, region->supply) * region->unit;
}

/* Returns how many of 'supply' were ever used. */
static uint32_t
get_used(const struct fuse_table *table, int supply)
{
    switch (supply) {
    case FUSE_SUPPLY_SMALL_TCP:
    case FUSE_SUPPLY_LARGE_TCP:
        return table->n_tracked[supply - FUSE_SUPPLY_SMALL_TCP];
    case FUSE_SUPPLY_BUCKETS:
        return table->n_buckets;
    default:
        return table->n_touched[supply];
    }
}

/* Returns how many of 'supply' the table is about to use. */
static uint32_t
get_needed(const struct fuse_table *table, int supply)
{
    if (!get_used(table, supply) && !table->is_short[supply]) {
        return 0;
    }
    /* Any entry may be the next one to follow TCP. */
    return (supply == FUSE_SUPPLY_SMALL_TCP ? table->n_touched[0]
            : supply == FUSE_SUPPLY_LARGE_TCP ? table->n_touched[1]
            : get_used(table, supply)) + STEP / 2;
}

/* Creates a table for 'max_entries' entries, on 'numa_node' or, if that is
 * negative, anywhere.  'locked' says that the process has locked its memory.
 * Returns 0 and stores it in '*tablep', or EINVAL, ENOMEM or the error of
 * mem_reserve() or getrandom(2). */
int
fuse_table_create(uint32_t max_entries, int numa_node, bool locked,
                  struct fuse_table **tablep)
{
    struct fuse_table *table;
    uint32_t max_buckets = MIN_BUCKETS;
    int error = 0;

    *tablep = NULL;
    if (!max_entries || max_entries > UINT32_C(1) << 28) {
        return EINVAL;
    }
    table = aligned_alloc(64, (sizeof *table + 63) / 64 * 64);
    if (!table) {
        return ENOMEM;
    }
    memset(table, 0, sizeof *table);
    while (max_buckets * 4 < max_entries) {
        max_buckets *= 2;
    }
    table->n_buckets = MIN_BUCKETS;
    table->bucket_mask = MIN_BUCKETS - 1;
    table->max_buckets = max_buckets;
    table->candidate_mask = max_buckets * CANDIDATES - 1;
    table->max_entries = max_entries;
    for (size_t i = 0; i < N_REGIONS && !error; i++) {
        struct region region = get_region(table, i);

        error = mem_reserve(get_size(table, &region),
                            numa_node < 0 ? MEM_ANY_NODE : numa_node,
                            locked ? MEM_LOCKED : 0, region.p);
    }
    for (int supply = 0; supply < FUSE_N_SUPPLIES; supply++) {
        table->n_ready[supply] = get_max(table, supply);
        atomic_init(&table->n_taken[supply], table->n_ready[supply]);
        atomic_init(&table->n_wanted[supply], table->n_ready[supply]);
    }
    if (!error
        && (getrandom(table->key, sizeof table->key, 0)
            != sizeof table->key
            || getrandom(table->port_key, sizeof table->port_key, 0)
               != sizeof table->port_key)) {
        error = errno ? errno : EIO;
    }
    if (error) {
        fuse_table_destroy(table);
        return error;
    }
    *tablep = table;
    return 0;
}

/* Takes memory for all of 'supply' from 'first' up to 'end'.  Returns 0 or a
 * positive errno value. */
static int
take_supply(struct fuse_table *table, int supply, size_t first, size_t end)
{
    for (size_t i = 0; i < N_REGIONS; i++) {
        struct region region = get_region(table, i);

        if (region.supply == supply) {
            int error = mem_take((char *) *region.p + first * region.unit,
                                 (end - first) * region.unit);

            if (error) {
                return error;
            }
        }
    }
    return 0;
}

/* From now on fuse_table_take() takes memory for 'table', which nobody uses
 * yet.  Takes the first of it.  Returns 0, or a positive errno value after
 * which the caller can only call fuse_table_destroy(). */
int
fuse_table_take_ahead(struct fuse_table *table)
{
    int error = take_supply(table, CANDIDATE_SUPPLY, 0,
                           get_max(table, CANDIDATE_SUPPLY));

    table->taken_ahead = true;
    for (int supply = 0; supply < FUSE_N_SUPPLIES; supply++) {
        table->n_ready[supply] = 0;
        atomic_init(&table->n_taken[supply], 0);
        atomic_init(&table->n_wanted[supply], 0);
    }
    /* Most tables have no large entries. */
    table->is_short[FUSE_SUPPLY_SMALL] = true;
    fuse_table_follow(table);
    error = error ? error : fuse_table_take(table);
    fuse_table_follow(table);
    return error;
}

/* Uses the memory that was taken meanwhile, and asks for more if little is
 * left.  Returns true if somebody should call fuse_table_take() soon.  Does no
 * system call.  Owner. */
bool
fuse_table_follow(struct fuse_table *table)
{
    bool wanted = false;

    if (!table->taken_ahead) {
        return false;
    }
    for (int supply = 0; supply < FUSE_N_SUPPLIES; supply++) {
        uint32_t max = get_max(table, supply);
        uint32_t ready = atomic_load_explicit(&table->n_taken[supply],
                                              memory_order_acquire);

        table->n_ready[supply] = ready;
        if (ready < max && ready < get_needed(table, supply)) {
            uint32_t goal = max - ready > STEP ? ready + STEP : max;

            if (atomic_load_explicit(&table->n_wanted[supply],
                                     memory_order_relaxed) != goal) {
                atomic_store_explicit(&table->n_wanted[supply], goal,
                                      memory_order_relaxed);
                wanted = true;
            }
        }
    }
    return wanted;
}

/* Takes the memory that the owner of 'table' asked for by fuse_table_follow().
 * Returns 0 or a positive errno value; then another call tries again.  One
 * thread, which may be another than the owner. */
int
fuse_table_take(struct fuse_table *table)
{
    for (int supply = 0; supply < FUSE_N_SUPPLIES; supply++) {
        uint32_t taken = atomic_load_explicit(&table->n_taken[supply],
                                              memory_order_relaxed);
        uint32_t wanted = atomic_load_explicit(&table->n_wanted[supply],
                                               memory_order_relaxed);

        if (taken < wanted) {
            int error = take_supply(table, supply, taken, wanted);

            if (error) {
                return error;
            }
            atomic_store_explicit(&table->n_taken[supply], wanted,
                                  memory_order_release);
        }
    }
    return 0;
}

/* Frees 'table', which may be null.  Does not call 'removed_cb'. */
void
fuse_table_destroy(struct fuse_table *table)
{
    if (!table) {
        return;
    }
    for (size_t i = 0; i < N_REGIONS; i++) {
        struct region region = get_region(table, i);

        mem_release(*region.p, get_size(table, &region));
    }
    free(table);
}

/* Returns how much memory 'table' has taken, in octets. */
size_t
fuse_table_memory(const struct fuse_table *table)
{
    size_t n = sizeof *table;

    for (size_t i = 0; i < N_REGIONS; i++) {
        struct region region = get_region((struct fuse_table *) table, i);

        n += region.unit * (region.supply == CANDIDATE_SUPPLY
                            ? get_max(table, region.supply)
                            : table->taken_ahead
                            ? table->n_ready[region.supply]
                            : get_used(table, region.supply));
    }
    return n;
}
