/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "tests/equivalence/eq-device.h"

#include <errno.h>
#include <string.h>

#include "datapath-dpdk/compat/compat-batch.h"
#include "datapath-dpdk/compat/compat-offload.h"
#include "netdev-provider.h"
#include "unaligned.h"
#include "util.h"

struct device {
    struct netdev up;
    enum netdev_flags flags;
    struct eq_wire *wire;
    uint32_t i;
};

static struct eq_wire *wires[26];

void
eq_device_set_wire(struct eq_wire *wire)
{
    wires[wire->name - 'a'] = wire;
    for (uint32_t i = 0; i < EQ_N_PORTS; i++) {
        dp_packet_batch_init(&wire->received[i]);
    }
}

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
    const char *name = netdev_get_name(netdev);

    device->flags = NETDEV_UP;
    device->wire = wires[name[0] - 'a'];
    device->i = name[2] - '0';
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
    device->flags = (device->flags & ~off) | on;
    return 0;
}

static int
device_get_etheraddr(const struct netdev *netdev OVS_UNUSED,
                     struct eth_addr *mac)
{
    *mac = eth_addr_zero;
    return 0;
}

uint32_t
eq_find_tag(const uint8_t *p, uint32_t size)
{
    ovs_be32 magic = htonl(EQ_MAGIC);
    const uint8_t *found = memmem(p, size, &magic, sizeof magic);

    return (found && found + 8 <= p + size
            ? ntohl(get_unaligned_be32((ovs_be32 *) (found + 4))) : 0);
}

static int
device_send(struct netdev *netdev, int qid OVS_UNUSED,
            struct dp_packet_batch *batch, bool concurrent_txq OVS_UNUSED)
{
    struct device *device = device_cast(netdev);
    struct eq_outs *outs = &device->wire->outs;
    struct dp_packet *packet;

    DP_PACKET_BATCH_FOR_EACH (i, packet, batch) {
        struct eq_out *out = &outs->outs[outs->n++];

        ovs_assert(outs->n < EQ_MAX_OUTS);
        compat_fill_in_checksums(packet);
        out->port = device->i;
        out->size = dp_packet_get_send_len(packet);
        ovs_assert(outs->n_octets + out->size <= sizeof outs->octets);
        out->octets = outs->octets + outs->n_octets;
        outs->n_octets += out->size;
        memcpy(out->octets, dp_packet_data(packet), out->size);
        out->tag = eq_find_tag(out->octets, out->size);
        memset(&out->meta, 0, sizeof out->meta);
        out->meta.priority = packet->md.skb_priority;
        out->meta.rss = (dp_packet_rss_valid(packet)
                         ? dp_packet_get_rss_hash(packet) : 0);
        out->meta.packet_type = ntohl(packet->packet_type);
        out->meta.l2_pad_size = packet->l2_pad_size;
        out->meta.l2_5_ofs = packet->l2_5_ofs;
        out->meta.l3_ofs = packet->l3_ofs;
        out->meta.l4_ofs = packet->l4_ofs;
        out->meta.offloads = compat_offloads(packet);
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
    struct device *device = device_cast(rxq->netdev);
    struct dp_packet_batch *received = &device->wire->received[device->i];

    if (!received->count) {
        return EAGAIN;
    }
    compat_batch_move(batch, received);
    return 0;
}

static void
device_rxq_wait(struct netdev_rxq *rxq OVS_UNUSED)
{
}

static const struct netdev_class device_class = {
    .type = EQ_DEVICE_TYPE,
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
eq_device_register(void)
{
    netdev_register_provider(&device_class);
}
