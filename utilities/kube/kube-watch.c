/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "kube-watch.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "coverage.h"
#include "kube-config.h"
#include "kube-curl.h"
#include "kube-lines.h"
#include "kube-object.h"
#include "kube-page.h"
#include "kube-sink.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/shash.h"
#include "openvswitch/vlog.h"
#include "random.h"
#include "sset.h"
#include "timeval.h"
#include "util.h"
#include "utilities/common/complain.h"

VLOG_DEFINE_THIS_MODULE(kube_watch);

COVERAGE_DEFINE(kube_watch_event);
COVERAGE_DEFINE(kube_watch_failed);
COVERAGE_DEFINE(kube_watch_gone);
COVERAGE_DEFINE(kube_watch_listed);

#define PAGE_ITEMS 500
#define OPTIONAL_MS (5 * 60 * 1000)       /* Until objects are asked for again
                                           * that the server lacks. */
#define LIST_MS (5 * 60 * 1000)           /* Limit for one page. */
#define WATCH_MIN_S 300                   /* A random time, up to twice this,
                                           * ends a watch. */
#define BACKOFF_MIN_MS 500
#define BACKOFF_MAX_MS 30000
#define MAX_FAILED_WATCHES 3              /* One more, and list again. */
#define MAX_LOGGED_ERRORS 5               /* Until the server works again. */
#define LONG_WATCH_MS 10000               /* A watch that lasts this long shows
                                           * that the server works. */

enum state {
    PAUSED,                     /* Until 'pause', then 'next'. */
    LISTING,
    WATCHING,
};

struct kube_watch {
    const struct kube_watch_class *class;
    char *selector;             /* Part of the query: "&...", or empty. */
    const struct kube_config *config;
    struct kube_curl *curl;
    struct kube_sink *sink;
    int idle_ms;

    enum state state, next;
    long long int pause;        /* When PAUSED ends, in ms. */
    int backoff_ms;
    int n_failed_watches;       /* In a row. */
    int n_gone;                 /* Watches in a row that ended by "gone". */
    struct kube_request *request;
    char *error;                /* The last one; null if the server works. */
    struct sset errors;         /* Logged since the server last worked. */
    struct kube_watch_stats stats;

    /* LISTING. */
    struct kube_page page;
    char *continue_;            /* Token for the next page, or null. */

    /* WATCHING. */
    struct kube_lines lines;
    char *version;              /* resourceVersion, or null. */
    long long int started;
    bool gone;                  /* The server has forgotten 'version'. */
    bool answered;              /* The watch has brought an event. */
    char *reason;               /* Why this side ended it, or null. */
};

static const struct kube_request_class list_class;
static const struct kube_request_class watch_class;

/* Returns a copy of 's' with the special characters of URLs escaped. */
static char *
escape(const char *s)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    for (; *s; s++) {
        if (isalnum((unsigned char) *s) || strchr("-._~", *s)) {
            ds_put_char(&ds, *s);
        } else {
            ds_put_format(&ds, "%%%02X", (unsigned char) *s);
        }
    }
    return ds_steal_cstr(&ds);
}

/* Returns a reader of the objects of 'class', into 'sink', for the caller to
 * destroy.  If 'selector', "labelSelector" or "fieldSelector", is not null,
 * the server selects objects by 'value'.  A connection ends after 'idle_ms' of
 * silence.  'class', 'config', 'curl' and 'sink' must outlive the result. */
struct kube_watch *
kube_watch_create(const struct kube_watch_class *class, const char *selector,
                  const char *value, const struct kube_config *config,
                  struct kube_curl *curl, struct kube_sink *sink,
                  int idle_ms)
{
    struct kube_watch *w = xzalloc(sizeof *w);

    w->class = class;
    if (selector) {
        char *escaped = escape(value);

        w->selector = xasprintf("&%s=%s", selector, escaped);
        free(escaped);
    } else {
        w->selector = xstrdup("");
    }
    w->config = config;
    w->curl = curl;
    w->sink = sink;
    w->idle_ms = idle_ms;
    w->state = PAUSED;
    w->next = LISTING;
    w->pause = time_msec();
    sset_init(&w->errors);
    kube_lines_init(&w->lines, KUBE_LINE_MAX);
    return w;
}

/* Frees the state of the request that ended. */
static void
clear_request(struct kube_watch *w)
{
    w->request = NULL;
    kube_page_abort(&w->page);
    kube_lines_destroy(&w->lines);
    kube_lines_init(&w->lines, KUBE_LINE_MAX);
    free(w->reason);
    w->reason = NULL;
    w->answered = false;
}

void
kube_watch_destroy(struct kube_watch *w)
{
    if (w) {
        kube_curl_cancel(w->request);
        clear_request(w);
        kube_lines_destroy(&w->lines);
        free(w->selector);
        free(w->error);
        sset_destroy(&w->errors);
        free(w->continue_);
        free(w->version);
        free(w);
    }
}

static void
pause_until(struct kube_watch *w, enum state next, long long int ms)
{
    w->state = PAUSED;
    w->next = next;
    w->pause = time_msec() + ms;
}

