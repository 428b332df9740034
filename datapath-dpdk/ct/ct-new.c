/* SPDX-License-Identifier: Apache-2.0 */

/* New packets that are not committed
 * ==================================
 *
 * The first packet of a connection meets the connection tracker twice in most
 * pipelines: the first time only to learn that it is new.  For that, Open
 * vSwitch's tracker takes a lock, looks for what helpers expect, takes the
 * lock of all connections, looks the packet up again, and makes no connection.
 * None of it is needed: what another thread does meanwhile might have come
 * after the packet as well. */

#include <config.h>
#include "datapath-dpdk/ct/ct-hooks.h"

#include "conntrack.h"
#include "conntrack-private.h"
#include "dp-packet.h"
#include "packets.h"

/* Sets ct_state of 'packet', which belongs to no connection, and returns true,
 * if that is all there is to do: it is not to be committed, 'conn' is null,
 * for no connection has just ended by it, and no helper expects anything.
 * 'valid_new' says whether it can be the first packet of a connection with
 * 'key'.  Any thread. */
bool
ct_new_uncommitted(struct conntrack *ct, struct dp_packet *packet,
                   struct conn_key *key, const struct conn *conn, bool commit,
                   ct_valid_new_func *valid_new)
{
    /* Without the lock: an expectation that is being made now may be of the
     * time after this packet. */
    if (commit || conn || __atomic_load_n(&ct->alg_expectations.n,
                                          __ATOMIC_RELAXED)) {
        return false;
    }
    packet->md.ct_state = valid_new(packet, key) ? CS_NEW : CS_INVALID;
    return true;
}
