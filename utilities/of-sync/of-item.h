/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OF_ITEM_H
#define OF_ITEM_H 1

/* Flows and groups: what the switch has and what it should have
 * =============================================================
 *
 * An item is one flow, known by table, priority and match, or one group, known
 * by its id.  It exists while an owner claims it, the switch has it, or a
 * message about it is under way.
 *
 * An item is dirty while the switch should have something else than it has or
 * has been sent.  Dirty items wait in of_sync's 'dirty', in the order of their
 * epochs.  Items of one epoch go into the same bundle.
 *
 * Thread-safety: as of-sync.h. */

#include <stdbool.h>
#include <stdint.h>
#include "of-state.h"
#include "openvswitch/hmap.h"
#include "openvswitch/list.h"
#include "openvswitch/match.h"

struct of_value;

/* A flow or a group that is wanted, or that the switch has, or both. */
struct of_item {
    struct hmap_node node;      /* In of_sync's 'items'. */
    bool is_group;
    uint32_t group_id;          /* Group only. */
    struct minimatch match;     /* Flow only, like the next two. */
    uint8_t table_id;
    uint16_t priority;

    struct ovs_list claims;     /* Contains "struct of_claim"s, in the order
                                 * of their owners' keys. */
    struct of_value *have;      /* What the switch has; null: nothing. */
    struct of_value *sent;      /* What it will have, if 'in_flight'.  Belongs
                                 * to the last of those bundles. */
    unsigned int in_flight;     /* Bundles under way with this item. */
    bool unsure;                /* Somebody else has changed it: the switch
                                 * may have anything. */
    long long int repaired;     /* When it was last sent while 'unsure', in
                                 * ms. */
    struct ovs_list dirty;      /* In of_sync's 'dirty', or empty. */
    uint64_t epoch;             /* Of the change that made it dirty. */
    struct of_age age;          /* Of the first change since it was sent. */
};

/* The wish of one owner for one item. */
struct of_claim {
    struct ovs_list item_node;  /* In 'item''s 'claims'. */
    struct of_item *item;
    struct ovs_list owner_node; /* In 'owner''s 'claims'. */
    struct of_owner *owner;
    struct of_value *value;
    bool stale;                 /* Not claimed again, while the owner's claims
                                 * are replaced. */
};

struct of_owner {
    char *key;
    struct ovs_list claims;     /* Contains "struct of_claim"s. */
    char *refused;              /* The switch's error, or null. */
};

struct of_item *of_item_find_flow(struct of_sync *, const struct minimatch *,
                                  uint8_t table_id, uint16_t priority);
struct of_item *of_item_get_flow(struct of_sync *, const struct minimatch *,
                                 uint8_t table_id, uint16_t priority);
struct of_item *of_item_find_group(const struct of_sync *, uint32_t group_id);
struct of_item *of_item_get_group(struct of_sync *, uint32_t group_id);
const struct of_value *of_item_belief(const struct of_item *);
void of_item_set_have(struct of_item *, struct of_value *);
bool of_item_want(const struct of_item *, struct of_value **);
void of_item_touch(struct of_sync *, struct of_item *);
struct of_age of_items_oldest(struct of_sync *);
void of_item_collect(struct of_sync *, struct of_item *);
void of_items_forget_switch(struct of_sync *);

#endif /* of-item.h */
