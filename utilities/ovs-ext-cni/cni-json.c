/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "cni-json.h"

#include <stdlib.h>

#include "cni-error.h"
#include "openvswitch/json.h"
#include "openvswitch/shash.h"
#include "util.h"
#include "utilities/common/compat-json.h"

/* Returns the member 'name' of 'object', or null if there is none or 'object'
 * is no object. */
const struct json *
cni_json_member(const struct json *object, const char *name)
{
    const struct json *member;

    if (!object || object->type != JSON_OBJECT) {
        return NULL;
    }
    member = shash_find_data(json_object(object), name);
    return member && member->type != JSON_NULL ? member : NULL;
}

static struct cni_error *
wrong(const struct json *member, const char *what, const char *name,
      const char *expected)
{
    char *value = json_to_string(member, 0);
    struct cni_error *error = cni_error(
        CNI_BAD_CONFIG, "Correct it in the network configuration.",
        "%s: \"%s\" is %s, and not %s", what, name, value, expected);

    free(value);
    return error;
}

/* Stores in '*value' the string, which belongs to 'object'.  Leaves it alone
 * if the member is absent. */
struct cni_error *
cni_json_string(const struct json *object, const char *what,
                const char *name, const char **value)
{
    const struct json *member = cni_json_member(object, name);

    if (member) {
        if (member->type != JSON_STRING) {
            return wrong(member, what, name, "a string");
        }
        *value = json_string(member);
    }
    return NULL;
}

/* Stores in '*value' the integer, from 'min' to 'max'.  Leaves it alone if the
 * member is absent. */
struct cni_error *
cni_json_integer(const struct json *object, const char *what,
                 const char *name, long long int min, long long int max,
                 long long int *value)
{
    const struct json *member = cni_json_member(object, name);

    if (member) {
        if (member->type != JSON_INTEGER || json_integer(member) < min
            || json_integer(member) > max) {
            char *range = xasprintf("a number from %lld to %lld", min, max);
            struct cni_error *error = wrong(member, what, name, range);

            free(range);
            return error;
        }
        *value = json_integer(member);
    }
    return NULL;
}

/* Stores in '*value' the boolean.  Leaves it alone if the member is absent. */
struct cni_error *
cni_json_boolean(const struct json *object, const char *what,
                 const char *name, bool *value)
{
    const struct json *member = cni_json_member(object, name);

    if (member) {
        if (member->type != JSON_TRUE && member->type != JSON_FALSE) {
            return wrong(member, what, name, "true or false");
        }
        *value = member->type == JSON_TRUE;
    }
    return NULL;
}

/* Stores in '*value' the object, which belongs to 'object', or null if the
 * member is absent. */
struct cni_error *
cni_json_object(const struct json *object, const char *what,
                const char *name, const struct json **value)
{
    const struct json *member = cni_json_member(object, name);

    *value = NULL;
    if (member && member->type != JSON_OBJECT) {
        return wrong(member, what, name, "an object");
    }
    *value = member;
    return NULL;
}

/* Stores in '*value' the array, which belongs to 'object', or null if the
 * member is absent, and in '*n' its size, at most 'max'. */
struct cni_error *
cni_json_array(const struct json *object, const char *what,
               const char *name, size_t max, const struct json **value,
               size_t *n)
{
    const struct json *member = cni_json_member(object, name);

    *value = NULL;
    *n = 0;
    if (member) {
        if (member->type != JSON_ARRAY) {
            return wrong(member, what, name, "an array");
        } else if (json_array_size(member) > max) {
            return cni_error(CNI_BAD_CONFIG, "Shorten it.",
                             "%s: \"%s\" has more than %"PRIuSIZE" elements",
                             what, name, max);
        }
        *value = member;
        *n = json_array_size(member);
    }
    return NULL;
}
