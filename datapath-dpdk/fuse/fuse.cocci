// SPDX-License-Identifier: Apache-2.0
//
// Hooks for the fused flow cache: where packets come in, what is recorded
// while a packet takes the ordinary path, and what ends an entry.

// include: datapath-dpdk/fuse/fuse-hooks.h

// hook fuse_thread: lib/dpif-netdev-private-thread.h, 1, <4.0
@fuse_thread@
typedef uint64_t;
@@
 struct dp_netdev_pmd_thread {
 struct dp_netdev *dp;
+struct fuse_thread *fuse;
+uint64_t fuse_epoch;
 ...
 };

// hook fuse_thread: lib/dpif-netdev-thread.h, 1, >=4.0
@fuse_thread@
typedef uint64_t;
@@
 struct dp_netdev_pmd_thread {
 struct dp_netdev *dp;
+struct fuse_thread *fuse;
+uint64_t fuse_epoch;
 ...
 };

// hook fuse_flow: lib/dpif-netdev-private-flow.h, 1, <4.0
@fuse_flow@
typedef uint32_t;
@@
 struct dp_netdev_flow {
 ...
 bool dead;
+uint32_t fuse_version;
 ...
 };

// hook fuse_flow: lib/dpif-netdev-flow.h, 1, >=4.0
@fuse_flow@
typedef uint32_t;
@@
 struct dp_netdev_flow {
 ...
 bool dead;
+uint32_t fuse_version;
 ...
 };

// dpif-netdev.c hands this function to fuse_init() before it defines it.
// hook fuse_netdev: lib/dpif-netdev.c, 1, <4.0
@fuse_netdev@
typedef bool, odp_port_t;
@@
 #include "dpif-netdev-private.h"
+static bool dp_execute_output_action(struct dp_netdev_pmd_thread *pmd,
+                                     struct dp_packet_batch *packets,
+                                     bool should_steal, odp_port_t port_no);

// hook fuse_netdev: lib/dpif-netdev.c, 1, >=4.0
@fuse_netdev@
typedef bool, odp_port_t;
@@
 #include "dpif-netdev-thread.h"
+static bool dp_execute_output_action(struct dp_netdev_pmd_thread *pmd,
+                                     struct dp_packet_batch *packets,
+                                     bool should_steal, odp_port_t port_no);

// hook fuse_init: lib/dpif-netdev.c, 1
@fuse_init@ @@
 dpif_netdev_init(void)
 {
 <...
+fuse_init(dp_execute_output_action);
 unixctl_command_register("dpif-netdev/bond-show", ...);
 ...>
 }

// hook fuse_input: lib/dpif-netdev.c, 1, <4.0
@fuse_input@
identifier pmd, batch, port_no;
@@
 dp_netdev_process_rxq_port(...)
 {
 <...
-pmd->netdev_input_func(pmd, &batch, port_no)
+fuse_input(pmd, &batch, port_no) ? 0 :
+pmd->netdev_input_func(pmd, &batch, port_no)
 ...>
 }

// hook fuse_input: lib/dpif-netdev.c, 1, >=4.0
@fuse_input@
identifier pmd, batch, port_no;
@@
 dp_netdev_process_rxq_port(...)
 {
 <...
+if (!fuse_input(pmd, &batch, port_no))
 dp_netdev_input(pmd, &batch, port_no);
 ...>
 }

// hook fuse_ordinary: lib/dpif-netdev.c, 1, <4.0
@fuse_ordinary@
@@
 dp_netdev_recirculate(...)
 {
 ...
 }
+
+void
+fuse_ordinary_input(struct dp_netdev_pmd_thread *pmd,
+                    struct dp_packet_batch *packets, odp_port_t port_no)
+{
+    if (pmd->netdev_input_func(pmd, packets, port_no)) {
+        dp_netdev_input(pmd, packets, port_no);
+    }
+}

// hook fuse_ordinary: lib/dpif-netdev.c, 1, >=4.0
@fuse_ordinary@
@@
 dp_netdev_recirculate(...)
 {
 ...
 }
+
+void
+fuse_ordinary_input(struct dp_netdev_pmd_thread *pmd,
+                    struct dp_packet_batch *packets, odp_port_t port_no)
+{
+    dp_netdev_input(pmd, packets, port_no);
+}

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

