/* SPDX-License-Identifier: Apache-2.0 */

#ifndef LB_GROUP_H
#define LB_GROUP_H 1

#include <stdbool.h>

#include "ofproto-ext/lb/lb-version.h"
#include "openvswitch/list.h"
#include "openvswitch/ofp-errors.h"

/* Makes versions of groups and puts them in force; see lb-version.h, and
 * lb-ofproto-hooks.h for what Open vSwitch calls. */

struct dpif_backer;
struct group_dpif;
struct hmap;

/* The version of each group that is in force. */
extern struct ovs_list lb_published OVS_GUARDED_BY(lb_mutex);

bool lb_groups_exist(void);
void lb_groups_follow(const struct dpif_backer *,
                      const struct hmap *ofprotos);
void lb_groups_rekey(void);

#endif /* lb-group.h */
