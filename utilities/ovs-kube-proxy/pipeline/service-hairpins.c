/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "service-hairpins.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "packets.h"
#include "service-base.h"
#include "service-flows.h"
#include "service-put.h"
#include "service-state.h"
#include "util.h"
#include "utilities/kube/kube-node.h"
#include "utilities/of-sync/of-sync.h"
#include "utilities/ovs-kube-proxy/service/kube-store.h"

static bool
is_our_node(const struct service_pipeline *p, const struct in6_addr *addr)
{
    const struct kube_node *node = service_node_of(p->store);

    for (size_t i = 0; node && i < node->n_addrs; i++) {
        if (ipv6_addr_equals(&node->addrs[i], addr)) {
            return true;
        }
    }
    return false;
}

void
pipeline_put_hairpin(struct service_pipeline *p, const char *name)
{
    char *key = xasprintf(HAIRPIN_KEY"%s", name);
    struct service_flows sf;
    struct in6_addr addr;

    service_flows_init(&sf);
    ipv6_parse(name, &addr);
    if (is_our_node(p, &addr)) {
        const struct kube_node *node = service_node_of(p->store);

        service_flows_add_node_hairpin(&sf, &p->t, &addr, node->pod_cidrs,
                                       node->n_pod_cidrs);
    } else {
        service_flows_add_hairpin(&sf, &p->t, &addr);
    }
    pipeline_put(p, key, &sf);
    free(key);
}

/* Adds 'change' to the number of Services with the endpoint 'name'. */
static void
count_hairpin(struct service_pipeline *p, const char *name, int change)
{
    struct shash_node *node = shash_find(&p->hairpins, name);
    uintptr_t n = (node ? (uintptr_t) node->data : 0) + change;

    if (!node) {
        shash_add(&p->hairpins, name, (void *) n);
        pipeline_put_hairpin(p, name);
    } else if (n) {
        node->data = (void *) n;
    } else {
        char *key = xasprintf(HAIRPIN_KEY"%s", name);

        of_sync_remove(p->sync, key);
        free(key);
        shash_delete(&p->hairpins, node);
    }
}

/* Adds the endpoints of 'set' that may send to their own Service through this
 * switch: local ones, and those on an unnamed node.  If our node is unknown,
 * adds all. */
static void
add_hairpins(const struct service_pipeline *p, const struct service_set *set,
             struct sset *hairpins)
{
    const struct kube_node *node = service_node_of(p->store);
    bool all = !node || !node->name;

    for (size_t i = 0; i < set->n; i++) {
        if (all || set->endpoints[i].local || !set->endpoints[i].placed) {
            char addr[INET6_ADDRSTRLEN];

            /* An IPv4 address stays mapped, for ipv6_parse(). */
            inet_ntop(AF_INET6, &set->endpoints[i].addr, addr, sizeof addr);
            sset_add(hairpins, addr);
        }
    }
}

void
pipeline_replace_hairpins(struct service_pipeline *p, struct piped_service *s,
                          const struct service *service)
{
    struct sset hairpins = SSET_INITIALIZER(&hairpins);
    const char *name;

    for (size_t i = 0; service && i < service->n; i++) {
        add_hairpins(p, &service->ports[i].serving, &hairpins);
    }
    SSET_FOR_EACH (name, &hairpins) {
        if (!sset_contains(&s->hairpins, name)) {
            count_hairpin(p, name, 1);
        }
    }
    SSET_FOR_EACH (name, &s->hairpins) {
        if (!sset_contains(&hairpins, name)) {
            count_hairpin(p, name, -1);
        }
    }
    sset_swap(&s->hairpins, &hairpins);
    sset_destroy(&hairpins);
}
