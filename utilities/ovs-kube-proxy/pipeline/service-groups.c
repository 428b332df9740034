/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "service-groups.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "jhash.h"
#include "packets.h"
#include "service-flows.h"
#include "util.h"
#include "utilities/ovs-kube-proxy/service/service-policy.h"

/* A set with more endpoints than this has a group for each. */
#define MAX_DIRECT 500

/* With more than this for each part, there are twice as many parts.  The hash
 * makes some parts larger than others.  2,708 buckets fit into a message. */
#define MAX_PART 2000
#define MAX_PARTS 16
BUILD_ASSERT_DECL(SERVICE_MAX_ENDPOINTS <= MAX_PART * MAX_PARTS);

/* Stages: 0 is for endpoints. */
#define STAGE_PARTS 1
#define STAGE_NODES 2

/* Without parts, more than a switch can tell of. */
#define MAX_UNPARTED 4096

static bool
set_equals(const struct service_set *a, const struct service_set *b)
{
    if (a->verdict != b->verdict || a->n != b->n) {
        return false;
    }
    for (size_t i = 0; i < a->n; i++) {
        if (!ipv6_addr_equals(&a->endpoints[i].addr, &b->endpoints[i].addr)
            || a->endpoints[i].port != b->endpoints[i].port
            || a->endpoints[i].weight != b->endpoints[i].weight) {
            return false;
        }
    }
    return true;
}

/* As the class's function, but frees 'name'. */
static bool
group_id(struct service_groups *g, char *name, uint32_t *id)
{
    bool ok = g->class->group_id(name, id, g->aux);

    free(name);
    return ok;
}

/* Adds a group for each of the 'n' members, endpoints of the set whose own
 * group is 'set_name', and has the members lead there.  Returns false if no id
 * is left. */
static bool
add_endpoints(struct service_groups *g, const char *set_name,
              struct flows_member *members, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct service_endpoint *ep = members[i].endpoint;
        char addr[INET6_ADDRSTRLEN];

        ipv6_string_mapped(addr, &ep->addr);
        if (!group_id(g, xasprintf("%s/%s/%d", set_name, addr, ep->port),
                      &members[i].group_id)) {
            return false;
        }
        flows_add_endpoint(g->sf, g->t, ep, members[i].group_id);
        members[i].endpoint = NULL;
    }
    return true;
}

static size_t
count_parts(size_t n)
{
    size_t n_parts = 1;

    while (n_parts * MAX_PART < n) {
        n_parts *= 2;
    }
    return n_parts;
}

/* All machines must say the same, for switches with one seed choose alike. */
static size_t
part_of(const struct service_endpoint *ep, size_t n_parts)
{
    return jhash_bytes(&ep->addr, sizeof ep->addr, ep->port) & (n_parts - 1);
}

/* Makes the sums of weights in 'sums' fit into the weights of the 'n' 'parts'.
 * All lose the same number of bits, so that a change of one sum seldom changes
 * other weights. */
static void
set_weights(struct flows_member *parts, const uint64_t *sums, size_t n)
{
    unsigned int shift = 0;

    for (size_t i = 0; i < n; i++) {
        while (sums[i] >> shift > UINT16_MAX) {
            shift++;
        }
    }
    for (size_t i = 0; i < n; i++) {
        parts[i].weight = MAX(sums[i] >> shift, 1);
    }
}

/* Adds groups for the parts of 'set', whose own group is 'set_name'.
 * 'members' are '*n' for its endpoints, and then '*n' for its parts.  Returns
 * false if no id is left. */
static bool
add_parts(struct service_groups *g, const struct service_set *set,
          const char *set_name, struct flows_member *members, size_t *n)
{
    struct flows_member parts[MAX_PARTS], *part = xmalloc(*n * sizeof *part);
    size_t n_parts = count_parts(*n), n_used = 0;
    uint64_t sums[MAX_PARTS];
    bool ok = true;

    for (size_t i = 0; i < n_parts && ok; i++) {
        uint64_t sum = 0;
        size_t n_part = 0;
        uint32_t id;

        for (size_t j = 0; j < *n; j++) {
            if (part_of(&set->endpoints[j], n_parts) == i) {
                part[n_part++] = members[j];
                sum += members[j].weight;
            }
        }
        ok = !n_part || group_id(g, xasprintf("%s/part%"PRIuSIZE, set_name, i),
                                 &id);
        if (ok && n_part) {
            flows_add_group(g->sf, g->t, g->port, STAGE_PARTS, id, part,
                            n_part);
            sums[n_used] = sum;
            parts[n_used++] = (struct flows_member) { .group_id = id };
        }
    }
    set_weights(parts, sums, n_used);
    memcpy(members, parts, n_used * sizeof *members);
    *n = n_used;
    free(part);
    return ok;
}

