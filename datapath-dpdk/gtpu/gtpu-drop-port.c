/* SPDX-License-Identifier: Apache-2.0 */

/* Finds the port of a dropped packet
 * ==================================
 *
 * Decapsulation and encapsulation do not know the port.  Open vSwitch finds it
 * after decapsulation from the tunnel metadata, and does not tell
 * encapsulation.  This file finds the port of a packet that is dropped before,
 * by the outer addresses and the TEID.  A port with exactly these values comes
 * before a port that takes any value.  As in Open vSwitch, the key counts
 * first, then the remote address, then the local address.
 *
 * A packet without a TEID (not GTP-U, or incomplete) counts for a port that
 * takes all TEIDs of the sender.  A packet without a port counts for none.
 *
 * Work per packet is four lookups.  Ports that differ only in their local
 * address share a hash value, so that the work grows with their number.  A
 * sender cannot create ports.
 *
 * Thread-safety: the caller serializes the writers.  A tunnel that readers may
 * see never changes: a new one replaces it. */

#include <config.h>
#include "datapath-dpdk/gtpu/gtpu-drop-port.h"

#include "cmap.h"
#include "datapath-dpdk/gtpu/gtpu-outer.h"
#include "hash.h"
#include "netdev.h"
#include "netdev-native-tnl.h"
#include "odp-netlink.h"
#include "openvswitch/flow.h"
#include "ovs-rcu.h"
#include "ovs-thread.h"
#include "packets.h"
#include "util.h"

/* One direction of a port's tunnel. */
struct end {
    struct cmap_node node;      /* In 'ends[dir]', by hash_end(). */
    struct in6_addr peer;       /* Any if unset. */
    struct in6_addr local;      /* Any if unset. */
    ovs_be64 key;               /* 0 if 'any_key'. */
    bool any_key;
    struct gtpu_drops *drops;
};

enum direction { RX, TX, N_DIRECTIONS };

struct gtpu_drop_port {
    struct end ends[N_DIRECTIONS];
};

static struct cmap ends[N_DIRECTIONS] = { CMAP_INITIALIZER, CMAP_INITIALIZER };

static uint32_t
hash_end(const struct in6_addr *peer, ovs_be64 key, bool any_key)
{
    return hash_bytes(peer, sizeof *peer,
                      hash_uint64_basis(ntohll(key), any_key));
}

static void
add_end(enum direction dir, struct end *e,
        const struct netdev_tunnel_config *cfg, bool any_key, ovs_be64 key,
        struct gtpu_drops *drops)
{
    e->peer = cfg->ip_dst_flow ? in6addr_any : cfg->ipv6_dst;
    e->local = cfg->ip_src_flow ? in6addr_any : cfg->ipv6_src;
    e->any_key = any_key;
    e->key = any_key ? 0 : key;
    e->drops = drops;
    cmap_insert(&ends[dir], &e->node, hash_end(&e->peer, e->key, any_key));
}

struct gtpu_drop_port *
gtpu_drop_port_add(const struct netdev_tunnel_config *cfg,
                   struct gtpu_drops *drops)
{
    struct gtpu_drop_port *p = xzalloc(sizeof *p);

    add_end(RX, &p->ends[RX], cfg, cfg->in_key_flow, cfg->in_key, drops);
    add_end(TX, &p->ends[TX], cfg, cfg->out_key_flow, cfg->out_key, drops);
    return p;
}

void
gtpu_drop_port_remove(struct gtpu_drop_port *p)
{
    if (p) {
        for (int dir = 0; dir < N_DIRECTIONS; dir++) {
            struct end *e = &p->ends[dir];

            cmap_remove(&ends[dir], &e->node,
                        hash_end(&e->peer, e->key, e->any_key));
        }
        ovsrcu_postpone(free, p);
    }
}

static struct gtpu_drops *
find_exact(enum direction dir, const struct in6_addr *peer,
           const struct in6_addr *local, ovs_be64 key, bool any_key)
{
    struct gtpu_drops *any_local = NULL;
    struct end *e;

    CMAP_FOR_EACH_WITH_HASH (e, node, hash_end(peer, key, any_key),
                             &ends[dir]) {
        if (e->key == key && e->any_key == any_key
            && ipv6_addr_equals(&e->peer, peer)) {
            if (!ipv6_addr_is_set(&e->local)) {
                any_local = e->drops;
            } else if (ipv6_addr_equals(&e->local, local)) {
                return e->drops;
            }
        }
    }
    return any_local;
}

