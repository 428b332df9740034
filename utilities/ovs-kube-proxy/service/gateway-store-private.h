/* SPDX-License-Identifier: Apache-2.0 */

#ifndef GATEWAY_STORE_PRIVATE_H
#define GATEWAY_STORE_PRIVATE_H 1

/* A store of Gateway API's objects.  gateway-store.c puts objects into it and
 * decides what is served; gateway-store-status.c makes their status. */

#include <stdbool.h>
#include <stddef.h>

#include "openvswitch/list.h"
#include "openvswitch/shash.h"
#include "sset.h"
#include "utilities/kube/kube-sink.h"

struct service;
struct service_conflict;

struct object {
    enum kube_kind kind;
    unsigned int list;          /* Number of the last list that had it. */
    void *data;                 /* The parsed object: see destroy_data(). */
    struct ovs_list unchecked;  /* In gateway_store's 'unchecked', or
                                 * empty. */

    /* Routes only. */
    char *key;
    struct service *model;      /* Null at first. */
    struct ovs_list changed;    /* In gateway_store's 'changed', or empty. */
    struct service_conflict *conflicts; size_t n_conflicts;
};

struct gateway_store {
    struct shash objects[KUBE_N_KINDS]; /* "struct object"s, by
                                         * "NAMESPACE/NAME"; GatewayClasses by
                                         * name. */
    unsigned int list[KUBE_N_KINDS];    /* Number of the last list. */
    bool dirty;                 /* Results of gateway_attach() are old. */
    struct shash routes;        /* Routes of both kinds, by key. */
    struct ovs_list changed;    /* Routes to look at. */
    struct shash gone;          /* Models of routes that were deleted, by
                                 * key. */
    struct ovs_list unchecked;  /* Objects whose status may be old. */
    struct sset services;       /* Services that routes refer to. */
};

/* gateway-store-status.c. */

/* Has the status of the object looked at. */
void gateway_object_set_unchecked(struct gateway_store *, struct object *);

#endif /* gateway-store-private.h */
