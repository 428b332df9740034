/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-ext/lb/lb-group.h"

#include <stdarg.h>
#include <stdlib.h>

#include "lib/lb/lb-method.h"
#include "lib/lb/maglev.h"
#include "ofproto/ofproto-provider.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofp-group.h"
#include "openvswitch/vlog.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(lb_params);

/* Controllers get no more than a code for a group that is refused, and may
 * send many groups. */
static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(60, 60);

/* Returns what 'group', which is ours by its selection method, by a rule or
 * by lb-dp-hash, is to do.  The fields are the group's or the rule's.  Main
 * thread. */
struct lb_params
lb_params_get(const struct ofgroup *group)
{
    const struct ofputil_group_props *props = &group->props;

    if (!lb_method_is_known(props->selection_method)) {
        const struct lb_params *rule = lb_rules_find(group);

        if (rule) {
            return *rule;
        }
        return (struct lb_params) { .input = LB_INPUT_PACKET,
                                    .shared_key = true,
                                    .fields = &props->fields };
    }
    return (struct lb_params) {
        .input = lb_method_input(props->selection_method),
        .timeout = props->selection_method_param >> 32,
        .seed = props->selection_method_param,
        .fields = &props->fields,
    };
}

/* Logs why 'group' cannot be load-balanced. */
void
lb_log_refusal(const struct ofgroup *group, const char *format, ...)
{
    va_list args;
    char *reason;

    va_start(args, format);
    reason = xvasprintf(format, args);
    va_end(args);
    VLOG_WARN_RL(&rl, "%s: group %"PRIu32" cannot be load-balanced: %s",
                 group->ofproto->name, group->group_id, reason);
    free(reason);
}

/* Checks 'group', as lb_params_get().  Returns 0, OFPBPC_BAD_VALUE if its
 * timeout is too long, OFPGMFC_OUT_OF_BUCKETS if it has too many buckets, or
 * OFPGMFC_LOOP if one of them sends to the group itself.  Main thread. */
enum ofperr
lb_params_check(const struct ofgroup *group)
{
    const struct lb_params params = lb_params_get(group);
    const struct ofputil_bucket *bucket;

    if (params.timeout > LB_MAX_TIMEOUT) {
        lb_log_refusal(group, "timeout of %"PRIu32" s is more than %d s",
                       params.timeout, LB_MAX_TIMEOUT);
        return OFPERR_OFPBPC_BAD_VALUE;
    }
    if (group->n_buckets > MAGLEV_MAX_BACKENDS) {
        lb_log_refusal(group, "%"PRIu32" buckets are more than %d",
                       group->n_buckets, MAGLEV_MAX_BACKENDS);
        return OFPERR_OFPGMFC_OUT_OF_BUCKETS;
    }
    LIST_FOR_EACH (bucket, list_node, &group->buckets) {
        if (ofpacts_output_to_group(bucket->ofpacts, bucket->ofpacts_len,
                                    group->group_id)) {
            lb_log_refusal(group, "bucket %"PRIu32" sends to the same group",
                           bucket->bucket_id);
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
