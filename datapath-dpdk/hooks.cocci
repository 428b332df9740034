// SPDX-License-Identifier: Apache-2.0
//
// Hooks into the data path.  Functions called from here are declared in
// datapath-dpdk/datapath-hooks.h.

// hook execute_include: lib/odp-execute.c, 1
@execute_include@ @@
 #include "odp-execute.h"
+#include "datapath-dpdk/datapath-hooks.h"

// hook lb_needs_no_datapath: lib/odp-execute.c, 1
@lb_needs_no_datapath@
expression type;
@@
 requires_datapath_assistance(...)
 {
 <...
 switch (type) {
+case OVS_ACTION_ATTR_LB:
 case OVS_ACTION_ATTR_DROP:
     return false;
 }
 ...>
 }

// hook lb_execute: lib/odp-execute.c, 1
@lb_execute@
identifier f = odp_execute_actions;
identifier batch, a, hash;
expression type;
@@
 f(..., struct dp_packet_batch *batch, ...)
 {
 <...
 switch (type) {
+case OVS_ACTION_ATTR_LB:
+    lb_action_execute(batch, a);
+    break;
 case OVS_ACTION_ATTR_HASH: {
 const struct ovs_action_hash *hash = nl_attr_get(a);
 ...
 }
 }
 ...>
 }

// hook netdev_include: lib/dpif-netdev.c, 1
@netdev_include@ @@
 #include "dpif-netdev.h"
+#include "datapath-dpdk/datapath-hooks.h"

// hook netdev_init: lib/dpif-netdev.c, 1
@netdev_init@ @@
 dpif_netdev_init(void)
 {
 <...
+lb_action_init();
 unixctl_command_register("dpif-netdev/subtable-lookup-prio-get", ...);
 ...>
 }

// Not each packet may become a message.
// hook gtpu_may_push: lib/netdev.c, 1
@gtpu_may_push@
expression packet, data;
@@
 netdev_push_header(...)
 {
 <...
+if (!gtpu_vport_may_push(packet, data)) {
+    dp_packet_delete(packet);
+    continue;
+}
 netdev->netdev_class->push_header(netdev, packet, data);
 ...>
 }

// hook gtpu_may_push_include: lib/netdev.c, 1
@gtpu_may_push_include@ @@
 #include "netdev-provider.h"
+#include "datapath-dpdk/datapath-hooks.h"

// An answer to a GTP-U message comes from the underlay bridge.
// hook gtpu_pop_port: lib/dpif-netdev.c, 1
@gtpu_pop_port@
expression packet;
symbol portno;
@@
-packet->md.in_port.odp_port = portno;
+packet->md.in_port.odp_port = gtpu_vport_pop_port(packet, portno);

// What the datapath need not execute must not get to it.
// hook lb_not_in_netdev: lib/dpif-netdev.c, 1
@lb_not_in_netdev@
expression type;
@@
 dp_execute_cb(...)
 {
 <...
 switch (type) {
+case OVS_ACTION_ATTR_LB:
 case __OVS_ACTION_ATTR_MAX:
     OVS_NOT_REACHED();
 }
 ...>
 }

// hook lb_not_in_helper: lib/dpif.c, 1
@lb_not_in_helper@
expression type;
@@
 dpif_execute_helper_cb(...)
 {
 <...
 switch (type) {
+case OVS_ACTION_ATTR_LB:
 case __OVS_ACTION_ATTR_MAX:
     OVS_NOT_REACHED();
 }
 ...>
 }

// hook ct_include: lib/conntrack.c, 1
@ct_include@ @@
 #include "conntrack-private.h"
+#include "datapath-dpdk/datapath-hooks.h"

// hook ct_nat: lib/conntrack.c, 2
@ct_nat@
identifier process =~ "^process_one";
identifier nat_action_info, pkt;
expression list rest;
@@
 process(..., const struct nat_action_info_t *nat_action_info, ...)
 {
 <...
+if (ct_nat_applies(pkt->md.ct_state, nat_action_info))
 handle_nat(pkt, rest);
 ...>
 }

// hook vport_include: lib/netdev-vport.c, 1
@vport_include@ @@
 #include "netdev-vport.h"
