/* SPDX-License-Identifier: Apache-2.0 */

/* The pipeline.  Takes the place of ofproto and its revalidators. */

#include <config.h>
#include "tests/equivalence/th.h"

#include <errno.h>
#include <string.h>

#include "dpif.h"
#include "flow.h"
#include "lib/lb/lb-registry.h"
#include "netlink.h"
#include "odp-netlink.h"
#include "odp-util.h"
#include "openvswitch/ofpbuf.h"
#include "ovs-rcu.h"
#include "ovs-thread.h"
#include "packets.h"
#include "tests/equivalence/eq-random.h"
#include "util.h"

enum recirc { AT_INPUT, AFTER_CT, AFTER_LB };

static struct ovs_mutex deleting = OVS_MUTEX_INITIALIZER; /* Megaflows. */
static uint32_t group_ids[TH_N_KINDS];

uint32_t
th_group_id(enum th_kind kind)
{
    return group_ids[kind];
}

/* Actions. */

static void
put_address(struct ofpbuf *actions, uint32_t address)
{
    size_t ofs = nl_msg_start_nested(actions, OVS_ACTION_ATTR_SET_MASKED);
    struct ovs_key_ipv4 key[2];

    memset(key, 0, sizeof key);
    key[0].ipv4_dst = htonl(address);
    key[1].ipv4_dst = OVS_BE32_MAX;
    nl_msg_put_unspec(actions, OVS_KEY_ATTR_IPV4, key, sizeof key);
    nl_msg_end_nested(actions, ofs);
}

/* Puts ct(), which translates if 'kind' does: to 'address' if 'commit'. */
static void
put_ct(struct ofpbuf *actions, enum th_kind kind, bool commit,
       uint32_t address)
{
    size_t ofs = nl_msg_start_nested(actions, OVS_ACTION_ATTR_CT);

    if (commit) {
        nl_msg_put_flag(actions, OVS_CT_ATTR_COMMIT);
    }
    nl_msg_put_u16(actions, OVS_CT_ATTR_ZONE, kind);
    if (kind != TH_CT) {
        size_t nat = nl_msg_start_nested(actions, OVS_CT_ATTR_NAT);

        if (commit) {
            nl_msg_put_flag(actions, OVS_NAT_ATTR_DST);
            nl_msg_put_be32(actions, OVS_NAT_ATTR_IP_MIN, htonl(address));
        }
        nl_msg_end_nested(actions, nat);
    }
    nl_msg_end_nested(actions, ofs);
}

static void
put_recirc(struct ofpbuf *actions, enum recirc recirc)
{
    nl_msg_put_u32(actions, OVS_ACTION_ATTR_RECIRC, recirc);
}

static void
put_lb(struct ofpbuf *actions, enum th_kind kind)
{
    nl_msg_put_u32(actions, OVS_ACTION_ATTR_LB, group_ids[kind]);
    put_recirc(actions, AFTER_LB);
}

static void
put_output(struct ofpbuf *actions, const struct flow *flow, bool reply)
{
    uint32_t in = odp_to_u32(flow->in_port.odp_port) - TH_PORT(0);
    uint32_t out = (in + (reply ? th_n_threads - 1 : 1)) % th_n_threads;

    nl_msg_put_odp_port(actions, OVS_ACTION_ATTR_OUTPUT,
                        u32_to_odp(TH_PORT(out)));
}

static void
put_drop(struct ofpbuf *actions)
{
    nl_msg_put_u32(actions, OVS_ACTION_ATTR_DROP, XLATE_OK);
}

/* Translation. */

static void
translate_tracked(const struct flow *flow, struct flow_wildcards *wc,
                  struct ofpbuf *actions, enum th_kind kind, bool reply,
                  uint32_t version)
{
    uint8_t state = flow->ct_state;

    wc->masks.ct_state = CS_NEW | CS_ESTABLISHED | CS_INVALID | CS_TRACKED;
    if (state & CS_INVALID || (state & CS_NEW && reply)
        || !(state & (CS_NEW | CS_ESTABLISHED))) {
        put_drop(actions);
        return;
    }
    if (state & CS_NEW && kind == TH_SERVICE) {
        put_lb(actions, kind);
        return;
    }
    if (state & CS_NEW) {
        put_ct(actions, kind, true, TH_ADDRESS(version, 0));
    }
    if (kind == TH_CT) {
        put_address(actions, TH_ADDRESS(version, 0));
    }
    put_output(actions, flow, reply);
}

static void
translate_bucket(const struct flow *flow, struct flow_wildcards *wc,
                 struct ofpbuf *actions, enum th_kind kind, bool reply)
{
    uint32_t address = TH_ADDRESS(0, flow->dp_hash - 1);

    wc->masks.dp_hash = UINT32_MAX;
    if (kind == TH_SERVICE) {
        put_ct(actions, kind, true, address);
    } else {
        put_address(actions, address);
    }
    put_output(actions, flow, reply);
}

/* Appends the pipeline's actions for packets of 'flow' to 'actions'.  Sets
 * '*wc' to the bits that they depend on, the same for all packets that match
 * in them. */
static void
translate(const struct flow *flow, struct flow_wildcards *wc,
          struct ofpbuf *actions)
{
    enum th_kind kind = flow->nw_tos >> 3;
    bool reply = flow->nw_tos >> 2 & 1;
    uint32_t version;

