/* SPDX-License-Identifier: Apache-2.0 */

/* Kubernetes Services as OpenFlow
 * ===============================
 *
 *     kube-source -> kube-store -> service-pipeline -> of-sync
 *
 * All run in one thread and one poll loop.  See ovs-kube-proxy(8). */

#include <config.h>

#include <stdlib.h>
#include <sys/resource.h>

#include "command-line.h"
#include "compat/compat-unixctl.h"
#include "daemon.h"
#include "fatal-signal.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "ovs-thread.h"
#include "proxy-compat.h"
#include "proxy-configz.h"
#include "proxy-explain.h"
#include "proxy-options.h"
#include "proxy-page.h"
#include "timeval.h"
#include "unixctl.h"
#include "util.h"
#include "utilities/common/compat-library.h"
#include "utilities/common/kube-http.h"
#include "utilities/common/metrics.h"
#include "utilities/kube/kube-api.h"
#include "utilities/kube/kube-health.h"
#include "utilities/kube/kube-source.h"
#include "utilities/of-sync/of-show.h"
#include "utilities/of-sync/of-sync.h"
#include "utilities/ovs-kube-proxy/pipeline/service-metrics.h"
#include "utilities/ovs-kube-proxy/pipeline/service-pipeline.h"
#include "utilities/ovs-kube-proxy/pipeline/service-reject.h"
#include "utilities/ovs-kube-proxy/pipeline/service-show.h"
#include "utilities/ovs-kube-proxy/service/kube-store.h"
#include "utilities/ovs-kube-proxy/service/service-model.h"

VLOG_DEFINE_THIS_MODULE(ovs_kube_proxy);

/* --cleanup gives up after this long without the switch. */
#define CLEANUP_MS 30000

/* /healthz reports a fault when the switch lags by more than this. */
#define LAG_MS 30000

struct proxy {
    const struct proxy_options *options;
    struct kube_store *store;
    struct kube_source *source;
    struct of_sync *sync;
    struct service_pipeline *pipeline;
    struct service_reject *reject;
    struct proxy_explain *explain;
    struct kube_health *health;
    struct kube_http *healthz, *metrics, *page; /* Null: not asked for. */

    struct proxy_answers answers;
    bool synced;                /* The first sync is done. */
    long long int last_current; /* When of-sync last knew all changes, in
                                 * ms. */
    uint64_t health_seqno;      /* The state that 'health' knows. */
    bool health_healthy;
    bool exiting;
};

/* Returns the time, in ms, of the oldest change that is not in the switch, or
 * LLONG_MAX if there is none.  The oldest one counts: under steady change some
 * change is always under way. */
static long long int
behind_since(const struct proxy *proxy)
{
    long long int since = of_sync_behind_since(proxy->sync);

    return (service_pipeline_is_current(proxy->pipeline) ? since
            : MIN(since, proxy->last_current));
}

/* Healthy: the first sync is done and the switch lags by less than LAG_MS. */
static bool
is_healthy(const struct proxy *proxy)
{
    return proxy->synced && behind_since(proxy) > time_msec() - LAG_MS;
}

static bool
is_synced(const struct proxy *proxy)
{
    return (service_pipeline_is_current(proxy->pipeline)
            && of_sync_is_settled(proxy->sync));
}

static const char *
state_name(const struct proxy *proxy)
{
    return (is_synced(proxy) ? "synced"
            : !service_pipeline_has_begun(proxy->pipeline)
            ? "waiting for the first complete lists"
            : "syncing");
}

/* HTTP. */

/* Returns what /healthz complains about, or null.  Load balancers ask it
 * whether to send new connections to this node. */
static const char *
find_fault(const struct proxy *proxy)
{
    return (!proxy->synced ? "the first sync is not done"
            : !is_healthy(proxy) ? "the switch is behind"
            : service_node_is_leaving(proxy->store)
            ? "the Node is being deleted"
            : NULL);
}

