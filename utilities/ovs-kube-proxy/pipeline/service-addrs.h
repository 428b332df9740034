/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SERVICE_ADDRS_H
#define SERVICE_ADDRS_H 1

/* The addresses of this machine
 * =============================
 *
 * All addresses of the interfaces in the program's network namespace, as they
 * come and go; none of scope host (loopback) or link.
 *
 * Thread-safety: as service-pipeline.h. */

#include <stdbool.h>
#include <stddef.h>
#include <netinet/in.h>

struct service_addrs;

struct service_addrs *service_addrs_create(void);
void service_addrs_destroy(struct service_addrs *);
bool service_addrs_run(struct service_addrs *);
void service_addrs_wait(const struct service_addrs *);
const struct in6_addr *service_addrs_get(const struct service_addrs *,
                                         size_t *n);

#endif /* service-addrs.h */
