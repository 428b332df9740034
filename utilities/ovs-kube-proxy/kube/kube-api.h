/* SPDX-License-Identifier: Apache-2.0 */

#ifndef KUBE_API_H
#define KUBE_API_H 1

/* The Services, EndpointSlices and Nodes of an API server, into a sink
 * ====================================================================
 *
 * See kube-watch.h for how.  The server does the first selection: Services and
 * EndpointSlices with the labels that say that others care for them, or that
 * they are headless, do not come at all, and of the Nodes only ours does.
 *
 * Thread-safety: none; all of it belongs to one thread. */

struct ds;
struct kube_api;
struct kube_config;
struct kube_sink;

struct kube_api_options {
    const char *node;           /* Our Node's name; null for all Nodes. */
    int idle_ms;                /* Give up a silent connection; 0: default. */
};

struct kube_api *kube_api_create(struct kube_config *, struct kube_sink *,
                                 const struct kube_api_options *);
void kube_api_destroy(struct kube_api *);
void kube_api_run(struct kube_api *);
void kube_api_wait(struct kube_api *);
void kube_api_format(const struct kube_api *, struct ds *);
void kube_api_format_metrics(const struct kube_api *, struct ds *);

#endif /* kube-api.h */