/* Notes that the server works: the next error is logged again, and pauses are
 * short again.  After a failed watch, neither a list nor the start of another
 * watch is proof enough.  A server whose watches always fail would fill the
 * log, and get requests without growing pauses. */
static void
succeeded(struct kube_watch *w)
{
    if (w->error) {
        VLOG_INFO("%s: %s works again", w->config->server, w->class->path);
        free(w->error);
        w->error = NULL;
        sset_clear(&w->errors);
    }
    w->backoff_ms = 0;
    w->n_failed_watches = 0;
}

/* Notes 'error', which it takes over.  Pauses for at least 'retry_after' ms,
 * and then goes on with 'next'. */
static void
failed(struct kube_watch *w, enum state next, char *error,
       long long int retry_after)
{
    long long int ms;

    COVERAGE_INC(kube_watch_failed);
    w->stats.n_failures++;
    w->backoff_ms = (w->backoff_ms
                     ? MIN(w->backoff_ms * 2, BACKOFF_MAX_MS)
                     : BACKOFF_MIN_MS);
    ms = MAX(w->backoff_ms / 2 + random_range(w->backoff_ms / 2 + 1),
             retry_after);
    if (sset_count(&w->errors) < MAX_LOGGED_ERRORS
        && sset_add(&w->errors, error)) {
        VLOG_WARN("%s: %s: %.300s; trying again", w->config->server,
                  w->class->path, error);
    }
    free(w->error);
    w->error = error;
    pause_until(w, next, ms);
}

/* Starts a request for 'path', which it frees.  If the request cannot be
 * started, that is a failure like any other. */
static void
start(struct kube_watch *w, enum state state, char *path,
      long long int idle_ms, long long int total_ms)
{
    char *error;

    w->state = state;
    w->request = kube_curl_get(w->curl, w->config, path, idle_ms, total_ms,
                               (state == LISTING ? &list_class
                                                 : &watch_class),
                               w, &error);
    if (!w->request) {
        clear_request(w);
        failed(w, state, error, 0);
    }
    free(path);
}

/* Lists. */

static void
start_list(struct kube_watch *w)
{
    char *next = escape(w->continue_ ? w->continue_ : "");

    if (!w->continue_) {
        kube_sink_list_begin(w->sink, w->class->kind);
    }
    kube_page_begin(&w->page);
    start(w, LISTING,
          xasprintf("%s?limit=%d%s%s%s", w->class->path, PAGE_ITEMS,
                    w->selector, next[0] ? "&continue=" : "", next),
          MIN(w->idle_ms, 30000), LIST_MS);
    free(next);
}

static bool
list_data(const char *data, size_t size, void *w_)
{
    struct kube_watch *w = w_;

    w->reason = kube_page_feed(&w->page, data, size);
    return !w->reason;
}

static void
list_done(const struct kube_result *result, void *w_)
{
    struct kube_watch *w = w_;
    char *error = NULL;

    if (result->status == 200 && !result->error) {
        error = kube_page_end(&w->page, w->class->kind, w->sink, &w->version,
                              &w->continue_);
    } else {
        error = kube_result_describe(result, w->reason);
    }
    clear_request(w);

    if (w->class->optional
        && (result->status == 403 || result->status == 404)) {
        complain_once("%s: %s: %.300s; going on without", w->config->server,
                      w->class->path, error);
        free(error);
        kube_sink_list_end(w->sink, w->class->kind);
        pause_until(w, LISTING, OPTIONAL_MS);
    } else if (error) {
        /* The list starts again: the token for its next page may be the
         * fault. */
        free(w->continue_);
        w->continue_ = NULL;
        failed(w, LISTING, error, result->retry_after);
    } else if (w->continue_) {
        pause_until(w, LISTING, 0);
    } else {
        COVERAGE_INC(kube_watch_listed);
        w->stats.n_lists++;
        w->gone = false;
        kube_sink_list_end(w->sink, w->class->kind);
        if (!w->n_failed_watches) {
            succeeded(w);
        }
        pause_until(w, WATCHING, 0);
    }
}

static const struct kube_request_class list_class = { list_data, list_done };

/* Watches. */

static void
start_watch(struct kube_watch *w)
{
    int seconds = WATCH_MIN_S + random_range(WATCH_MIN_S);
    char *version = escape(w->version);

    w->stats.n_watches++;
    w->started = time_msec();
    start(w, WATCHING,
          xasprintf("%s?watch=1&allowWatchBookmarks=true&timeoutSeconds=%d"
                    "&resourceVersion=%s%s",
                    w->class->path, seconds, version, w->selector),
          w->idle_ms, (seconds + 30) * 1000LL);
    free(version);
}

/* Handles an "ERROR" event, described by 'status'. */
static void
watch_error(struct kube_watch *w, const struct json *status)
{
    const struct json *code = NULL;

    if (status) {
        code = shash_find_data(json_object(status), "code");
    }
    w->gone = code && code->type == JSON_INTEGER && json_integer(code) == 410;
    w->reason = xasprintf("%s: %.200s", w->gone ? "gone" : "error",
                          kube_object_string(status, "message"));
}

