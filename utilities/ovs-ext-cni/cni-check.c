/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "cni-link.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "cni-bandwidth.h"
#include "cni-error.h"
#include "cni-netns.h"
#include "cni-request.h"
#include "cni-result.h"
#include "util.h"
#include "utilities/netlink/rt-netlink.h"

/* What is looked for in a dump. */
struct search {
    unsigned int ifindex;
    const struct cni_address *address;
    const struct cni_route *route;
    const struct cni_ip *gateway;   /* Of 'route', or null. */
    bool found;
};

/* Returns true if attribute 'attr', or its absence, has 'ip'. */
static bool
has_ip(const struct nlattr *attr, const struct cni_ip *ip)
{
    size_t len = ip->family == AF_INET ? 4 : 16;

    return (attr && mnl_attr_get_payload_len(attr) == len
            && !memcmp(mnl_attr_get_payload(attr), ip->octets, len));
}

static bool
is_zero(const struct cni_ip *ip)
{
    return is_all_zeros(ip->octets, sizeof ip->octets);
}

static int
look_at_address(const struct nlmsghdr *nlh, void *search_)
{
    const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
    struct search *s = search_;
    const struct cni_ip *ip = &s->address->ip;
    const struct nlattr *attr;

    if (ifa->ifa_index == s->ifindex && ifa->ifa_family == ip->family
        && ifa->ifa_prefixlen == ip->plen) {
        mnl_attr_for_each (attr, nlh, sizeof *ifa) {
            if (mnl_attr_get_type(attr) == IFA_ADDRESS && has_ip(attr, ip)) {
                s->found = true;
            }
        }
    }
    return MNL_CB_OK;
}

static int
look_at_route(const struct nlmsghdr *nlh, void *search_)
{
    const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
    const struct nlattr *attrs[RTA_TABLE + 1] = { NULL };
    struct search *s = search_;
    const struct cni_route *r = s->route;
    uint32_t table = r->table ? r->table : RT_TABLE_MAIN;
    const struct nlattr *attr;

    if (rtm->rtm_family != r->dst.family
        || rtm->rtm_dst_len != r->dst.plen) {
        return MNL_CB_OK;
    }
    mnl_attr_for_each (attr, nlh, sizeof *rtm) {
        if (mnl_attr_get_type(attr) < ARRAY_SIZE(attrs)) {
            attrs[mnl_attr_get_type(attr)] = attr;
        }
    }
    if ((attrs[RTA_DST] ? has_ip(attrs[RTA_DST], &r->dst) : is_zero(&r->dst))
        && attrs[RTA_TABLE] && mnl_attr_get_u32(attrs[RTA_TABLE]) == table
        && (!s->gateway || has_ip(attrs[RTA_GATEWAY], s->gateway))) {
        s->found = true;
    }
    return MNL_CB_OK;
}

static int
dump(struct mnl_socket *socket, int type, int family, mnl_cb_t cb,
     struct search *search)
{
    char buffer[NETLINK_LEN];
    struct nlmsghdr *nlh = netlink_request(buffer, type, NLM_F_DUMP);

    if (type == RTM_GETADDR) {
        struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(nlh, sizeof *ifa);

        ifa->ifa_family = family;
    } else {
        struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof *rtm);

        rtm->rtm_family = family;
    }
    search->found = false;
    return netlink_transact(socket, nlh, cb, search);
}

static struct cni_error *
missing(const char *what, const struct cni_ip *ip)
{
    char *s = cni_ip_to_string(ip, true);
    struct cni_error *e = cni_error(CNI_DIFFERS, "Restart the pod.",
                                    "the container does not have the %s %s",
                                    what, s);

    free(s);
    return e;
}

static struct cni_error *
check_addresses(struct mnl_socket *socket, const struct cni_result *result,
                int interface, struct search *s)
{
    for (size_t i = 0; i < result->n_addresses; i++) {
        s->address = &result->addresses[i];
        if (s->address->interface == interface) {
            int error = dump(socket, RTM_GETADDR, s->address->ip.family,
                             look_at_address, s);

            if (error || !s->found) {
                return missing("address", &s->address->ip);
            }
        }
    }
    return NULL;
}

