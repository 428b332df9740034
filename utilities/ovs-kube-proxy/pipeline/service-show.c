/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "service-show.h"

#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/match.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofp-flow.h"
#include "openvswitch/ofp-group.h"
#include "service-claims.h"
#include "service-flows.h"
#include "service-node.h"
#include "service-state.h"
#include "util.h"
#include "utilities/common/metrics.h"
#include "utilities/ovs-kube-proxy/service/kube-store.h"
#include "utilities/ovs-kube-proxy/service/service-format.h"

static void
show_flows(const struct service_flows *sf, struct ds *s)
{
    for (size_t i = 0; i < sf->n_groups; i++) {
        struct ds group = DS_EMPTY_INITIALIZER;

        ofputil_group_mod_format__(&group, OFP15_VERSION, &sf->groups[i],
                                   NULL, NULL);
        ds_put_format(s, "  %s\n",
                      ds_cstr(&group) + strspn(ds_cstr(&group), "\n AD"));
        ds_destroy(&group);
    }
    for (size_t i = 0; i < sf->n_flows; i++) {
        const struct ofputil_flow_mod *fm = &sf->flows[i];
        struct ofpact_format_params params = { .s = s };

        ds_put_format(s, "  table=%d, ", fm->table_id);
        minimatch_format(&fm->match, NULL, NULL, s, fm->priority);
        ds_put_cstr(s, " actions=");
        ofpacts_format(fm->ofpacts, fm->ofpacts_len, &params);
        ds_put_char(s, '\n');
    }
}

/* Appends a line for each Service in the switch. */
void
service_pipeline_list(const struct service_pipeline *p, struct ds *s)
{
    const struct shash_node **nodes = shash_sort(&p->services);

    for (size_t i = 0; i < shash_count(&p->services); i++) {
        const struct piped_service *ps = nodes[i]->data;
        const struct service *service = service_of(p->store, ps->key);

        ds_put_format(s, "%s: %"PRIuSIZE" ports, %"PRIuSIZE" flows, "
                      "%"PRIuSIZE" groups\n", ps->key,
                      service ? service->n : 0, ps->n_flows,
                      sset_count(&ps->groups));
    }
    free(nodes);
}

/* Appends the Service 'ns_name', with its groups and flows, to 's'.  Returns
 * false if there is no such Service. */
bool
service_pipeline_show(struct service_pipeline *p, const char *ns_name,
                      struct ds *s)
{
    const struct service *service = service_of(p->store, ns_name);
    struct compose_aux aux = {
        .p = p,
        .s = shash_find_data(&p->services, ns_name),
        .trying = true,
    };
    struct service_flows sf;

    if (!service) {
        return false;
    }
    service_format(service, s);
    if (aux.s) {
        sset_init(&aux.groups);
        pipeline_compose(&aux, service, &sf);
        if (sf.n_left_out) {
            ds_put_format(s, "  left out: %"PRIuSIZE" flows more than %d\n",
                          sf.n_left_out, SERVICE_MAX_FLOWS);
        }
        show_flows(&sf, s);
        service_flows_destroy(&sf);
        sset_destroy(&aux.groups);
    }
    return true;
}

/* Appends the flows that do not depend on any Service. */
void
service_pipeline_show_base(struct service_pipeline *p, struct ds *s)
{
    if (p->based) {
        struct service_flows sf;

        pipeline_compose_base(p, &sf);
        show_flows(&sf, s);
        service_flows_destroy(&sf);
    }
}

/* Appends counters to 'm'. */
void
service_pipeline_format_metrics(const struct service_pipeline *p,
                                const struct metrics *m)
{
    metrics_put_gauge(m, "services", "Services that are in the switch.",
                      shash_count(&p->services));
    metrics_put_counter(m, "service_updates_total",
                        "Services made into flows.", p->n_updates);
    metrics_put_counter(m, "service_conflicts_total",
                        "Addresses that two Services wanted.",
                        p->n_conflicts);
    metrics_put_gauge(m, "flows_left_out",
                      "Flows of Services beyond the limit for each.",
                      p->n_left_out);
    metrics_put_counter(m, "udp_flushes_total",
                        "Ways to UDP endpoints whose connections were ended.",
                        p->n_flushes);
}
