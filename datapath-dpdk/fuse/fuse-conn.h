/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FUSE_CONN_H
#define FUSE_CONN_H 1

/* Connections in the fused flow cache
 * ===================================
 *
 * See fuse-conn.c. */

#include <stdbool.h>
#include <stdint.h>

struct conn;
struct conntrack;
struct fuse_entry;
struct fuse_tcp;

bool fuse_conn_is_usable(const struct conn *, int timeout, long long int now);
bool fuse_conn_link(struct conn *, struct fuse_entry *, int owner,
                    int timeout, struct fuse_tcp *, bool more);
void fuse_conn_unlink(struct conn *, struct fuse_entry *, int owner);
void fuse_conn_prefetch(const struct conn *);
uint32_t fuse_conn_refresh(struct conntrack *, struct conn *, int timeout,
                           long long int now);

#endif /* fuse-conn.h */
