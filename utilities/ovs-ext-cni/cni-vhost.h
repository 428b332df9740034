/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CNI_VHOST_H
#define CNI_VHOST_H 1

/* Sockets for pods with DPDK (vhost-user)
 * =======================================
 *
 * The application in the pod makes the socket, and the switch connects to it,
 * again after a restart of either.  Each pod has a directory, named after its
 * UID, or the container without one, for the pod to mount.  A socket has the
 * name of the interface.
 *
 * Attack model: a pod may put anything into its directory, which is in one
 * that it cannot write to.  No link in it is followed.
 *
 * Thread-safety: none; only one thread may call. */

#include <stdbool.h>

struct cni_error;
struct cni_request;

struct cni_error *cni_vhost_path(const struct cni_request *, char **path);
struct cni_error *cni_vhost_make(const struct cni_request *,
                                 const char *path);
struct cni_error *cni_vhost_check(const char *path);
struct cni_error *cni_vhost_delete(const struct cni_request *,
                                   const char *path, bool alone);

struct cni_error *cni_vhost_describe(const struct cni_request *,
                                     const char *path);

#endif /* cni-vhost.h */
