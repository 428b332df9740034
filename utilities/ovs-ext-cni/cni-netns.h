/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CNI_NETNS_H
#define CNI_NETNS_H 1

/* Network namespaces
 * ==================
 *
 * Thread-safety: none; only one thread may call. */

struct cni_error;

struct cni_error *cni_netns_open(const char *path, int *fd);
struct cni_error *cni_netns_enter(int fd, int *own_fd);
void cni_netns_leave(int own_fd);

#endif /* cni-netns.h */
