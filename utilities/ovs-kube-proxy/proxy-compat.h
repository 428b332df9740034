/* SPDX-License-Identifier: Apache-2.0 */

#ifndef PROXY_COMPAT_H
#define PROXY_COMPAT_H 1

/* Metrics under kube-proxy's names
 * ================================
 *
 * For dashboards and alerts that were made for kube-proxy.  They say the same
 * as the program's own metrics, which say more.
 *
 * Thread-safety: none; all of it belongs to one thread. */

#include <stdint.h>

struct ds;
struct kube_store;
struct of_sync;

/* Answers given at /healthz and /livez. */
struct proxy_answers {
    uint64_t healthz_ok, healthz_fault;
    uint64_t livez_ok;
};

void proxy_compat_format(const struct kube_store *, const struct of_sync *,
                         const struct proxy_answers *, struct ds *);

#endif /* proxy-compat.h */
