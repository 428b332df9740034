/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "service-node.h"

#include <stdlib.h>

#include "openvswitch/vlog.h"
#include "packets.h"
#include "service-addrs.h"
#include "service-base.h"
#include "service-errors.h"
#include "service-flows.h"
#include "service-handover.h"
#include "service-hairpins.h"
#include "service-put.h"
#include "service-state.h"
#include "service-terms.h"
#include "util.h"
#include "utilities/kube/kube-cidr.h"
#include "utilities/kube/kube-node.h"
#include "utilities/of-sync/of-sync.h"
#include "utilities/ovs-kube-proxy/service/kube-peers.h"
#include "utilities/ovs-kube-proxy/service/kube-store.h"

VLOG_DEFINE_THIS_MODULE(service_node);

/* Sets '*addr', unless it is set, to the address of 'node' in that family. */
static void
default_address(const struct kube_node *node, bool ipv6,
                struct in6_addr *addr)
{
    for (size_t i = 0; node && i < node->n_addrs; i++) {
        if (!ipv6_addr_is_set(addr)
            && IN6_IS_ADDR_V4MAPPED(&node->addrs[i]) != ipv6) {
            *addr = node->addrs[i];
        }
    }
}

/* Sets 'self4' and 'self6' of 't' to the lowest addresses of the podCIDRs of
 * 'node'.  IPAM gives these to no pod, and other nodes know the way. */
static void
choose_self(const struct kube_node *node, struct service_tables *t)
{
    for (size_t i = 0; node && i < node->n_pod_cidrs; i++) {
        const struct in6_addr *addr = &node->pod_cidrs[i].addr;
        struct in6_addr *self = is_ipv6(addr) ? &t->self6 : &t->self4;

        if (!ipv6_addr_is_set(self)) {
            *self = *addr;
        }
    }
}

static void
add_nodeport(struct service_pipeline *p, const struct in6_addr *addr)
{
    for (size_t i = 0; i < p->t.n_nodeports; i++) {
        if (ipv6_addr_equals(&p->nodeports[i], addr)) {
            return;
        }
    }
    p->nodeports[p->t.n_nodeports++] = *addr;
}

/* Adds those of the 'n' addresses 'addrs' that are in a given range to the
 * addresses of node ports. */
static void
add_nodeports_in_ranges(struct service_pipeline *p,
                        const struct in6_addr *addrs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct kube_cidr cidr = host_cidr(&addrs[i]);

        for (size_t j = 0; j < p->o.n_nodeports; j++) {
            if (kube_cidr_covers(&p->o.nodeports[j], &cidr)) {
                add_nodeport(p, &addrs[i]);
            }
        }
    }
}

/* Sets the addresses of node ports in 'p->t'.  Of a range, these are the ones
 * that our node has; what else is in it belongs to others.  An address alone
 * counts whether our kernel has it or not: the switch may answer for it.  A
 * family without configured addresses gets the primary address of 'node'. */
static void
fill_nodeports(struct service_pipeline *p, const struct kube_node *node)
{
    size_t n_node = node ? node->n_addrs : 0;
    const struct in6_addr *own = NULL;
    bool given[2] = { false, false };
    size_t n_own = 0;

    if (p->addrs) {
        own = service_addrs_get(p->addrs, &n_own);
    }
    free(p->nodeports);
    p->nodeports = xmalloc((p->o.n_nodeports + n_node + n_own + 1)
                           * sizeof *p->nodeports);
    p->t.nodeports = p->nodeports;
    p->t.n_nodeports = 0;
    for (size_t i = 0; i < p->o.n_nodeports; i++) {
        const struct kube_cidr *cidr = &p->o.nodeports[i];
        bool ipv4 = IN6_IS_ADDR_V4MAPPED(&cidr->addr);

        given[ipv4] = true;
        if (cidr->plen == (ipv4 ? 32 : 128)) {
            add_nodeport(p, &cidr->addr);
        }
    }
    add_nodeports_in_ranges(p, own, n_own);
    for (size_t i = 0; i < n_node; i++) {
        if (!given[IN6_IS_ADDR_V4MAPPED(&node->addrs[i])]) {
            add_nodeport(p, &node->addrs[i]);
        } else {
            add_nodeports_in_ranges(p, &node->addrs[i], 1);
        }
    }
}

