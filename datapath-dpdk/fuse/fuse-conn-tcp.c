/* SPDX-License-Identifier: Apache-2.0 */

/* TCP connections of the fused flow cache
 * =======================================
 *
 * Entries of a TCP connection follow sequence numbers as the connection
 * tracker does: see lib/fuse/fuse-tcp.h.  Here they compare notes.
 *
 *    - Before the tracker judges a packet of the connection, and before an
 *      entry is removed, what the connection's entries have followed is merged
 *      into what the tracker knows.  So RST, FIN, SYN and all else that takes
 *      the ordinary path is judged as if every packet had taken it.
 *
 *    - A packet that is not valid by what its entry knows, or the first one
 *      after the tracker has judged another, makes the entry take from the
 *      tracker what that knows by now.
 *
 * Both happen under the connection's lock, as do linking and unlinking an
 * entry: so an entry that is linked is not taken for another flow then. */

#include <config.h>
#include "datapath-dpdk/fuse/fuse-conn-tcp.h"

#include "conntrack-private.h"
#include "conntrack-tp.h"
#include "conntrack.h"
#include "datapath-dpdk/fuse/fuse-owner.h"
#include "datapath-dpdk/fuse/fuse.h"
#include "lib/fuse/fuse-tcp.h"

/* Merges what the entries of 'conn' have followed since the last time into
 * what the tracker knows.  Any thread, not quiescent. */
void
fuse_tcp_sync(struct conn *conn)
    OVS_REQUIRES(conn->lock)
{
    struct fuse_tcp_peer peers[2];
    bool any = false;

    for (int i = 0; i < FUSE_CONN_ENTRIES; i++) {
        uintptr_t link = conn->fuse.entries[i];
        const struct fuse_tcp *tcp = conn->fuse.tcps[i];

        if (!link || !tcp
            || conn->fuse.merged[i] == atomic_load_explicit(
                                           &tcp->n, memory_order_relaxed)) {
            /* An unchanged number must not be merged again: after 2^31 octets
             * it would seem to be ahead. */
            continue;
        }
        if (!any) {
            fuse_tcp_peers(conn, peers, false);
            any = true;
        }

        int src = tcp->replies >> (link & FUSE_OWNER_MASK) & 1;

        conn->fuse.merged[i] = fuse_tcp_merge(tcp, &peers[src], &peers[!src]);
    }
    if (any) {
        fuse_tcp_peers(conn, peers, true);
    }
}

/* The tracker judges a packet of 'conn', and so moves on.  Any thread, not
 * quiescent. */
void
fuse_tcp_outdate(struct conn *conn)
    OVS_REQUIRES(conn->lock)
{
    for (int i = 0; i < FUSE_CONN_ENTRIES; i++) {
        if (conn->fuse.entries[i] && conn->fuse.tcps[i]) {
            atomic_store_explicit(&conn->fuse.tcps[i]->outdated, true,
                                  memory_order_relaxed);
        }
    }
}

/* Copies the tracker's state of 'conn', owner number 'owner' of the entry,
 * into 'tcp'.  If 'more', 'tcp' has the state of another owner already; then
 * returns false if the two scale their windows differently.  Owner of the
 * table. */
bool
fuse_tcp_take(struct conn *conn, struct fuse_tcp *tcp, int owner, bool more)
    OVS_REQUIRES(conn->lock)
{
    int src = tcp->replies >> owner & 1;
    struct fuse_tcp_peer peers[2];

    fuse_tcp_sync(conn);
    fuse_tcp_peers(conn, peers, false);
    if (more && peers[src].wscale != tcp->wscale) {
        return false;
    }
    fuse_tcp_copy(tcp, &peers[src], &peers[!src], more);
    return true;
}

/* Implements 'resync' of struct fuse_replay. */
bool
fuse_tcp_resync(struct fuse_replay *replay, struct fuse_entry *entry)
{
    const struct fuse_thread *t = fuse_thread_of(replay);
    const struct fuse_cold *cold = fuse_entry_cold(replay->table, entry);
    struct fuse_tcp *tcp = fuse_entry_tcp(replay->table, entry);
    struct conn *conns[2];
    int owners[2], n = 0;

    for (int owner = 0; owner < 2; owner++) {
        uint8_t dead = atomic_load_explicit(&entry->dead,
                                            memory_order_acquire);

        if (fuse_owner_kind(cold, owner) == 1 + CT_TM_TCP_ESTABLISHED
            && !(dead & FUSE_DEAD_OWNER(owner))) {
            owners[n] = owner;
            conns[n++] = cold->owners[owner];
        }
    }
    if (n == 2) {
        /* Before the numbers of the first connection replace what was
         * followed. */
        ovs_mutex_lock(&conns[1]->lock);
        fuse_tcp_sync(conns[1]);
        ovs_mutex_unlock(&conns[1]->lock);
    }
    for (int i = 0; i < n; i++) {
        ovs_mutex_lock(&conns[i]->lock);
        fuse_tcp_take(conns[i], tcp, owners[i], i > 0);
        ovs_mutex_unlock(&conns[i]->lock);
    }
    return !conntrack_get_tcp_seq_chk(t->ct);
}
