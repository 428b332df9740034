/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "tests/equivalence/eq-side.h"

#include <string.h>

#include "coverage.h"
#include "ct-dpif.h"
#include "dpif.h"
#include "flow.h"
#include "hash.h"
#include "lib/lb/lb-registry.h"
#include "lib/lb/lb-sticky.h"
#include "lib/lb/lb-table.h"
#include "netdev.h"
#include "netlink.h"
#include "odp-netlink.h"
#include "odp-util.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/ofp-meter.h"
#include "ovs-rcu.h"
#include "smap.h"
#include "tests/equivalence/eq-random.h"
#include "util.h"

/* Counters of packets that are dropped. */
#define DROPS                                                               \
    DROP(lb_drop_no_bucket)                                                 \
    DROP(lb_drop_no_group)                                                  \
    DROP(datapath_drop_meter)                                               \
    DROP(datapath_drop_recirc_error)                                        \
    DROP(datapath_drop_invalid_port)                                        \
    DROP(datapath_drop_tunnel_push_error)                                   \
    DROP(datapath_drop_tunnel_pop_error)                                    \
    DROP(drop_action_of_pipeline)                                           \
    DROP(drop_action_bridge_not_found)

#define DROP(NAME) extern struct coverage_counter counter_##NAME;
DROPS
#undef DROP

const char *const eq_drop_names[EQ_N_DROPS] = {
#define DROP(NAME) #NAME,
    DROPS
#undef DROP
};

static struct coverage_counter *const drop_counters[EQ_N_DROPS] = {
#define DROP(NAME) &counter_##NAME,
    DROPS
#undef DROP
};

/* Megaflows. */

static uint64_t
hash64(const void *p, size_t n)
{
    return (uint64_t) hash_bytes(p, n, 1) << 32 | hash_bytes(p, n, 2);
}

/* Returns the id of the megaflow of 'flow' and 'mask', the same on either
 * side. */
static uint64_t
megaflow_id(const struct flow *flow, const struct flow *mask)
{
    uint64_t words[2 * FLOW_U64S];

    for (size_t i = 0; i < FLOW_U64S; i++) {
        words[i] = flow_u64_value(mask, i);
        words[FLOW_U64S + i] = words[i] & flow_u64_value(flow, i);
    }
    return hash64(words, sizeof words);
}

static struct eq_megaflow *
find_megaflow(struct eq_side *side, uint64_t id)
{
    for (uint32_t i = 0; i < side->n_megaflows; i++) {
        if (side->megaflows[i].id == id) {
            return &side->megaflows[i];
        }
    }
    ovs_assert(side->n_megaflows < EQ_MAX_MEGAFLOWS);
    memset(&side->megaflows[side->n_megaflows], 0, sizeof side->megaflows[0]);
    return &side->megaflows[side->n_megaflows++];
}

/* Sends a packet, as ofproto does to find a neighbour. */
static void
look_for_neighbour(struct eq_side *side)
{
    struct dp_packet *packet = dp_packet_new_with_headroom(64, 64);
    struct dpif_execute execute = { .packet = packet };
    uint64_t stub[16];
    struct ofpbuf actions;
    struct flow flow;

    memset(dp_packet_put_zeros(packet, 60), 0xff, 6);
    ofpbuf_use_stub(&actions, stub, sizeof stub);
    nl_msg_put_odp_port(&actions, OVS_ACTION_ATTR_OUTPUT,
                        u32_to_odp(EQ_PORT(EQ_UNDERLAY)));
    flow_extract(packet, &flow);
    execute.flow = &flow;
    execute.actions = actions.data;
    execute.actions_len = actions.size;
    dpif_execute(side->dpif, &execute);
    ofpbuf_uninit(&actions);
    dp_packet_delete(packet);
}

/* Has 'wc' match more of 'flow', or not. */
static void
narrow(const struct eq_side *side, const struct flow *flow,
       struct flow_wildcards *wc)
{
    if (!side->pipeline.c->overlaps || !is_ip_any(flow)) {
        return;
    }
    wc->masks.dl_type = OVS_BE16_MAX;
    switch (flow_hash_5tuple(flow, side->pipeline.c->seed) % 4) {
    case 0:
        wc->masks.nw_ttl = UINT8_MAX;
        break;
    case 1:
        wc->masks.nw_tos = UINT8_MAX;
        break;
    case 2:
        wc->masks.nw_proto = UINT8_MAX;
        wc->masks.tp_src = OVS_BE16_MAX;
        break;
    }
}

