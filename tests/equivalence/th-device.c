/* SPDX-License-Identifier: Apache-2.0 */

/* Network devices that PMD threads poll. */

#include <config.h>
#include "tests/equivalence/th.h"

#include <errno.h>

#include "datapath-dpdk/compat/compat-offload.h"
#include "dp-packet.h"
#include "tests/unit/memory-netdev.h"
#include "util.h"

static int
device_send(struct netdev *netdev, int qid OVS_UNUSED,
            struct dp_packet_batch *batch, bool concurrent_txq OVS_UNUSED)
{
    struct dp_packet *packet;

    DP_PACKET_BATCH_FOR_EACH (i, packet, batch) {
        compat_fill_in_checksums(packet);
        th_check(memory_netdev_number(netdev), packet);
    }
    dp_packet_delete_batch(batch, true);
    return 0;
}

static int
device_rxq_recv(struct netdev_rxq *rxq, struct dp_packet_batch *batch,
                int *qfill OVS_UNUSED)
{
    return th_receive(memory_netdev_number(rxq->netdev), batch) ? 0 : EAGAIN;
}

static const struct netdev_class device_class = {
    MEMORY_NETDEV_BASE,
    .type = TH_DEVICE_TYPE,
    .is_pmd = true,
    .send = device_send,
    .rxq_recv = device_rxq_recv,
};

void
th_device_register(void)
{
    netdev_register_provider(&device_class);
}
