/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-ext/lb/lb-group.h"
#include "ofproto-ext/lb/lb-ofproto-hooks.h"

#include "cmap.h"
#include "coverage.h"
#include "lib/lb/lb-registry.h"
#include "lib/lb/lb-sticky.h"
#include "ofproto-ext/lb/lb-fields.h"
#include "ofproto-ext/lb/lb-key.h"
#include "ofproto-ext/lb/lb-params.h"
#include "ofproto-ext/lb/lb-sticky-maker.h"
#include "ofproto/ofproto-dpif.h"
#include "ofproto/ofproto-provider.h"
#include "openvswitch/hmap.h"
#include "openvswitch/ofp-group.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "ovs-rcu.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(lb_group);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(60, 60);

struct ovs_list lb_published = OVS_LIST_INITIALIZER(&lb_published);

/* Those of them whose liveness can change. */
static struct ovs_list watching OVS_GUARDED_BY(lb_mutex)
    = OVS_LIST_INITIALIZER(&watching);

/* Those of which a table is to be built anew, since liveness has changed. */
static struct ovs_list late OVS_GUARDED_BY(lb_mutex)
    = OVS_LIST_INITIALIZER(&late);

/* For how long, in ms, tables are built anew in one turn of the main loop. */
#define LATE_MS 5

COVERAGE_DEFINE(lb_group_late);

/* Length of 'lb_published'. */
static atomic_count n_published = ATOMIC_COUNT_INIT(0);

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

/* Builds the table of 'lb', as lb_tables_build(). */
static struct lb_table *
build_table(const struct lb_group *lb)
    OVS_REQUIRES(lb_mutex)
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
    table = lb_tables_build(&lb->group->up, lb->ident->id, members,
                            lb->n_buckets, &config);
    free(members);
    return table;
}

/* Builds the table of 'lb', which is in force, anew.  If that is not possible,
 * the old one stays until the next time. */
