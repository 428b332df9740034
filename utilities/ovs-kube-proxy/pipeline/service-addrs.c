/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "service-addrs.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(service_addrs);

/* Without notifications, addresses are read as often as this. */
#define POLL_MS 10000

struct service_addrs {
    int fd;                     /* Notifications; -1: none. */
    long long int next;         /* When to read all addresses again, in ms. */
    struct in6_addr *addrs;     /* Sorted, IPv4 as v4-mapped. */
    size_t n;
};

/* Returns a socket that becomes readable when an address comes or goes, or
 * -1. */
static int
open_notifications(void)
{
    struct sockaddr_nl local = {
        .nl_family = AF_NETLINK,
        .nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR,
    };
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC,
                    NETLINK_ROUTE);

    if (fd < 0 || bind(fd, (struct sockaddr *) &local, sizeof local)) {
        VLOG_WARN("the kernel does not report changes of addresses (%s): "
                  "reading them every %d seconds",
                  ovs_strerror(errno), POLL_MS / 1000);
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    return fd;
}

/* Returns what is known of this machine's addresses, for the caller to
 * destroy.  It is empty until service_addrs_run(). */
struct service_addrs *
service_addrs_create(void)
{
    struct service_addrs *a = xzalloc(sizeof *a);

    a->fd = open_notifications();
    return a;
}

/* Frees 'a', which may be null. */
void
service_addrs_destroy(struct service_addrs *a)
{
    if (a) {
        if (a->fd >= 0) {
            close(a->fd);
        }
        free(a->addrs);
        free(a);
    }
}

/* Stores the address 'sa' in '*addr'.  Returns false if no other host can use
 * it. */
static bool
decode(const struct sockaddr *sa, struct in6_addr *addr)
{
    if (sa && sa->sa_family == AF_INET) {
        ovs_be32 ip = ALIGNED_CAST(const struct sockaddr_in *,
                                   sa)->sin_addr.s_addr;

        in6_addr_set_mapped_ipv4(addr, ip);
        return (ntohl(ip) >> 24 != IN_LOOPBACKNET
                && (ntohl(ip) & 0xffff0000) != 0xa9fe0000); /* 169.254/16. */
    } else if (sa && sa->sa_family == AF_INET6) {
        *addr = ALIGNED_CAST(const struct sockaddr_in6 *, sa)->sin6_addr;
        return !IN6_IS_ADDR_LOOPBACK(addr) && !IN6_IS_ADDR_LINKLOCAL(addr);
    }
    return false;
}

static int
compare_addresses(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct in6_addr));
}

/* Sorts the 'n' addresses at 'addrs' and leaves out what occurs again.
 * Returns their number then. */
static size_t
sort_unique(struct in6_addr *addrs, size_t n)
{
    size_t n_unique = 0;

    if (n) {
        qsort(addrs, n, sizeof *addrs, compare_addresses);
    }
    for (size_t i = 0; i < n; i++) {
        if (!i || compare_addresses(&addrs[i], &addrs[i - 1])) {
            addrs[n_unique++] = addrs[i];
        }
    }
    return n_unique;
}

/* Reads all addresses.  Returns true if they have changed. */
static bool
read_all(struct service_addrs *a)
{
    struct in6_addr *addrs = NULL, addr;
    size_t n = 0, allocated = 0;
    struct ifaddrs *list;
    bool changed;

    if (getifaddrs(&list)) {
        VLOG_WARN("the addresses of this machine cannot be read (%s)",
                  ovs_strerror(errno));
        return false;
    }
    for (const struct ifaddrs *i = list; i; i = i->ifa_next) {
        if (decode(i->ifa_addr, &addr)) {
            if (n >= allocated) {
                addrs = x2nrealloc(addrs, &allocated, sizeof *addrs);
            }
            addrs[n++] = addr;
        }
    }
    freeifaddrs(list);
    n = sort_unique(addrs, n);
    changed = n != a->n || (n && memcmp(addrs, a->addrs, n * sizeof *addrs));
    free(a->addrs);
    a->addrs = addrs;
    a->n = n;
    return changed;
}

/* Looks whether addresses came or went, returns true if so. */
bool
service_addrs_run(struct service_addrs *a)
{
    bool due = time_msec() >= a->next;
    char buffer[4096];

    if (a->fd >= 0) {
        /* What the messages say does not matter, and one that was lost
         * neither. */
        while (recv(a->fd, buffer, sizeof buffer, 0) >= 0
               || errno == ENOBUFS) {
            due = true;
        }
    }
    if (!due) {
        return false;
    }
    a->next = a->fd >= 0 ? LLONG_MAX : time_msec() + POLL_MS;
    return read_all(a);
}

void
service_addrs_wait(const struct service_addrs *a)
{
    if (a->fd >= 0) {
        poll_fd_wait(a->fd, POLLIN);
    }
    if (a->next != LLONG_MAX) {
        poll_timer_wait_until(a->next);
    }
}

/* Returns '*n' addresses, which belong to 'a' until service_addrs_run(). */
const struct in6_addr *
service_addrs_get(const struct service_addrs *a, size_t *n)
{
    *n = a->n;
    return a->addrs;
}
