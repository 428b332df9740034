/* SPDX-License-Identifier: Apache-2.0 */

#ifndef KUBE_DIRECT_H
#define KUBE_DIRECT_H 1

/* Direct return: how ovs-kube-proxy hands packets to another node
 * ===============================================================
 *
 * ovs-kube-proxy chooses the node, ovs-ext-node has the way there.  A packet
 * that is handed over keeps its addresses.  It leaves the tables of the
 * Services with tun_id KUBE_DIRECT_TUN_ID and, as tun_dst or tun_ipv6_dst, the
 * address that kube_node_tunnel_end() gives.  The other node's agent lets it
 * into the tables of the Services with its tun_id.
 *
 * There it is for a Service with direct return, or dropped.  Its connection
 * has both bits of KUBE_DIRECT_MARK in ct_mark; the agent drops what has that
 * tun_id and not both.
 *
 * Attack model: who can send into the tunnel as a node can send any packet
 * with this tun_id. */

/* "dsr". */
#define KUBE_DIRECT_TUN_ID 0x647372

#define KUBE_DIRECT_MARK 5

#endif /* kube-direct.h */
