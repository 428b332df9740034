/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FUSE_H
#define FUSE_H 1

/* The fused flow cache, internals
 * ===============================
 *
 * See Documentation/internals/cache.md for the whole.  lib/fuse/ finds and
 * rewrites; here is what ties it to Open vSwitch's data path:
 *
 *    fuse-init.c      start
 *    fuse-input.c     packets from a port: hits, misses, what to learn
 *    fuse-record.c    what a packet met on its way
 *    fuse-learn.c     from that to an entry, or to a reason why not
 *    fuse-reason.c    those reasons, as text
 *    fuse-chain.c     chains: what flows depend on, and their statistics
 *    fuse-conn.c      connections
 *    fuse-conn-tcp.c  TCP sequence numbers
 *    fuse-lb.c        groups
 *    fuse-meter.c     meters
 *    fuse-tunnel.c    tunnel ports
 *    fuse-refresh.c   keeping alive what entries of flows with packets stand
 *                     for
 *    fuse-trial.c     how soon flows are learned
 *    fuse-cycles.c    the clock for what packets cost
 *    fuse-flush.c     removing all entries
 *    fuse-run.c       what is due from time to time
 *    fuse-thread.c    a thread's cache, configuration
 *    fuse-memory.c    memory for it
 *    fuse-show.c      commands
 *
 * Each has a header with its functions.  What a packet met is in fuse-uses.h,
 * what an entry belongs to in fuse-owner.h, and what all of them work on, a
 * thread's cache, here.
 *
 * Thread-safety: a "struct fuse_thread" belongs to its PMD thread, or to the
 * main thread with 'non_pmd_mutex'.  'mutex' is there for commands, which run
 * in the main thread, and is taken by the owner for each batch only if it is
 * not a PMD thread; a PMD thread answers commands itself.
 *
 * Re-entry: a batch's misses take the ordinary path inside of fuse_input__().
 * That path may call the control path, which executes actions and flushes
 * output, or changes the configuration.  So fuse_input__() sets 'busy', and
 * until it returns nobody may use the cache or free any of it:
 *
 *    - The owner comes back through fuse_input__() or fuse_run__().  Both ask
 *      fuse_thread_get(), which takes no mutex and returns null.  The next
 *      call that is not inside of another one follows the configuration.
 *
 *    - Other threads that execute actions share the cache of the main thread,
 *      but wait for 'non_pmd_mutex'.
 *
 *    - Commands wait for 'mutex'.  A PMD thread answers them in fuse_run__(),
 *      once it is not busy.  Until then the command holds 'config_mutex',
 *      which the owner only tries to take.
 *
 *    - fuse_thread_destroy() comes after the thread's last packet.
 *
 *    - A change of a megaflow, a tunnel port or a connection only writes
 *      atomic variables of the thing itself, an epoch, or 'dead' of an entry.
 *
 * The owner itself inserts and removes entries and chains when it learns, in
 * the midst of a batch.  So what is needed of an entry is copied before. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "datapath-dpdk/fuse/fuse-reason.h"
#include "datapath-dpdk/fuse/fuse-uses.h"
#include "lib/fuse/fuse-gain.h"
#include "lib/fuse/fuse-pace.h"
#include "lib/fuse/fuse-pool.h"
#include "lib/fuse/fuse-replay.h"
#include "openvswitch/list.h"
#include "ovs-thread.h"
#include "util.h"

struct dp_netdev_pmd_thread;

/* A cache has room for as many live chains as entries, within these limits,
 * and for as many that are dead. */
#define FUSE_MIN_CHAINS 1024
#define FUSE_MAX_CHAINS 524288
#define FUSE_MAX_PROGRAMS 1024

/* Counters; written by the owner alone, read by all. */
enum fuse_counter {
    FUSE_C_HITS,
    FUSE_C_MISSES,               /* Of packets that have a shape. */
    FUSE_C_DECLINED,
    FUSE_C_STALE,
    FUSE_C_LEARNED,
    FUSE_C_SIMPLE,               /* See leaves_alone()... */
    FUSE_C_FUTILE,               /* ...in fuse-input.c. */
    FUSE_C_ASIDE,                /* See lib/fuse/fuse-gain.h. */
    FUSE_C_SKIPS,                /* One for each enum fuse_skip... */
    FUSE_C_SKIP_OFFLOAD = FUSE_C_SKIPS + FUSE_N_SKIPS,
    FUSE_C_REASONS,                 /* ...enum fuse_reason... */
    FUSE_C_REFUSALS = FUSE_C_REASONS + FUSE_N_REASONS, /* ...and refusal. */
    FUSE_N_COUNTERS = FUSE_C_REFUSALS + FUSE_N_REFUSALS
};

/* Program with the number of chains that run it; a free place if there is
 * none. */
struct fuse_dp_program {
    struct fuse_program up;
    uint32_t hash;
    uint32_t n_chains;
};

/* Chain with what it depends on.  If its packets are dropped, 'up.out_port' is
 * not a port but the reason, an enum xlate_error, or FUSE_NO_DROP_REASON if
 * the last flow has no action. */
#define FUSE_NO_DROP_REASON UINT32_MAX
struct fuse_dp_chain {
    struct fuse_chain up;
    uint64_t tcp_flows;          /* Bitmap of flows that see TCP flags. */
    struct fuse_uses uses;
    uint64_t credited;           /* Packets, ever. */
};

/* How much work packets from a port are. */
enum fuse_port_work {
    FUSE_PORT_UNKNOWN,
    FUSE_PORT_SIMPLE,            /* Flows were met that only output or drop. */
    FUSE_PORT_WORK,              /* Some flow did more. */
};

