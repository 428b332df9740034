/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SERVICE_METRICS_H
#define SERVICE_METRICS_H 1

/* Metrics of each Service and each endpoint
 * =========================================
 *
 * What the switch counts in the groups: packets that open connections.  Later
 * packets of a connection meet no group.
 *
 * Limits: 'max' series of Services and as many of endpoints, in the order of
 * Services' names; a metric says how many are left out.
 *
 * Attack model: names may be any text.  They are escaped.
 *
 * Thread-safety: as service-pipeline.h. */

#include <stddef.h>

struct metrics;
struct service_pipeline;

void service_metrics_format(struct service_pipeline *, size_t max,
                            const struct metrics *);

#endif /* service-metrics.h */
