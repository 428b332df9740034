/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CNI_BANDWIDTH_H
#define CNI_BANDWIDTH_H 1

/* The capability "bandwidth"
 * ==========================
 *
 * A pod may ask for limits of what it gets and of what it sends.  Where they
 * are set:
 *
 *                     veth, userspace   veth, kernel    vhost-user
 *     what it gets    Port, linux-htb   linux-htb       egress-policer
 *     what it sends   link of the pod   Interface, ingress_policing_...
 *
 * In the userspace datapath, the switch reads a link before the kernel would
 * police it, so the limit is a token bucket at the link's other end.
 *
 * Rows of the tables QoS and Queue stay when their port goes.  Their
 * external_ids are those of the port, with "cni-port", its name: by that, DEL
 * and GC find them, also after somebody else has removed the port.
 *
 * Attack model: pods choose the numbers, in annotations.
 *
 * Thread-safety: functions are reentrant. */

#include <stdbool.h>

struct cni_error;
struct cni_limit;
struct cni_request;
struct json;

/* Operations for a transaction that adds or removes a port. */
void cni_bandwidth_put(const struct cni_request *, bool polices,
                       struct json *interface, struct json *port,
                       const struct json *external_ids,
                       struct json *operations);
void cni_bandwidth_put_delete(const char *host, struct json *operations);

/* Comparing. */
void cni_bandwidth_put_select(const char *host, struct json *operations);
struct cni_error *cni_bandwidth_check(const struct cni_request *,
                                      bool polices,
                                      const struct json *interface,
                                      const struct json *port,
                                      const struct json *qos,
                                      const struct json *queue);

/* The link of the pod. */
int cni_bandwidth_shape(const char *link, const struct cni_limit *);
bool cni_bandwidth_is_shaped(const char *link, const struct cni_limit *);

#endif /* cni-bandwidth.h */
