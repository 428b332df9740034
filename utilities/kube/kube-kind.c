/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "kube-kind.h"

#include <string.h>

#include "kube-object.h"
#include "util.h"

#define GATEWAY_API "gateway.networking.k8s.io/v1"

static const struct {
    const char *version;        /* "apiVersion". */
    const char *name;           /* "kind". */
} kinds[KUBE_N_KINDS] = {
    [KUBE_SERVICE] = { "v1", "Service" },
    [KUBE_ENDPOINT_SLICE] = { "discovery.k8s.io/v1", "EndpointSlice" },
    [KUBE_NODE] = { "v1", "Node" },
    [KUBE_SERVICE_CIDR] = { "networking.k8s.io/v1", "ServiceCIDR" },
    [KUBE_GATEWAY_CLASS] = { GATEWAY_API, "GatewayClass" },
    [KUBE_GATEWAY] = { GATEWAY_API, "Gateway" },
    [KUBE_TCP_ROUTE] = { GATEWAY_API, "TCPRoute" },
    [KUBE_UDP_ROUTE] = { GATEWAY_API, "UDPRoute" },
    [KUBE_REFERENCE_GRANT] = { GATEWAY_API, "ReferenceGrant" },
};

const char *
kube_kind_to_string(enum kube_kind kind)
{
    return kinds[kind].name;
}

/* Returns false if objects of 'kind' belong to the whole cluster. */
bool
kube_kind_is_namespaced(enum kube_kind kind)
{
    return (kind != KUBE_NODE && kind != KUBE_SERVICE_CIDR
            && kind != KUBE_GATEWAY_CLASS);
}

/* Stores in '*kind' the kind of 'object', and in '*list' whether 'object' is a
 * list of such objects.  'object' may be any JSON value.  Returns false for
 * any other kind, and for a v1 List, whose items may be of several kinds. */
bool
kube_kind_of(const struct json *object, enum kube_kind *kind, bool *list)
{
    const char *version = kube_object_string(object, "apiVersion");
    const char *name = kube_object_string(object, "kind");

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        size_t n = strlen(kinds[i].name);

        if (!strcmp(version, kinds[i].version)
            && !strncmp(name, kinds[i].name, n)
            && (!name[n] || !strcmp(name + n, "List"))) {
            *kind = i;
            *list = name[n];
            return true;
        }
    }
    return false;
}
