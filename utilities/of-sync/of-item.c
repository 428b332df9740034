/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "of-sync-private.h"

#include <stdlib.h>
#include <string.h>

#include "bitmap.h"
#include "hash.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofp-flow.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"
#include "utilities/common/complain.h"

VLOG_DEFINE_THIS_MODULE(of_item);

/* What the buckets of a group may take in a message of 65,535 octets, beside
 * the properties of the group. */
#define MAX_GROUP_BYTES 65000

/* Values. */

struct of_value *
of_value_ref(struct of_value *value)
{
    if (value) {
        value->n_refs++;
    }
    return value;
}

/* Drops a reference to 'value', which may be null. */
void
of_value_unref(struct of_value *value)
{
    if (value && !--value->n_refs) {
        free(value->ofpacts);
        if (value->group) {
            ofputil_uninit_group_mod(value->group);
            free(value->group);
        }
        free(value);
    }
}

/* Returns a copy of the '*len' octets of 'ofpacts', and its length in '*len',
 * that memcmp() finds equal to that of any others that do the same: as they
 * come from the wire, and with zeros for padding. */
static struct ofpact *
canonical_ofpacts(const struct ofpact *ofpacts, size_t *len)
{
    uint64_t stub[512 / 8];
    struct ofpbuf wire = OFPBUF_STUB_INITIALIZER(stub);
    struct ofpbuf copy;
    size_t size = 2 * *len + 256;

    ofpacts_put_openflow_actions(ofpacts, *len, &wire, OFP15_VERSION);
    ofpbuf_use_stub(&copy, xzalloc(size), size);
    copy.source = OFPBUF_MALLOC;
    if (ofpacts_pull_openflow_actions(&wire, wire.size, OFP15_VERSION, NULL,
                                      NULL, &copy)) {
        ofpbuf_clear(&copy);
        ofpbuf_put(&copy, ofpacts, *len);
    }
    ofpbuf_uninit(&wire);
    *len = copy.size;
    return ofpbuf_steal_data(&copy);
}

/* Returns a new value with copies of 'cookie' and 'ofpacts'. */
struct of_value *
of_value_from_flow(ovs_be64 cookie, const struct ofpact *ofpacts,
                   size_t ofpacts_len)
{
    struct of_value *value = xzalloc(sizeof *value);

    value->n_refs = 1;
    value->cookie = cookie;
    value->ofpacts_len = ofpacts_len;
    value->ofpacts = canonical_ofpacts(ofpacts, &value->ofpacts_len);
    return value;
}

/* Returns the properties of 'gm' as the switch can have them: one without the
 * method gets the nearest that it has, "dp_hash" or, for a choice of fields,
 * "hash".  Shares what they point to. */
struct ofputil_group_props
of_group_props(const struct of_sync *sync, const struct ofputil_group_mod *gm)
{
    struct ofputil_group_props props = gm->props;

    if (!sync->has_lb && !strcmp(props.selection_method, "maglev")) {
        bool fields = !bitmap_is_all_zeros(props.fields.used.bm, MFF_N_IDS);

        ovs_strlcpy(props.selection_method, fields ? "hash" : "dp_hash",
                    sizeof props.selection_method);
        props.selection_method_param = 0;
    }
    return props;
}

/* Returns a new value that takes over what 'gm' owns, which has no buckets and
 * no fields any more. */
struct of_value *
of_value_from_group(struct ofputil_group_mod *gm)
{
    struct of_value *value = xzalloc(sizeof *value);
    struct ofputil_bucket *bucket;

    value->n_refs = 1;
    value->is_group = true;
    value->group = xmemdup(gm, sizeof *gm);
    ovs_list_move(&value->group->buckets, &gm->buckets);
    ovs_list_init(&gm->buckets);
    memset(&gm->props.fields, 0, sizeof gm->props.fields);
    LIST_FOR_EACH (bucket, list_node, &value->group->buckets) {
        struct ofpact *ofpacts = bucket->ofpacts;

        bucket->ofpacts = canonical_ofpacts(ofpacts, &bucket->ofpacts_len);
        free(ofpacts);
    }
    return value;
}

static bool
props_equal(const struct ofputil_group_props *a,
            const struct ofputil_group_props *b)
{
    return (!strcmp(a->selection_method, b->selection_method)
            && a->selection_method_param == b->selection_method_param
            && !memcmp(&a->fields.used, &b->fields.used,
                       sizeof a->fields.used)
            && a->fields.values_size == b->fields.values_size
            && (!a->fields.values_size
                || !memcmp(a->fields.values, b->fields.values,
                           a->fields.values_size)));
}

/* Returns true if 'a' and 'b', of the same group, differ in their buckets at
 * most. */
bool
of_groups_alike(const struct of_sync *sync, const struct ofputil_group_mod *a,
                const struct ofputil_group_mod *b)
{
    struct ofputil_group_props x = of_group_props(sync, a);
    struct ofputil_group_props y = of_group_props(sync, b);

    return a->type == b->type && props_equal(&x, &y);
}

/* Returns true if 'a' and 'b', of the same item, do the same.  May change the
 * ids of the buckets of 'a'. */
bool
of_values_equal(const struct of_sync *sync, const struct of_value *a,
                const struct of_value *b)
{
    if (a == b) {
        return true;
    } else if (!a || !b) {
        return false;
    } else if (!a->is_group) {
        return (a->cookie == b->cookie
                && ofpacts_equal(a->ofpacts, a->ofpacts_len,
                                 b->ofpacts, b->ofpacts_len));
    } else {
        struct of_bucket_diff diff;
        bool equal;

        if (!of_groups_alike(sync, a->group, b->group)) {
            return false;
        }
        of_bucket_diff(a->group, b->group, &diff);
        equal = !diff.n_add && !diff.n_remove;
        of_bucket_diff_uninit(&diff);
        return equal;
    }
}

