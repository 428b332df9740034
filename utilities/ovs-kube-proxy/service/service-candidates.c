/* SPDX-License-Identifier: Apache-2.0 */

/* Choosing endpoints from the candidates of one port
 * ================================================== */

#include <config.h>
#include "service-candidates-private.h"

#include <stdlib.h>

#include "util.h"

/* Hints count only if each ready endpoint has one, and one is for us. */
enum topology
candidates_topology(const struct candidates *all)
{
    bool all_nodes = true, our_node = false;
    bool all_zones = true, our_zone = false;

    for (size_t i = 0; i < all->n; i++) {
        const struct candidate *c = &all->c[i];

        if (c->rank == READY) {
            all_nodes &= c->node_hinted;
            our_node |= c->for_our_node;
            all_zones &= c->zone_hinted;
            our_zone |= c->for_our_zone;
        }
    }
    return (all_nodes && our_node ? SAME_NODE
            : all_zones && our_zone ? SAME_ZONE
            : EVERYWHERE);
}

/* Stores in 'set' the candidates of 'rank' that fit 'topology' and, if
 * 'local', are on our node. */
static void
select_endpoints(const struct candidates *all, enum rank rank,
                 enum topology topology, bool local, struct service_set *set)
{
    set->n = 0;
    for (size_t i = 0; i < all->n; i++) {
        const struct candidate *c = &all->c[i];

        if (c->rank == rank
            && (!local || c->e.local)
            && (topology != SAME_NODE || c->for_our_node)
            && (topology != SAME_ZONE || c->for_our_zone)
            && set->n < SERVICE_MAX_ENDPOINTS) {
            set->endpoints[set->n] = c->e;
            set->endpoints[set->n++].draining = rank == DRAINING;
        }
    }
}

/* Returns the set that gets new connections.  If no endpoint is ready, those
 * that terminate but still serve get them, whatever their hints. */
struct service_set
candidates_make_set(const struct candidates *all, enum topology topology,
                    bool local)
{
    struct service_set set = { .verdict = SERVICE_FORWARD };

    set.endpoints = xcalloc(MAX(all->n, 1), sizeof *set.endpoints);
    select_endpoints(all, READY, topology, local, &set);
    if (!set.n) {
        select_endpoints(all, DRAINING, EVERYWHERE, local, &set);
    }
    if (!set.n) {
        set.verdict = SERVICE_REJECT;
        for (size_t i = 0; i < all->n; i++) {
            if (all->c[i].rank != UNUSABLE) {
                set.verdict = SERVICE_DROP;
            }
        }
        free(set.endpoints);
        set.endpoints = NULL;
    } else {
        set.endpoints = xrealloc(set.endpoints,
                                 set.n * sizeof *set.endpoints);
    }
    return set;
}
