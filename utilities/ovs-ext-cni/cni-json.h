/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CNI_JSON_H
#define CNI_JSON_H 1

/* Members of JSON objects that others wrote
 * =========================================
 *
 * JSON's null counts as absent.  A member of another type than is asked for is
 * an error that names 'what' the object is and the member.
 *
 * Thread-safety: functions are reentrant. */

#include <stdbool.h>
#include <stddef.h>

struct cni_error;
struct json;

const struct json *cni_json_member(const struct json *, const char *name);

struct cni_error *cni_json_string(const struct json *, const char *what,
                                  const char *name, const char **);
struct cni_error *cni_json_integer(const struct json *, const char *what,
                                   const char *name, long long int min,
                                   long long int max, long long int *);
struct cni_error *cni_json_boolean(const struct json *, const char *what,
                                   const char *name, bool *);
struct cni_error *cni_json_object(const struct json *, const char *what,
                                  const char *name, const struct json **);
struct cni_error *cni_json_array(const struct json *, const char *what,
                                 const char *name, size_t max,
                                 const struct json **, size_t *n);

#endif /* cni-json.h */
