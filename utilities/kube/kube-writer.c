/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "kube-writer.h"

#include <limits.h>
#include <stdlib.h>

#include "kube-curl.h"
#include "openvswitch/json.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/shash.h"
#include "timeval.h"
#include "util.h"
#include "utilities/common/complain.h"
#include "utilities/common/metrics.h"

#define PAUSE_MIN_MS 250
#define PAUSE_MAX_MS 32000
#define IDLE_MS 30000           /* Limits for a request. */
#define TOTAL_MS 60000

/* A path that was patched lately, or is to be patched. */
struct target {
    struct json *patch;         /* Null: nothing waits. */
    long long int next;         /* Not before then, in ms. */
    int pause;                  /* After the next request, in ms. */
};

struct kube_writer {
    const struct kube_config *config;
    struct kube_curl *curl;
    struct shash targets;       /* Contains "struct target"s, by path. */
    struct kube_request *request;   /* Null: none is under way. */
    char *path;                 /* Of 'request'. */
    struct json *patch;         /* Of 'request'. */
    unsigned long long int n_written, n_dropped, n_failed;
};

static const struct kube_request_class patch_class;

struct kube_writer *
kube_writer_create(const struct kube_config *config, struct kube_curl *curl)
{
    struct kube_writer *w = xzalloc(sizeof *w);

    w->config = config;
    w->curl = curl;
    shash_init(&w->targets);
    return w;
}

static void
forget_request(struct kube_writer *w)
{
    w->request = NULL;
    free(w->path);
    w->path = NULL;
    json_destroy(w->patch);
    w->patch = NULL;
}

static void
destroy_target(struct kube_writer *w, struct shash_node *node)
{
    struct target *t = node->data;

    json_destroy(t->patch);
    free(t);
    shash_delete(&w->targets, node);
}

/* Frees 'w', which may be null. */
void
kube_writer_destroy(struct kube_writer *w)
{
    if (w) {
        struct shash_node *node;

        kube_curl_cancel(w->request);
        forget_request(w);
        SHASH_FOR_EACH_SAFE (node, &w->targets) {
            destroy_target(w, node);
        }
        shash_destroy(&w->targets);
        free(w);
    }
}

void
kube_writer_put(struct kube_writer *w, const char *path, struct json *patch)
{
    struct target *t = shash_find_data(&w->targets, path);

    if (!t) {
        if (shash_count(&w->targets) >= KUBE_WRITER_MAX) {
            w->n_dropped++;
            json_destroy(patch);
            return;
        }
        t = xzalloc(sizeof *t);
        t->pause = PAUSE_MIN_MS;
        shash_add(&w->targets, path, t);
    }
    json_destroy(t->patch);
    t->patch = patch;
}

/* Has the next request for 't' wait, and the one after that longer. */
static void
pause_target(struct target *t)
{
    t->next = time_msec() + t->pause;
    t->pause = MIN(2 * t->pause, PAUSE_MAX_MS);
}

/* Notes that the request has failed with 'error', which it takes over. */
static void
failed(struct kube_writer *w, struct target *t, char *error)
{
    w->n_failed++;
    complain_once("%s: %.300s; trying again", w->path, error);
    free(error);
    if (!t->patch) {
        t->patch = w->patch;
        w->patch = NULL;
    }
}

static bool
patch_data(const char *data OVS_UNUSED, size_t size OVS_UNUSED,
           void *w OVS_UNUSED)
{
    return true;                /* The watch brings the object, too. */
}

static void
patch_done(const struct kube_result *result, void *w_)
{
    struct kube_writer *w = w_;
    struct target *t = shash_find_data(&w->targets, w->path);

    if (!result->error && result->status == 200) {
        w->n_written++;
    } else if (!result->error
               && (result->status == 404 || result->status == 409)) {
        w->n_dropped++;
    } else {
        failed(w, t, kube_result_describe(result, NULL));
        t->next = MAX(t->next, time_msec() + result->retry_after);
    }
    forget_request(w);
}

static const struct kube_request_class patch_class = {
    patch_data, patch_done
};

static void
start(struct kube_writer *w, const char *path, struct target *t)
{
    char *body = json_to_string(t->patch, 0);
    char *error;

    w->path = xstrdup(path);
    w->patch = t->patch;
    t->patch = NULL;
    pause_target(t);
    w->request = kube_curl_patch(w->curl, w->config, path, body, IDLE_MS,
                                 TOTAL_MS, &patch_class, w, &error);
    if (!w->request) {
        failed(w, t, error);
        forget_request(w);
    }
    free(body);
}

/* Starts a request that is due.  A target that had its pause, and as much time
 * again, without another patch, is forgotten. */
void
kube_writer_run(struct kube_writer *w)
{
    long long int now = time_msec();
    struct shash_node *node;

    if (w->request) {
        return;
    }
    SHASH_FOR_EACH_SAFE (node, &w->targets) {
        struct target *t = node->data;

        if (t->patch && now >= t->next) {
            start(w, node->name, t);
            return;
        } else if (!t->patch && now >= t->next + t->pause) {
            destroy_target(w, node);
        }
    }
}

void
kube_writer_wait(struct kube_writer *w)
{
    const struct shash_node *node;

    if (!w->request) {
        SHASH_FOR_EACH (node, &w->targets) {
            const struct target *t = node->data;

            poll_timer_wait_until(t->patch ? t->next : t->next + t->pause);
        }
    }
}

void
kube_writer_format_metrics(const struct kube_writer *w,
                           const struct metrics *m)
{
    static const char name[] = "status_patches_total";

    metrics_begin(m, name, "counter", "Patches of the status of objects.");
    metrics_put(m, name, "result", "written", w->n_written);
    metrics_put(m, name, "result", "dropped", w->n_dropped);
    metrics_put(m, name, "result", "failed", w->n_failed);
}
