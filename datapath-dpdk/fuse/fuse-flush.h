/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FUSE_FLUSH_H
#define FUSE_FLUSH_H 1

/* Emptying a thread's fused flow cache
 * ====================================
 *
 * See fuse-flush.c. */

#include <stdbool.h>

struct fuse_thread;

bool fuse_thread_flush(struct fuse_thread *);
bool fuse_thread_close(struct fuse_thread *);

#endif /* fuse-flush.h */
