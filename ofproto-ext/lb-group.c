/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-ext/lb-group.h"
#include "ofproto-ext/ofproto-hooks.h"

#include <errno.h>
#include <stdlib.h>

#include "dpif.h"
#include "entropy.h"
#include "lib/lb-registry.h"
#include "lib/lb-table.h"
#include "lib/maglev.h"
#include "lib/siphash.h"
#include "ofproto-ext/lb-fields.h"
#include "ofproto/ofproto-dpif.h"
#include "ofproto/ofproto-provider.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/list.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofp-group.h"
#include "openvswitch/vlog.h"
#include "ovs-rcu.h"
#include "ovs-thread.h"
#include "random.h"
#include "unixctl.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(lb_group);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);

/* What all versions of a group share. */
struct lb_ident {
    uint32_t id;                     /* In the registry. */
    unsigned int n_versions;         /* Reference count. */
    struct siphash_key key;
    uint32_t next_token;
};

/* A bucket of one version. */
struct lb_bucket {
    struct ofputil_bucket *bucket;   /* Owned by the group. */
    uint64_t id;                     /* Identity: hash of what it does. */
    uint32_t token;
    bool alive;                      /* As of the published table. */
};

struct lb_group {
    struct ovs_list node;            /* In 'published', or empty. */
    struct group_dpif *group;        /* The version that this belongs to. */
    struct lb_ident *ident;

    size_t n_words;
    struct lb_hash_word words[LB_TABLE_MAX_WORDS];

    bool watches;                    /* Does any bucket watch anything? */
    bool stale;                      /* Is the table behind the liveness? */
    uint32_t n_slots;                /* Of the table. */
    struct lb_table *pending;        /* The table until it is published. */
    size_t n_buckets;
    struct lb_bucket *buckets;       /* In order of 'token'. */
};

/* Guards everything here that changes after a group's construction: the
 * registry, the list, the tables of the groups on it. */
static struct ovs_mutex mutex = OVS_MUTEX_INITIALIZER;

/* The version of each group that is in force. */
static struct ovs_list published = OVS_LIST_INITIALIZER(&published);

static const struct ofputil_group_props *
group_props(const struct lb_group *lb)
{
    return &lb->group->up.props;
}

static struct ofproto_dpif *
ofproto_dpif_of(const struct ofgroup *group)
{
    return CONTAINER_OF(group->ofproto, struct ofproto_dpif, up);
}

uint32_t
lb_group_get_id(const struct lb_group *lb)
{
    return lb->ident->id;
}

/* Liveness of buckets, as Open vSwitch's translation sees it.  Main thread
 * only. */

#define MAX_LIVENESS_DEPTH 128

static bool bucket_is_alive(struct ofproto_dpif *,
                            const struct ofputil_bucket *, int depth);

static bool
port_is_alive(struct ofproto_dpif *ofproto, ofp_port_t ofp_port)
{
    const struct ofport *port = ofproto_get_port(&ofproto->up, ofp_port);

    return port && port->may_enable;
}

static bool
group_is_alive(struct ofproto_dpif *ofproto, uint32_t group_id, int depth)
{
    const struct group_dpif *group;
    const struct ofputil_bucket *bucket;

    group = group_dpif_lookup(ofproto, group_id,
                              ofproto_dpif_get_tables_version(ofproto), false);
    if (!group || depth >= MAX_LIVENESS_DEPTH) {
        return false;
    }
    LIST_FOR_EACH (bucket, list_node, &group->up.buckets) {
        if ((group->up.type != OFPGT11_SELECT || bucket->weight)
            && bucket_is_alive(ofproto, bucket, depth + 1)) {
            return true;
        }
    }
    return false;
}

