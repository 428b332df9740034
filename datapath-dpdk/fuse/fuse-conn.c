/* SPDX-License-Identifier: Apache-2.0 */

/* Connections of the fused flow cache
 * ===================================
 *
 * An entry whose packets belong to a connection holds a pointer to it, as one
 * of its owners, and the connection a pointer to the entry, with the number
 * of the owner in the lowest bits.
 *
 * A thread that removes a connection takes the pointers out of the connection
 * and sets the owner's bit in each entry: the entry is dead.  A thread that
 * removes an entry takes its pointer out of those connections whose bit is not
 * set.  So while the bit is not set, and the thread has not quiesced since it
 * looked, the connection is there.
 *
 * Both do so with the connection's lock.  So an entry that is linked is not
 * taken for another flow before the thread that has the lock is done with it.
 *
 * A change of what packets meet of a connection kills its entries, too, but
 * they stay linked until they are removed: another thread may be sending a
 * packet by one of them just then, and the tracker must learn of it.
 *
 * A connection is an owner while its packets change nothing of it but its
 * expiration, which an entry extends from time to time, and the window of TCP,
 * which it follows: see fuse-conn-tcp.c.  That is so:
 *
 *    - for TCP, when both sides are established;
 *
 *    - for others, after a reply;
 *
 *    - for UDP and the like, also from the second packet on as long as there
 *      is no reply.  Such packets are "+new", and the pipeline commits each of
 *      them again, which changes nothing.  The first reply kills the
 *      entries. */

#include <config.h>
#include "datapath-dpdk/fuse/fuse-conn.h"

#include <string.h>

#include "conntrack-private.h"
#include "conntrack-tp.h"
#include "conntrack.h"
#include "datapath-dpdk/compat/compat-conn.h"
#include "datapath-dpdk/fuse/fuse-conn-tcp.h"
#include "datapath-dpdk/fuse/fuse-hooks.h"
#include "datapath-dpdk/fuse/fuse-owner.h"
#include "datapath-dpdk/fuse/fuse-uses.h"
#include "dp-packet.h"
#include "packets.h"

/* An owner that is refreshed has at least this long to live: see
 * fuse-refresh.c. */
#define MIN_LIFE_MS 1000

/* Returns true if 'conn', whose expiration was last set by 'timeout', may be
 * an owner: at time 'now', in ms, it must have a second left and more. */
bool
fuse_conn_is_usable(const struct conn *conn, int timeout, long long int now)
{
    long long int expiration;

    atomic_read_relaxed(&CONST_CAST(struct conn *, conn)->expiration,
                        &expiration);
    return (!conn->alg && !conn->alg_related && !conn->seq_skew
            && compat_conn_is_whole(conn)
            && (timeout == CT_TM_TCP_ESTABLISHED
                || timeout == CT_TM_OTHER_MULTIPLE
                || timeout == CT_TM_OTHER_BIDIR
                || timeout == CT_TM_ICMP_REPLY)
            && expiration - now >= MIN_LIFE_MS
            && !atomic_load(&conn->fuse.gone));
}

static bool
link_entry(struct conn *conn, struct fuse_entry *entry, int owner,
           struct fuse_tcp *tcp)
    OVS_REQUIRES(conn->lock)
{
    for (int i = 0; i < FUSE_CONN_ENTRIES; i++) {
        if (!conn->fuse.entries[i]) {
            atomic_store(&conn->fuse.linked, true);
            if (atomic_load(&conn->fuse.gone)) {
                return false;
            }
            conn->fuse.entries[i] = (uintptr_t) entry | owner;
            conn->fuse.tcps[i] = tcp;
            conn->fuse.merged[i] = tcp ? tcp->n : 0;
            return true;
        }
    }
    return false;
}

/* Returns true if the next packet of 'conn' finds it in another state than the
 * one that 'timeout' is for. */
static bool
has_moved_on(const struct conn *conn, int timeout)
    OVS_REQUIRES(conn->lock)
{
    return timeout == CT_TM_OTHER_MULTIPLE && conn->fuse.answered;
}

/* Makes 'conn', whose expiration was last set by 'timeout', the owner number
 * 'owner' of 'entry', whose field for it is set already.  'tcp', if not null,
 * is what the entry follows of 'conn', and, if 'more', of another one.
 * Returns false if it cannot.  PMD thread. */
bool
fuse_conn_link(struct conn *conn, struct fuse_entry *entry, int owner,
               int timeout, struct fuse_tcp *tcp, bool more)
{
    bool ok;

    ovs_mutex_lock(&conn->lock);
    ok = (!has_moved_on(conn, timeout)
          && (!tcp || fuse_tcp_take(conn, tcp, owner, more))
          && link_entry(conn, entry, owner, tcp));
    ovs_mutex_unlock(&conn->lock);
    return ok;
}

/* Undoes fuse_conn_link(), and merges what the entry has followed into what
 * the tracker knows.  PMD thread. */
void
fuse_conn_unlink(struct conn *conn, struct fuse_entry *entry, int owner)
{
    ovs_mutex_lock(&conn->lock);
    fuse_tcp_sync(conn);
    for (int i = 0; i < FUSE_CONN_ENTRIES; i++) {
        if (conn->fuse.entries[i] == ((uintptr_t) entry | owner)) {
            conn->fuse.entries[i] = 0;
        }
    }
    ovs_mutex_unlock(&conn->lock);
}

