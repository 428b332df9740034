/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "kube-cidr.h"

#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "packets.h"

bool
kube_cidr_equals(const struct kube_cidr *a, const struct kube_cidr *b)
{
    return a->plen == b->plen && ipv6_addr_equals(&a->addr, &b->addr);
}

/* Returns true if all addresses of 'b' are in 'a'. */
bool
kube_cidr_covers(const struct kube_cidr *a, const struct kube_cidr *b)
{
    bool ipv4 = IN6_IS_ADDR_V4MAPPED(&a->addr);
    struct in6_addr mask = ipv6_create_mask(a->plen + (ipv4 ? 96 : 0));
    struct in6_addr prefix = ipv6_addr_bitand(&b->addr, &mask);

    return (IN6_IS_ADDR_V4MAPPED(&b->addr) == ipv4 && a->plen <= b->plen
            && ipv6_addr_equals(&prefix, &a->addr));
}

static int
compare(const void *a_, const void *b_)
{
    const struct kube_cidr *a = a_, *b = b_;
    int cmp = memcmp(&a->addr, &b->addr, sizeof a->addr);

    return cmp ? cmp : (int) a->plen - b->plen;
}

/* Sorts the 'n' ranges at 'cidrs', and leaves out those that others cover.
 * Returns the number of the rest. */
size_t
kube_cidrs_reduce(struct kube_cidr *cidrs, size_t n)
{
    size_t n_kept = 0;

    if (n) {
        qsort(cidrs, n, sizeof *cidrs, compare);
    }
    for (size_t i = 0; i < n; i++) {
        if (!n_kept || !kube_cidr_covers(&cidrs[n_kept - 1], &cidrs[i])) {
            cidrs[n_kept++] = cidrs[i];
        }
    }
    return n_kept;
}

/* Returns the first address of 'cidr' for hosts.  In a Node's range of pods,
 * this is the gateway's, which IPAM plugins leave out. */
struct in6_addr
kube_cidr_gateway(const struct kube_cidr *cidr)
{
    struct in6_addr addr = cidr->addr;

    addr.s6_addr[15] |= 1;
    return addr;
}

/* Returns 'ip' as a JSON string, for the caller to destroy. */
struct json *
kube_ip_to_json(const struct in6_addr *ip)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    struct json *json;

    ipv6_format_mapped(ip, &s);
    json = json_string_create(ds_cstr(&s));
    ds_destroy(&s);
    return json;
}

/* Returns 'range' as a JSON string, for the caller to destroy. */
struct json *
kube_cidr_to_json(const struct kube_cidr *range)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    struct json *json;

    ipv6_format_mapped(&range->addr, &s);
    ds_put_format(&s, "/%d", range->plen);
    json = json_string_create(ds_cstr(&s));
    ds_destroy(&s);
    return json;
}