/* Items. */

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

/* Returns the item of a flow, or null if there is none. */
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

/* Returns the item of a flow, which it creates if there is none. */
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

/* The same for a group. */
struct of_item *
of_item_get_group(struct of_sync *sync, uint32_t group_id)
{
    uint32_t hash = hash_int(group_id, 1);
    struct of_item *item;

    HMAP_FOR_EACH_WITH_HASH (item, node, hash, &sync->items) {
        if (item->is_group && item->group_id == group_id) {
            return item;
        }
    }
    item = create_item(sync, hash);
    item->is_group = true;
    item->group_id = group_id;
    return item;
}

/* Makes 'value', of which it takes over the reference, what the switch has of
 * 'item'. */
void
of_item_set_have(struct of_item *item, struct of_value *value)
{
    of_value_unref(item->have);
    item->have = value;
}

/* Stores in '*value' what the switch should have of 'item', null for nothing.
 * Returns false if it should stay as it is. */
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

/* Looks whether 'item' is to be sent, in the current epoch. */
void
of_item_touch(struct of_sync *sync, struct of_item *item)
{
    struct of_value *want;
    bool dirty = (of_item_want(item, &want)
                  && (item->unsure
                      || !of_values_equal(sync, want, item->in_flight
                                          ? item->sent : item->have)));

    if (!ovs_list_is_empty(&item->dirty)) {
        ovs_list_remove(&item->dirty);
        ovs_list_init(&item->dirty);
        sync->n_dirty--;
        /* Unless it comes back at once. */
        sync->oldest_unknown |= !dirty;
    } else {
        item->age = (struct of_age) { sync->epoch, time_msec() };
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
    if (sync->bundle.state != OF_BUNDLE_NONE
        && sync->bundle.oldest.epoch < sync->oldest_dirty.epoch) {
        return sync->bundle.oldest;
    }
    return sync->oldest_dirty;
}

/* Frees 'item' if nobody needs it. */
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

/* After the connection was lost: nothing is known of the switch any more, not
 * even what it refuses. */
void
of_items_forget_switch(struct of_sync *sync)
{
    struct shash_node *node;
    struct of_item *item;

    SHASH_FOR_EACH (node, &sync->owners) {
        struct of_owner *owner = node->data;

        free(owner->refused);
        owner->refused = NULL;
    }
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

/* Looks at all items, in one epoch for each owner. */
void
of_items_touch_all(struct of_sync *sync)
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
    of_flush_postpone(sync);
}

/* Owners. */

/* Makes 'owner' want 'value', of which it takes over the reference, of
 * 'item'. */
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
        complain_once("%s and %s want the same address and port: %s has it",
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

/* Removes the claims of 'owner' that are stale, and looks at all of its
 * items, in a new epoch. */
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

/* Drops the last buckets of 'gm' if all of them would not fit into the message
 * by which a switch tells what a group has: Open vSwitch would send
 * garbage. */
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
        /* With a header and up to three properties of 8 octets each. */
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
        complain_once("%s: of %"PRIuSIZE" endpoints only %"PRIuSIZE" fit into "
                      "an OpenFlow message: the others get nothing", key,
                      n_all, n);
    }
}

/* Replaces all flows and groups that 'key' wants.  Takes over what the
 * elements of the arrays own, not the arrays.  Of a flow, its table, priority,
 * match, cookie ('new_cookie') and actions count; of a group, its id, type,
 * properties and buckets, but not the ids of the buckets. */
void
of_sync_replace(struct of_sync *sync, const char *key,
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

/* The same with nothing. */
void
of_sync_remove(struct of_sync *sync, const char *key)
{
    struct of_owner *owner = shash_find_data(&sync->owners, key);

    if (owner) {
        destroy_owner(sync, owner);
    }
}

/* Nobody wants anything any more. */
void
of_sync_clear(struct of_sync *sync)
{
    struct shash_node *node;

    SHASH_FOR_EACH_SAFE (node, &sync->owners) {
        destroy_owner(sync, node->data);
    }
    of_sync_set_complete(sync);
}

/* The switch refused what is wanted of 'item', because of 'why': its owner has
 * to do without all of its changes. */
void
of_item_refuse(struct of_sync *sync, struct of_item *item, const char *why)
{
    struct of_claim *claim;

    LIST_FOR_EACH (claim, item_node, &item->claims) {
        struct of_owner *owner = claim->owner;

        if (!owner->refused) {
            owner->refused = xstrdup(why);
            sync->stats.refused++;
            VLOG_WARN("%s: the switch refuses a %s of it: %s", owner->key,
                      item->is_group ? "group" : "flow", why);
            update_owner(sync, owner);
            return;
        }
    }
}

/* Returns why the switch does not have what 'key' wants, or null. */
const char *
of_sync_refused(const struct of_sync *sync, const char *key)
{
    const struct of_owner *owner = shash_find_data(&sync->owners, key);

    return owner ? owner->refused : NULL;
}

/* Frees all owners and items. */
void
of_items_destroy(struct of_sync *sync)
{
    of_items_forget_switch(sync);
    of_sync_clear(sync);
    ovs_assert(hmap_is_empty(&sync->items));
}
