/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FUSE_H
#define FUSE_H 1

/* The fused flow cache, internals
 * ===============================
 *
 * See Documentation/internals/cache.md for the whole.  lib/fuse/ finds and
 * rewrites; here is what ties it to Open vSwitch's data path:
 *
 *    fuse-input.c   packets from a port: hits, misses, what to learn
 *    fuse-record.c  what a packet met on its way
 *    fuse-learn.c   from that to an entry, or to a reason why not
 *    fuse-path.c    paths: what flows depend on, and their statistics
 *    fuse-conn.c    connections
 *    fuse-tcp.c     TCP sequence numbers
 *    fuse-lb.c      groups
 *    fuse-tunnel.c  tunnel ports
 *    fuse-refresh.c keeping alive what entries of flows with packets stand for
 *    fuse-flush.c   removing all entries
 *    fuse-run.c     what is due from time to time
 *    fuse-thread.c  a thread's cache, configuration
 *    fuse-memory.c  memory for it
 *    fuse-show.c    commands
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
 * The owner itself inserts and removes entries and paths when it learns, in
 * the midst of a batch.  So what is needed of an entry is copied before. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "datapath-dpdk/fuse/fuse-hooks.h"
#include "dp-packet.h"
#include "lib/fuse/fuse-replay.h"
#include "openvswitch/hmap.h"
#include "openvswitch/list.h"
#include "ovs-thread.h"

struct dp_netdev_flow;
struct dp_netdev_pmd_thread;
struct ds;

/* Why a flow is not learned, besides lib/'s reasons: FUSE_WHY(NAME, transient,
 * text).  A transient reason may be gone for the next packet. */
#define FUSE_WHYS                                                           \
    FUSE_WHY(UPCALL, true, "upcall")                                        \
    FUSE_WHY(FLOW_GONE, true, "a flow on the way is being deleted")         \
    FUSE_WHY(TCP_FLAGS, false, "a flow matches TCP flags")                  \
    FUSE_WHY(ACTION, false, "action that the cache does not know")          \
    FUSE_WHY(OUTPUTS, false, "more than one output")                        \
    FUSE_WHY(INCOMPLETE, true, "the packet did not come to its end")        \
    FUSE_WHY(TOO_LONG, false, "too many flows on the way")                  \
    FUSE_WHY(PACKET_TYPE, false, "no Ethernet packet goes out")             \
    FUSE_WHY(OFFLOAD, false, "offload flags")                               \
    FUSE_WHY(TUNNEL_PORT, true, "new tunnel port")                          \
    FUSE_WHY(TUNNEL_KIND, false, "tunnel of another kind")                  \
    FUSE_WHY(CT_ACTION, false, "ct action that the cache does not know")    \
    FUSE_WHY(CT_STATE, true, "connection not established")                  \
    FUSE_WHY(CT_ALG, false, "connection with a helper")                     \
    FUSE_WHY(CT_CHANGED, true, "ct_mark or ct_label changed")               \
    FUSE_WHY(CT_BUSY, true, "connection has too many entries")              \
    FUSE_WHY(CT_TCP, true, "connections differ in direction or scale")     \
    FUSE_WHY(LB_FIELDS, false, "group hashes what is not in the key")       \
    FUSE_WHY(OWNERS, false, "too many connections and sticky groups")       \
    FUSE_WHY(PATHS, false, "too many paths")                                 \
    FUSE_WHY(FULL, true, "no room for an entry")

enum fuse_why {
    FUSE_LEARNED,
#define FUSE_WHY(NAME, TRANSIENT, TEXT) FUSE_WHY_##NAME,
    FUSE_WHYS
#undef FUSE_WHY
    FUSE_N_WHYS
};

#define FUSE_MAX_FLOWS 12
#define FUSE_MAX_CONNS 8
#define FUSE_MAX_LBS 2
#define FUSE_MAX_TUNNELS 2
#define FUSE_MAX_PATHS 65536     /* Besides as many that are dead. */
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
    FUSE_C_SKIPS,                /* One for each enum fuse_skip... */
    FUSE_C_SKIP_OFFLOAD = FUSE_C_SKIPS + FUSE_N_SKIPS,
    FUSE_C_WHYS,                 /* ...enum fuse_why... */
    FUSE_C_REFUSALS = FUSE_C_WHYS + FUSE_N_WHYS, /* ...and refusal. */
    FUSE_N_COUNTERS = FUSE_C_REFUSALS + FUSE_N_REFUSALS
};

/* A flow that a packet met, how large the packet was then, compared with how
 * it came, and which version of the flow's actions it met. */
struct fuse_flow_use {
    struct dp_netdev_flow *flow;
    int32_t size_delta;
    uint32_t version;
};

/* A group that chose a bucket.  The token of what the flow is bound to, if
 * 'sticky'. */
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

