/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "of-group-id.h"

#include <stdlib.h>

#include "hash.h"
#include "of-state.h"
#include "util.h"

struct of_group_id {
    struct hmap_node node;      /* In of_sync's 'group_ids', by 'id'. */
    uint32_t id;
    char *name;
};

/* Returns true if 'id' is reserved. */
bool
of_group_id_is_used(const struct of_sync *sync, uint32_t id)
{
    const struct of_group_id *gid;

    HMAP_FOR_EACH_WITH_HASH (gid, node, hash_int(id, 0), &sync->group_ids) {
        if (gid->id == id) {
            return true;
        }
    }
    return false;
}

static uint64_t
count_ids(const struct of_sync *sync)
{
    return ((uint64_t) sync->options.group_max - sync->options.group_min + 1);
}

/* Returns the id of group 'name' or, if that has none, the one that it had
 * before, unless another group had that then. */
uint32_t
of_group_id_of(const struct of_sync *sync, const char *name)
{
    const struct of_group_id *gid = shash_find_data(&sync->groups, name);

    return (gid ? gid->id : sync->options.group_min
                            + hash_string(name, 0) % count_ids(sync));
}

/* Stores in '*id' the id of group 'name', and reserves it for 'name' until
 * of_group_id_release().  Returns false if all ids are in use. */
bool
of_group_id_get(struct of_sync *sync, const char *name, uint32_t *id)
{
    struct of_group_id *gid = shash_find_data(&sync->groups, name);
    uint64_t n_ids = count_ids(sync);

    if (!gid) {
        uint64_t offset = hash_string(name, 0) % n_ids;

        if (hmap_count(&sync->group_ids) >= n_ids) {
            return false;
        }
        while (of_group_id_is_used(sync, sync->options.group_min + offset)) {
            offset = (offset + 1) % n_ids;
        }
        gid = xmalloc(sizeof *gid);
        gid->id = sync->options.group_min + offset;
        gid->name = xstrdup(name);
        hmap_insert(&sync->group_ids, &gid->node, hash_int(gid->id, 0));
        shash_add(&sync->groups, name, gid);
    }
    *id = gid->id;
    return true;
}

/* Gives the id of 'name' back.  Another group may get it. */
void
of_group_id_release(struct of_sync *sync, const char *name)
{
    struct of_group_id *gid = shash_find_and_delete(&sync->groups, name);

    if (gid) {
        hmap_remove(&sync->group_ids, &gid->node);
        free(gid->name);
        free(gid);
    }
}

/* Frees the ids and their names. */
void
of_group_ids_destroy(struct of_sync *sync)
{
    struct of_group_id *gid;

    HMAP_FOR_EACH_SAFE (gid, node, &sync->group_ids) {
        hmap_remove(&sync->group_ids, &gid->node);
        free(gid->name);
        free(gid);
    }
    hmap_destroy(&sync->group_ids);
    shash_destroy(&sync->groups);
}
