/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "kube-sink.h"

#include <stdlib.h>

#include "coverage.h"
#include "kube-object.h"
#include "utilities/common/complain.h"

COVERAGE_DEFINE(kube_object_applied);
COVERAGE_DEFINE(kube_object_malformed);

/* Hands 'object' to 'sink', counts it, and complains of its faults. */
void
kube_sink_apply(struct kube_sink *sink, enum kube_kind kind,
                enum kube_event event, const struct json *object)
{
    char *error = NULL;

    COVERAGE_INC(kube_object_applied);
    sink->class->apply(sink, kind, event, object, &error);
    if (error) {
        const struct json *metadata = kube_object_member(object, "metadata");

        COVERAGE_INC(kube_object_malformed);
        complain_once("%s %.253s/%.253s: %s", kube_kind_to_string(kind),
                      kube_object_string(metadata, "namespace"),
                      kube_object_string(metadata, "name"), error);
        free(error);
    }
}

void
kube_sink_list_begin(struct kube_sink *sink, enum kube_kind kind)
{
    sink->class->list_begin(sink, kind);
}

void
kube_sink_list_end(struct kube_sink *sink, enum kube_kind kind)
{
    sink->class->list_end(sink, kind);
}
