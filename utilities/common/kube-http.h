/* SPDX-License-Identifier: Apache-2.0 */

#ifndef KUBE_HTTP_H
#define KUBE_HTTP_H 1

/* Small HTTP servers in Open vSwitch's poll loop
 * ==============================================
 *
 * libmicrohttpd reads requests and writes responses; a callback makes the
 * latter.  Only GET and HEAD are served.
 *
 * Attack model: anybody may connect.  The number of connections of a server,
 * the memory of each, and the time that one may be idle are bounded, and a
 * request has no body that would be read.
 *
 * Thread-safety: none; all of it belongs to one thread. */

#include "openvswitch/dynamic-string.h"

struct kube_http;

struct kube_response {
    unsigned int status;        /* HTTP status, 404 unless it is set. */
    const char *type;           /* Of the content. */
    struct ds body;
    long long int weight;       /* X-Load-Balancing-Endpoint-Weight, or -1. */
};

/* Fills in what to answer to a request for 'path'. */
typedef void kube_http_cb(const char *path, struct kube_response *,
                          void *aux);

char *kube_http_create(const char *address, kube_http_cb *, void *aux,
                       struct kube_http **);
void kube_http_destroy(struct kube_http *);
void kube_http_run(struct kube_http *);
void kube_http_wait(struct kube_http *);

#endif /* kube-http.h */
