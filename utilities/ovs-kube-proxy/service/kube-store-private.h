/* SPDX-License-Identifier: Apache-2.0 */

#ifndef KUBE_STORE_PRIVATE_H
#define KUBE_STORE_PRIVATE_H 1

/* What a store holds.  kube-store.c puts objects into it, kube-store-results.c
 * gives out what they mean. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "openvswitch/list.h"
#include "openvswitch/shash.h"
#include "service-ranges.h"
#include "utilities/kube/kube-sink.h"

struct gateway_store;
struct kube_service;
struct kube_slice;
struct service;
struct service_journal;
struct kube_node;
struct kube_peers;

/* A Service by name.  The Service, or its slices, may not be known yet. */
struct store_entry {
    char *key;                  /* "NAMESPACE/NAME". */
    struct kube_service *object;    /* Null if there is none. */
    unsigned int list;          /* Number of the last list that had it. */
    struct ovs_list slices;     /* Contains "struct store_slice"s. */
    size_t n_slices;
    struct service *model;      /* Null if there is no Service. */
    struct ovs_list changed;    /* In kube_store's 'changed', or empty. */
};

struct store_slice {
    struct ovs_list node;       /* In 'entry', if that is not null. */
    struct store_entry *entry;
    struct kube_slice *slice;
    unsigned int list;
};

struct kube_store {
    struct kube_sink sink;

    char *our_node;             /* Null if unknown. */
    struct kube_node *node;  /* Null until it is known. */
    bool node_lost;             /* 'node' is what its object last said. */
    unsigned int node_list;
    uint64_t node_generation;

    struct service_ranges ranges;
    struct gateway_store *gateways; /* Null: Gateway API is not asked for. */
    struct service_journal *journal; /* Null: none is kept. */
    struct kube_peers *peers;   /* All Nodes; null: not asked for. */

    struct shash services;      /* "NAMESPACE/NAME" -> "struct store_entry". */
    struct shash slices;        /* Like 'services' -> "struct store_slice". */
    struct ovs_list changed;    /* Entries to look at, oldest first. */

    /* Objects that came, changed or went: all, and those that
     * service_next_changed() has handled. */
    uint64_t n_changes[KUBE_N_KINDS], n_handled[KUBE_N_KINDS];

    unsigned int list[KUBE_N_KINDS]; /* Number of the last list. */
    bool listed[KUBE_N_KINDS];       /* A list is complete. */
};

/* kube-store.c. */
void kube_store_destroy_entry(struct kube_store *, struct store_entry *);

#endif /* kube-store-private.h */
