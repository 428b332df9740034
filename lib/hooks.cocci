// SPDX-License-Identifier: Apache-2.0
//
// Hooks into what Open vSwitch writes, reads and parses: the datapath action
// lb(ID), and the selection method of groups.  Functions called from here are
// declared in lib/lb/lb-method.h and datapath-dpdk/datapath-hooks.h.

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
+#include "lib/lb/lb-method.h"

// A mask on flags or message type of GTP-U is what was asked for.
// hook gtpu_flags_mask: lib/match.c, 1
@gtpu_flags_mask@
identifier match, flags, mask;
@@
 match_set_tun_gtpu_flags_masked(struct match *match, uint8_t flags,
                                 uint8_t mask)
 {
-match->wc.masks.tunnel.gtpu_flags = flags;
+match->wc.masks.tunnel.gtpu_flags = mask;
 ...
 }

// hook gtpu_msgtype_mask: lib/match.c, 1
@gtpu_msgtype_mask@
identifier match, msgtype, mask;
@@
 match_set_tun_gtpu_msgtype_masked(struct match *match, uint8_t msgtype,
                                   uint8_t mask)
 {
-match->wc.masks.tunnel.gtpu_msgtype = msgtype;
+match->wc.masks.tunnel.gtpu_msgtype = mask;
 ...
 }

// A dump shows the masks, too.
// hook gtpu_format: lib/match.c, 1
@gtpu_format@
identifier s, match, wc;
@@
 format_flow_tunnel(struct ds *s, const struct match *match)
 {
 <...
-if (wc->masks.tunnel.gtpu_flags) { ... }
-if (wc->masks.tunnel.gtpu_msgtype) { ... }
+gtpu_match_format(&match->flow.tunnel, &wc->masks.tunnel, s);
 ...>
 }

// hook gtpu_match_include: lib/match.c, 1
@gtpu_match_include@ @@
 #include "openvswitch/match.h"
+#include "datapath-dpdk/datapath-hooks.h"

// The names that a dump shows are names.
// hook gtpu_field_name: lib/meta-flow.c, 1
@gtpu_field_name@
identifier name;
@@
 mf_from_name(const char *name)
 {
+name = gtpu_field_name(name);
 ...
 }

// hook gtpu_field_include: lib/meta-flow.c, 1
@gtpu_field_include@ @@
 #include "openvswitch/meta-flow.h"
+#include "datapath-dpdk/datapath-hooks.h"

// A mask on only one of flags and message type stays.
// hook gtpu_key: lib/odp-util.c, 1
@gtpu_key@
identifier key;
@@
 tun_key_to_attr(..., const struct flow_tnl *key, ...)
 {
 <...
-key->gtpu_flags && key->gtpu_msgtype
+key->gtpu_flags || key->gtpu_msgtype
 ...>
 }

// The action tnl_push shows the whole GTP-U header...
// hook gtpu_push_format: lib/odp-util.c, 1
@gtpu_push_format@
identifier ds, data, udp;
symbol gtph;
@@
 format_odp_tnl_push_header(struct ds *ds, struct ovs_action_push_tnl *data)
 {
 <...
 gtph = format_udp_tnl_push_header(ds, udp);
-ds_put_format(ds, ...);
+gtpu_push_format(data, gtph, ds);
+ds_put_char(ds, ')');
 ...>
 }

// ...and reads it.  In stock, the case of GTP-U is never reached: that of other
// UDP tunnels takes its text and fails.
// hook gtpu_push_next: lib/odp-util.c, 1
@gtpu_push_next@
expression s, n, fmt;
symbol udp_src, udp_dst, udp_csum;
@@
-ovs_scan_len(s, &n, fmt, &udp_src, &udp_dst, &udp_csum)
+!gtpu_push_is_next(s + n) && ovs_scan_len(s, &n, fmt, &udp_src, &udp_dst, &udp_csum)

// hook gtpu_push_parse: lib/odp-util.c, 1
@gtpu_push_parse@
expression s, n, fmt;
symbol gtpu_flags, gtpu_msgtype, teid, data, udp;
@@
-ovs_scan_len(s, &n, fmt, &gtpu_flags, &gtpu_msgtype, &teid)
+gtpu_push_parse(s, &n, data, udp, &gtpu_flags, &gtpu_msgtype, &teid)

// hook gtpu_push_len: lib/odp-util.c, 1
@gtpu_push_len@
expression before;
symbol gtph;
@@
-before + sizeof *gtph
+before + gtpu_push_len(gtph)

// hook gtpu_writable_dst: lib/meta-flow.c, 1
@gtpu_writable_dst@
expression mf;
@@
-!mf->writable
+!mf->writable && !gtpu_field_is_writable(mf)

// hook gtpu_writable: lib/ofp-actions.c, 4
@gtpu_writable@
expression mf;
@@
-!mf->writable
+!mf->writable && !gtpu_field_is_writable(mf)

// hook gtpu_actions_include: lib/ofp-actions.c, 1
@gtpu_actions_include@ @@
 #include "openvswitch/ofp-actions.h"
+#include "datapath-dpdk/datapath-hooks.h"

// What is output to a port for IP packets first, and to one for Ethernet then,
// gets its Ethernet header back; Open vSwitch 3.1 aborts.
// hook push_eth_back: lib/odp-util.c, 1
@push_eth_back@
identifier flow, base_flow, pending_encap, pending_decap;
@@
 commit_encap_decap_action(const struct flow *flow, struct flow *base_flow,
                           ..., bool pending_encap, bool pending_decap, ...)
 {
+if (gtpu_has_lost_eth(flow, base_flow) && !pending_decap) {
+    pending_encap = true;
+}
 ...
 }
