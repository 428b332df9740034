/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CNI_PORT_H
#define CNI_PORT_H 1

/* Ports of pods in the database
 * =============================
 *
 * The only memory of the plugin.  A port and its interface are named after the
 * attachment (see cni_request_name_host()).  external_ids of both say whose
 * they are:
 *
 *     cni-owner         "ovs-ext-cni"
 *     cni-network       name of the network
 *     cni-container     CNI_CONTAINERID
 *     cni-ifname        CNI_IFNAME
 *     cni-netns         CNI_NETNS
 *     cni-namespace, cni-pod, cni-uid   of the pod in Kubernetes
 *     cni-mac           of the pod's interface
 *     cni-addresses     of the interface: "ADDRESS/LENGTH ..."; only when
 *                       IPAM has given them
 *
 * What others have made is neither changed nor removed.
 *
 * Thread-safety: none; all of it belongs to one thread. */

#include <stdbool.h>

struct cni_attachment;
struct cni_error;
struct cni_request;
struct json;
struct ovsdb_connection;

/* What there is before ADD. */
struct cni_switch {
    bool is_netdev;             /* Userspace datapath. */
    bool keeps_offloads;        /* Takes packets without checksums. */
    bool has_port;              /* Of the same attachment. */
    bool polices;               /* Can limit what comes by the port. */
};

struct cni_error *cni_port_look(struct ovsdb_connection *,
                                const struct cni_request *,
                                struct cni_switch *);
struct cni_error *cni_port_add(struct ovsdb_connection *,
                               const struct cni_request *,
                               const struct cni_switch *,
                               const char *socket);
struct cni_error *cni_port_finish(struct ovsdb_connection *,
                                  const struct cni_request *,
                                  const char *addresses);
struct cni_error *cni_port_check(struct ovsdb_connection *,
                                 const struct cni_request *,
                                 const struct cni_switch *,
                                 const char *addresses);
struct cni_error *cni_port_get_socket(struct ovsdb_connection *,
                                      const struct cni_attachment *,
                                      int timeout, char **path,
                                      bool *alone);
struct cni_error *cni_port_delete(struct ovsdb_connection *, const char *host,
                                  int timeout);

/* Called for each port of the plugin, of any network, once or twice. */
typedef void cni_port_cb(const struct cni_attachment *, const char *network,
                         void *aux);
struct cni_error *cni_port_list(struct ovsdb_connection *, int timeout,
                                cni_port_cb *, void *aux);

#endif /* cni-port.h */
