// SPDX-License-Identifier: Apache-2.0
//
// Hooks for the datapath action lb(ID): as text, as a netlink attribute, and
// executed.

// include: datapath-dpdk/lb/lb-hooks.h

// hook lb_attr: include/linux/openvswitch.h, 1
@lb_attr@ @@
 enum ovs_action_attr {
 ...,
+OVS_ACTION_ATTR_LB,
 __OVS_ACTION_ATTR_MAX,
 ...
 };

// hook lb_attr_len: lib/odp-util.c, 1
@lb_attr_len@
typedef uint32_t;
expression type;
@@
 odp_action_len(...)
 {
 <...
 switch (type) {
+case OVS_ACTION_ATTR_LB: return sizeof(uint32_t);
 case OVS_ACTION_ATTR_OUTPUT: return sizeof(uint32_t);
 }
 ...>
 }

// hook lb_format: lib/odp-util.c, 1
@lb_format@
identifier ds, a;
expression type;
@@
 format_odp_action(struct ds *ds, const struct nlattr *a, ...)
 {
 <...
 switch (type) {
+case OVS_ACTION_ATTR_LB:
+    lb_action_format(a, ds);
+    break;
 case OVS_ACTION_ATTR_METER: ...
 }
 ...>
 }

// hook lb_parse: lib/odp-util.c, 1
@lb_parse@
identifier context, s, actions;
@@
 parse_odp_action__(struct parse_odp_context *context, const char *s,
                    struct ofpbuf *actions)
 {
+{
+    int n = lb_action_parse(s, actions);
+
+    if (n) {
+        return n;
+    }
+}
 ...
 }

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

// hook lb_init: lib/dpif-netdev.c, 1
@lb_init@ @@
 dpif_netdev_init(void)
 {
 <...
+lb_action_init();
 unixctl_command_register("dpif-netdev/bond-show", ...);
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

// Nor is it offloaded.
// hook lb_not_offloaded: lib/dpif-offload-dummy.c, 2, >=4.0
@lb_not_offloaded@
enum ovs_action_attr action;
@@
 switch (action) {
+case OVS_ACTION_ATTR_LB:
 case OVS_ACTION_ATTR_UNSPEC: ...
 }
