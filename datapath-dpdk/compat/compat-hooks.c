/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-dpdk/compat/compat-hooks.h"

#include "datapath-dpdk/compat/compat-offload.h"
#include "dp-packet.h"
#include "util.h"

void
compat_prepare_to_cut(struct dp_packet_batch *batch)
{
    struct dp_packet *packet;

    if (OVS_LIKELY(!batch->trunc)) {
        return;
    }
    DP_PACKET_BATCH_FOR_EACH (i, packet, batch) {
        if (dp_packet_get_cutlen(packet)) {
            compat_fill_in_checksums(packet);
        }
    }
}
