/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "service-policy.h"

#include <stdlib.h>
#include <string.h>

#include "kube-parse.h"
#include "packets.h"
#include "service-candidates-private.h"
#include "service-equal.h"
#include "util.h"
#include "utilities/kube/kube-cidr.h"
#include "utilities/kube/kube-node.h"
#include "utilities/kube/kube-value.h"

/* Sorts by address and port.  The best rank comes first among equals, then the
 * largest weight. */
static int
compare_candidates(const void *a_, const void *b_)
{
    const struct candidate *a = a_, *b = b_;
    int cmp = service_endpoint_compare(&a->e, &b->e);

    cmp = cmp ? cmp : (int) b->rank - (int) a->rank;
    return cmp ? cmp : (int) b->e.weight - (int) a->e.weight;
}

/* Leaves one candidate for each address and port.  An endpoint that moves from
 * one slice to another is in both for a while. */
static void
merge_duplicates(struct candidates *all)
{
    size_t n = 0;

    if (all->n) {
        qsort(all->c, all->n, sizeof *all->c, compare_candidates);
    }
    for (size_t i = 0; i < all->n; i++) {
        const struct candidate *c = &all->c[i];
        struct candidate *last = n ? &all->c[n - 1] : NULL;

        if (!last || service_endpoint_compare(&last->e, &c->e)) {
            all->c[n++] = *c;
            continue;
        }
        last->e.placed &= c->e.placed;
        if (strcmp(last->node, c->node)) {
            last->node = "";
        }
        last->e.local |= c->e.local;
        if (c->rank == last->rank) {
            last->node_hinted &= c->node_hinted;
            last->zone_hinted &= c->zone_hinted;
            last->for_our_node |= c->for_our_node;
            last->for_our_zone |= c->for_our_zone;
        }
    }
    all->n = n;
}

static void
add_candidates(struct candidates *all, const struct kube_slice *slice,
               uint16_t port, const struct kube_node *our_node)
{
    uint64_t our_zone = 0;

    for (size_t i = 0; i < slice->n_zones; i++) {
        if (our_node && our_node->zone
            && !strcmp(slice->zones[i], our_node->zone)) {
            our_zone = UINT64_C(1) << i;
        }
    }
    all->c = xrealloc(all->c, (all->n + slice->n_endpoints + 1)
                      * sizeof *all->c);
    for (size_t i = 0; i < slice->n_endpoints; i++) {
        const struct kube_endpoint *e = &slice->endpoints[i];

        all->c[all->n++] = (struct candidate) {
            .e = { .addr = e->addr, .port = port,
                   .weight = slice->weight ? slice->weight : SERVICE_WEIGHT,
                   .placed = e->node[0] != '\0', .local = e->local },
            .node = e->node,
            .rank = (e->ready && slice->weight ? READY
                     : e->ready || (e->serving && e->terminating) ? DRAINING
                     : UNUSABLE),
            .node_hinted = e->node_hinted,
            .for_our_node = e->for_our_node,
            .zone_hinted = e->zones != 0,
            .for_our_zone = (e->zones & our_zone) != 0,
        };
    }
}

/* Collects the endpoints for port 'p' of a Service, for the caller to free.
 * Slices know the port by name and protocol; each has its own number for
 * it. */
static struct candidates
collect(const struct kube_service *s, const struct kube_service_port *p,
        bool ipv6, const struct kube_slice *const slices[], size_t n_slices,
        const struct kube_node *our_node)
{
    struct kube_slice_port key = { .name = p->name, .protocol = p->protocol };
    struct candidates all = { NULL, 0 };

    for (size_t i = 0; i < n_slices; i++) {
        const struct kube_slice *slice = slices[i];
        const struct kube_slice_port *found = NULL;

        if (slice->ipv6 == ipv6 && slice->n_ports
            && (s->headless || !slice->headless)) {
            found = bsearch(&key, slice->ports, slice->n_ports, sizeof key,
                            kube_slice_port_compare);
        }
        if (found) {
            add_candidates(&all, slice, found->port, our_node);
        }
    }
    merge_duplicates(&all);
    return all;
}

/* Returns the set of all candidates that serve. */
static struct service_set
make_serving(const struct candidates *all)
{
    struct service_set set = { .verdict = SERVICE_FORWARD };

    set.endpoints = xcalloc(MAX(all->n, 1), sizeof *set.endpoints);
    for (size_t i = 0; i < all->n; i++) {
        const struct candidate *c = &all->c[i];

        if (c->rank != UNUSABLE) {
            set.endpoints[set.n] = c->e;
            set.endpoints[set.n++].draining = c->rank == DRAINING;
        }
    }
    return set;
}