/* What a path depends on.  No padding, for memcmp(). */
struct fuse_uses {
    uint32_t n_flows;
    uint16_t n_lbs;
    uint16_t n_tunnels;
    struct fuse_tunnel_use tunnels[FUSE_MAX_TUNNELS];
    struct fuse_flow_use flows[FUSE_MAX_FLOWS];
    struct fuse_lb_use lbs[FUSE_MAX_LBS];
};

/* Program with the number of paths that run it; a free place if there is
 * none. */
struct fuse_dp_program {
    struct fuse_program up;
    uint32_t hash;
    uint32_t n_paths;
};

/* Path with what it depends on.  If its packets are dropped, 'up.out_port' is
 * not a port but the reason, an enum xlate_error, or FUSE_NO_REASON if the
 * last flow has no action. */
#define FUSE_NO_REASON UINT32_MAX
struct fuse_dp_path {
    struct fuse_path up;
    struct hmap_node node;       /* In 'paths' of the thread. */
    uint64_t tcp_flows;          /* Bitmap of flows that see TCP flags. */
    struct fuse_uses uses;
    uint64_t credited;           /* Packets, ever. */
};

struct fuse_record {
    struct fuse_uses uses;
    enum fuse_why why;           /* FUSE_LEARNED as long as all is well. */
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
    uint16_t l2_pad_size, l2_5_ofs, l3_ofs, l4_ofs;
    uint32_t priority;
    uint32_t rss;
    bool rss_valid;
    uint8_t offloads;            /* COMPAT_OL_*, when the packet came. */
    uint8_t before[FUSE_SAMPLE_SIZE];
    uint8_t after[FUSE_SAMPLE_SIZE + FUSE_MAX_KEY];
};

/* What a thread knows of the work that packets from a port make: a note for
 * each port, which ports far apart share. */
#define FUSE_N_PORT_NOTES 256
enum fuse_port_note {
    FUSE_PORT_UNKNOWN,
    FUSE_PORT_SIMPLE,            /* Flows were met that only output or drop. */
    FUSE_PORT_WORK,              /* Some flow did more. */
};

/* So many packets, at least, are looked at before a port is given up for a
 * while. */
#define FUSE_MIN_FUTILE 4096

/* An end of a tunnel: the tunnel port, and indexes in struct fuse_tunnels. */
#define FUSE_MAX_TUNNEL_ENDS 64
struct fuse_tunnel_end {
    struct fuse_tunnel_use use;
    uint16_t udp_port;
    uint16_t endpoint;
    uint8_t kind;                /* An enum fuse_tunnel. */
};

/* Entries to be refreshed.  What that takes is far from the processor: a first
 * turn fetches connections, the next refreshes them.  A packet queues its
 * entry only if it came so soon, in ms, after the entry should have been
 * refreshed that what the entry stands for cannot have expired. */
#define FUSE_QUEUE 128
#define FUSE_LATE_MS 250
#define FUSE_QUEUED_MS 50        /* Until it is queued again. */

struct fuse_queue {
    uint32_t n;
    uint32_t n_fetched;          /* The first ones. */
    struct fuse_entry *entries[FUSE_QUEUE]; /* Null: removed meanwhile. */
    long long int times[FUSE_QUEUE]; /* Of the packets, in ms. */
};

/* How long the thread did, at a time, what is due from time to time: below
 * 1 us, 2, 4... and all that took longer. */
#define FUSE_N_TIMES 12

/* A thread's cache. */
struct fuse_thread {
    struct fuse_replay replay;   /* First: found from it. */
    struct dp_netdev_pmd_thread *pmd;
    struct ovs_mutex mutex;
    struct ovs_list node;        /* In the list of all threads. */
    bool busy;                   /* Inside of fuse_input__(). */
    struct fuse_memory *memory;  /* Of what follows, and of 'replay'. */
    struct hmap paths;
    struct hmap_position path_position; /* See has_room() in fuse-path.c. */
    uint32_t max_paths, n_dead_paths;
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
    bool dumping;
    struct hmap_position dump_position;
    long long int last_sweep;
    uint32_t refusals_in_a_row;
    uint32_t random;
    odp_port_t *closed_ports;    /* Opt-outs, as of 'config_version'. */
    size_t n_closed_ports;
    uint8_t port_notes[FUSE_N_PORT_NOTES]; /* Of enum fuse_port_note. */
    uint32_t futile[FUSE_N_PORT_NOTES]; /* Packets looked at in vain. */
    uint32_t futile_limit;
    uint32_t n_left_alone;       /* Batches. */
    struct fuse_queue queue;
    _Atomic(struct fuse_request *) request;
    struct fuse_request *answering; /* What 'request' was. */
    _Atomic(uint64_t) times[FUSE_N_TIMES]; /* As 'counters'. */
    _Atomic(uint64_t) counters[FUSE_N_COUNTERS];
    struct fuse_record record;
};

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

/* fuse-thread.c */
extern fuse_output_func *fuse_output;
struct fuse_thread *fuse_thread_get(struct dp_netdev_pmd_thread *);
bool fuse_port_is_closed(const struct fuse_thread *, odp_port_t);

