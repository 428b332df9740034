/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "node-link.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "node-address.h"
#include "node-route.h"
#include "node-rule.h"
#include "openvswitch/poll-loop.h"
#include "packets.h"
#include "timeval.h"
#include "util.h"
#include "utilities/common/complain.h"
#include "utilities/netlink/rt-netlink.h"

/* After a failure, and after a report: the kernel sends many at once. */
#define RETRY_MS 2000
#define SETTLE_MS 50

struct node_link {
    char *name;
    int reports;                /* Socket of reports, or -1. */
    struct mnl_socket *socket;
    struct in6_addr *addrs;     size_t n_addrs;
    struct node_route *routes;  size_t n_routes;
    struct node_ports ports;
    struct in6_addr *node_addrs;    size_t n_node_addrs;
    bool is_set;                /* By node_link_set(). */
    unsigned int ifindex;       /* That was configured; 0: none. */
    long long int due;          /* When to look again, in ms. */
    char *error;                /* Of the last attempt, or null. */
};

/* Returns a socket that becomes readable when links, addresses or routes
 * change, or -1. */
static int
open_reports(void)
{
    struct sockaddr_nl local = {
        .nl_family = AF_NETLINK,
        .nl_groups = (RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR
                      | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE
                      | RTMGRP_IPV4_RULE | 1 << (RTNLGRP_IPV6_RULE - 1)),
    };
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC,
                    NETLINK_ROUTE);

    if (fd >= 0 && bind(fd, (struct sockaddr *) &local, sizeof local)) {
        close(fd);
        fd = -1;
    }
    if (fd < 0) {
        complain_once("the kernel does not report changes of links and "
                      "routes (%s): what others remove stays removed until "
                      "the next start", ovs_strerror(errno));
    }
    return fd;
}

/* Returns the interface 'name', for the caller to destroy.  Nothing is changed
 * before node_link_set(). */
struct node_link *
node_link_create(const char *name)
{
    struct node_link *link = xzalloc(sizeof *link);
    int error = netlink_open(&link->socket);

    if (error) {
        ovs_fatal(error, "no netlink socket");
    }
    link->name = xstrdup(name);
    link->reports = open_reports();
    return link;
}

/* Frees 'link', which may be null.  The interface keeps what it has. */
void
node_link_destroy(struct node_link *link)
{
    if (link) {
        if (link->reports >= 0) {
            close(link->reports);
        }
        mnl_socket_close(link->socket);
        free(link->addrs);
        free(link->routes);
        free(link->node_addrs);
        free(link->error);
        free(link->name);
        free(link);
    }
}

/* Makes 'addrs' and 'routes' all that the interface should have.  Takes both
 * arrays over. */
void
node_link_set(struct node_link *link, struct in6_addr *addrs, size_t n_addrs,
              struct node_route *routes, size_t n_routes)
{
    bool equal = (link->n_addrs == n_addrs && link->n_routes == n_routes
                  && link->is_set);

    for (size_t i = 0; equal && i < n_addrs; i++) {
        equal = ipv6_addr_equals(&link->addrs[i], &addrs[i]);
    }
    for (size_t i = 0; equal && i < n_routes; i++) {
        equal = (kube_cidr_equals(&link->routes[i].dst, &routes[i].dst)
                 && ipv6_addr_equals(&link->routes[i].gateway,
                                     &routes[i].gateway));
    }
    free(link->addrs);
    free(link->routes);
    link->addrs = addrs;
    link->n_addrs = n_addrs;
    link->routes = routes;
    link->n_routes = n_routes;
    link->is_set = true;
    if (!equal) {
        link->due = 0;
    }
}

/* Has 'ports' at the 'n' addresses 'addrs', of this node, reach the switch. */
void
node_link_set_ports(struct node_link *link, const struct node_ports *ports,
                    const struct in6_addr *addrs, size_t n)
{
    size_t size = n * sizeof *addrs;

    if (link->n_node_addrs != n || link->ports.first != ports->first
        || link->ports.last != ports->last
        || (n && memcmp(link->node_addrs, addrs, size))) {
        free(link->node_addrs);
        link->node_addrs = n ? xmemdup(addrs, size) : NULL;
        link->n_node_addrs = n;
        link->ports = *ports;
        link->due = 0;
    }
}

/* Returns null or, for the caller to free, why answers of node ports would be
 * dropped. */
static char *
check_filter(const struct node_link *link)
{
    static const char path[] = "/proc/sys/net/ipv4/conf/all/rp_filter";
    FILE *stream = link->ports.last ? fopen(path, "r") : NULL;
    int c = stream ? getc(stream) : '0';

    if (stream) {
        fclose(stream);
    }
    return (c != '1' ? NULL
            : xstrdup("net.ipv4.conf.all.rp_filter is 1: answers of node "
                      "ports are dropped, unless it is 0 or 2"));
}

/* Applying. */

