/* SPDX-License-Identifier: Apache-2.0 */

#ifndef LB_GTPU_H
#define LB_GTPU_H 1

#include <stddef.h>
#include <stdint.h>

#include "lib/lb/lb-registry.h"
#include "lib/lb/lb-table.h"

struct dp_packet;

/* GTP-U in transit, as load balancing sees it
 * ===========================================
 *
 * Looks into a packet that this switch does not decapsulate, but sends on to
 * one of several user plane functions (UPFs) behind one address.
 *
 * Packets are spread by:
 *
 *    - A G-PDU: by its TEID (LB_INPUT_TEID), or by the IPv4 or IPv6 packet
 *      inside (LB_INPUT_INNER).  Where nothing inside can be hashed, because
 *      it is empty, cut short, neither IPv4 nor IPv6, or the extension headers
 *      cannot be read: by its TEID.
 *
 *    - End Marker and Tunnel Status, which have the TEID of a tunnel and
 *      nothing inside: by the TEID, for both.
 *
 *    - Any other message, such as Echo: by the two outer addresses.  These
 *      messages have TEID 0 and are about the path between the two.
 *
 *    - A packet that is not UDP to port 2152, or has no whole GTP-U header of
 *      version 1 there: as any other packet.  So are all fragments of an outer
 *      packet, because the later ones have no header to look into, and all
 *      must reach the same UPF.
 *
 * Thread-safety: any thread.
 *
 * Attack model: every octet is the sender's choice.  Nothing is read past the
 * end that the shortest of all lengths says, and the chain of extension
 * headers is bounded; see lib/gtpu/gtpu.h. */

struct lb_gtpu {
    enum lb_hashed hashed;       /* What of the packet is to be hashed: */
    uint32_t teid;               /* LB_HASHED_TEID: this, */
    const uint8_t *inner;        /* LB_HASHED_INNER: the packet here,... */
    size_t inner_len;            /* ...of so many octets, */
    uint8_t inner_version;       /* ...which is IPv4 or IPv6: 4 or 6. */
};

struct lb_gtpu lb_gtpu_find(struct dp_packet *, enum lb_input);

#endif /* lb-gtpu.h */
