/* SPDX-License-Identifier: Apache-2.0 */

#ifndef KUBE_STORE_H
#define KUBE_STORE_H 1

/* What is known of the cluster
 * ============================
 *
 * The readers of objects, kube-watch and kube-file, write into it; what comes
 * out is declared in service-model.h.  A change of an EndpointSlice costs work
 * for its own Service alone.
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

struct ds;
struct kube_store;

struct kube_store *kube_store_create(const char *our_node);
void kube_store_destroy(struct kube_store *);
void kube_store_format_metrics(const struct kube_store *, struct ds *);

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