static int
take_up(struct node_link *link)
{
    char buffer[NETLINK_LEN];
    struct nlmsghdr *nlh;
    struct ifinfomsg *ifi;

    /* Pods reach other networks through the host. */
    link_write_setting("ipv4", link->name, "forwarding", "1");
    if (link->ports.last) {
        /* Answers have the node's own address as their source. */
        link_write_setting("ipv4", link->name, "accept_local", "1");
        link_write_setting("ipv4", link->name, "rp_filter", "0");
    }
    link_write_setting("ipv6", link->name, "accept_ra", "0");
    link_write_setting("ipv6", link->name, "accept_dad", "0");
    nlh = netlink_request(buffer, RTM_NEWLINK, NLM_F_ACK);
    ifi = mnl_nlmsg_put_extra_header(nlh, sizeof *ifi);
    ifi->ifi_index = link->ifindex;
    ifi->ifi_flags = ifi->ifi_change = IFF_UP;
    return netlink_transact(link->socket, nlh, NULL, NULL);
}

static void
apply(struct node_link *link)
{
    int error;

    free(link->error);
    link->error = NULL;
    link->ifindex = if_nametoindex(link->name);
    if (!link->ifindex) {
        link->error = xasprintf("%s is not there", link->name);
        return;
    }
    error = take_up(link);
    error = error ? error : node_addresses_add(link->socket, link->ifindex,
                                               link->addrs, link->n_addrs);
    link->error = (error ? NULL
                   : node_routes_apply(link->socket, link->ifindex,
                                       link->addrs, link->n_addrs,
                                       link->routes, link->n_routes));
    error = error ? error : node_addresses_trim(link->socket, link->ifindex,
                                                link->addrs, link->n_addrs);
    if (!error && !link->error) {
        link->error = node_rules_apply(link->socket, link->name, &link->ports,
                                       link->node_addrs, link->n_node_addrs);
        link->error = link->error ? link->error : check_filter(link);
    }
    if (error && !link->error) {
        link->error = xasprintf("%s cannot be configured: %s", link->name,
                                ovs_strerror(error));
    }
    if (link->error) {
        complain_once("%s", link->error);
    }
}

/* Returns true if 'nlh' says that something may be missing: something went, or
 * the link came or went down. */
static bool
is_loss(const struct node_link *link, const struct nlmsghdr *nlh)
{
    const struct ifinfomsg *ifi;

    switch (nlh->nlmsg_type) {
    case RTM_DELLINK:
    case RTM_DELADDR:
    case RTM_DELROUTE:
    case RTM_DELRULE:
        return true;
    case RTM_NEWROUTE:
        return nlh->nlmsg_flags & NLM_F_REPLACE;    /* Of ours, perhaps. */
    case RTM_NEWLINK:
        ifi = mnl_nlmsg_get_payload(nlh);
        return ((unsigned int) ifi->ifi_index != link->ifindex
                ? if_nametoindex(link->name) != link->ifindex
                : !(ifi->ifi_flags & IFF_UP));
    default:
        return false;
    }
}

static void
read_reports(struct node_link *link)
{
    char buffer[8192];
    bool loss = false;
    ssize_t n;

    while ((n = recv(link->reports, buffer, sizeof buffer, 0)) >= 0
           || errno == ENOBUFS) {
        const struct nlmsghdr *nlh = (const void *) buffer;
        int left = n;

        loss = loss || n < 0;
        while (n >= 0 && mnl_nlmsg_ok(nlh, left)) {
            loss = loss || is_loss(link, nlh);
            nlh = mnl_nlmsg_next(nlh, &left);
        }
    }
    if (loss) {
        link->due = MIN(link->due, time_msec() + SETTLE_MS);
    }
}

/* Looks whether something is missing, and makes it. */
void
node_link_run(struct node_link *link)
{
    if (link->reports >= 0) {
        read_reports(link);
    }
    if (link->is_set && time_msec() >= link->due) {
        apply(link);
        link->due = link->error ? time_msec() + RETRY_MS : LLONG_MAX;
    }
}

void
node_link_wait(const struct node_link *link)
{
    if (link->reports >= 0) {
        poll_fd_wait(link->reports, POLLIN);
    }
    if (link->is_set && link->due != LLONG_MAX) {
        poll_timer_wait_until(link->due);
    }
}

/* Returns what is wrong, or null.  The result belongs to 'link'. */
const char *
node_link_error(const struct node_link *link)
{
    return link->error;
}

/* Deletes all of our routes and rules.  Addresses go with the interface. */
void
node_link_clear(struct node_link *link)
{
    static const struct node_ports none;

    free(node_routes_apply(link->socket, 0, NULL, 0, NULL, 0));
    free(node_rules_apply(link->socket, link->name, &none, NULL, 0));
}

/* Returns the MTU of the interface that has 'addr', or 0.  That of 'bridge',
 * the bridge of the pods, does not count: its MTU follows that of our
 * ports. */
int
node_link_mtu(const struct in6_addr *addr, const char *bridge)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq ifr = { .ifr_mtu = 0 };
    int mtu = 0;

    if (fd >= 0 && link_find(addr, bridge, ifr.ifr_name)
        && !ioctl(fd, SIOCGIFMTU, &ifr)) {
        mtu = ifr.ifr_mtu;
    }
    if (fd >= 0) {
        close(fd);
    }
    return mtu;
}
