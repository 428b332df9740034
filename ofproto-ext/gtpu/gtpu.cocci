// SPDX-License-Identifier: Apache-2.0
//
// Hooks into the OpenFlow switch: GTP-U signalling, and the translation of a
// tunnel port's input and output.

// include: ofproto-ext/gtpu/gtpu-ofproto-hooks.h

// hook gtpu_config: ofproto/ofproto-dpif.c, 1
@gtpu_config@
identifier type, other_config, backer;
@@
 type_set_config(const char *type, const struct smap *other_config)
 {
 struct dpif_backer *backer;
+gtpu_config_set(other_config);
 ...
 }

// hook gtpu_underlay: ofproto/ofproto-dpif.c, 1
@gtpu_underlay@
identifier type, backer;
@@
 type_run(const char *type)
 {
 struct dpif_backer *backer;
 <...
+gtpu_underlay_refresh(&all_ofproto_dpifs_by_name);
+gtpu_paths_refresh(&all_ofproto_dpifs_by_name);
+gtpu_ports_refresh(&all_ofproto_dpifs_by_name);
 udpif_revalidate(backer->udpif);
 ...>
 }

// hook gtpu_run: ofproto/ofproto-dpif.c, 1
@gtpu_run@
identifier type, backer;
@@
 type_run(const char *type)
 {
 struct dpif_backer *backer;
 <...
+gtpu_underlay_run(&all_ofproto_dpifs_by_name);
+gtpu_paths_run(&all_ofproto_dpifs_by_name);
 process_dpif_port_changes(backer);
 ...>
 }

// hook gtpu_wait: ofproto/ofproto-dpif.c, 1
@gtpu_wait@
identifier type, backer;
@@
 type_wait(const char *type)
 {
 struct dpif_backer *backer;
 <...
+gtpu_paths_wait();
 dpif_wait(backer->dpif);
 ...>
 }

// A port is not live while its peer does not answer.
// hook gtpu_may_enable: ofproto/ofproto-dpif.c, 1
@gtpu_may_enable@
identifier ofport;
@@
 may_enable_port(struct ofport_dpif *ofport)
 {
+if (!gtpu_path_may_enable(ofport->up.netdev)) {
+    return false;
+}
 ...
 }

// A message other than a G-PDU goes nowhere unless a flow asks for it.
// hook gtpu_asks_ctx: ofproto/ofproto-dpif-xlate.c, 1
@gtpu_asks_ctx@ @@
 struct xlate_ctx {
+bool gtpu_asked;
 struct xlate_in *xin;
 ...
 };

// hook gtpu_asks: ofproto/ofproto-dpif-xlate.c, 1
@gtpu_asks@
symbol ctx, wc, flow;
@@
 do_xlate_actions(...)
 {
 struct flow_wildcards *wc = ctx->wc;
 struct flow *flow = &ctx->xin->flow;
 const struct ofpact *a;
+
+ctx->gtpu_asked = (ctx->gtpu_asked || !ctx->rule
+                   || gtpu_xlate_asks(&ctx->rule->up.cr.match));
 ...
 }

// hook gtpu_asks_output: ofproto/ofproto-dpif-xlate.c, 1
@gtpu_asks_output@
symbol ctx, xport, flow;
identifier odp_port;
@@
 compose_output_action__(...)
 {
 <...
+ctx->gtpu_asked = ctx->gtpu_asked || gtpu_is_port(xport->netdev);
 odp_port = tnl_port_send(xport->ofport, flow, ctx->wc);
 ...>
 }

// hook gtpu_withhold: ofproto/ofproto-dpif-xlate.c, 1
@gtpu_withhold@
symbol ctx, xin, xout;
@@
 xlate_actions(struct xlate_in *xin, struct xlate_out *xout)
 {
 <...
+if (!ctx.error && !ctx.gtpu_asked && !xin->frozen_state
+    && gtpu_xlate_is_signalling(xin->upcall_flow)) {
+    xlate_report(&ctx, OFT_WARN, "no flow asks for this GTP-U message");
+    ctx.error = XLATE_GTPU_NOT_ASKED;
+}
 if (ctx.error) {
     xout->slow = 0;
     ...
 } else {
     ...
 }
 ...>
 }

// It is not an error of translation.
// hook gtpu_withheld: ofproto/ofproto-dpif-xlate.c, 1
@gtpu_withheld@
symbol ctx;
expression congested;
@@
 xlate_actions(...)
 {
 <...
-congested || ctx.error == XLATE_FORWARDING_DISABLED
+congested || ctx.error == XLATE_FORWARDING_DISABLED
+|| ctx.error == XLATE_GTPU_NOT_ASKED
 ...>
 }

