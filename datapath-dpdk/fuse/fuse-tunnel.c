/* SPDX-License-Identifier: Apache-2.0 */

/* Tunnels of the fused flow cache
 * ===============================
 *
 * A packet that meets a tunnel port teaches the cache an end of a tunnel: the
 * UDP port and the address that the packet was sent to.  Packets to the same
 * UDP port at another address are transit, like any other packet.
 *
 * A chain through a tunnel port ends when that port goes.  A chain through a
 * GTP-U port also ends when what all GTP-U ports together carry changes: IP
 * packets, Ethernet frames or both.  The headers that a port puts on are part
 * of the megaflow's actions. */

#include <config.h>
#include "datapath-dpdk/fuse/fuse-tunnel.h"

#include <string.h>

#include "datapath-dpdk/compat/compat-dpif.h"
#include "datapath-dpdk/fuse/fuse-hooks.h"
#include "datapath-dpdk/fuse/fuse-uses.h"
#include "datapath-dpdk/fuse/fuse.h"
#include "datapath-dpdk/gtpu/gtpu-vport.h"
#include "netdev.h"
#include "netlink.h"
#include "odp-netlink.h"
#include "odp-util.h"
#include "util.h"

/* Counts of changes: of each port (ports with numbers far apart share one), of
 * what GTP-U ports carry, and of any tunnel port. */
#define N_PORT_VERSIONS 256
static _Atomic(uint64_t) port_versions[N_PORT_VERSIONS];
static _Atomic(uint64_t) gtpu_version;
static _Atomic(uint64_t) tunnel_version;

/* What GTP-U ports carried at the last change. */
static struct ovs_mutex carried_mutex = OVS_MUTEX_INITIALIZER;
static struct gtpu_carried carried OVS_GUARDED_BY(carried_mutex)
    = { .l3 = true };

uint64_t
fuse_tunnel_version(void)
{
    return atomic_load_explicit(&tunnel_version, memory_order_acquire);
}

static void
tunnels_changed(_Atomic(uint64_t) *version)
{
    atomic_fetch_add_explicit(version, 1, memory_order_release);
    atomic_fetch_add_explicit(&tunnel_version, 1, memory_order_release);
}

/* No datapath thread finds 'port' any more.  Any thread. */
void
fuse_port_gone(odp_port_t port)
{
    tunnels_changed(&port_versions[odp_to_u32(port) % N_PORT_VERSIONS]);
}

/* 'netdev', a tunnel port, is configured anew or gone.  Any thread. */
void
fuse_vport_changed(const struct netdev *netdev)
{
    struct gtpu_carried now;

    if (strcmp(netdev_get_type(netdev), "gtpu")) {
        return;
    }
    ovs_mutex_lock(&carried_mutex);
    now = gtpu_vport_carried();
    if (now.l3 != carried.l3 || now.l2 != carried.l2) {
        carried = now;
        tunnels_changed(&gtpu_version);
    }
    ovs_mutex_unlock(&carried_mutex);
}

/* Returns the version of the port of 'use': a sum of numbers that grow. */
static uint64_t
get_version(const struct fuse_tunnel_use *use)
{
    uint64_t version = atomic_load_explicit(
        &port_versions[use->port % N_PORT_VERSIONS], memory_order_acquire);

    if (use->kind == FUSE_TUNNEL_GTPU) {
        version += atomic_load_explicit(&gtpu_version, memory_order_acquire);
    }
    return version;
}

/* Returns tunnel port 'port' of 'kind' as it is now. */
static struct fuse_tunnel_use
make_use(odp_port_t port, enum fuse_tunnel kind)
{
    struct fuse_tunnel_use use = { odp_to_u32(port), kind, 0 };

    use.version = get_version(&use);
    return use;
}

/* Returns true if the tunnel port of 'use' is there and does the same. */
bool
fuse_tunnel_is_same(const struct fuse_tunnel_use *use)
{
    return get_version(use) == use->version;
}

/* Returns the tunnel port in 'actions', of 'size' octets, that takes headers
 * off, or ODPP_NONE. */
