/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "of-owner.h"

#include <stdlib.h>
#include <string.h>

#include "of-item.h"
#include "of-state.h"
#include "of-value.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofp-flow.h"
#include "openvswitch/ofp-group.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/vlog.h"
#include "util.h"
#include "utilities/common/complain.h"

VLOG_DEFINE_THIS_MODULE(of_owner);

/* Room for the buckets of a group in a message of 65,535 octets, with some
 * left for the group's properties. */
#define MAX_GROUP_BYTES 65000

/* Looks at each item again: is it as it should be?  Each owner's items get an
 * epoch of their own. */
void
of_owners_touch_all(struct of_sync *sync)
{
    struct shash_node *node;
    struct of_item *item;

    SHASH_FOR_EACH (node, &sync->owners) {
        struct of_owner *owner = node->data;
        struct of_claim *claim;

        sync->epoch++;
        LIST_FOR_EACH (claim, owner_node, &owner->claims) {
            of_item_touch(sync, claim->item);
        }
    }
    sync->epoch++;
    HMAP_FOR_EACH_SAFE (item, node, &sync->items) {
        if (ovs_list_is_empty(&item->claims)) {
            of_item_touch(sync, item);
            of_item_collect(sync, item);
        }
    }
    sync->touched = sync->epoch;
}

/* Forgets what the switch has and what it has refused, after the connection
 * was lost. */
void
of_owners_forget_switch(struct of_sync *sync)
{
    struct shash_node *node;

    SHASH_FOR_EACH (node, &sync->owners) {
        struct of_owner *owner = node->data;

        free(owner->refused);
        owner->refused = NULL;
    }
    of_items_forget_switch(sync);
}

/* Makes 'owner' want 'value' for 'item'.  Takes over the reference to
 * 'value'. */
static void
add_claim(struct of_sync *sync, struct of_owner *owner, struct of_item *item,
          struct of_value *value)
{
    struct of_claim *claim, *other, *first;

    LIST_FOR_EACH (other, item_node, &item->claims) {
        if (other->owner == owner) {
            of_value_unref(other->value);
            other->value = value;
            other->stale = false;
            return;
        }
    }
    claim = xzalloc(sizeof *claim);
    claim->item = item;
    claim->owner = owner;
    claim->value = value;
    LIST_FOR_EACH (other, item_node, &item->claims) {
        if (strcmp(owner->key, other->owner->key) < 0) {
            break;
        }
    }
    ovs_list_insert(other ? &other->item_node : &item->claims,
                    &claim->item_node);
    ovs_list_push_back(&owner->claims, &claim->owner_node);

    first = CONTAINER_OF(ovs_list_front(&item->claims), struct of_claim,
                         item_node);
    other = CONTAINER_OF(ovs_list_back(&item->claims), struct of_claim,
                         item_node);
    if (first != other && !of_values_equal(sync, first->value, other->value)) {
        complain_once("%s and %s want the same flow or group: %s gets it",
                      first->owner->key, other->owner->key,
                      first->owner->key);
    }
}

static void
remove_claim(struct of_claim *claim)
{
    ovs_list_remove(&claim->item_node);
    ovs_list_remove(&claim->owner_node);
    of_value_unref(claim->value);
    free(claim);
}

/* Removes the stale claims of 'owner', and looks at all of its items, in a new
 * epoch. */
static void
update_owner(struct of_sync *sync, struct of_owner *owner)
{
    struct of_claim *claim;

    sync->epoch++;
    LIST_FOR_EACH_SAFE (claim, owner_node, &owner->claims) {
        struct of_item *item = claim->item;

        if (claim->stale) {
            remove_claim(claim);
        }
        if (sync->state == OF_SYNCING && sync->complete) {
            of_item_touch(sync, item);
        }
        of_item_collect(sync, item);
    }
}

static struct of_owner *
get_owner(struct of_sync *sync, const char *key)
{
    struct of_owner *owner = shash_find_data(&sync->owners, key);

    if (!owner) {
        owner = xzalloc(sizeof *owner);
        owner->key = xstrdup(key);
        ovs_list_init(&owner->claims);
        shash_add(&sync->owners, key, owner);
    }
    return owner;
}

static void
make_stale(struct of_owner *owner)
{
    struct of_claim *claim;

    free(owner->refused);
    owner->refused = NULL;
    LIST_FOR_EACH (claim, owner_node, &owner->claims) {
        claim->stale = true;
    }
}

/* Drops the last buckets of 'gm' if the switch could not list the group in one
 * message: Open vSwitch would send garbage. */
