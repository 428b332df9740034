/* SPDX-License-Identifier: Apache-2.0 */

#include "maglev.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A slot without backend, while a table is being built. */
#define SLOT_FREE UINT16_MAX

/* A backend on its way through its permutation of the slots, which is
 *
 *     (offset + i * skip) % size, for i = 0, 1, ..., size - 1
 *
 * and reaches every slot once because 'size' is prime and 'skip' is not a
 * multiple of it.  All slots on the way so far are taken and stay so, which is
 * why it never needs to turn back. */
struct walker {
    uint64_t id;
    uint32_t weight;
    uint32_t next;              /* Slot to try next; at first, the offset. */
    uint32_t skip;              /* From 1 to size - 1. */
    uint16_t index;             /* Of the backend in the caller's array. */
};

/* The live backends of one weight.  They have their turns at the same times,
 * so that however many backends there are, only the classes need a queue. */
struct weight_class {
    uint32_t weight;
    uint32_t turn;              /* Time of the next turn, times 'weight'. */
    uint16_t first;             /* First of its walkers. */
    uint16_t n;                 /* Number of its walkers. */
};

static bool
is_prime(uint32_t x)
{
    for (uint32_t i = 2; i * i <= x; i++) {
        if (x % i == 0) {
            return false;
        }
    }
    return x > 1;
}

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

/* Fills the 'n' 'walkers' from the 'n' 'backends' and brings them into the
 * order in which they take simultaneous turns.  Returns false if two backends
 * have the same id. */
static bool
init_walkers(struct walker *walkers, const struct maglev_backend *backends,
             size_t n, const struct siphash_key *key, uint32_t size)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t id = backends[i].id;

        walkers[i] = (struct walker) {
            .id = id,
            .weight = backends[i].weight,
            .next = siphash13_u64x2(id, 0, key) % size,
            .skip = siphash13_u64x2(id, 1, key) % (size - 1) + 1,
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

/* Fills 'classes' from the 'n_live' 'walkers', which are in order of weight.
 * Returns the number of classes.  The result is a heap by has_earlier_turn().
 */
static size_t
init_classes(struct weight_class *classes, const struct walker *walkers,
             size_t n_live)
{
    size_t n = 0;

    for (size_t i = 0; i < n_live; i++) {
        if (!n || walkers[i].weight != classes[n - 1].weight) {
            classes[n++] = (struct weight_class) {
                .weight = walkers[i].weight,
                .first = i,
            };
        }
        classes[n - 1].n++;
    }
    return n;
}

/* Returns true if 'a' has its next turn before 'b', the heavier one being the
 * first if they are simultaneous.  The products are exact: a turn number is
 * below 2 * MAGLEV_MAX_SIZE + 3.  Without branches, since no processor can
 * predict them. */
static inline bool
has_earlier_turn(const struct weight_class *a, const struct weight_class *b)
{
    uint64_t a_time = (uint64_t) a->turn * b->weight;
    uint64_t b_time = (uint64_t) b->turn * a->weight;

    return (a_time < b_time) | ((a_time == b_time) & (a->weight > b->weight));
}

/* Restores the order of the heap of 'n' 'classes' after its top has been given
 * a later turn. */
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
            child += has_earlier_turn(&classes[child + 1], &classes[child]);
        }
        if (!has_earlier_turn(&classes[child], &moved)) {
            break;
        }
        classes[hole] = classes[child];
        hole = child;
    }
    classes[hole] = moved;
}

/* Gives 'w' the next slot of its permutation of the 'size' 'slots' that is
 * free.  There must be one. */
static inline void
take_slot(struct walker *w, uint16_t *slots, uint32_t size)
{
    uint32_t next = w->next;
    uint32_t skip = w->skip;
    uint32_t slot;

    /* 'back' is the step that wraps around: both are taken at once, and one
     * thrown away, to keep the chain from one slot to the next short. */
    uint32_t back = size - skip;

    do {
        slot = next;
        next = slot >= back ? slot - back : slot + skip;
    } while (slots[slot] != SLOT_FREE);

    slots[slot] = w->index;
    w->next = next;
}

/* Fills the 'size' 'slots' by turns of the 'walkers', which the 'n_classes'
 * 'classes' refer to.
 *
 * The k-th turn of a backend of weight 'w', counted from 0, comes at the time
 * (2k + 1) / w, except for the first one, which comes at time 0, so that
 * however light the backend it gets one.  When the slots run out, at the time
 * t, let r = t / 2: the backend has had r * w turns, rounded to the nearest
 * integer (or one).  So its number of slots is within 1/2 of r * w, and
 * as the sum of all is 'size', r is within n / (2 * total_weight) of
 * size / total_weight.  Together that makes the bound in maglev.h. */
