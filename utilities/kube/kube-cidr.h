/* SPDX-License-Identifier: Apache-2.0 */

#ifndef KUBE_CIDR_H
#define KUBE_CIDR_H 1

/* Address ranges
 * ==============
 *
 * Thread-safety: functions are reentrant. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>

struct json;

/* An address range.  An IPv4 one is v4-mapped, with 'plen' from 0 to 32. */
struct kube_cidr {
    struct in6_addr addr;
    uint8_t plen;
};

bool kube_cidr_equals(const struct kube_cidr *, const struct kube_cidr *);
bool kube_cidr_covers(const struct kube_cidr *, const struct kube_cidr *);
size_t kube_cidrs_reduce(struct kube_cidr *, size_t n);
struct in6_addr kube_cidr_gateway(const struct kube_cidr *);

struct json *kube_ip_to_json(const struct in6_addr *);
struct json *kube_cidr_to_json(const struct kube_cidr *);

#endif /* kube-cidr.h */
