/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FUSE_INPUT_H
#define FUSE_INPUT_H 1

/* Packets through the cache
 * =========================
 *
 * See fuse-input.c.  Owner of the cache. */

#include <stdint.h>

#include "datapath-dpdk/fuse/fuse-hooks.h"

struct fuse_thread;

void fuse_input_init(fuse_output_func *);

/* Takes the packets with a known outcome from 'batch', and those that are
 * learned.  Returns how many had a known outcome, and stores in '*n_learned'
 * how many were learned. */
uint32_t fuse_use_cache(struct fuse_thread *, struct dp_packet_batch *batch,
                        odp_port_t in_port, uint32_t *n_learned);

void fuse_take_ordinary_path(struct dp_netdev_pmd_thread *,
                             struct dp_packet_batch *, odp_port_t in_port);

#endif /* fuse-input.h */
