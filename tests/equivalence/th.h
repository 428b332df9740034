/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TH_H
#define TH_H 1

/* The fused flow cache with PMD threads that are real
 * ===================================================
 *
 * A datapath of type "dummy" in this process, with the cache on, whose ports
 * are polled by PMD threads.  Port 'i' belongs to thread 'i'.  Conversations
 * go from each port to the next one and back, so both directions of one are on
 * different threads.  Other threads flush, modify and replace meanwhile.
 *
 * A PMD thread handles one batch at a time, and all of the batch has left or
 * is dropped before it receives the next one.  So the thread itself checks
 * what it sends against what it received, in a structure of its own.
 *
 * All that a rewrite depends on has a version, which grows.  A packet carries
 * the version by which it was rewritten in an address.  'newest' is the latest
 * version that some packet may meet; 'oldest' the first one that a packet that
 * is received now may meet.  So a packet that leaves by an outcome that is
 * over is found.
 *
 * th-traffic.c   packets that devices receive
 * th-check.c     the checks of what leaves
 * th-device.c    network devices
 * th-pipeline.c  from a packet to actions; megaflows
 * th-change.c    threads that change what the cache depends on
 *
 * All integers are in host byte order if their type does not say else. */

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

/* What happens to packets: TH_KIND(NAME, name). */
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

/* The address of 'version'; groups have TH_BUCKETS addresses for two versions,
 * so that a change of the table may keep the buckets. */
#define TH_BUCKETS 4
#define TH_ADDRESS(VERSION, BUCKET) \
    (UINT32_C(0x0a400000) + (VERSION) * TH_BUCKETS + (BUCKET))
#define TH_HAS_NO_BUCKET(VERSION) ((VERSION) % 16 == 8)
#define TH_TOKEN(VERSION, BUCKET) ((VERSION) * TH_BUCKETS + (BUCKET) + 1)

/* Grow by one before and after flushes: of megaflows, of connections. */
enum th_flush { TH_MEGAFLOWS, TH_CONNECTIONS, TH_N_FLUSHES };
extern atomic_uint th_flushes[TH_N_FLUSHES];

/* All that was seen so far. */
struct th_totals {
    atomic_ullong received, sent, dropped;
    atomic_ullong by_kind[TH_N_KINDS]; /* Sent. */
    atomic_ullong upcalls;
    atomic_ullong in_order;      /* Pairs that order was asked of. */
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

/* Fills 'batch' with what device 'i' receives.  Returns false if there is
 * nothing.  PMD thread 'i'. */
bool th_receive(uint32_t i, struct dp_packet_batch *batch);

/* Returns true if device 'i' has received its last packet, which is gone.  Any
 * thread. */
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

/* Makes all megaflows follow the versions of now.  No packet meets older ones
 * once it returns, but for those of a batch that is handled just then. */
void th_revalidate(void);

/* Deletes all megaflows if 'n' is 1, else one of 'n', by chance, or none if
 * they are being modified.  'rng' is as for eq_random(). */
void th_delete_megaflows(uint64_t *rng, uint32_t n);

/* th-change.c: the threads stop when 'th_receiving' is false. */
void th_change_init(void);
void th_change_start(uint64_t seed);
void th_change_join(void);

#endif /* th.h */
