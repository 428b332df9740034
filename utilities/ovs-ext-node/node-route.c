/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "node-route.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "node-kernel.h"
#include "packets.h"
#include "util.h"
#include "utilities/netlink/rt-netlink.h"

/* Neighbors of the host's interface that need not exist: the switch answers
 * for all addresses there. */
#define GATEWAY4 "169.254.1.1"
#define GATEWAY6 "fe80::1"

/* Where routes without a gateway lead. */
struct place {
    unsigned int ifindex;
    const struct in6_addr *addrs;   size_t n_addrs;
};

static bool
is_ipv6(const struct in6_addr *addr)
{
    return !IN6_IS_ADDR_V4MAPPED(addr);
}

/* A route of ours that the kernel has. */
struct kernel_route {
    struct kube_cidr dst;
    struct in6_addr gateway, src;   /* All-zeros: none. */
    unsigned int ifindex;
    uint32_t metric;
    uint8_t table;
};

struct kernel_routes {
    struct kernel_route *routes;
    size_t n, allocated;
};

static int
note_route(const struct nlmsghdr *nlh, void *found_)
{
    const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
    struct kernel_routes *found = found_;
    struct kernel_route r = { .dst.plen = rtm->rtm_dst_len,
                              .table = rtm->rtm_table };
    const struct nlattr *attr;

    if (nlh->nlmsg_type != RTM_NEWROUTE || rtm->rtm_protocol != NODE_PROTOCOL
        || (r.table != RT_TABLE_MAIN && r.table != NODE_TABLE)) {
        return MNL_CB_OK;
    }
    if (rtm->rtm_family == AF_INET) {
        in6_addr_set_mapped_ipv4(&r.dst.addr, 0);
    }
    mnl_attr_for_each (attr, nlh, sizeof *rtm) {
        switch (mnl_attr_get_type(attr)) {
        case RTA_DST: r.dst.addr = netlink_get_ip(attr); break;
        case RTA_GATEWAY: r.gateway = netlink_get_ip(attr); break;
        case RTA_PREFSRC: r.src = netlink_get_ip(attr); break;
        case RTA_OIF: r.ifindex = mnl_attr_get_u32(attr); break;
        case RTA_PRIORITY: r.metric = mnl_attr_get_u32(attr); break;
        }
    }
    if (found->n >= found->allocated) {
        found->routes = x2nrealloc(found->routes, &found->allocated,
                                   sizeof *found->routes);
    }
    found->routes[found->n++] = r;
    return MNL_CB_OK;
}

/* Stores in '*found' our routes in the kernel, for the caller to free. */
static int
read_routes(struct mnl_socket *socket, struct kernel_routes *found)
{
    static const uint8_t families[] = { AF_INET, AF_INET6 };
    int error = 0;

    memset(found, 0, sizeof *found);
    for (size_t i = 0; i < ARRAY_SIZE(families) && !error; i++) {
        char buffer[NETLINK_LEN];
        struct nlmsghdr *nlh = netlink_request(buffer, RTM_GETROUTE,
                                               NLM_F_DUMP);
        struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof *rtm);

        rtm->rtm_family = families[i];
        error = netlink_transact(socket, nlh, note_route, found);
    }
    return error;
}

static struct rtmsg *
put_route(struct nlmsghdr *nlh, const struct kernel_route *r)
{
    struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof *rtm);

    rtm->rtm_family = is_ipv6(&r->dst.addr) ? AF_INET6 : AF_INET;
    rtm->rtm_dst_len = r->dst.plen;
    rtm->rtm_table = r->table;
    rtm->rtm_protocol = NODE_PROTOCOL;
    rtm->rtm_scope = RT_SCOPE_UNIVERSE;
    rtm->rtm_type = RTN_UNICAST;
    if (r->dst.plen) {
        netlink_put_ip(nlh, RTA_DST, &r->dst.addr);
    }
    return rtm;
}

static int
delete_route(struct mnl_socket *socket, const struct kernel_route *r)
{
    char buffer[NETLINK_LEN];
    struct nlmsghdr *nlh = netlink_request(buffer, RTM_DELROUTE, NLM_F_ACK);
    int error;

    put_route(nlh, r);
    mnl_attr_put_u32(nlh, RTA_OIF, r->ifindex);
    mnl_attr_put_u32(nlh, RTA_PRIORITY, r->metric);
    error = netlink_transact(socket, nlh, NULL, NULL);
    return error == ESRCH ? 0 : error;
}

