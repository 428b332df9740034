/* SPDX-License-Identifier: Apache-2.0 */

#ifndef COMPAT_JSON_H
#define COMPAT_JSON_H 1

/* Arrays of JSON in each release of Open vSwitch: later ones hold a short
 * array in the "struct json" itself. */

#include "openvswitch/json.h"
#include "ovs-features.h"

#ifndef OVS_HAS_JSON_ARRAY_AT
static inline size_t
json_array_size(const struct json *json)
{
    return json_array(json)->n;
}

static inline const struct json *
json_array_at(const struct json *json, size_t i)
{
    return json_array(json)->elems[i];
}
#endif

/* Returns the elements of the array 'json', which belong to it. */
static inline struct json **
compat_json_elements(const struct json *json)
{
    struct json *array = CONST_CAST(struct json *, json);

#ifdef OVS_HAS_JSON_ARRAY_AT
    return (array->storage_type == JSON_ARRAY_DYNAMIC
            ? array->array.elements : array->elements);
#else
    return array->array.elems;
#endif
}

#endif /* compat-json.h */
