/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CNI_COMMANDS_PRIVATE_H
#define CNI_COMMANDS_PRIVATE_H 1

/* What several commands do.  */

struct cni_attachment;
struct cni_error;
struct cni_request;
struct ovsdb_connection;

/* Time to reach the database, in ms. */
#define CONNECT_MS 5000

struct cni_error *cni_connect(const struct cni_request *,
                              struct ovsdb_connection **);
struct cni_error *cni_detach(struct ovsdb_connection *,
                             const struct cni_request *, int lock_fd,
                             const struct cni_attachment *);

#endif /* cni-commands-private.h */
