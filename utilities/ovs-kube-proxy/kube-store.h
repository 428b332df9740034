/* SPDX-License-Identifier: Apache-2.0 */

#ifndef KUBE_STORE_H
#define KUBE_STORE_H 1

/* What is known of the cluster
 * ============================
 *
 * The readers of objects, kube-watch and kube-file, write into it.
 *
 * Thread-safety: none; all of it belongs to one thread. */

struct json;

enum kube_kind {
    KUBE_SERVICE,
    KUBE_ENDPOINT_SLICE,
    KUBE_NODE,
};

enum kube_event {
    KUBE_ADDED_OR_MODIFIED,
    KUBE_DELETED,
};

const char *kube_kind_to_string(enum kube_kind);

struct kube_store;

/* Applies 'object', which may be any JSON value, to 'store'.  If it is not
 * what it should be, stores a message that the caller must free in '*error',
 * which must be null before. */
void kube_store_apply(struct kube_store *, enum kube_kind, enum kube_event,
                      const struct json *object, char **error);

/* Between these a complete list of one kind is applied: what is not applied
 * again between them is deleted by the second.  A list that is begun again
 * starts from nothing. */
void kube_store_list_begin(struct kube_store *, enum kube_kind);
void kube_store_list_end(struct kube_store *, enum kube_kind);

#endif /* kube-store.h */
