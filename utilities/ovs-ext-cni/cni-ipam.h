/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CNI_IPAM_H
#define CNI_IPAM_H 1

/* IPAM by other plugins
 * =====================
 *
 * The plugin that the configuration names is executed with the environment and
 * the input that the runtime gave, as section 4 of the specification says.  Of
 * an IPAM plugin that is older than CNI 1.1, 1.0 is asked instead.
 *
 * A configuration without IPAM gives neither addresses nor routes, and all
 * functions here succeed.
 *
 * Attack model: an IPAM plugin may hang or write without end.  It has 60 s and
 * 1 MB.
 *
 * Thread-safety: none; only one thread may call. */

struct cni_attachment;
struct cni_error;
struct cni_request;
struct cni_result;

struct cni_error *cni_ipam_find(const struct cni_request *);
struct cni_error *cni_ipam_add(const struct cni_request *, int lock_fd,
                               struct cni_result *);
struct cni_error *cni_ipam_delete(const struct cni_request *, int lock_fd,
                                  const struct cni_attachment *);
struct cni_error *cni_ipam_check(const struct cni_request *, int lock_fd);
struct cni_error *cni_ipam_gc(const struct cni_request *);
struct cni_error *cni_ipam_status(const struct cni_request *);

#endif /* cni-ipam.h */
