/* SPDX-License-Identifier: Apache-2.0 */

/* Ports for messages with TEID 0
 * ==============================
 *
 * Echo Response, Error Indication and Supported Extension Headers Notification
 * have TEID 0 (TS 29.281 clause 5.1).  Open vSwitch finds a tunnel's port by
 * its key, so that only a port with key=flow gets them.  If all ports for
 * their sender have fixed keys, the port with the smallest key gets them.
 *
 * Thread-safety: the main thread replaces the list when ports change; readers
 * see the old one or the new one, under RCU.
 *
 * Work per lookup: a binary search, and the ports of the one peer. */

#include <config.h>
#include "ofproto-ext/gtpu/gtpu-ports.h"

#include <stdlib.h>
#include <string.h>

#include "lib/gtpu/gtpu-port.h"
#include "netdev.h"
#include "ofproto-ext/gtpu/gtpu-ofproto-hooks.h"
#include "ofproto/ofproto-dpif.h"
#include "ofproto/ofproto-provider.h"
#include "openvswitch/flow.h"
#include "ovs-rcu.h"
#include "packets.h"
#include "util.h"

/* A port whose key of received packets is fixed. */
struct fixed_port {
    struct in6_addr peer;       /* Any if unset. */
    struct in6_addr local;      /* Any if unset. */
    uint64_t key;
    uint64_t carries_ethernet;  /* A bool without padding, for memcmp(). */
};

/* Sorted by compare_ports(). */
struct fixed_ports {
    size_t n;
    struct fixed_port ports[];
};

static OVSRCU_TYPE(struct fixed_ports *) fixed_ports
    = OVSRCU_INITIALIZER(NULL);

bool
gtpu_is_port(const struct netdev *netdev)
{
    return !strcmp(netdev_get_type(netdev), "gtpu");
}

static int
compare_ports(const void *a_, const void *b_)
{
    const struct fixed_port *a = a_;
    const struct fixed_port *b = b_;
    int cmp = memcmp(&a->peer, &b->peer, sizeof a->peer);

    if (!cmp) {
        cmp = a->key < b->key ? -1 : a->key > b->key;
    }
    return cmp ? cmp : memcmp(&a->local, &b->local, sizeof a->local);
}

/* Appends 'netdev' to '*ports', with room for '*allocated', if it is a GTP-U
 * port with a fixed key. */
static void
add_port(const struct netdev *netdev, struct fixed_ports **ports,
         size_t *allocated)
{
    const struct netdev_tunnel_config *cfg;

    if (!gtpu_is_port(netdev)) {
        return;
    }
    cfg = netdev_get_tunnel_config(netdev);
    if (!cfg || cfg->in_key_flow) {
        return;
    }
    if ((*ports)->n >= *allocated) {
        *allocated = 2 * *allocated + 16;
        *ports = xrealloc(*ports, sizeof **ports
                                  + *allocated * sizeof *(*ports)->ports);
    }
    (*ports)->ports[(*ports)->n++] = (struct fixed_port) {
        .peer = cfg->ip_dst_flow ? in6addr_any : cfg->ipv6_dst,
        .local = cfg->ip_src_flow ? in6addr_any : cfg->ipv6_src,
        .key = ntohll(cfg->in_key),
        .carries_ethernet = cfg->pt_mode == NETDEV_PT_LEGACY_L2,
    };
}

void
gtpu_ports_refresh(const struct hmap *ofprotos)
{
    struct fixed_ports *old = ovsrcu_get_protected(struct fixed_ports *,
                                                   &fixed_ports);
    const struct ofproto_dpif *ofproto;
    const struct ofport *ofport;
    struct fixed_ports *new;
    size_t allocated = 0;

    if (!old && !gtpu_ports_exist()) {
        return;
    }
    new = xzalloc(sizeof *new);
    HMAP_FOR_EACH (ofproto, all_ofproto_dpifs_by_name_node, ofprotos) {
        HMAP_FOR_EACH (ofport, hmap_node, &ofproto->up.ports) {
            add_port(ofport->netdev, &new, &allocated);
        }
    }
    qsort(new->ports, new->n, sizeof *new->ports, compare_ports);
    if (old && old->n == new->n
        && !memcmp(old->ports, new->ports, new->n * sizeof *new->ports)) {
        free(new);
        return;
    }
    ovsrcu_set(&fixed_ports, new);
    if (old) {
        ovsrcu_postpone(free, old);
    }
}

/* Returns the first port in 'set' for 'peer' with the address 'local', or a
 * null pointer. */
static const struct fixed_port *
find_port(const struct fixed_ports *set, const struct in6_addr *peer,
          const struct in6_addr *local)
{
    size_t lo = 0, hi = set->n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (memcmp(&set->ports[mid].peer, peer, sizeof *peer) < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    for (; lo < set->n && ipv6_addr_equals(&set->ports[lo].peer, peer);
         lo++) {
        const struct in6_addr *own = &set->ports[lo].local;

        if (!ipv6_addr_is_set(own) || ipv6_addr_equals(own, local)) {
            return &set->ports[lo];
        }
    }
    return NULL;
}

bool
gtpu_ports_find(const struct flow_tnl *tnl, ovs_be64 *key,
                bool *carries_ethernet)
{
    const struct fixed_ports *set = ovsrcu_get(struct fixed_ports *,
                                               &fixed_ports);
    struct in6_addr peer = flow_tnl_src(tnl);
    struct in6_addr local = flow_tnl_dst(tnl);
    const struct fixed_port *port;

    if (!set) {
        return false;
    }
    port = find_port(set, &peer, &local);
    if (!port) {
        port = find_port(set, &in6addr_any, &local);
    }
    if (!port) {
        return false;
    }
    *key = htonll(port->key);
    *carries_ethernet = port->carries_ethernet;
    return true;
}