static odp_port_t
find_pop(const struct nlattr *actions, size_t size)
{
    const struct nlattr *a;
    unsigned int left;

    NL_ATTR_FOR_EACH_UNSAFE (a, left, actions, size) {
        if (nl_attr_type(a) == OVS_ACTION_ATTR_TUNNEL_POP) {
            return nl_attr_get_odp_port(a);
        } else if (nl_attr_type(a) == OVS_ACTION_ATTR_CLONE) {
            return find_pop(nl_attr_get(a), nl_attr_get_size(a));
        }
    }
    return ODPP_NONE;
}

/* Returns the tunnel port that took the headers off the recorded packet. */
static odp_port_t
get_pop_port(const struct fuse_record *record)
{
    const struct dp_netdev_actions *actions;

    if (!record->n_outer_flows) {
        return ODPP_NONE;
    }
    actions = ovsrcu_get(
        struct dp_netdev_actions *,
        &record->uses.flows[record->n_outer_flows - 1].flow->actions);
    return find_pop(actions->actions, actions->size);
}

/* Adds the tunnel ports on the recorded packet's way to what it depends on.
 * 'push_port', of kind 'pushed', put headers on.  Returns false if any tunnel
 * port has changed since the packet came. */
bool
fuse_tunnels_add(struct fuse_record *record, enum fuse_tunnel pushed,
                 odp_port_t push_port)
{
    struct fuse_uses *uses = &record->uses;

    if (record->n_pops) {
        uses->tunnels[uses->n_tunnels++] = make_use(get_pop_port(record),
                                                    record->popped);
    }
    if (pushed) {
        uses->tunnels[uses->n_tunnels++] = make_use(push_port, pushed);
    }
    return (!uses->n_tunnels
            || fuse_tunnel_version() == record->tunnel_version);
}

/* Fills in what is known of where tunnels end. */
static void
set_known(struct fuse_thread *t, bool value)
{
    for (uint32_t i = 0; i < t->n_ends; i++) {
        const struct fuse_tunnel_end *end = &t->ends[i];

        t->tunnels->ports[end->udp_port] = value ? end->kind
                                           : FUSE_TUNNEL_NONE;
        t->tunnels->endpoints[end->endpoint] = value;
    }
}

/* Returns true if the recorded packet, with its outer IP header at 'l3', came
 * to an unknown end of a tunnel.  The end is known from now on, unless there
 * are too many.  Before, all packets from one peer to that UDP port count as
 * one flow, so the refusal of one of them must not stand for the others. */
bool
fuse_tunnel_learn(struct fuse_thread *t, uint32_t l3, bool ipv6)
{
    const uint8_t *ip = t->record.before + l3;
    struct fuse_tunnel_end end = {
        .use = make_use(get_pop_port(&t->record), FUSE_TUNNEL_NONE),
        .udp_port = fuse_get16(ip + (ipv6 ? 40 : 20) + 2),
        .endpoint = fuse_endpoint(ip, ipv6),
        .kind = t->record.popped,
    };

    if (t->tunnels->ports[end.udp_port] == end.kind
        && t->tunnels->endpoints[end.endpoint]) {
        return false;
    }
    if (t->n_ends < FUSE_MAX_TUNNEL_ENDS) {
        t->ends[t->n_ends++] = end;
        set_known(t, true);
    }
    return true;
}

/* Forgets ends of tunnels whose port is gone.  Packets to such an end are
 * transit again.  Owner of 't'. */
void
fuse_tunnels_follow(struct fuse_thread *t)
{
    uint64_t version = fuse_tunnel_version();

    if (OVS_UNLIKELY(t->tunnels_version != version)) {
        uint32_t n = 0;

        t->tunnels_version = version;
        set_known(t, false);
        for (uint32_t i = 0; i < t->n_ends; i++) {
            if (fuse_tunnel_is_same(&t->ends[i].use)) {
                t->ends[n++] = t->ends[i];
            }
        }
        t->n_ends = n;
        set_known(t, true);
    }
}
