/* SPDX-License-Identifier: Apache-2.0 */

/* Commands of ovs-appctl: lb/show, lb/stats, lb/dump-flows, lb/flush,
 * lb/rotate-key. */

#include <config.h>
#include "ofproto-ext/lb/lb-choose.h"
#include "ofproto-ext/lb/lb-config.h"
#include "ofproto-ext/lb/lb-group.h"
#include "ofproto-ext/lb/lb-key.h"
#include "ofproto-ext/lb/lb-ofproto-hooks.h"
#include "ofproto-ext/lb/lb-sticky-maker.h"

#include <stdlib.h>
#include <string.h>

#include "compat/compat-unixctl.h"
#include "lib/lb/lb-registry.h"
#include "lib/lb/lb-sticky.h"
#include "ofproto/ofproto-dpif.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofp-group.h"
#include "timeval.h"
#include "unixctl.h"
#include "util.h"

/* Flows that one "lb/dump-flows" shows. */
#define MAX_DUMP 10000

/* Which groups a command is about: all, one bridge's, or one. */
struct selection {
    const char *bridge;              /* Or null. */
    bool has_group_id;
    uint32_t group_id;
};

/* Parses the arguments [BRIDGE [GROUP]].  Returns null, or an error message,
 * for the caller to free, also if there is no such bridge or the group is none
 * that is load-balanced. */
static char *
parse_selection(int argc, const char *argv[], struct selection *selection)
{
    const struct group_dpif *group;
    struct ofproto_dpif *ofproto;

    memset(selection, 0, sizeof *selection);
    if (argc < 2) {
        return NULL;
    }
    selection->bridge = argv[1];
    ofproto = ofproto_dpif_lookup_by_name(argv[1]);
    if (!ofproto) {
        return xasprintf("%s: no such bridge", argv[1]);
    }
    if (argc < 3) {
        return NULL;
    }
    selection->has_group_id = true;
    if (!str_to_uint(argv[2], 10, &selection->group_id)) {
        return xasprintf("%s: not the number of a group", argv[2]);
    }
    group = group_dpif_lookup(ofproto, selection->group_id,
                              ofproto_dpif_get_tables_version(ofproto), false);
    if (!group) {
        return xasprintf("%s: no group %"PRIu32, argv[1],
                         selection->group_id);
    }
    return (lb_group_get(group) ? NULL
            : xasprintf("%s: group %"PRIu32" is not load-balanced (selection "
                        "method \"%s\")", argv[1], selection->group_id,
                        group->up.props.selection_method));
}

/* Parses the arguments of a command into 'selection'.  Returns false, after a
 * reply that says what is wrong, if that is not possible. */
static bool
get_selection(struct unixctl_conn *conn, int argc, const char *argv[],
              struct selection *selection)
{
    char *error = parse_selection(argc, argv, selection);

    if (error) {
        unixctl_command_reply_error(conn, error);
        free(error);
    }
    return !error;
}

static bool
is_selected(const struct lb_group *lb, const struct selection *selection)
{
    const struct ofgroup *group = &lb->group->up;

    return ((!selection->bridge
             || !strcmp(selection->bridge, group->ofproto->name))
            && (!selection->has_group_id
                || selection->group_id == group->group_id));
}

/* "lb/show". */

/* Counts the slots of each bucket of 'lb' in 'table' in 'n', an array of
 * 'lb->n_buckets' zeros. */
static void
count_slots(const struct lb_group *lb, const struct lb_table *table,
            uint32_t *n)
{
    for (uint32_t i = 0; i < table->n_slots; i++) {
        const struct lb_bucket *b = lb_bucket_find(lb, table->slots[i]);

        if (b) {
            n[b - lb->buckets]++;
        }
    }
}

/* Returns the element of 'lb->buckets' for 'bucket', one of its group.  These
 * elements are sorted by token, and buckets are shown in the group's order. */
static const struct lb_bucket *
find_bucket(const struct lb_group *lb, const struct ofputil_bucket *bucket)
{
    const struct lb_bucket *b = lb->buckets;

    while (b->bucket != bucket) {
        b++;
    }
    return b;
}

/* Returns by how much the share of any live bucket differs from the one that
 * its weight gives it, at most, as a fraction of the latter. */
