/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-ext/lb/lb-group.h"
#include "ofproto-ext/lb/lb-ofproto-hooks.h"

#include "entropy.h"
#include "lib/lb/lb-registry.h"
#include "lib/lb/lb-sticky.h"
#include "lib/lb/maglev.h"
#include "ofproto-ext/lb/lb-fields.h"
#include "ofproto/ofproto-dpif.h"
#include "ofproto/ofproto-provider.h"
#include "openvswitch/ofp-group.h"
#include "openvswitch/vlog.h"
#include "ovs-rcu.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(lb_group);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(60, 60);

struct ovs_mutex lb_mutex = OVS_MUTEX_INITIALIZER;
struct ovs_list lb_published = OVS_LIST_INITIALIZER(&lb_published);

/* Those of them whose liveness can change. */
static struct ovs_list watching OVS_GUARDED_BY(lb_mutex)
    = OVS_LIST_INITIALIZER(&watching);

/* Length of 'lb_published'. */
static atomic_count n_published = ATOMIC_COUNT_INIT(0);

/* Idents whose last version went, oldest first.  A group that stops to be
 * load-balanced leaves megaflows with its id until they are revalidated; so
 * its table stays a while, but only of so many groups. */
#define RETIRED_MS 10000
#define MAX_RETIRED 256

static struct ovs_list retired OVS_GUARDED_BY(lb_mutex)
    = OVS_LIST_INITIALIZER(&retired);
static unsigned int n_retired OVS_GUARDED_BY(lb_mutex);

/* Returns the load-balancing part of 'group', or null if it has none.  Any
 * thread; valid until it next quiesces. */
struct lb_group *
lb_group_get(const struct group_dpif *group)
{
    struct lb_group *lb;

    atomic_read_explicit(&CONST_CAST(struct group_dpif *, group)->lb.p, &lb,
                         memory_order_acquire);
    return lb;
}

static void
set_lb_group(struct group_dpif *group, struct lb_group *lb)
{
    atomic_store_explicit(&group->lb.p, lb, memory_order_release);
}

/* The same for any group, or null. */
static struct lb_group *
lb_group_of(const struct ofgroup *group)
{
    return (group && group->ofproto->ofproto_class == &ofproto_dpif_class
            ? lb_group_get(CONTAINER_OF(group, struct group_dpif, up))
            : NULL);
}

struct ofproto_dpif *
lb_ofproto_dpif(const struct lb_group *lb)
{
    return CONTAINER_OF(lb->group->up.ofproto, struct ofproto_dpif, up);
}

/* Tables. */

static void
destroy_table_cb(struct lb_table *table)
{
    lb_table_destroy(table);
}

/* Makes 'table', which may be null, what the data path uses for 'ident'. */
static void
set_table(const struct lb_ident *ident, struct lb_table *table)
    OVS_REQUIRES(lb_mutex)
{
    struct lb_table *old = lb_registry_set(ident->id, table);

    if (old) {
        ovsrcu_postpone(destroy_table_cb, old);
    }
}

/* Builds the table of 'lb'.  Returns it, or null if there is no memory for
 * it. */
static struct lb_table *
build_table(struct lb_group *lb)
{
    struct lb_member *members = xcalloc(lb->n_buckets, sizeof *members);
    struct lb_table_config config = {
        .key = lb->ident->key,
        .input = lb->input,
        .salt = lb->ident->salt,
        .timeout = lb->timeout * LB_STICKY_TICKS_PER_SEC,
        .n_words = lb->n_words,
        .words = lb->words,
    };
    struct lb_table *table;

    for (size_t i = 0; i < lb->n_buckets; i++) {
        const struct lb_bucket *b = &lb->buckets[i];

        members[i] = (struct lb_member) { .id = b->id,
                                          .token = b->token,
                                          .weight = b->bucket->weight,
                                          .alive = b->alive };
    }

    int error = lb_table_build(members, lb->n_buckets, &config, &table);

    free(members);
    if (error) {
        VLOG_WARN_RL(&rl, "group %"PRIu32": no table for load balancing (%s)",
                     lb->group->up.group_id, ovs_strerror(error));
        return NULL;
    }
    return table;
}