static bool
bucket_is_alive(struct ofproto_dpif *ofproto,
                const struct ofputil_bucket *bucket, int depth)
{
    if (!ofputil_bucket_has_liveness(bucket)) {
        return true;
    }
    if (bucket->watch_port == OFPP_CONTROLLER) {
        if (ofproto_is_alive(&ofproto->up)) {
            return true;
        }
    } else if (bucket->watch_port != OFPP_ANY
               && port_is_alive(ofproto, bucket->watch_port)) {
        return true;
    }
    return (bucket->watch_group != OFPG_ANY
            && group_is_alive(ofproto, bucket->watch_group, depth));
}

/* Updates 'alive' of the buckets of 'lb'.  Returns true if any changed. */
static bool
update_liveness(struct lb_group *lb)
{
    struct ofproto_dpif *ofproto = ofproto_dpif_of(&lb->group->up);
    bool changed = false;

    for (size_t i = 0; i < lb->n_buckets; i++) {
        bool alive = bucket_is_alive(ofproto, lb->buckets[i].bucket, 0);

        changed = changed || alive != lb->buckets[i].alive;
        lb->buckets[i].alive = alive;
    }
    return changed;
}

/* Buckets and their identity. */

static uint64_t
bucket_hash(const struct ofputil_bucket *bucket, const struct siphash_key *key)
{
    uint64_t stub[1024 / 8];
    struct ofpbuf bytes = OFPBUF_STUB_INITIALIZER(stub);
    uint32_t watched[2] = { (OVS_FORCE uint32_t) bucket->watch_port,
                            bucket->watch_group };

    /* As on the wire, since there the same actions are the same bytes on
     * every switch. */
    ofpacts_put_openflow_actions(bucket->ofpacts, bucket->ofpacts_len, &bytes,
                                 OFP15_VERSION);
    ofpbuf_put(&bytes, watched, sizeof watched);

    uint64_t hash = siphash_bytes(2, 4, bytes.data, bytes.size, key);

    ofpbuf_uninit(&bytes);
    return hash;
}

static int
compare_ids(const void *a_, const void *b_)
{
    const struct lb_bucket *a = a_;
    const struct lb_bucket *b = b_;

    return a->id < b->id ? -1 : a->id > b->id;
}

static int
compare_tokens(const void *a_, const void *b_)
{
    const struct lb_bucket *a = a_;
    const struct lb_bucket *b = b_;

    return a->token < b->token ? -1 : a->token > b->token;
}

static struct lb_bucket *
find_token(const struct lb_group *lb, uint32_t token)
{
    struct lb_bucket key = { .token = token };

    return bsearch(&key, lb->buckets, lb->n_buckets, sizeof key,
                   compare_tokens);
}

/* Returns the bucket of 'lb' whose token is 'token', or null. */
struct ofputil_bucket *
lb_group_find_bucket(const struct lb_group *lb, uint32_t token)
{
    const struct lb_bucket *b = find_token(lb, token);

    return b ? b->bucket : NULL;
}

static uint32_t
new_token(struct lb_ident *ident, const struct lb_group *old)
{
    uint32_t token;

    do {
        token = ident->next_token++;
    } while (!token || (old && find_token(old, token)));
    return token;
}

/* Gives the buckets of 'lb' their identities, and the tokens that the same
 * buckets have in 'old', which may be null, or new ones. */
