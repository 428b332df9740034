// SPDX-License-Identifier: Apache-2.0
//
// Hooks into the connection tracker.

// include: datapath-dpdk/ct/ct-hooks.h

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

// hook ct_sctp_extract: lib/conntrack.c, 1, <3.5
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

// hook ct_sctp_ports: lib/conntrack.c, 1, <3.5
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

// hook ct_sctp_tuple: lib/conntrack.c, 1, <3.5
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

// A connection without a translation has no second key among those that are
// looked up: conn_clean() would leave it there when it frees the connection.
// hook ct_nat_nothing: lib/conntrack.c, 1, >=3.3
@ct_nat_nothing@
identifier nat_action_info, alg_exp, nc;
@@
 conn_not_found(..., const struct nat_action_info_t *nat_action_info, ...,
                const struct alg_exp_node *alg_exp, ...)
 {
 <...
 if (nat_action_info
+    && (nat_action_info->nat_action || alg_exp)
    ) {
     nc->nat_action = nat_action_info->nat_action;
     ...
 }
 ...>
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
+OVS_UNLIKELY(create_new_conn)
+&& !ct_new_uncommitted(ct, pkt, &ctx->key, conn, commit, valid_new)
 ...>
 }

// Without helpers, no connection is expected, and nobody takes the lock.
// hook ct_expects: lib/conntrack.c, 1
@ct_expects@
identifier ct;
statement copy;
@@
 process_one(struct conntrack *ct, ...)
 {
 <...
+if (ct_expects(ct)) {
 ovs_rwlock_rdlock(&ct->resources_lock);
 alg_exp = expectation_lookup(...);
 if (alg_exp) copy
 ovs_rwlock_unlock(&ct->resources_lock);
+}
 ...>
 }

// The second lookup, under the lock, is for the same key.
// hook ct_new_hash: lib/conntrack.c, 1
@ct_new_hash@
identifier ct, ctx, now;
@@
 process_one(struct conntrack *ct, struct dp_packet *pkt,
             struct conn_lookup_ctx *ctx, ...)
 {
 <...
-conn_lookup(ct, &ctx->key, now, NULL, NULL)
+conn_key_lookup(ct, &ctx->key, ctx->hash, now, NULL, NULL)
 ...>
 }

// hook ct_new_lock: lib/conntrack.c, 1
@ct_new_lock@
identifier nc;
@@
 conn_not_found(...)
 {
 <...
-ovs_mutex_init_adaptive(&nc->lock);
+ct_new_lock(&nc->lock);
 ...>
 }

// hook ct_nat_fixed: lib/conntrack.c, 1
@ct_nat_fixed@
identifier nat_info;
@@
 nat_range_hash(..., const struct nat_action_info_t *nat_info)
 {
+if (ct_nat_is_fixed(nat_info)) {
+    return 0;
+}
 ...
 }

// What no connection has, alive or expired, is free whatever the time is.
// hook ct_nat_free: lib/conntrack.c, 1
@ct_nat_free@
expression ct, key;
@@
 nat_get_unique_l4(...)
 {
 <...
-conn_lookup(ct, key, time_msec(), NULL, NULL)
+(conn_lookup(ct, key, CT_BEFORE_ALL, NULL, NULL) &&
+ conn_lookup(ct, key, time_msec(), NULL, NULL))
 ...>
 }

// The key of the other direction is chosen where it is kept, not in a copy of
// the connection.
// hook ct_nat_copy: lib/conntrack.c, 1, <3.3
@ct_nat_copy@
identifier ct, nc, nat_conn, nat_action_info;
statement failed;
@@
 conn_not_found(...)
 {
 <...
-memcpy(nat_conn, nc, sizeof *nat_conn);
 bool nat_res = nat_get_unique_tuple(ct, nc,
-                                    nat_conn,
+                                    nc,
                                     nat_action_info);
 if (!nat_res) failed
-memcpy(nc, nat_conn, sizeof *nc);
 ...>
 }

// Connections come from memory of our own.
// hook ct_zalloc_tcp: lib/conntrack-tcp.c, 1
@ct_zalloc_tcp@
identifier conn;
@@
 tcp_new_conn(...)
 {
 <...
-xzalloc(sizeof *conn)
+ct_zalloc(sizeof *conn)
 ...>
 }

// hook ct_zalloc_other: lib/conntrack-other.c, 1
@ct_zalloc_other@
identifier conn;
@@
 other_new_conn(...)
 {
 <...
-xzalloc(sizeof *conn)
+ct_zalloc(sizeof *conn)
 ...>
 }

// hook ct_zalloc_icmp: lib/conntrack-icmp.c, 1
@ct_zalloc_icmp@
identifier conn;
@@
 icmp_new_conn(...)
 {
 <...
-xzalloc(sizeof *conn)
+ct_zalloc(sizeof *conn)
 ...>
 }

// hook ct_zalloc_nat: lib/conntrack.c, 1, <3.3
@ct_zalloc_nat@
identifier conn;
@@
 conn_not_found(...)
 {
 <...
-xzalloc(sizeof *conn)
+ct_zalloc(sizeof *conn)
 ...>
 }

// hook ct_free: lib/conntrack.c, 1
@ct_free@
identifier conn;
@@
 delete_conn__(...)
 {
 <...
-free(conn);
+ct_free(conn);
 ...>
 }

// hook ct_free_nat: lib/conntrack.c, 1, <3.3
@ct_free_nat@
identifier conn;
@@
 delete_conn(...)
 {
 <...
-free(conn->nat_conn);
+ct_free(conn->nat_conn);
 ...>
 }

// hook ct_free_exhausted: lib/conntrack.c, 1, <3.3
@ct_free_exhausted@
identifier conn;
@@
 conn_not_found(...)
 {
 <...
-free(conn);
+ct_free(conn);
 ...>
 }
