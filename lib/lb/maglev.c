/* SPDX-License-Identifier: Apache-2.0 */

#include "maglev.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A backend on its way through the slots. */
struct walker {
    uint64_t id;
    uint64_t secret;            /* Says where it goes; made from 'id'. */
    uint64_t weight;            /* 2^32 for the heaviest. */
    uint32_t n_left;            /* Slots that are still due to it. */
    uint16_t index;             /* Of the backend in the caller's array. */
};

/* The backends of one weight.  They take their steps at the same times, so
 * only classes need a queue, however many backends there are. */
struct weight_class {
    double time;                /* Of the next step. */
    uint64_t weight;
    uint32_t step;              /* Number of the next step. */
    uint16_t first;             /* First of its walkers. */
    uint16_t n;                 /* Number of them that want more slots. */
};

static int
compare_walkers_by_id(const void *a_, const void *b_)
{
    const struct walker *a = a_;
    const struct walker *b = b_;

    return a->id < b->id ? -1 : a->id > b->id;
}

/* Orders the heaviest first, and by id among equals. */
static int
compare_walkers_by_weight(const void *a_, const void *b_)
{
    const struct walker *a = a_;
    const struct walker *b = b_;

    if (a->weight != b->weight) {
        return a->weight > b->weight ? -1 : 1;
    }
    return compare_walkers_by_id(a, b);
}

/* Fills the 'n' 'walkers' from the 'n' 'backends' and brings them into order
 * of weight, so that the live ones come first.  Returns false if two backends
 * have the same id. */
static bool
init_walkers(struct walker *walkers, const struct maglev_backend *backends,
             size_t n, const struct siphash_key *key)
{
    uint64_t max_weight = 1;

    for (size_t i = 0; i < n; i++) {
        if (backends[i].weight > max_weight) {
            max_weight = backends[i].weight;
        }
    }
    for (size_t i = 0; i < n; i++) {
        uint64_t id = backends[i].id;

        walkers[i] = (struct walker) {
            .id = id,
            .secret = siphash13_u64x2(id, 0, key),
            .weight = ((uint64_t) backends[i].weight << 32) / max_weight,
            .index = i,
        };
    }

    qsort(walkers, n, sizeof *walkers, compare_walkers_by_id);
    for (size_t i = 1; i < n; i++) {
        if (walkers[i].id == walkers[i - 1].id) {
            return false;
        }
    }

    qsort(walkers, n, sizeof *walkers, compare_walkers_by_weight);
    return true;
}

/* Shares. */

/* Returns the number of slots for a backend of 'weight' when the heaviest gets
 * 'level' / 2^11 slots: rounded to the nearest, at least one. */
static uint32_t
share_at(uint64_t weight, uint32_t level)
{
    uint32_t share = (weight * level + (UINT64_C(1) << 42)) >> 43;

    return share ? share : 1;
}

static uint64_t
total_at(const struct walker *walkers, size_t n_live, uint32_t level)
{
    uint64_t total = 0;

    for (size_t i = 0; i < n_live; i++) {
        total += share_at(walkers[i].weight, level);
    }
    return total;
}

/* Sets 'n_left' of the 'n_live' 'walkers', which are in order of weight, to
 * their shares of 'size' slots by the method of Sainte-Lague: it finds the
 * divisor by which the rounded shares make up 'size'.  Of those whose share
 * changes at that very divisor, as far as a 2^11th of a slot can tell, the
 * first ones get the slots that are left. */
static void
deal_out_shares(struct walker *walkers, size_t n_live, uint32_t size)
{
    uint32_t low = 0;                           /* Makes 'size' at most... */
    uint32_t high = UINT32_C(1) << 31;          /* ...and this, more. */

    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;

        if (total_at(walkers, n_live, middle) <= size) {
            low = middle;
        } else {
            high = middle;
        }
    }

    uint32_t n_spare = size - total_at(walkers, n_live, low);

    for (size_t i = 0; i < n_live; i++) {
        struct walker *w = &walkers[i];

        w->n_left = share_at(w->weight, low);
        if (n_spare && share_at(w->weight, high) > w->n_left) {
            w->n_left++;
            n_spare--;
        }
    }
}

/* The race. */

/* Fills 'classes' from the 'n_live' 'walkers', which are in order of weight,
 * for a table of 'size' slots.  Returns the number of classes.  The result is
 * a heap by comes_first(). */
static size_t
init_classes(struct weight_class *classes, const struct walker *walkers,
             size_t n_live, uint32_t size)
{
    size_t n = 0;

    for (size_t i = 0; i < n_live; i++) {
        uint64_t weight = walkers[i].weight;

        if (!n || weight != classes[n - 1].weight) {
            classes[n++] = (struct weight_class) {
                .time = 1 / ((double) size * weight),
                .weight = weight,
                .first = i,
            };
        }
        classes[n - 1].n++;
    }
    return n;
}

