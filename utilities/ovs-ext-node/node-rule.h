/* SPDX-License-Identifier: Apache-2.0 */

#ifndef NODE_RULE_H
#define NODE_RULE_H 1

/* Node ports from outside and from the node: our policy rules in the kernel
 * =========================================================================
 *
 * Packets to a node port arrive at the node's address, which is the kernel's
 * own.  Rules for each of the node's addresses and each protocol send them to
 * the table NODE_TABLE, whose default route leads into the switch: one for
 * what comes by the interface of the address, and one for what the node itself
 * sends.  They have to come before the rule for the table of local addresses,
 * which is moved from preference 0 to NODE_RULE_LOCAL.
 *
 * If no Service has the port, the switch sends the packet to the host's
 * interface.  The rules do not match there, so the kernel gets the packet.
 * But a TCP server of the host on such a port is not reached from outside: the
 * kernel finds its socket before it routes the second packet, and forwards no
 * packet that has a socket.
 *
 * Our rules have the protocol NODE_PROTOCOL, so that those of an earlier run
 * are known.  Rules of others stay.
 *
 * Thread-safety: as rt-netlink.h. */

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

struct mnl_socket;

#define NODE_RULE_PORTS 90      /* Preferences. */
#define NODE_RULE_LOCAL 100

struct node_ports {
    uint16_t first, last;       /* In host byte order; 'last' 0: none. */
};

/* Makes rules for 'ports' at the 'n' addresses 'addrs' of this node all that
 * we have in the kernel.  With none, the rule for local addresses moves back.
 * 'host' is the name of the host's interface.
 *
 * Returns null or, after all has been tried, the first error, for the caller
 * to free. */
char *node_rules_apply(struct mnl_socket *, const char *host,
                       const struct node_ports *,
                       const struct in6_addr *addrs, size_t n);

#endif /* node-rule.h */
