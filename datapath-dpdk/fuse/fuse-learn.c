/* SPDX-License-Identifier: Apache-2.0 */

/* Learning in the fused flow cache
 * ================================
 *
 * Makes an entry from the record of one packet.  Each executed action must be
 * known to do the same to each later packet with the same key, as long as
 * nothing changes that the chain depends on.  An action that is not in the
 * list below is unknown. */

#include <config.h>
#include "datapath-dpdk/fuse/fuse-learn.h"

#include <string.h>

#include "conntrack-private.h"
#include "conntrack-tp.h"
#include "datapath-dpdk/compat/compat-dpif.h"
#include "datapath-dpdk/compat/compat-offload.h"
#include "datapath-dpdk/fuse/fuse-chain.h"
#include "datapath-dpdk/fuse/fuse-conn.h"
#include "datapath-dpdk/fuse/fuse-owner.h"
#include "datapath-dpdk/fuse/fuse-reason.h"
#include "datapath-dpdk/fuse/fuse-record.h"
#include "datapath-dpdk/fuse/fuse-tunnel.h"
#include "datapath-dpdk/fuse/fuse.h"
#include "datapath-dpdk/gtpu/gtpu-hooks.h"
#include "datapath-dpdk/gtpu/gtpu-push.h"
#include "datapath-dpdk/gtpu/gtpu-vport.h"
#include "netlink.h"
#include "odp-netlink.h"
#include "packets.h"
#include "util.h"

/* The effect of the actions of all flows on the way. */
struct summary {
    bool ends;                   /* Output, or drop. */
    bool recirculates;
    bool drops;
    uint32_t drop_reason;        /* Or FUSE_NO_DROP_REASON. */
    bool rewrites;
    bool hashes;
    uint32_t n_cts;
    uint32_t n_meters;
    enum fuse_tunnel pushed;
    odp_port_t push_port;
};

static enum fuse_reason
check_ct(const struct nlattr *a, struct summary *summary)
{
    const struct nlattr *b;
    unsigned int left;

    NL_NESTED_FOR_EACH_UNSAFE (b, left, a) {
        switch ((enum ovs_ct_attr) nl_attr_type(b)) {
        case OVS_CT_ATTR_NAT:
            summary->rewrites = true;
            break;
        case OVS_CT_ATTR_COMMIT:
        case OVS_CT_ATTR_ZONE:
        case OVS_CT_ATTR_MARK:
        case OVS_CT_ATTR_LABELS:
        case OVS_CT_ATTR_EVENTMASK:
        case OVS_CT_ATTR_TIMEOUT:
            break;
        case OVS_CT_ATTR_HELPER:
            return FUSE_REASON_CT_ALG;
        case OVS_CT_ATTR_FORCE_COMMIT:
        case OVS_CT_ATTR_UNSPEC:
        case __OVS_CT_ATTR_MAX:
        default:
            return FUSE_REASON_CT_ACTION;
        }
    }
    summary->n_cts++;
    return FUSE_LEARNED;
}

static enum fuse_reason
check_push(const struct nlattr *a, struct summary *summary)
{
    const struct ovs_action_push_tnl *push = nl_attr_get(a);

    if (summary->pushed) {
        return FUSE_REASON_TUNNEL_KIND;
    }
    summary->push_port = push->tnl_port;
    switch (push->tnl_type) {
    case OVS_VPORT_TYPE_GTPU:
        if (!gtpu_vport_pushes_g_pdu(push)) {
            /* A signalling message has a payload of its own, and may be
             * limited. */
            return FUSE_REASON_TUNNEL_KIND;
        }
        summary->pushed = FUSE_TUNNEL_GTPU;
        return FUSE_LEARNED;
    case OVS_VPORT_TYPE_VXLAN:
        summary->pushed = FUSE_TUNNEL_VXLAN;
        return FUSE_LEARNED;
    case OVS_VPORT_TYPE_GENEVE:
        summary->pushed = FUSE_TUNNEL_GENEVE;
        return FUSE_LEARNED;
    }
    return FUSE_REASON_TUNNEL_KIND;
}

/* Returns true if an action of 'type' changes nothing but the packet, so that
 * it does not matter for a packet that a meter before it drops. */
static bool
may_follow_meter(enum ovs_action_attr type)
{
    switch (type) {
    case OVS_ACTION_ATTR_METER:
    case OVS_ACTION_ATTR_OUTPUT:
    case OVS_ACTION_ATTR_CLONE:
    case OVS_ACTION_ATTR_SET:
    case OVS_ACTION_ATTR_SET_MASKED:
    case OVS_ACTION_ATTR_TUNNEL_PUSH:
    case OVS_ACTION_ATTR_PUSH_VLAN:
    case OVS_ACTION_ATTR_POP_VLAN:
    case OVS_ACTION_ATTR_PUSH_ETH:
    case OVS_ACTION_ATTR_POP_ETH:
        return true;
    default:
        return false;
    }
}

