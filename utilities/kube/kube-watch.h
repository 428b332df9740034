/* SPDX-License-Identifier: Apache-2.0 */

#ifndef KUBE_WATCH_H
#define KUBE_WATCH_H 1

/* The objects of one kind, listed and watched
 * ===========================================
 *
 * A list, in pages, brings every object and the resourceVersion of that state.
 * A watch from that version brings each change.  The server ends a watch after
 * some minutes.  The next one starts from the version of the last event or
 * bookmark.  When the server has forgotten that version (410 Gone: etcd was
 * compacted), or answers anything else that is unknown, the list is read
 * again.
 *
 * Objects stay in the sink until something newer comes.  A server that is
 * away, hangs, sends garbage or cannot prove who it is removes nothing.
 *
 * A pause follows each failure.  Pauses double from half a second to 30
 * seconds, with jitter, so that the nodes of a cluster do not come back all at
 * once.  A pause is never shorter than the server asks for.
 *
 * Thread-safety: none; all of it belongs to one thread. */

#include <stdbool.h>

#include "kube-kind.h"

struct ds;
struct kube_config;
struct kube_curl;
struct kube_sink;

struct kube_watch_class {
    enum kube_kind kind;
    const char *path;           /* "/api/v1/services". */
    bool optional;              /* A server without such objects, or that does
                                 * not let us read them, counts as one that
                                 * has none. */
};

/* Counters of a reader. */
struct kube_watch_stats {
    unsigned long long int n_lists;    /* Complete ones. */
    unsigned long long int n_watches;  /* Started. */
    unsigned long long int n_events;   /* Without bookmarks. */
    unsigned long long int n_failures; /* Requests that failed. */
};

struct kube_watch *kube_watch_create(const struct kube_watch_class *,
                                     const char *selector, const char *value,
                                     const struct kube_config *,
                                     struct kube_curl *, struct kube_sink *,
                                     int idle_ms);
void kube_watch_destroy(struct kube_watch *);
void kube_watch_run(struct kube_watch *);
void kube_watch_wait(struct kube_watch *);
void kube_watch_format(const struct kube_watch *, struct ds *);
const struct kube_watch_stats *kube_watch_get_stats(const struct kube_watch *);

#endif /* kube-watch.h */