static double
imbalance(const struct lb_group *lb, const struct lb_table *table,
          const uint32_t *n)
{
    double weight = 0, worst = 0;

    for (size_t i = 0; i < lb->n_buckets; i++) {
        weight += lb->buckets[i].alive ? lb->buckets[i].bucket->weight : 0;
    }
    for (size_t i = 0; i < lb->n_buckets; i++) {
        const struct lb_bucket *b = &lb->buckets[i];

        if (b->alive && b->bucket->weight) {
            double fair = table->n_slots * (b->bucket->weight / weight);
            double off = n[i] > fair ? n[i] - fair : fair - n[i];

            worst = MAX(worst, off / fair);
        }
    }
    return worst;
}

static void
show_group(const struct lb_group *lb, struct ds *ds)
{
    const struct lb_table *table = lb_registry_get(lb->ident->id);
    const struct ofgroup *group = &lb->group->up;
    const char *method = group->props.selection_method;
    uint32_t *n = xcalloc(lb->n_buckets, sizeof *n);
    const struct ofputil_bucket *bucket;

    count_slots(lb, table, n);
    ds_put_format(ds, "%s: group %"PRIu32", lb(%"PRIu32"), method %s%s%s, "
                  "%"PRIuSIZE" buckets, %"PRIu32" slots, imbalance %.2f %%, ",
                  group->ofproto->name, group->group_id, lb->ident->id,
                  lb_method_is_known(method) ? "" : lb_method_name(lb->input),
                  lb_method_is_known(method) ? "" : " for ",
                  method[0] ? method : "default",
                  lb->n_buckets, table->n_slots,
                  100 * imbalance(lb, table, n));
    if (lb->timeout) {
        ds_put_format(ds, "sticky for %"PRIu32" s\n", lb->timeout);
    } else {
        ds_put_cstr(ds, "stateless\n");
    }

    LIST_FOR_EACH (bucket, list_node, &group->buckets) {
        const struct lb_bucket *b = find_bucket(lb, bucket);
        uint32_t slots = n[b - lb->buckets];

        ds_put_format(ds, "    bucket %"PRIu32": weight %"PRIu16", %s, "
                      "dp_hash 0x%"PRIx32", %"PRIu32" slots (%.2f %%)\n",
                      bucket->bucket_id, bucket->weight,
                      b->alive ? "alive" : "dead", b->token, slots,
                      table->n_slots ? 100.0 * slots / table->n_slots : 0.0);
    }
    free(n);
}

/* Returns a bucket that has 'slots', as JSON. */
static struct json *
bucket_json(const struct lb_bucket *b, uint32_t slots)
{
    struct json *json = json_object_create();

    json_object_put(json, "bucket_id",
                    json_integer_create(b->bucket->bucket_id));
    json_object_put(json, "weight", json_integer_create(b->bucket->weight));
    json_object_put(json, "alive", json_boolean_create(b->alive));
    json_object_put(json, "dp_hash", json_integer_create(b->token));
    json_object_put(json, "slots", json_integer_create(slots));
    return json;
}

static struct json *
group_json(const struct lb_group *lb)
{
    const struct lb_table *table = lb_registry_get(lb->ident->id);
    uint32_t *n = xcalloc(lb->n_buckets, sizeof *n);
    const struct ofgroup *group = &lb->group->up;
    struct json *buckets = json_array_create_empty();
    struct json *json = json_object_create();
    const struct ofputil_bucket *bucket;

    count_slots(lb, table, n);
    LIST_FOR_EACH (bucket, list_node, &group->buckets) {
        const struct lb_bucket *b = find_bucket(lb, bucket);

        json_array_add(buckets, bucket_json(b, n[b - lb->buckets]));
    }
    json_object_put_string(json, "bridge", group->ofproto->name);
    json_object_put(json, "group_id", json_integer_create(group->group_id));
    json_object_put(json, "lb", json_integer_create(lb->ident->id));
    json_object_put_string(json, "method", lb_method_name(lb->input));
    json_object_put_string(json, "selection_method",
                           group->props.selection_method);
    json_object_put(json, "slots", json_integer_create(table->n_slots));
    json_object_put(json, "imbalance",
                    json_real_create(imbalance(lb, table, n)));
    json_object_put(json, "timeout", json_integer_create(lb->timeout));
    json_object_put(json, "buckets", buckets);
    free(n);
    return json;
}

