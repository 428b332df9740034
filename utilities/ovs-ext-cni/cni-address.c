/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "cni-link.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cni-bandwidth.h"
#include "cni-error.h"
#include "cni-netns.h"
#include "cni-request.h"
#include "cni-result.h"
#include "util.h"
#include "utilities/netlink/rt-netlink.h"

static size_t
ip_len(const struct cni_ip *ip)
{
    return ip->family == AF_INET ? 4 : 16;
}

static int
take_up(struct mnl_socket *socket, unsigned int ifindex)
{
    char buffer[NETLINK_LEN];
    struct nlmsghdr *nlh = netlink_request(buffer, RTM_NEWLINK, NLM_F_ACK);
    struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof *ifi);

    ifi->ifi_index = ifindex;
    ifi->ifi_flags = ifi->ifi_change = IFF_UP;
    return netlink_transact(socket, nlh, NULL, NULL);
}

/* Has the container's kernel write checksums: a switch that reads packets from
 * a socket would pass them on without.  Segmentation goes with them. */
static int
disable_checksum_offload(const char *ifname)
{
    struct ethtool_value value = { .cmd = ETHTOOL_STXCSUM };
    struct ifreq ifr = { .ifr_data = (void *) &value };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int error = 0;

    ovs_strlcpy(ifr.ifr_name, ifname, sizeof ifr.ifr_name);
    if (fd < 0 || ioctl(fd, SIOCETHTOOL, &ifr)) {
        error = errno;
    }
    if (fd >= 0) {
        close(fd);
    }
    return error;
}