/* Idents. */

static void
destroy_ident(struct lb_ident *ident)
    OVS_REQUIRES(lb_mutex)
{
    set_table(ident, NULL);
    lb_registry_free_id(ident->id);
    free(ident);
}

/* Destroys the idents that have been retired for long enough. */
static void
sweep_retired(void)
    OVS_REQUIRES(lb_mutex)
{
    long long int before = time_msec() - RETIRED_MS;
    struct lb_ident *ident;

    LIST_FOR_EACH_SAFE (ident, node, &retired) {
        if (n_retired <= MAX_RETIRED && ident->retired > before) {
            break;
        }
        ovs_list_remove(&ident->node);
        n_retired--;
        destroy_ident(ident);
    }
}

/* Returns a new ident with the shared key or, if 'shared_key' is false, the
 * key that 'seed' stands for, or null if no id is free. */
static struct lb_ident *
create_ident(bool shared_key, uint32_t seed)
    OVS_REQUIRES(lb_mutex)
{
    uint32_t id;

    sweep_retired();
    id = lb_registry_alloc_id();
    if (!id) {
        return NULL;
    }

    struct lb_ident *ident = xzalloc(sizeof *ident);

    ident->id = id;
    ident->shared_key = shared_key;
    ident->seed = seed;
    if (shared_key) {
        ident->key = lb_config_shared_key(&ident->host_key);
    } else if (seed) {
        ident->key.k0 = seed;
    } else {
        ident->key = lb_key_get();
        ident->host_key = true;
    }
    get_entropy_or_die(&ident->salt, sizeof ident->salt);
    return ident;
}

static void
unref_ident(struct lb_ident *ident)
    OVS_REQUIRES(lb_mutex)
{
    if (!--ident->n_versions) {
        ident->retired = time_msec();
        ovs_list_push_back(&retired, &ident->node);
        n_retired++;
        sweep_retired();
    }
}

/* Versions. */

/* Returns true if any group is load-balanced.  Any thread. */
bool
lb_groups_exist(void)
{
    return atomic_count_get(&n_published) > 0;
}

static void
publish_version(struct lb_group *lb)
    OVS_REQUIRES(lb_mutex)
{
    ovs_list_push_back(&lb_published, &lb->node);
    atomic_count_inc(&n_published);
    if (lb->watches) {
        ovs_list_push_back(&watching, &lb->watch_node);
    }
    lb->ident->current = lb;
    atomic_store_relaxed(&lb->in_force, true);
    set_table(lb->ident, lb->pending);
    lb->pending = NULL;
}

/* Takes 'lb' out of force, if it is in force. */
static void
withdraw_version(struct lb_group *lb)
    OVS_REQUIRES(lb_mutex)
{
    if (!ovs_list_is_empty(&lb->node)) {
        ovs_list_remove(&lb->node);
        ovs_list_init(&lb->node);
        ovs_list_remove(&lb->watch_node);
        ovs_list_init(&lb->watch_node);
        atomic_count_dec(&n_published);
        if (lb->ident->current == lb) {
            lb->ident->current = NULL;
        }
        atomic_store_relaxed(&lb->in_force, false);
    }
}

static void
destroy_version(struct lb_group *lb)
{
    ovs_mutex_lock(&lb_mutex);
    withdraw_version(lb);
    unref_ident(lb->ident);
    ovs_mutex_unlock(&lb_mutex);

    lb_table_destroy(lb->pending);
    free(lb->buckets);
    free(lb);
}

/* Creates the load-balancing part of 'group', after that of 'old', which may
 * be null, and its table, and stores it in '*lbp', or returns an error. */