+#include "datapath-dpdk/datapath-hooks.h"

// The class "gtpu" gets this project's functions.
// hook gtpu_build: lib/netdev-vport.c, 1
@gtpu_build@ @@
-netdev_gtpu_build_header
+gtpu_vport_build_header

// hook gtpu_push: lib/netdev-vport.c, 1
@gtpu_push@ @@
-netdev_gtpu_push_header
+gtpu_vport_push_header

// hook gtpu_pop: lib/netdev-vport.c, 1
@gtpu_pop@ @@
-netdev_gtpu_pop_header
+gtpu_vport_pop_header

// hook gtpu_options: lib/netdev-vport.c, 1
@gtpu_options@
identifier has_seq, type;
@@
 set_tunnel_config(...)
 {
 <...
 has_seq = strstr(type, "gre");
+if (!strcmp(type, "gtpu")) {
+    has_csum = has_seq = true;
+}
 ...>
 }

// Ethernet PDU sessions.
// hook gtpu_legacy_l2: lib/netdev-vport.c, 1
@gtpu_legacy_l2@
identifier layers;
@@
 set_tunnel_config(...)
 {
 <...
-!(layers & TNL_L2)
+!(layers & TNL_L2) && strcmp(type, "gtpu")
 ...>
 }

// hook gtpu_configured: lib/netdev-vport.c, 1
@gtpu_configured@
identifier dev, tnl_cfg;
@@
 set_tunnel_config(struct netdev *dev, ...)
 {
 ...
 struct netdev_tunnel_config tnl_cfg;
 <...
+gtpu_vport_configured(dev, &tnl_cfg);
 netdev_change_seq_changed(dev);
 ...>
 }

// hook gtpu_destructed: lib/netdev-vport.c, 1
@gtpu_destructed@
identifier dev;
@@
 netdev_vport_destruct(struct netdev *dev)
 {
+gtpu_vport_destructed(dev);
 ...
 }

// hook gtpu_option: lib/netdev-vport.c, 1
@gtpu_option@
identifier dev_, node;
@@
 set_tunnel_config(struct netdev *dev_, ...)
 {
 <...
-!strcmp(node->key, "packet_type")
+!strcmp(node->key, "packet_type") || gtpu_option_is_known(dev_, node->key)
 ...>
 }

// hook gtpu_options_check: lib/netdev-vport.c, 1
@gtpu_options_check@
identifier dev_, args;
symbol errors, err;
@@
 set_tunnel_config(struct netdev *dev_, const struct smap *args, ...)
 {
 <...
 const char *packet_type = smap_get(args, "packet_type");
+err = gtpu_options_check(dev_, args, &errors);
+if (err) {
+    goto out;
+}
 ...>
 }

// hook gtpu_options_set: lib/netdev-vport.c, 1
@gtpu_options_set@
identifier dev_, args, dev, tnl_cfg;
@@
 set_tunnel_config(struct netdev *dev_, const struct smap *args, ...)
 {
 <...
-memcmp(&dev->tnl_cfg, &tnl_cfg, sizeof tnl_cfg)
+gtpu_vport_set_options(dev_, args) || memcmp(&dev->tnl_cfg, &tnl_cfg, sizeof tnl_cfg)
 ...>
 }

// hook gtpu_options_get: lib/netdev-vport.c, 1
@gtpu_options_get@
identifier dev, args, tnl_cfg;
@@
 get_tunnel_config(const struct netdev *dev, struct smap *args)
 {
 <...
+gtpu_vport_get_options(dev, args);
 if (tnl_cfg.csum) { ... }
 ...>
 }

// Options that stand for GTP-U's extension headers are not Geneve's.
// hook gtpu_not_geneve: lib/netdev-native-tnl.c, 1
@gtpu_not_geneve@ @@
 netdev_geneve_build_header(...)
 {
 <...
-tun_metadata_to_geneve_header
+gtpu_to_geneve_header
 ...>
 }

// hook native_tnl_include: lib/netdev-native-tnl.c, 1
@native_tnl_include@ @@
 #include "netdev-native-tnl.h"
+#include "datapath-dpdk/datapath-hooks.h"
