// SPDX-License-Identifier: Apache-2.0
//
// Hooks into what Open vSwitch writes, reads and parses: the datapath action
// lb(ID), and the selection method of groups.  Functions called from here are
// declared in lib/lb-method.h and datapath-dpdk/datapath-hooks.h.

// hook lb_attr: include/linux/openvswitch.h, 1
@lb_attr@ @@
 enum ovs_action_attr {
 ...,
+OVS_ACTION_ATTR_LB,
 __OVS_ACTION_ATTR_MAX,
 ...
 };

// hook odp_util_include: lib/odp-util.c, 1
@odp_util_include@ @@
 #include "odp-util.h"
+#include "datapath-dpdk/datapath-hooks.h"

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

// hook method_decode: lib/ofp-group.c, 1
@method_decode@
expression method;
@@
-strcmp("dp_hash", method)
+strcmp("dp_hash", method) && !lb_method_is_known(method)

// hook method_decode_fields: lib/ofp-group.c, 1
@method_decode_fields@
expression method;
identifier fields_len;
@@
-fields_len && strcmp("hash", method)
+fields_len && strcmp("hash", method) && !lb_method_is_known(method)

// hook method_parse_fields: lib/ofp-group.c, 1
@method_parse_fields@
expression method;
idexpression gm;
@@
-strcmp(method, "hash") &&
+strcmp(method, "hash") && !lb_method_is_known(method) &&
 gm->props.fields.values_size

// hook method_include: lib/ofp-group.c, 1
@method_include@ @@
 #include "openvswitch/ofp-group.h"
+#include "lib/lb-method.h"