static void
serve_health(const char *path, struct kube_response *response, void *proxy_)
{
    struct proxy *proxy = proxy_;
    bool live = !strcmp(path, "/livez");

    if (live || !strcmp(path, "/healthz")) {
        const char *fault = live ? NULL : find_fault(proxy);

        *(live ? &proxy->answers.livez_ok
          : fault ? &proxy->answers.healthz_fault
          : &proxy->answers.healthz_ok) += 1;
        response->status = fault ? 503 : 200;
        response->type = "text/plain";
        ds_put_format(&response->body, "%s\n", fault ? fault : "ok");
    }
}

static void
serve_page(const char *path, struct kube_response *response, void *proxy_)
{
    struct proxy *proxy = proxy_;

    proxy_page_serve(proxy->pipeline, proxy->sync, state_name(proxy),
                     find_fault(proxy), path, response);
}

static void
serve_metrics(const char *path, struct kube_response *response, void *proxy_)
{
    const struct proxy *proxy = proxy_;
    const struct metrics m = { "ovs_kube_proxy", &response->body };

    if (!strcmp(path, "/proxyMode")) {
        response->status = 200;
        response->type = "text/plain";
        ds_put_cstr(&response->body, "openvswitch");
        return;
    } else if (!strcmp(path, "/configz")) {
        response->status = 200;
        response->type = "application/json";
        proxy_configz_format(proxy->options, proxy->pipeline,
                             &response->body);
        return;
    } else if (strcmp(path, "/metrics")) {
        return;
    }
    response->status = 200;
    response->type = "text/plain; version=0.0.4";
    kube_source_format_metrics(proxy->source, &m);
    kube_store_format_metrics(proxy->store, &m);
    service_pipeline_format_metrics(proxy->pipeline, &m);
    service_metrics_format(proxy->pipeline, proxy->options->metrics_series,
                           &m);
    of_show_metrics(proxy->sync, &m);
    service_reject_format_metrics(proxy->reject, &m);
    metrics_put_gauge(&m, "healthy", "1 if /healthz says ok.",
                      !find_fault(proxy));
    proxy_compat_format(proxy->store, proxy->sync, &proxy->answers,
                        &response->body);
}

/* Commands. */

static void
reply(struct unixctl_conn *conn, struct ds *s)
{
    unixctl_command_reply(conn, ds_cstr(s));
    ds_destroy(s);
}

static void
service_list(struct unixctl_conn *conn, int argc OVS_UNUSED,
             const char *argv[] OVS_UNUSED, void *proxy_)
{
    const struct proxy *proxy = proxy_;
    struct ds s = DS_EMPTY_INITIALIZER;

    if (compat_wants_json(conn)) {
        size_t n;

        compat_reply_json(conn, service_pipeline_list_json(proxy->pipeline,
                                                           SIZE_MAX, &n));
    } else {
        service_pipeline_list(proxy->pipeline, &s);
        reply(conn, &s);
    }
}

static void
service_show(struct unixctl_conn *conn, int argc OVS_UNUSED,
             const char *argv[], void *proxy_)
{
    struct proxy *proxy = proxy_;
    struct ds s = DS_EMPTY_INITIALIZER;

    if (!service_pipeline_show(proxy->pipeline, argv[1], &s)) {
        unixctl_command_reply_error(conn, "no such Service; give it as "
                                    "NAMESPACE/NAME");
        ds_destroy(&s);
    } else if (compat_wants_json(conn)) {
        compat_reply_json(conn, service_pipeline_show_json(proxy->pipeline,
                                                           argv[1]));
        ds_destroy(&s);
    } else {
        reply(conn, &s);
    }
}

static void
service_base(struct unixctl_conn *conn, int argc OVS_UNUSED,
             const char *argv[] OVS_UNUSED, void *proxy_)
{
    struct proxy *proxy = proxy_;
    struct ds s = DS_EMPTY_INITIALIZER;

    if (compat_wants_json(conn)) {
        compat_reply_json(conn,
                          service_pipeline_show_base_json(proxy->pipeline));
    } else {
        service_pipeline_show_base(proxy->pipeline, &s);
        reply(conn, &s);
    }
}

