/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "kube-http.h"

#include <errno.h>
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
#include "utilities/common/complain.h"

VLOG_DEFINE_THIS_MODULE(kube_http);

COVERAGE_DEFINE(kube_http_request);

#define MAX_CONNECTIONS 32u     /* Of one server. */
#define MAX_MEMORY 16384        /* For one request, in octets. */
#define IDLE_S 10u

/* Time until a server that cannot be opened is tried again. */
#define RETRY_MS 1000

struct kube_http {
    char *what, *address;
    struct sockaddr_storage ss;
    kube_http_cb *cb;
    void *aux;
    struct MHD_Daemon *daemon;  /* Null while it cannot be opened. */
    int epoll;
    long long int retry;        /* When to try again, in ms. */
};

static void
close_server(struct kube_http *http)
{
    if (http->daemon) {
        MHD_stop_daemon(http->daemon);  /* Also closes the socket. */
        http->daemon = NULL;
    }
}

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

/* Parses 'address', "HOST:PORT" where HOST may be empty or "*" for all
 * addresses, into '*ss'.  Returns false if it is faulty. */
static bool
parse_address(const char *address, struct sockaddr_storage *ss)
{
    const char *colon = strrchr(address, ':');
    char *host, *target;
    bool ok;

    if (!colon || !colon[1]) {
        return false;
    }
    host = xmemdup0(address, colon - address);
    target = xasprintf("%s:%s", colon + 1,
                       !host[0] || !strcmp(host, "*") ? "[::]" : host);
    ok = inet_parse_passive(target, -1, ss, false, NULL);
    free(target);
    free(host);
    return ok;
}

/* Returns a socket that listens on 'ss', or a negative errno value.  "::"
 * accepts IPv4, too. */
static int
listen_on(const struct sockaddr_storage *ss)
{
    int fd = socket(ss->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
                    0);
    int on = 1, off = 0;

    if (fd < 0) {
        return -errno;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (ss->ss_family == AF_INET6) {
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    }
    if (bind(fd, (const struct sockaddr *) ss, ss_length(ss))
        || listen(fd, 10)) {
        int error = errno;

        close(fd);
        return -error;
    }
    return fd;
}

static bool
is_any_ipv6(const struct sockaddr_storage *ss)
{
    return (ss->ss_family == AF_INET6
            && IN6_IS_ADDR_UNSPECIFIED(
                &ALIGNED_CAST(const struct sockaddr_in6 *, ss)->sin6_addr));
}

static int
open_socket(const struct kube_http *http)
{
    int fd = listen_on(&http->ss);

    if ((fd == -EAFNOSUPPORT || fd == -EADDRNOTAVAIL)
        && is_any_ipv6(&http->ss)) {
        /* A host without IPv6 has only 0.0.0.0. */
        struct sockaddr_storage ss;
        struct sockaddr_in *sin = ALIGNED_CAST(struct sockaddr_in *, &ss);

        memset(&ss, 0, sizeof ss);
        sin->sin_family = AF_INET;
        sin->sin_port = htons(ss_get_port(&http->ss));
        fd = listen_on(&ss);
    }
    return fd;
}

/* Starts to serve, or says why not and chooses a time to try again. */
static void
open_server(struct kube_http *http)
{
    const union MHD_DaemonInfo *info = NULL;
    int fd = open_socket(http);

    if (fd >= 0) {
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
            info = MHD_get_daemon_info(http->daemon,
                                       MHD_DAEMON_INFO_EPOLL_FD);
        } else {
            close(fd);
        }
    }
    if (info) {
        http->epoll = info->epoll_fd;
        VLOG_INFO("%s: serving %s", http->what, http->address);
        return;
    }
    close_server(http);
    complain_once("%s: %s: %s; trying again", http->what, http->address,
                  fd < 0 ? ovs_strerror(-fd)
                  : "libmicrohttpd cannot be started");
    http->retry = time_msec() + RETRY_MS;
}

/* Creates a server on 'address', "HOST:PORT".  HOST is numeric, with brackets
 * around an IPv6 address; empty or "*" stands for all addresses.  The server
 * calls 'cb' with 'aux' for each request.  While another program has the port,
 * or the address is not there yet, it tries again; 'what' is its name in the
 * log.  Returns null and stores the server in '*httpp', for the caller to
 * destroy; or returns an error message about 'address', which the caller must
 * free, and stores null. */
char *
kube_http_create(const char *what, const char *address, kube_http_cb *cb,
                 void *aux, struct kube_http **httpp)
{
    struct sockaddr_storage ss;
    struct kube_http *http;

    *httpp = NULL;
    if (!parse_address(address, &ss)) {
        return xasprintf("%s: not [HOST]:PORT with a numeric address",
                         address);
    }
    http = xzalloc(sizeof *http);
    http->what = xstrdup(what);
    http->address = xstrdup(address);
    http->ss = ss;
    http->cb = cb;
    http->aux = aux;
    open_server(http);
    *httpp = http;
    return NULL;
}

/* Like kube_http_create(), for an 'address' from the command line: returns
 * null if it is null, and ends the program if it is faulty. */
struct kube_http *
kube_http_start(const char *what, const char *address, kube_http_cb *cb,
                void *aux)
{
    struct kube_http *http = NULL;
    char *error = (address
                   ? kube_http_create(what, address, cb, aux, &http) : NULL);

    if (error) {
        ovs_fatal(0, "%s", error);
    }
    return http;
}

/* Frees 'http', which may be null. */
void
kube_http_destroy(struct kube_http *http)
{
    if (http) {
        close_server(http);
        free(http->what);
        free(http->address);
        free(http);
    }
}

/* Does the work of 'http', which may be null. */
void
kube_http_run(struct kube_http *http)
{
    if (!http) {
        return;
    } else if (http->daemon) {
        MHD_run(http->daemon);
    } else if (time_msec() >= http->retry) {
        open_server(http);
    }
}

/* Has the poll loop wake up for 'http', which may be null. */
void
kube_http_wait(struct kube_http *http)
{
    MHD_UNSIGNED_LONG_LONG ms;

    if (!http) {
        return;
    } else if (!http->daemon) {
        poll_timer_wait_until(http->retry);
        return;
    }
    poll_fd_wait(http->epoll, POLLIN);
    if (MHD_get_timeout(http->daemon, &ms) == MHD_YES) {
        poll_timer_wait(MIN(ms, IDLE_S * 1000));
    }
}
