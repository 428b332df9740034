/* SPDX-License-Identifier: Apache-2.0 */

#ifndef LB_OFPROTO_HOOKS_H
#define LB_OFPROTO_HOOKS_H 1

/* What the hooks of groups in the OpenFlow switch call
 * ====================================================
 *
 * The semantic patches in lb.cocci insert calls of these functions into Open
 * vSwitch's ofproto/. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/lb/lb-method.h"
#include "openvswitch/ofp-errors.h"
#include "ovs-atomic.h"

struct dpif_backer;
struct dpif_flow_stats;
struct ds;
struct flow;
struct flow_wildcards;
struct group_collection;
struct group_dpif;
struct hmap;
struct lb_group;
struct ofgroup;
struct ofpbuf;
struct ofproto;
struct ofputil_bucket;
struct ofputil_group_features;
struct smap;
struct xlate_in;

/* In each "struct group_dpif": its load-balancing part, or null.  Comes and
 * goes as configuration changes. */
struct lb_group_ref {
    ATOMIC(struct lb_group *) p;
};

/* In each "struct dpif_backer": has its datapath the action lb?  And is it to
 * be used? */
struct lb_support {
    bool boot_time;
    bool run_time;
};

/* The life of a group; see lb-group.c and lb-stats.c. */
enum ofperr lb_group_prepare(struct ofgroup *new_group,
                             const struct ofgroup *old_group);
void lb_group_publish(struct ofgroup *new_group,
                      const struct group_collection *old_groups,
                      uint16_t command);
bool lb_group_credit_stats(struct group_dpif *, struct ofputil_bucket *,
                           const struct dpif_flow_stats *);
void lb_group_destruct(struct group_dpif *);
void lb_groups_refresh_liveness(void);
void lb_groups_run(void);
void lb_groups_wait(void);

/* What controllers see; see lb-support.c and lb-params.c. */
void lb_group_features(const struct ofproto *,
                       struct ofputil_group_features *);
void lb_set_controller(const char *name);

/* Configuration, and commands of ovs-appctl; see lb-config.c, lb-show.c. */
void lb_config_set(const struct smap *other_config,
                   const struct hmap *ofprotos);
void lb_unixctl_init(void);

/* What a datapath supports; see lb-support.c. */
void lb_support_check(struct dpif_backer *);
void lb_support_show(const struct dpif_backer *, struct ds *);
bool lb_support_is(int argc, const char *argv[]);
bool lb_support_set(struct dpif_backer *, int argc, const char *argv[],
                    struct ds *, const struct hmap *ofprotos);

/* The use of a group in a flow; see lb-xlate.c.
 *
 * In struct xlate_ctx, LB_XLATE_HASH_ALG as 'dp_hash_alg' says that the action
 * before the next recirculation is lb, not hash.  The id of its table is in
 * 'lb_table'. */
#define LB_XLATE_HASH_ALG UINT32_MAX

bool lb_xlate_applies(const struct group_dpif *);
struct ofputil_bucket *lb_xlate_bucket(struct group_dpif *,
                                       struct xlate_in *,
                                       struct flow_wildcards *, uint32_t *id,
                                       bool *avoid_caching);
uint32_t lb_xlate_get_hash(const struct xlate_in *);
bool lb_xlate_put_action(struct xlate_in *, uint32_t hash_alg, uint32_t id,
                         uint32_t recirc_id, struct ofpbuf *odp_actions);

#endif /* lb-ofproto-hooks.h */
