/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "cni-link.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <string.h>

#include "cni-error.h"
#include "cni-request.h"
#include "util.h"
#include "utilities/netlink/rt-netlink.h"

/* Packets that wait for a limited pod.  All ports send by one socket, whose
 * memory these packets hold. */
#define LIMITED_QUEUE 32

/* Making. */

static void
put_end(struct nlmsghdr *nlh, const char *name, const uint8_t mac[6], int mtu)
{
    mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
    mnl_attr_put(nlh, IFLA_ADDRESS, 6, mac);
    mnl_attr_put_u32(nlh, IFLA_MTU, mtu);
}

static int
create_pair(struct mnl_socket *socket, const struct cni_attachment *a,
            int netns_fd, const uint8_t mac[6], const uint8_t host_mac[6],
            int mtu, bool limited)
{
    char buffer[NETLINK_LEN];
    struct nlmsghdr *nlh = netlink_request(
        buffer, RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
    struct nlattr *info, *data, *peer;

    mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
    put_end(nlh, a->host, host_mac, mtu);
    if (limited) {
        mnl_attr_put_u32(nlh, IFLA_TXQLEN, LIMITED_QUEUE);
    }
    info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
    mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "veth");
    data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
    peer = mnl_attr_nest_start(nlh, VETH_INFO_PEER);
    mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
    put_end(nlh, a->ifname, mac, mtu);
    mnl_attr_put_u32(nlh, IFLA_NET_NS_FD, netns_fd);
    mnl_attr_nest_end(nlh, peer);
    mnl_attr_nest_end(nlh, data);
    mnl_attr_nest_end(nlh, info);
    return netlink_transact(socket, nlh, NULL, NULL);
}

/* Takes the host's end up, out of reach of the host's own stack. */
static int
take_up(struct mnl_socket *socket, const char *host)
{
    char buffer[NETLINK_LEN];
    struct ifinfomsg *ifi;
    struct nlmsghdr *nlh;
    int error;

    error = link_write_setting("ipv6", host, "disable_ipv6", "1");
    /* A kernel may be without IPv6. */
    if (!error || error == ENOENT) {
        error = link_write_setting("ipv4", host, "rp_filter", "1");
    }
    if (error) {
        return error;
    }
    nlh = netlink_request(buffer, RTM_NEWLINK, NLM_F_ACK);
    ifi = mnl_nlmsg_put_extra_header(nlh, sizeof *ifi);
    ifi->ifi_flags = ifi->ifi_change = IFF_UP | IFF_NOARP;
    mnl_attr_put_strz(nlh, IFLA_IFNAME, host);
    return netlink_transact(socket, nlh, NULL, NULL);
}

/* Makes the pair of links of 'a', with its interface in the network namespace
 * 'netns_fd', where it is down.  'limited' says that what the pod gets will be
 * limited. */
struct cni_error *
cni_link_create(const struct cni_attachment *a, int netns_fd,
                const uint8_t mac[6], const uint8_t host_mac[6], int mtu,
                bool limited)
{
    struct mnl_socket *socket;
    int error = netlink_open(&socket);

    if (!error) {
        error = create_pair(socket, a, netns_fd, mac, host_mac, mtu,
                            limited);
        if (!error) {
            error = take_up(socket, a->host);
        }
        mnl_socket_close(socket);
    }
    if (error == EEXIST) {
        /* The host's end does not: the caller has looked. */
        return cni_error(CNI_KERNEL, "Give each network of a pod an interface "
                         "name of its own.",
                         "the container has an interface %s already",
                         a->ifname);
    } else if (error) {
        return cni_error(CNI_KERNEL,
                         error == EPERM ? "Run the container runtime as root."
                         : error == EINVAL || error == ERANGE
                         ? "Is \"mtu\" in the network configuration right?"
                         : "See the kernel's log.",
                         "the links %s and %s with MTU %d cannot be made: %s",
                         a->host, a->ifname, mtu, ovs_strerror(error));
    }
    return NULL;
}

/* Removing. */

bool
cni_link_exists(const char *host)
{
    return if_nametoindex(host) != 0;
}

/* Removes the link 'host', and so its other end, if there is one. */
struct cni_error *
cni_link_delete(const char *host)
{
    char buffer[NETLINK_LEN];
    struct mnl_socket *socket;
    int error = netlink_open(&socket);

    if (!error) {
        struct nlmsghdr *nlh = netlink_request(buffer, RTM_DELLINK,
                                               NLM_F_ACK);

        mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
        mnl_attr_put_strz(nlh, IFLA_IFNAME, host);
        error = netlink_transact(socket, nlh, NULL, NULL);
        mnl_socket_close(socket);
    }
    return (!error || error == ENODEV ? NULL
            : cni_error(CNI_KERNEL, "See the kernel's log.",
                        "link %s cannot be removed: %s", host,
                        ovs_strerror(error)));
}
