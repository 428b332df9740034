/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "kube-curl.h"

#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "kube-config.h"
#include "kube-object.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "openvswitch/list.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(kube_curl);

/* Octets of an error response that are kept for the log. */
#define MAX_ERROR_BODY 4096

/* Limit for Retry-After: a server cannot send us away for longer. */
#define MAX_RETRY_AFTER_MS (60 * 1000)

struct kube_curl {
    CURLM *multi;
    long long int timer;        /* When libcurl wants to run, in ms, or
                                 * LLONG_MAX. */
    struct pollfd *fds;         /* What libcurl waits for. */
    size_t n_fds, allocated_fds;
    struct ovs_list requests;   /* Contains "struct kube_request"s. */
};

struct kube_request {
    struct ovs_list node;       /* In kube_curl's 'requests'. */
    struct kube_curl *kc;
    CURL *easy;
    struct curl_slist *headers;
    struct curl_slist *connect_to;
    char message[CURL_ERROR_SIZE]; /* From libcurl; may be empty. */
    struct ds body;             /* Of an error response. */
    long long int idle_ms;
    long long int idle_deadline;
    const struct kube_request_class *class;
    void *aux;
};

char *
kube_result_describe(const struct kube_result *result, const char *reason)
{
    char *message;

    if (reason) {
        message = xstrdup(reason);
    } else if (result->status && result->status != 200) {
        struct json *status = json_from_string(result->body);
        const char *text = kube_object_string(status, "message");

        message = xasprintf("HTTP status %ld%s%.200s", result->status,
                            text[0] ? ": " : "", text);
        json_destroy(status);
    } else {
        message = xstrdup(result->error ? result->error
                                        : "an incomplete response");
    }
    for (char *p = message; *p; p++) {
        if (!isprint((unsigned char) *p)) {
            *p = '?';
        }
    }
    return message;
}

static int
socket_cb(CURL *easy OVS_UNUSED, curl_socket_t fd, int what, void *kc_,
          void *aux OVS_UNUSED)
{
    struct kube_curl *kc = kc_;
    size_t i;

    for (i = 0; i < kc->n_fds && kc->fds[i].fd != fd; i++) {
        continue;
    }
    if (what == CURL_POLL_REMOVE) {
        if (i < kc->n_fds) {
            kc->fds[i] = kc->fds[--kc->n_fds];
        }
        return 0;
    }
    if (i == kc->n_fds) {
        if (kc->n_fds == kc->allocated_fds) {
            kc->fds = x2nrealloc(kc->fds, &kc->allocated_fds,
                                 sizeof *kc->fds);
        }
        kc->fds[kc->n_fds++].fd = fd;
    }
    kc->fds[i].events = ((what & CURL_POLL_IN ? POLLIN : 0)
                         | (what & CURL_POLL_OUT ? POLLOUT : 0));
    return 0;
}

static int
timer_cb(CURLM *multi OVS_UNUSED, long ms, void *kc_)
{
    struct kube_curl *kc = kc_;

    kc->timer = ms < 0 ? LLONG_MAX : time_msec() + ms;
    return 0;
}

struct kube_curl *
kube_curl_create(void)
{
    struct kube_curl *kc = xzalloc(sizeof *kc);

    if (curl_global_init(CURL_GLOBAL_DEFAULT)
        || !(kc->multi = curl_multi_init())) {
        VLOG_FATAL("libcurl cannot be initialized");
    }
    kc->timer = LLONG_MAX;
    ovs_list_init(&kc->requests);
    curl_multi_setopt(kc->multi, CURLMOPT_SOCKETFUNCTION, socket_cb);
    curl_multi_setopt(kc->multi, CURLMOPT_SOCKETDATA, kc);
    curl_multi_setopt(kc->multi, CURLMOPT_TIMERFUNCTION, timer_cb);
    curl_multi_setopt(kc->multi, CURLMOPT_TIMERDATA, kc);
    return kc;
}

