/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FUSE_RECORD_H
#define FUSE_RECORD_H 1

/* Recording what a packet meets on its way
 * ========================================
 *
 * See fuse-record.c.  A record belongs to the thread whose packet it is. */

#include <stdbool.h>
#include <stdint.h>

#include "datapath-dpdk/fuse/fuse-reason.h"

struct dp_packet;
struct fuse_batch;
struct fuse_record;

void fuse_record_start(struct fuse_record *, const struct fuse_batch *,
                       uint32_t i, const struct dp_packet *,
                       long long int now);
void fuse_record_choice(uint32_t id, uint32_t version, bool sticky,
                        uint64_t flow, bool pure);
enum fuse_reason fuse_record_owners(const struct fuse_record *,
                                    uint64_t owners[2], uint8_t *kinds,
                                    uint8_t *replies);

#endif /* fuse-record.h */