/* Returns the ranges of pods' addresses, and their number in '*n'. */
const struct kube_cidr *
pipeline_pods(const struct service_pipeline *p, size_t *n)
{
    const struct kube_node *node = service_node_of(p->store);

    if (!p->o.n_pods && node) {
        *n = node->n_pod_cidrs;
        return node->pod_cidrs;
    }
    *n = p->o.n_pods;
    return p->o.pods;
}

/* Returns the ranges of ClusterIPs, and their number in '*n'. */
const struct kube_cidr *
pipeline_ranges(const struct service_pipeline *p, size_t *n)
{
    if (!p->o.n_services) {
        return service_ranges_of(p->store, n);
    }
    *n = p->o.n_services;
    return p->o.services;
}

void
pipeline_compose_base(struct service_pipeline *p, struct service_flows *sf)
{
    const struct kube_node *node = service_node_of(p->store);
    const struct kube_cidr *services, *pods;
    size_t n_services, n_pods;

    pods = pipeline_pods(p, &n_pods);
    services = pipeline_ranges(p, &n_services);
    service_flows_init(sf);
    service_flows_add_base(sf, &p->t, services, n_services, pods, n_pods,
                           node);
}

/* Makes the flows for the addresses of other nodes, if there is direct
 * return. */
void
pipeline_update_peers(struct service_pipeline *p)
{
    const struct kube_peers *peers = service_peers_of(p->store);
    bool know_pods[2] = { false, false };
    const struct kube_cidr *pods;
    struct service_flows sf;
    size_t n_pods;

    if (!p->t.direct || !peers) {
        return;
    }
    p->peers_generation = peers->generation;
    pods = pipeline_pods(p, &n_pods);
    for (size_t i = 0; i < n_pods; i++) {
        know_pods[is_ipv6(&pods[i].addr)] = true;
    }
    service_flows_init(&sf);
    service_flows_add_peers(&sf, &p->t, peers, know_pods);
    pipeline_put(p, PEERS_KEY, &sf);
}

/* Says where other nodes hand over to us. */
static void
find_end(struct service_pipeline *p, const struct kube_node *node)
{
    if (p->t.direct && node) {
        kube_node_tunnel_end(node, node, &p->t.end);
        default_address(node, false, &p->t.node4);
        default_address(node, true, &p->t.node6);
    }
    if (p->t.direct && !p->t.maglev) {
        VLOG_WARN("the switch does not know \"maglev\": clients that ask this "
                  "node are served without direct return");
    }
}

void
pipeline_update_base(struct service_pipeline *p)
{
    const struct kube_node *node = service_node_of(p->store);
    struct service_flows sf;
    struct shash_node *i;

    p->t = p->o.tables;
    p->t.maglev = !p->o.stock && of_sync_has_lb(p->sync);
    p->t.meter = of_sync_meter(p->sync);
    default_address(node, false, &p->t.masq4);
    default_address(node, true, &p->t.masq6);
    if (p->t.self_from_node) {
        choose_self(node, &p->t);
    }
    fill_nodeports(p, node);
    find_end(p, node);
    if (!ipv6_addr_is_set(&p->t.masq4) && !ipv6_addr_is_set(&p->t.masq6)) {
        VLOG_WARN("neither our node nor --masquerade-address has an "
                  "address: nothing is masqueraded");
    }

    pipeline_compose_base(p, &sf);
    pipeline_put(p, BASE_KEY, &sf);
    pipeline_update_peers(p);
    SHASH_FOR_EACH (i, &p->hairpins) {
        pipeline_put_hairpin(p, i->name);
    }
    SHASH_FOR_EACH (i, &p->errors) {
        pipeline_put_errors(p, i->name);
    }
    SHASH_FOR_EACH (i, &p->services) {
        sset_add(&p->dirty, i->name);
    }
}
