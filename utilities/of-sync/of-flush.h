/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OF_FLUSH_H
#define OF_FLUSH_H 1

/* Connections that the switch is to forget
 * ========================================
 *
 * See of-flush.c for when the switch is asked.
 *
 * Limits: 4,096 requests at a time.  One more, and all connections of its IP
 * protocol and zone are forgotten instead.
 *
 * Thread-safety: as of-sync.h. */

#include <stdbool.h>

struct of_sync;
struct of_sync_ct;
struct ofp_header;

void of_flush_init(struct of_sync *);
void of_flush_destroy(struct of_sync *);
void of_flush_add(struct of_sync *, const struct of_sync_ct *);
void of_flush_restart(struct of_sync *);
void of_flush_run(struct of_sync *);
void of_flush_wait(struct of_sync *);
void of_flush_barrier(struct of_sync *, const struct ofp_header *);
bool of_flush_is_done(const struct of_sync *);

#endif /* of-flush.h */