/* Returns the 'n' 'endpoints' as members, for the caller to free, with groups
 * for each, below that of 'name', if they are many.  Sets '*ok' to false if no
 * id is left for these. */
static struct flows_member *
make_members(struct service_groups *g, const char *name,
             const struct service_endpoint *endpoints, size_t n, bool *ok)
{
    struct flows_member *members = xcalloc(n + 1, sizeof *members);

    for (size_t i = 0; i < n; i++) {
        members[i].endpoint = &endpoints[i];
        members[i].weight = endpoints[i].weight;
    }
    *ok = n <= MAX_DIRECT || add_endpoints(g, name, members, n);
    return members;
}

/* Returns true if groups of the present port have two steps: its Services, and
 * their endpoints. */
static bool
has_shares(const struct service_groups *g)
{
    size_t n = 0;

    for (size_t i = 0; i < g->port->n_shares; i++) {
        n += g->port->shares[i].n;
    }
    return g->t->maglev && g->port->n_shares && n <= MAX_PART;
}

/* Adds the group with 'id', 'set_name', that chooses a Service of the port,
 * and a group for each Service that has endpoints.  Returns false if no id is
 * left. */
static bool
add_shares(struct service_groups *g, const char *set_name, uint32_t id)
{
    static const struct service_endpoint reject = { .reject = true };
    const struct service_port *port = g->port;
    struct flows_member *services = xcalloc(port->n_shares, sizeof *services);
    bool ok = true;

    for (size_t i = 0; i < port->n_shares && ok; i++) {
        const struct service_share *share = &port->shares[i];
        char *name = xasprintf("%s/%s", set_name, share->name);
        struct flows_member *members;

        services[i].weight = share->weight;
        if (!share->n) {
            services[i].endpoint = &reject;
        } else if ((ok = group_id(g, xstrdup(name), &services[i].group_id))) {
            members = make_members(g, name, share->endpoints, share->n, &ok);
            flows_add_group(g->sf, g->t, port, 1, services[i].group_id,
                            members, share->n);
            free(members);
        }
        free(name);
    }
    if (ok) {
        flows_add_group(g->sf, g->t, port, 0, id, services, port->n_shares);
    }
    free(services);
    return ok;
}

/* Adds the group 'name', with 'id', for 'set', and those to which it leads.
 * Returns false if no id is left for these. */
static bool
add_groups(struct service_groups *g, const struct service_set *set,
           const char *name, uint32_t id)
{
    size_t n = g->t->maglev ? set->n : MIN(set->n, MAX_UNPARTED);
    struct flows_member *members;
    bool ok;

    if (has_shares(g)) {
        return add_shares(g, name, id);
    }
    members = make_members(g, name, set->endpoints, n, &ok);
    if (ok && g->t->maglev && count_parts(n) > 1) {
        ok = add_parts(g, set, name, members, &n);
    }
    if (ok) {
        flows_add_group(g->sf, g->t, g->port, 0, id, members, n);
    }
    free(members);
    return ok;
}

/* Returns the name of the group for 'what', for the caller to free. */
static char *
group_name(const struct service_port *p, const char *what)
{
    static const char *const protocols[] = {
        [IPPROTO_TCP] = "tcp", [IPPROTO_UDP] = "udp", [IPPROTO_SCTP] = "sctp",
    };

    return xasprintf("%s/%s:%s/%d/ipv%d/%s", p->namespace_, p->name,
                     protocols[p->protocol], p->port, p->ipv6 ? 6 : 4, what);
}

/* Stores the id of the group for 'set' in '*id'.  Returns false if no id is
 * left.  Equal sets share a group, and so what the group remembers of clients
 * (rule 8). */
bool
service_groups_get(struct service_groups *g, const struct service_set *set,
                   uint32_t *id)
{
    const struct service_port *p = g->port;
    char *name;
    bool ok;

    for (size_t i = 0; i < g->n_sets; i++) {
        if (set_equals(g->sets[i], set)) {
            *id = g->ids[i];
            return true;
        }
    }
    name = group_name(p, set_equals(set, &p->cluster) ? "cluster"
                      : set == &p->internal ? "internal"
                      : set == &p->here ? "here" : "external");
    ok = (g->class->group_id(name, id, g->aux)
          && add_groups(g, set, name, *id));
    if (ok) {
        g->sets[g->n_sets] = set;
        g->ids[g->n_sets++] = *id;
    }
    free(name);
    return ok;
}

/* Stores the id of the group that chooses a node in '*id'.  Returns false if
 * no id is left. */
bool
service_groups_get_nodes(struct service_groups *g, uint32_t *id)
{
    if (!g->nodes_id) {
        if (!group_id(g, group_name(g->port, "nodes"), &g->nodes_id)) {
            return false;
        }
        flows_add_nodes(g->sf, g->t, g->port, STAGE_NODES, g->nodes_id);
    }
    *id = g->nodes_id;
    return true;
}
