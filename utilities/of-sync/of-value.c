/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "of-value.h"

#include <stdlib.h>
#include <string.h>

#include "bitmap.h"
#include "of-bucket.h"
#include "of-state.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofpbuf.h"
#include "util.h"

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

/* Returns a copy of the '*len' octets of actions at 'ofpacts', in the form
 * that they have after a trip over the wire, with zeros for padding.  Stores
 * the length of the copy in '*len'.  Actions that do the same have equal
 * copies. */
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

/* Returns a new value, with copies of 'cookie' and 'ofpacts'. */
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

/* Returns the properties of 'gm' that the switch can have.  A switch without
 * "maglev" gets "hash" for a group that names fields, else "dp_hash".  The
 * result shares the memory that the properties of 'gm' point to. */
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

/* Returns a new value that takes over what 'gm' owns.  'gm' has no buckets and
 * no fields afterward. */
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

/* Returns true if the groups 'a' and 'b' differ at most in their buckets. */
bool
of_groups_alike(const struct of_sync *sync, const struct ofputil_group_mod *a,
                const struct ofputil_group_mod *b)
{
    struct ofputil_group_props x = of_group_props(sync, a);
    struct ofputil_group_props y = of_group_props(sync, b);

    return a->type == b->type && props_equal(&x, &y);
}

/* Returns true if 'a' and 'b', values of the same item, do the same.  May
 * change the ids of the buckets of 'a'. */
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
