/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "node-address.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "node-kernel.h"
#include "packets.h"
#include "util.h"
#include "utilities/netlink/rt-netlink.h"

static struct ifaddrmsg *
put_address(struct nlmsghdr *nlh, unsigned int ifindex,
            const struct in6_addr *addr)
{
    struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(nlh, sizeof *ifa);
    bool ipv4 = IN6_IS_ADDR_V4MAPPED(addr);

    ifa->ifa_index = ifindex;
    ifa->ifa_family = ipv4 ? AF_INET : AF_INET6;
    ifa->ifa_prefixlen = ipv4 ? 32 : 128;
    netlink_put_ip(nlh, IFA_LOCAL, addr);
    return ifa;
}

int
node_addresses_add(struct mnl_socket *socket, unsigned int ifindex,
                   const struct in6_addr *addrs, size_t n)
{
    int error = 0;

    for (size_t i = 0; i < n && !error; i++) {
        char buffer[NETLINK_LEN];
        struct nlmsghdr *nlh = netlink_request(
            buffer, RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
        struct ifaddrmsg *ifa = put_address(nlh, ifindex, &addrs[i]);

        if (ifa->ifa_family == AF_INET6) {
            ifa->ifa_flags = IFA_F_NODAD;
        }
        mnl_attr_put_u8(nlh, IFA_PROTO, NODE_PROTOCOL);
        error = netlink_transact(socket, nlh, NULL, NULL);
        error = error == EEXIST ? 0 : error;
    }
    return error;
}

struct found {
    unsigned int ifindex;
    const struct in6_addr *wanted;
    size_t n_wanted;
    struct in6_addr *others;
    size_t n, allocated;
};

/* Notes an address of ours that is not wanted. */
static int
note_address(const struct nlmsghdr *nlh, void *found_)
{
    const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
    struct in6_addr addr = in6addr_any;
    struct found *found = found_;
    const struct nlattr *attr;
    uint8_t protocol = 0;

    if (nlh->nlmsg_type != RTM_NEWADDR || ifa->ifa_index != found->ifindex) {
        return MNL_CB_OK;
    }
    mnl_attr_for_each (attr, nlh, sizeof *ifa) {
        int type = mnl_attr_get_type(attr);

        if (type == IFA_LOCAL
            || (type == IFA_ADDRESS && !ipv6_addr_is_set(&addr))) {
            addr = netlink_get_ip(attr);
        } else if (type == IFA_PROTO) {
            protocol = mnl_attr_get_u8(attr);
        }
    }
    for (size_t i = 0; i < found->n_wanted; i++) {
        if (ipv6_addr_equals(&addr, &found->wanted[i])) {
            return MNL_CB_OK;
        }
    }
    if (protocol == NODE_PROTOCOL) {
        if (found->n >= found->allocated) {
            found->others = x2nrealloc(found->others, &found->allocated,
                                       sizeof *found->others);
        }
        found->others[found->n++] = addr;
    }
    return MNL_CB_OK;
}

int
node_addresses_trim(struct mnl_socket *socket, unsigned int ifindex,
                    const struct in6_addr *addrs, size_t n)
{
    struct found found = { .ifindex = ifindex, .wanted = addrs,
                           .n_wanted = n };
    char buffer[NETLINK_LEN];
    struct nlmsghdr *nlh = netlink_request(buffer, RTM_GETADDR, NLM_F_DUMP);
    int error;

    mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifaddrmsg));
    error = netlink_transact(socket, nlh, note_address, &found);
    for (size_t i = 0; i < found.n && !error; i++) {
        nlh = netlink_request(buffer, RTM_DELADDR, NLM_F_ACK);
        put_address(nlh, ifindex, &found.others[i]);
        error = netlink_transact(socket, nlh, NULL, NULL);
        error = error == EADDRNOTAVAIL ? 0 : error;
    }
    free(found.others);
    return error;
}