/* Finishes the mask 'wc' of the megaflow of 'flow'.  Returns its group. */
static uint64_t
finish_mask(const struct eq_side *side, const struct flow *flow,
            struct flow_wildcards *wc)
{
    uint64_t group;

    if (!wc->masks.vlans[0].tci) {
        /* As dpif-netdev does. */
        wc->masks.vlans[0].tci = htons(VLAN_VID_MASK | VLAN_CFI);
    }
    group = megaflow_id(flow, &wc->masks);
    narrow(side, flow, wc);
    return group;
}

static int
answer_upcall(const struct dp_packet *packet,
              const struct flow *flow, ovs_u128 *ufid,
              unsigned int pmd_id OVS_UNUSED,
              enum dpif_upcall_type type OVS_UNUSED,
              const struct nlattr *userdata OVS_UNUSED,
              struct ofpbuf *actions, struct flow_wildcards *wc,
              struct ofpbuf *put_actions OVS_UNUSED, void *side_)
{
    struct eq_side *side = side_;
    struct eq_megaflow *m;
    uint64_t id, group;

    if (!eq_translate(&side->pipeline, flow, wc, actions)) {
        look_for_neighbour(side);
    }
    group = finish_mask(side, flow, wc);
    id = megaflow_id(flow, &wc->masks);
    m = find_megaflow(side, id);
    m->id = id;
    m->group = group;
    m->ufid = *ufid;
    m->flow = *flow;
    m->mask = wc->masks;
    m->actions = hash64(actions->data, actions->size);
    m->packets++;
    side->n_upcalls++;
    m->octets += dp_packet_size(packet);
    m->tcp_flags |= ntohs(flow->tcp_flags);
    return 0;
}

static void
delete_megaflow(struct eq_side *side, const struct eq_megaflow *m)
{
    struct odp_flow_key_parms params = { .flow = &m->flow, .mask = &m->mask };
    struct dpif_flow_stats stats = { .used = 0 };
    struct ofpbuf key;

    ofpbuf_init(&key, 0);
    odp_flow_key_from_flow(&params, &key);
    dpif_flow_del(side->dpif, key.data, key.size, &m->ufid, PMD_ID_NULL,
                  &stats);
    ofpbuf_uninit(&key);
    if (side->pipeline.c->overlaps) {
        ovs_assert(side->n_deleted < EQ_MAX_MEGAFLOWS);
        side->deleted[side->n_deleted++] = (struct eq_deleted) {
            m->group, m->packets + stats.n_packets,
            m->octets + stats.n_bytes, m->tcp_flags | stats.tcp_flags,
            stats.used,
        };
    }
}

static void
modify_megaflow(struct eq_side *side, const struct eq_megaflow *m,
                const struct ofpbuf *actions)
{
    struct odp_flow_key_parms params = {
        .flow = &m->flow, .mask = &m->mask,
        .support = { .max_vlan_headers = 1, .recirc = true, .ct_state = true,
                     .ct_zone = true, .ct_mark = true, .ct_label = true },
    };
    struct ofpbuf key, mask;

    ofpbuf_init(&key, 0);
    ofpbuf_init(&mask, 0);
    odp_flow_key_from_flow(&params, &key);
    params.key_buf = &key;
    odp_flow_key_from_mask(&params, &mask);
    if (dpif_flow_put(side->dpif, DPIF_FP_MODIFY, key.data, key.size,
                      mask.data, mask.size, actions->data, actions->size,
                      &m->ufid, PMD_ID_NULL, NULL)) {
        OVS_NOT_REACHED();
    }
    ofpbuf_uninit(&key);
    ofpbuf_uninit(&mask);
}

/* Makes all megaflows follow the present pipeline. */
void
eq_side_revalidate(struct eq_side *side)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < side->n_megaflows; i++) {
        struct eq_megaflow *m = &side->megaflows[i];
        struct flow_wildcards wc;
        struct ofpbuf actions;
        uint64_t hash;

        ofpbuf_init(&actions, 0);
        eq_translate(&side->pipeline, &m->flow, &wc, &actions);
        finish_mask(side, &m->flow, &wc);
        hash = hash64(actions.data, actions.size);
        if (memcmp(&wc.masks, &m->mask, sizeof wc.masks)
            || (hash != m->actions && side->pipeline.c->overlaps)) {
            /* Of those that overlap, dpif-netdev may modify another one. */
            delete_megaflow(side, m);
        } else {
            if (hash != m->actions) {
                modify_megaflow(side, m, &actions);
                m->actions = hash;
            }
            side->megaflows[n++] = *m;
        }
        ofpbuf_uninit(&actions);
    }
    side->n_megaflows = n;
}

