/* SPDX-License-Identifier: Apache-2.0 */

/* Services that are alike
 * ======================= */

#include <config.h>
#include "service-equal.h"

#include <string.h>

#include "util.h"
#include "utilities/kube/kube-cidr.h"

int
service_endpoint_compare(const struct service_endpoint *a,
                         const struct service_endpoint *b)
{
    int cmp = memcmp(&a->addr, &b->addr, sizeof a->addr);

    cmp = cmp ? cmp : (int) a->port - b->port;
    return cmp ? cmp : (int) a->reject - b->reject;
}

int
service_port_compare(const void *a_, const void *b_)
{
    const struct service_port *a = a_, *b = b_;

    return (a->ipv6 != b->ipv6 ? (int) a->ipv6 - b->ipv6
            : a->protocol != b->protocol ? (int) a->protocol - b->protocol
            : a->port != b->port ? (int) a->port - b->port
            : strcmp(a->port_name, b->port_name));
}

static bool
endpoints_equal(const struct service_endpoint a[], size_t n_a,
                const struct service_endpoint b[], size_t n_b)
{
    if (n_a != n_b) {
        return false;
    }
    for (size_t i = 0; i < n_a; i++) {
        const struct service_endpoint *x = &a[i];
        const struct service_endpoint *y = &b[i];

        if (service_endpoint_compare(x, y) || x->local != y->local
            || x->placed != y->placed
            || x->weight != y->weight
            || x->draining != y->draining) {
            return false;
        }
    }
    return true;
}

static bool
sets_equal(const struct service_set *a, const struct service_set *b)
{
    return (a->verdict == b->verdict
            && endpoints_equal(a->endpoints, a->n, b->endpoints, b->n));
}

static bool
shares_equal(const struct service_port *a, const struct service_port *b)
{
    if (a->n_shares != b->n_shares) {
        return false;
    }
    for (size_t i = 0; i < a->n_shares; i++) {
        const struct service_share *x = &a->shares[i], *y = &b->shares[i];

        if (strcmp(x->name, y->name) || x->weight != y->weight
            || !endpoints_equal(x->endpoints, x->n, y->endpoints, y->n)) {
            return false;
        }
    }
    return true;
}

static bool
addresses_equal(const struct in6_addr *a, size_t n_a,
                const struct in6_addr *b, size_t n_b)
{
    return n_a == n_b && (!n_a || !memcmp(a, b, n_a * sizeof *a));
}

static bool
nodes_equal(const struct service_port *a, const struct service_port *b)
{
    if (a->direct != b->direct || a->n_nodes != b->n_nodes) {
        return false;
    }
    for (size_t i = 0; i < a->n_nodes; i++) {
        if (memcmp(&a->nodes[i].addr, &b->nodes[i].addr,
                   sizeof a->nodes[i].addr)
            || a->nodes[i].weight != b->nodes[i].weight) {
            return false;
        }
    }
    return true;
}

static bool
sources_equal(const struct service_port *a, const struct service_port *b)
{
    if (a->sources_restricted != b->sources_restricted
        || a->n_sources != b->n_sources) {
        return false;
    }
    for (size_t i = 0; i < a->n_sources; i++) {
        if (!kube_cidr_equals(&a->sources[i], &b->sources[i])) {
            return false;
        }
    }
    return true;
}

static bool
ports_equal(const struct service_port *a, const struct service_port *b)
{
    return (!service_port_compare(a, b)
            && a->node_port == b->node_port
            && a->affinity_timeout == b->affinity_timeout
            && a->external_local == b->external_local
            && a->health_check_node_port == b->health_check_node_port
            && a->n_local_ready == b->n_local_ready
            && addresses_equal(a->cluster_ips, a->n_cluster_ips,
                               b->cluster_ips, b->n_cluster_ips)
            && addresses_equal(a->external_ips, a->n_external_ips,
                               b->external_ips, b->n_external_ips)
            && addresses_equal(a->lb_ips, a->n_lb_ips,
                               b->lb_ips, b->n_lb_ips)
            && sources_equal(a, b)
            && sets_equal(&a->cluster, &b->cluster)
            && sets_equal(&a->internal, &b->internal)
            && sets_equal(&a->external, &b->external)
            && nodes_equal(a, b)
            && sets_equal(&a->here, &b->here)
            && sets_equal(&a->serving, &b->serving)
            && shares_equal(a, b));
}

bool
service_equal(const struct service *a, const struct service *b)
{
    if (!a || !b) {
        return a == b;
    }
    if (a->n != b->n || a->n_backends != b->n_backends
        || !nullable_string_is_equal(a->why, b->why)) {
        return false;
    }
    for (size_t i = 0; i < a->n; i++) {
        if (!ports_equal(&a->ports[i], &b->ports[i])) {
            return false;
        }
    }
    for (size_t i = 0; i < a->n_backends; i++) {
        if (!ports_equal(&a->backends[i], &b->backends[i])) {
            return false;
        }
    }
    return true;
}
