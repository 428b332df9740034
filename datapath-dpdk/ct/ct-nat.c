/* SPDX-License-Identifier: Apache-2.0 */

/* NAT where Open vSwitch's connection tracker does it wrong
 * =========================================================
 *
 * Connections that are not yet answered
 * -------------------------------------
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
 * of a client, after it was committed, and waits for the second.
 *
 * ICMPv6 errors
 * -------------
 *
 * In an ICMPv6 error about a connection, the addresses of both IP headers are
 * translated.  For the outer one, Open vSwitch updated a checksum as if a
 * header of the connection's protocol followed.  The checksum of TCP would be
 * where the source address of the inner header is, so that came out wrong.
 *
 * One address and port
 * --------------------
 *
 * Open vSwitch chooses an address and a port of the range that the action
 * gives by a hash of the connection's key.  A bucket of a Service gives one
 * address and one port, for which no hash is needed. */

#include <config.h>
#include "datapath-dpdk/ct/ct-hooks.h"

#include "conntrack.h"
#include "conntrack-private.h"
#include "packets.h"

/* Returns true if 'nat', of the action that is executed, translates a packet
 * with 'ct_state' of a connection that is known.  Any thread. */
bool
ct_nat_applies(uint16_t ct_state, const struct nat_action_info_t *nat)
{
    return !(ct_state & CS_NEW) || nat->nat_action;
}

/* Translates the outer header of 'packet', an ICMPv6 error, as 'nat_action'
 * says: the source becomes the destination of 'key', or the destination its
 * source.  Leaves the checksum to whoever translates the inner header.
 * Any thread. */
void
ct_nat_icmp6_outer(struct dp_packet *packet, const struct conn_key *key,
                   uint16_t nat_action)
{
    struct ovs_16aligned_ip6_hdr *ip6 = dp_packet_l3(packet);

    if (nat_action & NAT_ACTION_SRC) {
        packet_set_ipv6_addr(packet, IPPROTO_ICMPV6, ip6->ip6_src.be32,
                             &key->dst.addr.ipv6, false);
    } else if (nat_action & NAT_ACTION_DST) {
        packet_set_ipv6_addr(packet, IPPROTO_ICMPV6, ip6->ip6_dst.be32,
                             &key->src.addr.ipv6, false);
    }
}

/* Returns true if 'nat' leaves no choice of addresses and ports.  Any
 * thread. */
bool
ct_nat_is_fixed(const struct nat_action_info_t *nat)
{
    return nat->min_port == nat->max_port
           && !memcmp(&nat->min_addr, &nat->max_addr, sizeof nat->min_addr);
}
