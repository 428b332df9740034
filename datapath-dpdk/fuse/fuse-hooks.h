/* SPDX-License-Identifier: Apache-2.0 */

#ifndef FUSE_HOOKS_H
#define FUSE_HOOKS_H 1

/* What the hooks of the fused flow cache call
 * ===========================================
 *
 * The semantic patches in fuse.cocci insert calls of these functions into Open
 * vSwitch's lib/. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "openvswitch/compiler.h"
#include "openvswitch/types.h"

struct conn;
struct conntrack;
struct dp_netdev_flow;
struct dp_netdev_pmd_thread;
struct dp_packet;
struct dp_packet_batch;
struct flow;
struct netdev;
struct nlattr;
struct ovs_key_ct_labels;
struct ovsrec_interface;
struct smap;

/* The fused flow cache; see datapath-dpdk/fuse/fuse.h.
 *
 * A hook adds this to "struct conn": the entries that depend on the
 * connection, and whether it is gone; see fuse-conn.c. */
#define FUSE_CONN_ENTRIES 4
struct fuse_tcp;
struct fuse_conn {
    uintptr_t entries[FUSE_CONN_ENTRIES]; /* Guarded by its lock... */
    struct fuse_tcp *tcps[FUSE_CONN_ENTRIES]; /* ...as this... */
    uint32_t merged[FUSE_CONN_ENTRIES]; /* ...and this: see fuse-conn-tcp.c. */
    atomic_bool gone;
    atomic_bool linked;          /* It has, or had, an entry. */
    bool answered;               /* Guarded by its lock. */
};

typedef bool fuse_output_func(struct dp_netdev_pmd_thread *,
                              struct dp_packet_batch *, bool should_steal,
                              odp_port_t);

/* True if the cache is on, or was on when some thread last looked. */
extern atomic_bool fuse_active;

void fuse_init(fuse_output_func *);

/* Takes a batch that came from a port through the ordinary path.  A hook adds
 * it.  PMD thread, or main thread with 'non_pmd_mutex'. */
void fuse_ordinary_input(struct dp_netdev_pmd_thread *,
                         struct dp_packet_batch *, odp_port_t in_port);

/* Executes 'action', a meter, for 'batch': packets that exceed it are freed,
 * the others stay in their order.  A hook adds it.  PMD thread, or main thread
 * with 'non_pmd_mutex'. */
void fuse_execute_meter(struct dp_netdev_pmd_thread *,
                        struct dp_packet_batch *,
                        const struct nlattr *action);

/* Follows 'other_config' of the Open_vSwitch table.  Main thread. */
void fuse_set_config(const struct smap *other_config);

/* Follows 'config', other_config of the interface 'name', which is port
 * 'number' of the datapath 'dp'.  Main thread. */
void fuse_port_set_config(const void *dp, odp_port_t number, const char *name,
                          const struct smap *config);

/* Adds what is wrong with keys of ours in other_config of 'iface' to its
 * column "error".  Main thread, in a transaction. */
void fuse_port_report_errors(const struct ovsrec_interface *iface);

/* PMD thread, or main thread with 'non_pmd_mutex'. */
bool fuse_input__(struct dp_netdev_pmd_thread *, struct dp_packet_batch *,
                  odp_port_t in_port);
void fuse_run__(struct dp_netdev_pmd_thread *);
void fuse_thread_destroy(struct dp_netdev_pmd_thread *);

/* Any thread. */
void fuse_flow_changed(struct dp_netdev_pmd_thread *, struct dp_netdev_flow *);
void fuse_port_gone(odp_port_t);
void fuse_vport_changed(const struct netdev *);
void fuse_conn_gone(struct conn *);
void fuse_conn_update(struct conn *, const struct dp_packet *, bool reply);
void fuse_conn_set_mark(const struct dp_packet *, struct conn *,
                        uint32_t value, uint32_t mask);
void fuse_conn_set_label(const struct dp_packet *, struct conn *,
                         const struct ovs_key_ct_labels *value,
                         const struct ovs_key_ct_labels *mask);

/* What the connection tracker knows of the two peers of a TCP connection: a
 * hook adds the function, which reads or, if 'store', writes it.  Its body is
 * here.  The names are those of lib/conntrack-tcp.c. */
struct fuse_tcp_peer;
void fuse_tcp_peers(struct conn *, struct fuse_tcp_peer *peers, bool store);

