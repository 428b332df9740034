/* SPDX-License-Identifier: Apache-2.0 */

#ifndef GTPU_PEER_H
#define GTPU_PEER_H 1

/* The peers that tunnels are configured to
 * ========================================
 *
 * Several ports may have the same peer.  Each call of gtpu_peer_add() needs
 * one of gtpu_peer_remove().  Both are for one thread at a time.
 * gtpu_peer_is_known() is for any thread. */

#include <stdbool.h>

struct in6_addr;

void gtpu_peer_add(const struct in6_addr *);
void gtpu_peer_remove(const struct in6_addr *);
bool gtpu_peer_is_known(const struct in6_addr *);

#endif /* gtpu-peer.h */
