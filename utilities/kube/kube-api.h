/* SPDX-License-Identifier: Apache-2.0 */

#ifndef KUBE_API_H
#define KUBE_API_H 1

/* The objects of an API server that concern Services, into a sink
 * ===============================================================
 *
 * kube-watch.h says how they are read.  The server selects first: it leaves
 * out Services and EndpointSlices whose labels say that they are for another
 * proxy or, unless Gateway API is read, that they are headless, and all Nodes
 * but ours.
 *
 * A server without ServiceCIDRs or Gateway API is asked again every five
 * minutes.
 *
 * Thread-safety: none; all of it belongs to one thread. */

#include <stdbool.h>

struct ds;
struct json;
struct kube_api;
struct kube_config;
struct kube_sink;
struct metrics;

struct kube_api_options {
    const char *node;           /* Our Node's name; null: read all Nodes. */
    bool only_nodes;            /* Neither Services nor EndpointSlices. */
    bool service_cidrs;         /* ServiceCIDRs, too. */
    bool gateways;              /* What Gateway API has, too. */
    bool writes;                /* kube_api_patch() will be called. */
    int idle_ms;                /* Time of silence that ends a connection, in
                                 * ms; 0: default. */
};

struct kube_api *kube_api_create(struct kube_config *, struct kube_sink *,
                                 const struct kube_api_options *);
void kube_api_destroy(struct kube_api *);
void kube_api_patch(struct kube_api *, const char *path, struct json *);
void kube_api_run(struct kube_api *);
void kube_api_wait(struct kube_api *);
void kube_api_format(const struct kube_api *, struct ds *);
void kube_api_format_metrics(const struct kube_api *, const struct metrics *);

#endif /* kube-api.h */