static void
sync_status(struct unixctl_conn *conn, int argc OVS_UNUSED,
            const char *argv[] OVS_UNUSED, void *proxy_)
{
    const struct proxy *proxy = proxy_;
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_format(&s, "%s\n", state_name(proxy));
    kube_source_format(proxy->source, &s);
    of_show(proxy->sync, &s);
    reply(conn, &s);
}

static void
proxy_exit(struct unixctl_conn *conn, int argc OVS_UNUSED,
           const char *argv[] OVS_UNUSED, void *proxy_)
{
    struct proxy *proxy = proxy_;

    proxy->exiting = true;
    unixctl_command_reply(conn, NULL);
}

static void
register_commands(struct proxy *proxy)
{
    unixctl_command_register("service/list", "", 0, 0, service_list, proxy);
    unixctl_command_register("service/show", "NAMESPACE/NAME", 1, 1,
                             service_show, proxy);
    unixctl_command_register("service/show-base", "", 0, 0, service_base,
                             proxy);
    unixctl_command_register("sync/status", "", 0, 0, sync_status, proxy);
    unixctl_command_register("exit", "", 0, 0, proxy_exit, proxy);
}

/* The loop. */

/* Returns true if this program, of those of all nodes, writes the status of
 * objects of Gateway API. */
static bool
writes_status(const struct proxy_options *o)
{
    return nullable_string_is_equal(o->gateway_status, o->pipeline.node)
           && o->gateway_status;
}

/* Writes the statuses that are not as they should be. */
static void
run_status(struct proxy *proxy)
{
    struct json *patch;
    char *path;

    if (writes_status(proxy->options)
        && service_pipeline_is_current(proxy->pipeline)) {
        while ((patch = service_next_status(proxy->store, &path))) {
            kube_source_patch(proxy->source, path, patch);
            free(path);
        }
    }
}

static void
run_health(struct proxy *proxy)
{
    uint64_t seqno = service_pipeline_health_seqno(proxy->pipeline);
    bool healthy = is_healthy(proxy);

    if (seqno != proxy->health_seqno || healthy != proxy->health_healthy) {
        proxy->health_seqno = seqno;
        proxy->health_healthy = healthy;
        service_pipeline_tell_health(proxy->pipeline, proxy->health, healthy);
    }
    kube_health_run(proxy->health);
}

static void
run(struct proxy *proxy)
{
    kube_source_run(proxy->source);
    service_pipeline_run(proxy->pipeline);
    run_status(proxy);
    of_sync_run(proxy->sync);
    service_reject_run(proxy->reject);
    if (service_pipeline_is_current(proxy->pipeline)) {
        proxy->last_current = time_msec();
    }
    if (!proxy->synced && of_sync_has_caught_up(proxy->sync)) {
        VLOG_INFO("the first sync is done");
        proxy->synced = true;
    }
    proxy_explain_run(proxy->explain);
    run_health(proxy);
    kube_http_run(proxy->healthz);
    kube_http_run(proxy->metrics);
    kube_http_run(proxy->page);
}

static void
wait(struct proxy *proxy)
{
    kube_source_wait(proxy->source);
    service_pipeline_wait(proxy->pipeline);
    of_sync_wait(proxy->sync);
    service_reject_wait(proxy->reject);
    proxy_explain_wait(proxy->explain);
    kube_health_wait(proxy->health);
    kube_http_wait(proxy->healthz);
    kube_http_wait(proxy->metrics);
    kube_http_wait(proxy->page);
    if (proxy->health_healthy && behind_since(proxy) != LLONG_MAX) {
        /* Wakes up when this stops being healthy. */
        poll_timer_wait_until(behind_since(proxy) + LAG_MS);
    }
    if (proxy->exiting) {
        poll_immediate_wake();
    }
}

