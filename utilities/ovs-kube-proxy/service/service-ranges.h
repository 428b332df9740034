/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SERVICE_RANGES_H
#define SERVICE_RANGES_H 1

/* The cluster's ranges of ClusterIPs
 * ==================================
 *
 * From objects of kind ServiceCIDR, networking.k8s.io/v1, of which an
 * administrator may add more to a running cluster.  One that is being deleted
 * counts until it is gone: its addresses are still in use.
 *
 * Attack model: as kube-parse.h.
 *
 * Thread-safety: none; all of it belongs to one thread. */

#include <stddef.h>
#include <stdint.h>

#include "openvswitch/shash.h"
#include "utilities/kube/kube-sink.h"

struct json;
struct kube_cidr;

struct service_ranges {
    struct shash objects;       /* Contains "struct range_object"s, by name. */
    unsigned int list;          /* Number of the last list. */
    struct kube_cidr *cidrs;    /* Of all objects, in the order of names. */
    size_t n;
    uint64_t generation;        /* Changes with 'cidrs'. */
};

void service_ranges_init(struct service_ranges *);
void service_ranges_destroy(struct service_ranges *);
void service_ranges_apply(struct service_ranges *, enum kube_event,
                          const struct json *, char **error);
void service_ranges_list_begin(struct service_ranges *);
void service_ranges_list_end(struct service_ranges *);

#endif /* service-ranges.h */
