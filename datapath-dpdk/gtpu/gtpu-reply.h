/* SPDX-License-Identifier: Apache-2.0 */

#ifndef GTPU_REPLY_H
#define GTPU_REPLY_H 1

/* Turns a received packet into the switch's answer.  PMD thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datapath-dpdk/gtpu/gtpu-drop.h"
#include "lib/gtpu/gtpu-answer.h"
#include "openvswitch/types.h"

struct dp_packet;
struct in6_addr;

/* Turns 'packet', which holds a GTP-U message behind outer headers of IPv6 if
 * 'is_ipv6' or IPv4, into an answer to its sender: the GTP-U message 'answer'
 * of 'len' octets, from port 2152 to port 'dst_port'.  The underlay bridge
 * then treats the packet as sent by its own local port.
 *
 * Only a sender with the address of one other host gets an answer.
 *
 * Returns GTPU_DROP_NONE, or the reason why there is no answer, with 'packet'
 * as it was. */
enum gtpu_drop gtpu_reply(struct dp_packet *packet, bool is_ipv6,
                          enum gtpu_answer kind, const uint8_t *answer,
                          size_t len, ovs_be16 dst_port);

/* Takes a token for an answer of 'kind' to 'peer'.  Returns GTPU_DROP_NONE, or
 * the limit that is exceeded. */
enum gtpu_drop gtpu_check_limit(const struct in6_addr *peer,
                                enum gtpu_answer kind);

/* Makes room for 'size' octets in 'packet'.  Returns false if its buffer is of
 * a kind that cannot grow. */
bool gtpu_make_room(struct dp_packet *packet, size_t size);

#endif /* gtpu-reply.h */
