/* SPDX-License-Identifier: Apache-2.0 */

#ifndef KUBE_CURL_H
#define KUBE_CURL_H 1

/* HTTPS requests in Open vSwitch's poll loop
 * ==========================================
 *
 * A thin layer between libcurl's multi interface and poll_fd_wait().  libcurl
 * asks to be told of events on its sockets and of the passing of time.
 *
 * Each request verifies the server's certificate.  It follows no redirection,
 * which would carry the token to another host.  It speaks HTTP/1.1, so that
 * one stalled watch does not hold up another.
 *
 * A request fails after 'idle_ms' without a single octet, and when it is not
 * complete after 'total_ms'.
 *
 * Thread-safety: none; all of it belongs to one thread. */

#include <stdbool.h>
#include <stddef.h>

struct kube_config;
struct kube_curl;

/* How a request ended. */
struct kube_result {
    long status;                /* HTTP status, 0 if there was none. */
    const char *error;          /* Null if complete, whatever the status. */
    const char *body;           /* Start of the body, if 'status' is not
                                 * 200. */
    long long int retry_after;  /* In ms, 0 if the server did not say. */
};

struct kube_request_class {
    /* Takes the next octets of the body of a response with status 200.
     * Returns false to end the request as failed.  Must not start or cancel a
     * request. */
    bool (*data)(const char *, size_t, void *aux);

    /* Called when the request has ended, except by kube_curl_cancel().  The
     * request is already freed.  May start and cancel others. */
    void (*done)(const struct kube_result *, void *aux);
};

/* Returns a printable message about the failure 'result', for the caller to
 * free: 'reason', if it is not null. */
char *kube_result_describe(const struct kube_result *result,
                           const char *reason);

struct kube_curl *kube_curl_create(void);
void kube_curl_destroy(struct kube_curl *);
void kube_curl_run(struct kube_curl *);
void kube_curl_wait(struct kube_curl *);

struct kube_request *kube_curl_get(struct kube_curl *,
                                   const struct kube_config *,
                                   const char *path,
                                   long long int idle_ms,
                                   long long int total_ms,
                                   const struct kube_request_class *,
                                   void *aux, char **error);
struct kube_request *kube_curl_patch(struct kube_curl *,
                                     const struct kube_config *,
                                     const char *path, const char *patch,
                                     long long int idle_ms,
                                     long long int total_ms,
                                     const struct kube_request_class *,
                                     void *aux, char **error);
long kube_curl_status(const struct kube_request *);
void kube_curl_cancel(struct kube_request *);

#endif /* kube-curl.h */