static void
identify_buckets(struct lb_group *lb, const struct lb_group *old)
{
    struct lb_bucket *old_by_id = NULL;
    size_t n_old = old ? old->n_buckets : 0;
    struct ofputil_bucket *bucket;
    uint64_t base = 0;
    size_t n = 0;

    lb->n_buckets = lb->group->up.n_buckets;
    lb->buckets = xcalloc(lb->n_buckets, sizeof *lb->buckets);
    LIST_FOR_EACH (bucket, list_node, &lb->group->up.buckets) {
        lb->buckets[n].bucket = bucket;
        lb->buckets[n++].id = bucket_hash(bucket, &lb->ident->key);
        lb->watches = lb->watches || ofputil_bucket_has_liveness(bucket);
    }

    /* The second of two equal buckets has an identity of its own. */
    qsort(lb->buckets, n, sizeof *lb->buckets, compare_ids);
    for (size_t i = 1, twins = 0; i < n; i++) {
        base = twins ? base : lb->buckets[i - 1].id;
        twins = lb->buckets[i].id == base ? twins + 1 : 0;
        if (twins) {
            lb->buckets[i].id = siphash13_u64x2(base, twins, &lb->ident->key);
        }
    }

    if (n_old) {
        old_by_id = xmemdup(old->buckets, n_old * sizeof *old_by_id);
        qsort(old_by_id, n_old, sizeof *old_by_id, compare_ids);
    }
    for (size_t i = 0; i < n; i++) {
        const struct lb_bucket *same
            = n_old ? bsearch(&lb->buckets[i], old_by_id, n_old,
                              sizeof *old_by_id, compare_ids) : NULL;

        lb->buckets[i].token = same ? same->token : new_token(lb->ident, old);
    }
    free(old_by_id);
    qsort(lb->buckets, n, sizeof *lb->buckets, compare_tokens);
}

/* Tables. */

/* Builds the table of 'lb' from its live buckets, with at least 'lb->n_slots'
 * slots.  Returns it, or null if there is no memory for it. */
static struct lb_table *
build_table(struct lb_group *lb)
{
    struct lb_table *table;
    struct lb_member *members = xcalloc(lb->n_buckets, sizeof *members);

    for (size_t i = 0; i < lb->n_buckets; i++) {
        const struct lb_bucket *b = &lb->buckets[i];

        members[i].id = b->id;
        members[i].token = b->token;
        members[i].weight = b->alive ? b->bucket->weight : 0;
    }

    int error = lb_table_build(members, lb->n_buckets, lb->words, lb->n_words,
                               &lb->ident->key, lb->n_slots, &table);

    free(members);
    if (error) {
        VLOG_WARN_RL(&rl, "group %"PRIu32": no table for load balancing (%s)",
                     lb->group->up.group_id, ovs_strerror(error));
        return NULL;
    }
    lb->n_slots = MAX(lb->n_slots, table->n_slots);
    return table;
}

static void
destroy_table_cb(struct lb_table *table)
{
    lb_table_destroy(table);
}

/* Makes 'table', which may be null, what the data path uses for 'ident'. */
static void
set_table(const struct lb_ident *ident, struct lb_table *table)
    OVS_REQUIRES(mutex)
{
    struct lb_table *old = lb_registry_set(ident->id, table);

    if (old) {
        ovsrcu_postpone(destroy_table_cb, old);
    }
}

/* Versions. */

static struct lb_ident *
create_ident(uint32_t seed)
    OVS_REQUIRES(mutex)
{
    uint32_t id = lb_registry_alloc_id();

    if (!id) {
        return NULL;
    }

    struct lb_ident *ident = xzalloc(sizeof *ident);

    ident->id = id;
    if (seed) {
        ident->key.k0 = seed;
    } else {
        get_entropy_or_die(&ident->key, sizeof ident->key);
    }
    ident->next_token = random_uint32();
    return ident;
}

/* Returns true if a version with 'a' can go on with the key, and so with the
 * tokens, of one with 'b'. */
static bool
props_share_key(const struct ofputil_group_props *a,
                const struct ofputil_group_props *b)
{
    return a->selection_method_param == b->selection_method_param;
}

/* Creates the load-balancing part of 'group', after that of 'old', which may
 * be null, and its table.  Returns 0 and stores it in 'group->lb', or returns
 * an error. */
