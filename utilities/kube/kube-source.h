/* SPDX-License-Identifier: Apache-2.0 */

#ifndef KUBE_SOURCE_H
#define KUBE_SOURCE_H 1

/* Where objects come from: an API server, or manifests
 * ====================================================
 *
 * kube-api.h and kube-file.h read them.  This chooses between the two, for
 * programs that take either.  The options of their command lines are here,
 * too; a program puts the macros below where its own options are.
 *
 * Thread-safety: none; all of it belongs to one thread. */

#include <stdbool.h>
#include "kube-config.h"

struct ds;
struct json;
struct kube_api_options;
struct kube_sink;
struct kube_source;
struct metrics;

/* Each string is null unless it is given, and must outlive the source. */
struct kube_source_options {
    const char *kubeconfig, *context;
    const char *service_account;    /* Directory. */
    const char *from_file;          /* Directory, or "-". */
};

#define KUBE_SOURCE_OPTION_ENUMS                                        \
    OPT_KUBECONFIG, OPT_CONTEXT, OPT_IN_CLUSTER, OPT_FROM_FILE

#define KUBE_SOURCE_LONG_OPTIONS                                        \
    { "kubeconfig", required_argument, NULL, OPT_KUBECONFIG },          \
    { "context", required_argument, NULL, OPT_CONTEXT },                \
    { "in-cluster", optional_argument, NULL, OPT_IN_CLUSTER },          \
    { "from-file", required_argument, NULL, OPT_FROM_FILE }

#define KUBE_SOURCE_OPTION_HANDLERS(OPTIONS)                            \
    case OPT_KUBECONFIG: (OPTIONS)->kubeconfig = optarg; break;         \
    case OPT_CONTEXT: (OPTIONS)->context = optarg; break;               \
    case OPT_IN_CLUSTER:                                                \
        (OPTIONS)->service_account = (optarg ? optarg                   \
                                      : KUBE_SERVICE_ACCOUNT_DIR);      \
        break;                                                          \
    case OPT_FROM_FILE: (OPTIONS)->from_file = optarg; break;

#define KUBE_SOURCE_USAGE                                               \
"  --kubeconfig=FILE [--context=NAME]  API server of a kubeconfig\n"    \
"  --in-cluster[=DIR]      API server of a pod's service account\n"     \
"  --from-file=DIR|-       manifests in a directory, or on standard "   \
"input\n"

const char *kube_source_check(const struct kube_source_options *,
                              bool cleanup);
char *kube_source_open(const struct kube_source_options *, struct kube_sink *,
                       struct kube_source **);
void kube_source_start(struct kube_source *, const struct kube_api_options *);
void kube_source_destroy(struct kube_source *);
void kube_source_patch(struct kube_source *, const char *path, struct json *);
void kube_source_run(struct kube_source *);
void kube_source_wait(struct kube_source *);
void kube_source_format(const struct kube_source *, struct ds *);
void kube_source_format_metrics(const struct kube_source *,
                                const struct metrics *);

#endif /* kube-source.h */
