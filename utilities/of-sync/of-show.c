/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "of-show.h"

#include "of-item.h"
#include "of-state.h"
#include "of-sync.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/rconn.h"
#include "svec.h"
#include "util.h"
#include "utilities/common/metrics.h"

static const char *
state_name(const struct of_sync *sync)
{
    switch (sync->state) {
    case OF_DISCONNECTED:
        return rconn_get_state(sync->rconn);
    case OF_DUMPING:
        return "asking what the switch has";
    case OF_SYNCING:
        return (!sync->complete ? "waiting for the lists to be complete"
                : of_sync_is_settled(sync) ? "settled"
                : sync->repair ? "waiting to put back what others changed"
                : "changing the switch");
    }
    OVS_NOT_REACHED();
}

static void
count_items(const struct of_sync *sync, size_t *n_flows, size_t *n_groups)
{
    const struct of_item *item;

    *n_flows = *n_groups = 0;
    HMAP_FOR_EACH (item, node, &sync->items) {
        if (item->have) {
            ++*(item->is_group ? n_groups : n_flows);
        }
    }
}

/* Appends the state of 'sync' to 's', in lines. */
void
of_show(const struct of_sync *sync, struct ds *s)
{
    struct svec refused = SVEC_EMPTY_INITIALIZER;
    const struct shash_node *node;
    size_t n_flows, n_groups, n_sent = 0;

    count_items(sync, &n_flows, &n_groups);
    for (size_t i = 0; i < sync->n_bundles; i++) {
        n_sent += sync->bundles[i].n_items;
    }
    ds_put_format(s, "switch %s: %s\n", sync->options.remote,
                  state_name(sync));
    ds_put_format(s, "selection method: %s\n",
                  sync->has_lb ? "maglev" : "dp_hash");
    ds_put_format(s, "has %"PRIuSIZE" flows, %"PRIuSIZE" groups; "
                  "%"PRIuSIZE" to be changed, %"PRIuSIZE" under way\n",
                  n_flows, n_groups, sync->n_dirty, n_sent);
    SHASH_FOR_EACH (node, &sync->owners) {
        const struct of_owner *owner = node->data;

        if (owner->refused) {
            svec_add_nocopy(&refused, xasprintf("refused: %s: %s\n",
                                                owner->key, owner->refused));
        }
    }
    svec_sort(&refused);
    for (size_t i = 0; i < refused.n; i++) {
        ds_put_cstr(s, refused.names[i]);
    }
    svec_destroy(&refused);
}

static void
put_changes(const struct of_sync *sync, const struct metrics *m)
{
    const struct {
        const char *type;
        uint64_t n;
    } changes[] = {
        { "flow-put", sync->stats.flow_adds },
        { "flow-delete", sync->stats.flow_deletes },
        { "group-add", sync->stats.group_adds },
        { "group-modify", sync->stats.group_changes },
        { "group-delete", sync->stats.group_deletes },
    };

    metrics_begin(m, "changes_total", "counter", "Changes sent.");
    for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
        metrics_put(m, "changes_total", "type", changes[i].type,
                    changes[i].n);
    }
}

/* Appends the time from each change to the switch's answer, as metric 'name',
 * to 'm'. */
void
of_show_latencies(const struct of_sync *sync, const struct metrics *m,
                  const char *name)
{
    const char *p = m->program;
    uint64_t n = 0;

    metrics_begin(m, name, "histogram",
                  "From a change to the switch's answer.");
    for (size_t i = 0; i < OF_N_LATENCIES; i++) {
        n += sync->stats.latency[i];
        ds_put_format(m->out, "%s_%s_bucket{le=\"%g\"} %"PRIu64"\n", p, name,
                      (1 << i) / 1000.0, n);
    }
    ds_put_format(m->out, "%s_%s_bucket{le=\"+Inf\"} %"PRIu64"\n"
                  "%s_%s_sum %.3f\n%s_%s_count %"PRIu64"\n", p, name,
                  sync->stats.n_latency, p, name, sync->stats.latency_sum,
                  p, name, sync->stats.n_latency);
}

/* Appends when something last changed, as metric 'changed', and when the
 * switch last acknowledged a change, as metric 'synced', to 'm'.  Both are
 * seconds since 1970; 0: never. */
void
of_show_times(const struct of_sync *sync, const struct metrics *m,
              const char *changed, const char *synced)
{
    metrics_put_gauge(m, changed, "When something last changed.",
                      sync->stats.changed / 1000);
    metrics_put_gauge(m, synced,
                      "When the switch last acknowledged a change.",
                      sync->stats.synced / 1000);
}

/* Appends counters to 'm'. */
void
of_show_metrics(const struct of_sync *sync, const struct metrics *m)
{
    size_t n_flows, n_groups;

    count_items(sync, &n_flows, &n_groups);
    metrics_begin(m, "switch_items", "gauge",
                  "Our flows and groups in the switch.");
    metrics_put(m, "switch_items", "type", "flow", n_flows);
    metrics_put(m, "switch_items", "type", "group", n_groups);
    metrics_put_gauge(m, "settled",
                      "Whether the switch has all that it should.",
                      of_sync_is_settled(sync));
    metrics_put_counter(m, "switch_connections_total",
                        "Times the switch was connected to.",
                        sync->stats.connections);
    metrics_put_counter(m, "bundles_total", "Bundles sent.",
                        sync->stats.bundles);
    metrics_put_counter(m, "bundles_failed_total",
                        "Bundles that the switch refused.",
                        sync->stats.bundles_failed);
    metrics_put_counter(m, "refused_total",
                        "Times that the switch refused a flow or group.",
                        sync->stats.refused);
    put_changes(sync, m);
    metrics_put_counter(m, "ct_flushes_total",
                        "Requests to forget connections.",
                        sync->stats.ct_flushes);
    metrics_put_counter(m, "ct_flushes_lost_total",
                        "Requests to forget connections that were lost.",
                        sync->stats.ct_flushes_lost);
    metrics_put_counter(m, "others_changes_total",
                        "Changes of our flows and groups by somebody else.",
                        sync->stats.others_changes);
    metrics_put_counter(m, "repairs_total",
                        "Times that changes by others were put back.",
                        sync->stats.repairs);
    of_show_latencies(sync, m, "sync_latency_seconds");
}
