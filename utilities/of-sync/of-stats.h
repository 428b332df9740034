/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OF_STATS_H
#define OF_STATS_H 1

/* How many packets each bucket of our groups chose
 * =================================================
 *
 * The switch counts.  It is asked every few seconds, and only while somebody
 * watches the numbers, or once for somebody who comes again: a switch with
 * many groups has better things to do.
 *
 * An answer about counters has no ids of buckets, only their order in the
 * switch.  So the switch is asked for its groups in the same breath.
 *
 * Attack model: the switch may send any OpenFlow message.  A reply that cannot
 * be decoded, or does not fit the other one, is ignored.
 *
 * Thread-safety: as of-sync.h. */

#include <stdbool.h>
#include <stdint.h>
#include "of-options.h"

struct of_sync;
struct ofp_header;

void of_stats_init(struct of_sync *);
void of_stats_destroy(struct of_sync *);
void of_stats_run(struct of_sync *);
void of_stats_wait(struct of_sync *);
bool of_stats_groups(struct of_sync *, const struct ofp_header *);
void of_stats_counters(struct of_sync *, const struct ofp_header *);
void of_stats_watch(struct of_sync *);
void of_stats_ask(struct of_sync *);
void of_stats_for_each_bucket(const struct of_sync *, uint32_t group_id,
                              of_sync_bucket_cb *, void *aux);
bool of_stats_group(const struct of_sync *, uint32_t group_id,
                    uint64_t *packets);

#endif /* of-stats.h */