static enum ofperr
create_version(struct group_dpif *group, const struct lb_group *old)
    OVS_REQUIRES(mutex)
{
    const struct ofputil_group_props *props = &group->up.props;
    struct lb_group *lb = xzalloc(sizeof *lb);
    enum ofperr error;

    ovs_list_init(&lb->node);
    lb->group = group;
    error = lb_fields_to_words(&props->fields, lb->words, &lb->n_words);
    if (error) {
        free(lb);
        return error;
    }

    if (old && !props_share_key(props, group_props(old))) {
        old = NULL;
    }
    lb->ident = (old ? old->ident
                 : create_ident(props->selection_method_param));
    if (!lb->ident) {
        free(lb);
        return OFPERR_OFPGMFC_OUT_OF_GROUPS;
    }
    lb->ident->n_versions++;
    identify_buckets(lb, old);
    update_liveness(lb);
    group->lb = lb;

    /* If there is no memory for the table, the group's destruction frees the
     * rest. */
    lb->n_slots = old ? old->n_slots : 0;
    lb->pending = build_table(lb);
    return lb->pending ? 0 : OFPERR_OFPGMFC_OUT_OF_BUCKETS;
}

/* Returns the load-balancing part of 'group', or null if it has none. */
static struct lb_group *
lb_group_of(const struct ofgroup *group)
{
    return (group && group->ofproto->ofproto_class == &ofproto_dpif_class
            ? CONTAINER_OF(group, struct group_dpif, up)->lb
            : NULL);
}

/* Prepares 'new_group_', which is constructed and has all its buckets, to
 * replace 'old_group', which may be null.  Nothing that anybody sees changes
 * before lb_group_publish().
 *
 * Returns 0, also if the group is none to load-balance, or if the datapath
 * cannot: then Open vSwitch treats it as "dp_hash".  Otherwise returns an
 * OpenFlow error: OFPGMFC_OUT_OF_BUCKETS if there are too many buckets or no
 * memory for the table, OFPGMFC_OUT_OF_GROUPS if no id is free,
 * OFPBPC_BAD_VALUE for a parameter or a field that cannot be.  Main thread. */
enum ofperr
lb_group_prepare(struct ofgroup *new_group_, const struct ofgroup *old_group)
{
    const struct ofputil_group_props *props = &new_group_->props;

    if (new_group_->ofproto->ofproto_class != &ofproto_dpif_class
        || new_group_->type != OFPGT11_SELECT
        || !lb_method_is_known(props->selection_method)) {
        return 0;
    }

    struct group_dpif *new_group = CONTAINER_OF(new_group_, struct group_dpif,
                                                up);
    struct ofproto_dpif *ofproto = ofproto_dpif_of(new_group_);

    if (props->selection_method_param >> 32) {
        VLOG_INFO_RL(&rl, "group %"PRIu32": selection_method_param %#"PRIx64
                     " is out of range", new_group_->group_id,
                     props->selection_method_param);
        return OFPERR_OFPBPC_BAD_VALUE;
    }
    if (new_group_->n_buckets > MAGLEV_MAX_BACKENDS) {
        VLOG_INFO_RL(&rl, "group %"PRIu32": %"PRIu32" buckets are more than "
                     "the %d that selection method maglev supports",
                     new_group_->group_id, new_group_->n_buckets,
                     MAGLEV_MAX_BACKENDS);
        return OFPERR_OFPGMFC_OUT_OF_BUCKETS;
    }
    /* The userspace datapath has both actions, no other has either. */
    if (!dpif_supports_lb_output_action(ofproto->backer->dpif)) {
        VLOG_INFO_RL(&rl, "group %"PRIu32": this datapath has no action for "
                     "selection method maglev, using dp_hash",
                     new_group_->group_id);
        return 0;
    }

    ovs_mutex_lock(&mutex);
    enum ofperr error = create_version(new_group, lb_group_of(old_group));
    ovs_mutex_unlock(&mutex);
    return error;
}

/* Puts 'new_group', which may be null, in force, and takes 'old_groups' out of
 * it.  Main thread. */