/* Deletes a megaflow.  'which' chooses the same one on both sides. */
void
eq_side_delete_flow(struct eq_side *side, uint16_t which)
{
    uint64_t start = (uint64_t) which << 48;
    struct eq_megaflow *next = NULL;

    for (uint32_t i = 0; i < side->n_megaflows; i++) {
        struct eq_megaflow *m = &side->megaflows[i];

        if (!next || m->id - start < next->id - start) {
            next = m;
        }
    }
    if (next) {
        delete_megaflow(side, next);
        *next = side->megaflows[--side->n_megaflows];
    }
}

void
eq_side_flush_flows(struct eq_side *side)
{
    dpif_flow_flush(side->dpif);
    side->n_megaflows = side->n_deleted = 0;
}

void
eq_side_flush_ct(struct eq_side *side, uint16_t zone)
{
    ct_dpif_flush(side->dpif, zone ? &zone : NULL, NULL);
}

/* Groups. */

void
eq_side_set_group(struct eq_side *side, uint32_t i,
                  const struct eq_group *group)
{
    struct lb_member members[EQ_MAX_BUCKETS];
    uint64_t seed = side->pipeline.c->seed;
    uint64_t salt = seed + side->wire.name + 32 * i;
    struct lb_table_config config = {
        .key = { seed, i },
        .timeout = group->timeout * LB_STICKY_TICKS_PER_SEC,
        .salt = splitmix64(&salt),
    };
    struct lb_table *table, *old;

    for (uint32_t j = 0; j < group->n_buckets; j++) {
        members[j] = (struct lb_member) {
            .id = j, .token = 100 * (i + 1) + j + 1,
            .weight = group->weights[j], .alive = group->alive >> j & 1,
        };
    }
    if (lb_table_build(members, group->n_buckets, &config, &table)) {
        OVS_NOT_REACHED();
    }
    old = lb_registry_set(side->group_ids[i], table);
    if (old) {
        ovsrcu_postpone(lb_table_destroy, old);
    }
}

/* Makes the meters of the present case: one of packets, one of octets.  What
 * is left of earlier ones is gone. */
static void
set_meters(struct eq_side *side)
{
    bool drops = side->pipeline.c->meters == EQ_DROPPING_METERS;

    for (uint32_t i = 0; i < EQ_N_METERS; i++) {
        struct ofputil_meter_band band = {
            .type = OFPMBT13_DROP,
            .rate = drops ? 20 : 1000000, /* Packets/s, or kbit/s. */
            .burst_size = drops ? 40 : 1000000,
        };
        struct ofputil_meter_config config = {
            .flags = OFPMF13_BURST | OFPMF13_STATS
                     | (i ? OFPMF13_KBPS : OFPMF13_PKTPS),
            .n_bands = 1, .bands = &band,
        };
        ofproto_meter_id id = { i };

        if (dpif_meter_set(side->dpif, id, &config)) {
            OVS_NOT_REACHED();
        }
    }
}

/* Ports. */

static void
add_port(struct eq_side *side, const char *name, const char *type,
         odp_port_t port, struct netdev **netdevp)
{
    struct smap config = SMAP_INITIALIZER(&config);
    struct netdev *netdev;

    if (netdev_open(name, type, &netdev)) {
        OVS_NOT_REACHED();
    }
    if (netdevp) {
        smap_add(&config, "remote_ip", "flow");
        smap_add(&config, "key", "flow");
        netdev_set_config(netdev, &config, NULL);
    }
    if (dpif_port_add(side->dpif, netdev, &port)) {
        OVS_NOT_REACHED();
    }
    smap_clear(&config);
    smap_add(&config, "fuse", side->plain ? "off" : "on");
    dpif_port_set_config(side->dpif, port, &config);
    smap_destroy(&config);
    if (netdevp) {
        *netdevp = netdev;
    } else {
        netdev_close(netdev);
    }
}

static void
add_device(struct eq_side *side, uint32_t i)
{
    char name[] = { side->wire.name, '-', '0' + i, 0 };

    add_port(side, name, EQ_DEVICE_TYPE, u32_to_odp(EQ_PORT(i)), NULL);
}

