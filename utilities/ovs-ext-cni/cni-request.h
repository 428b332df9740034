/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CNI_REQUEST_H
#define CNI_REQUEST_H 1

/* What a container runtime asks for
 * =================================
 *
 * A request comes in environment variables and, as JSON, on standard input.
 * It is read whole and judged before anything is done.
 *
 * Attack model: pods choose parts of it: their names, MAC and limits.  Input
 * has at most 1 MB, each string has a limit and a set of characters, and an
 * unknown key of the configuration is an error.
 *
 * Thread-safety: none; only one thread may call. */

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

struct cni_error;
struct json;

/* Newest version of the specification that is spoken. */
#define CNI_NEWEST "1.1.0"

/* In the order of time. */
enum cni_version {
    CNI_0_3_0,
    CNI_0_3_1,
    CNI_0_4_0,
    CNI_1_0_0,
    CNI_1_1_0,
    CNI_N_VERSIONS
};
extern const char *const cni_versions[CNI_N_VERSIONS];

enum cni_command { CNI_ADD, CNI_DEL, CNI_CHECK, CNI_GC, CNI_STATUS,
                   CNI_VERSION };

/* An interface of a container. */
struct cni_attachment {
    const char *container;
    const char *ifname;         /* In the container. */
    const char *netns;          /* A path, or null. */
    char host[IF_NAMESIZE];     /* Name of the port, and of the link on the
                                 * host. */
};

/* Configuration of mode "vhost-user". */
struct cni_vhost {
    const char *directory;      /* Of the pods' directories.  Null: the mode is
                                 * "veth". */
    int uid, gid, mode;         /* Of a pod's directory. */
    const char *device_info;    /* File that the runtime wants, or null. */
};

/* Of what a pod sends, or of what it gets. */
struct cni_limit {
    long long int rate;         /* Bits/s; 0 for none. */
    long long int burst;        /* Bits. */
};

struct cni_request {
    enum cni_command command;
    enum cni_version version;
    const char *version_name;
    struct json *config;        /* What was on standard input. */

    /* Environment.  Null for GC and STATUS. */
    struct cni_attachment attachment;
    char *args;                 /* Copy of CNI_ARGS, cut into these: */
    const char *pod_namespace, *pod_name, *pod_uid; /* "" for unknown. */

    /* Configuration. */
    const char *network;
    const char *bridge;
    const char *database;       /* OVSDB connection method. */
    const char *ipam;           /* Name of the IPAM plugin, or null. */
    bool node_agent;            /* Makes the flows of ports. */
    int mtu;
    int vlan;                   /* 0 for none. */
    int timeout;                /* For the switch, in ms. */
    uint8_t mac[6];             /* Of the container's interface. */
    struct cni_vhost vhost;
    struct cni_limit gets, sends;   /* Of the pod. */
    const struct json *dns;     /* Or null. */
    const struct json *prev_result; /* Or null. */
    const struct json *valid;   /* GC: array of attachments. */
};

struct cni_error *cni_request_read(struct cni_request *);
void cni_request_destroy(struct cni_request *);

/* Names of ports and links. */
void cni_request_name_host(struct cni_attachment *, const char *network);
bool cni_request_is_ours(const char *host, const char *network);

#endif /* cni-request.h */