static enum ofperr
create_version(struct group_dpif *group, const struct lb_group *old,
               struct lb_group **lbp)
    OVS_REQUIRES(lb_mutex)
{
    const struct lb_params params = lb_params_get(&group->up);
    struct lb_group *lb = xzalloc(sizeof *lb);

    *lbp = NULL;
    ovs_list_init(&lb->node);
    ovs_list_init(&lb->watch_node);
    lb->group = group;

    lb->input = params.input;
    lb->timeout = params.timeout;

    enum ofperr error = lb_fields_to_words(params.fields, lb->words,
                                           &lb->n_words);
    if (!error && lb->timeout && lb_config_need_sticky()) {
        lb_log_refusal(&group->up, "no memory to remember flows");
        error = OFPERR_OFPGMFC_OUT_OF_BUCKETS;
    }
    if (error) {
        free(lb);
        return error;
    }

    if (old && (old->ident->shared_key != params.shared_key
                || old->ident->seed != params.seed)) {
        old = NULL;
    }
    lb->ident = (old ? old->ident
                 : create_ident(params.shared_key, params.seed));
    if (!lb->ident) {
        lb_log_refusal(&group->up, "there are %d load-balanced groups",
                       LB_REGISTRY_MAX_ID);
        free(lb);
        return OFPERR_OFPGMFC_OUT_OF_GROUPS;
    }
    lb->ident->n_versions++;
    lb_buckets_init(lb, old);
    lb_liveness_update(lb);
    lb->pending = build_table(lb);
    *lbp = lb;
    return lb->pending ? 0 : OFPERR_OFPGMFC_OUT_OF_BUCKETS;
}

/* Returns true if 'group' is one to load-balance, and on a datapath that can.
 * On another, Open vSwitch treats it as "dp_hash". */
static bool
is_ours(const struct ofgroup *group)
{
    if (group->ofproto->ofproto_class != &ofproto_dpif_class
        || group->type != OFPGT11_SELECT
        || !(lb_method_is_known(group->props.selection_method)
             || lb_rules_find(group) || lb_config_applies(group))) {
        return false;
    }

    const struct ofproto_dpif *ofproto
        = CONTAINER_OF(group->ofproto, struct ofproto_dpif, up);

    if (!ofproto->backer->lb.run_time) {
        VLOG_INFO_RL(&rl, "group %"PRIu32": this datapath has no action for "
                     "selection method maglev, using dp_hash",
                     group->group_id);
        return false;
    }
    return true;
}

/* Prepares 'new_group_', which is constructed and has all its buckets, to
 * replace 'old_group', which may be null.  Nothing that anybody sees changes
 * before lb_group_publish().
 *
 * Returns 0, also if the group is none to load-balance.  Otherwise returns an
 * OpenFlow error: OFPGMFC_OUT_OF_BUCKETS if there are too many buckets or no
 * memory, OFPGMFC_OUT_OF_GROUPS if no id is free, OFPBPC_BAD_VALUE for a
 * parameter or a field that cannot be, OFPGMFC_LOOP if a bucket sends to the
 * group itself.  A group that is ours only by
 * configuration gets no error: it stays Open vSwitch's.  Main thread. */
enum ofperr
lb_group_prepare(struct ofgroup *new_group_, const struct ofgroup *old_group)
{
    if (!is_ours(new_group_)) {
        return 0;
    }

    struct group_dpif *new_group = CONTAINER_OF(new_group_, struct group_dpif,
                                                up);
    enum ofperr error = lb_params_check(new_group_);
    struct lb_group *lb = NULL;

    if (!error) {
        ovs_mutex_lock(&lb_mutex);
        error = create_version(new_group, lb_group_of(old_group), &lb);
        ovs_mutex_unlock(&lb_mutex);
    }
    if (!error) {
        set_lb_group(new_group, lb);
    } else if (lb) {
        destroy_version(lb);
    }
    return (lb_method_is_known(new_group_->props.selection_method)
            ? error : 0);
}

