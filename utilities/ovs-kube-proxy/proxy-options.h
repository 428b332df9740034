/* SPDX-License-Identifier: Apache-2.0 */

#ifndef PROXY_OPTIONS_H
#define PROXY_OPTIONS_H 1

/* The command line of ovs-kube-proxy
 * ==================================
 *
 * Faults are found here, before the program begins to work. */

#include <stdbool.h>
#include "utilities/kube/kube-source.h"
#include "utilities/of-sync/of-options.h"
#include "utilities/ovs-kube-proxy/pipeline/service-options.h"
#include "utilities/ovs-kube-proxy/pipeline/service-reject.h"

struct proxy_options {
    const char *healthz_address, *metrics_address, *page_address;
    unsigned int metrics_series;
    unsigned int journal_mb;    /* 0: none is kept. */
    const char *unixctl_path;
    bool cleanup;
    bool gateway_api;           /* Serve routes of Gateway API, too. */
    const char *gateway_status; /* Node whose program writes their status, or
                                 * null. */
    char *switch_path;          /* Memory of 'sync.remote', or null. */

    struct kube_source_options source;
    struct of_sync_options sync;
    struct service_pipeline_options pipeline;
    struct service_reject_options reject;
};

void proxy_options_parse(int argc, char *argv[], struct proxy_options *);
void proxy_options_destroy(struct proxy_options *);

#endif /* proxy-options.h */
