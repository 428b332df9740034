/* SPDX-License-Identifier: Apache-2.0 */

#ifndef KUBE_OBJECT_H
#define KUBE_OBJECT_H 1

/* What the readers of objects, kube-watch and kube-file, share
 * ============================================================
 *
 * Thread-safety: none; all of it belongs to one thread. */

#include <stdbool.h>
#include "openvswitch/compiler.h"
#include "utilities/ovs-kube-proxy/service/kube-store.h"

struct json;

bool kube_object_kind(const struct json *, enum kube_kind *, bool *list);
const struct json *kube_object_member(const struct json *, const char *name);
const char *kube_object_string(const struct json *, const char *name);
void kube_object_apply(struct kube_store *, enum kube_kind, enum kube_event,
                       const struct json *);
bool kube_complain(const char *format, ...) OVS_PRINTF_FORMAT(1, 2);

#endif /* kube-object.h */
