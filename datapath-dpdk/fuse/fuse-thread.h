/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FUSE_THREAD_H
#define FUSE_THREAD_H 1

/* The fused flow caches of all threads
 * ====================================
 *
 * See fuse-thread.c. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "openvswitch/types.h"

struct dp_netdev_pmd_thread;
struct ds;
struct fuse_thread;

#define FUSE_DEFAULT_ENTRIES 1048576

/* Turns the caches on or off, each with room for 'entries' flows.  Main
 * thread. */
void fuse_configure(bool enabled, uint32_t entries);

/* Has packets from 'port' of the datapath 'dp' leave the caches alone if
 * 'close', and use them otherwise.  Main thread. */
void fuse_port_close(const void *dp, odp_port_t port, bool close);

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

/* Appends that the PMD thread of 'core_id' does not answer. */
typedef void fuse_silent_func(unsigned int core_id, struct ds *reply);

/* Run a function for the cache of each thread.  fuse_for_each_thread() appends
 * a line for a thread that does not answer.  Main thread. */
void fuse_ask_threads(fuse_request_func *, fuse_silent_func *, struct ds *);
void fuse_for_each_thread(fuse_request_func *, struct ds *);

#endif /* fuse-thread.h */
