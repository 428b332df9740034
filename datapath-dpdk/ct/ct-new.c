/* SPDX-License-Identifier: Apache-2.0 */

/* New packets that are not committed
 * ==================================
 *
 * The first packet of a connection meets the connection tracker twice in most
 * pipelines, the first time only to learn that it is new.  For that, Open
 * vSwitch's tracker takes a lock, looks for expected connections of helpers,
 * takes the lock of all connections, looks the packet up again, and makes no
 * connection.  None of it is needed: a change that another thread makes
 * meanwhile could as well have come after the packet. */

#include <config.h>
#include "datapath-dpdk/ct/ct-hooks.h"

#include "conntrack.h"
#include "conntrack-private.h"
#include "dp-packet.h"
#include "packets.h"

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
    /* Without the lock: an expectation that is being made now could as well
     * come after this packet. */
    if (commit || conn || __atomic_load_n(&ct->alg_expectations.n,
                                          __ATOMIC_RELAXED)) {
        return false;
    }
    packet->md.ct_state = valid_new(packet, key) ? CS_NEW : CS_INVALID;
    return true;
}