/* Adds the 'len' octets of 'actions' to '*summary'.  Recirculation, output and
 * drop must be the last action. */
static enum fuse_reason
check_actions(const struct nlattr *actions, size_t len, bool nested,
              struct summary *summary)
{
    const struct nlattr *a;
    unsigned int left;

    if (!len) {
        summary->ends = summary->drops = true;
        summary->drop_reason = FUSE_NO_DROP_REASON;
        return FUSE_LEARNED;
    }
    NL_ATTR_FOR_EACH_UNSAFE (a, left, actions, len) {
        bool last = left <= NLA_ALIGN(a->nla_len);
        enum ovs_action_attr type = nl_attr_type(a);
        enum fuse_reason reason = FUSE_LEARNED;

        if (summary->n_meters && !may_follow_meter(type)) {
            return FUSE_REASON_METER;
        }
        switch (type) {
        case OVS_ACTION_ATTR_OUTPUT:
            if (!last) {
                return FUSE_REASON_OUTPUTS;
            }
            summary->ends = true;
            break;
        case OVS_ACTION_ATTR_DROP:
            summary->ends = summary->drops = true;
            summary->drop_reason = nl_attr_get_u32(a);
            return last ? FUSE_LEARNED : FUSE_REASON_ACTION;
        case OVS_ACTION_ATTR_RECIRC:
        case OVS_ACTION_ATTR_TUNNEL_POP:
            if (!last) {
                return FUSE_REASON_OUTPUTS;
            }
            summary->recirculates = true;
            break;
        case OVS_ACTION_ATTR_CLONE:
            if (!last || nested) {
                return FUSE_REASON_OUTPUTS;
            }
            reason = check_actions(nl_attr_get(a), nl_attr_get_size(a), true,
                                   summary);
            break;
        case OVS_ACTION_ATTR_SET:
        case OVS_ACTION_ATTR_SET_MASKED:
            summary->rewrites = true;
            break;
        case OVS_ACTION_ATTR_CT:
            reason = check_ct(a, summary);
            break;
        case OVS_ACTION_ATTR_TUNNEL_PUSH:
            reason = check_push(a, summary);
            break;
        case OVS_ACTION_ATTR_HASH:
            summary->hashes = true;
            break;
        case OVS_ACTION_ATTR_METER:
            summary->n_meters++;
            break;
        case OVS_ACTION_ATTR_LB:
        case OVS_ACTION_ATTR_CT_CLEAR:
        case OVS_ACTION_ATTR_PUSH_VLAN:
        case OVS_ACTION_ATTR_POP_VLAN:
        case OVS_ACTION_ATTR_PUSH_ETH:
        case OVS_ACTION_ATTR_POP_ETH:
            break;
        default:
            return FUSE_REASON_ACTION;
        }
        if (reason) {
            return reason;
        }
        if (last && !summary->ends && !summary->recirculates) {
            /* The packet is dropped after its last action. */
            return FUSE_REASON_ACTION;
        }
    }
    return FUSE_LEARNED;
}

/* Sums up the actions of all flows of 'record'. */
static enum fuse_reason
summarize(const struct fuse_record *record, struct summary *summary)
{
    memset(summary, 0, sizeof *summary);
    for (uint32_t i = 0; i < record->uses.n_flows; i++) {
        const struct fuse_flow_use *use = &record->uses.flows[i];
        const struct dp_netdev_actions *actions;
        enum fuse_reason reason;

        if (miniflow_get_tcp_flags(&use->flow->cr.mask->mf)) {
            return FUSE_REASON_TCP_FLAGS;
        }
        if (summary->ends) {
            return FUSE_REASON_OUTPUTS;
        }
        summary->recirculates = false;
        actions = ovsrcu_get(struct dp_netdev_actions *, &use->flow->actions);
        reason = check_actions(actions->actions, actions->size, false,
                               summary);
        if (reason) {
            return reason;
        }
        if (use->flow->dead
            || __atomic_load_n(&use->flow->fuse_version, __ATOMIC_ACQUIRE)
               != use->version) {
            return FUSE_REASON_FLOW_GONE;
        }
    }
    if (!summary->ends || record->n_outputs != !summary->drops) {
        return FUSE_REASON_INCOMPLETE;
    }
    if (summary->n_meters != record->uses.n_meters) {
        return FUSE_REASON_INCOMPLETE;
    }
    return summary->n_cts == record->n_conns ? FUSE_LEARNED
           : FUSE_REASON_CT_STATE;
}

