/* SPDX-License-Identifier: Apache-2.0 */

#ifndef EQ_RUN_H
#define EQ_RUN_H 1

#include <stdbool.h>
#include <stdint.h>

#include "lib/fuse/fuse-replay.h"

struct eq_case;

/* Running a case
 * ==============
 *
 * The same packets go into two sides: into the reference, which has no cache,
 * one by one, and into the other in batches.  What comes out must be the same,
 * and in the same order within each direction of a conversation, and so must
 * statistics and connections at the end.
 *
 * Open vSwitch itself reorders packets within a batch.  Around upcalls it does
 * so most: a batch with which there are any, in the reference, is no batch on
 * the other side either.  What else depends on the order may differ without a
 * cache as well.  So a case that differs is run again with the cache off. */

enum eq_verdict {
    EQ_SAME,
    EQ_VOID,                     /* It differs without the cache as well. */
    EQ_FAULT,
};

/* To be called once.  The replay is to be 'func'. */
void eq_start(fuse_replay_func *func);

enum eq_verdict eq_judge(const struct eq_case *, bool verbose);

/* Packets that were put into the side with the cache, ever, and how many of
 * them hit the cache. */
struct eq_totals {
    uint64_t packets, outputs, hits;
};
extern struct eq_totals eq_totals;

#endif /* eq-run.h */
