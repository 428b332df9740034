/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FUSE_TUNNEL_H
#define FUSE_TUNNEL_H 1

/* Tunnel ports in the fused flow cache
 * ====================================
 *
 * See fuse-tunnel.c. */

#include <stdbool.h>
#include <stdint.h>

#include "lib/fuse/fuse-shape.h"
#include "openvswitch/types.h"

struct fuse_record;
struct fuse_thread;
struct fuse_tunnel_use;

uint64_t fuse_tunnel_version(void);
bool fuse_tunnel_is_same(const struct fuse_tunnel_use *);
bool fuse_tunnels_add(struct fuse_record *, enum fuse_tunnel pushed,
                      odp_port_t push_port);
bool fuse_tunnel_learn(struct fuse_thread *, uint32_t l3, bool ipv6);
void fuse_tunnels_follow(struct fuse_thread *);

#endif /* fuse-tunnel.h */
