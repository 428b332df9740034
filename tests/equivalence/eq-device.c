/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "tests/equivalence/eq-device.h"

#include <errno.h>
#include <string.h>

#include "datapath-dpdk/compat/compat-batch.h"
#include "datapath-dpdk/compat/compat-offload.h"
#include "tests/unit/memory-netdev.h"
#include "unaligned.h"
#include "util.h"

static struct eq_wire *wires[26];

void
eq_device_set_wire(struct eq_wire *wire)
{
    wires[wire->name - 'a'] = wire;
    for (uint32_t i = 0; i < EQ_N_PORTS; i++) {
        dp_packet_batch_init(&wire->received[i]);
    }
}

static struct eq_wire *
device_wire(const struct netdev *netdev)
{
    return wires[netdev_get_name(netdev)[0] - 'a'];
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
    struct eq_outs *outs = &device_wire(netdev)->outs;
    struct dp_packet *packet;

    DP_PACKET_BATCH_FOR_EACH (i, packet, batch) {
        struct eq_out *out = &outs->outs[outs->n++];

        ovs_assert(outs->n < EQ_MAX_OUTS);
        compat_fill_in_checksums(packet);
        out->port = memory_netdev_number(netdev);
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
        out->offloads = compat_offloads(packet);
    }
    dp_packet_delete_batch(batch, true);
    return 0;
}

static int
device_rxq_recv(struct netdev_rxq *rxq, struct dp_packet_batch *batch,
                int *qfill OVS_UNUSED)
{
    struct eq_wire *wire = device_wire(rxq->netdev);
    uint32_t port = memory_netdev_number(rxq->netdev);
    struct dp_packet_batch *received = &wire->received[port];

    if (!received->count) {
        return EAGAIN;
    }
    compat_batch_move(batch, received);
    return 0;
}

static const struct netdev_class device_class = {
    MEMORY_NETDEV_BASE,
    .type = EQ_DEVICE_TYPE,
    .send = device_send,
    .rxq_recv = device_rxq_recv,
};

void
eq_device_register(void)
{
    netdev_register_provider(&device_class);
}
