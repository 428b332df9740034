/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FUSE_BATCH_H
#define FUSE_BATCH_H 1

#include <stdbool.h>
#include <stdint.h>

#include "lib/fuse/fuse-program.h"
#include "lib/fuse/fuse-shape.h"
#include "lib/fuse/fuse-table.h"

/* A batch of packets, and what the replay finds out about each: see
 * fuse-replay.h. */

#define FUSE_BATCH 32

/* Facts about a packet, besides its octets, that the cache needs. */
enum {
    FUSE_OL_RSS = FUSE_P_RSS_IN,        /* It has an RSS hash. */
    FUSE_OL_L3_GOOD = 1 << 1,    /* The NIC found the IP checksum right... */
    FUSE_OL_L4_GOOD = 1 << 2,    /* ...and that of the payload. */
    FUSE_OL_SKIP = 1 << 7,       /* Leave it alone. */
};

/* The result of replay for a packet. */
enum fuse_verdict {
    FUSE_MISS,                   /* No entry. */
    FUSE_HIT,                    /* Rewritten as its entry says. */
    FUSE_STALE,                  /* Its entry is true no more. */
    FUSE_DECLINED,               /* Its entry is not for this packet. */
};

/* A packet's flow, for the order of packets (see fuse-order.h): one bit in
 * each of these.  Either 'inner' or 'any' is 0: the flow is known, or only its
 * outermost pair of addresses. */
struct fuse_flow {
    uint64_t inner;              /* Innermost addresses, protocol, ports. */
    uint64_t any;                /* Outermost addresses, if no shape. */
    uint64_t outer;              /* Outermost addresses. */
};

/* Flows of the packets that wait for something. */
struct fuse_flows {
    struct fuse_flow bits;
};

/* A batch of packets.  The first fields are the caller's to fill in, up to the
 * 'n'th element. */
struct fuse_batch {
    uint32_t n;
    uint32_t in_port;
    uint8_t *packets[FUSE_BATCH];
    uint32_t sizes[FUSE_BATCH];
    uint32_t rss[FUSE_BATCH];
    uint16_t headroom[FUSE_BATCH];
    uint8_t ol[FUSE_BATCH];

    /* Results.  A packet without a shape has -1 minus an enum fuse_skip there,
     * or less if the caller said to leave it alone, and neither hash nor key.
     * The key is padded with zeros to whole blocks.  Of a folded key only the
     * first block counts. */
    uint8_t verdicts[FUSE_BATCH];
    struct fuse_entry *entries[FUSE_BATCH];
    int shapes[FUSE_BATCH];
    struct fuse_class classes[FUSE_BATCH];
    uint64_t hashes[FUSE_BATCH];
    bool any_end;
    struct fuse_flows ends;      /* That begin or end with some packet. */
    uint8_t keys[FUSE_BATCH][FUSE_MAX_KEY] __attribute__((aligned(64)));
};

#endif /* fuse-batch.h */
