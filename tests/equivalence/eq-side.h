/* SPDX-License-Identifier: Apache-2.0 */

#ifndef EQ_SIDE_H
#define EQ_SIDE_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "openvswitch/types.h"
#include "tests/equivalence/eq-case.h"
#include "tests/equivalence/eq-device.h"
#include "tests/equivalence/eq-translate.h"

struct dp_packet;
struct dpif;

/* A side of a comparison
 * ======================
 *
 * A datapath of type "dummy" in this process, polled by this thread.  Its
 * devices receive batches and keep what is sent: octets and metadata.  One
 * side may use the cache, the other may not.
 *
 * Thread-safety: for one thread. */

/* A megaflow of a side.  'id' is the same on both sides. */
struct eq_megaflow {
    uint64_t id;
    uint64_t group;              /* Of those that may overlap. */
    ovs_u128 ufid;
    struct flow flow, mask;
    uint64_t actions;            /* Hash. */
    uint64_t packets, octets;    /* That came here, which it does not count. */
    uint16_t tcp_flags;          /* Of them. */
};

#define EQ_MAX_MEGAFLOWS 1024

/* What deleted megaflows of a group had counted. */
struct eq_deleted {
    uint64_t group;
    uint64_t packets, octets;
    uint16_t tcp_flags;
    long long int used;
};

#define EQ_N_DROPS 9

struct eq_side {
    struct eq_wire wire;
    bool plain;                  /* Without the cache. */
    struct dpif *dpif;
    struct eq_pipeline pipeline;
    uint32_t group_ids[EQ_N_GROUPS];
    bool gone[EQ_N_TUNNELS];     /* Tunnel ports. */
    struct eq_megaflow megaflows[EQ_MAX_MEGAFLOWS];
    uint32_t n_megaflows;
    struct eq_deleted deleted[EQ_MAX_MEGAFLOWS];
    uint32_t n_deleted;
    uint64_t n_upcalls;
    uint64_t drops[EQ_N_DROPS];  /* By eq_drop_names. */
};

extern const char *const eq_drop_names[EQ_N_DROPS];

/* To be called once. */
void eq_side_start(struct eq_side *, char name);

/* Begins case 'c' with nothing of earlier ones.  The leaves and groups of 'c'
 * may change later.  eq_set_fuse() turns the cache on or off for all sides. */
void eq_side_reset(struct eq_side *, const struct eq_case *c);
void eq_set_fuse(bool on);
void eq_set_exact_match(struct eq_side *, bool on);

/* Processes 'n' packets, which it frees, from 'port', one by one or as one
 * batch.  Returns true if there were upcalls. */
bool eq_side_input(struct eq_side *, uint32_t port, struct dp_packet **,
                   uint32_t n, bool one_by_one);

/* Changes. */
void eq_side_set_group(struct eq_side *, uint32_t i, const struct eq_group *);
void eq_side_revalidate(struct eq_side *);
void eq_side_delete_flow(struct eq_side *, uint16_t which);
void eq_side_flush_flows(struct eq_side *);
void eq_side_flush_ct(struct eq_side *, uint16_t zone);
void eq_side_flap_port(struct eq_side *, uint32_t which);
void eq_side_toggle_tunnel(struct eq_side *, uint32_t which);
void eq_flush_cache(void);

/* Lets the caches credit all statistics. */
void eq_settle(struct eq_side *, struct eq_side *);

/* Compares statistics, connections and drops.  Prints the first difference if
 * 'verbose'. */
bool eq_sides_agree(struct eq_side *, struct eq_side *, bool verbose);

/* Returns true if two connections share a name: then their places in a table
 * decide which one a packet meets. */
bool eq_side_has_twins(const struct eq_side *);

/* Returns how many packets have hit the cache. */
uint64_t eq_n_hits(void);

/* Prints the counters of the cache. */
void eq_print_counters(void);

/* Simulated time, for the whole process. */
void eq_clock_advance(uint32_t ms);
double eq_clock_real(void);      /* In s. */

#endif /* eq-side.h */