static void
fill_slots(struct walker *walkers, struct weight_class *classes,
           size_t n_classes, uint32_t size, uint16_t *slots)
{
    uint32_t n_free = size;

    memset(slots, 0xff, size * sizeof *slots);
    for (;;) {
        struct weight_class *class = &classes[0];
        struct walker *w = &walkers[class->first];

        for (size_t i = 0; i < class->n; i++) {
            take_slot(&w[i], slots, size);
            if (!--n_free) {
                return;
            }
        }
        class->turn = (class->turn | 1) + 2;    /* 0, 3, 5, 7... */
        sift_down(classes, n_classes);
    }
}

/* Builds a lookup table of 'size' slots for the 'n' 'backends': stores into
 * each element of 'slots[size]', which the caller provides, the index into
 * 'backends' of the one that the slot belongs to.
 *
 * 'size' must be prime, normally what maglev_table_size() returns.  'key' is
 * the secret from which the permutations are made.  All but 'slots' stay the
 * caller's, and are not referred to after the return.
 *
 * Returns 0 if successful, otherwise a positive errno value, with 'slots'
 * untouched:
 *
 *    - EINVAL: 'size' is not prime, exceeds MAGLEV_MAX_SIZE or is less than
 *      the number of backends of nonzero weight; there is no such backend; 'n'
 *      exceeds MAGLEV_MAX_BACKENDS; or two backends have the same id, their
 *      weights being what they may.
 *
 *    - ENOMEM: No memory to work in.
 *
 * Any thread; not for the data path, see "Limits" in maglev.h. */
int
maglev_build(const struct maglev_backend *backends, size_t n,
             const struct siphash_key *key, uint32_t size, uint16_t *slots)
{
    struct weight_class *classes;
    struct walker *walkers;
    size_t n_live = 0;
    int error;

    if (n > MAGLEV_MAX_BACKENDS || size > MAGLEV_MAX_SIZE || !is_prime(size)) {
        return EINVAL;
    }
    for (size_t i = 0; i < n; i++) {
        n_live += backends[i].weight != 0;
    }
    if (!n_live || n_live > size) {
        return EINVAL;
    }

    walkers = malloc(n * sizeof *walkers);
    classes = malloc(n_live * sizeof *classes);
    if (!walkers || !classes) {
        error = ENOMEM;
    } else if (!init_walkers(walkers, backends, n, key, size)) {
        error = EINVAL;
    } else {
        fill_slots(walkers, classes, init_classes(classes, walkers, n_live),
                   size, slots);
        error = 0;
    }
    free(classes);
    free(walkers);
    return error;
}

/* Returns the size for a table of the 'n' 'backends': the least prime of a
 * short list that gives the lightest one at least 100 slots, so that no share
 * is off by more than 1 %.  The list ends with MAGLEV_MAX_SIZE, which is
 * returned as well for weights so uneven, or so many backends, that it does
 * not reach as far; maglev_imbalance() tells how far it does.  Backends of
 * weight 0 do not count.
 *
 * 'current_size' is the size of the table that the new one replaces, or 0.
 * The result is never less, since with the size nearly all flows would move to
 * other backends.  For the same reason the list has gaps: few changes of the
 * backends ever cross one.  They are not larger since
 * the time to build a table grows with it.
 *
 * Returns 0 if there is no table to build, that is, no backend has weight, or
 * 'n' exceeds MAGLEV_MAX_BACKENDS.  Any thread. */
uint32_t
maglev_table_size(const struct maglev_backend *backends, size_t n,
                  uint32_t current_size)
{
    static const uint32_t sizes[] = {
        1021, 4093, 8191, 32749, 131071, 262139, MAGLEV_MAX_SIZE
    };
    uint32_t min_weight = UINT32_MAX;
    uint64_t total_weight = 0;

    if (n > MAGLEV_MAX_BACKENDS) {
        return 0;
    }
    for (size_t i = 0; i < n; i++) {
        uint32_t weight = backends[i].weight;

        total_weight += weight;
        if (weight && weight < min_weight) {
            min_weight = weight;
        }
    }
    if (!total_weight) {
        return 0;
    }

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        if (sizes[i] >= current_size
            && (uint64_t) sizes[i] * min_weight >= 100 * total_weight) {
            return sizes[i];
        }
    }
    return MAGLEV_MAX_SIZE;
}

/* Returns how far the table of 'size' 'slots', made for the 'n' 'backends', is
 * from fair: the largest |slots - share| / share of any backend, where its
 * share is the part of 'size' that its weight is of the sum of weights.  0.01
 * thus means that some backend has 1 % more or less than its share.
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