static void
lb_unixctl_show(struct unixctl_conn *conn, int argc, const char *argv[],
                void *aux OVS_UNUSED)
{
    struct json *json = NULL;
    struct ds ds = DS_EMPTY_INITIALIZER;
    struct selection selection;
    const struct lb_group *lb;

    if (!get_selection(conn, argc, argv, &selection)) {
        return;
    }
    if (compat_wants_json(conn)) {
        json = json_array_create_empty();
    }
    ovs_mutex_lock(&lb_mutex);
    LIST_FOR_EACH (lb, node, &lb_published) {
        if (!is_selected(lb, &selection)) {
            continue;
        }
        if (json) {
            json_array_add(json, group_json(lb));
        } else {
            show_group(lb, &ds);
        }
    }
    ovs_mutex_unlock(&lb_mutex);
    if (json) {
        compat_reply_json(conn, json);
    } else {
        unixctl_command_reply(conn, ds_cstr(&ds));
    }
    ds_destroy(&ds);
}

/* "lb/stats". */

static void
lb_unixctl_stats(struct unixctl_conn *conn, int argc OVS_UNUSED,
                 const char *argv[] OVS_UNUSED, void *aux OVS_UNUSED)
{
    const struct lb_sticky *sticky = lb_registry_get_sticky();
    struct ds ds = DS_EMPTY_INITIALIZER;
    size_t n_slots = 0;
    size_t n_groups, n_bytes;
    const struct lb_group *lb;

    ovs_mutex_lock(&lb_mutex);
    n_groups = ovs_list_size(&lb_published);
    n_bytes = lb_tables_bytes();
    LIST_FOR_EACH (lb, node, &lb_published) {
        n_slots += lb_registry_get(lb->ident->id)->n_slots;
    }
    ovs_mutex_unlock(&lb_mutex);

    ds_put_format(&ds, "groups: %"PRIuSIZE"\n"
                  "slots: %"PRIuSIZE" (%"PRIuSIZE" bytes)\n",
                  n_groups, n_slots, n_bytes);
    if (sticky) {
        ds_put_format(&ds, "sticky flows: %"PRIuSIZE" of %"PRIu32
                      " (%"PRIuSIZE" bytes)\n",
                      lb_sticky_count(sticky, lb_sticky_ticks(time_msec())),
                      sticky->n_entries, sticky->n_bytes);
    } else if (lb_maker_has_table()) {
        ds_put_cstr(&ds, "sticky flows: none yet, the table is being made\n");
    } else {
        ds_put_cstr(&ds, "sticky flows: none, no group has a timeout\n");
    }
    unixctl_command_reply(conn, ds_cstr(&ds));
    ds_destroy(&ds);
}

/* "lb/dump-flows" and "lb/flush". */

/* The buckets of the groups that a command is about, by token. */
struct token_map {
    size_t n;
    struct token_owner {
        uint32_t token;
        const struct lb_group *lb;
        uint32_t bucket_id;
    } *owners;

    struct ds *ds;                   /* For dump_flow(). */
    size_t n_shown;
};

static int
compare_owners(const void *a_, const void *b_)
{
    const struct token_owner *a = a_;
    const struct token_owner *b = b_;

    return a->token < b->token ? -1 : a->token > b->token;
}

static void
token_map_init(struct token_map *map, const struct selection *selection)
    OVS_REQUIRES(lb_mutex)
{
    const struct lb_group *lb;
    size_t allocated = 0;

    memset(map, 0, sizeof *map);
    LIST_FOR_EACH (lb, node, &lb_published) {
        for (size_t i = 0; is_selected(lb, selection) && i < lb->n_buckets;
             i++) {
            if (map->n >= allocated) {
                map->owners = x2nrealloc(map->owners, &allocated,
                                         sizeof *map->owners);
            }
            map->owners[map->n++] = (struct token_owner) {
                .token = lb->buckets[i].token,
                .lb = lb,
                .bucket_id = lb->buckets[i].bucket->bucket_id,
            };
        }
    }
    if (map->n) {
        qsort(map->owners, map->n, sizeof *map->owners, compare_owners);
    }
}

