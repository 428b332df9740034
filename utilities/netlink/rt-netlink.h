/* SPDX-License-Identifier: Apache-2.0 */

#ifndef RT_NETLINK_H
#define RT_NETLINK_H 1

/* One request of rtnetlink and its answer, by libmnl, and settings that
 * netlink does not have
 * =====================================================================
 *
 * Thread-safety: none; only one thread may call. */

#include <libmnl/libmnl.h>
#include <netinet/in.h>
#include <stdbool.h>

/* Octets of a request: those of our programs have less than half. */
#define NETLINK_LEN 1024

/* Positive errno values on failure. */
int netlink_open(struct mnl_socket **);
struct nlmsghdr *netlink_request(void *buffer, int type, int flags);
int netlink_transact(struct mnl_socket *, struct nlmsghdr *, mnl_cb_t, void *);
int link_write_setting(const char *family, const char *link, const char *name,
                       const char *value);
bool link_find(const struct in6_addr *, const char *but, char *name);

/* IPv4 addresses are mapped ones. */
void netlink_put_ip(struct nlmsghdr *, uint16_t type, const struct in6_addr *);
struct in6_addr netlink_get_ip(const struct nlattr *);

#endif /* rt-netlink.h */
