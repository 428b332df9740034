/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FUSE_CYCLES_H
#define FUSE_CYCLES_H 1

/* The clock for the costs of packets
 * ================================== */

#include <stdint.h>

struct dp_netdev_pmd_thread;

/* Returns the processor's cycles since some time.  A test may put another
 * clock here. */
typedef uint64_t fuse_cycles_func(struct dp_netdev_pmd_thread *);
extern fuse_cycles_func *fuse_cycles;

#endif /* fuse-cycles.h */
