/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "of-item.h"

#include <stdlib.h>

#include "hash.h"
#include "of-value.h"
#include "timeval.h"
#include "util.h"

static struct of_item *
create_item(struct of_sync *sync, uint32_t hash)
{
    struct of_item *item = xzalloc(sizeof *item);

    ovs_list_init(&item->claims);
    ovs_list_init(&item->dirty);
    hmap_insert(&sync->items, &item->node, hash);
    return item;
}

static uint32_t
hash_flow(const struct minimatch *match, uint8_t table_id, uint16_t priority)
{
    return minimatch_hash(match, hash_2words(table_id, priority));
}

/* Returns the item of the flow with 'match', 'table_id' and 'priority', or
 * null if there is none. */
struct of_item *
of_item_find_flow(struct of_sync *sync, const struct minimatch *match,
                  uint8_t table_id, uint16_t priority)
{
    struct of_item *item;

    HMAP_FOR_EACH_WITH_HASH (item, node, hash_flow(match, table_id, priority),
                             &sync->items) {
        if (!item->is_group && item->table_id == table_id
            && item->priority == priority
            && minimatch_equal(&item->match, match)) {
            return item;
        }
    }
    return NULL;
}

/* Like of_item_find_flow(), but creates an item if there is none. */
struct of_item *
of_item_get_flow(struct of_sync *sync, const struct minimatch *match,
                 uint8_t table_id, uint16_t priority)
{
    struct of_item *item = of_item_find_flow(sync, match, table_id, priority);

    if (!item) {
        item = create_item(sync, hash_flow(match, table_id, priority));
        minimatch_clone(&item->match, match);
        item->table_id = table_id;
        item->priority = priority;
    }
    return item;
}

/* Returns the item of the group 'group_id', or null if there is none. */
struct of_item *
of_item_find_group(const struct of_sync *sync, uint32_t group_id)
{
    struct of_item *item;

    HMAP_FOR_EACH_WITH_HASH (item, node, hash_int(group_id, 1),
                             &sync->items) {
        if (item->is_group && item->group_id == group_id) {
            return item;
        }
    }
    return NULL;
}

/* Like of_item_find_group(), but creates an item if there is none. */
struct of_item *
of_item_get_group(struct of_sync *sync, uint32_t group_id)
{
    struct of_item *item = of_item_find_group(sync, group_id);

    if (!item) {
        item = create_item(sync, hash_int(group_id, 1));
        item->is_group = true;
        item->group_id = group_id;
    }
    return item;
}

/* Returns what the switch will have for 'item' when it has taken all that is
 * under way, or null for nothing.  Belongs to 'item'. */
const struct of_value *
of_item_belief(const struct of_item *item)
{
    return item->in_flight ? item->sent : item->have;
}

/* Notes that the switch has 'value' for 'item', null for nothing.  Takes over
 * the reference to 'value'. */
void
of_item_set_have(struct of_item *item, struct of_value *value)
{
    of_value_unref(item->have);
    item->have = value;
}

/* Stores in '*value' what the switch should have for 'item', null for nothing.
 * Returns false if 'item' should stay as it is, since the switch has refused
 * each owner. */
bool
of_item_want(const struct of_item *item, struct of_value **value)
{
    const struct of_claim *claim;

    *value = NULL;
    if (ovs_list_is_empty(&item->claims)) {
        return true;
    }
    LIST_FOR_EACH (claim, item_node, &item->claims) {
        if (!claim->owner->refused) {
            *value = claim->value;
            return true;
        }
    }
    return false;
}

/* Puts 'item' into the list of dirty items, in the current epoch, or takes it
 * out, as what it is and should be require. */
void
of_item_touch(struct of_sync *sync, struct of_item *item)
{
    struct of_value *want;
    bool dirty = (of_item_want(item, &want)
                  && (item->unsure
                      || !of_values_equal(sync, want,
                                          of_item_belief(item))));

    if (!ovs_list_is_empty(&item->dirty)) {
        ovs_list_remove(&item->dirty);
        ovs_list_init(&item->dirty);
        sync->n_dirty--;
        /* The oldest one may have left the list for good. */
        sync->oldest_unknown |= !dirty;
    } else {
        item->age = (struct of_age) { sync->epoch, time_msec() };
        sync->stats.changed = time_wall_msec();
    }
    if (dirty) {
        ovs_list_push_back(&sync->dirty, &item->dirty);
        sync->n_dirty++;
        item->epoch = sync->epoch;
        if (item->age.epoch < sync->oldest_dirty.epoch) {
            sync->oldest_dirty = item->age;
        }
    }
}

/* Returns the age of the oldest change that the switch has not
 * acknowledged. */
struct of_age
of_items_oldest(struct of_sync *sync)
{
    if (sync->oldest_unknown) {
        const struct of_item *item;

        sync->oldest_dirty.epoch = UINT64_MAX;
        LIST_FOR_EACH (item, dirty, &sync->dirty) {
            if (item->age.epoch < sync->oldest_dirty.epoch) {
                sync->oldest_dirty = item->age;
            }
        }
        sync->oldest_unknown = false;
    }

    struct of_age oldest = sync->oldest_dirty;

    for (size_t i = 0; i < sync->n_bundles; i++) {
        if (sync->bundles[i].oldest.epoch < oldest.epoch) {
            oldest = sync->bundles[i].oldest;
        }
    }
    return oldest;
}

/* Frees 'item' if it is neither wanted, nor in the switch, nor under way. */
void
of_item_collect(struct of_sync *sync, struct of_item *item)
{
    if (ovs_list_is_empty(&item->claims) && !item->have && !item->in_flight
        && !item->unsure && ovs_list_is_empty(&item->dirty)) {
        hmap_remove(&sync->items, &item->node);
        if (!item->is_group) {
            minimatch_destroy(&item->match);
        }
        free(item);
    }
}

/* Forgets what the switch has for each item.  Frees items that nobody
 * wants. */
void
of_items_forget_switch(struct of_sync *sync)
{
    struct of_item *item;

    HMAP_FOR_EACH_SAFE (item, node, &sync->items) {
        of_item_set_have(item, NULL);
        item->unsure = false;
        if (!ovs_list_is_empty(&item->dirty)) {
            ovs_list_remove(&item->dirty);
            ovs_list_init(&item->dirty);
        }
        of_item_collect(sync, item);
    }
    sync->n_dirty = 0;
    sync->oldest_unknown = true;
}
