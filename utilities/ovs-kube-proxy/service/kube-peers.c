/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "kube-peers.h"

#include <stdlib.h>
#include <string.h>

#include "util.h"
#include "utilities/kube/kube-node.h"

/* Returns an empty set of Nodes, one of which will be called 'our_node', which
 * may be null, for the caller to destroy. */
struct kube_peers *
kube_peers_create(const char *our_node)
{
    struct kube_peers *peers = xzalloc(sizeof *peers);

    shash_init(&peers->nodes);
    peers->our_node = nullable_xstrdup(our_node);
    return peers;
}

static void
delete(struct kube_peers *peers, struct shash_node *n)
{
    struct kube_peer *peer = n->data;

    peers->generation++;
    kube_node_destroy(peer->node);
    free(peer);
    shash_delete(&peers->nodes, n);
}

/* Frees 'peers', which may be null. */
void
kube_peers_destroy(struct kube_peers *peers)
{
    if (peers) {
        struct shash_node *n;

        SHASH_FOR_EACH_SAFE (n, &peers->nodes) {
            delete(peers, n);
        }
        shash_destroy(&peers->nodes);
        free(peers->our_node);
        free(peers);
    }
}

/* Adds a copy of 'node', as of the list 'list', in place of the one with its
 * name.  Returns true if it was another one. */
bool
kube_peers_put(struct kube_peers *peers, const struct kube_node *node,
               unsigned int list)
{
    struct kube_peer *peer = shash_find_data(&peers->nodes, node->name);

    if (!peer) {
        peer = xzalloc(sizeof *peer);
        shash_add(&peers->nodes, node->name, peer);
    }
    peer->list = list;
    if (kube_node_equal(peer->node, node)) {
        return false;
    }
    kube_node_destroy(peer->node);
    peer->node = kube_node_clone(node);
    peers->generation++;
    return true;
}

/* Deletes the Node 'name'.  Returns true if there was one. */
bool
kube_peers_delete(struct kube_peers *peers, const char *name)
{
    struct shash_node *n = shash_find(&peers->nodes, name);

    if (n) {
        delete(peers, n);
    }
    return n != NULL;
}

/* Deletes the Nodes that are not in the list 'list', but for ours: it lives as
 * long as this program.  Returns true if there were any. */
bool
kube_peers_list_end(struct kube_peers *peers, unsigned int list)
{
    uint64_t generation = peers->generation;
    struct shash_node *n;

    SHASH_FOR_EACH_SAFE (n, &peers->nodes) {
        const struct kube_peer *peer = n->data;

        if (peer->list != list
            && !nullable_string_is_equal(n->name, peers->our_node)) {
            delete(peers, n);
        }
    }
    return peers->generation != generation;
}

/* Returns the Node 'name', or null if it is not known.  It belongs to
 * 'peers' until Nodes change. */
const struct kube_node *
kube_peers_find(const struct kube_peers *peers, const char *name)
{
    const struct kube_peer *peer = shash_find_data(&peers->nodes, name);

    return peer ? peer->node : NULL;
}

/* Stores in '*addr' the address by which packets are handed over to the Node
 * 'name'.  Returns false if there is none. */
bool
kube_peers_end(const struct kube_peers *peers, const char *name,
               struct in6_addr *addr)
{
    const struct kube_node *node = kube_peers_find(peers, name);
    const struct kube_node *ours
        = peers->our_node ? kube_peers_find(peers, peers->our_node) : NULL;

    return node && ours && kube_node_tunnel_end(ours, node, addr);
}
