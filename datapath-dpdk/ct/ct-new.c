/* SPDX-License-Identifier: Apache-2.0 */

/* New packets
 * ===========
 *
 * The first packet of a connection meets the connection tracker twice in most
 * pipelines, the first time only to learn that it is new.  For that, Open
 * vSwitch's tracker takes a lock, looks for expected connections of helpers,
 * takes the lock of all connections, looks the packet up again, and makes no
 * connection.  None of it is needed: a change that another thread makes
 * meanwhile could as well have come after the packet.
 *
 * The second time, the packet is committed.  Then the lock of all connections
 * is needed, but not that of the helpers' expectations if there are none. */

#include <config.h>
#include "datapath-dpdk/ct/ct-hooks.h"

#include "conntrack.h"
#include "conntrack-private.h"
#include "dp-packet.h"
#include "openvswitch/thread.h"
#include "packets.h"

/* Returns true if a helper of 'ct' expects a connection.  Takes no lock: an
 * expectation that is being made now could as well come after the packet that
 * is looked at.  Any thread. */
bool
ct_expects(const struct conntrack *ct)
{
    return __atomic_load_n(&ct->alg_expectations.n, __ATOMIC_RELAXED) != 0;
}

/* Initializes 'lock' of a connection, as ovs_mutex_init_adaptive() does, which
 * makes an object of attributes for each.  Any thread. */
void
ct_new_lock(struct ovs_mutex *lock)
{
    *lock = (struct ovs_mutex) OVS_ADAPTIVE_MUTEX_INITIALIZER;
}

/* 'packet' belongs to no connection.  Sets its ct_state and returns true if
 * nothing else remains to be done: it is not committed, it has not just ended
 * a connection ('conn' is null), and no helper expects a connection.
 * 'valid_new' says whether it can be the first packet of a connection with
 * 'key'.  Any thread. */
bool
ct_new_uncommitted(struct conntrack *ct, struct dp_packet *packet,
                   struct conn_key *key, const struct conn *conn, bool commit,
                   ct_valid_new_func *valid_new)
{
    if (commit || conn || ct_expects(ct)) {
        return false;
    }
    packet->md.ct_state = valid_new(packet, key) ? CS_NEW : CS_INVALID;
    return true;
}
