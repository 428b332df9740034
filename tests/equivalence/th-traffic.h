/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TH_TRAFFIC_H
#define TH_TRAFFIC_H 1

/* Shared by the makers and the checkers of packets. */

#include "tests/equivalence/th.h"

#define TH_BURST 32
#define TH_CONVS_OF_PORT 42      /* Three of each kind and protocol. */
#define TH_MAX_CONVS (TH_MAX_THREADS * TH_CONVS_OF_PORT)

/* The start of each packet's payload. */
#define TH_MAGIC 0x7e57f1e5
struct th_tag {
    uint32_t magic;
    uint16_t thread, index;      /* Index in the batch. */
    uint32_t batch;
    uint16_t conv, reply;
};

/* A direction of a conversation.  The thread that receives its packets writes
 * it, except 'acked'. */
struct th_flow {
    struct th_conv *conv;
    bool reply;
    uint32_t out;                /* Device by which packets leave. */
    uint32_t picked;             /* Batch that has packets of it... */
    bool answered;               /* ...and was received after a reply. */
    uint32_t upcall;             /* Batch with one that had no megaflow. */
    uint32_t last_batch, last_index; /* Of what was sent last. */
    bool closed;                 /* By RST; a SYN comes next. */
    atomic_uint next, acked;     /* TCP: sequence numbers. */
};

struct th_conv {
    enum th_kind kind;
    bool tcp;
    uint32_t client, server;     /* IPv4 addresses. */
    uint16_t client_port;
    atomic_uint target;          /* Source of replies; 0: no reply yet. */
    atomic_uint answered;        /* Flushes of connections when a reply left,
                                  * plus 1. */
    struct th_flow flows[2];     /* By 'reply'. */
};

/* The present batch of a PMD thread. */
struct th_packet {
    struct th_flow *flow;
    bool sent;
};
struct th_batch {
    uint32_t number;
    uint32_t n;
    uint32_t oldest[TH_N_KINDS]; /* Versions. */
    uint32_t flushes[TH_N_FLUSHES];
    struct th_packet packets[TH_BURST];
};
extern __thread struct th_batch th_batch;

/* Returns the flow that 'tag' names, or null. */
struct th_flow *th_flow_of(const struct th_tag *tag);

/* th-check.c */
void th_batch_begin(void);

/* Notes that the batch will have packets of the flow. */
void th_flow_pick(struct th_flow *);
void th_batch_end(void);

#endif /* th-traffic.h */