/* Handles 'event', a line of a watch, and frees it.  Returns false to end the
 * watch. */
static bool
watch_line(struct json *event, void *w_)
{
    struct kube_watch *w = w_;
    const char *type = kube_object_string(event, "type");
    const struct json *object = kube_object_member(event, "object");
    const char *version = kube_object_string(
        kube_object_member(object, "metadata"), "resourceVersion");

    if (!strcmp(type, "ERROR")) {
        watch_error(w, object);
    } else if (!object || !version[0]) {
        w->reason = xstrdup("an event without object or resourceVersion");
    } else {
        if (!strcmp(type, "ADDED") || !strcmp(type, "MODIFIED")) {
            kube_sink_apply(w->sink, w->class->kind,
                            KUBE_ADDED_OR_MODIFIED, object);
        } else if (!strcmp(type, "DELETED")) {
            kube_sink_apply(w->sink, w->class->kind, KUBE_DELETED,
                            object);
        } else if (strcmp(type, "BOOKMARK")) {
            complain_once("%s: an event of type %.32s", w->class->path, type);
        }
        if (strcmp(type, "BOOKMARK")) {
            COVERAGE_INC(kube_watch_event);
            w->stats.n_events++;
            w->answered = true;
        }
        free(w->version);
        w->version = xstrdup(version);
        w->n_gone = 0;
    }
    json_destroy(event);
    return !w->reason;
}

static bool
watch_data(const char *data, size_t size, void *w_)
{
    struct kube_watch *w = w_;
    char *error;

    error = kube_lines_feed(&w->lines, data, size, watch_line, w);
    if (error) {
        w->reason = error;
    }
    return !w->reason;
}

static void
watch_done(const struct kube_result *result, void *w_)
{
    struct kube_watch *w = w_;
    bool partial = w->lines.partial.length > 0;
    bool ok = result->status == 200 && !result->error && !partial;
    bool answered = w->answered;
    bool gone = w->gone || result->status == 410;
    char *error = NULL;

    if (!ok || w->reason) {
        error = kube_result_describe(result, w->reason);
    }
    clear_request(w);

    if (result->status == 200
        && time_msec() - w->started >= LONG_WATCH_MS) {
        succeeded(w);
    }
    if (gone) {
        COVERAGE_INC(kube_watch_gone);
        if (!w->n_gone++) {
            VLOG_INFO("%s: listing again: the server does not remember "
                      "version %s", w->class->path, w->version);
        }
        pause_until(w, LISTING,
                    random_range(MIN(BACKOFF_MIN_MS << MIN(w->n_gone, 10),
                                     BACKOFF_MAX_MS)));
        free(error);
    } else if (error || !answered) {
        /* A server may end each watch at once without an event, or with only
         * a bookmark.  Then a pause must keep this from asking again and
         * again. */
        bool again = (++w->n_failed_watches <= MAX_FAILED_WATCHES
                      && (!result->status || result->status == 200
                          || result->status == 429
                          || result->status >= 500));

        if (error) {
            failed(w, again ? WATCHING : LISTING, error, result->retry_after);
        } else {
            pause_until(w, again ? WATCHING : LISTING,
                        BACKOFF_MIN_MS + random_range(BACKOFF_MIN_MS));
        }
    } else {
        pause_until(w, WATCHING, 0);
    }
}

static const struct kube_request_class watch_class = {
    watch_data, watch_done
};

/* Returns true if the server was faulty and has granted the present watch:
 * when that lasts LONG_WATCH_MS, the server works again. */
static bool
is_on_trial(const struct kube_watch *w)
{
    return (w->state == WATCHING && (w->error || w->n_failed_watches)
            && kube_curl_status(w->request) == 200);
}

/* Starts the request that is due. */
void
kube_watch_run(struct kube_watch *w)
{
    if (is_on_trial(w) && time_msec() >= w->started + LONG_WATCH_MS) {
        succeeded(w);
    }
    if (w->state == PAUSED && time_msec() >= w->pause) {
        if (w->next == LISTING) {
            start_list(w);
        } else {
            start_watch(w);
        }
    }
}

void
kube_watch_wait(struct kube_watch *w)
{
    if (w->state == PAUSED) {
        poll_timer_wait_until(w->pause);
    } else if (is_on_trial(w)) {
        poll_timer_wait_until(w->started + LONG_WATCH_MS);
    }
}

/* Appends a line about 'w' to 's', for people. */
void
kube_watch_format(const struct kube_watch *w, struct ds *s)
{
    ds_put_format(s, "%s: %s, version %s, %llu lists, %llu watches, "
                  "%llu events, %llu failures", w->class->path,
                  (w->state == LISTING ? "listing"
                   : w->state == WATCHING ? "watching"
                   : w->error ? "will try again" : "starting"),
                  w->version ? w->version : "none", w->stats.n_lists,
                  w->stats.n_watches, w->stats.n_events,
                  w->stats.n_failures);
    if (w->error) {
        ds_put_format(s, "; %s", w->error);
    }
    ds_put_char(s, '\n');
}

const struct kube_watch_stats *
kube_watch_get_stats(const struct kube_watch *w)
{
    return &w->stats;
}
