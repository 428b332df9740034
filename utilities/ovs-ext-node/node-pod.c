/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "node-pod.h"

#include <stdlib.h>
#include <string.h>

#include "flow.h"
#include "node-model.h"
#include "packets.h"
#include "smap.h"
#include "util.h"
#include "utilities/kube/kube-value.h"
#include "vswitch-idl.h"

static void
parse_addresses(struct node_pod *pod)
{
    char *copy = xstrdup(pod->text), *save = NULL;

    for (char *item = strtok_r(copy, " ", &save); item && !pod->fault;
         item = strtok_r(NULL, " ", &save)) {
        struct in6_addr addr;

        item[strcspn(item, "/")] = '\0';
        if (pod->n_addrs >= NODE_MAX_ADDRS) {
            pod->fault = xasprintf("it has more than %d addresses",
                                   NODE_MAX_ADDRS);
        } else if (!kv_ip(item, &addr)) {
            pod->fault = xasprintf("cni-addresses has \"%.64s\", which is no "
                                   "address", item);
        } else {
            pod->addrs[pod->n_addrs++] = addr;
        }
    }
    free(copy);
}

/* Reads 'iface' into '*pod'.  Strings belong to 'iface', but for 'fault',
 * which is for the caller to free.  Returns false if it is no port of a pod,
 * if the switch does not have it, or if it has no addresses yet. */
bool
node_pod_read(struct node_pod *pod, const struct ovsrec_interface *iface)
{
    const struct smap *ids = &iface->external_ids;
    const char *mac = smap_get_def(ids, "cni-mac", "");

    memset(pod, 0, sizeof *pod);
    pod->text = smap_get(ids, "cni-addresses");
    if (strcmp(smap_get_def(ids, "cni-owner", ""), "ovs-ext-cni")
        || !iface->n_ofport || *iface->ofport <= 0 || !pod->text) {
        return false;
    }
    pod->port = iface->name;
    pod->namespace_ = smap_get_def(ids, "cni-namespace", "");
    pod->name = smap_get_def(ids, "cni-pod", "");
    pod->ofport = u16_to_ofp(*iface->ofport);
    pod->mtu = (iface->n_mtu ? *iface->mtu
                : iface->n_mtu_request ? *iface->mtu_request : 0);
    pod->admitted = !strcmp(smap_get_def(ids, "node-admitted", ""),
                            pod->text);
    pod->refused = smap_get(ids, "node-refused");
    if (!eth_addr_from_string(mac, &pod->mac)) {
        pod->fault = xasprintf("cni-mac is \"%.64s\"", mac);
    } else {
        parse_addresses(pod);
    }
    return true;
}
