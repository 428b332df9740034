/* SPDX-License-Identifier: Apache-2.0 */

#ifndef LB_GROUP_H
#define LB_GROUP_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/lb/lb-table.h"
#include "lib/hash/siphash.h"
#include "openvswitch/list.h"
#include "openvswitch/ofp-errors.h"
#include "openvswitch/thread.h"
#include "ovs-atomic.h"

/* Load-balanced select groups
 * ===========================
 *
 * The control side of a select group with "selection_method=maglev": builds
 * the group's table (lb-table.h), publishes it under an id that stays the
 * group's own through all modifications, and replaces it when buckets change
 * or their liveness does.
 *
 * Open vSwitch never edits a group: a modification makes a new one.  "struct
 * lb_group" belongs to one such version of a group; what all versions share,
 * the id and the key of the hash, is in "struct lb_ident".
 *
 * Buckets are known by what they do, not by their number: a bucket with the
 * same actions and the same watched port and group is the same bucket in every
 * version, keeps its token, and its flows stay with it.
 *
 * selection_method_param: the lower 32 bits are the seed of the hash.  0, the
 * default, stands for the host's key, a random one that outlives the daemon;
 * any other seed gives the same choice on every switch whose group has the
 * same buckets.  The upper 32 bits are the idle timeout of sticky flows, in
 * seconds, at most LB_MAX_TIMEOUT; 0 makes the group stateless.
 *
 * Groups that configuration takes over share one key.  Their controllers may
 * not modify a group but replace it by another with another number, as OVN
 * does whenever a backend comes or goes: by the same key, the buckets of both
 * have the same identities, and all but few flows the same bucket.
 *
 * Thread-safety: versions are made and published by the main thread, and
 * destroyed by any, after a grace period.  lb_mutex guards everything that
 * changes after a version's construction.  Handlers and revalidators only look
 * at the id and the buckets, which do not.
 *
 * The parts: lb-bucket.c gives buckets their identity, lb-key.c keeps the
 * host's key, lb-liveness.c tells whether buckets are alive, lb-params.c knows
 * what a group is to do, lb-group.c makes versions and publishes tables,
 * lb-config.c and lb-rules.c follow other_config, lb-sticky-maker.c makes the
 * table of sticky flows, lb-support.c knows which datapath has the action,
 * lb-show.c is what operators see, and lb-stats.c has statistics survive a
 * modification. */

#define LB_MAX_TIMEOUT 86400

struct dpif_backer;
struct field_array;
struct group_dpif;
struct hmap;
struct ofgroup;
struct ofproto_dpif;
struct ofputil_bucket;
struct smap;

/* What all versions of a group share. */
struct lb_ident {
    struct ovs_list node;            /* In a list of retired ones, or not. */
    long long int retired;           /* When the last version went, in ms. */
    uint32_t id;                     /* In the registry. */
    unsigned int n_versions;         /* Reference count. */
    bool shared_key;                 /* Is 'key' lb_config_shared_key()? */
    bool host_key;                   /* Is 'key' lb_key_get()? */
    uint32_t seed;                   /* Or 0. */
    struct siphash_key key;
    uint64_t salt;
    struct lb_group *current;        /* The version in force, or null. */
};

/* A bucket of one version. */
struct lb_bucket {
    struct ofputil_bucket *bucket;   /* Owned by the group. */
    uint64_t id;                     /* Identity: hash of what it does. */
    uint32_t token;
    bool alive;                      /* As of the table. */
};

struct lb_group {
    struct ovs_list node;            /* In 'lb_published', or empty. */
    struct ovs_list watch_node;      /* In 'watching', or empty. */
    struct group_dpif *group;        /* The version that this belongs to. */
    struct lb_ident *ident;
    ATOMIC(bool) in_force;

    enum lb_input input;
    uint32_t timeout;                /* In seconds; 0: stateless. */
    size_t n_words;
    struct lb_hash_word words[LB_TABLE_MAX_WORDS];

    bool watches;                    /* Does any bucket watch anything? */
    bool stale;                      /* Is the table behind the liveness? */
    struct lb_table *pending;        /* The table until it is published. */

    size_t n_buckets;
    struct lb_bucket *buckets;       /* In order of 'token'. */
};

extern struct ovs_mutex lb_mutex;

/* The version of each group that is in force. */
extern struct ovs_list lb_published OVS_GUARDED_BY(lb_mutex);

/* lb-group.c. */
bool lb_groups_exist(void);
struct lb_group *lb_group_get(const struct group_dpif *);
struct ofproto_dpif *lb_ofproto_dpif(const struct lb_group *);
enum ofperr lb_group_enable(struct group_dpif *);
void lb_group_disable(struct group_dpif *);
void lb_groups_rekey(void);

/* lb-params.c.
 *
 * What a group is to do, be it that its selection method says so or that
 * configuration does. */
struct lb_params {
    enum lb_input input;
    uint32_t timeout;                /* In seconds; 0: stateless. */
    uint32_t seed;                   /* 0: the host's key. */
    bool shared_key;                 /* Has it lb_config_shared_key()? */
    const struct field_array *fields;
};

struct lb_params lb_params_get(const struct ofgroup *);
enum ofperr lb_params_check(const struct ofgroup *);
void lb_log_refusal(const struct ofgroup *, const char *format, ...)
    OVS_PRINTF_FORMAT(2, 3);

/* lb-bucket.c. */
void lb_buckets_init(struct lb_group *, const struct lb_group *old);
void lb_buckets_rekey(struct lb_group *);
struct lb_bucket *lb_bucket_find(const struct lb_group *, uint32_t token);

/* lb-liveness.c. */
bool lb_liveness_update(struct lb_group *);

/* lb-stats.c. */
void lb_stats_continue(struct lb_group *, const struct lb_group *old,
                       bool keep_buckets);

/* lb-config.c. */
bool lb_config_applies(const struct ofgroup *);
struct siphash_key lb_config_shared_key(bool *host_key);
void lb_config_update_groups(const struct dpif_backer *,
                             const struct hmap *ofprotos);
int lb_config_need_sticky(void);

/* lb-rules.c. */
bool lb_rules_set(const struct smap *other_config, bool apply);
const struct lb_params *lb_rules_find(const struct ofgroup *);

/* lb-key.c. */
struct siphash_key lb_key_get(void);
int lb_key_rotate(void);

/* lb-sticky-maker.c. */
int lb_maker_make(size_t n_entries, int numa_node);
bool lb_maker_has_table(void);
bool lb_maker_is_moving(void);

#endif /* lb-group.h */
