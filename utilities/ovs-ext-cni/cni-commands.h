/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CNI_COMMANDS_H
#define CNI_COMMANDS_H 1

/* Commands of the specification
 * =============================
 *
 * ADD makes, in this order: the pair of links, the port in the database, the
 * directory of a socket, the lease of the IPAM plugin, addresses and routes.
 * Then it waits for the switch, which has worked on the port meanwhile, and
 * for the node agent if there is one.  DEL takes all of it back, the port last
 * but for the links, so that the database knows of a lease as long as there is
 * one.  Names come from the request alone.  So DEL after an ADD that was
 * killed, at whichever step, leaves nothing, and an ADD begins with DEL if
 * there is a link or a port.
 *
 * Thread-safety: none; only one thread may call. */

struct cni_error;
struct cni_request;

struct cni_error *cni_command_add(const struct cni_request *);
struct cni_error *cni_command_delete(const struct cni_request *);
struct cni_error *cni_command_check(const struct cni_request *);
struct cni_error *cni_command_gc(const struct cni_request *);
struct cni_error *cni_command_status(const struct cni_request *);

#endif /* cni-commands.h */
