/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FUSE_LEARN_H
#define FUSE_LEARN_H 1

/* Learning in the fused flow cache
 * ================================
 *
 * See fuse-learn.c. */

#include <stdint.h>

#include "datapath-dpdk/fuse/fuse-reason.h"

struct fuse_batch;
struct fuse_entry;
struct fuse_thread;

enum fuse_reason fuse_learn(struct fuse_thread *, const struct fuse_batch *,
                            uint32_t i, struct fuse_entry **entryp);

#endif /* fuse-learn.h */