/* Returns true if 'a' takes its next step before 'b', the heavier one being
 * the first if both do at once.  Without branches, since no processor can
 * predict them. */
static inline bool
comes_first(const struct weight_class *a, const struct weight_class *b)
{
    return (a->time < b->time) | ((a->time == b->time)
                                  & (a->weight > b->weight));
}

/* Restores the order of the heap of 'n' 'classes' after its top has been given
 * a later time. */
static void
sift_down(struct weight_class *classes, size_t n)
{
    struct weight_class moved = classes[0];
    size_t hole = 0;

    for (;;) {
        size_t child = 2 * hole + 1;

        if (child >= n) {
            break;
        }
        if (child + 1 < n) {
            child += comes_first(&classes[child + 1], &classes[child]);
        }
        if (!comes_first(&classes[child], &moved)) {
            break;
        }
        classes[hole] = classes[child];
        hole = child;
    }
    classes[hole] = moved;
}

/* Returns a number without pattern for each 'x' (SplitMix64's finisher). */
static inline uint64_t
scramble(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* Returns the slot that the walker with 'secret' visits by step number 'step'
 * in a table of MAGLEV_N_CELLS cells of 2^'cell_bits' slots each.  It visits
 * all cells in turn, and in each, on its n-th visit, the slot whose number is
 * n with some bits inverted.  Each walker inverts other bits in each cell. */
static inline uint32_t
slot_of_step(uint64_t secret, uint32_t step, unsigned int cell_bits)
{
    uint32_t cell = (step * (2 * (uint32_t) secret + 1)
                     + (uint32_t) (secret >> 8)) % MAGLEV_N_CELLS;
    uint64_t inverted = scramble(secret + (cell + 1)
                                 * UINT64_C(0x9e3779b97f4a7c15));

    /* Shifted in two steps since 'cell_bits' may be 0. */
    return (cell << cell_bits
            | (step / MAGLEV_N_CELLS
               ^ (uint32_t) (inverted >> 1 >> (63 - cell_bits))));
}

/* A table that is being built.  The bits say which slots are taken, and fit
 * into the processor's first cache. */
struct race {
    uint16_t *slots;
    uint64_t *taken;            /* One bit for each slot. */
    uint32_t size;
    unsigned int cell_bits;
};

static inline bool
is_taken(const struct race *race, uint32_t slot)
{
    return race->taken[slot / 64] >> slot % 64 & 1;
}

/* Has the walkers of 'class' take a step: each takes the slot that it comes to
 * if that is free.  Those that need no more leave the class.  Returns the
 * number of slots taken. */
static uint32_t
take_step(struct race *race, struct weight_class *class,
          struct walker *walkers)
{
    struct walker *w = &walkers[class->first];
    uint32_t n_taken = 0;
    uint16_t n = class->n;
    uint16_t n_stay = 0;

    for (uint16_t i = 0; i < n; i++) {
        uint32_t slot = slot_of_step(w[i].secret, class->step,
                                     race->cell_bits);

        if (!is_taken(race, slot)) {
            race->taken[slot / 64] |= UINT64_C(1) << slot % 64;
            race->slots[slot] = w[i].index;
            w[i].n_left--;
            n_taken++;
        }
        if (w[i].n_left) {
            if (n_stay != i) {
                w[n_stay] = w[i];
            }
            n_stay++;
        }
    }
    class->n = n_stay;
    return n_taken;
}

/* Prepares the next step of 'class'.  A single walker goes on to its next free
 * slot at once: the slots before make no difference. */
static void
next_step(const struct race *race, struct weight_class *class,
          const struct walker *walkers)
{
    uint64_t secret = walkers[class->first].secret;

    do {
        class->step++;
        class->time += 1 / ((double) (race->size - class->step)
                            * class->weight);
    } while (class->n == 1
             && is_taken(race, slot_of_step(secret, class->step,
                                            race->cell_bits)));
}

/* Fills the slots of 'race' by a race of the 'walkers', which the 'n_classes'
 * 'classes' refer to and whose shares make up the size of the table.
 *
 * A walker of weight 'w' takes step number 'i' when it may be expected to,
 * which is at the sum of 1 / (w * (size - j)) for j = 0...i, if it visits each
 * slot at a random time that has an exponential distribution of rate 'w'.
 *
 * A walker does not run out of slots: if it has visited them all, none is
 * free, and so none is left that is due to it. */
static void
run_race(struct race *race, struct walker *walkers,
         struct weight_class *classes, size_t n_classes)
{
    uint32_t n_free = race->size;

    for (;;) {
        struct weight_class *class = &classes[0];

        n_free -= take_step(race, class, walkers);
        if (!n_free) {
            return;
        }
        if (class->n) {
            next_step(race, class, walkers);
        } else {
            *class = classes[--n_classes];
        }
        sift_down(classes, n_classes);
    }
}

/* Builds a lookup table of 'size' slots for the 'n' 'backends': stores into
 * each element of 'slots[size]', which the caller provides, the index into
 * 'backends' of the one that the slot belongs to.
 *
 * 'size' must be a power of 2 from MAGLEV_MIN_SIZE to MAGLEV_MAX_SIZE,
 * normally what maglev_table_size() returns.  'key' is the secret from which
 * the ways of the backends are made.  All but 'slots' stay the caller's, and
 * are not referred to after the return.
 *
 * Returns 0 if successful, otherwise a positive errno value, with 'slots'
 * untouched:
 *
 *    - EINVAL: 'size' is none of these or is less than the number of backends
 *      of nonzero weight; there is no such backend; 'n' exceeds
 *      MAGLEV_MAX_BACKENDS; or two backends have the same id, their weights
 *      being what they may.
 *
 *    - ENOMEM: No memory to work in.
 *
 * Any thread; not for the data path, see "Limits" in maglev.h. */
int
maglev_build(const struct maglev_backend *backends, size_t n,
             const struct siphash_key *key, uint32_t size, uint16_t *slots)
{
    struct race race = { .slots = slots, .size = size };
    struct weight_class *classes;
    struct walker *walkers;
    size_t n_live = 0;
    int error;

    if (n > MAGLEV_MAX_BACKENDS || size < MAGLEV_MIN_SIZE
        || size > MAGLEV_MAX_SIZE || size & (size - 1)) {
        return EINVAL;
    }
    for (size_t i = 0; i < n; i++) {
        n_live += backends[i].weight != 0;
    }
    if (!n_live || n_live > size) {
        return EINVAL;
    }

    while (MAGLEV_MIN_SIZE << race.cell_bits < size) {
        race.cell_bits++;
    }
    walkers = malloc(n * sizeof *walkers);
    classes = malloc(n_live * sizeof *classes);
    race.taken = calloc(size / 64, sizeof *race.taken);
    if (!walkers || !classes || !race.taken) {
        error = ENOMEM;
    } else if (!init_walkers(walkers, backends, n, key)) {
        error = EINVAL;
    } else {
        deal_out_shares(walkers, n_live, size);
        run_race(&race, walkers, classes,
                 init_classes(classes, walkers, n_live, size));
        error = 0;
    }
    free(race.taken);
    free(classes);
    free(walkers);
    return error;
}

/* Returns the size for a table of 'n' backends, whatever their weights: at
 * least 128 slots for each on average.  A single one needs no more than
 * MAGLEV_MIN_SIZE slots, and for up to 32 it is always 4,096.
 *
 * Returns 0 if there is no table to build, that is, 'n' is 0 or exceeds
 * MAGLEV_MAX_BACKENDS.  Any thread. */
uint32_t
maglev_table_size(size_t n)
{
    uint32_t size = n > 1 ? 4096 : MAGLEV_MIN_SIZE;

    if (!n || n > MAGLEV_MAX_BACKENDS) {
        return 0;
    }
    while (size < 128 * n && n > 1) {
        size *= 2;
    }
    return size;
}

/* Returns how far the table of 'size' 'slots', made for the 'n' 'backends', is
 * from fair: the largest |slots - share| / share of any backend.  Its share is
 * 'size' times its weight over the sum of weights.  0.01 means that some
 * backend has 1 % more or less than its share.
 *
 * Returns HUGE_VAL for what maglev_build() does not make: if 'n' exceeds
 * MAGLEV_MAX_BACKENDS, or a slot names no backend or one of weight 0.  Any
 * thread. */
double
maglev_imbalance(const struct maglev_backend *backends, size_t n,
                 const uint16_t *slots, uint32_t size)
{
    uint32_t counts[MAGLEV_MAX_BACKENDS] = { 0 };
    uint64_t total_weight = 0;
    double worst = 0;

    if (n > MAGLEV_MAX_BACKENDS) {
        return HUGE_VAL;
    }
    for (size_t i = 0; i < n; i++) {
        total_weight += backends[i].weight;
    }
    for (uint32_t i = 0; i < size; i++) {
        if (slots[i] >= n || !backends[slots[i]].weight) {
            return HUGE_VAL;
        }
        counts[slots[i]]++;
    }

    for (size_t i = 0; i < n; i++) {
        if (backends[i].weight) {
            double share = (double) size * backends[i].weight / total_weight;
            double deviation = fabs(counts[i] - share) / share;

            if (deviation > worst) {
                worst = deviation;
            }
        }
    }
    return worst;
}
