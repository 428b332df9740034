/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SERVICE_PIPELINE_PRIVATE_H
#define SERVICE_PIPELINE_PRIVATE_H 1

/* What the files of service-pipeline share.  See service-pipeline.h. */

#include "openvswitch/hmap.h"
#include "openvswitch/list.h"
#include "openvswitch/shash.h"
#include "service-pipeline.h"
#include "sset.h"

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

/* What service_flows_add_port() is told. */
struct compose_aux {
    struct service_pipeline *p;
    struct piped_service *s;
    struct sset groups;         /* Names that are used. */
    bool trying;                /* Nothing may change. */
};

/* service-pipeline.c */
void pipeline_replace(struct service_pipeline *, const char *key,
                      struct service_flows *);

/* service-claims.c */
void pipeline_compose(struct compose_aux *, const struct service *,
                      struct service_flows *);
void pipeline_claim_destroy(struct service_pipeline *, struct claim *);
void pipeline_release_claims(struct service_pipeline *,
                             struct piped_service *, bool all);
void pipeline_replace_groups(struct service_pipeline *,
                             struct piped_service *, struct sset *groups);

/* service-hairpins.c */
void pipeline_put_hairpin(struct service_pipeline *, const char *name);
void pipeline_replace_hairpins(struct service_pipeline *,
                               struct piped_service *, const struct service *);

/* service-udp.c */
void pipeline_replace_paths(struct service_pipeline *, struct piped_service *,
                            const struct service *);

/* service-node.c */
void pipeline_compose_base(struct service_pipeline *, struct service_flows *);
void pipeline_update_base(struct service_pipeline *);

#endif /* service-pipeline-private.h */
