/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "service-errors.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "packets.h"
#include "service-flows.h"
#include "service-handover.h"
#include "service-put.h"
#include "service-state.h"
#include "util.h"
#include "utilities/common/complain.h"
#include "utilities/of-sync/of-sync.h"

/* Names are "ADDRESS NODE", both as IPv6 addresses, IPv4 as v4-mapped. */
static char *
make_name(const struct in6_addr *addr, const struct in6_addr *node)
{
    char a[INET6_ADDRSTRLEN], b[INET6_ADDRSTRLEN];

    inet_ntop(AF_INET6, addr, a, sizeof a);
    inet_ntop(AF_INET6, node, b, sizeof b);
    return xasprintf("%s %s", a, b);
}

/* Makes the flows for the address 'name', which is that of a "struct shash"
 * in 'p->errors'. */
void
pipeline_put_errors(struct service_pipeline *p, const char *name)
{
    const struct shash *counts = shash_find_data(&p->errors, name);
    const struct shash_node **nodes = shash_sort(counts);
    struct in6_addr *ends = xmalloc((shash_count(counts) + 1) * sizeof *ends);
    char *key = xasprintf(ERRORS_KEY"%s", name);
    struct service_flows sf;
    struct in6_addr addr;
    size_t n = 0;

    for (size_t i = 0; i < shash_count(counts); i++) {
        ipv6_parse(nodes[i]->name, &ends[n]);
        n += !ipv6_addr_equals(&ends[n], &p->t.end);
    }
    if (n > ERRORS_MAX_NODES) {
        complain_once("%s has endpoints on more than %d nodes: ICMP errors "
                      "do not reach all of them", name, ERRORS_MAX_NODES);
        n = ERRORS_MAX_NODES;
    }
    ipv6_parse(name, &addr);
    service_flows_init(&sf);
    service_flows_add_errors(&sf, &p->t, &addr, ends, n);
    pipeline_put(p, key, &sf);
    free(key);
    free(ends);
    free(nodes);
}

/* Adds 'change' to the number of Services that 'name' is of, and makes the
 * flows of its address anew if they need it. */
static void
count(struct service_pipeline *p, const char *name, int change)
{
    const char *space = strchr(name, ' ');
    char *addr = xmemdup0(name, space - name);
    struct shash *counts = shash_find_data(&p->errors, addr);
    struct shash_node *node;
    uintptr_t n;

    if (!counts) {
        counts = xmalloc(sizeof *counts);
        shash_init(counts);
        shash_add(&p->errors, addr, counts);
    }
    node = shash_find(counts, space + 1);
    n = (node ? (uintptr_t) node->data : 0) + change;
    if (node && n) {
        node->data = (void *) n;
    } else {
        if (node) {
            shash_delete(counts, node);
        } else {
            shash_add(counts, space + 1, (void *) n);
        }
        if (shash_is_empty(counts)) {
            char *key = xasprintf(ERRORS_KEY"%s", addr);

            of_sync_remove(p->sync, key);
            free(key);
            shash_find_and_delete(&p->errors, addr);
            shash_destroy(counts);
            free(counts);
        } else {
            pipeline_put_errors(p, addr);
        }
    }
    free(addr);
}

static void
add_names(const struct in6_addr *addrs, size_t n,
          const struct service_port *port, struct sset *names)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < port->n_nodes; j++) {
            sset_add_and_free(names, make_name(&addrs[i],
                                               &port->nodes[j].addr));
        }
    }
}

/* Makes the flows that 's' needs for 'service', null for none. */
void
pipeline_replace_errors(struct service_pipeline *p, struct piped_service *s,
                        const struct service *service)
{
    struct sset names = SSET_INITIALIZER(&names);
    const char *name;

    for (size_t i = 0; service && i < service->n; i++) {
        const struct service_port *port = &service->ports[i];

        add_names(port->lb_ips, port->n_lb_ips, port, &names);
        add_names(port->external_ips, port->n_external_ips, port, &names);
    }
    SSET_FOR_EACH (name, &names) {
        if (!sset_contains(&s->errors, name)) {
            count(p, name, 1);
        }
    }
    SSET_FOR_EACH (name, &s->errors) {
        if (!sset_contains(&names, name)) {
            count(p, name, -1);
        }
    }
    sset_swap(&s->errors, &names);
    sset_destroy(&names);
}
