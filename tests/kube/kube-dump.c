/* SPDX-License-Identifier: Apache-2.0 */

/* Prints what the readers of ovs-kube-proxy read
 * ==============================================
 *
 *     kube-dump [--context=NAME] [--node=NAME] [--idle-ms=N] KUBECONFIG
 *     kube-dump --in-cluster=DIR
 *     kube-dump --from-file DIR|-
 *
 * A line for each call of their sink:
 *
 *     begin KIND
 *     put KIND NAMESPACE/NAME RESOURCEVERSION
 *     delete KIND NAMESPACE/NAME
 *     end KIND
 *
 * An object whose annotation "kube-dump" is "malformed" is refused.  With
 * --http=ADDRESS it serves what the API client says of itself.  Logs go to
 * stderr.  Commands by unixctl, with --unixctl=SOCKET:
 *
 *     status          what the readers say of themselves
 *     health HEALTHY [NAMESPACE NAME PORT LOCAL]...
 *                     sets what health-check node ports there are
 *     exit */

#include <config.h>

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command-line.h"
#include "fatal-signal.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "unixctl.h"
#include "util.h"
#include "utilities/common/kube-http.h"
#include "utilities/common/metrics.h"
#include "utilities/kube/kube-api.h"
#include "utilities/kube/kube-config.h"
#include "utilities/kube/kube-file.h"
#include "utilities/kube/kube-health.h"
#include "utilities/kube/kube-object.h"
#include "utilities/kube/kube-sink.h"

static void
print_name(const char *verb, enum kube_kind kind, const struct json *object)
{
    const struct json *metadata = kube_object_member(object, "metadata");

    printf("%s %s %s/%s", verb, kube_kind_to_string(kind),
           kube_object_string(metadata, "namespace"),
           kube_object_string(metadata, "name"));
    if (!strcmp(verb, "put")) {
        printf(" %s", kube_object_string(metadata, "resourceVersion"));
    }
    putchar('\n');
}

static void
dump_apply(struct kube_sink *sink OVS_UNUSED, enum kube_kind kind,
           enum kube_event event, const struct json *object, char **error)
{
    const struct json *annotations = kube_object_member(
        kube_object_member(object, "metadata"), "annotations");

    if (!strcmp(kube_object_string(annotations, "kube-dump"), "malformed")) {
        *error = xstrdup("malformed, says its annotation");
        return;
    }
    print_name(event == KUBE_DELETED ? "delete" : "put", kind, object);
}

static void
dump_list_begin(struct kube_sink *sink OVS_UNUSED, enum kube_kind kind)
{
    printf("begin %s\n", kube_kind_to_string(kind));
}

static void
dump_list_end(struct kube_sink *sink OVS_UNUSED, enum kube_kind kind)
{
    printf("end %s\n", kube_kind_to_string(kind));
}

static const struct kube_sink_class dump_class = {
    .apply = dump_apply,
    .list_begin = dump_list_begin,
    .list_end = dump_list_end,
};

static struct kube_sink sink = { &dump_class };

static struct kube_api *api;
static struct kube_file *file;
static struct kube_health *health;
static struct kube_http *http;
static bool exiting;

static void
format_status(struct ds *s)
{
    const struct metrics m = { "ovs_kube_proxy", s };

    if (api) {
        kube_api_format(api, s);
        kube_api_format_metrics(api, &m);
    }
    if (file) {
        kube_file_format(file, s);
    }
}

static void
show(struct unixctl_conn *conn, int argc OVS_UNUSED,
     const char *argv[] OVS_UNUSED, void *aux OVS_UNUSED)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    format_status(&s);
    unixctl_command_reply(conn, ds_cstr(&s));
    ds_destroy(&s);
}

static void
serve(const char *path, struct kube_response *response, void *aux OVS_UNUSED)
{
    if (!strcmp(path, "/metrics")) {
        response->status = 200;
        format_status(&response->body);
    }
}

