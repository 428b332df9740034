/* SPDX-License-Identifier: Apache-2.0 */

#ifndef LB_PARAMS_H
#define LB_PARAMS_H 1

#include <stdbool.h>
#include <stdint.h>

#include "ofproto-ext/lb/lb-rules.h"
#include "openvswitch/compiler.h"
#include "openvswitch/ofp-errors.h"

/* What a group is to do
 * =====================
 *
 * Either its selection method says so, or configuration does: a rule for a
 * range of groups (lb-rules.h), or other_config:lb-dp-hash for all whose
 * method is "dp_hash", "hash" or none.
 *
 * selection_method_param: the lower 32 bits are the seed of the hash.  0, the
 * default, stands for the host's key, a random one that outlives the daemon
 * (lb-key.h); any other seed gives the same choice on every switch whose group
 * has the same buckets.  The next 24 bits are the idle timeout of sticky
 * flows, in seconds, at most LB_MAX_TIMEOUT; 0 makes the group stateless.  The
 * upper 8 bits are the stage.  Groups with one key choose alike, so those that
 * a packet meets one after the other need different stages: the key of a stage
 * other than 0 is made from the key and the stage.
 *
 * Groups that lb-dp-hash takes over share one key.  Their controllers may not
 * modify a group but replace it by another with another number, as OVN does
 * whenever a backend comes or goes: by the same key, the buckets of both have
 * the same identities, and all but few flows the same bucket.
 *
 * All functions are for the main thread. */

struct ofgroup;
struct ofputil_group_props;

bool lb_params_exist(const struct ofgroup *);
struct lb_params lb_params_get(const struct ofgroup *);
struct lb_params lb_params_of_props(const struct ofputil_group_props *);
enum ofperr lb_params_check(const struct ofgroup *);
void lb_params_set_alias(bool takes_dp_hash, uint64_t seed);
void lb_params_suspend(bool);
struct siphash_key lb_params_stage_key(struct siphash_key, uint8_t stage);
void lb_params_log_refusal(const struct ofgroup *, const char *format, ...)
    OVS_PRINTF_FORMAT(2, 3);

#endif /* lb-params.h */
