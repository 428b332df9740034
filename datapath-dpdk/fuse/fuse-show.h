/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FUSE_SHOW_H
#define FUSE_SHOW_H 1

/* Commands of the fused flow cache
 * ================================
 *
 * See fuse-show.c. */

struct ds;

/* Appends what "fuse/show" shows to 'reply'.  Main thread. */
void fuse_show(struct ds *reply);

void fuse_show_init(const char *implementation);

#endif /* fuse-show.h */
