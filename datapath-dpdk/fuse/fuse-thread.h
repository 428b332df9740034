/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FUSE_THREAD_H
#define FUSE_THREAD_H 1

/* The fused flow caches of all threads
 * ====================================
 *
 * See fuse-thread.c. */

#include <stdatomic.h>
#include <stdbool.h>

#include "openvswitch/types.h"

struct dp_netdev_pmd_thread;
struct ds;
struct fuse_thread;

struct fuse_thread *fuse_thread_get(struct dp_netdev_pmd_thread *);
bool fuse_port_is_closed(const struct fuse_thread *, odp_port_t);

/* Does a command's work for a thread.  Called again, when the thread has seen
 * to its packets, until it returns true. */
typedef bool fuse_request_func(struct fuse_thread *, struct ds *);
struct fuse_request {
    fuse_request_func *func;
    struct ds *reply;
    atomic_bool done;
};

void fuse_for_each_thread(fuse_request_func *, struct ds *);

#endif /* fuse-thread.h */