/* A later plugin may have moved a route to another interface. */
static struct cni_error *
check_routes(struct mnl_socket *socket, const struct cni_result *result,
             struct search *s)
{
    for (size_t i = 0; i < result->n_routes; i++) {
        int error;

        s->route = &result->routes[i];
        s->gateway = (s->route->gateway.family ? &s->route->gateway : NULL);
        error = dump(socket, RTM_GETROUTE, s->route->dst.family,
                     look_at_route, s);
        if (error || !s->found) {
            return missing("route to", &s->route->dst);
        }
    }
    return NULL;
}

static int
copy_mac(const struct nlmsghdr *nlh, void *mac)
{
    const struct nlattr *attr;

    mnl_attr_for_each (attr, nlh, sizeof(struct ifinfomsg)) {
        if (mnl_attr_get_type(attr) == IFLA_ADDRESS
            && mnl_attr_get_payload_len(attr) == 6) {
            memcpy(mac, mnl_attr_get_payload(attr), 6);
        }
    }
    return MNL_CB_OK;
}

static struct cni_error *
check_mac(struct mnl_socket *socket, const char *ifname, unsigned int ifindex,
          const char *mac)
{
    char buffer[NETLINK_LEN], found[18];
    struct nlmsghdr *nlh = netlink_request(buffer, RTM_GETLINK, NLM_F_ACK);
    struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof *ifi);
    uint8_t m[6] = { 0 };

    ifi->ifi_index = ifindex;
    netlink_transact(socket, nlh, copy_mac, m);
    snprintf(found, sizeof found, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1],
             m[2], m[3], m[4], m[5]);
    return (!strcasecmp(found, mac) ? NULL
            : cni_error(CNI_DIFFERS, "Restart the pod.", "interface %s of "
                        "the container has MAC %s instead of %s", ifname,
                        found, mac));
}

/* As cni_link_check(), in the container's network namespace. */
static struct cni_error *
check(struct mnl_socket *socket, const char *ifname,
      const struct cni_result *result, int interface, const char *mac,
      const struct cni_limit *limit)
{
    struct search s = { .ifindex = if_nametoindex(ifname) };
    struct cni_error *e;

    if (!s.ifindex) {
        return cni_error(CNI_DIFFERS, "Restart the pod.",
                         "the container has no interface %s", ifname);
    }
    if (limit && !cni_bandwidth_is_shaped(ifname, limit)) {
        return cni_error(CNI_DIFFERS, "Restart the pod.", "interface %s of "
                         "the container does not limit what the pod sends as "
                         "it asks for", ifname);
    }
    e = mac ? check_mac(socket, ifname, s.ifindex, mac) : NULL;
    if (!e) {
        e = check_addresses(socket, result, interface, &s);
    }
    return e ? e : check_routes(socket, result, &s);
}

/* Compares the links of 'a' with 'result', where the container's interface has
 * number 'interface' and address 'mac', and sends no more than 'limit'; both
 * may be null. */
struct cni_error *
cni_link_check(const struct cni_attachment *a, int netns_fd,
               const struct cni_result *result, int interface,
               const char *mac, const struct cni_limit *limit)
{
    struct mnl_socket *socket;
    struct cni_error *e;
    int own_fd, error;

    if (!cni_link_exists(a->host)) {
        return cni_error(CNI_DIFFERS, "Restart the pod.",
                         "the host has no link %s", a->host);
    }
    e = cni_netns_enter(netns_fd, &own_fd);
    if (e) {
        return e;
    }
    error = netlink_open(&socket);
    if (error) {
        e = cni_error(CNI_KERNEL, "See the kernel's log.",
                      "no netlink socket: %s", ovs_strerror(error));
    } else {
        e = check(socket, a->ifname, result, interface, mac, limit);
        mnl_socket_close(socket);
    }
    cni_netns_leave(own_fd);
    return e;
}
