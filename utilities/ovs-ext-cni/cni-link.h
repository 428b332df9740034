/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CNI_LINK_H
#define CNI_LINK_H 1

/* Pairs of links between a container and the switch, by rtnetlink
 * ===============================================================
 *
 * One message makes both ends, each in its network namespace, so that nothing
 * half-made is left when the plugin is killed.  Removal of the host's end
 * removes the other one, and the end of the container removes both.
 *
 * Attack model: a pod may send anything into its end.  The host's own stack
 * must not take it for traffic of the host: the host's end has neither ARP nor
 * IPv6, and as it has no address and a filter for reverse paths, its IPv4
 * packets are dropped.  The switch reads the link below that stack.
 *
 * Thread-safety: none; only one thread may call. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cni_attachment;
struct cni_error;
struct cni_limit;
struct cni_result;

struct cni_error *cni_link_create(const struct cni_attachment *, int netns_fd,
                                  const uint8_t mac[6],
                                  const uint8_t host_mac[6], int mtu,
                                  bool limited);
struct cni_error *cni_link_configure(const struct cni_attachment *,
                                     int netns_fd, const struct cni_result *,
                                     bool offloads, const struct cni_limit *);
void cni_link_announce(const struct cni_attachment *, int netns_fd,
                       const uint8_t mac[6]);
struct cni_error *cni_link_check(const struct cni_attachment *, int netns_fd,
                                 const struct cni_result *, int interface,
                                 const char *mac, const struct cni_limit *);
struct cni_error *cni_link_delete(const char *host);
bool cni_link_exists(const char *host);

#endif /* cni-link.h */