static const struct token_owner *
token_map_find(const struct token_map *map, uint32_t token)
{
    struct token_owner key = { .token = token };

    return (map->n
            ? bsearch(&key, map->owners, map->n, sizeof key, compare_owners)
            : NULL);
}

static void
dump_flow(uint64_t hash, uint32_t token, uint32_t ticks, void *map_)
{
    struct token_map *map = map_;
    const struct token_owner *owner = token_map_find(map, token);

    if (owner && map->n_shown++ < MAX_DUMP) {
        const struct ofgroup *group = &owner->lb->group->up;

        ds_put_format(map->ds, "%s: group %"PRIu32", hash 0x%016"PRIx64", "
                      "bucket %"PRIu32", expires in %"PRIu32" s\n",
                      group->ofproto->name, group->group_id,
                      hash ^ owner->lb->ident->salt, owner->bucket_id,
                      ticks / LB_STICKY_TICKS_PER_SEC);
    }
}

static void
lb_unixctl_dump_flows(struct unixctl_conn *conn, int argc, const char *argv[],
                      void *aux OVS_UNUSED)
{
    const struct lb_sticky *sticky = lb_registry_get_sticky();
    struct ds ds = DS_EMPTY_INITIALIZER;
    struct selection selection;
    struct token_map map;

    if (!get_selection(conn, argc, argv, &selection)) {
        return;
    }
    ovs_mutex_lock(&lb_mutex);
    token_map_init(&map, &selection);
    map.ds = &ds;
    if (sticky) {
        lb_sticky_for_each(sticky, lb_sticky_ticks(time_msec()), dump_flow,
                           &map);
    }
    ovs_mutex_unlock(&lb_mutex);
    free(map.owners);
    if (map.n_shown > MAX_DUMP) {
        ds_put_format(&ds, "and %"PRIuSIZE" more\n", map.n_shown - MAX_DUMP);
    }
    unixctl_command_reply(conn, ds_cstr(&ds));
    ds_destroy(&ds);
}

static bool
is_mapped(uint32_t token, void *map)
{
    return token_map_find(map, token) != NULL;
}

static void
lb_unixctl_flush(struct unixctl_conn *conn, int argc, const char *argv[],
                 void *aux OVS_UNUSED)
{
    struct lb_sticky *sticky;
    struct selection selection;
    struct token_map map;
    size_t n = 0;

    if (lb_maker_is_moving()) {
        unixctl_command_reply_error(conn, "flows are being moved to a table "
                                    "of another size: try again");
        return;
    }
    if (!get_selection(conn, argc, argv, &selection)) {
        return;
    }
    sticky = lb_registry_get_sticky();
    ovs_mutex_lock(&lb_mutex);
    token_map_init(&map, &selection);
    if (sticky) {
        n = lb_sticky_flush(sticky, selection.bridge ? is_mapped : NULL, &map);
        lb_registry_sticky_changed();
    }
    ovs_mutex_unlock(&lb_mutex);
    free(map.owners);

    char *reply = xasprintf("%"PRIuSIZE" flows forgotten\n", n);

    unixctl_command_reply(conn, reply);
    free(reply);
}

static void
lb_unixctl_rotate_key(struct unixctl_conn *conn, int argc OVS_UNUSED,
                      const char *argv[] OVS_UNUSED, void *aux OVS_UNUSED)
{
    int error = lb_key_rotate();

    lb_groups_rekey();
    if (error) {
        char *reply = xasprintf("the new key is in use, but was not written "
                                "(%s)", ovs_strerror(error));

        unixctl_command_reply_error(conn, reply);
        free(reply);
    } else {
        unixctl_command_reply(conn, NULL);
    }
}

void
lb_unixctl_init(void)
{
    unixctl_command_register("lb/show", "[bridge [group]]", 0, 2,
                             lb_unixctl_show, NULL);
    unixctl_command_register("lb/stats", "", 0, 0, lb_unixctl_stats, NULL);
    unixctl_command_register("lb/dump-flows", "[bridge [group]]", 0, 2,
                             lb_unixctl_dump_flows, NULL);
    unixctl_command_register("lb/flush", "[bridge [group]]", 0, 2,
                             lb_unixctl_flush, NULL);
    unixctl_command_register("lb/rotate-key", "", 0, 0,
                             lb_unixctl_rotate_key, NULL);
    lb_choose_init();
    lb_config_init();
}
