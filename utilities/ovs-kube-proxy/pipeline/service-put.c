/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "service-put.h"

#include "service-flows.h"
#include "service-state.h"
#include "utilities/of-sync/of-sync.h"

/* Makes the flows and groups of 'sf' all that 'key' wants.  Frees what 'sf'
 * holds. */
void
pipeline_put(struct service_pipeline *p, const char *key,
             struct service_flows *sf)
{
    of_sync_replace(p->sync, key, sf->flows, sf->n_flows,
                    sf->groups, sf->n_groups);
    sf->n_flows = sf->n_groups = 0;
    service_flows_destroy(sf);
}
