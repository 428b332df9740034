/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CNI_AGENT_H
#define CNI_AGENT_H 1

/* The node agent, by way of the database
 * ======================================
 *
 * With "node-agent", ovs-ext-node(8) makes the flows of a port.  It stores in
 * external_ids
 *
 *     node-agent, node-pod-cidrs    of the bridge: that it serves it, and the
 *                                   Node's ranges of pods
 *     node-admitted, node-refused   of an interface: the addresses that have
 *                                   flows, or why they have none
 *
 * Thread-safety: none; all of it belongs to one thread. */

struct cni_error;
struct cni_request;
struct ovsdb_connection;

struct cni_error *cni_agent_prepare(struct ovsdb_connection *,
                                    const struct cni_request *);
struct cni_error *cni_agent_wait(struct ovsdb_connection *,
                                 const struct cni_request *,
                                 const char *addresses);

#endif /* cni-agent.h */
