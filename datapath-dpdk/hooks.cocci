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

// hook vport_include: lib/netdev-vport.c, 1
@vport_include@ @@
 #include "netdev-vport.h"
+#include "datapath-dpdk/datapath-hooks.h"

// hook gtpu_push: lib/netdev-vport.c, 1
@gtpu_push@ @@
-netdev_gtpu_push_header
+gtpu_vport_push_header
