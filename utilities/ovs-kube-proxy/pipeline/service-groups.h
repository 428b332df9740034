/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SERVICE_GROUPS_H
#define SERVICE_GROUPS_H 1

/* Groups for the endpoints of one port of a Service
 * =================================================
 *
 * A switch tells what is in a group in one message of 65,535 octets.  A bucket
 * that translates to an IPv6 endpoint takes 120 octets of it, one that leads
 * to another group 24.  So the form of a set depends on its size:
 *
 *   - few endpoints: one group, whose buckets translate;
 *
 *   - more: one group, and a group for each endpoint, which translates;
 *
 *   - still more: the endpoints are in parts.  One group chooses a part, the
 *     group of the part an endpoint.  The hash of address and port says in
 *     which part an endpoint is, so one that comes or goes changes one part.
 *     There are 2, 4, 8 or 16 parts.  Both choices are by the same fields,
 *     and affinity holds over both.
 *
 * A route of Gateway API has weights of Services.  There one group chooses a
 * Service, and a group for each Service an endpoint, however few there are: so
 * an endpoint that comes or goes moves no flow of another Service.  With more
 * endpoints than fit into one part, or with an endpoint that two Services
 * have, it has one set of endpoints, as a Service does.
 *
 * A switch without "maglev" would make the second choice by the same hash as
 * the first.  There a set has no parts, and what does not fit is left out.
 *
 * With direct return, a group of its own chooses a node before one of these
 * chooses an endpoint of that node.
 *
 * Thread-safety: none; each object belongs to one thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct service_flows;
struct service_flows_class;
struct service_port;
struct service_set;
struct service_tables;

/* The groups of one port.  Others set the first members and then call
 * service_groups_get(). */
struct service_groups {
    struct service_flows *sf;   /* Where groups go. */
    const struct service_tables *t;
    const struct service_port *port;
    const struct service_flows_class *class;
    void *aux;                  /* For 'class'. */

    /* Sets that have a group already. */
    const struct service_set *sets[4];
    uint32_t ids[4];
    size_t n_sets;
    uint32_t nodes_id;          /* The group that chooses a node; 0: none. */
};

bool service_groups_get(struct service_groups *, const struct service_set *,
                        uint32_t *id);
bool service_groups_get_nodes(struct service_groups *, uint32_t *id);

#endif /* service-groups.h */
