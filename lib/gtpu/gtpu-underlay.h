/* SPDX-License-Identifier: Apache-2.0 */

#ifndef GTPU_UNDERLAY_H
#define GTPU_UNDERLAY_H 1

/* The bridges that have the addresses of GTP-U tunnels
 * ====================================================
 *
 * The control path publishes them.  The data path sends answers through their
 * local ports and recognizes broadcast addresses by their subnets.
 *
 * Thread-safety: gtpu_underlay_set() is for the main thread.  It lets a grace
 * period pass before it frees the underlay that it has replaced.  All other
 * functions are for any thread and take no lock. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GTPU_BRIDGE_NAME_LEN 16

struct gtpu_bridge {
    char name[GTPU_BRIDGE_NAME_LEN]; /* With its null, padded with zeros. */
    uint32_t odp_port;          /* Its local port in the datapath. */
};

/* An IPv4 subnet of a bridge's address. */
struct gtpu_subnet {
    uint32_t address;           /* Host order, host bits 0. */
    uint32_t mask;
};

struct gtpu_underlay {
    size_t n_bridges;
    size_t n_subnets;
    const struct gtpu_subnet *subnets; /* In the same block of memory. */
    struct gtpu_bridge bridges[];
};

/* Returns an underlay for 'n_bridges' bridges and 'n_subnets' subnets, all
 * zeros, or null if there is no memory.  The caller frees it with free().
 * '*subnets' points to the subnets, for the caller to fill in. */
struct gtpu_underlay *gtpu_underlay_alloc(size_t n_bridges, size_t n_subnets,
                                          struct gtpu_subnet **subnets);

/* Returns true if 'a' and 'b' have the same content.  Each may be null. */
bool gtpu_underlay_equal(const struct gtpu_underlay *a,
                         const struct gtpu_underlay *b);

extern _Atomic(struct gtpu_underlay *) gtpu_underlay__;

/* Returns the underlay, or null if there is none yet.  It stays valid until
 * the calling thread next quiesces. */
static inline const struct gtpu_underlay *
gtpu_underlay_get(void)
{
    return atomic_load_explicit(&gtpu_underlay__, memory_order_acquire);
}

/* Publishes 'underlay', which may be null, and returns the one before, which
 * the caller frees. */
struct gtpu_underlay *gtpu_underlay_set(struct gtpu_underlay *);

/* Stores in '*odp_port' the local port of bridge 'name'.  Returns false if
 * there is no such bridge. */
bool gtpu_underlay_find(const struct gtpu_underlay *, const char *name,
                        uint32_t *odp_port);

/* Returns true if 'address', in host order, is the broadcast address or the
 * network address of a subnet. */
bool gtpu_underlay_is_broadcast(const struct gtpu_underlay *,
                                uint32_t address);

#endif /* gtpu-underlay.h */
