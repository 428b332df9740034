/* SPDX-License-Identifier: Apache-2.0 */

#ifndef GATEWAY_PARSE_H
#define GATEWAY_PARSE_H 1

/* Gateways, routes and grants from their JSON
 * ===========================================
 *
 * A compact form of the parts that a proxy needs.  Source: the reference of
 * Gateway API, gateway.networking.k8s.io/v1.  The API server fills in
 * defaults; so does this, for manifests that no server has seen.
 *
 * Attack model: 'object' may be any JSON value.  A faulty element of a list is
 * left out, with a message.  An object without a name is refused.  Lists are
 * bounded: see GATEWAY_MAX_*.
 *
 * Each function returns the result, for the caller to destroy, or null if the
 * object cannot be used at all.  It stores a message about the first fault in
 * '*error', which must be null before.
 *
 * Addresses are IPv6, with IPv4 v4-mapped.  Ports are in host byte order.
 *
 * Thread-safety: functions are reentrant. */

#include <stdint.h>

#include "gateway-model.h"
#include "openvswitch/compiler.h"

struct json;

struct gateway_class *gateway_class_parse(const struct json *, char **error);
void gateway_class_destroy(struct gateway_class *);

struct gateway *gateway_parse(const struct json *, char **error);
void gateway_destroy(struct gateway *);

struct gateway_route *gateway_route_parse(const struct json *,
                                          uint8_t protocol, char **error);
void gateway_route_destroy(struct gateway_route *);
void gateway_route_clear_places(struct gateway_route *);

struct gateway_grant *gateway_grant_parse(const struct json *, char **error);
void gateway_grant_destroy(struct gateway_grant *);

/* If 'new', any object of the above but a condition, differs from 'old' in
 * nothing but its status and version, moves these to 'old' and returns true.
 * Leaves both alone otherwise. */
bool gateway_meta_update(struct gateway_meta *old, struct gateway_meta *new);

/* Makes 'c' false, with the 'reason', a string constant, and a message.
 * Leaves it alone if it is false already. */
void gateway_condition_set(struct gateway_condition *c, const char *reason,
                           const char *format, ...) OVS_PRINTF_FORMAT(3, 4);
void gateway_condition_clear(struct gateway_condition *);

#endif /* gateway-parse.h */
