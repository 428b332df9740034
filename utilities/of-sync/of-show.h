/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OF_SHOW_H
#define OF_SHOW_H 1

/* The state of of-sync, for people and for Prometheus
 * ===================================================
 *
 * Thread-safety: as of-sync.h. */

struct ds;
struct metrics;
struct of_sync;

void of_show(const struct of_sync *, struct ds *);
void of_show_metrics(const struct of_sync *, const struct metrics *);
void of_show_latencies(const struct of_sync *, const struct metrics *,
                       const char *name);
void of_show_times(const struct of_sync *, const struct metrics *,
                   const char *changed, const char *synced);

#endif /* of-show.h */
