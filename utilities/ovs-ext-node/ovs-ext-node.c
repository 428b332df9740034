/* SPDX-License-Identifier: Apache-2.0 */

/* Pods of a Kubernetes node as OpenFlow
 * =====================================
 *
 *             kube-source -> node-cluster --.
 *                                              > node-pipeline -> of-sync
 *     OVSDB <-> node-database ----------------'        |
 *                                                   node-link -> rtnetlink
 *
 * All run in one thread and one poll loop.  See ovs-ext-node(8). */

#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "command-line.h"
#include "compat/compat-unixctl.h"
#include "daemon.h"
#include "fatal-signal.h"
#include "node-cluster.h"
#include "node-database.h"
#include "node-features.h"
#include "node-link.h"
#include "node-options.h"
#include "node-pipeline.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "unixctl.h"
#include "util.h"
#include "utilities/common/compat-library.h"
#include "utilities/common/kube-http.h"
#include "utilities/common/metrics.h"
#include "utilities/kube/kube-api.h"
#include "utilities/kube/kube-source.h"
#include "utilities/of-sync/of-show.h"
#include "utilities/of-sync/of-sync.h"

VLOG_DEFINE_THIS_MODULE(ovs_ext_node);

/* --cleanup gives up after this long without the switch. */
#define CLEANUP_MS 30000

/* /healthz reports a fault when the switch lags by more than this. */
#define LAG_MS 30000

/* What is missing for less than this is not worth a line in the log. */
#define PATIENCE_MS 1000

struct agent {
    struct node_cluster *cluster;
    struct kube_source *source;
    struct node_database *db;
    struct node_link *link;
    struct node_features *features;
    struct of_sync *sync;
    struct node_pipeline *pipeline;
    struct kube_http *healthz, *metrics;    /* Null: not asked for. */
    const char *fault;          /* What is missing, or null; */
    long long int fault_since;  /* since when, in ms; */
    bool fault_said;            /* it is in the log. */
    bool exiting;
};

/* Returns what /healthz complains about, or null. */
static const char *
find_fault(const struct agent *a)
{
    const char *fault = node_pipeline_fault(a->pipeline);

    return (fault ? fault
            : node_link_error(a->link) ? node_link_error(a->link)
            : !of_sync_has_caught_up(a->sync)
            || of_sync_behind_since(a->sync) <= time_msec() - LAG_MS
            ? "the switch is behind"
            : NULL);
}

/* HTTP. */

static void
serve_health(const char *path, struct kube_response *response, void *a_)
{
    struct agent *a = a_;
    bool live = !strcmp(path, "/livez");

    if (live || !strcmp(path, "/healthz")) {
        const char *fault = live ? NULL : find_fault(a);

        response->status = fault ? 503 : 200;
        response->type = "text/plain";
        ds_put_format(&response->body, "%s\n", fault ? fault : "ok");
    }
}

static void
serve_metrics(const char *path, struct kube_response *response, void *a_)
{
    const struct agent *a = a_;
    const struct metrics m = { "ovs_ext_node", &response->body };

    if (strcmp(path, "/metrics")) {
        return;
    }
    response->status = 200;
    response->type = "text/plain; version=0.0.4";
    kube_source_format_metrics(a->source, &m);
    node_pipeline_format_metrics(a->pipeline, &m);
    of_show_metrics(a->sync, &m);
    metrics_put_gauge(&m, "healthy", "1 if /healthz says ok.",
                      !find_fault(a));
}

/* Commands. */

static void
node_show(struct unixctl_conn *conn, int argc OVS_UNUSED,
          const char *argv[] OVS_UNUSED, void *a_)
{
    const struct agent *a = a_;
    struct ds s = DS_EMPTY_INITIALIZER;

    if (compat_wants_json(conn)) {
        compat_reply_json(conn, node_pipeline_show_json(a->pipeline));
    } else {
        node_pipeline_show(a->pipeline, &s);
        unixctl_command_reply(conn, ds_cstr(&s));
        ds_destroy(&s);
    }
}

static void
sync_status(struct unixctl_conn *conn, int argc OVS_UNUSED,
            const char *argv[] OVS_UNUSED, void *a_)
{
    const struct agent *a = a_;
    const char *fault = find_fault(a);
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_format(&s, "%s\n", fault ? fault
                  : of_sync_is_settled(a->sync) ? "synced" : "syncing");
    kube_source_format(a->source, &s);
    of_show(a->sync, &s);
    unixctl_command_reply(conn, ds_cstr(&s));
    ds_destroy(&s);
}

static void
agent_exit(struct unixctl_conn *conn, int argc OVS_UNUSED,
           const char *argv[] OVS_UNUSED, void *a_)
{
    struct agent *a = a_;

    a->exiting = true;
    unixctl_command_reply(conn, NULL);
}

/* The loop. */

