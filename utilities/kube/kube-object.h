/* SPDX-License-Identifier: Apache-2.0 */

#ifndef KUBE_OBJECT_H
#define KUBE_OBJECT_H 1

/* Members of JSON objects that others wrote
 * =========================================
 *
 * Each function takes any JSON value, or null, so that calls can be nested: a
 * value that is not an object has no members.
 *
 * Thread-safety: functions are reentrant. */

struct json;

const struct json *kube_object_member(const struct json *, const char *name);
const char *kube_object_string(const struct json *, const char *name);

#endif /* kube-object.h */
