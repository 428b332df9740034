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

/* Appends the name of a thread to 'reply', as a line.  Any thread. */
void fuse_thread_put_name(const struct fuse_thread *, struct ds *reply);

bool fuse_port_is_closed(const struct fuse_thread *, odp_port_t);

/* Does a command's work for a thread.  Called again, when the thread has seen
 * to its packets, until it returns true. */
typedef bool fuse_request_func(struct fuse_thread *, void *aux);
struct fuse_request {
    fuse_request_func *func;
    void *aux;
    atomic_bool done;
};

/* Calls 'visit' for the cache of each thread, which calls fuse_ask_thread() to
 * have that thread run 'func' with 'aux'.  Returns false if the thread does
 * not answer.  Main thread. */
void fuse_visit_threads(void (*visit)(struct fuse_thread *, void *aux),
                        void *aux);
bool fuse_ask_thread(struct fuse_thread *, fuse_request_func *, void *aux);

/* Appends that the thread of a cache does not answer. */
void fuse_put_silent(const struct fuse_thread *, struct ds *reply);

/* Has each thread run a function with 'reply', a "struct ds".  Appends a line
 * for a thread that does not answer.  Main thread. */
void fuse_for_each_thread(fuse_request_func *, void *reply);

#endif /* fuse-thread.h */
