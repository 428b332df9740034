/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "kube-source.h"

#include <stdlib.h>

#include "kube-api.h"
#include "kube-config.h"
#include "kube-file.h"
#include "openvswitch/json.h"
#include "util.h"

struct kube_source {
    struct kube_sink *sink;
    struct kube_config *config; /* Null if there is 'file' or 'api'. */
    struct kube_api *api;       /* Null if there is 'file' or 'config'. */
    struct kube_file *file;     /* Null if there is 'api' or 'config'. */
};

/* Returns null if 'o' names one source or, for a program that is to 'cleanup',
 * none; otherwise what is wrong. */
const char *
kube_source_check(const struct kube_source_options *o, bool cleanup)
{
    int n = !!o->kubeconfig + !!o->service_account + !!o->from_file;

    return (cleanup && n
            ? "--cleanup needs no --kubeconfig, --in-cluster or --from-file"
            : !cleanup && n != 1
            ? "one of --kubeconfig, --in-cluster and --from-file is needed; "
              "use --help for usage"
            : o->context && !o->kubeconfig
            ? "--context needs --kubeconfig"
            : NULL);
}

/* Opens the source that 'o' names, whose objects go into 'sink', which must
 * outlive it.  Returns null and stores the source in '*sourcep', for the
 * caller to destroy, or returns what is wrong, for the caller to free.
 *
 * Files are read from now on, an API server from kube_source_start() on: its
 * connections would not survive a daemon's fork. */
char *
kube_source_open(const struct kube_source_options *o, struct kube_sink *sink,
                 struct kube_source **sourcep)
{
    struct kube_source *source = xzalloc(sizeof *source);
    char *error;

    source->sink = sink;
    error = (o->from_file
             ? kube_file_create(o->from_file, sink, &source->file)
             : o->kubeconfig
             ? kube_config_load(o->kubeconfig, o->context, &source->config)
             : kube_config_load_in_cluster(o->service_account,
                                           &source->config));
    if (error) {
        free(source);
        source = NULL;
    }
    *sourcep = source;
    return error;
}

/* Begins to read from the API server, with 'options', if that is the
 * source. */
void
kube_source_start(struct kube_source *source,
                  const struct kube_api_options *options)
{
    if (source->config) {
        source->api = kube_api_create(source->config, source->sink, options);
        source->config = NULL;
    }
}

/* Frees 'source', which may be null. */
void
kube_source_destroy(struct kube_source *source)
{
    if (source) {
        kube_config_destroy(source->config);
        kube_api_destroy(source->api);
        kube_file_destroy(source->file);
        free(source);
    }
}

/* Has the object at 'path' of the API server patched by 'patch', which this
 * takes over.  Manifests are not patched. */
void
kube_source_patch(struct kube_source *source, const char *path,
                  struct json *patch)
{
    if (source->api) {
        kube_api_patch(source->api, path, patch);
    } else {
        json_destroy(patch);
    }
}

void
kube_source_run(struct kube_source *source)
{
    if (source->api) {
        kube_api_run(source->api);
    } else if (source->file) {
        kube_file_run(source->file);
    }
}

void
kube_source_wait(struct kube_source *source)
{
    if (source->api) {
        kube_api_wait(source->api);
    } else if (source->file) {
        kube_file_wait(source->file);
    }
}

/* Appends the state of 'source' to 's', for people. */
void
kube_source_format(const struct kube_source *source, struct ds *s)
{
    if (source->api) {
        kube_api_format(source->api, s);
    } else if (source->file) {
        kube_file_format(source->file, s);
    }
}

/* Appends what is counted about the API server to 'm'. */
void
kube_source_format_metrics(const struct kube_source *source,
                           const struct metrics *m)
{
    if (source->api) {
        kube_api_format_metrics(source->api, m);
    }
}
