/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "service-udp.h"

#include <stdlib.h>
#include <string.h>

#include "packets.h"
#include "service-flows.h"
#include "service-state.h"
#include "util.h"
#include "utilities/of-sync/of-sync.h"
#include "utilities/ovs-kube-proxy/service/kube-store.h"

static int
compare_paths(const void *a_, const void *b_)
{
    const struct udp_path *a = a_, *b = b_;
    int cmp = memcmp(&a->addr, &b->addr, sizeof a->addr);

    cmp = cmp ? cmp : memcmp(&a->ep_addr, &b->ep_addr, sizeof a->ep_addr);
    cmp = cmp ? cmp : a->port - b->port;
    return cmp ? cmp : a->ep_port - b->ep_port;
}

struct paths {
    struct udp_path *array;
    size_t n, allocated;
};

/* Adds paths from 'port' of 'addr' to all endpoints that serve 'sp'.  An
 * endpoint that terminates, or that a traffic policy or topology excludes now,
 * keeps its connections. */
static void
add_paths(struct paths *paths, const struct in6_addr *addr, uint16_t port,
          const struct service_port *sp)
{
    const struct service_set *set = &sp->serving;

    for (size_t i = 0; i < set->n; i++) {
        if (paths->n >= paths->allocated) {
            paths->array = x2nrealloc(paths->array, &paths->allocated,
                                      sizeof *paths->array);
        }
        paths->array[paths->n++] = (struct udp_path) {
            .addr = *addr,
            .port = port,
            .ep_addr = set->endpoints[i].addr,
            .ep_port = set->endpoints[i].port,
        };
    }
}

static void
add_port_paths(const struct service_pipeline *p, struct paths *paths,
               const struct service_port *sp)
{
    for (size_t i = 0; i < sp->n_cluster_ips; i++) {
        add_paths(paths, &sp->cluster_ips[i], sp->port, sp);
    }
    for (size_t i = 0; i < sp->n_external_ips; i++) {
        add_paths(paths, &sp->external_ips[i], sp->port, sp);
    }
    for (size_t i = 0; i < sp->n_lb_ips; i++) {
        add_paths(paths, &sp->lb_ips[i], sp->port, sp);
    }
    for (size_t i = 0; sp->node_port && i < p->t.n_nodeports; i++) {
        const struct in6_addr *addr = &p->t.nodeports[i];

        if (IN6_IS_ADDR_V4MAPPED(addr) != sp->ipv6) {
            add_paths(paths, addr, sp->node_port, sp);
        }
    }
    if (sp->direct && sp->node_port) {
        /* At the addresses of all nodes. */
        add_paths(paths, &in6addr_any, sp->node_port, sp);
    }
}

/* What the last run has left. */

static int
compare_old(const void *a_, const void *b_)
{
    const struct old_endpoint *a = a_, *b = b_;
    int cmp = memcmp(&a->addr, &b->addr, sizeof a->addr);

    return cmp ? cmp : a->port - b->port;
}

/* Notes the endpoint that 'bucket' translates to, if any. */
void
pipeline_note_bucket(uint32_t group_id, const struct ofputil_bucket *bucket,
                     void *p_)
{
    struct service_pipeline *p = p_;
    struct old_endpoint old = { .group_id = group_id };

    if (flows_find_endpoint(bucket, &old.addr, &old.port)) {
        if (p->n_old >= p->allocated_old) {
            p->old = x2nrealloc(p->old, &p->allocated_old, sizeof *p->old);
        }
        p->old[p->n_old++] = old;
    }
}

/* Returns all endpoints that serve now, sorted, for the caller to free. */
static struct old_endpoint *
collect_serving(const struct service_pipeline *p, size_t *n)
{
    struct old_endpoint *serving = NULL;
    const struct service **services;
    size_t n_services, allocated = 0;

    *n = 0;
    services = service_all(p->store, &n_services);
    for (size_t i = 0; i < n_services; i++) {
        for (size_t j = 0; j < services[i]->n; j++) {
            const struct service_set *set = &services[i]->ports[j].serving;

            for (size_t k = 0; k < set->n; k++) {
                if (*n >= allocated) {
                    serving = x2nrealloc(serving, &allocated,
                                         sizeof *serving);
                }
                serving[(*n)++] = (struct old_endpoint) {
                    .addr = set->endpoints[k].addr,
                    .port = set->endpoints[k].port,
                };
            }
        }
    }
    free(services);
    if (*n) {
        qsort(serving, *n, sizeof *serving, compare_old);
    }
    return serving;
}

/* Ends the UDP connections to endpoints that the last run has left in the
 * switch, if they serve nothing any more or nobody has their group.  The
 * pipeline must be current and the switch's groups known. */
void
pipeline_end_old(struct service_pipeline *p)
{
    size_t n_serving;
    struct old_endpoint *serving = collect_serving(p, &n_serving);

    for (size_t i = 0; i < p->n_old; i++) {
        const struct old_endpoint *old = &p->old[i];

        if (!of_sync_group_is_used(p->sync, old->group_id) || !n_serving
            || !bsearch(old, serving, n_serving, sizeof *serving,
                        compare_old)) {
            struct of_sync_ct ct = {
                .zone = p->t.zone,
                .protocol = IPPROTO_UDP,
                .ipv6 = !IN6_IS_ADDR_V4MAPPED(&old->addr),
                .reply_src = old->addr,
                .reply_sport = old->port,
            };

            p->n_flushes++;
            of_sync_ct_flush(p->sync, &ct);
        }
    }
    free(serving);
    free(p->old);
    p->old = NULL;
    p->n_old = p->allocated_old = 0;
    p->old_ended = true;
}

/* Changes. */

static void
flush_path(struct service_pipeline *p, const struct udp_path *path)
{
    struct of_sync_ct ct = {
        .zone = p->t.zone,
        .protocol = IPPROTO_UDP,
        .ipv6 = !IN6_IS_ADDR_V4MAPPED(&path->ep_addr),
        .orig_dst = path->addr,
        .orig_dport = path->port,
        .reply_src = path->ep_addr,
        .reply_sport = path->ep_port,
    };

    p->n_flushes++;
    of_sync_ct_flush(p->sync, &ct);
}

/* Ends the connections on the paths that 's' no longer has. */
void
pipeline_replace_paths(struct service_pipeline *p, struct piped_service *s,
                       const struct service *service)
{
    struct paths paths = { .array = NULL };
    size_t j = 0;

    for (size_t i = 0; service && i < service->n; i++) {
        if (service->ports[i].protocol == IPPROTO_UDP) {
            add_port_paths(p, &paths, &service->ports[i]);
        }
    }
    if (paths.n) {
        qsort(paths.array, paths.n, sizeof *paths.array, compare_paths);
    }
    for (size_t i = 0; i < s->n_paths; i++) {
        int cmp = -1;

        while (j < paths.n
               && (cmp = compare_paths(&paths.array[j], &s->paths[i])) < 0) {
            j++;
        }
        if (j >= paths.n || cmp) {
            flush_path(p, &s->paths[i]);
        }
    }
    free(s->paths);
    s->paths = paths.array;
    s->n_paths = paths.n;
}
