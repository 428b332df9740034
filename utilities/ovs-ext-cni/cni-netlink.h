/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CNI_NETLINK_H
#define CNI_NETLINK_H 1

/* One request and its answer, by libmnl, and what netlink does not have.
 *
 * Thread-safety: none; only one thread may call. */

#include <libmnl/libmnl.h>

/* Octets of a request: those of cni-link.c and cni-address.c have less than
 * half. */
#define NETLINK_LEN 1024

/* Positive errno values on failure. */
int netlink_open(struct mnl_socket **);
struct nlmsghdr *netlink_request(void *buffer, int type, int flags);
int netlink_transact(struct mnl_socket *, struct nlmsghdr *, mnl_cb_t, void *);
int link_write_setting(const char *family, const char *link, const char *name,
                       const char *value);

#endif /* cni-netlink.h */
