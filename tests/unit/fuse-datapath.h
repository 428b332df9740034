/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FUSE_DATAPATH_H
#define FUSE_DATAPATH_H 1

/* A datapath for tests of the fused flow cache
 * ============================================
 *
 * It is of type "dummy" and in this process; this thread polls it.  Port "in"
 * receives the batches that a test makes.  Port "out" keeps what was sent,
 * with the metadata that a network device can read.  A function takes the
 * place of ofproto: it answers upcalls with the actions of set_way().  One
 * megaflow takes all of IP, so that stock keeps the order of packets.
 *
 * Thread-safety: for one thread. */

#include <stdbool.h>
#include <stdint.h>

#include "datapath-dpdk/fuse/fuse.h"
#include "dp-packet.h"

struct dpif;
struct ofpbuf;

/* What was sent. */
#define MAX_SENT 64
struct sent {
    uint16_t id;                 /* Of IPv4: see put_packet(). */
    uint32_t priority;           /* skb_priority. */
};

extern struct dpif *dpif;
extern odp_port_t input_port, out_port;
extern struct dp_packet_batch received; /* To be received. */
extern struct sent sent[MAX_SENT];
extern uint32_t n_sent;
extern void (*on_upcall)(void);  /* Called within each upcall. */
extern uint32_t n_upcalls;
extern bool many_megaflows;      /* One for each flow. */

/* For cmocka: set-up and end of the group, set-up of a test. */
int datapath_start(void **state);
int datapath_stop(void **state);
int setup(void **state);

void set_fuse(const char *value);
void set_entries(const char *entries);
void set_way(uint32_t priority, bool rewrite);
void set_way_ct(uint16_t zone);
void set_way_meters(const uint32_t *ids, uint32_t n);

enum kind {
    PLAIN,
    TTL,                         /* Another key, but the same flow. */
    ALL_ONES,                    /* A UDP checksum that hits do not have. */
    FRAGMENT,                    /* The first. */
    LATER_FRAGMENT,
    N_KINDS,
    REPLY = N_KINDS              /* In the other direction. */
};

struct dp_packet *make_packet(unsigned int flow, uint16_t seq, enum kind);
void put_packet(unsigned int flow, uint16_t seq, enum kind);
void run(void);
void execute(struct dp_packet *, const struct ofpbuf *actions);

uint64_t count_of(int counter);
void flush(void);

#endif /* fuse-datapath.h */