/* Cancels all requests and frees 'kc'. */
void
kube_curl_destroy(struct kube_curl *kc)
{
    if (kc) {
        struct kube_request *r;

        LIST_FOR_EACH_SAFE (r, node, &kc->requests) {
            kube_curl_cancel(r);
        }
        curl_multi_cleanup(kc->multi);
        free(kc->fds);
        free(kc);
        curl_global_cleanup();
    }
}

static size_t
write_cb(char *data, size_t size, size_t n, void *r_)
{
    struct kube_request *r = r_;

    n *= size;
    r->idle_deadline = time_msec() + r->idle_ms;
    if (kube_curl_status(r) != 200) {
        size_t room = MAX_ERROR_BODY - MIN(r->body.length, MAX_ERROR_BODY);

        ds_put_buffer(&r->body, data, MIN(n, room));
        return n;
    }
    return r->class->data(data, n, r->aux) ? n : 0;
}

static void
set_blob(CURL *easy, CURLoption option, const char *pem)
{
    struct curl_blob blob = {
        .data = CONST_CAST(char *, pem),
        .len = strlen(pem),
        .flags = CURL_BLOB_COPY,
    };

    curl_easy_setopt(easy, option, &blob);
}

/* Sets the certificate authority that 'r' trusts, and its credentials.
 * Returns null or an error message. */