    memset(wc, 0, sizeof *wc);
    wc->masks.in_port.odp_port = ODPP_NONE;
    wc->masks.recirc_id = UINT32_MAX;
    wc->masks.packet_type = OVS_BE32_MAX;
    wc->masks.dl_type = OVS_BE16_MAX;
    wc->masks.vlans[0].tci = htons(VLAN_VID_MASK | VLAN_CFI);
    wc->masks.nw_frag = FLOW_NW_FRAG_MASK;
    wc->masks.nw_tos = IP_DSCP_MASK;
    if (flow->dl_type != htons(ETH_TYPE_IP) || kind >= TH_N_KINDS) {
        put_drop(actions);
        return;
    }
    version = atomic_load(&th_versions[kind].newest);

    if (flow->recirc_id == AFTER_LB) {
        translate_bucket(flow, wc, actions, kind, reply);
    } else if (flow->recirc_id == AFTER_CT) {
        translate_tracked(flow, wc, actions, kind, reply, version);
    } else if (th_tracks(kind)) {
        put_ct(actions, kind, false, 0);
        put_recirc(actions, AFTER_CT);
    } else if (th_balances(kind)) {
        put_lb(actions, kind);
    } else {
        /* Some megaflows for each. */
        wc->masks.nw_proto = UINT8_MAX;
        wc->masks.tp_src = htons(3);
        if (kind == TH_ACL && version % 2) {
            put_drop(actions);
        } else {
            put_address(actions, TH_ADDRESS(version, 0));
            put_output(actions, flow, reply);
        }
    }
}

static int
answer_upcall(const struct dp_packet *packet,
              const struct flow *flow, ovs_u128 *ufid OVS_UNUSED,
              unsigned int pmd_id OVS_UNUSED,
              enum dpif_upcall_type type OVS_UNUSED,
              const struct nlattr *userdata OVS_UNUSED,
              struct ofpbuf *actions, struct flow_wildcards *wc,
              struct ofpbuf *put_actions OVS_UNUSED, void *aux OVS_UNUSED)
{
    th_note_upcall(packet);
    translate(flow, wc, actions);
    return 0;
}

void
th_pipeline_init(void)
{
    for (enum th_kind kind = 0; kind < TH_N_KINDS; kind++) {
        group_ids[kind] = lb_registry_alloc_id();
    }
    dpif_register_upcall_cb(th_dpif, answer_upcall, NULL);
    dpif_enable_upcall(th_dpif);
}

/* Megaflows. */

/* Calls 'func' for each megaflow.  A megaflow that is deleted meanwhile may be
 * left out. */
static void
for_each_megaflow(void (*func)(const struct dpif_flow *, void *), void *aux)
{
    struct dpif_flow_dump *dump = dpif_flow_dump_create(th_dpif, false, NULL);
    struct dpif_flow_dump_thread *thread = dpif_flow_dump_thread_create(dump);
    struct dpif_flow f;

    while (dpif_flow_dump_next(thread, &f, 1)) {
        func(&f, aux);
    }
    dpif_flow_dump_thread_destroy(thread);
    dpif_flow_dump_destroy(dump);
}

static void
revalidate(const struct dpif_flow *f, void *aux OVS_UNUSED)
{
    struct flow_wildcards wc;
    struct ofpbuf actions;
    struct flow flow;

    if (odp_flow_key_to_flow(f->key, f->key_len, &flow, NULL)
        == ODP_FIT_ERROR) {
        th_fail("a megaflow's key is not valid");
        return;
    }
    ofpbuf_init(&actions, 0);
    translate(&flow, &wc, &actions);
    if (actions.size != f->actions_len
        || memcmp(actions.data, f->actions, actions.size)) {
        int error = dpif_flow_put(th_dpif, DPIF_FP_MODIFY, f->key, f->key_len,
                                  f->mask, f->mask_len, actions.data,
                                  actions.size, &f->ufid, f->pmd_id, NULL);

        /* It may be gone by now. */
        if (error && error != ENOENT) {
            th_fail("a megaflow cannot be modified: %s", ovs_strerror(error));
        }
    }
    ofpbuf_uninit(&actions);
}

void
th_revalidate(void)
{
    uint64_t n_upcalls;

    /* The dump is complete unless megaflows come or go meanwhile.  Those of
     * earlier upcalls are there after a grace period. */
    ovs_mutex_lock(&deleting);
    do {
        ovsrcu_synchronize();
        n_upcalls = atomic_load(&th_totals.upcalls);
        for_each_megaflow(revalidate, NULL);
    } while (n_upcalls != atomic_load(&th_totals.upcalls));
    ovs_mutex_unlock(&deleting);
}

struct share {
    uint64_t *rng;
    uint32_t n;
};

static void
delete_rarely(const struct dpif_flow *f, void *share_)
{
    const struct share *share = share_;

    if (eq_rarely(share->rng, share->n)) {
        dpif_flow_del(th_dpif, f->key, f->key_len, &f->ufid, f->pmd_id, NULL);
    }
}

void
th_delete_megaflows(uint64_t *rng, uint32_t n)
{
    struct share share = { rng, n };

    if (ovs_mutex_trylock(&deleting)) {
        return;                  /* Waiting would delay the grace period. */
    }
    atomic_fetch_add(&th_flushes[TH_MEGAFLOWS], 1);
    if (n > 1) {
        for_each_megaflow(delete_rarely, &share);
    } else {
        dpif_flow_flush(th_dpif);
    }
    atomic_fetch_add(&th_flushes[TH_MEGAFLOWS], 1);
    ovs_mutex_unlock(&deleting);
}
