/* SPDX-License-Identifier: Apache-2.0 */

#ifndef GATEWAY_MODEL_H
#define GATEWAY_MODEL_H 1

/* Gateways and what is attached to them
 * =====================================
 *
 * gateway-parse fills in what objects say, gateway-attach what follows from
 * them together.
 *
 * Thread-safety: none; all of it belongs to one thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>

struct json;

/* The controllerName of GatewayClasses that this program serves. */
#define GATEWAY_CONTROLLER "openvswitch-ext/ovs-kube-proxy"

/* Limits.  The API server has the same ones, but for GATEWAY_MAX_NAMESPACES
 * and GATEWAY_MAX_GRANTS, which have none there. */
#define GATEWAY_MAX_LISTENERS 64
#define GATEWAY_MAX_ADDRESSES 16
#define GATEWAY_MAX_KINDS 8
#define GATEWAY_MAX_PARENTS 32
#define GATEWAY_MAX_BACKENDS 16
#define GATEWAY_MAX_GRANTS 16
#define GATEWAY_MAX_NAMESPACES 64
#define GATEWAY_MAX_WEIGHT 1000000

/* What all objects have, as their first member. */
struct gateway_meta {
    char *namespace_, *name;    /* 'namespace_' is "" for a GatewayClass. */
    char *created;              /* creationTimestamp: sorts by age. */
    char *uid;                  /* An object made anew has another one. */
    long long int generation;   /* Another one for each spec; 0: unknown. */
    char *version;              /* resourceVersion. */
    struct json *status;        /* As the API server has it, or null. */
};

struct gateway_class {
    struct gateway_meta meta;
    bool ours;                  /* Its controllerName is GATEWAY_CONTROLLER. */
};

/* What a condition says.  The reasons are those of the specification. */
struct gateway_condition {
    const char *reason;         /* Null: the condition holds. */
    char *message;              /* Null if 'reason' is. */
};

enum gateway_from { GATEWAY_SAME, GATEWAY_ALL, GATEWAY_SELECTED };

struct gateway_listener {
    char *name;
    uint8_t protocol;           /* IPPROTO_TCP or _UDP; 0: not supported. */
    bool on_tcp;                /* Its protocol is one on top of TCP. */
    uint16_t port;
    enum gateway_from from;     /* Namespaces that routes may be in: */
    char **namespaces;          size_t n_namespaces; /* GATEWAY_SELECTED. */
    bool open;                  /* Routes of its protocol may attach. */
    struct gateway_condition fault; /* "Accepted" is false. */
    struct gateway_condition kinds; /* "ResolvedRefs" is false. */

    /* Results. */
    struct gateway_condition taken; /* "Accepted" is false, because of another
                                     * listener, */
    bool conflicted;            /* which is of the same Gateway. */
    struct gateway_condition blocked;   /* "Accepted" is false, because of a
                                         * Service, */
    bool blocked_everywhere;    /* at all addresses of the Gateway. */
    const struct gateway_route *route;  /* The one that is attached. */
};

struct gateway {
    struct gateway_meta meta;
    char *class;                /* Name of its GatewayClass. */
    struct in6_addr *addrs;     size_t n_addrs;
    struct gateway_listener *listeners; size_t n_listeners;
    struct gateway_condition fault; /* "Accepted" is false. */

    bool ours;                  /* Result: its GatewayClass is ours. */
};

struct gateway_parent {
    struct json *ref;           /* As it is in the spec. */
    bool is_gateway;            /* Else it is something unknown to us. */
    char *namespace_, *name;
    char *section;              /* Name of a listener, or null. */
    uint16_t port;              /* Of listeners; 0: any. */

    /* Results. */
    bool ours;                  /* It is a Gateway of ours. */
    struct gateway_condition fault; /* "Accepted" is false. */
};

struct gateway_backend {
    bool is_service;
    char *namespace_, *name;
    uint16_t port;              /* 0: none. */
    uint32_t weight;            /* 0...GATEWAY_MAX_WEIGHT. */
    bool granted;               /* Result: the route may refer to it. */
};

/* A port that a route is served at. */
struct gateway_place {
    uint16_t port;
    struct in6_addr *addrs;     size_t n_addrs;
};

struct gateway_route {
    struct gateway_meta meta;
    uint8_t protocol;           /* IPPROTO_TCP: TCPRoute, IPPROTO_UDP:
                                 * UDPRoute. */
    struct gateway_parent *parents; size_t n_parents;
    struct gateway_backend *backends;   size_t n_backends;

    /* Results. */
    struct gateway_place *places;   size_t n_places;
    char *summary;              /* Of all results but 'refs'; null at first. */
    bool changed;               /* gateway_attach() has changed it. */
    struct gateway_condition refs;  /* "ResolvedRefs" is false. */
};

/* Services that routes of other namespaces may refer to. */
struct gateway_grant {
    struct gateway_meta meta;
    struct gateway_grant_from {
        uint8_t protocol;       /* Of the routes. */
        char *namespace_;
    } *from;
    size_t n_from;
    char **services;            size_t n_services;  /* Null: all. */
};

#endif /* gateway-model.h */
