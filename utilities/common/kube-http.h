/* SPDX-License-Identifier: Apache-2.0 */

#ifndef KUBE_HTTP_H
#define KUBE_HTTP_H 1

/* Small HTTP servers in Open vSwitch's poll loop
 * ==============================================
 *
 * libmicrohttpd reads requests and writes responses; a callback fills a
 * response in.  Only GET and HEAD are served.  While another program has the
 * port, a server waits for it.
 *
 * Attack model: anybody may connect.  A server has at most 32 connections,
 * each with 16 kB of memory, and closes a connection that is idle for 10 s.
 * It does not read the body of a request.
 *
 * Thread-safety: none; all of it belongs to one thread. */

#include "openvswitch/dynamic-string.h"

struct kube_http;

struct kube_response {
    unsigned int status;        /* HTTP status; 404 unless set. */
    const char *type;           /* Content type. */
    struct ds body;
    long long int weight;       /* Header X-Load-Balancing-Endpoint-Weight, or
                                 * -1 for none. */
};

/* Fills in the response to a request for 'path'. */
typedef void kube_http_cb(const char *path, struct kube_response *,
                          void *aux);

char *kube_http_create(const char *what, const char *address, kube_http_cb *,
                       void *aux, struct kube_http **);
struct kube_http *kube_http_start(const char *what, const char *address,
                                  kube_http_cb *, void *aux);
void kube_http_destroy(struct kube_http *);
void kube_http_run(struct kube_http *);
void kube_http_wait(struct kube_http *);

#endif /* kube-http.h */
