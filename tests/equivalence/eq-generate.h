/* SPDX-License-Identifier: Apache-2.0 */

#ifndef EQ_GENERATE_H
#define EQ_GENERATE_H 1

#include <stdbool.h>
#include <stdint.h>

#include "tests/equivalence/eq-case.h"
#include "tests/equivalence/eq-random.h"

/* Shared by the parts of the generator. */

/* The way of packets to a table: the actions of the leaf that sends them
 * there. */
enum kind { PLAIN, AFTER_CT, AFTER_LB, AFTER_HASH };

struct plan {
    struct eq_case *c;
    uint64_t rng;
    uint64_t meter_rng;          /* Of its own: a case without meters is the
                                  * same as if there were none. */
    bool straight;               /* All go to the tracker first, both ways, so
                                  * that connections become established. */
    bool translates;             /* Then connections end by themselves alone:
                                  * answers to those that are gone may come to
                                  * be translated to the same. */
    bool flags;                  /* Some nodes test TCP flags. */
    enum kind kinds[EQ_MAX_TABLES];
    uint32_t groups[EQ_MAX_TABLES]; /* Which one leads to the table. */
    uint32_t committers[EQ_MAX_TABLES]; /* By zone: table that commits what is
                                         * new.  What is translated twice in
                                         * one zone lets stock fail. */
};

static inline uint32_t
rnd(struct plan *p, uint32_t n)
{
    return eq_random(&p->rng, n);
}

static inline bool
rarely(struct plan *p, uint32_t n)
{
    return eq_rarely(&p->rng, n);
}

/* eq-pipeline.c */
void make_tables(struct plan *);
void make_leaf(struct plan *, struct eq_node *leaf, uint32_t table, bool new);

/* eq-traffic.c */
void make_group(struct plan *, struct eq_group *, uint32_t timeout);
void make_events(struct plan *);

#endif /* eq-generate.h */
