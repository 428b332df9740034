/* SPDX-License-Identifier: Apache-2.0 */

/* Direct return: to which nodes, and to which endpoints there
 * =========================================================== */

#include <config.h>
#include "service-candidates-private.h"

#include <stdlib.h>
#include <string.h>

#include "kube-parse.h"
#include "kube-peers.h"
#include "packets.h"
#include "service-equal.h"
#include "util.h"
#include "utilities/kube/kube-node.h"
#include "utilities/kube/kube-value.h"

/* A node, and the weights of its endpoints. */
struct share {
    struct in6_addr addr;
    uint64_t sum;
};

/* Returns what keeps the endpoint 'c' from answering for itself, or null.  The
 * answers of a process of a node do not pass the switch. */
static const char *
find_fault(const struct candidate *c, const struct kube_peers *peers)
{
    const struct kube_node *node = kube_peers_find(peers, c->node);
    struct in6_addr end;

    for (size_t i = 0; node && i < node->n_addrs; i++) {
        if (ipv6_addr_equals(&node->addrs[i], &c->e.addr)) {
            return "has the address of its node";
        }
    }
    return (!c->node[0] ? "is on no node"
            : !kube_peers_end(peers, c->node, &end)
            ? "is on a node that is not known"
            : NULL);
}

/* Returns those of 'all' that can answer for themselves, for the caller to
 * free. */
static struct candidates
select_able(const struct candidates *all, const struct kube_peers *peers,
            char **error)
{
    struct candidates able = { xmalloc((all->n + 1) * sizeof *able.c), 0 };

    for (size_t i = 0; i < all->n; i++) {
        const char *fault = find_fault(&all->c[i], peers);

        if (!fault) {
            able.c[able.n++] = all->c[i];
        } else if (all->c[i].rank != UNUSABLE) {
            char addr[INET6_ADDRSTRLEN];

            ipv6_string_mapped(addr, &all->c[i].e.addr);
            kv_complain(error, "endpoint %s gets nothing by direct return: it "
                        "%s", addr, fault);
        }
    }
    return able;
}

static int
compare_shares(const void *a_, const void *b_)
{
    const struct share *a = a_, *b = b_;

    return memcmp(&a->addr, &b->addr, sizeof a->addr);
}

/* Returns a share for each node of the candidates 'able', sorted, and their
 * number in '*n'.  It is the sum of weights of its endpoints in 'chosen'. */
static struct share *
make_shares(const struct candidates *able, const struct service_set *chosen,
            const struct kube_peers *peers, size_t *n)
{
    struct share *shares = xcalloc(able->n + 1, sizeof *shares);
    size_t j = 0, n_merged = 0;

    /* Both are sorted alike. */
    for (size_t i = 0; i < able->n; i++) {
        kube_peers_end(peers, able->c[i].node, &shares[i].addr);
        if (j < chosen->n
            && !service_endpoint_compare(&able->c[i].e,
                                         &chosen->endpoints[j])) {
            shares[i].sum = chosen->endpoints[j++].weight;
        }
    }
    if (able->n) {
        qsort(shares, able->n, sizeof *shares, compare_shares);
    }
    for (size_t i = 0; i < able->n; i++) {
        if (n_merged && !compare_shares(&shares[n_merged - 1], &shares[i])) {
            shares[n_merged - 1].sum += shares[i].sum;
        } else {
            shares[n_merged++] = shares[i];
        }
    }
    *n = n_merged;
    return shares;
}

/* Makes the 'n' nodes of 'port' out of 'shares'.  All weights lose the same
 * number of bits, so that a change of one seldom changes others. */
static void
set_nodes(struct service_port *port, const struct share *shares, size_t n)
{
    unsigned int shift = 0;

    for (size_t i = 0; i < n; i++) {
        while (shares[i].sum >> shift > UINT16_MAX) {
            shift++;
        }
    }
    port->nodes = xcalloc(n, sizeof *port->nodes);
    port->n_nodes = n;
    for (size_t i = 0; i < n; i++) {
        port->nodes[i].addr = shares[i].addr;
        port->nodes[i].weight = (shares[i].sum
                                 ? MAX(shares[i].sum >> shift, 1) : 0);
    }
}

/* Fills in 'direct', 'nodes' and 'here' of 'port', whose Service asks for
 * direct return and has the endpoints 'all'.  Without 'peers', or if no
 * endpoint can answer for itself, the Service is served as without it. */
void
service_direct_fill(struct service_port *port, const struct candidates *all,
                    const struct kube_peers *peers, char **error)
{
    struct candidates able;
    struct service_set chosen;
    struct share *shares;
    size_t n;

    if (!peers) {
        kv_complain(error, "annotation "KUBE_DIRECT_RETURN" needs option "
                    "--direct-return");
        return;
    } else if (port->protocol == IPPROTO_SCTP) {
        kv_complain(error, "port %d has no direct return: it is of SCTP",
                    port->port);
        return;
    }
    able = select_able(all, peers, error);
    chosen = candidates_make_set(&able, candidates_topology(&able), false);
    shares = make_shares(&able, &chosen, peers, &n);
    if (n > SERVICE_MAX_NODES) {
        kv_complain(error, "port %d has no direct return: its endpoints are "
                    "on more than %d nodes", port->port, SERVICE_MAX_NODES);
    } else if (chosen.n) {
        port->direct = true;
        port->here = candidates_make_set(&able, EVERYWHERE, true);
        set_nodes(port, shares, n);
    }
    free(shares);
    free(chosen.endpoints);
    free(able.c);
}
