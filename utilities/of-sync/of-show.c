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
    size_t n_flows, n_groups;

    count_items(sync, &n_flows, &n_groups);
    ds_put_format(s, "switch %s: %s\n", sync->options.remote,
                  state_name(sync));
    ds_put_format(s, "selection method: %s\n",
                  sync->has_lb ? "maglev" : "dp_hash");
    ds_put_format(s, "has %"PRIuSIZE" flows, %"PRIuSIZE" groups; "
                  "%"PRIuSIZE" to be changed, %"PRIuSIZE" under way\n",
                  n_flows, n_groups, sync->n_dirty,
                  sync->bundle.state ? sync->bundle.n_items : 0);
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
put_counter(struct ds *s, const char *name, const char *help, uint64_t n)
{
    ds_put_format(s, "# HELP ovs_kube_proxy_%s %s\n"
                  "# TYPE ovs_kube_proxy_%s counter\n"
                  "ovs_kube_proxy_%s %"PRIu64"\n", name, help, name, name, n);
}

/* Appends counters to 's', in the text format of Prometheus. */
void
of_show_metrics(const struct of_sync *sync, struct ds *s)
{
    static const char latency[] = "ovs_kube_proxy_sync_latency_seconds";
    size_t n_flows, n_groups;
    uint64_t n = 0;

    count_items(sync, &n_flows, &n_groups);
    ds_put_format(s, "# HELP ovs_kube_proxy_switch_items Our flows and groups "
                  "in the switch.\n"
                  "# TYPE ovs_kube_proxy_switch_items gauge\n"
                  "ovs_kube_proxy_switch_items{type=\"flow\"} %"PRIuSIZE"\n"
                  "ovs_kube_proxy_switch_items{type=\"group\"} %"PRIuSIZE"\n"
                  "# HELP ovs_kube_proxy_settled Whether the switch has all "
                  "that it should.\n"
                  "# TYPE ovs_kube_proxy_settled gauge\n"
                  "ovs_kube_proxy_settled %d\n",
                  n_flows, n_groups, of_sync_is_settled(sync));
    put_counter(s, "switch_connections_total",
                "Times the switch was connected to.",
                sync->stats.connections);
    put_counter(s, "bundles_total", "Bundles sent.", sync->stats.bundles);
    put_counter(s, "bundles_failed_total", "Bundles that the switch refused.",
                sync->stats.bundles_failed);
    put_counter(s, "refused_total", "Services that the switch refused.",
                sync->stats.refused);
    ds_put_format(s, "# HELP ovs_kube_proxy_changes_total Changes sent.\n"
                  "# TYPE ovs_kube_proxy_changes_total counter\n"
                  "ovs_kube_proxy_changes_total{type=\"flow-put\"} "
                  "%"PRIu64"\n"
                  "ovs_kube_proxy_changes_total{type=\"flow-delete\"} "
                  "%"PRIu64"\n"
                  "ovs_kube_proxy_changes_total{type=\"group-add\"} "
                  "%"PRIu64"\n"
                  "ovs_kube_proxy_changes_total{type=\"group-modify\"} "
                  "%"PRIu64"\n"
                  "ovs_kube_proxy_changes_total{type=\"group-delete\"} "
                  "%"PRIu64"\n",
                  sync->stats.flow_adds, sync->stats.flow_deletes,
                  sync->stats.group_adds, sync->stats.group_changes,
                  sync->stats.group_deletes);
    put_counter(s, "ct_flushes_total", "Requests to forget connections.",
                sync->stats.ct_flushes);
    put_counter(s, "ct_flushes_lost_total",
                "Such requests that the switch refused.",
                sync->stats.ct_flushes_lost);
    put_counter(s, "others_changes_total",
                "Changes of our flows and groups by somebody else.",
                sync->stats.others_changes);
    put_counter(s, "repairs_total", "Times that such changes were put back.",
                sync->stats.repairs);
    ds_put_format(s, "# HELP %s From a change to the switch's answer.\n"
                  "# TYPE %s histogram\n", latency, latency);
    for (size_t i = 0; i < OF_N_LATENCIES; i++) {
        n += sync->stats.latency[i];
        ds_put_format(s, "%s_bucket{le=\"%g\"} %"PRIu64"\n", latency,
                      (1 << i) / 1000.0, n);
    }
    ds_put_format(s, "%s_bucket{le=\"+Inf\"} %"PRIu64"\n"
                  "%s_sum %.3f\n%s_count %"PRIu64"\n", latency,
                  sync->stats.n_latency, latency, sync->stats.latency_sum,
                  latency, sync->stats.n_latency);
}
