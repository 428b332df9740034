/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OF_DUMP_H
#define OF_DUMP_H 1

/* Asking what the switch has
 * ==========================
 *
 * After each connection, for all groups and for the flows with our cookie.
 * Groups outside of our range are ignored.
 *
 * Attack model: the switch may send any OpenFlow message.  A reply that cannot
 * be decoded ends the connection.
 *
 * Thread-safety: as of-sync.h. */

struct of_sync;
struct ofp_header;

void of_dump_start(struct of_sync *);
void of_dump_groups(struct of_sync *, const struct ofp_header *);
void of_dump_flows(struct of_sync *, const struct ofp_header *);

#endif /* of-dump.h */
