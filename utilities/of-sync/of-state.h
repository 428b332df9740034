/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OF_STATE_H
#define OF_STATE_H 1

/* The state that the files of of-sync share
 * =========================================
 *
 * Types only.  A comment says which file keeps a group of members; the others
 * only read them.
 *
 * Time is counted twice.  An epoch is a number that grows with each change of
 * an owner's wishes: it orders changes.  Milliseconds, as of time_msec(), say
 * how long something takes.
 *
 * Thread-safety: as of-sync.h. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "of-options.h"
#include "openvswitch/hmap.h"
#include "openvswitch/list.h"
#include "openvswitch/ofp-errors.h"
#include "openvswitch/shash.h"
#include "openvswitch/types.h"

struct of_item;

#define OF_VERSION OFP15_VERSION
#define OF_PROTOCOL OFPUTIL_P_OF15_OXM

/* When something changed. */
struct of_age {
    uint64_t epoch;             /* UINT64_MAX: never. */
    long long int since;        /* In ms. */
};

/* Limit for the bundles that are under way. */
#define OF_MAX_BUNDLES 2

/* The message, and so the item, that an error with this xid is about. */
struct of_message {
    ovs_be32 xid;
    struct of_item *item;
};

/* An item of a bundle. */
struct of_sent {
    struct of_item *item;
    struct of_value *value;     /* What the switch will have. */
    struct of_age age;          /* The item's, as it was when sent, */
    bool unsure;                /* and the same. */
};

enum of_bundle_state {
    OF_BUNDLE_FILLED,           /* All messages and the close are sent. */
    OF_BUNDLE_CLOSED,           /* The switch has answered the close. */
    OF_BUNDLE_COMMITTING,       /* Only the first one under way. */
};

struct of_bundle {
    enum of_bundle_state state;
    uint32_t id;
    ovs_be32 xid;               /* Of the control message to be answered. */
    struct of_message *messages;    size_t n, allocated;
    struct of_sent *items;          size_t n_items, items_allocated;
    struct of_age oldest;       /* Of the changes in the bundle. */
    enum ofperr error;          /* The first error, */
    struct of_item *bad;        /* and its item, or null. */
};

/* A walk of the switch through its connections.  Times are in us. */
struct of_walk {
    struct of_sync_ct ct;       /* What the message selects, */
    bool many;                  /* which may be many connections. */
    ovs_be32 xid;               /* Of the barrier after it. */
    unsigned int n_walks;       /* Times that it was sent. */
    long long int started;      /* When it was last sent. */
    long long int best_us;      /* The least that it took. */
    unsigned int n_stalls;      /* Times in a row that it took as long. */

    long long int least_us;     /* What any message takes at least. */
    long long int budget;       /* Time for the next ones, */
    long long int filled;       /* and when that grew. */
};

enum of_state {
    OF_DISCONNECTED,
    OF_DUMPING,                 /* Waits to hear what the switch has. */
    OF_SYNCING,
};

/* Classes of latency: up to 1, 2, 4, ... 2,048 ms. */
#define OF_N_LATENCIES 12

struct of_sync {
    struct of_sync_options options;     /* 'remote' is owned. */

    /* of-sync.c */
    struct rconn *rconn;
    unsigned int seqno;         /* Of the connection. */
    enum of_state state;        /* of-dump.c ends OF_DUMPING. */
    ovs_be32 probe_xid;
    bool has_lb;                /* The switch knows "maglev". */
    long long int behind;       /* The switch may lack changes from this time,
                                 * in ms, on; 0: it has caught up. */

    /* of-dump.c */
    ovs_be32 group_xid, flow_xid;
    bool groups_dumped, flows_dumped;
    bool dumped;                /* Once, at least. */
    of_sync_bucket_cb *bucket_cb;   /* Null if nobody asks. */
    void *bucket_aux;

    /* of-owner.c */
    struct shash owners;        /* Contains "struct of_owner"s. */
    bool complete;              /* All owners have said what they want. */
    uint64_t touched;           /* Epoch of the last look at all items. */

    /* of-item.c */
    struct hmap items;          /* Contains "struct of_item"s. */
    struct ovs_list dirty;      /* Contains "struct of_item"s, by epoch. */
    size_t n_dirty;
    struct of_age oldest_dirty; /* Of 'dirty', unless 'oldest_unknown'. */
    bool oldest_unknown;
    uint64_t epoch;

    /* of-bundle.c */
    struct of_bundle bundles[OF_MAX_BUNDLES]; /* In the order of sending; */
    size_t n_bundles;           /* so many of them are under way. */
    uint32_t bundle_id;         /* Of the last one. */
    size_t max_messages;        /* Of one bundle. */
    long long int retry;        /* No bundle before this time, in ms. */

    /* of-monitor.c */
    ovs_be32 monitor_xid;       /* Of the last request to monitor flows. */
    long long int repair;       /* When to put items back, in ms; 0: never. */
    long long int repaired;     /* When items were last put back, in ms. */
    int repair_ms;              /* The least time between the two. */
    bool quarrel;               /* What was put back was changed again. */
    uint64_t n_repaired;        /* 'others_changes' when last put back. */

    /* of-flush.c */
    bool has_ct_flush;          /* The switch knows NXT_CT_FLUSH. */
    ovs_be32 ct_xid;            /* Of the last NXT_CT_FLUSH. */
    struct hmap flushes;        /* Contains "struct of_flush"s. */
    struct ovs_list flushes_waiting, flushes_sent, flushes_again;

    /* of-walk.c */
    struct of_walk walk;

    /* of-meter.c */
    bool has_meter;
    struct of_meter *meters;    /* As many as 'options' say. */
    long long int meter_retry;  /* Not sent again before, in ms. */

    /* of-group-id.c */
    struct shash groups;        /* Contains "struct of_group_id"s, by name. */
    struct hmap group_ids;      /* The same, by id. */

    /* of-stats.c */
    struct hmap counters;       /* Contains "struct of_counters"s. */
    unsigned int counters_round;    /* Number of the last question. */
    ovs_be32 counters_desc_xid, counters_xid;
    long long int counters_read;    /* When somebody last watched, in ms. */
    bool counters_once;             /* Somebody wants them once. */
    long long int counters_next;    /* When to ask again, in ms. */

    struct {
        uint64_t bundles, bundles_failed, refused, connections;
        uint64_t flow_adds, flow_deletes;
        uint64_t group_adds, group_changes, group_deletes;
        uint64_t ct_flushes, ct_flushes_lost;
        uint64_t others_changes, repairs;
        uint64_t latency[OF_N_LATENCIES + 1], n_latency;
        double latency_sum;     /* Seconds. */
        long long int changed, synced;  /* In ms, as of time_wall_msec(). */
    } stats;
};

#endif /* of-state.h */
