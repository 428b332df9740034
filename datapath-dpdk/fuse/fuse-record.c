/* SPDX-License-Identifier: Apache-2.0 */

/* Recorder of the fused flow cache
 * ================================
 *
 * A packet whose flow may be learned takes the ordinary path alone.  The
 * flows, connections, groups, tunnel ports and outputs that it meets there
 * call the functions here, which only take notes.  The first thing that does
 * not fit is noted as the reason why the flow is not learned.  The packet goes
 * its way in any case. */

#include <config.h>
#include "datapath-dpdk/fuse/fuse-record.h"

#include <string.h>

#include "conntrack-private.h"
#include "conntrack-tp.h"
#include "datapath-dpdk/compat/compat-dpif.h"
#include "datapath-dpdk/compat/compat-offload.h"
#include "datapath-dpdk/fuse/fuse-conn.h"
#include "datapath-dpdk/fuse/fuse-hooks.h"
#include "datapath-dpdk/fuse/fuse-owner.h"
#include "datapath-dpdk/fuse/fuse-reason.h"
#include "datapath-dpdk/fuse/fuse-tunnel.h"
#include "datapath-dpdk/fuse/fuse-uses.h"
#include "lib/fuse/fuse-replay.h"
#include "netdev.h"
#include "packets.h"

/* The record that this thread writes, or null. */
__thread struct fuse_record *fuse_record_current;

/* Starts to record 'packet', the 'i'th of 'batch', into 'record', at time
 * 'now' in ms. */
void
fuse_record_start(struct fuse_record *record, const struct fuse_batch *batch,
                  uint32_t i, const struct dp_packet *packet,
                  long long int now)
{
    struct fuse_sample *sample = &record->sample;

    memset(record, 0, offsetof(struct fuse_record, before));
    record->now = now;
    record->size = batch->sizes[i];
    record->offloads = compat_offloads(packet);
    record->tunnel_version = fuse_tunnel_version();

    sample->shape = batch->shapes[i];
    sample->before_size = record->size;
    sample->n_before = MIN(record->size, FUSE_SAMPLE_SIZE);
    sample->before = record->before;
    memcpy(record->before, batch->packets[i], sample->n_before);
    fuse_record_current = record;
}

static void
refuse(enum fuse_reason reason)
{
    struct fuse_record *record = fuse_record_current;

    if (!record->reason) {
        record->reason = reason;
    }
}

/* The packet of 'batch' matches 'flow', whose actions are executed next. */
void
fuse_record_flow__(struct dp_netdev_flow *flow,
                   const struct dp_packet_batch *batch)
{
    struct fuse_record *record = fuse_record_current;
    struct fuse_uses *uses = &record->uses;

    if (dp_packet_batch_size(batch) != 1) {
        refuse(FUSE_REASON_INCOMPLETE);
    } else if (record->popped == FUSE_TUNNEL_GTPU
               && uses->n_flows == record->n_outer_flows
               && batch->packets[0]->packet_type == htonl(PT_ETH)) {
        /* Shapes of GTP-U have an IP packet inside.  This one may look like
         * one, but is a frame, of which other bits count. */
        refuse(FUSE_REASON_TUNNEL_KIND);
    } else if (uses->n_flows >= FUSE_MAX_FLOWS) {
        refuse(FUSE_REASON_TOO_LONG);
    } else {
        struct fuse_flow_use *use = &uses->flows[uses->n_flows++];

        use->flow = flow;
        use->version = __atomic_load_n(&flow->fuse_version, __ATOMIC_ACQUIRE);
        use->size_delta = ((int32_t) dp_packet_size(batch->packets[0])
                           - (int32_t) record->size);
    }
}

/* The packet of 'batch' comes to the meter 'id'. */
void
fuse_record_meter__(const struct dp_packet_batch *batch, uint32_t id)
{
    struct fuse_record *record = fuse_record_current;
    struct fuse_uses *uses = &record->uses;

    if (dp_packet_batch_size(batch) != 1) {
        refuse(FUSE_REASON_INCOMPLETE);
    } else if (uses->n_meters >= FUSE_MAX_METERS) {
        refuse(FUSE_REASON_METERS);
    } else {
        uses->meters[uses->n_meters++] = (struct fuse_meter_use) {
            .id = id,
            .size_delta = ((int32_t) dp_packet_size(batch->packets[0])
                           - (int32_t) record->size),
        };
    }
}

