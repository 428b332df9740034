/* SPDX-License-Identifier: Apache-2.0 */

#ifndef GATEWAY_STORE_H
#define GATEWAY_STORE_H 1

/* Objects of Gateway API, as far as they are known
 * ================================================
 *
 * A part of the store in kube-store.h.  A change of a Service costs work for
 * the routes that refer to it.  A change of an object of Gateway API has all
 * routes attached anew, and costs more only for those that it concerns.
 *
 * Thread-safety: none; all of it belongs to one thread. */

#include <stdbool.h>
#include <stddef.h>

#include "gateway-route.h"
#include "utilities/kube/kube-sink.h"

struct gateway_store;
struct json;
struct service;
struct service_conflict;
struct service_journal;

struct gateway_store *gateway_store_create(void);
void gateway_store_destroy(struct gateway_store *);

/* Returns true if objects of this kind belong here. */
bool gateway_store_has(enum kube_kind);

/* Takes or deletes the object 'json'.  Stores a message about a fault in
 * '*error', which is null before and is the caller's to free. */
void gateway_store_apply(struct gateway_store *, enum kube_kind,
                         enum kube_event, const struct json *json,
                         char **error);
void gateway_store_list_begin(struct gateway_store *, enum kube_kind);
void gateway_store_list_end(struct gateway_store *, enum kube_kind);

/* Notes that Service 'ns_name' has changed. */
void gateway_store_note_service(struct gateway_store *, const char *ns_name);

/* Returns the key of a route that is to be served otherwise than before, for
 * the caller to free, or null.  'lookup' finds Services.  The journal, which
 * may be null, gets to know what the route was before. */
char *gateway_store_next_changed(struct gateway_store *,
                                 gateway_lookup_fn *lookup, const void *aux,
                                 struct service_journal *);

/* Notes that others have the 'n' 'conflicts' that route 'key' wants.  Returns
 * true and takes the array over if there is such a route. */
bool gateway_store_note_conflicts(struct gateway_store *, const char *key,
                                  struct service_conflict *conflicts,
                                  size_t n);

/* Returns a patch for the status of an object, for the caller to destroy, and
 * stores its path in '*path', for the caller to free.  Each object whose
 * status is not as it should be is named once for each change that concerns
 * it; returns null after the last one.  'now' is the time as RFC 3339 has it.
 * All of gateway_store_next_changed() must have been looked at. */
struct json *gateway_store_next_status(struct gateway_store *,
                                       const char *now, char **path);

/* Returns what is to be done for the route 'key', in the state in which
 * gateway_store_next_changed() last named it, or null. */
const struct service *gateway_store_find(const struct gateway_store *,
                                         const char *key);

/* Stores all of these in 'services', which has room for the number that
 * gateway_store_count() returns for both kinds of routes.  Returns their
 * number. */
size_t gateway_store_all(const struct gateway_store *,
                         const struct service **services);
size_t gateway_store_count(const struct gateway_store *, enum kube_kind);

#endif /* gateway-store.h */
