/* SPDX-License-Identifier: Apache-2.0 */

#ifndef KUBE_STORE_H
#define KUBE_STORE_H 1

/* The state of the cluster, as far as it is known
 * ===============================================
 *
 * kube-watch and kube-file put objects into the store's sink.  The store gives
 * out what service-model.h describes.  A change of an EndpointSlice costs work
 * for its own Service only.
 *
 * Thread-safety: none; all of it belongs to one thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kube_cidr;
struct kube_sink;
struct json;
struct kube_store;
struct metrics;
struct service;
struct service_conflict;
struct service_past;
struct kube_node;
struct kube_peers;

struct kube_store *kube_store_create(const char *our_node);
void kube_store_enable_gateways(struct kube_store *);
void kube_store_keep_journal(struct kube_store *, size_t limit);
void kube_store_enable_peers(struct kube_store *);
void kube_store_destroy(struct kube_store *);
void kube_store_format_metrics(const struct kube_store *,
                               const struct metrics *);

void kube_store_format_changes(const struct kube_store *,
                               const struct metrics *);

/* Takes objects.  Belongs to the store. */
struct kube_sink *kube_store_sink(struct kube_store *);

/* Results. */
bool kube_store_is_complete(const struct kube_store *);
bool kube_store_has_nodes(const struct kube_store *);
char *service_next_changed(struct kube_store *);
void service_note_conflicts(struct kube_store *, const char *ns_name,
                            struct service_conflict *, size_t n);
struct json *service_next_status(struct kube_store *, char **path);
const struct service *service_of(const struct kube_store *,
                                 const char *ns_name);
const struct service **service_all(const struct kube_store *, size_t *n);
char *service_all_at(const struct kube_store *, long long int when,
                     struct service_past **, size_t *n);
bool service_journal_began_at(const struct kube_store *, long long int when);
const struct kube_node *service_node_of(const struct kube_store *);
bool service_node_is_leaving(const struct kube_store *);
uint64_t service_node_generation(const struct kube_store *);
const struct kube_peers *service_peers_of(const struct kube_store *);
const struct kube_cidr *service_ranges_of(const struct kube_store *,
                                          size_t *n);
uint64_t service_ranges_generation(const struct kube_store *);

#endif /* kube-store.h */