/* Returns the number of addresses of ready endpoints on our node. */
static unsigned int
count_local_ready(const struct kube_slice *const slices[], size_t n_slices,
                  bool ipv6)
{
    struct candidates all = { NULL, 0 };
    unsigned int n = 0;

    for (size_t i = 0; i < n_slices; i++) {
        if (slices[i]->ipv6 == ipv6) {
            add_candidates(&all, slices[i], 0, NULL);
        }
    }
    merge_duplicates(&all);
    for (size_t i = 0; i < all.n; i++) {
        n += all.c[i].rank == READY && all.c[i].e.local;
    }
    free(all.c);
    return n;
}

/* Stores in '*copy' those of the 'n' addresses at 'addrs' that are of the
 * family.  Returns their number. */
static size_t
copy_addresses(const struct in6_addr *addrs, size_t n, bool ipv6,
               struct in6_addr **copy)
{
    size_t n_copied = 0;

    *copy = NULL;
    for (size_t i = 0; i < n; i++) {
        if (IN6_IS_ADDR_V4MAPPED(&addrs[i]) != ipv6) {
            *copy = xrealloc(*copy, (n_copied + 1) * sizeof **copy);
            (*copy)[n_copied++] = addrs[i];
        }
    }
    return n_copied;
}

static void
copy_sources(const struct kube_service *s, struct service_port *port)
{
    size_t allocated = 0;

    port->sources_restricted = s->sources_restricted;
    for (size_t i = 0; i < s->n_sources; i++) {
        if (IN6_IS_ADDR_V4MAPPED(&s->sources[i].addr) != port->ipv6) {
            if (port->n_sources >= allocated) {
                port->sources = x2nrealloc(port->sources, &allocated,
                                           sizeof *port->sources);
            }
            port->sources[port->n_sources++] = s->sources[i];
        }
    }
    port->n_sources = kube_cidrs_reduce(port->sources, port->n_sources);
}

static void
make_sets(struct service_port *port, const struct kube_service *s,
          const struct candidates *all, const struct kube_peers *peers,
          char **error)
{
    struct service_set local = candidates_make_set(all, EVERYWHERE, true);

    port->cluster = candidates_make_set(all, candidates_topology(all), false);
    port->internal = s->internal_local ? local : port->cluster;
    port->external = s->external_local ? local : port->cluster;
    port->serving = make_serving(all);
    if (s->direct) {
        service_direct_fill(port, all, peers, error);
    }
    if (!s->internal_local && !s->external_local) {
        free(local.endpoints);
    }
    if (all->n > SERVICE_MAX_ENDPOINTS) {
        kv_complain(error, "port %d has %"PRIuSIZE" endpoints: only %d are "
                    "used", port->port, all->n,
                    SERVICE_MAX_ENDPOINTS);
    }
}

static void
init_port(struct service_port *port, const struct kube_service *s,
          const struct kube_service_port *p, bool ipv6,
          const struct kube_slice *const slices[], size_t n_slices,
          const struct kube_node *our_node, const struct kube_peers *peers,
          char **error)
{
    struct candidates all = collect(s, p, ipv6, slices, n_slices, our_node);

    *port = (struct service_port) {
        .namespace_ = xstrdup(s->namespace_),
        .name = xstrdup(s->name),
        .port_name = xstrdup(p->name),
        .protocol = p->protocol,
        .ipv6 = ipv6,
        .port = p->port,
        .node_port = p->node_port,
        .affinity_timeout = s->affinity_timeout,
        .external_local = s->external_local,
        .health_check_node_port = s->health_check_node_port,
    };
    port->n_cluster_ips = copy_addresses(s->cluster_ips, s->n_cluster_ips,
                                         ipv6, &port->cluster_ips);
    port->n_external_ips = copy_addresses(s->external_ips, s->n_external_ips,
                                          ipv6, &port->external_ips);
    port->n_lb_ips = copy_addresses(s->lb_ips, s->n_lb_ips, ipv6,
                                    &port->lb_ips);
    copy_sources(s, port);
    make_sets(port, s, &all, peers, error);
    free(all.c);
}

