/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FUSE_DUMP_H
#define FUSE_DUMP_H 1

/* Dumping the chains of the fused flow cache
 * ==========================================
 *
 * Text takes long to format, and the memory for a long one to grow.  So a
 * thread only copies its chains, in slices; the main thread formats them. */

#include <stdbool.h>
#include <stdint.h>

#include "datapath-dpdk/fuse/fuse-uses.h"
#include "openvswitch/types.h"

struct ds;
struct fuse_thread;

/* Copy of a chain. */
struct fuse_dump_chain {
    uint64_t packets;
    uint32_t n_entries;
    uint32_t out_port;
    uint32_t n_flows;
    uint8_t k, m;                /* See struct fuse_program. */
    bool dead, drops;
    ovs_u128 ufids[FUSE_MAX_FLOWS];
};

/* A slice looks at so many chains, and the thread copies up to so many before
 * the main thread formats them. */
#define FUSE_DUMP_SLICE 16
#define FUSE_DUMP_MAX 1024

struct fuse_dump {
    uint32_t position;           /* The next one to look at. */
    bool end;                    /* There are no more. */
    uint32_t n;
    struct fuse_dump_chain chains[FUSE_DUMP_MAX];
};

/* A request: see fuse-thread.h.  'dump' is a "struct fuse_dump". */
bool fuse_dump_copy(struct fuse_thread *, void *dump);

/* Appends the chains of all threads to 'reply'.  Main thread. */
void fuse_dump(struct ds *reply);

#endif /* fuse-dump.h */
