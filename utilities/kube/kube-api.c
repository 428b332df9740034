/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "kube-api.h"

#include <stdlib.h>

#include "kube-config.h"
#include "kube-curl.h"
#include "kube-watch.h"
#include "kube-writer.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"
#include "utilities/common/metrics.h"

/* A server sends a bookmark about every minute.  After this much silence the
 * connection is dead, not the cluster quiet. */
#define IDLE_MS (150 * 1000)

#define NOT_FOR_OTHERS "!service.kubernetes.io/service-proxy-name"
#define NOT_HEADLESS "!service.kubernetes.io/headless"

#define GATEWAY_API "/apis/gateway.networking.k8s.io/v1/"

static const struct resource {
    struct kube_watch_class watch;
    const char *resource;       /* Label of metrics. */
} classes[] = {
    { { KUBE_NODE, "/api/v1/nodes", false }, "nodes" },
    { { KUBE_SERVICE, "/api/v1/services", false }, "services" },
    { { KUBE_ENDPOINT_SLICE, "/apis/discovery.k8s.io/v1/endpointslices",
        false },
      "endpointslices" },
    { { KUBE_SERVICE_CIDR, "/apis/networking.k8s.io/v1/servicecidrs", true },
      "servicecidrs" },
    { { KUBE_GATEWAY_CLASS, GATEWAY_API "gatewayclasses", true },
      "gatewayclasses" },
    { { KUBE_GATEWAY, GATEWAY_API "gateways", true }, "gateways" },
    { { KUBE_TCP_ROUTE, GATEWAY_API "tcproutes", true }, "tcproutes" },
    { { KUBE_UDP_ROUTE, GATEWAY_API "udproutes", true }, "udproutes" },
    { { KUBE_REFERENCE_GRANT, GATEWAY_API "referencegrants", true },
      "referencegrants" },
};

struct kube_api {
    struct kube_config *config;
    struct kube_curl *curl;
    struct kube_watch *watches[ARRAY_SIZE(classes)];
    const struct resource *resources[ARRAY_SIZE(classes)];
    size_t n;                   /* Of 'watches' and 'resources'. */
    struct kube_writer *writer; /* Null: nothing is written. */
};

/* Returns true if objects of 'kind' are to be read. */
static bool
is_wanted(enum kube_kind kind, const struct kube_api_options *options)
{
    switch (kind) {
    case KUBE_NODE:
        return true;
    case KUBE_SERVICE:
    case KUBE_ENDPOINT_SLICE:
        return !options->only_nodes;
    case KUBE_SERVICE_CIDR:
        return options->service_cidrs;
    case KUBE_GATEWAY_CLASS:
    case KUBE_GATEWAY:
    case KUBE_TCP_ROUTE:
    case KUBE_UDP_ROUTE:
    case KUBE_REFERENCE_GRANT:
        return options->gateways;
    case KUBE_N_KINDS:
    default:
        OVS_NOT_REACHED();
    }
}

/* Adds a reader of 'r' into 'sink'. */
static void
add_watch(struct kube_api *api, const struct resource *r,
          struct kube_sink *sink, const struct kube_api_options *options)
{
    const char *selector = NULL, *value = NULL;
    char *field = NULL;

    if (r->watch.kind == KUBE_NODE && options->node) {
        selector = "fieldSelector";
        value = field = xasprintf("metadata.name=%s", options->node);
    } else if (r->watch.kind == KUBE_SERVICE
               || r->watch.kind == KUBE_ENDPOINT_SLICE) {
        /* Routes of Gateway API may name headless Services. */
        selector = "labelSelector";
        value = (options->gateways ? NOT_FOR_OTHERS
                 : NOT_HEADLESS "," NOT_FOR_OTHERS);
    }
    api->resources[api->n] = r;
    api->watches[api->n++] = kube_watch_create(&r->watch, selector, value,
                                               api->config, api->curl, sink,
                                               options->idle_ms
                                               ? options->idle_ms : IDLE_MS);
    free(field);
}

/* Starts to read objects into 'sink', which must outlive the result, from the
 * server of 'config', which the result owns.  The caller must destroy the
 * result. */
struct kube_api *
kube_api_create(struct kube_config *config, struct kube_sink *sink,
                const struct kube_api_options *options)
{
    struct kube_api *api = xzalloc(sizeof *api);

    api->config = config;
    api->curl = kube_curl_create();
    for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
        if (is_wanted(classes[i].watch.kind, options)) {
            add_watch(api, &classes[i], sink, options);
        }
    }
    if (options->writes) {
        api->writer = kube_writer_create(api->config, api->curl);
    }
    return api;
}

/* Has the object at 'path' patched by 'patch', which this takes over. */
void
kube_api_patch(struct kube_api *api, const char *path, struct json *patch)
{
    kube_writer_put(api->writer, path, patch);
}

void
kube_api_destroy(struct kube_api *api)
{
    if (api) {
        for (size_t i = 0; i < api->n; i++) {
            kube_watch_destroy(api->watches[i]);
        }
        kube_writer_destroy(api->writer);
        kube_curl_destroy(api->curl);
        kube_config_destroy(api->config);
        free(api);
    }
}

void
kube_api_run(struct kube_api *api)
{
    kube_curl_run(api->curl);
    for (size_t i = 0; i < api->n; i++) {
        kube_watch_run(api->watches[i]);
    }
    if (api->writer) {
        kube_writer_run(api->writer);
    }
}

void
kube_api_wait(struct kube_api *api)
{
    kube_curl_wait(api->curl);
    for (size_t i = 0; i < api->n; i++) {
        kube_watch_wait(api->watches[i]);
    }
    if (api->writer) {
        kube_writer_wait(api->writer);
    }
}

/* Appends the state of the readers to 's', for people. */
void
kube_api_format(const struct kube_api *api, struct ds *s)
{
    ds_put_format(s, "API server %s\n", api->config->server);
    for (size_t i = 0; i < api->n; i++) {
        kube_watch_format(api->watches[i], s);
    }
}

/* Appends their counters to 'm'. */
void
kube_api_format_metrics(const struct kube_api *api, const struct metrics *m)
{
    static const struct {
        const char *name, *help;
        size_t offset;
    } metrics[] = {
        { "api_lists_total", "Complete lists read from the API server.",
          offsetof(struct kube_watch_stats, n_lists) },
        { "api_watches_total", "Watches begun.",
          offsetof(struct kube_watch_stats, n_watches) },
        { "api_events_total", "Events that watches brought, "
          "without bookmarks.",
          offsetof(struct kube_watch_stats, n_events) },
        { "api_failures_total", "Requests to the API server that failed.",
          offsetof(struct kube_watch_stats, n_failures) },
    };

    for (size_t j = 0; j < ARRAY_SIZE(metrics); j++) {
        metrics_begin(m, metrics[j].name, "counter", metrics[j].help);
        for (size_t i = 0; i < api->n; i++) {
            const char *stats
                = (const char *) kube_watch_get_stats(api->watches[i]);

            metrics_put(m, metrics[j].name, "resource",
                        api->resources[i]->resource,
                        *(const unsigned long long int *)
                        (stats + metrics[j].offset));
        }
    }
    if (api->writer) {
        kube_writer_format_metrics(api->writer, m);
    }
}
