/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "node-host.h"

#include <linux/rtnetlink.h>
#include <stdlib.h>

#include "node-cluster.h"
#include "node-flows.h"
#include "node-kernel.h"
#include "node-link.h"
#include "node-model.h"
#include "node-route.h"
#include "packets.h"
#include "util.h"
#include "utilities/kube/kube-cidr.h"
#include "utilities/kube/kube-node.h"

/* Octets that a Geneve tunnel without options adds to a packet: Ethernet, IP,
 * UDP, Geneve. */
#define GENEVE4_LEN (14 + 20 + 8 + 8)
#define GENEVE6_LEN (14 + 40 + 8 + 8)

/* Used if no interface has the node's address. */
#define DEFAULT_NETWORK_MTU 1500

static void
add_route(struct node_route **routes, size_t *n, const struct kube_cidr *dst,
          const struct in6_addr *gateway, uint8_t table)
{
    *routes = xrealloc(*routes, (*n + 1) * sizeof **routes);
    (*routes)[(*n)++] = (struct node_route) {
        .dst = *dst, .gateway = gateway ? *gateway : in6addr_any,
        .table = table,
    };
}

/* Stores in '*gateway' the address of 'peer' in the family of 'cidr'.  Returns
 * false if it has none. */
static bool
find_gateway(const struct kube_node *peer, const struct kube_cidr *cidr,
             const struct in6_addr **gateway)
{
    for (size_t i = 0; i < peer->n_addrs; i++) {
        if (IN6_IS_ADDR_V4MAPPED(&peer->addrs[i])
            == IN6_IS_ADDR_V4MAPPED(&cidr->addr)) {
            *gateway = &peer->addrs[i];
            return true;
        }
    }
    return false;
}

/* Gives the host's interface the gateway's addresses, and the routes to the
 * pods of 'ours' and of the 'n_peers' Nodes at 'peers'. */
void
node_host_set(struct node_link *link, const struct node_pipeline_options *o,
              const struct kube_node *ours,
              const struct node_peer *peers, size_t n_peers)
{
    struct in6_addr *addrs = xmalloc(MAX(ours->n_pod_cidrs, 1)
                                     * sizeof *addrs);
    struct node_route *routes = NULL;
    size_t n = 0;

    for (size_t i = 0; i < ours->n_pod_cidrs; i++) {
        addrs[i] = kube_cidr_gateway(&ours->pod_cidrs[i]);
        add_route(&routes, &n, &ours->pod_cidrs[i], NULL, RT_TABLE_MAIN);
    }
    for (size_t i = 0; i < o->n_host_routes; i++) {
        add_route(&routes, &n, &o->host_routes[i], NULL, RT_TABLE_MAIN);
    }
    for (size_t i = 0; o->node_ports.last && i < ours->n_pod_cidrs; i++) {
        struct kube_cidr all = { .addr = in6addr_any };

        if (IN6_IS_ADDR_V4MAPPED(&ours->pod_cidrs[i].addr)) {
            in6_addr_set_mapped_ipv4(&all.addr, 0);
        }
        add_route(&routes, &n, &all, NULL, NODE_TABLE);
    }
    for (size_t i = 0; i < n_peers; i++) {
        const struct kube_node *node = peers[i].node;
        const struct in6_addr *gateway = NULL;

        for (size_t j = 0; !peers[i].ours && !peers[i].left_out
                           && j < node->n_pod_cidrs; j++) {
            const struct kube_cidr *cidr = &node->pod_cidrs[j];

            if (o->tunnel || find_gateway(node, cidr, &gateway)) {
                add_route(&routes, &n, cidr, o->tunnel ? NULL : gateway,
                          RT_TABLE_MAIN);
            }
        }
    }
    node_link_set_ports(link, &o->node_ports, ours->addrs, ours->n_addrs);
    node_link_set(link, addrs, ours->n_pod_cidrs, routes, n);
}

/* Returns the MTU of packets that fit between nodes, in octets.  'end' is our
 * address there. */
int
node_host_mtu(const struct node_pipeline_options *o,
              const struct in6_addr *end)
{
    int mtu = o->mtu;

    if (!mtu) {
        mtu = node_link_mtu(end, o->bridge);
        mtu = mtu ? mtu : DEFAULT_NETWORK_MTU;
        if (o->tunnel) {
            mtu -= IN6_IS_ADDR_V4MAPPED(end) ? GENEVE4_LEN : GENEVE6_LEN;
        }
    }
    return mtu;
}
