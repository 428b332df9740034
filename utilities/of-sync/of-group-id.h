/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OF_GROUP_ID_H
#define OF_GROUP_ID_H 1

/* Ids for groups, by name
 * =======================
 *
 * An id is a hash of the name, or the next id that is free.  After a restart a
 * name gets the same id again, unless two names met at one hash.
 *
 * Limits: the ids from of_sync_options' 'group_min' to 'group_max'.
 *
 * Thread-safety: as of-sync.h. */

#include <stdbool.h>
#include <stdint.h>

struct of_sync;

bool of_group_id_get(struct of_sync *, const char *name, uint32_t *id);
uint32_t of_group_id_of(const struct of_sync *, const char *name);
bool of_group_id_is_used(const struct of_sync *, uint32_t id);
void of_group_id_release(struct of_sync *, const char *name);
void of_group_ids_destroy(struct of_sync *);

#endif /* of-group-id.h */