#define FUSE_TCP_PEERS(PEER, PEERS, STORE)                                  \
    do {                                                                    \
        uint8_t both = (PEER)[0].wscale & (PEER)[1].wscale;                 \
                                                                            \
        for (int i = 0; i < 2; i++) {                                       \
            if (STORE) {                                                    \
                (PEER)[i].seqlo = (PEERS)[i].seqlo;                         \
                (PEER)[i].seqhi = (PEERS)[i].seqhi;                         \
                (PEER)[i].max_win = (PEERS)[i].max_win;                     \
            } else {                                                        \
                (PEERS)[i].seqlo = (PEER)[i].seqlo;                         \
                (PEERS)[i].seqhi = (PEER)[i].seqhi;                         \
                (PEERS)[i].max_win = (PEER)[i].max_win;                     \
                (PEERS)[i].wscale                                           \
                    = (both & CT_WSCALE_FLAG                                \
                       ? (PEER)[i].wscale & CT_WSCALE_MASK                  \
                       : both & CT_WSCALE_UNKNOWN ? TCP_MAX_WSCALE : 0);    \
            }                                                               \
        }                                                                   \
    } while (0)

/* Takes the packets with a known outcome from 'batch', which was just received
 * on 'in_port'.  Returns true if no packet is left. */
static inline bool
fuse_input(struct dp_netdev_pmd_thread *pmd, struct dp_packet_batch *batch,
           odp_port_t in_port)
{
    return (OVS_UNLIKELY(atomic_load_explicit(&fuse_active,
                                              memory_order_relaxed))
            && fuse_input__(pmd, batch, in_port));
}

/* Does the periodic work of the cache. */
static inline void
fuse_run(struct dp_netdev_pmd_thread *pmd)
{
    if (OVS_UNLIKELY(atomic_load_explicit(&fuse_active,
                                          memory_order_relaxed))) {
        fuse_run__(pmd);
    }
}

/* The record of a packet that is being learned, while it takes the ordinary
 * path alone; see fuse-record.c. */
struct fuse_record;
extern __thread struct fuse_record *fuse_record_current;

void fuse_record_flow__(struct dp_netdev_flow *,
                        const struct dp_packet_batch *);
void fuse_record_meter__(const struct dp_packet_batch *, uint32_t id);
void fuse_record_output__(const struct dp_packet_batch *, odp_port_t);
void fuse_record_upcall__(void);
void fuse_record_pop__(const struct netdev *);
void fuse_record_conn__(struct conn *, const struct dp_packet *);
void fuse_record_expiration__(struct conntrack *, struct conn *, int timeout);
void fuse_record_lb__(const struct dp_packet_batch *, const struct nlattr *);
void fuse_record_token__(const struct dp_packet_batch *);

#define FUSE_RECORD(CALL)                       \
    do {                                        \
        if (OVS_UNLIKELY(fuse_record_current)) { \
            CALL;                               \
        }                                       \
    } while (0)

static inline void
fuse_record_flow(struct dp_netdev_flow *flow,
                 const struct dp_packet_batch *batch)
{
    FUSE_RECORD(fuse_record_flow__(flow, batch));
}

static inline void
fuse_record_meter(const struct dp_packet_batch *batch, uint32_t id)
{
    FUSE_RECORD(fuse_record_meter__(batch, id));
}

static inline void
fuse_record_output(const struct dp_packet_batch *batch, odp_port_t port)
{
    FUSE_RECORD(fuse_record_output__(batch, port));
}

static inline void
fuse_record_upcall(void)
{
    FUSE_RECORD(fuse_record_upcall__());
}

static inline void
fuse_record_pop(const struct netdev *netdev)
{
    FUSE_RECORD(fuse_record_pop__(netdev));
}

static inline void
fuse_record_lb(const struct dp_packet_batch *batch, const struct nlattr *a)
{
    FUSE_RECORD(fuse_record_lb__(batch, a));
}

static inline void
fuse_record_token(const struct dp_packet_batch *batch)
{
    FUSE_RECORD(fuse_record_token__(batch));
}

static inline void
fuse_record_conn(struct conn *conn, const struct dp_packet *packet)
{
    FUSE_RECORD(fuse_record_conn__(conn, packet));
}

static inline void
fuse_record_expiration(struct conntrack *ct, struct conn *conn, int timeout)
{
    FUSE_RECORD(fuse_record_expiration__(ct, conn, timeout));
}

#endif /* fuse-hooks.h */
