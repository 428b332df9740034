/* SPDX-License-Identifier: Apache-2.0 */

/* Network devices that PMD threads poll. */

#include <config.h>
#include "tests/equivalence/th.h"

#include <errno.h>

#include "datapath-dpdk/compat/compat-offload.h"
#include "dp-packet.h"
#include "netdev-provider.h"
#include "util.h"

struct device {
    struct netdev up;
    _Atomic(enum netdev_flags) flags;
    uint32_t i;
};

static struct device *
device_cast(const struct netdev *netdev)
{
    return CONTAINER_OF(netdev, struct device, up);
}

static struct netdev *
device_alloc(void)
{
    struct device *device = xzalloc(sizeof *device);

    return &device->up;
}

static int
device_construct(struct netdev *netdev)
{
    struct device *device = device_cast(netdev);

    device->flags = NETDEV_UP;
    device->i = netdev_get_name(netdev)[1] - '0';
    return 0;
}

static void
device_destruct(struct netdev *netdev OVS_UNUSED)
{
}

static void
device_dealloc(struct netdev *netdev)
{
    free(device_cast(netdev));
}

static int
device_update_flags(struct netdev *netdev, enum netdev_flags off,
                    enum netdev_flags on, enum netdev_flags *old)
{
    struct device *device = device_cast(netdev);

    *old = device->flags;
    device->flags = (*old & ~off) | on;
    return 0;
}

static int
device_get_etheraddr(const struct netdev *netdev OVS_UNUSED,
                     struct eth_addr *mac)
{
    *mac = eth_addr_zero;
    return 0;
}

static int
device_send(struct netdev *netdev, int qid OVS_UNUSED,
            struct dp_packet_batch *batch, bool concurrent_txq OVS_UNUSED)
{
    struct dp_packet *packet;

    DP_PACKET_BATCH_FOR_EACH (i, packet, batch) {
        compat_fill_in_checksums(packet);
        th_check(device_cast(netdev)->i, packet);
    }
    dp_packet_delete_batch(batch, true);
    return 0;
}

static struct netdev_rxq *
device_rxq_alloc(void)
{
    return xzalloc(sizeof(struct netdev_rxq));
}

static int
device_rxq_construct(struct netdev_rxq *rxq OVS_UNUSED)
{
    return 0;
}

static void
device_rxq_destruct(struct netdev_rxq *rxq OVS_UNUSED)
{
}

static void
device_rxq_dealloc(struct netdev_rxq *rxq)
{
    free(rxq);
}

static int
device_rxq_recv(struct netdev_rxq *rxq, struct dp_packet_batch *batch,
                int *qfill OVS_UNUSED)
{
    return th_receive(device_cast(rxq->netdev)->i, batch) ? 0 : EAGAIN;
}

static void
device_rxq_wait(struct netdev_rxq *rxq OVS_UNUSED)
{
}

static const struct netdev_class device_class = {
    .type = TH_DEVICE_TYPE,
    .is_pmd = true,
    .alloc = device_alloc,
    .construct = device_construct,
    .destruct = device_destruct,
    .dealloc = device_dealloc,
    .update_flags = device_update_flags,
    .get_etheraddr = device_get_etheraddr,
    .send = device_send,
    .rxq_alloc = device_rxq_alloc,
    .rxq_construct = device_rxq_construct,
    .rxq_destruct = device_rxq_destruct,
    .rxq_dealloc = device_rxq_dealloc,
    .rxq_recv = device_rxq_recv,
    .rxq_wait = device_rxq_wait,
};

void
th_device_register(void)
{
    netdev_register_provider(&device_class);
}
