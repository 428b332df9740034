/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OF_OWNER_H
#define OF_OWNER_H 1

/* The owners of flows and groups, by key
 * ======================================
 *
 * Each key of of_sync_replace() is an owner.  An owner claims items, each with
 * a value.  When owners claim the same item, the first one in the order of
 * keys decides, unless the switch has refused it.
 *
 * Thread-safety: as of-sync.h. */

#include <stddef.h>

struct of_item;
struct of_sync;
struct ofputil_flow_mod;
struct ofputil_group_mod;

void of_owner_replace(struct of_sync *, const char *key,
                      struct ofputil_flow_mod *, size_t n_flows,
                      struct ofputil_group_mod *, size_t n_groups);
void of_owner_remove(struct of_sync *, const char *key);
void of_owner_refuse(struct of_sync *, struct of_item *, const char *why);
const char *of_owner_refused(const struct of_sync *, const char *key);

void of_owners_set_complete(struct of_sync *);
void of_owners_clear(struct of_sync *);
void of_owners_touch_all(struct of_sync *);
void of_owners_forget_switch(struct of_sync *);
void of_owners_destroy(struct of_sync *);

#endif /* of-owner.h */