/* Finds the program's flags. */
static uint16_t
program_flags(const struct fuse_record *record, const struct summary *summary)
{
    bool rss_in = record->offloads & COMPAT_OL_RSS;
    uint16_t flags = 0;

    if (record->n_pops) {
        flags |= FUSE_P_OUTER_CSUM;
        if (record->popped == FUSE_TUNNEL_GTPU && gtpu_vport_carried().l2) {
            /* With another checksum it would be taken for a frame. */
            flags |= FUSE_P_L3_CHECK;
        }
    }
    if (summary->n_cts) {
        flags |= FUSE_P_L3_CHECK | FUSE_P_L4_CHECK;
    }
    for (uint32_t i = 0; i < record->n_conns; i++) {
        if (record->timeouts[i] == CT_TM_TCP_ESTABLISHED) {
            flags |= FUSE_P_TCP;
        }
    }
    if (rss_in) {
        /* The way of the packet may depend on the hash, even if it is
         * dropped. */
        flags |= FUSE_P_RSS_IN | (record->n_pops ? 0 : FUSE_P_RSS_SAME);
    }
    if (summary->drops) {
        return flags | FUSE_P_DROP;
    }
    flags |= record->n_pops ? FUSE_P_OL_RESET : 0;
    flags |= summary->n_meters ? FUSE_P_METER : 0;
    if (record->rss_valid && !(flags & FUSE_P_RSS_SAME)) {
        flags |= FUSE_P_RSS_SET;
    }
    return flags;
}

/* Composes the rewrite, or counts why it cannot. */
static bool
compose(struct fuse_thread *t, const struct summary *summary,
        struct fuse_outcome *out)
{
    struct fuse_record *record = &t->record;
    struct fuse_sample *sample = &record->sample;
    enum fuse_refusal refusal;

    sample->popped = record->n_pops;
    sample->pushed = summary->pushed;
    sample->rewritten = summary->rewrites;
    sample->flags = program_flags(record, summary);
    refusal = fuse_compose(sample, out);
    if (refusal) {
        fuse_count(t, FUSE_C_REFUSALS + refusal, 1);
        return false;
    }
    if (!summary->drops) {
        out->program.l2_5_ofs = record->l2_5_ofs;
        out->program.l3_ofs = record->l3_ofs;
        out->program.l4_ofs = record->l4_ofs;
        out->program.priority = record->priority;
    }
    return true;
}

/* Returns true if the 'i'th packet of 'batch' came to an end of a tunnel that
 * was not known. */
static bool
learn_tunnel(struct fuse_thread *t, const struct fuse_batch *batch, uint32_t i)
{
    const struct fuse_shape *shape = &fuse_shapes[batch->shapes[i]];

    return (t->record.popped
            && (shape->tunnel || shape->l4_kind == FUSE_L4_UDP)
            && fuse_tunnel_learn(t, shape->outer_l3, shape->outer_ipv6));
}

/* Checks the shape of the 'i'th packet of 'batch'. */
static enum fuse_reason
check_shape(struct fuse_thread *t, const struct fuse_batch *batch, uint32_t i)
{
    const struct fuse_record *record = &t->record;
    const struct fuse_shape *shape = &fuse_shapes[batch->shapes[i]];

    if (record->n_pops && !shape->tunnel) {
        return FUSE_REASON_TUNNEL_PORT;
    }
    if (!record->n_pops && shape->tunnel) {
        return FUSE_REASON_TUNNEL_KIND;
    }
    if (record->offloads & COMPAT_OL_OTHER) {
        return FUSE_REASON_OFFLOAD;
    }
    return FUSE_LEARNED;
}

/* Fills in 'entry', with 'n_image' octets of the image, whose chain has a
 * reference for it. */
