/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OF_WALK_H
#define OF_WALK_H 1

/* Walks of the switch through its connections
 * ===========================================
 *
 * The switch has no index for what NXT_CT_FLUSH selects.  It walks through all
 * its connections for each such message, in the thread that handles all else.
 * A walk through 100,000 takes some 12 ms.  Hence:
 *
 *   - One message is under way at a time, so that other changes come between.
 *
 *   - Walks have a budget of 0.4 s, which fills up with a fifth of the time.
 *
 *   - A walk that ends many connections may miss others: the switch's table
 *     shrinks under it.  So the message is sent again until the time for it
 *     does not fall any more.
 *
 * Thread-safety: as of-sync.h. */

#include <stdbool.h>
#include <stddef.h>

struct of_sync;
struct of_sync_ct;
struct ofp_header;

void of_walk_init(struct of_sync *);
bool of_walk_is_allowed(struct of_sync *);
long long int of_walk_when(const struct of_sync *);
size_t of_walk_max(const struct of_sync *, int n_sendings, bool many);
void of_walk_start(struct of_sync *, const struct of_sync_ct *, bool many);
bool of_walk_barrier(struct of_sync *, const struct ofp_header *);

#endif /* of-walk.h */