/* fuse-memory.c */

/* What a cache needs besides its table.  Zeros at first. */
struct fuse_parts {
    struct fuse_dp_program programs[FUSE_MAX_PROGRAMS];
    struct fuse_path *dirty[2 * FUSE_MAX_PATHS];
    struct fuse_tunnels tunnels;
};

void fuse_memory_init(void);
struct fuse_memory *fuse_memory_create(uint32_t max_entries, int numa_id,
                                       bool alone);
bool fuse_memory_attach(struct fuse_thread *,
                        void (*removed_cb)(struct fuse_entry *, void *t));
void fuse_memory_follow(struct fuse_memory *);
void fuse_memory_destroy(struct fuse_memory *);
void fuse_memory_show(const struct fuse_memory *, struct ds *);

/* fuse-flush.c */
bool fuse_thread_flush(struct fuse_thread *);
bool fuse_thread_close(struct fuse_thread *);

/* fuse-refresh.c */
bool fuse_attend(struct fuse_replay *, struct fuse_entry *);
void fuse_refresh_run(struct fuse_thread *);
void fuse_refresh_forget(struct fuse_thread *, const struct fuse_entry *);

/* fuse-show.c */
void fuse_show_init(const char *implementation);

/* Does a command's work for a thread.  Called again, when the thread has seen
 * to its packets, until it returns true. */
typedef bool fuse_request_func(struct fuse_thread *, struct ds *);
struct fuse_request {
    fuse_request_func *func;
    struct ds *reply;
    atomic_bool done;
};

void fuse_for_each_thread(fuse_request_func *, struct ds *);

/* fuse-record.c */
void fuse_record_start(struct fuse_record *, const struct fuse_batch *,
                       uint32_t i, const struct dp_packet *,
                       long long int now);
void fuse_record_choice(uint32_t id, uint32_t version, bool sticky,
                        uint64_t flow, bool pure);
enum fuse_why fuse_record_owners(const struct fuse_record *,
                                 uint64_t owners[2], uint8_t *kinds,
                                 uint8_t *replies);

/* fuse-learn.c */
enum fuse_why fuse_learn(struct fuse_thread *, const struct fuse_batch *,
                         uint32_t i);
const char *fuse_why_text(enum fuse_why);
bool fuse_why_is_transient(enum fuse_why);
const char *fuse_refusal_text(enum fuse_refusal);

/* fuse-path.c */
uint64_t fuse_epoch(const struct dp_netdev_pmd_thread *);
struct fuse_dp_path *fuse_path_get(struct fuse_thread *,
                                   const struct fuse_uses *,
                                   const struct fuse_program *,
                                   const uint8_t *image, odp_port_t out_port);
bool fuse_path_check(struct fuse_thread *, struct fuse_dp_path *);
void fuse_path_unref(struct fuse_thread *, struct fuse_dp_path *);
void fuse_paths_credit(struct fuse_thread *, uint32_t n);

/* fuse-tunnel.c */
uint64_t fuse_tunnel_version(void);
bool fuse_tunnel_is_same(const struct fuse_tunnel_use *);
bool fuse_tunnels_add(struct fuse_record *, enum fuse_tunnel pushed,
                      odp_port_t push_port);
bool fuse_tunnel_learn(struct fuse_thread *, uint32_t l3, bool ipv6);
void fuse_tunnels_follow(struct fuse_thread *);

/* fuse-conn.c */
bool fuse_conn_is_usable(const struct conn *, int timeout, long long int now);
bool fuse_conn_link(struct conn *, struct fuse_entry *, int owner,
                    struct fuse_tcp *, bool more);
void fuse_conn_unlink(struct conn *, struct fuse_entry *, int owner);
void fuse_conn_prefetch(const struct conn *);
uint32_t fuse_conn_refresh(struct conntrack *, struct conn *, int timeout,
                           long long int now);

/* fuse-tcp.c */
void fuse_tcp_sync(struct conn *);
bool fuse_tcp_take(struct conn *, struct fuse_tcp *, int owner, bool more);
bool fuse_tcp_resync(struct fuse_replay *, struct fuse_entry *);

/* Part of a connection's link to an entry: number of the owner. */
#define FUSE_OWNER_MASK ((uintptr_t) 1)

/* Flags in an entry's 'dead'. */
#define FUSE_DEAD_OWNER(I) (1 << (I))
#define FUSE_DEAD_ELSE 0x80

static inline void
fuse_kill_entry(struct fuse_entry *entry)
{
    atomic_fetch_or(&entry->dead, FUSE_DEAD_ELSE);
}

/* What each of an entry's owners is: a nibble of 'user' of its "struct
 * fuse_info", 0 if there is none, 1 plus an enum ct_timeout for a
 * connection. */
#define FUSE_OWNER_STICKY 15

static inline int
fuse_owner_kind(const struct fuse_info *info, int owner)
{
    return info->user >> 4 * owner & 0xf;
}

#endif /* fuse.h */