// hook gtpu_withheld_text: ofproto/ofproto-dpif-xlate.c, 1
@gtpu_withheld_text@
expression error;
@@
 xlate_strerror(...)
 {
 <...
 switch (error) {
+case XLATE_GTPU_NOT_ASKED:
+    return "No flow asks for this GTP-U message";
 case XLATE_OK: ...
 }
 ...>
 }

// A GTP-U message other than a G-PDU is for a port of any mode.
// hook gtpu_receive: ofproto/tunnel.c, 1
@gtpu_receive@
identifier flow;
symbol tnl_port;
@@
 tnl_port_receive(const struct flow *flow)
 {
 <...
 tnl_port = tnl_find(flow);
+for (int i = 0; !tnl_port; i++) {
+    struct flow gtpu_flow;
+
+    if (!gtpu_xlate_receive(flow, i, &gtpu_flow)) {
+        break;
+    }
+    tnl_port = tnl_find(&gtpu_flow);
+}
 ...>
 }

// hook gtpu_input: ofproto/tunnel.c, 1
@gtpu_input@
identifier flow, wc;
@@
 tnl_wc_init(struct flow *flow, struct flow_wildcards *wc)
 {
 <...
+gtpu_xlate_input(flow, wc);
 wc->masks.tunnel.tun_id = OVS_BE64_MAX;
 ...>
 }

// hook gtpu_gets_eth: ofproto/ofproto-dpif-xlate.c, 1
@gtpu_gets_eth@
expression in_port;
symbol flow;
@@
 xlate_actions(...)
 {
 <...
-in_port->pt_mode == NETDEV_PT_LEGACY_L3
+gtpu_xlate_gets_eth(in_port->pt_mode, flow)
 ...>
 }

// A GTP-U port counts a sent packet once, without the header that it removes.
// hook gtpu_tx: ofproto/ofproto-dpif-xlate.c, 1
@gtpu_tx@
symbol ctx, xport, flow;
@@
 compose_output_action__(...)
 {
 <...
-netdev_vport_inc_tx(xport->netdev, ctx->xin->resubmit_stats);
+gtpu_stats_inc_tx(xport->netdev, ctx->xin->upcall_flow, flow,
+                  ctx->xin->resubmit_stats);
 ...>
 }

// hook gtpu_tx_cached: ofproto/ofproto-dpif-xlate.c, 1
@gtpu_tx_cached@
symbol ctx, xport, flow;
identifier entry;
@@
 compose_output_action__(...)
 {
 <...
+gtpu_stats_cache_tx(ctx->xin->xcache, xport->netdev, ctx->xin->upcall_flow,
+                    flow, true);
 entry = xlate_cache_add_entry(ctx->xin->xcache, XC_NETDEV);
-entry->dev.tx = netdev_ref(xport->netdev);
+entry->dev.tx = gtpu_stats_ref_sent(xport->netdev, flow);
+gtpu_stats_cache_tx(ctx->xin->xcache, xport->netdev, ctx->xin->upcall_flow,
+                    flow, false);
 ...>
 }

// hook gtpu_tx_patch: ofproto/ofproto-dpif-xlate.c, 1
@gtpu_tx_patch@
identifier entry;
symbol in_dev;
@@
 patch_port_output(...)
 {
 <...
-entry->dev.tx = netdev_ref(in_dev->netdev);
+entry->dev.tx = gtpu_stats_ref_tx(in_dev->netdev);
 ...>
 }

// hook gtpu_tx_sent: ofproto/ofproto-dpif-xlate.c, 1
@gtpu_tx_sent@
identifier backup_xcache;
symbol ctx, xport, tnl_push_data;
@@
 native_tunnel_output(...)
 {
 <...
 xlate_cache_steal_entries(backup_xcache, ctx->xin->xcache);
+gtpu_stats_cache_sent(backup_xcache, xport->netdev,
+                      tnl_push_data.header_len);
 ...>
 }

// A megaflow matches all fields of a packet that its GTP-U header repeats.
// hook gtpu_output: ofproto/tunnel.c, 1
@gtpu_output@
identifier ofport, flow, wc, tnl_port, cfg;
@@
 tnl_port_send(const struct ofport_dpif *ofport, struct flow *flow,
               struct flow_wildcards *wc)
 {
 <...
 cfg = netdev_get_tunnel_config(tnl_port->netdev);
+gtpu_xlate_output(tnl_port->netdev, flow, wc);
 ...>
 }