void
lb_group_publish(struct ofgroup *new_group,
                 const struct group_collection *old_groups)
{
    struct lb_group *lb = lb_group_of(new_group);
    struct ofgroup *old_group;

    ovs_mutex_lock(&mutex);
    GROUP_COLLECTION_FOR_EACH (old_group, old_groups) {
        struct lb_group *old = lb_group_of(old_group);

        if (old) {
            ovs_list_remove(&old->node);
            ovs_list_init(&old->node);
        }
    }
    if (lb) {
        ovs_list_push_back(&published, &lb->node);
        set_table(lb->ident, lb->pending);
        lb->pending = NULL;
    }
    ovs_mutex_unlock(&mutex);
}

/* Frees 'lb', which may be null, and takes its group's table from the data
 * path if no other version of the group is left.  Any thread, after a grace
 * period. */
void
lb_group_destroy(struct lb_group *lb)
{
    if (!lb) {
        return;
    }

    ovs_mutex_lock(&mutex);
    ovs_list_remove(&lb->node);
    if (!--lb->ident->n_versions) {
        set_table(lb->ident, NULL);
        lb_registry_free_id(lb->ident->id);
        free(lb->ident);
    }
    ovs_mutex_unlock(&mutex);

    lb_table_destroy(lb->pending);
    free(lb->buckets);
    free(lb);
}

/* Replaces the tables of the groups of which a bucket died or came back.  Main
 * thread, after ports or groups changed. */
void
lb_groups_refresh_liveness(void)
{
    struct lb_group *lb;

    ovs_mutex_lock(&mutex);
    LIST_FOR_EACH (lb, node, &published) {
        if (lb->watches && (update_liveness(lb) || lb->stale)) {
            struct lb_table *table = build_table(lb);

            lb->stale = !table;
            if (table) {
                set_table(lb->ident, table);
            }
        }
    }
    ovs_mutex_unlock(&mutex);
}

/* "lb/show". */

static void
show_buckets(const struct lb_group *lb, const struct lb_table *table,
             struct ds *ds)
{
    const struct ofputil_bucket *bucket;

    LIST_FOR_EACH (bucket, list_node, &lb->group->up.buckets) {
        const struct lb_bucket *b = lb->buckets;
        uint32_t n = 0;

        while (b->bucket != bucket) {
            b++;
        }
        for (uint32_t i = 0; i < table->n_slots; i++) {
            n += table->slots[i] == b->token;
        }
        ds_put_format(ds, "    bucket %"PRIu32": weight %"PRIu16", %s, "
                      "dp_hash 0x%"PRIx32", %"PRIu32" slots (%.2f %%)\n",
                      bucket->bucket_id, bucket->weight,
                      b->alive ? "alive" : "dead", b->token, n,
                      table->n_slots ? 100.0 * n / table->n_slots : 0.0);
    }
}

static void
lb_unixctl_show(struct unixctl_conn *conn, int argc, const char *argv[],
                void *aux OVS_UNUSED)
{
    struct ds ds = DS_EMPTY_INITIALIZER;
    const struct lb_group *lb;

    ovs_mutex_lock(&mutex);
    LIST_FOR_EACH (lb, node, &published) {
        const struct lb_table *table = lb_registry_get(lb->ident->id);
        const struct ofgroup *group = &lb->group->up;

        if (argc > 1 && strcmp(argv[1], group->ofproto->name)) {
            continue;
        }
        ds_put_format(&ds, "%s: group %"PRIu32", lb(%"PRIu32"), %s, "
                      "%"PRIu32" slots, %"PRIuSIZE" buckets\n",
                      group->ofproto->name, group->group_id, lb->ident->id,
                      group->props.selection_method, table->n_slots,
                      lb->n_buckets);
        show_buckets(lb, table, &ds);
    }
    ovs_mutex_unlock(&mutex);
    unixctl_command_reply(conn, ds_cstr(&ds));
    ds_destroy(&ds);
}

void
lb_group_unixctl_init(void)
{
    unixctl_command_register("lb/show", "[bridge]", 0, 1, lb_unixctl_show,
                             NULL);
}
