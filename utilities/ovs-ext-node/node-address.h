/* SPDX-License-Identifier: Apache-2.0 */

#ifndef NODE_ADDRESS_H
#define NODE_ADDRESS_H 1

/* Addresses of the host's interface
 * =================================
 *
 * Ours have the protocol NODE_PROTOCOL, so that those of an earlier run are
 * known: Linux 5.18 and later.  An older kernel forgets it, and keeps
 * addresses that are not wanted any more until the interface goes.
 *
 * Both functions return 0 or a positive errno value.  'addrs' are 'n' IPv4, as
 * mapped ones, and IPv6 addresses.
 *
 * Thread-safety: none; only one thread may call. */

#include <netinet/in.h>
#include <stddef.h>

struct mnl_socket;

/* Gives 'addrs' to the interface 'ifindex', unless it has them. */
int node_addresses_add(struct mnl_socket *, unsigned int ifindex,
                       const struct in6_addr *addrs, size_t n);

/* Takes from the interface 'ifindex' addresses of ours that are not among
 * 'addrs'. */
int node_addresses_trim(struct mnl_socket *, unsigned int ifindex,
                        const struct in6_addr *addrs, size_t n);

#endif /* node-address.h */
