/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/gtpu/gtpu-underlay.h"

#include <stdlib.h>
#include <string.h>

_Atomic(struct gtpu_underlay *) gtpu_underlay__;

struct gtpu_underlay *
gtpu_underlay_alloc(size_t n_bridges, size_t n_subnets,
                    struct gtpu_subnet **subnets)
{
    size_t size = (sizeof(struct gtpu_underlay)
                   + n_bridges * sizeof(struct gtpu_bridge));
    struct gtpu_underlay *underlay;

    underlay = calloc(1, size + n_subnets * sizeof **subnets);
    if (underlay) {
        *subnets = (struct gtpu_subnet *) ((char *) underlay + size);
        underlay->n_bridges = n_bridges;
        underlay->n_subnets = n_subnets;
        underlay->subnets = *subnets;
    }
    return underlay;
}

bool
gtpu_underlay_equal(const struct gtpu_underlay *a,
                    const struct gtpu_underlay *b)
{
    return (a == b
            || (a && b && a->n_bridges == b->n_bridges
                && a->n_subnets == b->n_subnets
                && !memcmp(a->bridges, b->bridges,
                           a->n_bridges * sizeof *a->bridges)
                && !memcmp(a->subnets, b->subnets,
                           a->n_subnets * sizeof *a->subnets)));
}

struct gtpu_underlay *
gtpu_underlay_set(struct gtpu_underlay *underlay)
{
    return atomic_exchange_explicit(&gtpu_underlay__, underlay,
                                    memory_order_acq_rel);
}

bool
gtpu_underlay_find(const struct gtpu_underlay *underlay, const char *name,
                   uint32_t *odp_port)
{
    for (size_t i = 0; underlay && i < underlay->n_bridges; i++) {
        const struct gtpu_bridge *bridge = &underlay->bridges[i];

        if (!strncmp(bridge->name, name, GTPU_BRIDGE_NAME_LEN)) {
            *odp_port = bridge->odp_port;
            return true;
        }
    }
    return false;
}

bool
gtpu_underlay_is_broadcast(const struct gtpu_underlay *underlay,
                           uint32_t address)
{
    for (size_t i = 0; underlay && i < underlay->n_subnets; i++) {
        const struct gtpu_subnet *subnet = &underlay->subnets[i];
        uint32_t host = address & ~subnet->mask;

        /* A subnet of one or two addresses has no broadcast (RFC 3021). */
        if ((address & subnet->mask) == subnet->address
            && ~subnet->mask > 1 && (!host || host == ~subnet->mask)) {
            return true;
        }
    }
    return false;
}