static char *
set_credentials(struct kube_request *r, const struct kube_config *config)
{
    struct kube_credentials c;
    char *error;

    error = kube_config_load_credentials(config, &c);
    if (error) {
        return error;
    }
    curl_easy_setopt(r->easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(r->easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(r->easy, CURLOPT_SSLVERSION,
                     (long) CURL_SSLVERSION_TLSv1_2);
    if (c.ca) {
        /* Only this authority, not those of the system. */
        curl_easy_setopt(r->easy, CURLOPT_CAINFO, NULL);
        curl_easy_setopt(r->easy, CURLOPT_CAPATH, NULL);
        set_blob(r->easy, CURLOPT_CAINFO_BLOB, c.ca);
    }
    if (c.cert) {
        set_blob(r->easy, CURLOPT_SSLCERT_BLOB, c.cert);
        set_blob(r->easy, CURLOPT_SSLKEY_BLOB, c.key);
    }
    if (c.token) {
        char *header = xasprintf("Authorization: Bearer %s", c.token);

        r->headers = curl_slist_append(r->headers, header);
        memset(header, 0, strlen(header));
        free(header);
    }
    kube_credentials_destroy(&c);
    return NULL;
}

/* Sets the URL of 'path' on the server of 'config'. */
static void
set_url(struct kube_request *r, const struct kube_config *config,
        const char *path)
{
    const char *host = config->server + strlen("https://");
    size_t n = (host[0] == '[' ? strcspn(host, "]") + 1
                               : strcspn(host, ":/"));
    char *url;

    if (config->server_name) {
        /* The URL has the name to verify.  CURLOPT_CONNECT_TO leads the
         * connection to the real host: its empty first half, "::", matches any
         * URL. */
        const char *port = host[n] == ':' ? host + n + 1 : "443";
        char *to = xasprintf("::%.*s:%.*s", (int) n, host,
                             (int) strspn(port, "0123456789"), port);

        r->connect_to = curl_slist_append(NULL, to);
        free(to);
        curl_easy_setopt(r->easy, CURLOPT_CONNECT_TO, r->connect_to);
        url = xasprintf("https://%s%s%s", config->server_name, host + n,
                        path);
    } else {
        url = xasprintf("%s%s", config->server, path);
    }
    curl_easy_setopt(r->easy, CURLOPT_URL, url);
    free(url);
}

static void
destroy_request(struct kube_request *r)
{
    ovs_list_remove(&r->node);
    curl_multi_remove_handle(r->kc->multi, r->easy);
    curl_easy_cleanup(r->easy);
    curl_slist_free_all(r->headers);
    curl_slist_free_all(r->connect_to);
    ds_destroy(&r->body);
    free(r);
}

/* Like kube_curl_get(), or kube_curl_patch() if 'patch' is not null. */
static struct kube_request *
start_request(struct kube_curl *kc, const struct kube_config *config,
              const char *path, const char *patch, long long int idle_ms,
              long long int total_ms, const struct kube_request_class *class,
              void *aux, char **error)
{
    struct kube_request *r = xzalloc(sizeof *r);

    r->kc = kc;
    r->class = class;
    r->aux = aux;
    r->idle_ms = idle_ms;
    r->idle_deadline = time_msec() + idle_ms;
    ds_init(&r->body);
    ovs_list_push_back(&kc->requests, &r->node);
    r->easy = curl_easy_init();
    if (!r->easy) {
        out_of_memory();
    }
    *error = set_credentials(r, config);
    if (*error) {
        destroy_request(r);
        return NULL;
    }
    set_url(r, config, path);
    r->headers = curl_slist_append(r->headers, "Accept: application/json");
    if (patch) {
        r->headers = curl_slist_append(
            r->headers, "Content-Type: application/merge-patch+json");
        /* Do not wait for "100 Continue". */
        r->headers = curl_slist_append(r->headers, "Expect:");
        curl_easy_setopt(r->easy, CURLOPT_CUSTOMREQUEST, "PATCH");
        curl_easy_setopt(r->easy, CURLOPT_COPYPOSTFIELDS, patch);
    }
    curl_easy_setopt(r->easy, CURLOPT_HTTPHEADER, r->headers);
    curl_easy_setopt(r->easy, CURLOPT_USERAGENT, "ovs-kube-proxy");
    curl_easy_setopt(r->easy, CURLOPT_HTTP_VERSION,
                     (long) CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(r->easy, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(r->easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(r->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(r->easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(r->easy, CURLOPT_TCP_KEEPIDLE, 15L);
    curl_easy_setopt(r->easy, CURLOPT_TCP_KEEPINTVL, 5L);
    curl_easy_setopt(r->easy, CURLOPT_CONNECTTIMEOUT_MS, 10000L);
    curl_easy_setopt(r->easy, CURLOPT_TIMEOUT_MS, (long) total_ms);
    curl_easy_setopt(r->easy, CURLOPT_ERRORBUFFER, r->message);
    curl_easy_setopt(r->easy, CURLOPT_WRITEFUNCTION, write_cb);
    curl_easy_setopt(r->easy, CURLOPT_WRITEDATA, r);
    curl_easy_setopt(r->easy, CURLOPT_PRIVATE, r);
    if (config->proxy) {
        curl_easy_setopt(r->easy, CURLOPT_PROXY, config->proxy);
    }
    curl_multi_add_handle(kc->multi, r->easy);
    return r;
}

/* Starts a GET of 'path', which includes the query, from the server of
 * 'config'.  Reads the secrets of 'config' now.  Returns the request, which
 * ends by 'class->done' or kube_curl_cancel(); or returns null and stores an
 * error message, which the caller must free, in '*error'. */
struct kube_request *
kube_curl_get(struct kube_curl *kc, const struct kube_config *config,
              const char *path, long long int idle_ms, long long int total_ms,
              const struct kube_request_class *class, void *aux,
              char **error)
{
    return start_request(kc, config, path, NULL, idle_ms, total_ms, class,
                         aux, error);
}

/* The same for a PATCH with the body 'patch', a JSON merge patch (RFC
 * 7396). */
struct kube_request *
kube_curl_patch(struct kube_curl *kc, const struct kube_config *config,
                const char *path, const char *patch, long long int idle_ms,
                long long int total_ms,
                const struct kube_request_class *class, void *aux,
                char **error)
{
    return start_request(kc, config, path, patch, idle_ms, total_ms, class,
                         aux, error);
}

/* Returns the HTTP status of the response to 'r', or 0 before the response. */
long
kube_curl_status(const struct kube_request *r)
{
    long status = 0;

    curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

/* Ends 'r', which may be null, without a call of its class. */
void
kube_curl_cancel(struct kube_request *r)
{
    if (r) {
        destroy_request(r);
    }
}

/* Removes " after N ms" and " after N milliseconds" from 'message', so that
 * the same failure has the same message each time and is logged once. */
static void
remove_durations(char *message)
{
    char *p = message;

    while ((p = strstr(p, " after ")) != NULL) {
        int n = 0;

        if (ovs_scan(p, " after %*u milliseconds%n", &n)
            || ovs_scan(p, " after %*u ms%n", &n)) {
            memmove(p, p + n, strlen(p + n) + 1);
        } else {
            p++;
        }
    }
}

/* Reports the end of 'r' to its class: 'code' or, if that is CURLE_OK, the
 * error 'why', which may be null.  Frees 'r'. */
static void
end_request(struct kube_request *r, CURLcode code, const char *why)
{
    const struct kube_request_class *class = r->class;
    struct kube_result result = { .error = why };
    curl_off_t retry = 0;
    void *aux = r->aux;
    char *error = NULL;
    char *body;

    result.status = kube_curl_status(r);
    curl_easy_getinfo(r->easy, CURLINFO_RETRY_AFTER, &retry);
    result.retry_after = MIN(MAX(retry, 0) * 1000, MAX_RETRY_AFTER_MS);
    if (code != CURLE_OK) {
        result.error = error = xstrdup(r->message[0] ? r->message
                                       : curl_easy_strerror(code));
        remove_durations(error);
    }
    result.body = body = ds_steal_cstr(&r->body);
    destroy_request(r);
    class->done(&result, aux);
    free(body);
    free(error);
}

static void
run_sockets(struct kube_curl *kc)
{
    struct pollfd *fds;
    size_t n = kc->n_fds;
    int running;

    /* libcurl changes 'kc->fds' meanwhile. */
    fds = xmemdup(kc->fds, n * sizeof *fds);
    if (n && poll(fds, n, 0) > 0) {
        for (size_t i = 0; i < n; i++) {
            int events = ((fds[i].revents & POLLIN ? CURL_CSELECT_IN : 0)
                          | (fds[i].revents & POLLOUT ? CURL_CSELECT_OUT : 0)
                          | (fds[i].revents & ~(POLLIN | POLLOUT)
                             ? CURL_CSELECT_ERR : 0));

            if (events) {
                curl_multi_socket_action(kc->multi, fds[i].fd, events,
                                         &running);
            }
        }
    }
    free(fds);
    if (time_msec() >= kc->timer) {
        kc->timer = LLONG_MAX;
        curl_multi_socket_action(kc->multi, CURL_SOCKET_TIMEOUT, 0,
                                 &running);
    }
}

/* Moves data, and calls the classes of requests. */
void
kube_curl_run(struct kube_curl *kc)
{
    struct kube_request *r;
    CURLMsg *msg;
    int n;

    run_sockets(kc);
    while ((msg = curl_multi_info_read(kc->multi, &n))) {
        if (msg->msg == CURLMSG_DONE) {
            CURLcode code = msg->data.result;

            curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &r);
            end_request(r, code, NULL);
        }
    }

    for (;;) {
        struct kube_request *late = NULL;

        LIST_FOR_EACH (r, node, &kc->requests) {
            if (time_msec() >= r->idle_deadline) {
                late = r;
                break;
            }
        }
        if (!late) {
            break;
        }
        end_request(late, CURLE_OK, "the server is silent");
    }
}

void
kube_curl_wait(struct kube_curl *kc)
{
    struct kube_request *r;

    for (size_t i = 0; i < kc->n_fds; i++) {
        poll_fd_wait(kc->fds[i].fd, kc->fds[i].events);
    }
    if (kc->timer != LLONG_MAX) {
        poll_timer_wait_until(kc->timer);
    }
    LIST_FOR_EACH (r, node, &kc->requests) {
        poll_timer_wait_until(r->idle_deadline);
    }
}
