/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FUSE_CONN_TCP_H
#define FUSE_CONN_TCP_H 1

/* TCP sequence numbers in the fused flow cache
 * ============================================
 *
 * See fuse-conn-tcp.c. */

#include <stdbool.h>

struct conn;
struct fuse_entry;
struct fuse_replay;
struct fuse_tcp;

void fuse_tcp_sync(struct conn *);
void fuse_tcp_outdate(struct conn *);
bool fuse_tcp_take(struct conn *, struct fuse_tcp *, int owner, bool more);
bool fuse_tcp_resync(struct fuse_replay *, struct fuse_entry *);

#endif /* fuse-conn-tcp.h */
