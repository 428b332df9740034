/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "rt-netlink.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "packets.h"
#include "socket-util.h"
#include "util.h"

/* Opens a socket in the network namespace of this thread, which it stays in.
 * Returns 0 and stores it in '*socket', or a positive errno value. */
int
netlink_open(struct mnl_socket **socket)
{
    *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
    if (!*socket) {
        return errno;
    }
    if (mnl_socket_bind(*socket, 0, MNL_SOCKET_AUTOPID)) {
        int error = errno;

        mnl_socket_close(*socket);
        *socket = NULL;
        return error;
    }
    return 0;
}

/* Begins a request in 'buffer' of NETLINK_LEN octets. */
struct nlmsghdr *
netlink_request(void *buffer, int type, int flags)
{
    static unsigned int seq;
    struct nlmsghdr *nlh;

    memset(buffer, 0, NETLINK_LEN);
    nlh = mnl_nlmsg_put_header(buffer);
    nlh->nlmsg_type = type;
    nlh->nlmsg_flags = NLM_F_REQUEST | flags;
    nlh->nlmsg_seq = ++seq;
    return nlh;
}

/* Sends 'request' and calls 'cb' with 'aux' for each part of the answer.
 * Returns 0 or a positive errno value, the kernel's or the callback's. */
int
netlink_transact(struct mnl_socket *socket, struct nlmsghdr *request,
                 mnl_cb_t cb, void *aux)
{
    unsigned int seq = request->nlmsg_seq;
    char buffer[16384];
    int retval;

    ovs_assert(request->nlmsg_len <= NETLINK_LEN);
    if (mnl_socket_sendto(socket, request, request->nlmsg_len) < 0) {
        return errno;
    }
    do {
        ssize_t n = mnl_socket_recvfrom(socket, buffer, sizeof buffer);

        retval = n < 0 ? -1 : mnl_cb_run(buffer, n, seq,
                                         mnl_socket_get_portid(socket), cb,
                                         aux);
    } while (retval > 0);
    return retval < 0 ? errno : 0;
}

/* Writes 'value' to setting 'name' of 'link' for 'family', "ipv4" or "ipv6",
 * in the network namespace of this thread.  Returns 0 or a positive errno
 * value: ENOENT if the link does not have the family. */
int
link_write_setting(const char *family, const char *link, const char *name,
                   const char *value)
{
    char *path = xasprintf("/proc/sys/net/%s/conf/%s/%s", family, link, name);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    int error = 0;

    if (fd < 0 || write(fd, value, strlen(value)) != strlen(value)) {
        error = errno;
    }
    if (fd >= 0) {
        close(fd);
    }
    free(path);
    return error;
}

/* Stores in 'name', of IFNAMSIZ octets, the interface that has 'addr' and is
 * not called 'but'.  Returns false if there is none. */
bool
link_find(const struct in6_addr *addr, const char *but, char *name)
{
    struct ifaddrs *list;
    bool found = false;

    if (getifaddrs(&list)) {
        return false;
    }
    for (const struct ifaddrs *i = list; i && !found; i = i->ifa_next) {
        struct sockaddr_storage ss;
        struct in6_addr its;

        if (!i->ifa_addr || !strcmp(i->ifa_name, but)
            || (i->ifa_addr->sa_family != AF_INET
                && i->ifa_addr->sa_family != AF_INET6)) {
            continue;
        }
        memset(&ss, 0, sizeof ss);
        memcpy(&ss, i->ifa_addr, i->ifa_addr->sa_family == AF_INET
               ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
        its = ss_get_address(&ss);
        if (ipv6_addr_equals(&its, addr)) {
            ovs_strlcpy(name, i->ifa_name, IFNAMSIZ);
            found = true;
        }
    }
    freeifaddrs(list);
    return found;
}

/* Appends 'addr' as an attribute of 'type'. */
void
netlink_put_ip(struct nlmsghdr *nlh, uint16_t type,
               const struct in6_addr *addr)
{
    if (IN6_IS_ADDR_V4MAPPED(addr)) {
        mnl_attr_put_u32(nlh, type, in6_addr_get_mapped_ipv4(addr));
    } else {
        mnl_attr_put(nlh, type, sizeof *addr, addr);
    }
}

/* Returns the address in 'attr', or all zeros if it has none. */
struct in6_addr
netlink_get_ip(const struct nlattr *attr)
{
    struct in6_addr addr = in6addr_any;
    ovs_be32 ipv4;

    if (mnl_attr_get_payload_len(attr) == sizeof addr) {
        memcpy(&addr, mnl_attr_get_payload(attr), sizeof addr);
    } else if (mnl_attr_get_payload_len(attr) == sizeof ipv4) {
        memcpy(&ipv4, mnl_attr_get_payload(attr), sizeof ipv4);
        in6_addr_set_mapped_ipv4(&addr, ipv4);
    }
    return addr;
}
