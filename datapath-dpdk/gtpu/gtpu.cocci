// SPDX-License-Identifier: Apache-2.0
//
// Hooks for the tunnel type "gtpu": its options and functions, what is shown
// and parsed of its header, and its matches.

// include: datapath-dpdk/gtpu/gtpu-hooks.h

// The mask on flags or message type of GTP-U is the given one.
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

// A dump shows the masks.
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

// The names in a dump are valid input.
// hook gtpu_field_name: lib/meta-flow.c, 1
@gtpu_field_name@
identifier name;
@@
 mf_from_name(const char *name)
 {
+name = gtpu_field_name(name);
 ...
 }

// A mask on flags or message type alone is kept.
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
// hook gtpu_push_format: lib/odp-util.c, 1, <4.0
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

// hook gtpu_push_format: lib/odp-util.c, 1, >=4.0
@gtpu_push_format@
identifier ds, data;
expression fmt;
symbol gtph;
@@
 format_odp_tnl_push_header(struct ds *ds, struct ovs_action_push_tnl *data)
 {
 <...
-ds_put_format(ds, fmt, gtph->md.flags, ...);
+gtpu_push_format(data, gtph, ds);
+ds_put_char(ds, ')');
 ...>
 }

// ...and parses it.  Stock never reaches the case of GTP-U: the case of other
// UDP tunnels takes its text and fails.
// hook gtpu_push_next: lib/odp-util.c, 1
@gtpu_push_next@
expression s, n, fmt;
symbol udp_src, udp_dst, udp_csum;
@@
-ovs_scan_len(s, &n, fmt, &udp_src, &udp_dst, &udp_csum)
+!gtpu_push_is_next(s + n)
+&& ovs_scan_len(s, &n, fmt, &udp_src, &udp_dst, &udp_csum)

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

// A rule that makes a message which no tunnel port sends is refused.
// hook gtpu_may_be: lib/ofp-actions.c, 1
@gtpu_may_be@
identifier a;
@@
 check_SET_FIELD(struct ofpact_set_field *a, ...)
 {
+if (!gtpu_field_may_be(a->field, a->value, ofpact_set_field_mask(a))) {
+    return OFPERR_OFPBAC_BAD_SET_ARGUMENT;
+}
 ...
 }

// An action on a mapped tunnel option has the option's length.
// hook gtpu_field_len: lib/nx-match.c, 1
@gtpu_field_len@
expression mff, value, mask, masked;
symbol len;
@@
 nx_put_entry(...)
 {
 <...
-len = mf_field_len(mff, value, mask, masked);
+len = gtpu_field_len(mff, mf_field_len(mff, value, mask, masked));
 ...>
 }

// A packet that is output first to a port for IP packets and then to one for
// Ethernet gets its Ethernet header back.  Open vSwitch 3.1 aborts.
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

// Some packets must not become a message.
// hook gtpu_may_push: lib/netdev.c, 1
@gtpu_may_push@
identifier batch, data;
@@
 netdev_push_header(..., struct dp_packet_batch *batch,
                    const struct ovs_action_push_tnl *data)
 {
+gtpu_vport_filter(batch, data);
 ...
 }

// The input port of an answer to a GTP-U message is the underlay bridge's.
// hook gtpu_pop_port: lib/dpif-netdev.c, 1
@gtpu_pop_port@
expression packet;
symbol portno;
@@
-packet->md.in_port.odp_port = portno;
+packet->md.in_port.odp_port = gtpu_vport_pop_port(packet, portno);

// A GTP-U tunnel gets the first fragment of a packet, to count it.
// hook gtpu_fragment: lib/tnl-ports.c, 1
@gtpu_fragment@
identifier dev_name;
@@
 map_insert(..., const char dev_name[])
 {
 <...
-FLOW_NW_FRAG_MASK
+gtpu_tunnel_frag_mask(dev_name)
 ...>
 }

// hook gtpu_linear: lib/dpif-netdev.c, 1
@gtpu_linear@
identifier batch, n;
@@
 dp_netdev_process_rxq_port(...)
 {
 <...
+gtpu_linearize_batch(&batch);
 n = dp_packet_batch_size(&batch);
 ...>
 }

