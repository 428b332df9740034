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

// Later fragments that the connection tracker had together with the first one
// show the ports of its connection as that does.  Releases from 3.5 on do so
// themselves; theirs gives way, so that this fits all alike.
// hook ct_fragment_ports: lib/flow.c, 1
@@
statement first, later;
@@
 miniflow_extract(...)
 {
 <...
 if (OVS_LIKELY(!(nw_frag & FLOW_NW_FRAG_LATER)))
     first
-else later
 ...>
 }

@ct_fragment_ports@
statement first;
@@
 miniflow_extract(...)
 {
 <...
 if (OVS_LIKELY(!(nw_frag & FLOW_NW_FRAG_LATER)))
     first
+else if (ct_tp_src || ct_tp_dst) {
+    miniflow_pad_from_64(mf, ct_tp_src);
+    miniflow_push_be16(mf, ct_tp_src, ct_tp_src);
+    miniflow_push_be16(mf, ct_tp_dst, ct_tp_dst);
+}
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

// hook ct_nat_icmp6: lib/conntrack.c, 1
@ct_nat_icmp6@
identifier pkt, related, key, nat_action;
@@
 nat_packet(struct dp_packet *pkt, ..., bool related)
 {
 <...
-nat_packet_ipv6(pkt, key, nat_action);
+if (related) {
+    ct_nat_icmp6_outer(pkt, key, nat_action);
+} else {
+    nat_packet_ipv6(pkt, key, nat_action);
+}
 ...>
 }

// hook ct_sctp_extract: lib/conntrack.c, 1
@ct_sctp_extract@
identifier key, data, size, related, l3, validate_checksum, chk_len;
@@
 extract_l4(struct conn_key *key, const void *data, size_t size,
            bool *related, const void *l3, bool validate_checksum,
            size_t *chk_len)
 {
+if (key->nw_proto == IPPROTO_SCTP) {
+    return ct_sctp_extract(key, data, size, chk_len);
+}
 ...
 }

// hook ct_sctp_ports: lib/conntrack.c, 1
@ct_sctp_ports@
identifier pkt, key;
@@
 pat_packet(struct dp_packet *pkt, const struct conn_key *key)
 {
+if (key->nw_proto == IPPROTO_SCTP) {
+    ct_sctp_set_ports(pkt, key);
+    return;
+}
 ...
 }

// hook ct_sctp_tuple: lib/conntrack.c, 1
@ct_sctp_tuple@
expression nat_info, key;
expression list rest;
@@
 nat_get_unique_tuple(...)
 {
 <...
 set_dport_range(nat_info, key, rest);
+pat_proto = pat_proto || (key)->nw_proto == IPPROTO_SCTP;
 ...>
 }

// hook vport_include: lib/netdev-vport.c, 1
@vport_include@ @@
 #include "netdev-vport.h"
+#include "datapath-dpdk/datapath-hooks.h"

// The first fragment of a packet for a GTP-U tunnel is the tunnel's to count.
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

// hook gtpu_fragment_include: lib/tnl-ports.c, 1
@gtpu_fragment_include@ @@
 #include "tnl-ports.h"
+#include "datapath-dpdk/datapath-hooks.h"

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

// The fused flow cache.
// hook fuse_thread: lib/dpif-netdev-private-thread.h, 1
@fuse_thread@
typedef uint64_t;
@@
 struct dp_netdev_pmd_thread {
 struct dp_netdev *dp;
+struct fuse_thread *fuse;
+uint64_t fuse_epoch;
 ...
 };

// hook fuse_flow: lib/dpif-netdev-private-flow.h, 1
@fuse_flow@
typedef uint32_t;
@@
 struct dp_netdev_flow {
 ...
 bool dead;
+uint32_t fuse_version;
 ...
 };

// hook fuse_netdev: lib/dpif-netdev.c, 1
@fuse_netdev@ @@
 #include "dpif-netdev-private.h"
+#include "datapath-dpdk/fuse/fuse-netdev.h"

// hook fuse_init: lib/dpif-netdev.c, 1
@fuse_init@ @@
 dpif_netdev_init(void)
 {
 <...
+fuse_init(dp_execute_output_action);
 unixctl_command_register("dpif-netdev/subtable-lookup-prio-get", ...);
 ...>
 }

// hook fuse_input: lib/dpif-netdev.c, 1
@fuse_input@
identifier pmd, batch, port_no;
@@
 dp_netdev_process_rxq_port(...)
 {
 <...
-pmd->netdev_input_func(pmd, &batch, port_no)
+fuse_input(pmd, &batch, port_no) ? 0 : pmd->netdev_input_func(pmd, &batch, port_no)
 ...>
 }

// hook fuse_run: lib/dpif-netdev.c, 1
@fuse_run@
identifier pmd, force;
@@
 dp_netdev_pmd_flush_output_packets(struct dp_netdev_pmd_thread *pmd,
                                    bool force)
 {
+fuse_run(pmd);
 ...
 }

// hook fuse_destroy: lib/dpif-netdev.c, 1
@fuse_destroy@
identifier pmd;
@@
 dp_netdev_destroy_pmd(struct dp_netdev_pmd_thread *pmd)
 {
 ...
+fuse_thread_destroy(pmd);
 hmap_destroy(&pmd->send_port_cache);
 ...
 }

// hook fuse_removed: lib/dpif-netdev.c, 1
@fuse_removed@
identifier pmd, flow;
@@
 dp_netdev_pmd_remove_flow(struct dp_netdev_pmd_thread *pmd,
                           struct dp_netdev_flow *flow)
 {
 ...
 flow->dead = true;
+fuse_flow_changed(pmd, flow);
 ...
 }

// hook fuse_modified: lib/dpif-netdev.c, 1
@fuse_modified@
identifier pmd, netdev_flow, new_actions;
@@
 flow_put_on_pmd(struct dp_netdev_pmd_thread *pmd, ...)
 {
 <...
 ovsrcu_set(&netdev_flow->actions, new_actions);
+fuse_flow_changed(pmd, netdev_flow);
 ...>
 }

// hook fuse_ports: lib/dpif-netdev.c, 1
@fuse_ports@
identifier pmd;
@@
 pmd_load_cached_ports(struct dp_netdev_pmd_thread *pmd)
 {
+fuse_tunnels_changed();
 ...
 }

// hook fuse_config: lib/dpif-netdev.c, 1
@fuse_config@
identifier dpif, other_config, dp;
expression E;
@@
 dpif_netdev_set_config(struct dpif *dpif, const struct smap *other_config)
 {
 struct dp_netdev *dp = E;
+fuse_set_config(other_config);
 ...
 }

// hook fuse_port_config: lib/dpif-netdev.c, 1
@fuse_port_config@
identifier port_no, cfg, dp;
@@
 dpif_netdev_port_set_config(struct dpif *dpif, odp_port_t port_no,
                             const struct smap *cfg)
 {
 <...
+fuse_port_set_config(dp, port_no, cfg);
 ovs_rwlock_wrlock(&dp->port_rwlock);
 ...>
 }

// hook fuse_record_flow: lib/dpif-netdev.c, 1
@fuse_record_flow@
identifier batch, flow;
@@
 packet_batch_per_flow_execute(struct packet_batch_per_flow *batch, ...)
 {
 ...
 struct dp_netdev_flow *flow = batch->flow;
+fuse_record_flow(flow, &batch->array);
 ...
 }

// hook fuse_record_batch: lib/dpif-netdev.c, 1
@fuse_record_batch@
identifier packets, rule, flow;
@@
 dp_netdev_batch_execute(struct dp_netdev_pmd_thread *pmd,
                         struct dp_packet_batch *packets,
                         struct dpcls_rule *rule, ...)
 {
 struct dp_netdev_flow *flow = dp_netdev_flow_cast(rule);
+fuse_record_flow(flow, packets);
 ...
 }

// hook fuse_record_upcall: lib/dpif-netdev.c, 1
@fuse_record_upcall@ @@
 dp_netdev_upcall(...)
 {
+fuse_record_upcall();
 ...
 }

// hook fuse_record_output: lib/dpif-netdev.c, 1
@fuse_record_output@
identifier packets_, port_no;
@@
 dp_execute_output_action(..., struct dp_packet_batch *packets_,
                          bool should_steal, odp_port_t port_no)
 {
+fuse_record_output(packets_, port_no);
 ...
 }

// hook fuse_record_pop: lib/netdev.c, 1
@fuse_record_pop@
identifier netdev;
@@
 netdev_pop_header(struct netdev *netdev, ...)
 {
+fuse_record_pop(netdev);
 ...
 }

// hook fuse_netdev_include: lib/netdev.c, 1
@fuse_netdev_include@ @@
 #include "netdev.h"
+#include "datapath-dpdk/datapath-hooks.h"

// hook fuse_conn: lib/conntrack-private.h, 1
@fuse_conn@ @@
 struct conn {
 ...
 uint32_t tp_id;
+struct fuse_conn fuse;
 };

// hook fuse_conn_include: lib/conntrack-private.h, 1
@fuse_conn_include@ @@
 #include "conntrack.h"
+#include "datapath-dpdk/datapath-hooks.h"

// hook fuse_conn_clean: lib/conntrack.c, 1
@fuse_conn_clean@
identifier conn;
@@
 conn_clean(struct conntrack *ct, struct conn *conn)
 {
+fuse_conn_gone(conn);
 ...
 }

// hook fuse_conn_expire: lib/conntrack.c, 1
@fuse_conn_expire@
identifier conn;
@@
 conn_force_expire(struct conn *conn)
 {
 ...
+fuse_conn_gone(conn);
 }

// hook fuse_conn_mark: lib/conntrack.c, 1
@fuse_conn_mark@
identifier pkt, conn, val, mask;
@@
 set_mark(struct dp_packet *pkt, struct conn *conn, uint32_t val,
          uint32_t mask)
 {
 ovs_mutex_lock(&conn->lock);
+fuse_conn_set_mark(pkt, conn, val, mask);
 ...
 }

// hook fuse_conn_label: lib/conntrack.c, 1
@fuse_conn_label@
identifier pkt, conn, val, mask;
@@
 set_label(struct dp_packet *pkt, struct conn *conn,
           const struct ovs_key_ct_labels *val,
           const struct ovs_key_ct_labels *mask)
 {
 ovs_mutex_lock(&conn->lock);
+fuse_conn_set_label(pkt, conn, val, mask);
 ...
 }

// hook fuse_conn_update: lib/conntrack.c, 1
@fuse_conn_update@
identifier conn, pkt;
@@
 conn_update(struct conntrack *ct, struct conn *conn, struct dp_packet *pkt,
             ...)
 {
+fuse_conn_update(conn, pkt);
 ovs_mutex_lock(&conn->lock);
 ...
 }

// A packet that only asks whether there is a connection takes no lock.
// hook ct_new: lib/conntrack.c, 1
@ct_new@
identifier ct, pkt, ctx, commit, conn;
symbol create_new_conn;
@@
 process_one(struct conntrack *ct, struct dp_packet *pkt,
             struct conn_lookup_ctx *ctx, uint16_t zone, bool force,
             bool commit, ...)
 {
 ...
 struct conn *conn = ctx->conn;
 <...
-OVS_UNLIKELY(create_new_conn)
+OVS_UNLIKELY(create_new_conn) && !ct_new_uncommitted(ct, pkt, &ctx->key, conn, commit, valid_new)
 ...>
 }

// hook fuse_record_conn: lib/conntrack.c, 1
@fuse_record_conn@
identifier conn, pkt, i, c, z;
@@
 process_one(..., struct dp_packet *pkt, ...)
 {
 ...
 set_cached_conn(i, c, conn, pkt);
+fuse_record_conn(conn, pkt);
 }

// hook fuse_record_conn_fast: lib/conntrack.c, 1
@fuse_record_conn_fast@
identifier conn, pkt;
@@
 process_one_fast(..., struct conn *conn, struct dp_packet *pkt)
 {
+fuse_record_conn(conn, pkt);
 ...
 }

// hook fuse_expiration: lib/conntrack-tp.c, 1
@fuse_expiration@
identifier ct, conn, tm;
@@
 conn_update_expiration(struct conntrack *ct, struct conn *conn,
                        enum ct_timeout tm, ...)
 {
+fuse_record_expiration(ct, conn, tm);
 ...
 }

// hook fuse_relaxed: lib/conntrack-tcp.c, 1
@fuse_relaxed@
identifier ct, conn_;
@@
 tcp_conn_update(struct conntrack *ct, struct conn *conn_, ...)
 {
 <...
-tcp_bypass_seq_chk(ct)
+(fuse_conn_is_relaxed(conn_) || tcp_bypass_seq_chk(ct))
 ...>
 }