/* Kills the entries of 'conn'.  Any thread, not quiescent. */
static void
kill_entries(struct conn *conn)
    OVS_REQUIRES(conn->lock)
{
    for (int i = 0; i < FUSE_CONN_ENTRIES; i++) {
        uintptr_t link = conn->fuse.entries[i];

        if (link) {
            fuse_kill_entry((void *) (link & ~FUSE_OWNER_MASK));
        }
    }
}

/* 'conn' is about to be removed, or to expire.  Any thread. */
void
fuse_conn_gone(struct conn *conn)
    OVS_EXCLUDED(conn->lock)
{
    atomic_store(&conn->fuse.gone, true);
    atomic_thread_fence(memory_order_seq_cst); /* See fuse_conn_refresh(). */
    if (!atomic_load(&conn->fuse.linked)) {
        /* A thread that is about to link an entry finds the connection
         * gone. */
        return;
    }
    ovs_mutex_lock(&conn->lock);
    for (int i = 0; i < FUSE_CONN_ENTRIES; i++) {
        uintptr_t link = conn->fuse.entries[i];

        if (link) {
            struct fuse_entry *entry = (void *) (link & ~FUSE_OWNER_MASK);

            conn->fuse.entries[i] = 0;
            atomic_fetch_or(&entry->dead,
                            FUSE_DEAD_OWNER(link & FUSE_OWNER_MASK));
        }
    }
    ovs_mutex_unlock(&conn->lock);
}

/* The tracker is about to judge 'packet', in the direction of replies if
 * 'reply', as one of 'conn'. */
void
fuse_conn_update(struct conn *conn, const struct dp_packet *packet, bool reply)
    OVS_REQUIRES(conn->lock)
{
    if (fuse_record_current) {
        fuse_record_current->updating_reply = reply;
    }
    if (reply && !conn->fuse.answered) {
        conn->fuse.answered = true;
        kill_entries(conn);
    }
    if (atomic_load_explicit(&conn->fuse.linked, memory_order_relaxed)
        && compat_conn_proto(conn) == IPPROTO_TCP) {
        const struct tcp_header *tcp = dp_packet_l4(packet);

        fuse_tcp_sync(conn);
        fuse_tcp_outdate(conn);
        if (TCP_FLAGS(tcp->tcp_ctl) & (TCP_SYN | TCP_FIN | TCP_RST)) {
            kill_entries(conn);
        }
    }
}

/* ct_mark of 'conn' is set for 'packet'. */
void
fuse_conn_set_mark(const struct dp_packet *packet, struct conn *conn,
                   uint32_t value, uint32_t mask)
{
    if (conn->mark != (value | (packet->md.ct_mark & ~mask))) {
        kill_entries(conn);
        if (fuse_record_current) {
            fuse_record_current->reason = FUSE_REASON_CT_CHANGED;
        }
    }
}

/* ct_label of 'conn' is set for 'packet'. */
void
fuse_conn_set_label(const struct dp_packet *packet, struct conn *conn,
                    const struct ovs_key_ct_labels *value,
                    const struct ovs_key_ct_labels *mask)
{
    ovs_u128 v, m;

    memcpy(&v, value, sizeof v);
    memcpy(&m, mask, sizeof m);
    if (conn->label.u64.lo != (v.u64.lo
                               | (packet->md.ct_label.u64.lo & ~m.u64.lo))
        || conn->label.u64.hi != (v.u64.hi
                                  | (packet->md.ct_label.u64.hi
                                     & ~m.u64.hi))) {
        kill_entries(conn);
        if (fuse_record_current) {
            fuse_record_current->reason = FUSE_REASON_CT_CHANGED;
        }
    }
}

/* Fetches what fuse_conn_refresh() needs of 'conn', which may be gone. */
void
fuse_conn_prefetch(const struct conn *conn)
{
    OVS_PREFETCH_WRITE(&conn->lock);
    OVS_PREFETCH_WRITE(&conn->expiration);
    OVS_PREFETCH(&conn->fuse);
}

/* Extends the life of 'conn' by its 'timeout', at time 'now' in ms.  Returns
 * in how many ms to do so again, which leaves a second or more before 'conn'
 * expires.  Returns 0 if 'conn' has expired, has a timeout of less than a
 * second, or has another timeout by now. */
uint32_t
fuse_conn_refresh(struct conntrack *ct, struct conn *conn, int timeout,
                  long long int now)
{
    long long int expiration, interval;

    atomic_read_relaxed(&conn->expiration, &expiration);
    if (now >= expiration) {
        return 0;
    }

    ovs_mutex_lock(&conn->lock);
    if (has_moved_on(conn, timeout)) {
        ovs_mutex_unlock(&conn->lock);
        return 0;
    }
    conn_update_expiration(ct, conn, timeout, now);
    atomic_read_relaxed(&conn->expiration, &expiration);
    interval = (expiration - now) / 32;
    interval = MIN(interval, FUSE_REFRESH_MS);
    /* The next refresh may be that late. */
    atomic_store_relaxed(&conn->expiration, expiration + interval);
    ovs_mutex_unlock(&conn->lock);

    /* A connection that was removed meanwhile must not come back to life.  The
     * thread that removes it first calls fuse_conn_gone() and then sets the
     * expiration.  So either it is found gone here, or that thread sets the
     * expiration last. */
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load(&conn->fuse.gone)) {
        atomic_store_relaxed(&conn->expiration, 0);
        return 0;
    }
    return expiration - now < MIN_LIFE_MS ? 0 : interval;
}
