/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OF_MONITOR_H
#define OF_MONITOR_H 1

/* Changes of our flows and groups by others
 * =========================================
 *
 * See of-monitor.c for how they are noticed and when they are put back.
 *
 * Attack model: the switch may send any OpenFlow message.  A report that
 * cannot be decoded ends the connection.
 *
 * Thread-safety: as of-sync.h. */

struct of_item;
struct of_sync;
struct ofp_header;

void of_monitor_start(struct of_sync *);
void of_monitor_flows(struct of_sync *, const struct ofp_header *);
void of_monitor_request(struct of_sync *, const struct ofp_header *);
void of_monitor_suspect(struct of_sync *, struct of_item *);
void of_monitor_run(struct of_sync *);
void of_monitor_wait(struct of_sync *);

#endif /* of-monitor.h */