/* What a thread knows of the packets from a port.  Ports with numbers far
 * apart share this. */
#define FUSE_N_PORTS 256
struct fuse_port {
    uint32_t number;             /* Of the last one. */
    uint32_t futile;             /* Packets looked at in vain. */
    enum fuse_port_work work;
    struct fuse_gain gain;
    struct fuse_pace pace;
    uint32_t n_batches;          /* Of 16 packets and more. */
};

/* So many packets in vain make the cache of no use to a port. */
#define FUSE_FUTILE_LIMIT 4096

/* A trial: see lib/fuse/fuse-pace.h.  An entry has its place by its number.
 * After FUSE_TRIAL_MS another entry may take the place, so that slow flows do
 * not keep others from being tried. */
#define FUSE_N_TRIALS 256
#define FUSE_TRIAL_MS 1000
struct fuse_trial {
    const struct fuse_entry *entry; /* Null if there is none. */
    uint32_t since;              /* In ms. */
    uint32_t hits;
};

/* An end of a tunnel: the tunnel port, and indexes in struct fuse_tunnels. */
#define FUSE_MAX_TUNNEL_ENDS 64
struct fuse_tunnel_end {
    struct fuse_tunnel_use use;
    uint16_t udp_port;
    uint16_t endpoint;
    uint8_t kind;                /* An enum fuse_tunnel. */
};

/* Entries to be refreshed.  Their connections are not in the processor's
 * cache: a first run prefetches them, the next one refreshes them.  A packet
 * later than FUSE_LATE_MS refreshes its entry at once: the connection may be
 * about to expire. */
#define FUSE_QUEUE 128
#define FUSE_LATE_MS 250
#define FUSE_QUEUED_MS 50        /* Until it is queued again. */

struct fuse_queue {
    uint32_t n;
    uint32_t n_fetched;          /* The first ones. */
    struct fuse_entry *entries[FUSE_QUEUE]; /* Null: removed meanwhile. */
    long long int times[FUSE_QUEUE]; /* Of the packets, in ms. */
};

/* Classes of the histogram of periodic work: below 1 us, 2 us, 4 us..., and
 * all that took longer. */
#define FUSE_N_TIMES 12

/* A thread's cache. */
struct fuse_thread {
    struct fuse_replay replay;   /* First: found from it. */
    struct dp_netdev_pmd_thread *pmd;
    struct ovs_mutex mutex;
    struct ovs_list node;        /* In the list of all threads. */
    bool busy;                   /* Inside of fuse_input__(). */
    struct fuse_memory *memory;  /* Of what follows, and of 'replay'. */
    struct fuse_pool *chains;    /* Of struct fuse_dp_chain. */
    uint32_t chain_position;     /* See has_room() in fuse-chain.c. */
    uint32_t max_chains, n_dead_chains;
    struct fuse_dp_program *programs; /* FUSE_MAX_PROGRAMS. */
    uint32_t n_programs;         /* In use. */
    struct fuse_tunnels *tunnels;
    struct fuse_tunnel_end ends[FUSE_MAX_TUNNEL_ENDS]; /* In 'tunnels'. */
    uint32_t n_ends;
    uint64_t tunnels_version;    /* Of what tunnel ports do, for 'ends'. */
    uint32_t config_version;
    uint32_t max_entries;
    struct conntrack *ct;
    long long int last_credit;   /* In us. */
    bool flushing;               /* See fuse_thread_flush(). */
    long long int last_sweep;
    uint32_t refusals_in_a_row;
    uint32_t learn_debt;         /* See LEARN_SHARE in fuse-input.c. */
    uint32_t random;
    odp_port_t *closed_ports;    /* Opt-outs, as of 'config_version'. */
    size_t n_closed_ports;
    struct fuse_port ports[FUSE_N_PORTS];
    bool measures;               /* Whether it measures what it gains. */
    struct fuse_trial trials[FUSE_N_TRIALS];
    uint32_t n_left_alone;       /* Batches. */
    uint32_t look_random;        /* See leaves_alone(). */
    struct fuse_queue queue;
    _Atomic(struct fuse_request *) request;
    struct fuse_request *answering; /* What 'request' was. */
    _Atomic(uint64_t) times[FUSE_N_TIMES]; /* As 'counters'. */
    _Atomic(uint64_t) counters[FUSE_N_COUNTERS];
    struct fuse_record record;
};

/* Returns the number of live chains that a cache of 'max_entries' has room
 * for. */
static inline uint32_t
fuse_max_chains(uint32_t max_entries)
{
    return MIN(MAX(max_entries, FUSE_MIN_CHAINS), FUSE_MAX_CHAINS);
}

static inline struct fuse_port *
fuse_port_of(struct fuse_thread *t, uint32_t number)
{
    return &t->ports[number % FUSE_N_PORTS];
}

/* Returns true if the cache is of no use to 'port': see fuse-port.c. */
static inline bool
fuse_port_is_futile(const struct fuse_port *port)
{
    return port->futile >= FUSE_FUTILE_LIMIT;
}

static inline struct fuse_thread *
fuse_thread_of(struct fuse_replay *replay)
{
    return CONTAINER_OF(replay, struct fuse_thread, replay);
}

static inline void
fuse_count(struct fuse_thread *t, int counter, uint64_t n)
{
    atomic_store_explicit(&t->counters[counter],
                          atomic_load_explicit(&t->counters[counter],
                                               memory_order_relaxed) + n,
                          memory_order_relaxed);
}

#endif /* fuse.h */
