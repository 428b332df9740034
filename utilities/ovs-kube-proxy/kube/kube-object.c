/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "kube-object.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "coverage.h"
#include "openvswitch/json.h"
#include "openvswitch/shash.h"
#include "openvswitch/vlog.h"
#include "sset.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(kube_object);

COVERAGE_DEFINE(kube_object_applied);
COVERAGE_DEFINE(kube_object_malformed);

/* So many different complaints are remembered. */
#define MAX_COMPLAINTS 1000

/* Of a text that others wrote, as much goes into the log. */
#define MAX_COMPLAINT_LEN 300

/* Returns the member 'name' of 'object' if that is an object, else null.
 * 'object' may be null or something else than an object. */
const struct json *
kube_object_member(const struct json *object, const char *name)
{
    const struct json *member;

    if (!object || object->type != JSON_OBJECT) {
        return NULL;
    }
    member = shash_find_data(json_object(object), name);
    return member && member->type == JSON_OBJECT ? member : NULL;
}

/* The same for a string, which is "" if there is none. */
const char *
kube_object_string(const struct json *object, const char *name)
{
    const struct json *member;

    if (!object || object->type != JSON_OBJECT) {
        return "";
    }
    member = shash_find_data(json_object(object), name);
    return member && member->type == JSON_STRING ? json_string(member) : "";
}

/* Stores in '*kind' what 'object' is or, if '*list' is set, what the elements
 * of its "items" are.  Returns false if it is nothing we use.  A v1 List,
 * whose items may be of any kind, is not known here. */
bool
kube_object_kind(const struct json *object, enum kube_kind *kind, bool *list)
{
    static const struct {
        const char *version;
        const char *name;
        enum kube_kind kind;
    } kinds[] = {
        { "v1", "Service", KUBE_SERVICE },
        { "discovery.k8s.io/v1", "EndpointSlice", KUBE_ENDPOINT_SLICE },
        { "v1", "Node", KUBE_NODE },
    };
    const char *version = kube_object_string(object, "apiVersion");
    const char *name = kube_object_string(object, "kind");

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        size_t n = strlen(kinds[i].name);

        if (!strcmp(version, kinds[i].version)
            && !strncmp(name, kinds[i].name, n)
            && (!name[n] || !strcmp(name + n, "List"))) {
            *kind = kinds[i].kind;
            *list = name[n];
            return true;
        }
    }
    return false;
}

/* Logs a message, which may contain text that others wrote, once, and later
 * ones of the same wording only for debugging.  If there are too many to log
 * it now, that will be the next time.  Returns true if it was logged now. */
bool
kube_complain(const char *format, ...)
{
    static struct sset complaints = SSET_INITIALIZER(&complaints);
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(60, 60);
    va_list args;
    char *message;
    bool logged = false;

    va_start(args, format);
    message = xvasprintf(format, args);
    va_end(args);
    for (char *p = message; *p; p++) {
        if ((unsigned char) *p < ' ' || *p == 0x7f) {
            *p = ' ';
        }
    }
    if (strlen(message) > MAX_COMPLAINT_LEN) {
        memcpy(&message[MAX_COMPLAINT_LEN - 3], "...", 4);
    }

    if (sset_count(&complaints) >= MAX_COMPLAINTS) {
        sset_clear(&complaints);
    }
    if (!sset_contains(&complaints, message)
        && !vlog_should_drop(&this_module, VLL_WARN, &rl)) {
        sset_add(&complaints, message);
        VLOG_WARN("%s", message);
        logged = true;
    } else {
        VLOG_DBG("%s", message);
    }
    free(message);
    return logged;
}

/* Applies 'object' to 'store'.  What is wrong with it is logged once. */
void
kube_object_apply(struct kube_store *store, enum kube_kind kind,
                  enum kube_event event, const struct json *object)
{
    char *error = NULL;

    COVERAGE_INC(kube_object_applied);
    kube_store_apply(store, kind, event, object, &error);
    if (error) {
        const struct json *metadata = kube_object_member(object, "metadata");

        COVERAGE_INC(kube_object_malformed);
        kube_complain("%s %.253s/%.253s: %s", kube_kind_to_string(kind),
                      kube_object_string(metadata, "namespace"),
                      kube_object_string(metadata, "name"), error);
        free(error);
    }
}