/* Logs what is missing. */
static void
log_fault(struct agent *a)
{
    const char *fault = node_pipeline_fault(a->pipeline);

    if (fault != a->fault) {
        if (!fault && a->fault_said) {
            VLOG_INFO("nothing is missing any more");
        }
        a->fault = fault;
        a->fault_since = time_msec();
        a->fault_said = false;
    }
    if (fault && !a->fault_said
        && time_msec() >= a->fault_since + PATIENCE_MS) {
        VLOG_WARN("%s", fault);
        a->fault_said = true;
    }
}

static void
run(struct agent *a)
{
    kube_source_run(a->source);
    node_database_run(a->db);
    of_sync_run(a->sync);
    node_pipeline_run(a->pipeline);
    node_link_run(a->link);
    node_features_run(a->features, a->db);
    kube_http_run(a->healthz);
    kube_http_run(a->metrics);
    log_fault(a);
}

static void
wait(struct agent *a)
{
    kube_source_wait(a->source);
    node_database_wait(a->db);
    of_sync_wait(a->sync);
    node_link_wait(a->link);
    kube_http_wait(a->healthz);
    kube_http_wait(a->metrics);
    if (a->fault && !a->fault_said) {
        poll_timer_wait_until(a->fault_since + PATIENCE_MS);
    }
    if (a->exiting) {
        poll_immediate_wake();
    }
}

/* Removes our flows, and then what we have in the database and the kernel. */
static void
cleanup(const struct node_options *o)
{
    long long int deadline = time_msec() + CLEANUP_MS;
    struct node_database *db = node_database_create(&o->database);
    struct of_sync *sync = of_sync_create(&o->sync);
    struct node_link *link = node_link_create(o->pipeline.host);
    struct node_features *features = node_features_create(o->features);
    bool done = false;

    of_sync_clear(sync);
    while (!done) {
        node_database_run(db);
        of_sync_run(sync);
        done = of_sync_is_settled(sync) && node_database_clear(db);
        if (!done && time_msec() >= deadline) {
            ovs_fatal(0, "%s, %s: not done within %d seconds: do the switch "
                      "and its database run?", o->sync.remote,
                      o->database.remote, CLEANUP_MS / 1000);
        }
        node_database_wait(db);
        of_sync_wait(sync);
        if (!done) {
            poll_timer_wait_until(deadline);
            poll_block();
        }
    }
    node_link_clear(link);
    node_features_clear(features);
    node_features_destroy(features);
    node_link_destroy(link);
    of_sync_destroy(sync);
    node_database_destroy(db);
}

static void
start(struct agent *a, const struct node_options *o)
{
    const struct kube_api_options api_options = { .only_nodes = true };

    unixctl_command_register("node/show", "", 0, 0, node_show, a);
    unixctl_command_register("sync/status", "", 0, 0, sync_status, a);
    unixctl_command_register("exit", "", 0, 0, agent_exit, a);
    kube_source_start(a->source, &api_options);
    a->db = node_database_create(&o->database);
    a->link = node_link_create(o->pipeline.host);
    a->features = node_features_create(o->features);
    a->sync = of_sync_create(&o->sync);
    a->pipeline = node_pipeline_create(&o->pipeline, a->cluster, a->db,
                                       a->link, a->sync);
    a->healthz = kube_http_start("/healthz", o->healthz_address, serve_health,
                                 a);
    a->metrics = kube_http_start("/metrics", o->metrics_address, serve_metrics,
                                 a);
}

int
main(int argc, char *argv[])
{
    struct unixctl_server *unixctl;
    struct node_options o;
    struct agent a = { .exiting = false };
    char *error;

    ovs_cmdl_proctitle_init(argc, argv);
    ovs_set_program_name(argv[0], EXT_VERSION);
    node_options_parse(argc, argv, &o);
    fatal_ignore_sigpipe();
    if (o.cleanup) {
        cleanup(&o);
        node_options_destroy(&o);
        return EXIT_SUCCESS;
    }

    a.cluster = node_cluster_create(o.node);
    error = kube_source_open(&o.source, node_cluster_sink(a.cluster),
                             &a.source);
    if (error) {
        ovs_fatal(0, "%s", error);
    }
    compat_daemonize_start();
    if (unixctl_server_create(o.unixctl_path, &unixctl)) {
        exit(EXIT_FAILURE);
    }
    start(&a, &o);
    daemonize_complete();

    while (!a.exiting) {
        run(&a);
        unixctl_server_run(unixctl);
        wait(&a);
        unixctl_server_wait(unixctl);
        poll_block();
    }

    kube_http_destroy(a.metrics);
    kube_http_destroy(a.healthz);
    node_pipeline_destroy(a.pipeline);
    of_sync_destroy(a.sync);
    node_features_destroy(a.features);
    node_link_destroy(a.link);
    node_database_destroy(a.db);
    kube_source_destroy(a.source);
    node_cluster_destroy(a.cluster);
    unixctl_server_destroy(unixctl);
    node_options_destroy(&o);
    return EXIT_SUCCESS;
}