/* Puts 'new_group', which may be null, in force, and takes 'old_groups' out of
 * it, as the "enum ofp15_group_mod_command" 'command' asked for.  Main
 * thread. */
void
lb_group_publish(struct ofgroup *new_group,
                 const struct group_collection *old_groups, uint16_t command)
{
    bool keep_buckets = (command == OFPGC15_INSERT_BUCKET
                         || command == OFPGC15_REMOVE_BUCKET);
    struct lb_group *lb = lb_group_of(new_group);
    struct ofgroup *old_group;

    ovs_mutex_lock(&lb_mutex);
    GROUP_COLLECTION_FOR_EACH (old_group, old_groups) {
        struct lb_group *old = lb_group_of(old_group);

        if (old) {
            withdraw_version(old);
            if (lb && lb->ident == old->ident) {
                lb_stats_continue(lb, old, keep_buckets);
            }
        }
    }
    if (lb) {
        publish_version(lb);
    }
    ovs_mutex_unlock(&lb_mutex);
}

/* Frees the load-balancing part of 'group'.  Any thread, after a grace
 * period. */
void
lb_group_destruct(struct group_dpif *group)
{
    struct lb_group *lb = lb_group_get(group);

    if (lb) {
        destroy_version(lb);
    }
}

/* Gives 'group', which is in force, a load-balancing part if it is ours and
 * has none.  Returns an error as lb_group_prepare().  Main thread. */
enum ofperr
lb_group_enable(struct group_dpif *group)
{
    struct lb_group *lb = NULL;

    if (lb_group_get(group) || !is_ours(&group->up)) {
        return 0;
    }

    enum ofperr error = lb_params_check(&group->up);

    if (!error) {
        ovs_mutex_lock(&lb_mutex);
        error = create_version(group, NULL, &lb);
        if (!error) {
            publish_version(lb);
            set_lb_group(group, lb);
        }
        ovs_mutex_unlock(&lb_mutex);
    }
    if (error && lb) {
        destroy_version(lb);
    }
    return error;
}

/* Takes the load-balancing part from 'group', if it has one and is not ours
 * any more.  Main thread. */
void
lb_group_disable(struct group_dpif *group)
{
    struct lb_group *lb = lb_group_get(group);

    if (lb && !is_ours(&group->up)) {
        set_lb_group(group, NULL);
        ovs_mutex_lock(&lb_mutex);
        withdraw_version(lb);
        ovs_mutex_unlock(&lb_mutex);
        ovsrcu_postpone(destroy_version, lb);
    }
}

/* Replaces the tables of the groups of which a bucket died or came back.  Main
 * thread, after ports or groups changed. */
void
lb_groups_refresh_liveness(void)
{
    struct lb_group *lb;

    ovs_mutex_lock(&lb_mutex);
    LIST_FOR_EACH (lb, watch_node, &watching) {
        if (lb_liveness_update(lb) || lb->stale) {
            struct lb_table *table = build_table(lb);

            lb->stale = !table;
            if (table) {
                set_table(lb->ident, table);
            }
        }
    }
    sweep_retired();
    ovs_mutex_unlock(&lb_mutex);
}

/* Replaces the tables of the groups with the host's key by such with the one
 * that it is now.  Their remembered flows are not found any more.  Main
 * thread. */
void
lb_groups_rekey(void)
{
    struct lb_group *lb;

    ovs_mutex_lock(&lb_mutex);
    LIST_FOR_EACH (lb, node, &lb_published) {
        if (lb->ident->host_key) {
            lb->ident->key = lb_key_get();
            lb_buckets_rekey(lb);

            struct lb_table *table = build_table(lb);

            lb->stale = !table;
            if (table) {
                set_table(lb->ident, table);
            }
        }
    }
    lb_registry_sticky_changed();
    ovs_mutex_unlock(&lb_mutex);
}
