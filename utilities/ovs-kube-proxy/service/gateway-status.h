/* SPDX-License-Identifier: Apache-2.0 */

#ifndef GATEWAY_STATUS_H
#define GATEWAY_STATUS_H 1

/* The status of objects of Gateway API
 * ====================================
 *
 * Conditions, their reasons, and what else the API's reference wants a
 * controller to write.  What others have written stays: conditions of other
 * types, and the entries of other controllers in a route.
 *
 * Each function returns null if the status of the object says all of it
 * already, in the generation that is known.  Otherwise it returns a patch for
 * the object's "status" subresource, for the caller to destroy.  The patch
 * applies to the version that is known, only.  'now' is the time as RFC 3339
 * has it.
 *
 * Attack model: the present status may be any JSON object.
 *
 * Thread-safety: functions are reentrant. */

struct gateway;
struct gateway_class;
struct gateway_route;
struct json;

struct json *gateway_class_status(const struct gateway_class *,
                                  const char *now);
struct json *gateway_status(const struct gateway *, const char *now);
struct json *gateway_route_status(const struct gateway_route *,
                                  const char *now);

#endif /* gateway-status.h */
