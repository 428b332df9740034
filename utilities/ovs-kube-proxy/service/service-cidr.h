/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SERVICE_CIDR_H
#define SERVICE_CIDR_H 1

/* Address ranges
 * ==============
 *
 * Thread-safety: functions are reentrant. */

#include <stdbool.h>
#include <stddef.h>

struct service_cidr;

bool service_cidr_equals(const struct service_cidr *,
                         const struct service_cidr *);
bool service_cidr_covers(const struct service_cidr *,
                         const struct service_cidr *);
size_t service_cidrs_reduce(struct service_cidr *, size_t n);

#endif /* service-cidr.h */
