/* SPDX-License-Identifier: Apache-2.0 */

/* The bridges through which the switch sends GTP-U messages of its own
 * ====================================================================
 *
 * The data path knows the name of a bridge from the routing table and needs
 * its local port.  It must not answer to broadcast addresses, which follow
 * from the bridges' addresses.  This file publishes both.
 *
 * Thread-safety: main thread. */

#include <config.h>
#include "ofproto-ext/gtpu/gtpu-ofproto-hooks.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "dpif.h"
#include "lib/gtpu/gtpu-port.h"
#include "lib/gtpu/gtpu-underlay.h"
#include "netdev.h"
#include "ofproto/ofproto-dpif.h"
#include "ofproto/ofproto-provider.h"
#include "ovs-rcu.h"
#include "packets.h"
#include "timeval.h"
#include "util.h"

/* Interval between reads of the addresses, in ms.  A change of ports is read
 * at once. */
#define ADDRESS_INTERVAL 1000

struct builder {
    struct gtpu_bridge *bridges;
    size_t n_bridges, allocated_bridges;
    struct gtpu_subnet *subnets;
    size_t n_subnets, allocated_subnets;
};

static void
add_subnets(struct builder *b, const struct netdev *netdev)
{
    struct in6_addr *addresses = NULL, *masks = NULL;
    int n = 0;

    if (netdev_get_addr_list(netdev, &addresses, &masks, &n)) {
        return;
    }
    for (int i = 0; i < n; i++) {
        uint32_t address = ntohl(in6_addr_get_mapped_ipv4(&addresses[i]));
        uint32_t mask = ntohl(in6_addr_get_mapped_ipv4(&masks[i]));

        if (address && mask) {
            if (b->n_subnets >= b->allocated_subnets) {
                b->subnets = x2nrealloc(b->subnets, &b->allocated_subnets,
                                        sizeof *b->subnets);
            }
            b->subnets[b->n_subnets++] = (struct gtpu_subnet) {
                .address = address & mask,
                .mask = mask,
            };
        }
    }
    free(addresses);
    free(masks);
}

static void
add_bridge(struct builder *b, const struct ofproto_dpif *ofproto)
{
    const struct ofport *local = ofproto_get_port(&ofproto->up, OFPP_LOCAL);
    struct dpif *dpif = ofproto->backer->dpif;
    struct gtpu_bridge *bridge;
    struct dpif_port port;

    if (!local || strlen(ofproto->up.name) >= GTPU_BRIDGE_NAME_LEN
        || !strcmp(dpif_type(dpif), "system")
        || dpif_port_query_by_name(dpif, ofproto->up.name, &port)) {
        return;
    }
    if (b->n_bridges >= b->allocated_bridges) {
        b->bridges = x2nrealloc(b->bridges, &b->allocated_bridges,
                                sizeof *b->bridges);
    }
    bridge = &b->bridges[b->n_bridges++];
    memset(bridge, 0, sizeof *bridge);
    ovs_strlcpy(bridge->name, ofproto->up.name, sizeof bridge->name);
    bridge->odp_port = odp_to_u32(port.port_no);
    dpif_port_destroy(&port);
    add_subnets(b, local->netdev);
}

/* Returns an underlay with the content of 'b', which it frees. */
static struct gtpu_underlay *
build_underlay(struct builder *b)
{
    struct gtpu_subnet *subnets;
    struct gtpu_underlay *underlay;

    underlay = gtpu_underlay_alloc(b->n_bridges, b->n_subnets, &subnets);
    if (!underlay) {
        out_of_memory();
    }
    if (b->n_bridges) {
        memcpy(underlay->bridges, b->bridges,
               b->n_bridges * sizeof *b->bridges);
    }
    if (b->n_subnets) {
        memcpy(subnets, b->subnets, b->n_subnets * sizeof *b->subnets);
    }
    free(b->bridges);
    free(b->subnets);
    return underlay;
}

void
gtpu_underlay_refresh(const struct hmap *ofprotos)
{
    struct gtpu_underlay *underlay;
    const struct ofproto_dpif *ofproto;
    struct builder b = { .n_bridges = 0 };

    if (!gtpu_ports_exist()) {
        return;
    }
    HMAP_FOR_EACH (ofproto, all_ofproto_dpifs_by_name_node, ofprotos) {
        add_bridge(&b, ofproto);
    }
    underlay = build_underlay(&b);
    if (gtpu_underlay_equal(underlay, gtpu_underlay_get())) {
        free(underlay);
        return;
    }
    underlay = gtpu_underlay_set(underlay);
    if (underlay) {
        ovsrcu_postpone(free, underlay);
    }
}

void
gtpu_underlay_run(const struct hmap *ofprotos)
{
    static long long int next;

    if (time_msec() >= next) {
        next = time_msec() + ADDRESS_INTERVAL;
        gtpu_underlay_refresh(ofprotos);
    }
}