// hook fuse_added: lib/dpif-netdev.c, 1
@fuse_added@
identifier flow;
@@
 dp_netdev_flow_add(...)
 {
 <...
 flow->dead = false;
+flow->fuse_version = 0;
 ...>
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

// No thread has the port in its caches any more.
// hook fuse_port_gone: lib/dpif-netdev.c, 1
@fuse_port_gone@
identifier port;
@@
 port_destroy(struct dp_netdev_port *port)
 {
 ...
+fuse_port_gone(port->port_no);
 netdev_close(port->netdev);
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
identifier port_no, cfg, dp, port, error, unlock;
@@
 dpif_netdev_port_set_config(struct dpif *dpif, odp_port_t port_no,
                             const struct smap *cfg)
 {
 <...
 error = get_port_by_number(dp, port_no, &port);
 if (error) { goto unlock; }
+fuse_port_set_config(dp, port_no, netdev_get_name(port->netdev), cfg);
 ...>
 }

// hook fuse_port_error: vswitchd/bridge.c, 1
@fuse_port_error@
symbol iface;
@@
 bridge_reconfigure(...)
 {
 <...
+fuse_port_report_errors(iface->cfg);
 iface_configure_cfm(iface);
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

// hook fuse_record_batch: lib/dpif-netdev.c, 1, <4.0
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

// hook fuse_record_meter: lib/dpif-netdev.c, 1
@fuse_record_meter@
expression dp, packets, id, now;
@@
+fuse_record_meter(packets, id);
 dp_netdev_run_meter(dp, packets, id, now);

// hook fuse_meter: lib/dpif-netdev.c, 1
@fuse_meter@
@@
 dp_execute_cb(...)
 {
 ...
 }
+
+void
+fuse_execute_meter(struct dp_netdev_pmd_thread *pmd,
+                   struct dp_packet_batch *batch, const struct nlattr *action)
+{
+    struct dp_netdev_execute_aux aux = { .pmd = pmd };
+
+    dp_execute_cb(&aux, batch, action, false);
+}

// hook fuse_record_pop: lib/netdev.c, 1
@fuse_record_pop@
identifier netdev;
@@
 netdev_pop_header(struct netdev *netdev, ...)
 {
+fuse_record_pop(netdev);
 ...
 }

// hook fuse_conn: lib/conntrack-private.h, 1
@fuse_conn@ @@
 struct conn {
 ...
 uint32_t tp_id;
+struct fuse_conn fuse;
 };

// hook fuse_conn_clean: lib/conntrack.c, 1
@fuse_conn_clean@
identifier conn;
@@
 conn_clean(struct conntrack *ct, struct conn *conn)
 {
+fuse_conn_gone(conn);
 ...
 }

// First: see fuse_conn_refresh().
// hook fuse_conn_expire: lib/conntrack.c, 1
@fuse_conn_expire@
identifier conn;
@@
 conn_force_expire(struct conn *conn)
 {
+fuse_conn_gone(conn);
 ...
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
identifier conn, pkt, ctx;
@@
 conn_update(struct conntrack *ct, struct conn *conn, struct dp_packet *pkt,
             struct conn_lookup_ctx *ctx, ...)
 {
 ovs_mutex_lock(&conn->lock);
+fuse_conn_update(conn, pkt, ctx->reply);
 ...
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

// hook fuse_tcp_include: lib/conntrack-tcp.c, 1
@fuse_tcp_include@ @@
 #include "conntrack-tp.h"
+#include "lib/fuse/fuse-tcp.h"

// hook fuse_tcp_peers: lib/conntrack-tcp.c, 1
@fuse_tcp_peers@
@@
 tcp_get_wscale(...)
 {
 ...
 }
+
+void
+fuse_tcp_peers(struct conn *conn_, struct fuse_tcp_peer *peers, bool store)
+{
+    FUSE_TCP_PEERS(conn_tcp_cast(conn_)->peer, peers, store);
+}

// The action lb, which another hook has put there.
// hook fuse_record_lb: lib/odp-execute.c, 1
@fuse_record_lb@
expression batch, a;
@@
+fuse_record_lb(batch, a);
 lb_action_execute(batch, a);
+fuse_record_token(batch);

// hook fuse_configured: lib/netdev-vport.c, 1
@fuse_configured@
expression dev, cfg;
@@
 gtpu_vport_configured(dev, cfg);
+fuse_vport_changed(dev);

// hook fuse_destructed: lib/netdev-vport.c, 1
@fuse_destructed@
expression dev;
@@
 gtpu_vport_destructed(dev);
+fuse_vport_changed(dev);
