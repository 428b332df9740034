/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OF_SYNC_PRIVATE_H
#define OF_SYNC_PRIVATE_H 1

/* What the files of of-sync share.  See of-sync.h. */

#include "openvswitch/hmap.h"
#include "openvswitch/list.h"
#include "openvswitch/match.h"
#include "openvswitch/ofp-errors.h"
#include "openvswitch/ofp-group.h"
#include "openvswitch/shash.h"
#include "of-sync.h"

#define OF_VERSION OFP15_VERSION
#define OF_PROTOCOL OFPUTIL_P_OF15_OXM

/* What a flow or a group does.  Does not change once it is shared. */
struct of_value {
    size_t n_refs;
    bool is_group;

    /* Flow. */
    ovs_be64 cookie;
    struct ofpact *ofpacts;     /* Owned. */
    size_t ofpacts_len;

    /* Group. */
    struct ofputil_group_mod *group;    /* Owned; null for a flow. */
};

/* When something changed. */
struct of_age {
    uint64_t epoch;             /* UINT64_MAX: never. */
    long long int since;        /* In ms. */
};

/* A flow or a group, which is wanted, or there, or both. */
struct of_item {
    struct hmap_node node;      /* In of_sync's 'items'. */
    bool is_group;
    uint32_t group_id;          /* Group. */
    struct minimatch match;     /* Flow. */
    uint8_t table_id;
    uint16_t priority;

    struct ovs_list claims;     /* Contains "struct of_claim"s, in the order
                                 * of the names of their owners. */
    struct of_value *have;      /* What the switch has; null: nothing. */
    struct of_value *sent;      /* What it will have, if 'in_flight'. */
    bool in_flight;             /* In the bundle that is under way. */
    bool unsure;                /* Somebody else has changed it: the switch
                                 * may have anything. */
    bool sent_unsure;           /* 'unsure' was so before it was sent. */
    long long int repaired;     /* When it was last sent so, in ms. */
    struct ovs_list dirty;      /* In of_sync's 'dirty', or empty. */
    uint64_t epoch;             /* Of the change that made it dirty: items of
                                 * one epoch go into the same bundle. */
    struct of_age age;          /* Of the first change since it was sent. */
    struct of_age sent_age;     /* 'age' before it was sent. */
};

/* That an owner wants an item. */
struct of_claim {
    struct ovs_list item_node;  /* In 'item''s 'claims'. */
    struct of_item *item;
    struct ovs_list owner_node; /* In 'owner''s 'claims'. */
    struct of_owner *owner;
    struct of_value *value;
    bool stale;                 /* While the owner's claims are replaced. */
};

struct of_owner {
    char *key;
    struct ovs_list claims;     /* Contains "struct of_claim"s. */
    char *refused;              /* Why the switch does not want it, or null. */
};

/* What was sent under one xid. */
struct of_message {
    ovs_be32 xid;
    struct of_item *item;
};

enum of_bundle_state {
    OF_BUNDLE_NONE,
    OF_BUNDLE_FILLED,           /* All is sent; waits for it to be read. */
    OF_BUNDLE_COMMITTING,
};

struct of_bundle {
    enum of_bundle_state state;
    uint32_t id;
    ovs_be32 xid;               /* Of the control message to be answered. */
    struct of_message *messages;    size_t n, allocated;
    struct of_item **items;         size_t n_items, items_allocated;
    struct of_age oldest;       /* Of the changes in it. */
    enum ofperr error;          /* The first error, */
    struct of_item *bad;        /* and of what, or null. */
};

enum of_state {
    OF_DISCONNECTED,
    OF_DUMPING,                 /* Waits for what the switch has. */
    OF_SYNCING,
};

#define OF_N_LATENCIES 12

struct of_sync {
    struct of_sync_options options;     /* 'remote' is owned. */
    struct rconn *rconn;
    unsigned int seqno;         /* Of the connection. */
    enum of_state state;
    ovs_be32 group_xid, flow_xid, probe_xid;
    ovs_be32 monitor_xid;       /* Of the last request to monitor flows. */
    bool groups_dumped, flows_dumped;
    long long int behind;       /* Since when it is not known what the switch
                                 * has, in ms; 0: it is. */
    uint64_t touched;           /* Epoch when all items were looked at. */
    bool has_lb;
    bool has_meter;
    ovs_be32 meter_add_xid, meter_modify_xid;
    bool has_ct_flush;
    ovs_be32 ct_xid;            /* Of the last NXT_CT_FLUSH. */
    ovs_be32 flush_xid;         /* Of the last barrier after them. */
    struct hmap flushes;        /* Contains "struct of_flush"s. */
    struct ovs_list flushes_waiting, flushes_sent, flushes_again;

