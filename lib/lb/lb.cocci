// SPDX-License-Identifier: Apache-2.0
//
// Hooks into what Open vSwitch reads and decodes: the selection method of
// groups.

// include: lib/lb/lb-method.h

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

// Stock takes the last of several selection methods in one message.
// hook method_twice: lib/ofp-group.c, 1
@method_twice@
symbol gp, prop;
@@
+if (gp->selection_method[0]) {
+    return OFPERR_OFPBPC_DUP_TYPE;
+}
 strcpy(gp->selection_method, prop->selection_method);

// A message that inserts buckets does not tell the group's type: stock takes
// it for one whose buckets must not watch anything.  ofproto-ext/lb/lb-group.c
// checks them when the type is known.
// hook insert_watching: lib/ofp-group.c, 1
@insert_watching@
symbol gm, bucket;
@@
-if (ofputil_bucket_has_liveness(bucket))
+if (ofputil_bucket_has_liveness(bucket)
+    && gm->command != OFPGC15_INSERT_BUCKET)
 { return OFPERR_OFPGMFC_WATCH_UNSUPPORTED; }

// OpenFlow 1.1 to 1.4 have no place for a selection method; stock drops it.
// hook method_version: utilities/ovs-ofctl.c, 1
@method_version@
symbol gms, n_gms, version;
expression e;
@@
 ofctl_group_mod__(...)
 {
 <...
 version = ofputil_protocol_to_ofp_version(e);
+for (size_t g = 0; g < n_gms; g++) {
+    if (!lb_method_has_version(gms[g].props.selection_method, version)) {
+        ovs_fatal(0, LB_METHOD_NEEDS_15, gms[g].group_id,
+                  gms[g].props.selection_method);
+    }
+}
 ...>
 }

// hook method_version_bundle: utilities/ovs-ofctl.c, 1
@method_version_bundle@
symbol gms, n_gms, version;
expression e;
@@
 bundle_group_mod__(...)
 {
 <...
 version = ofputil_protocol_to_ofp_version(e);
+for (size_t g = 0; g < n_gms; g++) {
+    if (!lb_method_has_version(gms[g].props.selection_method, version)) {
+        ovs_fatal(0, LB_METHOD_NEEDS_15, gms[g].group_id,
+                  gms[g].props.selection_method);
+    }
+}
 ...>
 }
