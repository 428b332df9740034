/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "kube-object.h"

#include "openvswitch/json.h"
#include "openvswitch/shash.h"

/* Returns the member 'name' of 'object' if that is an object, else null.
 * 'object' may be null or something else than an object.  The result belongs
 * to 'object'. */
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

/* Returns the member 'name' of 'object' if that is a string, else "".
 * 'object' may be null or something else than an object.  The result belongs
 * to 'object'. */
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
