/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "kube-node.h"

#include <stdlib.h>
#include <string.h>

#include "kube-object.h"
#include "kube-value.h"
#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "util.h"

/* Adds addresses of 'type' to 'node': the first one of each family in which it
 * has none. */
static void
add_node_addresses(struct kube_node *node, const struct json *object,
                   const char *type, char **error)
{
    struct json **elems;
    size_t n = kv_array(kube_object_member(object, "status"),
                        "status.addresses", KV_MAX_ADDRESSES, &elems, error);

    for (size_t i = 0; i < n; i++) {
        const char *ip = kube_object_string(elems[i], "address");
        bool ip6 = strchr(ip, ':') != NULL;
        bool have = false;

        for (size_t j = 0; j < node->n_addrs; j++) {
            have |= !IN6_IS_ADDR_V4MAPPED(&node->addrs[j]) == ip6;
        }
        if (!have && !strcmp(kube_object_string(elems[i], "type"), type)) {
            kv_add_ip("status.addresses", ip, &node->addrs, &node->n_addrs,
                      error);
        }
    }
}

static bool
is_leaving(const struct json *object, char **error)
{
    struct json **taints;
    size_t n = kv_array(kube_object_member(object, "spec"), "spec.taints",
                        KV_MAX_ADDRESSES, &taints, error);

    for (size_t i = 0; i < n; i++) {
        if (!strcmp(kube_object_string(taints[i], "key"),
                    "ToBeDeletedByClusterAutoscaler")) {
            return true;
        }
    }
    return kube_object_string(kube_object_member(object, "metadata"),
                              "deletionTimestamp")[0];
}

/* Returns what 'object', a Node, says, for the caller to destroy.  Returns
 * null if it has no name.  Stores a message about a fault in '*error', which
 * is null before and is the caller's to free. */
struct kube_node *
kube_node_parse(const struct json *object, char **error)
{
    const struct json *spec = kube_object_member(object, "spec");
    const struct json *metadata = kube_object_member(object, "metadata");
    const char *name = kube_object_string(metadata, "name");
    const char *zone = kube_object_string(
        kube_object_member(metadata, "labels"), "topology.kubernetes.io/zone");
    struct kube_node *node;

    if (!name[0]) {
        kv_complain(error, "metadata.name is missing");
        return NULL;
    }
    node = xzalloc(sizeof *node);
    node->name = xstrdup(name);
    node->zone = zone[0] ? xstrdup(zone) : NULL;
    node->leaving = is_leaving(object, error);
    add_node_addresses(node, object, "InternalIP", error);
    add_node_addresses(node, object, "ExternalIP", error);
    if (!kv_add_cidrs(spec, "spec.podCIDRs", &node->pod_cidrs,
                      &node->n_pod_cidrs, error)) {
        struct kube_cidr cidr;

        if (kv_cidr(kube_object_string(spec, "podCIDR"), &cidr)) {
            node->pod_cidrs = xmemdup(&cidr, sizeof cidr);
            node->n_pod_cidrs = 1;
        }
    }
    return node;
}

/* Returns a copy of 'node', for the caller to destroy. */
struct kube_node *
kube_node_clone(const struct kube_node *node)
{
    struct kube_node *copy = xmemdup(node, sizeof *node);

    copy->name = xstrdup(node->name);
    copy->zone = nullable_xstrdup(node->zone);
    copy->addrs = (node->n_addrs
                   ? xmemdup(node->addrs, node->n_addrs * sizeof *node->addrs)
                   : NULL);
    copy->pod_cidrs = (node->n_pod_cidrs
                       ? xmemdup(node->pod_cidrs, (node->n_pod_cidrs
                                                   * sizeof *node->pod_cidrs))
                       : NULL);
    return copy;
}

/* Appends the addresses and ranges of 'node' to 's', for
 * kube_node_from_string(): "192.0.2.1 10.244.1.0/24". */
void
kube_node_format(const struct kube_node *node, struct ds *s)
{
    const char *blank = "";

    for (size_t i = 0; i < node->n_addrs; i++, blank = " ") {
        ds_put_cstr(s, blank);
        ipv6_format_mapped(&node->addrs[i], s);
    }
    for (size_t i = 0; i < node->n_pod_cidrs; i++, blank = " ") {
        ds_put_cstr(s, blank);
        ipv6_format_mapped(&node->pod_cidrs[i].addr, s);
        ds_put_format(s, "/%d", node->pod_cidrs[i].plen);
    }
}

/* Returns the Node 'name' with the addresses and ranges in 's', for the caller
 * to destroy.  Leaves out what is neither, and stores a message about it in
 * '*error', which is null before and is the caller's to free. */
struct kube_node *
kube_node_from_string(const char *name, const char *s, char **error)
{
    struct kube_node *node = xzalloc(sizeof *node);
    char *copy = xstrdup(s), *save = NULL;
    size_t n = 0;

    node->name = xstrdup(name);
    for (char *item = strtok_r(copy, " ", &save);
         item && n < KV_MAX_ADDRESSES; item = strtok_r(NULL, " ", &save)) {
        struct kube_cidr cidr;

        n++;
        if (!strchr(item, '/')) {
            kv_add_ip("an address", item, &node->addrs, &node->n_addrs,
                      error);
        } else if (kv_cidr(item, &cidr)) {
            node->pod_cidrs = xrealloc(node->pod_cidrs,
                                       ((node->n_pod_cidrs + 1)
                                        * sizeof *node->pod_cidrs));
            node->pod_cidrs[node->n_pod_cidrs++] = cidr;
        } else {
            kv_complain(error, "\"%.64s\" is no range of addresses", item);
        }
    }
    free(copy);
    return node;
}

/* Frees 'node', which may be null. */
void
kube_node_destroy(struct kube_node *node)
{
    if (node) {
        free(node->name);
        free(node->zone);
        free(node->addrs);
        free(node->pod_cidrs);
        free(node);
    }
}

/* Returns true if 'a' and 'b', which may be null, are equal in all that flows
 * are made of. */
bool
kube_node_equal(const struct kube_node *a, const struct kube_node *b)
{
    if (!a || !b) {
        return a == b;
    }
    if (strcmp(a->name, b->name)
        || !nullable_string_is_equal(a->zone, b->zone)
        || a->n_addrs != b->n_addrs || a->n_pod_cidrs != b->n_pod_cidrs) {
        return false;
    }
    for (size_t i = 0; i < a->n_addrs; i++) {
        if (!ipv6_addr_equals(&a->addrs[i], &b->addrs[i])) {
            return false;
        }
    }
    for (size_t i = 0; i < a->n_pod_cidrs; i++) {
        if (!kube_cidr_equals(&a->pod_cidrs[i], &b->pod_cidrs[i])) {
            return false;
        }
    }
    return true;
}

/* Stores in '*addr' the address of 'peer' that tunnels from 'ours' lead to.
 * Returns false if the nodes have no family in common. */
bool
kube_node_tunnel_end(const struct kube_node *ours,
                     const struct kube_node *peer, struct in6_addr *addr)
{
    for (int ipv4 = 1; ipv4 >= 0; ipv4--) {
        for (size_t i = 0; i < ours->n_addrs; i++) {
            for (size_t j = 0; j < peer->n_addrs; j++) {
                if (IN6_IS_ADDR_V4MAPPED(&ours->addrs[i]) == ipv4
                    && IN6_IS_ADDR_V4MAPPED(&peer->addrs[j]) == ipv4) {
                    *addr = peer->addrs[j];
                    return true;
                }
            }
        }
    }
    return false;
}