static void
replace_table(struct lb_group *lb)
    OVS_REQUIRES(lb_mutex)
{
    struct lb_table *table = build_table(lb);

    lb->stale = !table;
    if (table) {
        lb_tables_publish(lb->ident->id, table);
    }
}

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
    lb_tables_publish(lb->ident->id, lb->pending);
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
        ovs_list_remove(&lb->late_node);
        ovs_list_init(&lb->late_node);
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
    lb_tables_discard(lb->pending);
    lb_ident_unref(lb->ident);
    ovs_mutex_unlock(&lb_mutex);

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
    ovs_list_init(&lb->late_node);
    lb->group = group;

    lb->input = params.input;
    lb->timeout = params.timeout;

    enum ofperr error = 0;
    const char *refused = lb_fields_to_words(params.fields, lb->words,
                                             &lb->n_words);
    if (refused) {
        lb_params_log_refusal(&group->up, "field %s cannot be hashed",
                              refused);
        error = OFPERR_OFPBPC_BAD_VALUE;
    } else if (lb->timeout && lb_maker_need_table()) {
        lb_params_log_refusal(&group->up, "no memory to remember flows");
        error = OFPERR_OFPGMFC_OUT_OF_BUCKETS;
    }
    if (error) {
        free(lb);
        return error;
    }

    if (old && lb_ident_fits(old->ident, &params)) {
        lb->ident = old->ident;
        lb->ident->n_versions++;
    } else {
        old = NULL;
        lb->ident = lb_ident_create(&params);
    }
    if (!lb->ident) {
        lb_params_log_refusal(&group->up, "there are %d load-balanced groups",
                              LB_REGISTRY_MAX_ID);
        free(lb);
        return OFPERR_OFPGMFC_OUT_OF_GROUPS;
    }
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
        || !lb_params_exist(group)) {
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

/* Returns true if a bucket of 'group' watches a port or a group though its
 * type does not allow that.  Buckets that are inserted come here unchecked,
 * since their message does not tell the group's type. */
static bool
watches_in_vain(const struct ofgroup *group)
{
    const struct ofputil_bucket *bucket;

    if (group->type != OFPGT11_ALL && group->type != OFPGT11_INDIRECT) {
        return false;
    }
    LIST_FOR_EACH (bucket, list_node, &group->buckets) {
        if (ofputil_bucket_has_liveness(bucket)) {
            return true;
        }
    }
    return false;
}

/* Prepares 'new_group_', which is constructed and has all its buckets, to
 * replace 'old_group', which may be null.  Nothing that anybody sees changes
 * before lb_group_publish().
 *
 * Returns 0, also if the group is none to load-balance.  Otherwise returns an
 * OpenFlow error: OFPGMFC_OUT_OF_BUCKETS if there are too many buckets or no
 * memory, OFPGMFC_OUT_OF_GROUPS if no id is free, OFPBPC_BAD_VALUE for a
 * parameter or a field that cannot be, OFPGMFC_LOOP if a bucket sends to the
 * group itself.  A group that is ours only by configuration gets no error: it
 * stays Open vSwitch's.  Any group gets OFPGMFC_WATCH_UNSUPPORTED if its type
 * does not allow what a bucket watches.  Main thread. */
enum ofperr
lb_group_prepare(struct ofgroup *new_group_, const struct ofgroup *old_group)
{
    if (watches_in_vain(new_group_)) {
        return OFPERR_OFPGMFC_WATCH_UNSUPPORTED;
    }
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
 * has none.  Returns an error as lb_group_prepare(). */
static enum ofperr
enable(struct group_dpif *group)
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
 * any more. */
static void
disable(struct group_dpif *group)
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

/* Makes the groups of 'ofproto' follow what makes them ours or not. */
static void
follow(struct ofproto_dpif *ofproto)
{
    ovs_version_t version = ofproto_dpif_get_tables_version(ofproto);
    struct ofgroup *up;

    CMAP_FOR_EACH (up, cmap_node, &ofproto->up.groups) {
        struct group_dpif *group = CONTAINER_OF(up, struct group_dpif, up);

        if (versions_visible_in_version(&up->versions, version)) {
            disable(group);
            if (enable(group)) {
                VLOG_WARN("group %"PRIu32" of %s stays with its selection "
                          "method", up->group_id, ofproto->up.name);
            }
        }
    }
    ofproto->backer->need_revalidate = REV_RECONFIGURE;
}

/* Makes the groups of all 'ofprotos', each in the map by its
 * 'all_ofproto_dpifs_by_name_node', follow what has changed, or, if 'backer'
 * is not null, those of the bridges on that datapath.  Main thread. */
void
lb_groups_follow(const struct dpif_backer *backer,
                 const struct hmap *ofprotos)
{
    struct ofproto_dpif *ofproto;

    HMAP_FOR_EACH (ofproto, all_ofproto_dpifs_by_name_node, ofprotos) {
        if (!backer || ofproto->backer == backer) {
            follow(ofproto);
        }
    }
}

/* Replaces tables of groups that are late: one, and more while there is
 * time. */
static void
replace_late_tables(void)
    OVS_REQUIRES(lb_mutex)
{
    long long int deadline = time_msec() + LATE_MS;
    struct lb_group *lb;

    LIST_FOR_EACH_POP (lb, late_node, &late) {
        ovs_list_init(&lb->late_node);
        replace_table(lb);
        if (time_msec() >= deadline) {
            break;
        }
    }
    if (!ovs_list_is_empty(&late)) {
        COVERAGE_INC(lb_group_late);
    }
}

/* Sees which groups need a new table since a bucket died or came back, and
 * builds the first.  lb_groups_run() builds the rest: a port may be watched by
 * thousands of groups.  Main thread, after ports or groups changed. */
void
lb_groups_refresh_liveness(void)
{
    struct lb_group *lb;

    ovs_mutex_lock(&lb_mutex);
    LIST_FOR_EACH (lb, watch_node, &watching) {
        lb->stale = lb_liveness_update(lb) || lb->stale;
        if (lb->stale && ovs_list_is_empty(&lb->late_node)) {
            ovs_list_push_back(&late, &lb->late_node);
        }
    }
    replace_late_tables();
    lb_idents_sweep();
    ovs_mutex_unlock(&lb_mutex);
}

/* Builds tables that lb_groups_refresh_liveness() has left.  Main thread, in
 * each turn of its loop. */
void
lb_groups_run(void)
{
    ovs_mutex_lock(&lb_mutex);
    replace_late_tables();
    ovs_mutex_unlock(&lb_mutex);
}

/* Makes the main loop wake up when lb_groups_run() has work. */
void
lb_groups_wait(void)
{
    ovs_mutex_lock(&lb_mutex);
    if (!ovs_list_is_empty(&late)) {
        poll_immediate_wake();
    }
    ovs_mutex_unlock(&lb_mutex);
}

/* Makes the groups that have the host's key use the present one.  Their
 * remembered flows are not found any more.  Main thread. */
void
lb_groups_rekey(void)
{
    struct lb_group *lb;

    ovs_mutex_lock(&lb_mutex);
    LIST_FOR_EACH (lb, node, &lb_published) {
        if (lb->ident->host_key) {
            lb->ident->key = lb_params_stage_key(lb_key_get(),
                                                 lb->ident->stage);
            lb_buckets_rekey(lb);
            replace_table(lb);
        }
    }
    lb_registry_sticky_changed();
    ovs_mutex_unlock(&lb_mutex);
}
