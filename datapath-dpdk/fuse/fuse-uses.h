/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FUSE_USES_H
#define FUSE_USES_H 1

/* Record of a packet, and the things that its outcome depends on
 * ============================================================== */

#include <stdbool.h>
#include <stdint.h>

#include "datapath-dpdk/fuse/fuse-reason.h"
#include "lib/fuse/fuse-program.h"
#include "lib/fuse/fuse-shape.h"
#include "openvswitch/types.h"

struct conn;
struct conntrack;
struct dp_netdev_flow;

#define FUSE_MAX_CONNS 8
#define FUSE_MAX_FLOWS 12
#define FUSE_MAX_LBS 2
#define FUSE_MAX_METERS 4
#define FUSE_MAX_TUNNELS 2

/* A flow that a packet met, with the version of the flow's actions, and by how
 * much the packet was longer then than when it came. */
struct fuse_flow_use {
    struct dp_netdev_flow *flow;
    int32_t size_delta;
    uint32_t version;
};

/* A group that chose a bucket.  If 'sticky', 'token' is the bucket that the
 * flow is bound to. */
struct fuse_lb_use {
    uint32_t id;
    uint32_t version;
    uint32_t sticky;
    uint32_t token;
};

/* A tunnel port that took headers off or put them on. */
struct fuse_tunnel_use {
    uint32_t port;
    uint32_t kind;               /* An enum fuse_tunnel. */
    uint64_t version;
};

/* A meter that a packet met, and by how much the packet was longer then than
 * when it came. */
struct fuse_meter_use {
    uint32_t id;
    int32_t size_delta;
};

/* A chain depends on these.  No padding, for memcmp(). */
struct fuse_uses {
    uint16_t n_flows;
    uint16_t n_meters;
    uint16_t n_lbs;
    uint16_t n_tunnels;
    struct fuse_tunnel_use tunnels[FUSE_MAX_TUNNELS];
    struct fuse_flow_use flows[FUSE_MAX_FLOWS];
    struct fuse_lb_use lbs[FUSE_MAX_LBS];
    struct fuse_meter_use meters[FUSE_MAX_METERS];
};

/* The record of a packet: see fuse-record.c. */
struct fuse_record {
    struct fuse_uses uses;
    enum fuse_reason reason;     /* FUSE_LEARNED as long as all is well. */
    long long int now;           /* In ms. */
    uint32_t size;
    uint32_t n_outputs;
    odp_port_t out_port;
    uint32_t n_conns;            /* Of ct actions executed. */
    struct conn *conns[FUSE_MAX_CONNS];
    struct conntrack *ct;
    int timeouts[FUSE_MAX_CONNS];
    bool replies[FUSE_MAX_CONNS]; /* The packet is in reply direction. */
    bool updating_reply;
    struct conn *expiring;       /* Whose expiration was set, and to what. */
    int expiring_timeout;
    uint64_t sticky_flow;
    enum fuse_tunnel popped;
    uint32_t n_pops;
    uint32_t n_outer_flows;      /* Before the tunnel's headers went. */
    uint64_t tunnel_version;     /* Of all ports, when the packet came. */

    struct fuse_sample sample;
    uint16_t l2_5_ofs, l3_ofs, l4_ofs;
    uint32_t priority;
    uint32_t rss;
    bool rss_valid;
    uint8_t offloads;            /* COMPAT_OL_*, when the packet came. */
    uint8_t before[FUSE_SAMPLE_SIZE];
    uint8_t after[FUSE_SAMPLE_SIZE + FUSE_MAX_KEY];
};

#endif /* fuse-uses.h */
