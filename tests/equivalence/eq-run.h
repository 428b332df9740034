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
 * The same packets go into two sides: one by one into the reference, which has
 * no cache, and in batches into the other.  The packets that come out must be
 * the same, in the same order within each direction of a conversation.
 * Statistics and connections must be the same at the end.
 *
 * Open vSwitch itself reorders packets within a batch, most of all around
 * upcalls.  So a batch with upcalls in the reference is split on the other
 * side too.  Other effects of order may differ without a cache as well.  So a
 * case that differs is run again with the cache off. */

enum eq_verdict {
    EQ_SAME,
    EQ_VOID,                     /* Differs without the cache too. */
    EQ_FAULT,
};

/* Call this once.  Replay will be by 'func'. */
void eq_start(fuse_replay_func *func);

enum eq_verdict eq_judge(const struct eq_case *, bool verbose);

/* All packets that were put into the side with the cache, and how many of them
 * hit. */
struct eq_totals {
    uint64_t packets, outputs, hits;
};
extern struct eq_totals eq_totals;

#endif /* eq-run.h */
