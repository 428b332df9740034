/* SPDX-License-Identifier: Apache-2.0 */

/* NAT of connections that are not yet answered
 * ============================================
 *
 * ct(nat), without an address, is for packets of established connections.  As
 * long as a connection has not been answered, its packets are "+new", and the
 * kernel's datapath translates them only where they are committed, by
 * ct(commit,nat(dst=...)): the second packet takes the way of the first.  Open
 * vSwitch's userspace connection tracker translated the second one already at
 * ct(nat), so that it came to the pipeline as a new connection to the backend,
 * not to the VIP.
 *
 * OVN needs the kernel's way: with affinity_timeout, it drops the first packet
 * of a client, after it was committed, and waits for the second. */

#include <config.h>
#include "datapath-dpdk/datapath-hooks.h"

#include "conntrack.h"
#include "packets.h"

/* Returns true if 'nat', of the action that is executed, translates a packet
 * with 'ct_state' of a connection that is known.  Any thread. */
bool
ct_nat_applies(uint16_t ct_state, const struct nat_action_info_t *nat)
{
    return !(ct_state & CS_NEW) || nat->nat_action;
}
