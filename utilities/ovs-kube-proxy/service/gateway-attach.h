/* SPDX-License-Identifier: Apache-2.0 */

#ifndef GATEWAY_ATTACH_H
#define GATEWAY_ATTACH_H 1

/* Which routes are served at which addresses
 * ==========================================
 *
 * Fills in the results in gateway-model.h, from all objects together.
 *
 * A listener has one route.  Of several that could attach, the oldest one
 * gets it; of several Gateways with the same address, port and protocol, too.
 * What is of the same age is sorted by name.  So all nodes decide alike.
 *
 * Cost: each route is held against all listeners of the Gateways that it
 * names, each reference to another namespace against all grants.
 *
 * Thread-safety: functions are reentrant. */

#include <stdbool.h>
#include <stddef.h>

#include "gateway-model.h"

struct shash;

struct gateway_objects {
    const struct shash *classes; /* "struct gateway_class" by name. */
    struct gateway **gateways;  size_t n_gateways;
    struct gateway_route **routes;  size_t n_routes;
    struct gateway_grant **grants;  size_t n_grants;
};

/* Sorts the gateways and routes by age, and fills in their results, but for
 * the "refs" of routes.  Tells of each route whether its results have
 * changed. */
void gateway_attach(const struct gateway_objects *);

/* Returns true if connections to 'l' of 'gateway' go to its route. */
bool gateway_listener_is_served(const struct gateway *gateway,
                                const struct gateway_listener *l);

#endif /* gateway-attach.h */
