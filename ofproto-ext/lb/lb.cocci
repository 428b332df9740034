// SPDX-License-Identifier: Apache-2.0
//
// Hooks into the OpenFlow switch: the life of a group, and the translation of
// its use in a flow.

// include: ofproto-ext/lb/lb-ofproto-hooks.h

// hook group_field: ofproto/ofproto-dpif.h, 1
@group_field@ @@
 struct group_dpif {
 struct ofgroup up;
+struct lb_group_ref lb;
 ...
 };

// hook support_field: ofproto/ofproto-dpif.h, 1
@support_field@ @@
 struct dpif_backer {
 char *type;
+struct lb_support lb;
 ...
 };

// hook support_check: ofproto/ofproto-dpif.c, 1
@support_check@
identifier backer;
@@
 check_support(struct dpif_backer *backer)
 {
+lb_support_check(backer);
 ...
 }

// Without the attribute, Coccinelle 1.3 takes "argc OVS_UNUSED" for a type and
// its name, and then parses no function that computes with argc.
// hook support_show: ofproto/ofproto-dpif.c, 1
@support_show@
identifier ofproto, ds;
attribute name OVS_UNUSED;
@@
 ofproto_unixctl_dpif_show_dp_features(...)
 {
 <...
 dpif_show_support(&ofproto->backer->bt_support, &ds);
+lb_support_show(ofproto->backer, &ds);
 ...>
 }

// hook support_set: ofproto/ofproto-dpif.c, 1
@support_set@
identifier changed;
symbol ofproto, argc, argv, ds;
expression list args;
@@
 ofproto_unixctl_dpif_set_dp_features(...)
 {
 <...
-changed = dpif_set_support(args);
+changed = (lb_support_is(argc, argv)
+           ? lb_support_set(ofproto->backer, argc, argv, &ds,
+                            &all_ofproto_dpifs_by_name)
+           : dpif_set_support(args));
 ...>
 }

// What OpenFlow calls "maglev" gets the table of "dp_hash" as well: a datapath
// without the lb action falls back to it.
// hook group_method: ofproto/ofproto-dpif.c, 1
@group_method@
expression method;
@@
-!strcmp(method, "dp_hash")
+!strcmp(method, "dp_hash") || lb_method_is_known(method)

// hook group_destruct: ofproto/ofproto-dpif.c, 1
@group_destruct@
identifier group_, group;
@@
 group_destruct(struct ofgroup *group_)
 {
 struct group_dpif *group = group_dpif_cast(group_);
+lb_group_destruct(group);
 ...
 }

// What comes in for a version that has been replaced.
// hook group_stats: ofproto/ofproto-dpif.c, 1
@group_stats@
identifier group, bucket, stats;
@@
 group_dpif_credit_stats(struct group_dpif *group,
                         struct ofputil_bucket *bucket,
                         const struct dpif_flow_stats *stats)
 {
+if (lb_group_credit_stats(group, bucket, stats)) {
+    return;
+}
 ...
 }

// hook group_liveness: ofproto/ofproto-dpif.c, 1
@group_liveness@
identifier type, backer;
@@
 type_run(const char *type)
 {
 struct dpif_backer *backer;
 <...
+lb_groups_refresh_liveness();
 udpif_revalidate(backer->udpif);
 ...>
 }

// hook group_run: ofproto/ofproto-dpif.c, 1
@group_run@
identifier type, backer;
@@
 type_run(const char *type)
 {
 struct dpif_backer *backer;
 <...
+lb_groups_run();
 process_dpif_port_changes(backer);
 ...>
 }

// hook group_wait: ofproto/ofproto-dpif.c, 1
@group_wait@
identifier type, backer;
@@
 type_wait(const char *type)
 {
 struct dpif_backer *backer;
 <...
+lb_groups_wait();
 dpif_wait(backer->dpif);
 ...>
 }

// hook group_config: ofproto/ofproto-dpif.c, 1
@group_config@
identifier type, other_config, backer;
@@
 type_set_config(const char *type, const struct smap *other_config)
 {
 struct dpif_backer *backer;
+lb_config_set(other_config, &all_ofproto_dpifs_by_name);
 ...
 }

// hook group_appctl: ofproto/ofproto-dpif.c, 1
@group_appctl@ @@
 ofproto_unixctl_init(void)
 {
 <...
+lb_unixctl_init();
 unixctl_command_register("fdb/flush", ...);
 ...>
 }

// The table of a group is built when all its buckets are known, which for an
// OpenFlow 1.5 "insert-buckets" is after the group's construction.
// hook group_add: ofproto/ofproto.c, 1
@group_add@
identifier ofproto, ogm, error;
@@
 add_group_start(struct ofproto *ofproto, struct ofproto_group_mod *ogm)
 {
 <...
 error = init_group(...);
+if (!error) {
+    error = lb_group_prepare(ogm->new_group, NULL);
+    if (error) {
+        ofproto_group_unref(ogm->new_group);
+        ogm->new_group = NULL;
+    }
+}
 ...>
 }