/* Removes our flows, groups and meter from the switch. */
static void
cleanup(const struct proxy_options *o)
{
    long long int deadline = time_msec() + CLEANUP_MS;
    struct of_sync *sync = of_sync_create(&o->sync);

    of_sync_clear(sync);
    for (;;) {
        of_sync_run(sync);
        if (of_sync_is_settled(sync)) {
            break;
        }
        if (time_msec() >= deadline) {
            ovs_fatal(0, "%s: no answer within %d seconds", o->sync.remote,
                      CLEANUP_MS / 1000);
        }
        of_sync_wait(sync);
        poll_timer_wait_until(deadline);
        poll_block();
    }
    of_sync_destroy(sync);
}

/* Each health-check node port needs files of its own.  All of them may need
 * more than the usual 1,024. */
static void
raise_file_limit(void)
{
    struct rlimit limit;

    if (!getrlimit(RLIMIT_NOFILE, &limit)) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* Starts all parts but 'proxy->store' and 'proxy->source', which are there. */
static void
start(struct proxy *proxy, const struct proxy_options *o)
{
    const struct kube_api_options api_options = {
        .node = o->pipeline.tables.direct ? NULL : o->pipeline.node,
        .service_cidrs = !o->pipeline.n_services,
        .gateways = o->gateway_api,
        .writes = writes_status(o),
    };

    register_commands(proxy);
    kube_source_start(proxy->source, &api_options);
    proxy->sync = of_sync_create(&o->sync);
    proxy->pipeline = service_pipeline_create(&o->pipeline, proxy->store,
                                              proxy->sync);
    proxy->reject = service_reject_create(&o->reject);
    proxy->explain = proxy_explain_create(proxy->pipeline, o->sync.remote);
    proxy->health = kube_health_create();
    proxy->healthz = kube_http_start("/healthz", o->healthz_address,
                                     serve_health, proxy);
    proxy->metrics = kube_http_start("/metrics", o->metrics_address,
                                     serve_metrics, proxy);
    proxy->page = kube_http_start("/", o->page_address, serve_page, proxy);
}

static void
stop(struct proxy *proxy)
{
    kube_http_destroy(proxy->page);
    kube_http_destroy(proxy->metrics);
    kube_http_destroy(proxy->healthz);
    kube_health_destroy(proxy->health);
    proxy_explain_destroy(proxy->explain);
    service_reject_destroy(proxy->reject);
    service_pipeline_destroy(proxy->pipeline);
    of_sync_destroy(proxy->sync);
    kube_source_destroy(proxy->source);
    kube_store_destroy(proxy->store);
}

int
main(int argc, char *argv[])
{
    struct unixctl_server *unixctl;
    struct proxy_options o;
    struct proxy proxy;
    char *error;

    ovs_cmdl_proctitle_init(argc, argv);
    ovs_set_program_name(argv[0], EXT_VERSION);
    proxy_options_parse(argc, argv, &o);
    fatal_ignore_sigpipe();
    if (o.cleanup) {
        cleanup(&o);
        proxy_options_destroy(&o);
        return EXIT_SUCCESS;
    }

    raise_file_limit();
    memset(&proxy, 0, sizeof proxy);
    proxy.options = &o;
    proxy.store = kube_store_create(o.pipeline.node);
    if (o.gateway_api) {
        kube_store_enable_gateways(proxy.store);
    }
    if (o.journal_mb) {
        kube_store_keep_journal(proxy.store, (size_t) o.journal_mb << 20);
    }
    if (o.pipeline.tables.direct) {
        kube_store_enable_peers(proxy.store);
    }
    error = kube_source_open(&o.source, kube_store_sink(proxy.store),
                             &proxy.source);
    if (error) {
        ovs_fatal(0, "%s", error);
    }
    compat_daemonize_start();
    if (unixctl_server_create(o.unixctl_path, &unixctl)) {
        exit(EXIT_FAILURE);
    }
    start(&proxy, &o);
    daemonize_complete();

    while (!proxy.exiting) {
        run(&proxy);
        unixctl_server_run(unixctl);
        wait(&proxy);
        unixctl_server_wait(unixctl);
        poll_block();
    }

    stop(&proxy);
    unixctl_server_destroy(unixctl);
    proxy_options_destroy(&o);
    return EXIT_SUCCESS;
}
