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
struct service_addrs;

/* Keys of of_sync_replace() that no Service can have. */
#define BASE_KEY "=base"
#define HAIRPIN_KEY "=hairpin "
#define PEERS_KEY "=peers"
#define ERRORS_KEY "=errors "

/* An address and port that one Service has. */
struct claim {
    struct hmap_node node;      /* In service_pipeline's 'claims'. */
    struct ovs_list list_node;  /* In piped_service's 'claims'. */
    struct kube_cidr cidr;
    uint8_t protocol;
    uint16_t port;
    struct piped_service *owner;
    unsigned int pass;          /* Pass that last claimed it. */
    struct sset waiters;        /* Keys of Services that want it, too. */
};

/* An address of a UDP port, with an endpoint behind it. */
struct udp_path {
    struct in6_addr addr;
    uint16_t port;
    struct in6_addr ep_addr;
    uint16_t ep_port;
};

/* An endpoint that the last run of the program has left in the switch. */
struct old_endpoint {
    uint32_t group_id;
    struct in6_addr addr;
    uint16_t port;
};

/* What a Service has in the switch. */
struct piped_service {
    char *key;                  /* "NAMESPACE/NAME". */
    struct ovs_list claims;     /* Contains "struct claim"s. */
    struct sset groups;         /* Names of groups. */
    struct sset hairpins;       /* Endpoints' addresses, as strings. */
    struct sset errors;         /* See service-errors.c. */
    struct udp_path *paths;     /* Sorted. */
    size_t n_paths;
    size_t n_flows, n_left_out;
    long long int changed;      /* When it was last made, in ms since 1970. */
};

struct service_pipeline {
    struct service_pipeline_options o;
    struct service_tables t;    /* 'o.tables', completed. */
    struct kube_store *store;
    struct of_sync *sync;

    bool based;                 /* The base flows are made. */
    uint64_t node_generation;   /* Generation of the node in 't'... */
    uint64_t ranges_generation; /* ...and of the ranges in the base flows. */
    uint64_t peers_generation;  /* Of the Nodes in the flows for them. */
    struct service_addrs *addrs; /* Null unless our node is this machine. */
    struct in6_addr *nodeports; /* Memory of 't.nodeports'. */

    struct shash services;      /* Contains "struct piped_service"s. */
    struct hmap claims;         /* Contains "struct claim"s. */
    struct shash hairpins;      /* Number of Services that need each, by
                                 * address. */
    struct shash errors;        /* By address with direct return, contains
                                 * "struct shash"es: numbers of Services that
                                 * have a node there, by its address. */
    struct old_endpoint *old;   size_t n_old, allocated_old;
    bool old_ended;             /* Their connections were ended. */
    struct sset dirty;          /* Keys of Services to update again. */
    struct sset health;         /* Keys of Services with a health-check node
                                 * port. */
    uint64_t health_seqno;
    long long int deadline;     /* Wait for our node until then, in ms. */
    unsigned int pass;
    bool current;

    unsigned long long int n_updates, n_conflicts, n_flushes;
    size_t n_left_out;          /* Flows, of all Services. */
};

#endif /* service-state.h */
