/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TH_H
#define TH_H 1

/* The fused flow cache with real PMD threads
 * ==========================================
 *
 * A datapath of type "dummy" in this process, with the cache on, whose ports
 * are polled by PMD threads.  Port 'i' belongs to thread 'i'.  Conversations
 * go from each port to the next one and back, so the two directions are on
 * different threads.  Other threads flush, modify and replace meanwhile.
 *
 * A PMD thread handles one batch at a time.  The whole batch has left or is
 * dropped before the thread receives the next one.  So the thread itself
 * checks the packets that it sends against those it received, in a structure
 * of its own.
 *
 * Everything that a rewrite depends on has a version, which grows.  An address
 * of the packet carries the version that rewrote it.  'newest' is the latest
 * version that any packet may meet.  'oldest' is the first version that a
 * packet received now may meet.  This finds a packet that leaves by an outcome
 * that is over.
 *
 *     th-traffic.c   packets that devices receive
 *     th-check.c     the checks of packets that leave
 *     th-device.c    network devices
 *     th-pipeline.c  from a packet to actions; megaflows
 *     th-change.c    threads that change what the cache depends on
 *
 * All integers are in host byte order unless their type says otherwise. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "openvswitch/compiler.h"

struct dp_packet;
struct dp_packet_batch;
struct dpif;

#define TH_MAX_THREADS 4
#define TH_PORT(I) (1 + (I))     /* Datapath port of device 'I'. */

/* Kinds of treatment: TH_KIND(NAME, name). */
#define TH_KINDS                                                            \
    TH_KIND(PLAIN, "plain")      /* A new address. */                       \
    TH_KIND(ACL, "acl")          /* Likewise, or dropped: odd versions. */  \
    TH_KIND(CT, "ct")            /* Through the tracker. */                 \
    TH_KIND(NAT, "nat")          /* Translated by it. */                    \
    TH_KIND(LB, "lb")            /* A group chooses the address. */         \
    TH_KIND(STICKY, "sticky")    /* Likewise, and remembers. */             \
    TH_KIND(SERVICE, "service")  /* A group chooses the translation. */

enum th_kind {
#define TH_KIND(NAME, TEXT) TH_##NAME,
    TH_KINDS
#undef TH_KIND
    TH_N_KINDS
};

extern const char *const th_kind_names[TH_N_KINDS];

static inline bool
th_tracks(enum th_kind kind)
{
    return kind == TH_CT || kind == TH_NAT || kind == TH_SERVICE;
}

static inline bool
th_balances(enum th_kind kind)
{
    return kind == TH_LB || kind == TH_STICKY || kind == TH_SERVICE;
}

/* DSCP, which the pipeline matches: kind and direction. */
#define TH_TOS(KIND, REPLY) (((KIND) << 1 | (REPLY)) << 2)

/* Versions. */
struct th_version {
    atomic_uint oldest, newest;
};
extern struct th_version th_versions[TH_N_KINDS];

/* The address of 'version'.  Groups have TH_BUCKETS addresses for two
 * versions, so that a change of the table may keep the buckets. */
#define TH_BUCKETS 4
#define TH_ADDRESS(VERSION, BUCKET) \
    (UINT32_C(0x0a400000) + (VERSION) * TH_BUCKETS + (BUCKET))
#define TH_HAS_NO_BUCKET(VERSION) ((VERSION) % 16 == 8)
#define TH_TOKEN(VERSION, BUCKET) ((VERSION) * TH_BUCKETS + (BUCKET) + 1)

/* Counts of flushes, of megaflows and of connections.  Each grows by one
 * before and after a flush. */
enum th_flush { TH_MEGAFLOWS, TH_CONNECTIONS, TH_N_FLUSHES };
extern atomic_uint th_flushes[TH_N_FLUSHES];

/* All that was seen so far. */
struct th_totals {
    atomic_ullong received, sent, dropped;
    atomic_ullong by_kind[TH_N_KINDS]; /* Sent. */
    atomic_ullong upcalls;
    atomic_ullong in_order;      /* Pairs whose order was checked. */
};
extern struct th_totals th_totals;

extern atomic_bool th_receiving; /* Devices have packets. */
extern atomic_uint th_failures;
extern uint32_t th_n_threads;
extern struct dpif *th_dpif;

/* Reports a failure.  Any thread. */
void th_fail(const char *format, ...) OVS_PRINTF_FORMAT(1, 2);

/* th-traffic.c */
void th_traffic_init(uint64_t seed);

/* Fills 'batch' with packets for device 'i'.  Returns false if there are none.
 * PMD thread 'i'. */
bool th_receive(uint32_t i, struct dp_packet_batch *batch);

/* Returns true if device 'i' has received its last packet, and that has left.
 * Any thread. */
bool th_is_idle(uint32_t i);

/* th-check.c */

/* Checks 'packet', which leaves by device 'i'.  PMD thread. */
void th_check(uint32_t i, const struct dp_packet *packet);

/* 'packet' has no megaflow.  PMD thread. */
void th_note_upcall(const struct dp_packet *packet);

/* th-device.c */
#define TH_DEVICE_TYPE "th-device"
void th_device_register(void);

/* th-pipeline.c */
void th_pipeline_init(void);
uint32_t th_group_id(enum th_kind);

/* Makes all megaflows follow the present versions.  After that no packet meets
 * older ones, except in batches that are under way. */
void th_revalidate(void);

/* Deletes all megaflows if 'n' is 1, else a random one of 'n', or none while
 * they are modified.  'rng' is as for eq_random(). */
void th_delete_megaflows(uint64_t *rng, uint32_t n);

/* th-change.c: the threads stop when 'th_receiving' is false. */
void th_change_init(void);
void th_change_start(uint64_t seed);
void th_change_join(void);

#endif /* th.h */
