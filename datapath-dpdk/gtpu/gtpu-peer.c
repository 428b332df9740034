/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-dpdk/gtpu/gtpu-peer.h"

#include <netinet/in.h>

#include "cmap.h"
#include "hash.h"
#include "ovs-rcu.h"
#include "packets.h"
#include "util.h"

struct peer {
    struct cmap_node node;      /* In 'peers'. */
    struct in6_addr address;
    unsigned int n;             /* Ports. */
};

static struct cmap peers = CMAP_INITIALIZER;

static uint32_t
hash_address(const struct in6_addr *address)
{
    return hash_bytes(address, sizeof *address, 0);
}

static struct peer *
find_peer(const struct in6_addr *address)
{
    struct peer *peer;

    CMAP_FOR_EACH_WITH_HASH (peer, node, hash_address(address), &peers) {
        if (ipv6_addr_equals(&peer->address, address)) {
            return peer;
        }
    }
    return NULL;
}

void
gtpu_peer_add(const struct in6_addr *address)
{
    struct peer *peer = find_peer(address);

    if (!peer) {
        peer = xzalloc(sizeof *peer);
        peer->address = *address;
        cmap_insert(&peers, &peer->node, hash_address(address));
    }
    peer->n++;
}

void
gtpu_peer_remove(const struct in6_addr *address)
{
    struct peer *peer = find_peer(address);

    if (peer && !--peer->n) {
        cmap_remove(&peers, &peer->node, hash_address(address));
        ovsrcu_postpone(free, peer);
    }
}

bool
gtpu_peer_is_known(const struct in6_addr *address)
{
    return find_peer(address) != NULL;
}