// hook group_modify: ofproto/ofproto.c, 1
@group_modify@
identifier ofproto, ogm, old_group;
@@
 modify_group_start(struct ofproto *ofproto, struct ofproto_group_mod *ogm)
 {
 <...
+error = lb_group_prepare(ogm->new_group, old_group);
+if (error) {
+    goto out;
+}
 group_collection_add(&ogm->old_groups, old_group);
 ...>
 }

// hook group_publish: ofproto/ofproto.c, 1
@group_publish@
identifier ofproto, ogm, req;
@@
 ofproto_group_mod_finish(struct ofproto *ofproto,
                          struct ofproto_group_mod *ogm, ...)
 {
 ...
 struct ofgroup *old_group;
+lb_group_publish(ogm->new_group, &ogm->old_groups, ogm->gm.command);
 ...
 }

// What a controller may count on, whichever selection method it uses.
// hook group_features: ofproto/ofproto.c, 1
@group_features@
identifier ofproto, msg, request;
@@
 handle_group_features_stats_request(...)
 {
 ...
-msg = ofputil_encode_group_features_reply(&ofproto->ogf, request);
+struct ofputil_group_features lb_features;
+lb_group_features(ofproto, &lb_features);
+msg = ofputil_encode_group_features_reply(&lb_features, request);
 ...
 }

// The log says whose group was refused.
// hook group_controller: ofproto/connmgr.c, 1
@group_controller@
symbol ofconn, handle_openflow, msgs;
@@
+lb_set_controller(rconn_get_name(ofconn->rconn));
 handle_openflow(ofconn, &msgs);
+lb_set_controller(NULL);

// The table that chooses, where Open vSwitch has the basis of a hash.
// hook xlate_table: ofproto/ofproto-dpif-xlate.c, 1
@xlate_table@
typedef uint32_t;
@@
 struct xlate_ctx {
 ...
 uint32_t dp_hash_basis;
+uint32_t lb_table;
 ...
 };

// hook xlate_pick: ofproto/ofproto-dpif-xlate.c, 1
@xlate_pick@
identifier ctx, group;
@@
 pick_select_group(struct xlate_ctx *ctx, struct group_dpif *group)
 {
 ...
+if (lb_xlate_applies(group)) {
+    struct ofputil_bucket *lb_bucket;
+
+    lb_bucket = lb_xlate_bucket(group, ctx->xin, ctx->wc, &ctx->lb_table,
+                                &ctx->xout->avoid_caching);
+    if (!lb_bucket) {
+        xlate_report(ctx, OFT_DETAIL, "the datapath chooses the bucket");
+        ctx_trigger_recirculate_with_hash(ctx, LB_XLATE_HASH_ALG, 0);
+    }
+    return lb_bucket;
+}
 switch (group->selection_method) {
 case SEL_METHOD_DEFAULT: ...
 }
 ...
 }

// A group of Open vSwitch must not take a token for a hash.
// hook xlate_hash: ofproto/ofproto-dpif-xlate.c, 1
@xlate_hash@
typedef uint32_t;
identifier ctx, hash;
@@
 pick_dp_hash_select_group(struct xlate_ctx *ctx, ...)
 {
-uint32_t hash = ctx->xin->flow.dp_hash;
+uint32_t hash = lb_xlate_get_hash(ctx->xin);
 ...
 }

// hook xlate_report: ofproto/ofproto-dpif-xlate.c, 1
@xlate_report@
identifier ctx, group;
@@
 xlate_group_action__(struct xlate_ctx *ctx, struct group_dpif *group, ...)
 {
 <...
+if (!lb_xlate_applies(group))
 xlate_report(ctx, OFT_DETAIL, "no live bucket");
 ...>
 }

// hook xlate_action: ofproto/ofproto-dpif-xlate.c, 1
@xlate_action@
identifier ctx;
symbol recirc_id;
@@
 finish_freezing__(struct xlate_ctx *ctx, ...)
 {
 <...
-if (ctx->recirc_update_dp_hash)
+if (ctx->recirc_update_dp_hash
+    && !lb_xlate_put_action(ctx->xin, ctx->dp_hash_alg, ctx->lb_table,
+                            recirc_id, ctx->odp_actions))
 { ... }
 ...>
 }

// As hash(), lb() changes what no other action puts back.
// hook lb_not_reversible: ofproto/ofproto-dpif-xlate.c, 1, >=4.0
@lb_not_reversible@
expression type;
@@
 odp_actions_are_reversible(...)
 {
 <...
 switch (type) {
+case OVS_ACTION_ATTR_LB:
 case OVS_ACTION_ATTR_HASH: ...
 }
 ...>
 }

// The exporters of flow samples know each datapath action.
// hook sflow_action: ofproto/ofproto-dpif-sflow.c, 1
@sflow_action@
expression type;
@@
 switch (type) {
+case OVS_ACTION_ATTR_LB:
 case OVS_ACTION_ATTR_TRUNC: ...
 }

// hook ipfix_action: ofproto/ofproto-dpif-ipfix.c, 1
@ipfix_action@
expression type;
@@
 dpif_ipfix_read_actions(...)
 {
 <...
 switch (type) {
+case OVS_ACTION_ATTR_LB:
+    break;
 case OVS_ACTION_ATTR_SAMPLE: ...
 }
 ...>
 }
