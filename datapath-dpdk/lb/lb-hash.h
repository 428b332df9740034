/* SPDX-License-Identifier: Apache-2.0 */

#ifndef LB_HASH_H
#define LB_HASH_H 1

#include <stdint.h>

#include "lib/lb/lb-registry.h"

struct dp_packet;
struct lb_table;

/* Hash of a packet for load balancing
 * ===================================
 *
 * Hashes the fields that a load-balancing table names, under its key.  All
 * packets of one flow get the same hash, on whichever thread and port they
 * arrive.  The hash that a NIC may have computed is not used: it depends on
 * the port, and on a key that senders can know.
 *
 * By default that is the 5-tuple: addresses, protocol, and the ports of TCP,
 * UDP, UDP-Lite, SCTP and DCCP.  Fragments are hashed without ports, so that
 * all fragments of a datagram meet the same bucket.  What is not IP is hashed
 * by its Ethernet addresses and type.
 *
 * A table that looks into GTP-U hashes the TEID, like a table with the field
 * tun_id where the tunnel ends at this switch, or the packet inside, as if it
 * were outside; see lb-gtpu.h.
 *
 * Attack model: the key is secret, so no sender can aim at a bucket. */

uint64_t lb_hash_packet(const struct lb_table *, struct dp_packet *);
void lb_hash_burst(const struct lb_table *, struct dp_packet **packets,
                   size_t n, uint64_t *hashes);
uint64_t lb_hash_explain(const struct lb_table *, struct dp_packet *,
                         enum lb_hashed *);

#endif /* lb-hash.h */