/* The packet of 'batch' goes out to 'port'.
 *
 * What an output can read of a packet besides its octets is part of the
 * outcome, or the flow is not learned (rule 9):
 *
 *    - skb_priority, by which netdev-dpdk's trtcm-policer chooses the queue:
 *      recorded.  It is the only field of the metadata that an output reads.
 *      A hit's metadata is what was left of another packet, so a hit sets it
 *      in any case.  pkt_mark and all that conntrack, tunnels and
 *      recirculation leave are for matches only.
 *
 *    - RSS hash, by which transmission queues are chosen (XPS_HASH): recorded.
 *      A packet that came without one leaves with the one that the datapath
 *      computed, so that no flow is extracted from a hit.
 *
 *    - Offload flags, for checksums and segmentation: packets that come with
 *      any but those of good checksums take the ordinary path.  A checksum
 *      that the ordinary path leaves to the output is filled in here.  A flow
 *      whose packets leave with other flags is not learned.
 *
 *    - Offsets of headers: recorded.
 *
 *    - Length of padding: the packet's own.  What goes into a tunnel has none.
 *
 *    - cutlen: refused, with 'trunc' of the batch.  Reception resets it.
 *
 *    - packet_type: refused unless Ethernet, which reception sets.
 *
 *    - Source of the memory, segments, headroom: the packet's own.  A packet
 *      of several segments takes the ordinary path.
 *
 *    - The queue that it came from, for the time it takes: the thread's. */
void
fuse_record_output__(const struct dp_packet_batch *batch, odp_port_t port)
{
    struct fuse_record *record = fuse_record_current;
    struct fuse_sample *sample = &record->sample;
    struct dp_packet *packet = batch->packets[0];

    if (dp_packet_batch_size(batch) != 1 || record->n_outputs++
        || batch->trunc) {
        refuse(FUSE_REASON_OUTPUTS);
        return;
    }
    if (packet->packet_type != htonl(PT_ETH)) {
        refuse(FUSE_REASON_PACKET_TYPE);
        return;
    }
    record->out_port = port;
    record->l2_5_ofs = packet->l2_5_ofs;
    record->l3_ofs = packet->l3_ofs;
    record->l4_ofs = packet->l4_ofs;
    record->priority = packet->md.skb_priority;
    record->rss_valid = dp_packet_rss_valid(packet);
    record->rss = record->rss_valid ? dp_packet_get_rss_hash(packet) : 0;

    /* The checksums of hits are compared with these. */
    compat_fill_in_checksums(packet);
    if (compat_offloads(packet) & COMPAT_OL_OTHER) {
        refuse(FUSE_REASON_OFFLOAD);
    }

    sample->after = record->after;
    sample->after_size = dp_packet_size(packet);
    sample->n_after = MIN(sample->after_size, sizeof record->after);
    memcpy(record->after, dp_packet_data(packet), sample->n_after);
}

/* The packet, or a copy, goes to the control path. */
void
fuse_record_upcall__(void)
{
    refuse(FUSE_REASON_UPCALL);
}

/* The tunnel port 'netdev' takes the tunnel's headers off. */
void
fuse_record_pop__(const struct netdev *netdev)
{
    struct fuse_record *record = fuse_record_current;
    const char *type = netdev_get_type(netdev);

    record->n_pops++;
    record->n_outer_flows = record->uses.n_flows;
    record->popped = (!strcmp(type, "gtpu") ? FUSE_TUNNEL_GTPU
                      : !strcmp(type, "vxlan") ? FUSE_TUNNEL_VXLAN
                      : !strcmp(type, "geneve") ? FUSE_TUNNEL_GENEVE
                      : FUSE_TUNNEL_NONE);
    if (!record->popped || record->n_pops > 1) {
        refuse(FUSE_REASON_TUNNEL_KIND);
    } else if (record->n_conns) {
        /* Checksums are verified for the innermost headers only. */
        refuse(FUSE_REASON_CT_ACTION);
    }
}

/* The expiration of 'conn' is set to what is usual for 'timeout'. */
void
fuse_record_expiration__(struct conntrack *ct, struct conn *conn, int timeout)
{
    struct fuse_record *record = fuse_record_current;

    record->ct = ct;
    record->expiring = conn;
    record->expiring_timeout = timeout;
}