static void
limit_buckets(const char *key, struct ofputil_group_mod *gm)
{
    bool is_select = gm->type == OFPGT11_SELECT;
    struct ofpbuf b;
    struct ofputil_bucket *bucket;
    size_t size = 0, n = 0, n_all = ovs_list_size(&gm->buckets);

    ofpbuf_init(&b, 0);
    LIST_FOR_EACH_SAFE (bucket, list_node, &gm->buckets) {
        ofpbuf_clear(&b);
        ofpacts_put_openflow_actions(bucket->ofpacts, bucket->ofpacts_len, &b,
                                     OF_VERSION);
        /* A bucket has a header and up to three properties, of 8 octets
         * each. */
        size += (b.size + 8 + 8 * (is_select || bucket->weight)
                 + 8 * (bucket->watch_port != OFPP_ANY)
                 + 8 * (bucket->watch_group != OFPG_ANY));
        if (size <= MAX_GROUP_BYTES) {
            n++;
        } else {
            ovs_list_remove(&bucket->list_node);
            free(bucket->ofpacts);
            free(bucket);
        }
    }
    ofpbuf_uninit(&b);
    if (n < n_all) {
        complain_once("%s: only %"PRIuSIZE" of %"PRIuSIZE" buckets fit into "
                      "an OpenFlow message: the others get nothing", key,
                      n, n_all);
    }
}

/* Replaces all flows and groups that 'key' wants.  Takes over what the
 * elements of the arrays own, but not the arrays.
 *
 * A flow counts by its table, priority, match, cookie ('new_cookie') and
 * actions; a group by its id, type, properties and buckets.  The ids of
 * buckets do not count. */
void
of_owner_replace(struct of_sync *sync, const char *key,
                 struct ofputil_flow_mod *flows, size_t n_flows,
                 struct ofputil_group_mod *groups, size_t n_groups)
{
    struct of_owner *owner = get_owner(sync, key);

    make_stale(owner);
    for (size_t i = 0; i < n_groups; i++) {
        struct ofputil_group_mod *gm = &groups[i];

        limit_buckets(key, gm);
        add_claim(sync, owner, of_item_get_group(sync, gm->group_id),
                  of_value_from_group(gm));
    }
    for (size_t i = 0; i < n_flows; i++) {
        struct ofputil_flow_mod *fm = &flows[i];

        add_claim(sync, owner,
                  of_item_get_flow(sync, &fm->match, fm->table_id,
                                   fm->priority),
                  of_value_from_flow(fm->new_cookie, fm->ofpacts,
                                     fm->ofpacts_len));
        minimatch_destroy(&fm->match);
        free(fm->ofpacts);
    }
    update_owner(sync, owner);
}

static void
destroy_owner(struct of_sync *sync, struct of_owner *owner)
{
    make_stale(owner);
    update_owner(sync, owner);
    shash_find_and_delete(&sync->owners, owner->key);
    free(owner->key);
    free(owner);
}

/* Makes 'key' want nothing.  The switch's flows and groups for it are
 * deleted. */
void
of_owner_remove(struct of_sync *sync, const char *key)
{
    struct of_owner *owner = shash_find_data(&sync->owners, key);

    if (owner) {
        destroy_owner(sync, owner);
    }
}

/* Says that all owners have said what they want.  From now on the switch is
 * changed, and flows and groups that nobody wants are deleted. */
void
of_owners_set_complete(struct of_sync *sync)
{
    if (!sync->complete) {
        sync->complete = true;
        if (sync->state == OF_SYNCING) {
            of_owners_touch_all(sync);
        }
    }
}

/* Removes all keys, and so all flows and groups from the switch. */
void
of_owners_clear(struct of_sync *sync)
{
    struct shash_node *node;

    SHASH_FOR_EACH_SAFE (node, &sync->owners) {
        destroy_owner(sync, node->data);
    }
    of_owners_set_complete(sync);
}

/* Notes that the switch has refused 'item', because of 'why'.  All changes of
 * its owner are withdrawn. */
void
of_owner_refuse(struct of_sync *sync, struct of_item *item, const char *why)
{
    struct of_claim *claim;

    LIST_FOR_EACH (claim, item_node, &item->claims) {
        struct of_owner *owner = claim->owner;

        if (!owner->refused) {
            owner->refused = xstrdup(why);
            sync->stats.refused++;
            VLOG_WARN("%s: the switch refuses a %s: %s", owner->key,
                      item->is_group ? "group" : "flow", why);
            update_owner(sync, owner);
            return;
        }
    }
}

/* Returns the switch's error for 'key', or null. */
const char *
of_owner_refused(const struct of_sync *sync, const char *key)
{
    const struct of_owner *owner = shash_find_data(&sync->owners, key);

    return owner ? owner->refused : NULL;
}

/* Frees all owners and items. */
void
of_owners_destroy(struct of_sync *sync)
{
    of_owners_forget_switch(sync);
    of_owners_clear(sync);
    ovs_assert(hmap_is_empty(&sync->items));
}
