/* SPDX-License-Identifier: Apache-2.0 */

#ifndef KUBE_SINK_H
#define KUBE_SINK_H 1

/* Where the readers of objects put them
 * =====================================
 *
 * kube-watch and kube-file read objects and hand them to a sink.  kube-store
 * is one; tests have another, which prints.
 *
 * Thread-safety: none; a sink and its readers belong to one thread. */

#include "kube-kind.h"

struct json;
struct kube_sink;

enum kube_event {
    KUBE_ADDED_OR_MODIFIED,
    KUBE_DELETED,
};

struct kube_sink_class {
    /* Takes 'object', which may be any JSON value and stays the caller's.  On
     * a fault, stores a message in '*error', which is null before and is the
     * caller's to free. */
    void (*apply)(struct kube_sink *, enum kube_kind, enum kube_event,
                  const struct json *object, char **error);

    /* A complete list of one kind is applied between these two calls.  The
     * second one deletes every object of that kind that was not applied in
     * between.  Another call of the first one begins the list anew. */
    void (*list_begin)(struct kube_sink *, enum kube_kind);
    void (*list_end)(struct kube_sink *, enum kube_kind);
};

struct kube_sink {
    const struct kube_sink_class *class;
};

void kube_sink_apply(struct kube_sink *, enum kube_kind, enum kube_event,
                     const struct json *);
void kube_sink_list_begin(struct kube_sink *, enum kube_kind);
void kube_sink_list_end(struct kube_sink *, enum kube_kind);

#endif /* kube-sink.h */