static void
set_health(struct unixctl_conn *conn, int argc, const char *argv[],
           void *aux OVS_UNUSED)
{
    kube_health_begin(health);
    for (int i = 2; i + 3 < argc; i += 4) {
        kube_health_add(health, argv[i], argv[i + 1], atoi(argv[i + 2]),
                        atoi(argv[i + 3]));
    }
    kube_health_end(health, !strcmp(argv[1], "true"));
    unixctl_command_reply(conn, NULL);
}

static void
stop(struct unixctl_conn *conn, int argc OVS_UNUSED,
     const char *argv[] OVS_UNUSED, void *aux OVS_UNUSED)
{
    exiting = true;
    unixctl_command_reply(conn, NULL);
}

static void
run(void)
{
    if (api) {
        kube_api_run(api);
        kube_api_wait(api);
    }
    if (file) {
        kube_file_run(file);
        kube_file_wait(file);
    }
    if (http) {
        kube_http_run(http);
        kube_http_wait(http);
    }
    kube_health_run(health);
    kube_health_wait(health);
}

int
main(int argc, char *argv[])
{
    enum { OPT_CONTEXT = 1, OPT_NODE, OPT_IDLE, OPT_CLUSTER, OPT_FILE,
           OPT_HTTP, OPT_UNIXCTL };
    static const struct option options[] = {
        { "context", required_argument, NULL, OPT_CONTEXT },
        { "node", required_argument, NULL, OPT_NODE },
        { "idle-ms", required_argument, NULL, OPT_IDLE },
        { "in-cluster", required_argument, NULL, OPT_CLUSTER },
        { "from-file", required_argument, NULL, OPT_FILE },
        { "http", required_argument, NULL, OPT_HTTP },
        { "unixctl", required_argument, NULL, OPT_UNIXCTL },
        { NULL, 0, NULL, 0 },
    };
    const char *context = NULL, *cluster = NULL, *name = NULL;
    const char *unixctl_path = "none", *address = NULL;
    struct kube_api_options api_options = { .node = NULL };
    struct kube_config *config = NULL;
    struct unixctl_server *unixctl;
    char *error = NULL;
    int c;

    set_program_name(argv[0]);
    setvbuf(stdout, NULL, _IOLBF, 0);
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case OPT_CONTEXT: context = optarg; break;
        case OPT_NODE: api_options.node = optarg; break;
        case OPT_IDLE: api_options.idle_ms = atoi(optarg); break;
        case OPT_CLUSTER: cluster = optarg; break;
        case OPT_FILE: name = optarg; break;
        case OPT_HTTP: address = optarg; break;
        case OPT_UNIXCTL: unixctl_path = optarg; break;
        default: return EXIT_FAILURE;
        }
    }
    fatal_ignore_sigpipe();
    vlog_set_levels(NULL, VLF_SYSLOG, VLL_OFF);
    vlog_set_levels(NULL, VLF_CONSOLE, VLL_INFO);

    if (name) {
        error = kube_file_create(name, &sink, &file);
    } else if (cluster) {
        error = kube_config_load_in_cluster(cluster, &config);
    } else if (optind + 1 == argc) {
        error = kube_config_load(argv[optind], context, &config);
    } else {
        error = xstrdup("usage: see the head of kube-dump.c");
    }
    if (error) {
        ovs_fatal(0, "%s", error);
    }
    if (address) {
        error = kube_http_create("test", address, serve, NULL, &http);
        if (error) {
            ovs_fatal(0, "%s", error);
        }
    }
    health = kube_health_create();
    if (config) {
        api = kube_api_create(config, &sink, &api_options);
    }
    if (unixctl_server_create(unixctl_path, &unixctl)) {
        ovs_fatal(0, "no unixctl server");
    }
    unixctl_command_register("status", "", 0, 0, show, NULL);
    unixctl_command_register("health", "", 1, 100, set_health, NULL);
    unixctl_command_register("exit", "", 0, 0, stop, NULL);
    while (!exiting) {
        run();
        unixctl_server_run(unixctl);
        unixctl_server_wait(unixctl);
        if (exiting) {
            poll_immediate_wake();
        }
        poll_block();
    }
    kube_api_destroy(api);
    kube_file_destroy(file);
    kube_http_destroy(http);
    kube_health_destroy(health);
    unixctl_server_destroy(unixctl);
    return EXIT_SUCCESS;
}
