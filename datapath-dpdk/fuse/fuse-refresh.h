/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FUSE_REFRESH_H
#define FUSE_REFRESH_H 1

/* Refreshing the owners of entries
 * ================================
 *
 * See fuse-refresh.c. */

#include <stdbool.h>

struct fuse_entry;
struct fuse_replay;
struct fuse_thread;

bool fuse_attend(struct fuse_replay *, struct fuse_entry *);
void fuse_refresh_run(struct fuse_thread *);
void fuse_refresh_forget(struct fuse_thread *, const struct fuse_entry *);

#endif /* fuse-refresh.h */