struct gtpu_drop_shard {
    atomic_ullong n[GTPU_N_DROPS];
};

/* Returns the calling thread's shard of 'drops'.  A thread allocates at its
 * first packet. */
static struct gtpu_drop_shard *
get_shard(struct gtpu_drops *drops)
{
    struct gtpu_drop_shard *shard, *new;
    int i = ovsthread_id_self() % GTPU_DROP_SHARDS;

    atomic_read_explicit(&drops->shards[i], &shard, memory_order_acquire);
    if (OVS_UNLIKELY(!shard)) {
        new = xzalloc_cacheline(sizeof *new);
        if (atomic_compare_exchange_strong(&drops->shards[i], &shard, new)) {
            return new;
        }
        free_cacheline(new);
    }
    return shard;
}

static void
add_drop(struct gtpu_drops *drops, enum gtpu_drop drop)
{
    unsigned long long int orig;

    atomic_add_relaxed(&get_shard(drops)->n[drop], 1, &orig);
}

void
gtpu_drops_read(const struct gtpu_drops *drops_,
                unsigned long long int n[GTPU_N_DROPS])
{
    struct gtpu_drops *drops = CONST_CAST(struct gtpu_drops *, drops_);

    memset(n, 0, GTPU_N_DROPS * sizeof *n);
    for (int i = 0; i < GTPU_DROP_SHARDS; i++) {
        struct gtpu_drop_shard *shard;

        atomic_read_explicit(&drops->shards[i], &shard, memory_order_acquire);
        for (int drop = 0; shard && drop < GTPU_N_DROPS; drop++) {
            unsigned long long int x;

            atomic_read_relaxed(&shard->n[drop], &x);
            n[drop] += x;
        }
    }
}

void
gtpu_drops_uninit(struct gtpu_drops *drops)
{
    for (int i = 0; i < GTPU_DROP_SHARDS; i++) {
        struct gtpu_drop_shard *shard;

        atomic_read_relaxed(&drops->shards[i], &shard);
        free_cacheline(shard);
    }
}

/* Counts 'drop' for the port of a packet from or to 'peer', with TEID 'key' if
 * 'has_key'. */
static void
count(enum direction dir, const struct in6_addr *peer,
      const struct in6_addr *local, bool has_key, ovs_be64 key,
      enum gtpu_drop drop)
{
    for (int any_key = !has_key; any_key < 2; any_key++) {
        for (int any_peer = 0; any_peer < 2; any_peer++) {
            struct gtpu_drops *drops;

            drops = find_exact(dir, any_peer ? &in6addr_any : peer, local,
                               any_key ? 0 : key, any_key);
            if (drops) {
                add_drop(drops, drop);
                return;
            }
        }
    }
}

void
gtpu_drop_rx(const struct flow_tnl *tnl, enum gtpu_drop drop)
{
    struct in6_addr peer = flow_tnl_src(tnl);
    struct in6_addr local = flow_tnl_dst(tnl);

    gtpu_drop_count(drop);
    if (drop < GTPU_N_DROPS && flow_tnl_dst_is_set(tnl)) {
        count(RX, &peer, &local, tnl->flags & FLOW_TNL_F_KEY, tnl->tun_id,
              drop);
    }
}

void
gtpu_drop_tx(const struct ovs_action_push_tnl *data, enum gtpu_drop drop)
{
    const uint8_t *l3 = (const uint8_t *) data->header + ETH_HEADER_LEN;
    bool is_ipv6 = netdev_tnl_is_header_ipv6(data->header);
    const uint8_t *gtpu = ((const uint8_t *) data->header
                           + gtpu_header_offset(is_ipv6));
    struct in6_addr local, peer;
    ovs_be32 teid;

    gtpu_drop_count(drop);
    if (is_ipv6) {
        const struct ovs_16aligned_ip6_hdr *ip6 = (const void *) l3;

        memcpy(&local, &ip6->ip6_src, sizeof local);
        memcpy(&peer, &ip6->ip6_dst, sizeof peer);
    } else {
        const struct ip_header *ip = (const void *) l3;

        in6_addr_set_mapped_ipv4(&local, get_16aligned_be32(&ip->ip_src));
        in6_addr_set_mapped_ipv4(&peer, get_16aligned_be32(&ip->ip_dst));
    }
    memcpy(&teid, gtpu + 4, sizeof teid);
    count(TX, &peer, &local, true, be32_to_be64(teid), drop);
}
