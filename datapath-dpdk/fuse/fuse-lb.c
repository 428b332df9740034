/* SPDX-License-Identifier: Apache-2.0 */

/* Groups of the fused flow cache
 * ==============================
 *
 * An entry repeats the choice that a group's table made for the first packet.
 * That is right as long as the table stays, if it hashes only what is in the
 * entry's key, or as long as the flow is remembered, for a sticky group. */

#include <config.h>
#include "datapath-dpdk/fuse/fuse-hooks.h"

#include <string.h>

#include "datapath-dpdk/fuse/fuse-record.h"
#include "datapath-dpdk/lb/lb-hash.h"
#include "dp-packet.h"
#include "flow.h"
#include "lib/gtpu/gtpu.h"
#include "lib/lb/lb-registry.h"
#include "lib/lb/lb-table.h"
#include "netlink.h"
#include "packets.h"

/* Returns true if all packets with the key of 'packet' get the same hash from
 * 'table'. */
static bool
hashes_key_alone(const struct lb_table *table, const struct dp_packet *packet)
{
    struct flow flow;

    if (table->input != LB_INPUT_PACKET) {
        const struct udp_header *udp = dp_packet_l4(packet);

        /* The table hashes what is inside of GTP-U. */
        if (udp && dp_packet_l4_size(packet) >= sizeof *udp
            && udp->udp_dst == htons(GTPU_UDP_PORT)) {
            return false;
        }
    }

    /* TCP flags differ among the packets of a flow. */
    memset(&flow, 0, sizeof flow);
    flow.tcp_flags = OVS_BE16_MAX;
    for (uint32_t i = 0; i < table->n_words; i++) {
        if (((const uint64_t *) &flow)[table->words[i].index]
            & table->words[i].mask) {
            return false;
        }
    }
    return true;
}

/* Notes what the choice of the lb action 'a', which is executed next, for the
 * only packet of 'batch' depends on. */
void
fuse_record_lb__(const struct dp_packet_batch *batch, const struct nlattr *a)
{
    uint32_t id = nl_attr_get_u32(a);
    /* The versions must be older than the table. */
    uint32_t versions[2] = { lb_registry_version(id, false),
                             lb_registry_version(id, true) };
    const struct lb_table *table = lb_registry_get(id);
    struct dp_packet *packet = batch->packets[0];
    bool sticky;

    if (!table || dp_packet_batch_size(batch) != 1) {
        return;
    }
    sticky = table->timeout && lb_registry_get_sticky();
    fuse_record_choice(id, versions[sticky], sticky,
                       sticky ? lb_hash_packet(table, packet) ^ table->salt
                       : 0, hashes_key_alone(table, packet));
}
