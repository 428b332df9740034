/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SERVICE_STATE_H
#define SERVICE_STATE_H 1

/* The state that the files of the pipeline share
 * ==============================================
 *
 * Types only.
 *
 * Thread-safety: as service-pipeline.h. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "openvswitch/hmap.h"
#include "openvswitch/list.h"
#include "openvswitch/shash.h"
#include "service-options.h"
#include "sset.h"

struct kube_store;
struct of_sync;

/* Keys of of_sync_replace() that cannot be those of Services. */
#define BASE_KEY "=base"
#define HAIRPIN_KEY "=hairpin "

/* An address and port that belongs to one Service. */
struct claim {
    struct hmap_node node;      /* In service_pipeline's 'claims'. */
    struct ovs_list list_node;  /* In piped_service's 'claims'. */
    struct service_cidr cidr;
    uint8_t protocol;
    uint16_t port;
    struct piped_service *owner;
    unsigned int pass;          /* When it was last claimed. */
    struct sset waiters;        /* Keys of Services that want it too. */
};

/* A UDP port's address, and an endpoint that serves it. */
struct udp_path {
    struct in6_addr addr;       /* All-zeros: any. */
    uint16_t port;
    struct in6_addr ep_addr;
    uint16_t ep_port;
};

/* What a Service has in the switch. */
struct piped_service {
    char *key;                  /* "NAMESPACE/NAME". */
    struct ovs_list claims;     /* Contains "struct claim"s. */
    struct sset groups;         /* Names. */
    struct sset hairpins;       /* Endpoints' addresses, as strings. */
    struct udp_path *paths;     /* Sorted. */
    size_t n_paths;
    size_t n_flows;
};

struct service_pipeline {
    struct service_pipeline_options o;
    struct service_tables t;    /* What 'o.tables' became. */
    struct kube_store *store;
    struct of_sync *sync;

    bool based;                 /* The base is in the switch. */
    uint64_t node_generation;   /* That 't' is of. */
    struct service_cidr *nodeports; /* Of 't', if made of node addresses. */

    struct shash services;      /* Contains "struct piped_service"s. */
    struct hmap claims;         /* Contains "struct claim"s. */
    struct shash hairpins;      /* How many Services need each. */
    struct sset dirty;          /* Services to do again. */
    struct sset health;         /* Services with a health-check node port. */
    uint64_t health_seqno;
    long long int deadline;     /* To wait for our node until then. */
    unsigned int pass;
    bool current;

    unsigned long long int n_updates, n_conflicts, n_flushes;
};

#endif /* service-state.h */