static void
destroy_port(struct service_port *port)
{
    if (port->external.endpoints != port->internal.endpoints
        && port->external.endpoints != port->cluster.endpoints) {
        free(port->external.endpoints);
    }
    if (port->internal.endpoints != port->cluster.endpoints) {
        free(port->internal.endpoints);
    }
    for (size_t i = 0; i < port->n_shares; i++) {
        free(port->shares[i].name);
        free(port->shares[i].endpoints);
    }
    free(port->shares);
    free(port->cluster.endpoints);
    free(port->here.endpoints);
    free(port->nodes);
    free(port->serving.endpoints);
    free(port->cluster_ips);
    free(port->external_ips);
    free(port->lb_ips);
    free(port->sources);
    free(port->namespace_);
    free(port->name);
    free(port->port_name);
}

/* Leaves the first of several ports with the same family, protocol and number.
 * The API server admits only one. */
static void
drop_same_ports(struct service_port *ports, size_t *n_ports, char **error)
{
    size_t n = 0;

    if (*n_ports) {
        qsort(ports, *n_ports, sizeof *ports, service_port_compare);
    }
    for (size_t i = 0; i < *n_ports; i++) {
        struct service_port *p = &ports[i];
        struct service_port *last = n ? &ports[n - 1] : NULL;

        if (last && last->ipv6 == p->ipv6 && last->protocol == p->protocol
            && last->port == p->port) {
            kv_complain(error, "port %d occurs twice", p->port);
            destroy_port(p);
        } else {
            ports[n++] = *p;
        }
    }
    *n_ports = n;
}

/* Makes the backends of 'service', which is headless. */
static void
make_backends(struct service *service, const struct kube_service *s,
              const struct kube_slice *const slices[], size_t n_slices,
              const struct kube_node *our_node,
              const struct kube_peers *peers, char **error)
{
    service->backends = xcalloc(2 * s->n_ports + 1,
                                sizeof *service->backends);
    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        for (size_t i = 0; i < s->n_ports; i++) {
            init_port(&service->backends[service->n_backends++], s,
                      &s->ports[i], ipv6, slices, n_slices, our_node, peers,
                      error);
        }
    }
    drop_same_ports(service->backends, &service->n_backends, error);
}

/* Returns what 'our_node', which may be null, has to do for 's' with the
 * 'n_slices' slices at 'slices'.  The caller must destroy the result.
 * 'peers' knows all Nodes; null: there is no direct return.  If a part cannot
 * be done, stores a message in '*error', which must be null before. */
struct service *
service_make(const struct kube_service *s,
             const struct kube_slice *const slices[], size_t n_slices,
             const struct kube_node *our_node,
             const struct kube_peers *peers, char **error)
{
    struct service *service = xzalloc(sizeof *service);

    service->namespace_ = xstrdup(s->namespace_);
    service->name = xstrdup(s->name);
    if (s->skip) {
        service->why = xstrdup(s->skip);
        if (s->headless) {
            make_backends(service, s, slices, n_slices, our_node, peers,
                          error);
        }
        return service;
    }

    service->ports = xcalloc(2 * s->n_ports + 1, sizeof *service->ports);
    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        struct in6_addr *ips;
        size_t n = copy_addresses(s->cluster_ips, s->n_cluster_ips, ipv6,
                                  &ips);
        unsigned int n_local_ready;

        free(ips);
        if (!n) {
            continue;
        }
        n_local_ready = count_local_ready(slices, n_slices, ipv6);
        for (size_t i = 0; i < s->n_ports; i++) {
            struct service_port *port = &service->ports[service->n++];

            init_port(port, s, &s->ports[i], ipv6, slices, n_slices,
                      our_node, peers, error);
            port->n_local_ready = n_local_ready;
        }
    }
    drop_same_ports(service->ports, &service->n, error);
    if (!service->n) {
        service->why = xstrdup(s->n_cluster_ips ? "it has no ports"
                               : "it has no cluster IP");
    }
    return service;
}

/* Frees 'service', which may be null. */
void
service_destroy(struct service *service)
{
    if (service) {
        for (size_t i = 0; i < service->n; i++) {
            destroy_port(&service->ports[i]);
        }
        for (size_t i = 0; i < service->n_backends; i++) {
            destroy_port(&service->backends[i]);
        }
        free(service->ports);
        free(service->backends);
        free(service->namespace_);
        free(service->name);
        free(service->why);
        free(service);
    }
}

/* Frees the array of 'n' 'conflicts'. */
void
service_conflicts_destroy(struct service_conflict *conflicts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(conflicts[i].owner);
    }
    free(conflicts);
}