static enum fuse_reason
fill_entry(struct fuse_thread *t, struct fuse_entry *entry,
           struct fuse_dp_chain *chain, const struct fuse_outcome *out,
           uint32_t n_image, const uint64_t owners[2], uint8_t kinds,
           uint8_t replies)
{
    struct fuse_cold *cold = fuse_entry_cold(t->replay.table, entry);
    enum fuse_reason reason = FUSE_LEARNED;
    struct fuse_tcp *tcp = NULL;
    int n_tcp = 0;

    entry->chain = &chain->up;
    if (out->program.flags & FUSE_P_TCP) {
        tcp = fuse_table_track(t->replay.table, entry);
        if (!tcp) {
            return FUSE_REASON_FULL;
        }
        tcp->replies = replies;
    }
    entry->l3_delta = out->l3_delta;
    entry->l4_delta = out->l4_delta;
    fuse_entry_set_image(entry, out->image, n_image);
    for (int owner = 0; owner < 2 && !reason; owner++) {
        int kind = kinds >> 4 * owner & 0xf;

        if (kind) {
            cold->words[owner] = owners[owner];
            bool is_tcp = kind == 1 + CT_TM_TCP_ESTABLISHED;

            if (kind != FUSE_OWNER_STICKY
                && !fuse_conn_link(cold->owners[owner], entry, owner,
                                   kind - 1, is_tcp ? tcp : NULL,
                                   n_tcp > 0)) {
                reason = n_tcp ? FUSE_REASON_CT_TCP : FUSE_REASON_CT_BUSY;
                break;
            }
            n_tcp += is_tcp;
            cold->user |= kind << 4 * owner;
        }
    }
    return reason;
}

/* Notes how much work the recorded packet, from 'in_port', was. */
static void
note_work(struct fuse_thread *t, uint32_t in_port)
{
    const struct fuse_uses *uses = &t->record.uses;
    struct fuse_port *port = fuse_port_of(t, in_port);
    const struct dp_netdev_flow *flow = uses->flows[0].flow;
    const struct dp_netdev_actions *actions
        = ovsrcu_get(struct dp_netdev_actions *, &flow->actions);

    if (uses->n_flows > 1
        || actions->size > NL_A_U32_SIZE) {
        port->work = FUSE_PORT_WORK;
    } else if (port->work == FUSE_PORT_UNKNOWN) {
        port->work = FUSE_PORT_SIMPLE;
    }
}

/* Learns the flow of the 'i'th packet of 'batch', which was recorded in 't'.
 * Returns FUSE_LEARNED and stores its entry in '*entryp', or returns why it
 * cannot be learned. */
enum fuse_reason
fuse_learn(struct fuse_thread *t, const struct fuse_batch *batch, uint32_t i,
           struct fuse_entry **entryp)
{
    struct fuse_record *record = &t->record;
    struct fuse_dp_chain *chain;
    struct fuse_entry *entry;
    struct summary summary;
    struct fuse_outcome out;
    enum fuse_reason reason = record->reason;
    uint64_t owners[2];
    uint32_t n_image;
    uint8_t kinds, replies;

    if (learn_tunnel(t, batch, i)) {
        return FUSE_REASON_TUNNEL_PORT;
    }
    reason = reason ? reason : summarize(record, &summary);
    if (!reason) {
        note_work(t, batch->in_port);
    }
    reason = reason ? reason : check_shape(t, batch, i);
    reason = reason ? reason : fuse_record_owners(record, owners, &kinds,
                                                  &replies);
    if (reason) {
        return reason;
    }
    if (!compose(t, &summary, &out)) {
        return FUSE_REASON_ACTION;
    }
    if (out.program.flags & FUSE_P_NO_PAD && batch->classes[i].pad) {
        /* With 3.5 and 4.0, stock adds the padding to the checksum of what it
         * has rewritten, so that changes by more than the rewrite. */
        return FUSE_REASON_PADDING;
    }
    if (!fuse_tunnels_add(record, summary.pushed, summary.push_port)) {
        return FUSE_REASON_TUNNEL_PORT;
    }
    if (record->n_conns) {
        t->ct = record->ct;
    }

    reason = fuse_chain_get(t, &record->uses, &out.program, out.image,
                            summary.drops ? u32_to_odp(summary.drop_reason)
                            : record->out_port, &chain);
    if (reason) {
        return reason;
    }
    n_image = (chain->up.own_images || out.program.n_octets < FUSE_PART_1
               ? out.program.n_octets : FUSE_PART_1);
    entry = fuse_table_insert(t->replay.table, batch->hashes[i],
                              batch->shapes[i], n_image, batch->in_port,
                              batch->keys[i], t->replay.now);
    if (!entry) {
        fuse_chain_unref(t, chain);
        return FUSE_REASON_FULL;
    }
    reason = fill_entry(t, entry, chain, &out, n_image, owners, kinds,
                        replies);
    entry->rss = (out.program.flags & FUSE_P_RSS_SAME ? batch->rss[i]
                  : record->rss);
    if (reason) {
        fuse_table_remove(t->replay.table, entry);
    } else {
        *entryp = entry;
    }
    return reason;
}