    struct hmap items;          /* Contains "struct of_item"s. */
    struct shash owners;        /* Contains "struct of_owner"s. */
    struct ovs_list dirty;      /* Contains "struct of_item"s, by epoch. */
    size_t n_dirty;
    struct of_age oldest_dirty; /* Of those, unless 'oldest_unknown'. */
    bool oldest_unknown;
    uint64_t epoch;
    bool complete;
    struct of_bundle bundle;
    size_t max_messages;        /* Of one bundle. */
    long long int retry;        /* No bundle before this time, in ms. */

    long long int repair;       /* When to put them back, in ms; 0: never. */
    long long int repaired;     /* When that was done last, in ms. */
    int repair_ms;              /* At least so long after that. */
    bool quarrel;               /* What was put back was changed again. */
    uint64_t n_repaired;        /* 'others_changes' at that time. */

    struct shash groups;        /* Name -> group id, as a pointer. */
    struct hmap group_ids;      /* Contains "struct of_group_id"s. */

    struct {
        uint64_t bundles, bundles_failed, refused, connections;
        uint64_t flow_adds, flow_deletes;
        uint64_t group_adds, group_changes, group_deletes;
        uint64_t ct_flushes, ct_flushes_lost;
        uint64_t others_changes, repairs;
        uint64_t latency[OF_N_LATENCIES + 1], n_latency;
        double latency_sum;     /* Seconds. */
    } stats;
};

/* of-item.c */
struct of_value *of_value_ref(struct of_value *);
void of_value_unref(struct of_value *);
struct of_value *of_value_from_group(struct ofputil_group_mod *);
struct of_value *of_value_from_flow(ovs_be64 cookie, const struct ofpact *,
                                    size_t ofpacts_len);
struct ofputil_group_props of_group_props(const struct of_sync *,
                                          const struct ofputil_group_mod *);
bool of_values_equal(const struct of_sync *, const struct of_value *,
                     const struct of_value *);
bool of_groups_alike(const struct of_sync *, const struct ofputil_group_mod *,
                     const struct ofputil_group_mod *);
struct of_item *of_item_find_flow(struct of_sync *, const struct minimatch *,
                                  uint8_t table_id, uint16_t priority);
struct of_item *of_item_get_flow(struct of_sync *, const struct minimatch *,
                                 uint8_t table_id, uint16_t priority);
struct of_item *of_item_get_group(struct of_sync *, uint32_t group_id);
void of_item_set_have(struct of_item *, struct of_value *);
bool of_item_want(const struct of_item *, struct of_value **);
void of_item_touch(struct of_sync *, struct of_item *);
struct of_age of_items_oldest(struct of_sync *);
void of_item_collect(struct of_sync *, struct of_item *);
void of_items_forget_switch(struct of_sync *);
void of_items_touch_all(struct of_sync *);
void of_item_refuse(struct of_sync *, struct of_item *, const char *why);
void of_items_destroy(struct of_sync *);

/* of-bucket.c */
struct of_bucket_diff {
    struct ofputil_bucket **add;        size_t n_add;
    struct ofputil_bucket **remove;     size_t n_remove;
    uint32_t next_id;           /* First bucket id that is free. */
};
void of_bucket_diff(struct ofputil_group_mod *want,
                    const struct ofputil_group_mod *have,
                    struct of_bucket_diff *);
void of_bucket_diff_uninit(struct of_bucket_diff *);

/* of-bundle.c */
void of_bundle_run(struct of_sync *);
void of_bundle_wait(struct of_sync *);
bool of_bundle_reply(struct of_sync *, const struct ofp_header *);
void of_bundle_error(struct of_sync *, const struct ofp_header *,
                     enum ofperr);
void of_bundle_forget(struct of_sync *);

/* of-flush.c */
void of_flush_init(struct of_sync *);
void of_flush_destroy(struct of_sync *);
void of_flush_postpone(struct of_sync *);
void of_flush_restart(struct of_sync *);
void of_flush_run(struct of_sync *);
void of_flush_wait(struct of_sync *);
void of_flush_barrier(struct of_sync *, const struct ofp_header *);
bool of_flush_is_done(const struct of_sync *);

/* of-meter.c */
void of_meter_start(struct of_sync *);
bool of_meter_error(struct of_sync *, const struct ofp_header *,
                    enum ofperr);

/* of-dump.c */
void of_dump_start(struct of_sync *);
void of_dump_groups(struct of_sync *, const struct ofp_header *);
void of_dump_flows(struct of_sync *, const struct ofp_header *);

/* of-monitor.c */
void of_monitor_start(struct of_sync *);
void of_monitor_flows(struct of_sync *, const struct ofp_header *);
void of_monitor_request(struct of_sync *, const struct ofp_header *);
void of_monitor_suspect(struct of_sync *, struct of_item *);
void of_monitor_run(struct of_sync *);
void of_monitor_wait(struct of_sync *);

#endif /* of-sync-private.h */
