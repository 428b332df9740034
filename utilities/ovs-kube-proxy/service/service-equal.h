/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SERVICE_EQUAL_H
#define SERVICE_EQUAL_H 1

/* Services that are alike
 * =======================
 *
 * Thread-safety: pure functions. */

#include <stdbool.h>

#include "service-model.h"

/* Returns a number less than, equal to, or greater than 0, by address and then
 * port. */
int service_endpoint_compare(const struct service_endpoint *,
                             const struct service_endpoint *);

/* The same for two "struct service_port", by family, protocol, port and name.
 * For qsort(). */
int service_port_compare(const void *a, const void *b);

/* Returns true if 'a' and 'b', which have the same name and may be null, are
 * equal. */
bool service_equal(const struct service *a, const struct service *b);

#endif /* service-equal.h */
