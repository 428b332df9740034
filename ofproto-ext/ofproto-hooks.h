/* SPDX-License-Identifier: Apache-2.0 */

#ifndef OFPROTO_HOOKS_H
#define OFPROTO_HOOKS_H 1

/* What the hooks in Open vSwitch's OpenFlow switch call
 * =====================================================
 *
 * The semantic patches in hooks.cocci insert calls of these functions, and of
 * no others, into Open vSwitch's ofproto/. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/lb-method.h"
#include "openvswitch/ofp-errors.h"

struct flow;
struct flow_wildcards;
struct frozen_state;
struct group_collection;
struct group_dpif;
struct lb_group;
struct ofgroup;
struct ofpbuf;
struct ofputil_bucket;

/* The life of a group; see lb-group.c. */
enum ofperr lb_group_prepare(struct ofgroup *new_group,
                             const struct ofgroup *old_group);
void lb_group_publish(struct ofgroup *new_group,
                      const struct group_collection *old_groups);
void lb_group_destroy(struct lb_group *);
uint32_t lb_group_get_id(const struct lb_group *);
void lb_groups_refresh_liveness(void);
void lb_group_unixctl_init(void);

/* The use of a group in a flow; see lb-xlate.c.
 *
 * LB_XLATE_HASH_ALG stands where Open vSwitch keeps the algorithm of a
 * datapath hash action; with it, the hash's basis is the id of a table. */
#define LB_XLATE_HASH_ALG UINT32_MAX

struct ofputil_bucket *lb_xlate_bucket(const struct group_dpif *,
                                       struct flow *,
                                       struct flow_wildcards *,
                                       const struct frozen_state *);
bool lb_xlate_put_action(uint32_t hash_alg, uint32_t id,
                         struct ofpbuf *odp_actions);

#endif /* ofproto-hooks.h */