// hook gtpu_stats: lib/netdev-vport.c, 1
@gtpu_stats@
identifier netdev, stats;
@@
 netdev_vport_get_stats(const struct netdev *netdev,
                        struct netdev_stats *stats)
 {
+gtpu_vport_get_stats(netdev, stats);
 ...
 }

// hook gtpu_show: lib/netdev-vport.c, 1
@gtpu_show@ @@
 netdev_vport_tunnel_register(void)
 {
+gtpu_show_init();
 ...
 }

// The class "gtpu" gets this project's functions.
// hook gtpu_build: lib/netdev-vport.c, 1
@gtpu_build@ @@
-netdev_gtpu_build_header
+gtpu_vport_build_header

// hook gtpu_push: lib/netdev-vport.c, 1, <4.0
@gtpu_push@ @@
-netdev_gtpu_push_header
+gtpu_vport_push_header

// hook gtpu_push: lib/netdev-vport.c, 1, >=4.0
@gtpu_push@ @@
-netdev_gtpu_push_header
+gtpu_vport_push_header_from

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
symbol errors, err, needs_dst_port;
@@
 set_tunnel_config(struct netdev *dev_, const struct smap *args, ...)
 {
 <...
+err = gtpu_options_check(dev_, args, &errors);
+if (err) {
+    goto out;
+}
 needs_dst_port = netdev_vport_needs_dst_port(dev_);
 ...>
 }

// A port in use keeps its last valid options...
// hook gtpu_config_done: lib/netdev-vport.c, 1
@gtpu_config_done@
identifier dev_, args;
symbol errors, err;
@@
 set_tunnel_config(struct netdev *dev_, const struct smap *args, ...)
 {
 <...
+err = gtpu_vport_finish_config(dev_, err, &errors);
 if (errors.length) { ... }
 ...>
 }

// ...and the Interface's error column says which ones were refused.
// hook gtpu_error: vswitchd/bridge.c, 1
@gtpu_error@
symbol iface;
@@
 bridge_reconfigure(...)
 {
 <...
-ovsrec_interface_set_error(iface->cfg, NULL);
+ovsrec_interface_set_error(iface->cfg, gtpu_vport_error(iface->netdev));
 ...>
 }

// hook gtpu_options_set: lib/netdev-vport.c, 1
@gtpu_options_set@
identifier dev_, args, tnl_cfg;
expression old;
@@
 set_tunnel_config(struct netdev *dev_, const struct smap *args, ...)
 {
 <...
-memcmp(old, &tnl_cfg, sizeof tnl_cfg)
+gtpu_vport_set_options(dev_, args) || memcmp(old, &tnl_cfg, sizeof tnl_cfg)
 ...>
 }

// hook gtpu_options_get: lib/netdev-vport.c, 1
@gtpu_options_get@
identifier dev, args, layers;
@@
 get_tunnel_config(const struct netdev *dev, struct smap *args)
 {
 <...
+gtpu_vport_get_options(dev, args);
 enum tunnel_layers layers = tunnel_supported_layers(...);
 ...>
 }

// hook gtpu_status: lib/netdev-vport.c, 1
@gtpu_status@
identifier netdev_, smap;
@@
 tunnel_get_status(const struct netdev *netdev_, struct smap *smap)
 {
 <...
+gtpu_vport_get_status(netdev_, smap);
 return 0;
 ...>
 }

// A Geneve tunnel does not send the options of GTP-U's extension headers.
// hook gtpu_not_geneve: lib/netdev-native-tnl.c, 1
@gtpu_not_geneve@
expression list args;
@@
 netdev_geneve_build_header(...)
 {
 <...
-tun_metadata_to_geneve_header(args)
+gtpu_to_geneve_header(args)
 ...>
 }

// hook gtpu_not_asked: include/linux/openvswitch.h, 1
@gtpu_not_asked@ @@
 enum xlate_error {
 ...,
+XLATE_GTPU_NOT_ASKED,
 XLATE_MAX,
 };

// hook gtpu_not_asked_count: lib/odp-execute.c, 1
@gtpu_not_asked_count@
identifier drop_reason, delta;
@@
 dp_update_drop_action_counter(enum xlate_error drop_reason, int delta)
 {
 <...
 switch (drop_reason) {
+case XLATE_GTPU_NOT_ASKED:
+    gtpu_count_not_asked(delta);
+    break;
 case XLATE_OK: ...
 }
 ...>
 }
