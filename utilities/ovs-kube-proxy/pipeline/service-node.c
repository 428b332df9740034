/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "service-node.h"

#include <stdlib.h>

#include "openvswitch/vlog.h"
#include "packets.h"
#include "service-base.h"
#include "service-flows.h"
#include "service-hairpins.h"
#include "service-put.h"
#include "service-state.h"
#include "util.h"
#include "utilities/of-sync/of-sync.h"
#include "utilities/ovs-kube-proxy/service/kube-store.h"

VLOG_DEFINE_THIS_MODULE(service_node);

/* Sets '*addr', unless it is set, to the address of 'node' in that family. */
static void
default_address(const struct service_node *node, bool ipv6,
                struct in6_addr *addr)
{
    for (size_t i = 0; node && i < node->n_addrs; i++) {
        if (!ipv6_addr_is_set(addr)
            && IN6_IS_ADDR_V4MAPPED(&node->addrs[i]) != ipv6) {
            *addr = node->addrs[i];
        }
    }
}

/* Sets the addresses of node ports in 'p->t'.  A family without configured
 * addresses gets the primary address of 'node'. */
static void
fill_nodeports(struct service_pipeline *p, const struct service_node *node)
{
    const struct service_tables *o = &p->o.tables;
    size_t n_addrs = node ? node->n_addrs : 0;
    size_t n = 0;

    free(p->nodeports);
    p->nodeports = xmalloc((o->n_nodeports + n_addrs)
                           * sizeof *p->nodeports);
    for (size_t i = 0; i < o->n_nodeports; i++) {
        p->nodeports[n++] = o->nodeports[i];
    }
    for (size_t i = 0; i < n_addrs; i++) {
        bool ipv4 = IN6_IS_ADDR_V4MAPPED(&node->addrs[i]);
        bool given = false;

        for (size_t j = 0; j < o->n_nodeports; j++) {
            given |= IN6_IS_ADDR_V4MAPPED(&o->nodeports[j].addr) == ipv4;
        }
        if (!given) {
            p->nodeports[n++] = (struct service_cidr) {
                .addr = node->addrs[i], .plen = ipv4 ? 32 : 128,
            };
        }
    }
    p->t.nodeports = p->nodeports;
    p->t.n_nodeports = n;
}

void
pipeline_compose_base(struct service_pipeline *p, struct service_flows *sf)
{
    const struct service_node *node = service_node_of(p->store);
    const struct service_cidr *pods = p->o.pods;
    size_t n_pods = p->o.n_pods;

    if (!n_pods && node) {
        pods = node->pod_cidrs;
        n_pods = node->n_pod_cidrs;
    }
    service_flows_init(sf);
    service_flows_add_base(sf, &p->t, p->o.services, p->o.n_services,
                           pods, n_pods, node ? node->addrs : NULL,
                           node ? node->n_addrs : 0);
}

void
pipeline_update_base(struct service_pipeline *p)
{
    const struct service_node *node = service_node_of(p->store);
    struct service_flows sf;
    struct shash_node *i;

    p->t = p->o.tables;
    p->t.maglev = !p->o.stock && of_sync_has_lb(p->sync);
    p->t.meter = of_sync_meter(p->sync);
    default_address(node, false, &p->t.masq4);
    default_address(node, true, &p->t.masq6);
    fill_nodeports(p, node);
    if (!ipv6_addr_is_set(&p->t.masq4) && !ipv6_addr_is_set(&p->t.masq6)) {
        VLOG_WARN("neither our node nor --masquerade-address has an "
                  "address: nothing is masqueraded");
    }

    pipeline_compose_base(p, &sf);
    pipeline_put(p, BASE_KEY, &sf);
    SHASH_FOR_EACH (i, &p->hairpins) {
        pipeline_put_hairpin(p, i->name);
    }
    SHASH_FOR_EACH (i, &p->services) {
        sset_add(&p->dirty, i->name);
    }
}
