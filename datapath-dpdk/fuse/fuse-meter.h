/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FUSE_METER_H
#define FUSE_METER_H 1

/* Meters on the way of hits
 * =========================
 *
 * See fuse-meter.c. */

#include <stdint.h>

struct dp_netdev_pmd_thread;
struct dp_packet_batch;
struct fuse_batch;

uint32_t fuse_meter(struct dp_netdev_pmd_thread *,
                    const struct dp_packet_batch *, const struct fuse_batch *,
                    uint32_t metered);

#endif /* fuse-meter.h */
