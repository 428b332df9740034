/* SPDX-License-Identifier: Apache-2.0 */

#ifndef KUBE_KIND_H
#define KUBE_KIND_H 1

/* The kinds of objects that are read
 * ==================================
 *
 * Thread-safety: functions are reentrant. */

#include <stdbool.h>

struct json;

enum kube_kind {
    KUBE_SERVICE,
    KUBE_ENDPOINT_SLICE,
    KUBE_NODE,
    KUBE_SERVICE_CIDR,
    KUBE_GATEWAY_CLASS,         /* From here on: Gateway API. */
    KUBE_GATEWAY,
    KUBE_TCP_ROUTE,
    KUBE_UDP_ROUTE,
    KUBE_REFERENCE_GRANT,
    KUBE_N_KINDS
};

const char *kube_kind_to_string(enum kube_kind);
bool kube_kind_is_namespaced(enum kube_kind);
bool kube_kind_of(const struct json *, enum kube_kind *, bool *list);

#endif /* kube-kind.h */
