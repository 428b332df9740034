/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "proxy-compat.h"

#include "utilities/common/metrics.h"
#include "utilities/of-sync/of-show.h"
#include "utilities/ovs-kube-proxy/service/kube-store.h"

static void
put_answers(const struct metrics *m, const struct proxy_answers *answers)
{
    metrics_begin(m, "proxy_healthz_total", "counter",
                  "Answers given at /healthz.");
    metrics_put(m, "proxy_healthz_total", "code", "200",
                answers->healthz_ok);
    metrics_put(m, "proxy_healthz_total", "code", "503",
                answers->healthz_fault);
    metrics_begin(m, "proxy_livez_total", "counter",
                  "Answers given at /livez.");
    metrics_put(m, "proxy_livez_total", "code", "200", answers->livez_ok);
}

/* Appends metrics to 'out'. */
void
proxy_compat_format(const struct kube_store *store,
                    const struct of_sync *sync,
                    const struct proxy_answers *answers, struct ds *out)
{
    const struct metrics m = { "kubeproxy", out };

    of_show_latencies(sync, &m, "sync_proxy_rules_duration_seconds");
    of_show_times(sync, &m, "sync_proxy_rules_last_queued_timestamp_seconds",
                  "sync_proxy_rules_last_timestamp_seconds");
    kube_store_format_changes(store, &m);
    put_answers(&m, answers);
}
