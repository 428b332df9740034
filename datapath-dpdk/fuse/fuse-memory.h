/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FUSE_MEMORY_H
#define FUSE_MEMORY_H 1

/* Memory of a thread's fused flow cache
 * =====================================
 *
 * See fuse-memory.c. */

#include <stdbool.h>
#include <stdint.h>

#include "datapath-dpdk/fuse/fuse.h"

struct ds;

/* The parts of a cache besides its table.  Zeros at first. */
struct fuse_parts {
    struct fuse_dp_program programs[FUSE_MAX_PROGRAMS];
    struct fuse_pool chains;
    struct fuse_tunnels tunnels;
};

void fuse_memory_init(void);
struct fuse_memory *fuse_memory_create(uint32_t max_entries, int numa_id,
                                       bool alone);
bool fuse_memory_attach(struct fuse_thread *,
                        void (*removed_cb)(struct fuse_entry *, void *t));
void fuse_memory_follow(struct fuse_memory *);
void fuse_memory_destroy(struct fuse_memory *);
void fuse_memory_show(const struct fuse_memory *, struct ds *);

#endif /* fuse-memory.h */