/* Stores in '*full' what the kernel should have for 'route'.  Returns false if
 * there is no address of its family. */
static bool
complete(const struct place *place, const struct node_route *route,
         struct kernel_route *full)
{
    bool ipv6 = is_ipv6(&route->dst.addr);

    *full = (struct kernel_route) { .dst = route->dst,
                                    .table = route->table };
    if (ipv6_addr_is_set(&route->gateway)) {
        full->gateway = route->gateway;
        return true;
    }
    full->ifindex = place->ifindex;
    ipv6_parse(GATEWAY6, &full->gateway);
    if (!ipv6) {
        ovs_be32 ipv4;

        ip_parse(GATEWAY4, &ipv4);
        in6_addr_set_mapped_ipv4(&full->gateway, ipv4);
    }
    for (size_t i = 0; i < place->n_addrs; i++) {
        if (is_ipv6(&place->addrs[i]) == ipv6) {
            full->src = place->addrs[i];
            return true;
        }
    }
    return false;
}

static bool
is_route(const struct kernel_route *want, const struct kernel_route *have)
{
    return (want->table == have->table
            && kube_cidr_equals(&want->dst, &have->dst)
            && ipv6_addr_equals(&want->gateway, &have->gateway)
            && ipv6_addr_equals(&want->src, &have->src)
            && (!want->ifindex || want->ifindex == have->ifindex));
}

static int
add_route(struct mnl_socket *socket, const struct kernel_route *r)
{
    char buffer[NETLINK_LEN];
    struct nlmsghdr *nlh = netlink_request(
        buffer, RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
    struct rtmsg *rtm = put_route(nlh, r);

    netlink_put_ip(nlh, RTA_GATEWAY, &r->gateway);
    if (r->ifindex) {
        rtm->rtm_flags = RTNH_F_ONLINK;
        mnl_attr_put_u32(nlh, RTA_OIF, r->ifindex);
        netlink_put_ip(nlh, RTA_PREFSRC, &r->src);
    }
    return netlink_transact(socket, nlh, NULL, NULL);
}

/* Stores in '*message' what the kernel's 'error' means for the route to 'dst',
 * or for the list of routes, unless there is one. */
static void
fail(char **message, int error, const struct kube_cidr *dst)
{
    char ip[INET6_ADDRSTRLEN];

    if (!error || *message) {
        return;
    } else if (!dst) {
        *message = xasprintf("the kernel does not list its routes: %s",
                             ovs_strerror(error));
        return;
    }
    ipv6_string_mapped(ip, &dst->addr);
    *message = xasprintf(
        "the route to %s/%d: %s", ip, dst->plen,
        error == EEXIST ? "there is one of somebody else"
        : error == ENETUNREACH || error == EHOSTUNREACH
        ? "its gateway is not on a network of this machine"
        : ovs_strerror(error));
}

/* Makes the 'n' routes at 'wishes' all that we have in the kernel, by way of
 * the interface 'ifindex', which has the addresses 'addrs'.  Deletes others of
 * ours, and adds what is missing.  A route by the interface is left out if it
 * has no address of that family.
 *
 * Returns null or, after all has been tried, the first error, for the caller
 * to free. */
char *
node_routes_apply(struct mnl_socket *socket, unsigned int ifindex,
                  const struct in6_addr *addrs, size_t n_addrs,
                  const struct node_route *wishes, size_t n)
{
    const struct place place = { ifindex, addrs, n_addrs };
    bool *missing = xmalloc(MAX(n, 1));
    struct kernel_routes found;
    struct kernel_route want;
    char *error = NULL;

    memset(missing, true, n);
    fail(&error, read_routes(socket, &found), NULL);
    for (size_t i = 0; i < found.n; i++) {
        bool wanted = false;

        for (size_t j = 0; j < n && !wanted; j++) {
            if (missing[j] && complete(&place, &wishes[j], &want)
                && is_route(&want, &found.routes[i])) {
                wanted = true;
                missing[j] = false;
            }
        }
        if (!wanted) {
            fail(&error, delete_route(socket, &found.routes[i]),
                 &found.routes[i].dst);
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (missing[i] && complete(&place, &wishes[i], &want)) {
            fail(&error, add_route(socket, &want), &want.dst);
        }
    }
    free(missing);
    free(found.routes);
    return error;
}
