/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-ext/lb/lb-params.h"

#include <stdarg.h>
#include <stdlib.h>

#include "lib/lb/lb-method.h"
#include "lib/lb/maglev.h"
#include "ofproto-ext/lb/lb-key.h"
#include "ofproto-ext/lb/lb-ofproto-hooks.h"
#include "ofproto-ext/lb/lb-rules.h"
#include "odp-netlink.h"
#include "ofproto/ofproto-provider.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofp-group.h"
#include "openvswitch/vlog.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(lb_params);

/* Controllers get no more than a code for a group that is refused, and may
 * send many groups. */
static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(60, 60);

/* other_config:lb-dp-hash and lb-dp-hash-seed. */
static bool takes_dp_hash;
static uint64_t shared_seed;

static bool suspended;

/* Sets whether groups with selection method "dp_hash", "hash" or none are
 * ours, and the seed of the key that these share, or 0 for the host's key. */
void
lb_params_set_alias(bool takes_dp_hash_, uint64_t seed)
{
    takes_dp_hash = takes_dp_hash_;
    shared_seed = seed;
}

/* While 'suspended' is true, no group is ours by lb-dp-hash. */
void
lb_params_suspend(bool suspended_)
{
    suspended = suspended_;
}

/* Returns true if lb-dp-hash makes 'group', whose selection method is none of
 * ours, work as if it were. */
static bool
has_alias(const struct ofgroup *group)
{
    const struct ofputil_group_props *props = &group->props;
    const char *method = props->selection_method;

    if (suspended || !takes_dp_hash) {
        return false;
    }
    if (!strcmp(method, "dp_hash")) {
        /* Our hash is not the same in both directions. */
        return props->selection_method_param >> 32 != OVS_HASH_ALG_SYM_L4;
    }
    return !method[0] || !strcmp(method, "hash");
}

/* Returns true if 'group' is to be load-balanced, be it by its selection
 * method, by a rule or by lb-dp-hash. */
bool
lb_params_exist(const struct ofgroup *group)
{
    return (lb_method_is_known(group->props.selection_method)
            || lb_rules_find(group) || has_alias(group));
}

/* Returns what a group with 'props', whose selection method is one of ours, is
 * to do, without its key. */
static struct lb_params
from_props(const struct ofputil_group_props *props)
{
    return (struct lb_params) {
        .input = lb_method_input(props->selection_method),
        .timeout = props->selection_method_param >> 32 & 0xffffff,
        .seed = props->selection_method_param,
        .stage = props->selection_method_param >> 56,
        .fields = &props->fields,
    };
}

/* Returns what 'group', for which lb_params_exist(), is to do, without its
 * key. */
static struct lb_params
get_without_key(const struct ofgroup *group)
{
    const struct ofputil_group_props *props = &group->props;
    const struct lb_params *rule;

    if (lb_method_is_known(props->selection_method)) {
        return from_props(props);
    }
    rule = lb_rules_find(group);
    return rule ? *rule : (struct lb_params) { .input = LB_INPUT_PACKET,
                                               .shared_key = true,
                                               .fields = &props->fields };
}

/* Returns the key of the groups of 'stage' among those with 'key'. */
struct siphash_key
lb_params_stage_key(struct siphash_key key, uint8_t stage)
{
    return (!stage ? key
            : (struct siphash_key) { .k0 = siphash13_u64x2(stage, 0, &key),
                                     .k1 = siphash13_u64x2(stage, 1, &key) });
}

static void
set_key(struct lb_params *params)
{
    uint64_t seed = params->shared_key ? shared_seed : params->seed;

    params->host_key = !seed;
    params->key = lb_params_stage_key(
        seed ? (struct siphash_key) { .k0 = seed } : lb_key_get(),
        params->stage);
}

/* Returns what 'group', for which lb_params_exist(), is to do.  The fields are
 * the group's or the rule's. */
struct lb_params
lb_params_get(const struct ofgroup *group)
{
    struct lb_params params = get_without_key(group);

    set_key(&params);
    return params;
}

/* The same for a group that does not exist, with 'props', whose selection
 * method is one of ours.  The fields are those of 'props'. */
struct lb_params
lb_params_of_props(const struct ofputil_group_props *props)
{
    struct lb_params params = from_props(props);

    set_key(&params);
    return params;
}

/* Whose message is being handled: "BRIDGE<->CONTROLLER", or null. */
static const char *controller;

/* Has refusals, until the next call, say that 'name' asked for the group.  It
 * must stay valid until then; null is no controller. */
void
lb_set_controller(const char *name)
{
    controller = name;
}

/* Logs why 'group' cannot be load-balanced. */
void
lb_params_log_refusal(const struct ofgroup *group, const char *format, ...)
{
    va_list args;
    char *reason;

    va_start(args, format);
    reason = xvasprintf(format, args);
    va_end(args);
    VLOG_WARN_RL(&rl, "%s: group %"PRIu32" cannot be load-balanced: %s",
                 controller ? controller : group->ofproto->name,
                 group->group_id, reason);
    free(reason);
}

/* Checks 'group', as lb_params_get().  Returns 0, OFPBPC_BAD_VALUE if its
 * timeout is too long, OFPGMFC_OUT_OF_BUCKETS if it has too many buckets, or
 * OFPGMFC_LOOP if one of them sends to the group itself. */
enum ofperr
lb_params_check(const struct ofgroup *group)
{
    const struct lb_params params = get_without_key(group);
    const struct ofputil_bucket *bucket;

    if (params.timeout > LB_MAX_TIMEOUT) {
        lb_params_log_refusal(group, "timeout of %"PRIu32" s is more than %d "
                              "s", params.timeout, LB_MAX_TIMEOUT);
        return OFPERR_OFPBPC_BAD_VALUE;
    }
    if (group->n_buckets > MAGLEV_MAX_BACKENDS) {
        lb_params_log_refusal(group, "%"PRIu32" buckets are more than %d",
                              group->n_buckets, MAGLEV_MAX_BACKENDS);
        return OFPERR_OFPGMFC_OUT_OF_BUCKETS;
    }
    LIST_FOR_EACH (bucket, list_node, &group->buckets) {
        if (ofpacts_output_to_group(bucket->ofpacts, bucket->ofpacts_len,
                                    group->group_id)) {
            lb_params_log_refusal(group, "bucket %"PRIu32" sends to the same "
                                  "group", bucket->bucket_id);
            return OFPERR_OFPGMFC_LOOP;
        }
    }
    if (params.seed && params.seed <= LB_MAX_TIMEOUT && !params.timeout) {
        VLOG_INFO_RL(&rl, "%s: group %"PRIu32": selection_method_param=%"PRIu32
                     " is a seed; %llu would be a timeout of %"PRIu32" s",
                     group->ofproto->name, group->group_id, params.seed,
                     (unsigned long long int) params.seed << 32, params.seed);
    }
    return 0;
}
