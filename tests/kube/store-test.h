/* SPDX-License-Identifier: Apache-2.0 */

#ifndef STORE_TEST_H
#define STORE_TEST_H 1

/* Manifests into a kube_store, and the Services of it, for unit tests
 * ==================================================================
 *
 * The functions fail the test if something is wrong. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "utilities/common/compat-json.h"
#include "utilities/kube/kube-sink.h"
#include "utilities/kube/kube-yaml.h"
#include "utilities/ovs-kube-proxy/service/kube-store.h"
#include "utilities/ovs-kube-proxy/service/service-format.h"

static inline void
apply(struct kube_store *store, enum kube_event event,
      const struct json *object, char **error)
{
    struct kube_sink *sink = kube_store_sink(store);
    enum kube_kind kind;
    bool list;

    assert_true(kube_kind_of(object, &kind, &list));
    sink->class->apply(sink, kind, event, object, error);
}

static inline struct json *
parse(const char *yaml)
{
    struct json *documents;
    char *error = kube_yaml_parse(yaml, strlen(yaml), &documents);

    if (error) {
        fail_msg("%s: %s", error, yaml);
    }
    return documents;
}

/* Applies 'yaml' to 'store'.  Returns the first complaint, which the caller
 * must free, or null. */
static inline char *
apply_yaml(struct kube_store *store, enum kube_event event, const char *yaml)
{
    struct json *documents = parse(yaml);
    char *first = NULL;

    for (size_t i = 0; i < json_array_size(documents); i++) {
        const struct json *object = json_array_at(documents, i);
        char *error = NULL;

        apply(store, event, object, &error);
        if (first) {
            free(error);
        } else {
            first = error;
        }
    }
    json_destroy(documents);
    return first;
}

/* Takes note of all changes, and returns how many there were. */
static inline unsigned int
take_changes(struct kube_store *store)
{
    unsigned int n = 0;
    char *name;

    while ((name = service_next_changed(store))) {
        n++;
        free(name);
    }
    return n;
}

static inline char *
format_all(struct kube_store *store)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    const struct service **services;
    size_t n;

    take_changes(store);
    services = service_all(store, &n);
    for (size_t i = 0; i < n; i++) {
        service_format(services[i], &s);
    }
    free(services);
    return ds_steal_cstr(&s);
}

static inline void
check_format(struct kube_store *store, const char *expected)
{
    char *got = format_all(store);

    if (strcmp(got, expected)) {
        fail_msg("got\n%sinstead of\n%s", got, expected);
    }
    free(got);
}

#endif /* store-test.h */