static void
add_tunnel(struct eq_side *side, enum eq_tunnel i)
{
    static const char *const types[] = { NULL, "vxlan", "gtpu" };
    char name[] = { side->wire.name, '-', types[i][0], 0 };

    add_port(side, name, types[i], u32_to_odp(EQ_TUNNEL_PORT(i)),
             &side->pipeline.tunnels[i]);
}

/* Its device stays, for upcalls to build headers. */
static void
delete_tunnel(struct eq_side *side, enum eq_tunnel i)
{
    if (!side->gone[i]) {
        dpif_port_del(side->dpif, u32_to_odp(EQ_TUNNEL_PORT(i)), false);
        side->gone[i] = true;
    }
}

static void
restore_tunnel(struct eq_side *side, enum eq_tunnel i)
{
    if (side->gone[i]) {
        netdev_close(side->pipeline.tunnels[i]);
        add_tunnel(side, i);
        side->gone[i] = false;
    }
}

void
eq_side_flap_port(struct eq_side *side, uint32_t which)
{
    uint32_t i = which % (EQ_N_PORTS + EQ_N_TUNNELS - 1);

    if (i < EQ_N_PORTS) {
        dpif_port_del(side->dpif, u32_to_odp(EQ_PORT(i)), false);
        add_device(side, i);
    } else {
        i = i - EQ_N_PORTS + 1;
        delete_tunnel(side, i);
        restore_tunnel(side, i);
    }
}

/* Deletes a tunnel port, or adds it again.  Megaflows go on naming it. */
void
eq_side_toggle_tunnel(struct eq_side *side, uint32_t which)
{
    enum eq_tunnel i = 1 + which % (EQ_N_TUNNELS - 1);

    if (side->gone[i]) {
        restore_tunnel(side, i);
    } else {
        delete_tunnel(side, i);
    }
}

/* The side. */

void
eq_side_start(struct eq_side *side, char name)
{
    char dp[] = { 'e', 'q', '-', name, 0 };

    side->wire.name = name;
    side->plain = name == 'a';
    eq_device_set_wire(&side->wire);
    if (dpif_create_and_open(dp, "dummy", &side->dpif)) {
        OVS_NOT_REACHED();
    }
    for (uint32_t i = 0; i < EQ_N_PORTS; i++) {
        add_device(side, i);
    }
    for (uint32_t i = 1; i < EQ_N_TUNNELS; i++) {
        add_tunnel(side, i);
    }
    for (uint32_t i = 0; i < EQ_N_GROUPS; i++) {
        side->group_ids[i] = lb_registry_alloc_id();
        side->pipeline.groups[i] = side->group_ids[i];
    }
    dpif_register_upcall_cb(side->dpif, answer_upcall, side);
    dpif_enable_upcall(side->dpif);
}

void
eq_side_reset(struct eq_side *side, const struct eq_case *c)
{
    eq_set_exact_match(side, !c->overlaps);
    eq_side_flush_flows(side);
    eq_side_flush_ct(side, 0);
    for (uint32_t i = 1; i < EQ_N_TUNNELS; i++) {
        restore_tunnel(side, i);
    }
    side->pipeline.c = c;
    side->pipeline.neighbours = 0;
    side->wire.outs.n = side->wire.outs.n_octets = 0;
    memset(side->drops, 0, sizeof side->drops);
    for (uint32_t i = 0; i < EQ_N_GROUPS; i++) {
        eq_side_set_group(side, i, &c->groups[i]);
    }
    set_meters(side);
}

static uint64_t
read_counter(struct coverage_counter *counter)
{
    counter->total += counter->count();
    return counter->total;
}

bool
eq_side_input(struct eq_side *side, uint32_t port,
              struct dp_packet **packets, uint32_t n, bool one_by_one)
{
    uint64_t n_upcalls = side->n_upcalls;
    struct dp_packet_batch *received = &side->wire.received[port];
    uint64_t before[EQ_N_DROPS];

    for (int i = 0; i < EQ_N_DROPS; i++) {
        before[i] = read_counter(drop_counters[i]);
    }
    side->wire.outs.n = side->wire.outs.n_octets = 0;
    for (uint32_t i = 0; i < n; i++) {
        dp_packet_batch_add(received, packets[i]);
        if (one_by_one) {
            dpif_run(side->dpif);
        }
    }
    dpif_run(side->dpif);
    for (int i = 0; i < EQ_N_DROPS; i++) {
        side->drops[i] += read_counter(drop_counters[i]) - before[i];
    }
    return side->n_upcalls != n_upcalls;
}
