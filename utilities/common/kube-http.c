/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "kube-http.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "coverage.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "socket-util.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(kube_http);

COVERAGE_DEFINE(kube_http_request);

#define MAX_CONNECTIONS 32u     /* Of one server. */
#define MAX_MEMORY 16384        /* For one request, in octets. */
#define IDLE_S 10u

struct kube_http {
    struct MHD_Daemon *daemon;
    int epoll;
    kube_http_cb *cb;
    void *aux;
};

static enum MHD_Result
send_response(struct MHD_Connection *connection, struct kube_response *r)
{
    struct MHD_Response *response;
    enum MHD_Result result;

    response = MHD_create_response_from_buffer(r->body.length,
                                               ds_cstr(&r->body),
                                               MHD_RESPMEM_MUST_COPY);
    if (!response) {
        return MHD_NO;
    }
    MHD_add_response_header(response, "Content-Type", r->type);
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "Cache-Control", "no-store");
    if (r->weight >= 0) {
        char *weight = xasprintf("%lld", r->weight);

        MHD_add_response_header(response, "X-Load-Balancing-Endpoint-Weight",
                                weight);
        free(weight);
    }
    if (r->status == MHD_HTTP_METHOD_NOT_ALLOWED) {
        MHD_add_response_header(response, "Allow", "GET, HEAD");
    }
    result = MHD_queue_response(connection, r->status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result
handle_request(void *http_, struct MHD_Connection *connection,
               const char *path, const char *method,
               const char *version OVS_UNUSED,
               const char *upload OVS_UNUSED, size_t *upload_size,
               void **state)
{
    static char seen;
    struct kube_http *http = http_;
    struct kube_response response = {
        .status = MHD_HTTP_NOT_FOUND,
        .type = "text/plain; charset=utf-8",
        .body = DS_EMPTY_INITIALIZER,
        .weight = -1,
    };
    enum MHD_Result result;

    if (!*state) {
        /* First call: only the header is there.  libmicrohttpd calls again. */
        *state = &seen;
        return MHD_YES;
    } else if (*upload_size) {
        return MHD_NO;
    }
    COVERAGE_INC(kube_http_request);
    if (!strcmp(method, MHD_HTTP_METHOD_GET)
        || !strcmp(method, MHD_HTTP_METHOD_HEAD)) {
        http->cb(path, &response, http->aux);
    } else {
        response.status = MHD_HTTP_METHOD_NOT_ALLOWED;
    }
    if (!response.body.length && response.status != MHD_HTTP_OK) {
        ds_put_format(&response.body, "%u\n", response.status);
    }
    result = send_response(connection, &response);
    ds_destroy(&response.body);
    return result;
}

static void OVS_PRINTF_FORMAT(2, 0)
log_error(void *aux OVS_UNUSED, const char *format, va_list args)
{
    /* Faults of clients do not concern the operator. */
    if (VLOG_IS_DBG_ENABLED()) {
        vlog_valist(&this_module, VLL_DBG, format, args);
    }
}

/* Opens a listening socket on 'address', "HOST:PORT" where HOST may be empty
 * or "*" for all addresses.  Returns a file descriptor or a negative errno
 * value. */
static int
open_socket(const char *address)
{
    const char *colon = strrchr(address, ':');
    struct sockaddr_storage ss;
    char *host, *target;
    int fd;

    if (!colon || !colon[1]) {
        return -EINVAL;
    }
    host = xmemdup0(address, colon - address);
    if (!host[0] || !strcmp(host, "*")) {
        /* "::" accepts IPv4 too.  A host without IPv6 has only 0.0.0.0. */
        target = xasprintf("%s:[::]", colon + 1);
        fd = inet_open_passive(SOCK_STREAM, target, -1, &ss, 0, false);
        free(target);
        target = xasprintf("%s:0.0.0.0", colon + 1);
        if (fd == -EAFNOSUPPORT || fd == -EADDRNOTAVAIL) {
            fd = inet_open_passive(SOCK_STREAM, target, -1, &ss, 0, false);
        }
    } else {
        target = xasprintf("%s:%s", colon + 1, host);
        fd = inet_open_passive(SOCK_STREAM, target, -1, &ss, 0, false);
    }
    free(target);
    free(host);
    return fd;
}

/* Opens a server on 'address', "HOST:PORT".  HOST is numeric, with brackets
 * around an IPv6 address; empty or "*" stands for all addresses.  The server
 * calls 'cb' with 'aux' for each request.  Returns null and stores the server
 * in '*httpp'; or returns an error message, which the caller must free, and
 * stores null. */
char *
kube_http_create(const char *address, kube_http_cb *cb, void *aux,
                 struct kube_http **httpp)
{
    struct kube_http *http = xzalloc(sizeof *http);
    const union MHD_DaemonInfo *info = NULL;
    int fd = open_socket(address);

    *httpp = NULL;
    if (fd < 0) {
        free(http);
        return xasprintf("%s: %s", address, ovs_strerror(-fd));
    }
    http->cb = cb;
    http->aux = aux;
    http->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_ERROR_LOG, 0, NULL, NULL, handle_request,
        http,
        MHD_OPTION_EXTERNAL_LOGGER, log_error, NULL,
        MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_CONNECTION_LIMIT, MAX_CONNECTIONS,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t) MAX_MEMORY,
        MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S,
        MHD_OPTION_END);
    if (http->daemon) {
        info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    } else {
        close(fd);
    }
    if (!info) {
        kube_http_destroy(http);
        return xasprintf("%s: libmicrohttpd cannot be started", address);
    }
    http->epoll = info->epoll_fd;
    *httpp = http;
    return NULL;
}

void
kube_http_destroy(struct kube_http *http)
{
    if (http) {
        if (http->daemon) {
            MHD_stop_daemon(http->daemon); /* Also closes the socket. */
        }
        free(http);
    }
}

void
kube_http_run(struct kube_http *http)
{
    MHD_run(http->daemon);
}

void
kube_http_wait(struct kube_http *http)
{
    MHD_UNSIGNED_LONG_LONG ms;

    poll_fd_wait(http->epoll, POLLIN);
    if (MHD_get_timeout(http->daemon, &ms) == MHD_YES) {
        poll_timer_wait(MIN(ms, IDLE_S * 1000));
    }
}