static int
add_address(struct mnl_socket *socket, unsigned int ifindex,
            const struct cni_ip *ip)
{
    char buffer[NETLINK_LEN];
    struct nlmsghdr *nlh = netlink_request(
        buffer, RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
    struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(nlh, sizeof *ifa);

    ifa->ifa_family = ip->family;
    ifa->ifa_prefixlen = ip->plen;
    ifa->ifa_index = ifindex;
    /* IPAM has seen to it that no other has the address. */
    ifa->ifa_flags = ip->family == AF_INET6 ? IFA_F_NODAD : 0;
    mnl_attr_put(nlh, IFA_LOCAL, ip_len(ip), ip->octets);
    mnl_attr_put(nlh, IFA_ADDRESS, ip_len(ip), ip->octets);
    if (ip->family == AF_INET && ip->plen < 31) {
        struct in_addr broadcast = ip->v4;

        broadcast.s_addr |= htonl(UINT32_MAX >> ip->plen);
        mnl_attr_put(nlh, IFA_BROADCAST, 4, &broadcast);
    }
    return netlink_transact(socket, nlh, NULL, NULL);
}

static bool
is_on_link(const struct cni_result *result, const struct cni_ip *ip)
{
    for (size_t i = 0; i < result->n_addresses; i++) {
        if (cni_ip_covers(&result->addresses[i].ip, ip)) {
            return true;
        }
    }
    return false;
}

static void
put_metrics(struct nlmsghdr *nlh, const struct cni_route *route)
{
    if (route->mtu || route->advmss) {
        struct nlattr *metrics = mnl_attr_nest_start(nlh, RTA_METRICS);

        if (route->mtu) {
            mnl_attr_put_u32(nlh, RTAX_MTU, route->mtu);
        }
        if (route->advmss) {
            mnl_attr_put_u32(nlh, RTAX_ADVMSS, route->advmss);
        }
        mnl_attr_nest_end(nlh, metrics);
    }
    if (route->priority) {
        mnl_attr_put_u32(nlh, RTA_PRIORITY, route->priority);
    }
}

static int
add_route(struct mnl_socket *socket, unsigned int ifindex,
          const struct cni_result *result, const struct cni_route *route)
{
    const struct cni_ip *gateway = cni_result_gateway(result, route);
    char buffer[NETLINK_LEN];
    struct nlmsghdr *nlh = netlink_request(
        buffer, RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
    struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof *rtm);
    int error;

    rtm->rtm_family = route->dst.family;
    rtm->rtm_dst_len = route->dst.plen;
    rtm->rtm_protocol = RTPROT_BOOT;
    rtm->rtm_scope = (route->scope >= 0 ? route->scope
                      : gateway ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK);
    rtm->rtm_type = RTN_UNICAST;
    mnl_attr_put(nlh, RTA_DST, ip_len(&route->dst), route->dst.octets);
    mnl_attr_put_u32(nlh, RTA_OIF, ifindex);
    mnl_attr_put_u32(nlh, RTA_TABLE,
                     route->table ? route->table : RT_TABLE_MAIN);
    if (gateway) {
        rtm->rtm_flags = is_on_link(result, gateway) ? 0 : RTNH_F_ONLINK;
        mnl_attr_put(nlh, RTA_GATEWAY, ip_len(gateway), gateway->octets);
    }
    put_metrics(nlh, route);
    error = netlink_transact(socket, nlh, NULL, NULL);
    /* Of two networks with a route, the first one's counts. */
    return error == EEXIST ? 0 : error;
}

/* Returns an error about 'what' that the kernel refused with 'error', or
 * null. */
static struct cni_error *
refused(const char *what, const struct cni_ip *ip, int error)
{
    char *s;
    struct cni_error *e;

    if (!error) {
        return NULL;
    }
    s = ip ? cni_ip_to_string(ip, true) : xstrdup("");
    e = cni_error(CNI_KERNEL, ip ? "Correct \"ipam\" in the network "
                  "configuration." : "See the kernel's log.",
                  "the container's kernel refuses %s%s%s: %s", what,
                  ip ? " " : "", s, ovs_strerror(error));
    free(s);
    return e;
}

/* As cni_link_configure(), in the container's network namespace. */
static struct cni_error *
configure(struct mnl_socket *socket, const char *ifname,
          const struct cni_result *result, bool offloads,
          const struct cni_limit *limit)
{
    unsigned int ifindex = if_nametoindex(ifname);
    struct cni_error *e = NULL;
    bool ipv6 = false;
    int error;

    for (size_t i = 0; i < result->n_addresses; i++) {
        ipv6 = ipv6 || result->addresses[i].ip.family == AF_INET6;
    }
    /* Some runtimes switch it off for all interfaces. */
    error = ipv6 ? link_write_setting("ipv6", ifname, "disable_ipv6", "0") : 0;
    if (error) {
        return cni_error(CNI_KERNEL, "Set \"mtu\" to 1280 or more, or give no "
                         "IPv6 addresses.", "the container's kernel does not "
                         "have IPv6 on %s: %s", ifname, ovs_strerror(error));
    }
    if ((!offloads && (e = refused("checksums in software", NULL,
                                      disable_checksum_offload(ifname))))
        || (limit && (e = refused("a limit of what it sends", NULL,
                                  cni_bandwidth_shape(ifname, limit))))
        || (e = refused("to take the interface up", NULL,
                        take_up(socket, ifindex)))) {
        return e;
    }
    for (size_t i = 0; i < result->n_addresses && !e; i++) {
        const struct cni_ip *ip = &result->addresses[i].ip;

        e = refused("address", ip, add_address(socket, ifindex, ip));
    }
    for (size_t i = 0; i < result->n_routes && !e; i++) {
        e = refused("a route to", &result->routes[i].dst,
                    add_route(socket, ifindex, result, &result->routes[i]));
    }
    return e;
}

/* Takes the container's interface up and gives it the addresses and routes in
 * 'result'.  If not 'offloads', has the container write checksums.  Unless
 * 'limit' is null, has it send no more than that. */
struct cni_error *
cni_link_configure(const struct cni_attachment *a, int netns_fd,
                   const struct cni_result *result, bool offloads,
                   const struct cni_limit *limit)
{
    struct mnl_socket *socket;
    struct cni_error *e;
    int own_fd, error;

    e = cni_netns_enter(netns_fd, &own_fd);
    if (e) {
        return e;
    }
    error = netlink_open(&socket);
    e = refused("a netlink socket", NULL, error);
    if (!error) {
        e = configure(socket, a->ifname, result, offloads, limit);
        mnl_socket_close(socket);
    }
    cni_netns_leave(own_fd);
    return e;
}

/* Tells the neighbors of 'a' which MAC its addresses have now: an earlier pod
 * may have had one of them.  Neighbors that do not hear of it find out later,
 * so a failure is none of ADD.
 *
 * The kernel announces addresses when a MAC is set, even to what it was.  By
 * packet socket it would take 10 to 20 ms, for its end waits for RCU. */
void
cni_link_announce(const struct cni_attachment *a, int netns_fd,
                  const uint8_t mac[6])
{
    char buffer[NETLINK_LEN];
    int own_fd;
    struct cni_error *error = cni_netns_enter(netns_fd, &own_fd);
    struct mnl_socket *socket;

    if (error) {
        cni_error_destroy(error);
        return;
    }
    link_write_setting("ipv4", a->ifname, "arp_notify", "1");
    link_write_setting("ipv6", a->ifname, "ndisc_notify", "1");
    if (!netlink_open(&socket)) {
        struct nlmsghdr *nlh = netlink_request(buffer, RTM_NEWLINK,
                                               NLM_F_ACK);

        mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
        mnl_attr_put_strz(nlh, IFLA_IFNAME, a->ifname);
        mnl_attr_put(nlh, IFLA_ADDRESS, 6, mac);
        netlink_transact(socket, nlh, NULL, NULL);
        mnl_socket_close(socket);
    }
    cni_netns_leave(own_fd);
}
