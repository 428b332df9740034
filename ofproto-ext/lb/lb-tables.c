/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-ext/lb/lb-tables.h"

#include <stdbool.h>

#include "lib/lb/lb-registry.h"
#include "lib/lb/lb-table.h"
#include "ofproto-ext/lb/lb-params.h"
#include "ovs-rcu.h"
#include "util.h"

struct ovs_mutex lb_mutex = OVS_MUTEX_INITIALIZER;

static size_t limit OVS_GUARDED_BY(lb_mutex) = SIZE_MAX;
static size_t n_bytes OVS_GUARDED_BY(lb_mutex);

void
lb_tables_set_limit(size_t limit_)
{
    limit = limit_;
}

size_t
lb_tables_bytes(void)
{
    return n_bytes;
}

/* Returns true if 'table', to be that of 'id', is too much beside all others.
 * A group that does not grow can always be changed. */
static bool
is_too_much(uint32_t id, const struct lb_table *table)
    OVS_REQUIRES(lb_mutex)
{
    const struct lb_table *old = lb_registry_get(id);
    size_t old_bytes = old ? old->n_bytes : 0;

    return (table->n_bytes > old_bytes
            && n_bytes - old_bytes + table->n_bytes > limit);
}

struct lb_table *
lb_tables_build(const struct ofgroup *group, uint32_t id,
                const struct lb_member *members, size_t n,
                const struct lb_table_config *config)
{
    struct lb_table *table;
    int error = lb_table_build(members, n, config, &table);

    if (error) {
        lb_params_log_refusal(group, "no table (%s)", ovs_strerror(error));
        return NULL;
    }
    if (is_too_much(id, table)) {
        lb_params_log_refusal(group, "the tables of all groups would take "
                              "more than other_config:lb-memory-limit");
        lb_table_destroy(table);
        return NULL;
    }
    n_bytes += table->n_bytes;
    return table;
}

static void
destroy_cb(struct lb_table *table)
{
    lb_table_destroy(table);
}

void
lb_tables_publish(uint32_t id, struct lb_table *table)
{
    struct lb_table *old = lb_registry_set(id, table);

    if (old) {
        n_bytes -= old->n_bytes;
        ovsrcu_postpone(destroy_cb, old);
    }
}

void
lb_tables_discard(struct lb_table *table)
{
    if (table) {
        n_bytes -= table->n_bytes;
        lb_table_destroy(table);
    }
}