/* A ct action found that 'packet' belongs to 'conn', which may be null. */
void
fuse_record_conn__(struct conn *conn, const struct dp_packet *packet)
{
    struct fuse_record *record = fuse_record_current;
    uint32_t n = record->n_conns;

    if (n >= FUSE_MAX_CONNS) {
        refuse(FUSE_REASON_CT_ACTION);
        return;
    }
    if (!conn || packet->md.ct_state & (CS_INVALID | CS_RELATED)) {
        refuse(FUSE_REASON_CT_STATE);
        return;
    }
    record->conns[n] = conn;
    record->timeouts[n] = -1;
    if (record->expiring == conn) {
        record->timeouts[n] = record->expiring_timeout;
        record->replies[n] = record->updating_reply;
    }
    for (uint32_t i = 0; i < n && record->timeouts[n] < 0; i++) {
        if (record->conns[i] == conn) {
            record->timeouts[n] = record->timeouts[i];
            record->replies[n] = record->replies[i];
        }
    }
    record->expiring = NULL;
    record->n_conns++;
    if (!fuse_conn_is_usable(conn, record->timeouts[n], record->now)
        || !(packet->md.ct_state
             & (record->timeouts[n] == CT_TM_OTHER_MULTIPLE
                ? CS_NEW : CS_ESTABLISHED))) {
        refuse(conn->alg || conn->alg_related || conn->seq_skew
               ? FUSE_REASON_CT_ALG : FUSE_REASON_CT_STATE);
    }
}

/* Version 'version' of the group's table 'id' chose a bucket, as 'pure'
 * function of the key or by the sticky flow 'flow'. */
void
fuse_record_choice(uint32_t id, uint32_t version, bool sticky, uint64_t flow,
                   bool pure)
{
    struct fuse_record *record = fuse_record_current;
    struct fuse_uses *uses = &record->uses;

    if (!pure) {
        refuse(FUSE_REASON_LB_FIELDS);
    } else if (uses->n_lbs >= FUSE_MAX_LBS || (sticky
                                               && record->sticky_flow)) {
        refuse(FUSE_REASON_OWNERS);
    } else {
        uses->lbs[uses->n_lbs].id = id;
        uses->lbs[uses->n_lbs].version = version;
        uses->lbs[uses->n_lbs].sticky = sticky;
        uses->n_lbs++;
        if (sticky) {
            record->sticky_flow = flow;
        }
    }
}

/* The group that was noted last chose the bucket in dp_hash for the packet of
 * 'batch', or dropped the packet. */
void
fuse_record_token__(const struct dp_packet_batch *batch)
{
    struct fuse_uses *uses = &fuse_record_current->uses;

    if (uses->n_lbs && !dp_packet_batch_is_empty(batch)) {
        struct fuse_lb_use *use = &uses->lbs[uses->n_lbs - 1];

        use->token = use->sticky ? batch->packets[0]->md.dp_hash : 0;
    }
}

/* Lists the owners, two at most, of an entry made from 'record': pointers in
 * 'owners', kinds in the nibbles of '*kinds'.  '*replies' is a bitmap of the
 * owners whose replies the entry is for. */
enum fuse_reason
fuse_record_owners(const struct fuse_record *record, uint64_t owners[2],
                   uint8_t *kinds, uint8_t *replies)
{
    int n = 0;

    *kinds = *replies = 0;
    owners[0] = owners[1] = 0;
    for (uint32_t i = 0; i < record->n_conns; i++) {
        uint64_t conn = (uintptr_t) record->conns[i];
        int known = n > 0 && owners[0] == conn ? 0
                    : n > 1 && owners[1] == conn ? 1 : -1;

        if (known >= 0) {
            if (record->replies[i] != (*replies >> known & 1)) {
                return FUSE_REASON_CT_TCP;
            }
            continue;
        }
        if (n == 2) {
            return FUSE_REASON_OWNERS;
        }
        owners[n] = conn;
        *replies |= record->replies[i] << n;
        *kinds |= (1 + record->timeouts[i]) << 4 * n++;
    }
    if (record->sticky_flow) {
        if (n == 2) {
            return FUSE_REASON_OWNERS;
        }
        owners[n] = record->sticky_flow;
        *kinds |= FUSE_OWNER_STICKY << 4 * n;
    }
    return FUSE_LEARNED;
}
