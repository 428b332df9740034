/* SPDX-License-Identifier: Apache-2.0 */

/* Packets of several mbuf segments
 * ================================
 *
 * A DPDK port can deliver a packet in several segments: a frame above the
 * port's MTU, or a packet that another process has built so.  Open vSwitch
 * takes every packet for contiguous in memory and reads on past the end of the
 * first segment.  So this file makes each received packet contiguous before
 * anything else reads it.
 *
 * The packet stays in its mbuf, for two reasons.  Its metadata need no copy.
 * A port that sends a batch decides by the first packet whether all are
 * DPDK's, and would take a packet from malloc() for an mbuf of a pool.  If the
 * first segment's buffer has room, the other segments move there.  Otherwise
 * all move to a new buffer, which is attached to the mbuf.  Open vSwitch does
 * the same with packets that are too big for a buffer.
 *
 * A packet stays as it is if there is no memory, if it is longer than any IP
 * packet, or if its segments contradict its size.  A GTP-U tunnel then drops
 * it: see gtpu-decap.c.
 *
 * Without a GTP-U port nothing of this happens.
 *
 * Work: the octets of the packet are copied once.  A packet of one segment
 * never causes an allocation.
 *
 * Thread-safety: PMD thread. */

#include <config.h>
#include "datapath-dpdk/gtpu/gtpu-hooks.h"

#include "dp-packet.h"
#include "lib/gtpu/gtpu-port.h"
#include "util.h"

#ifdef DPDK_NETDEV
#include <rte_malloc.h>
#include <rte_mbuf.h>

/* Most octets of a packet: IP, and Ethernet with two VLAN tags. */
#define MAX_SIZE (UINT16_MAX - RTE_PKTMBUF_HEADROOM - 64)

/* Copies the 'n' segments of 'm', of 'size' octets, to 'buf'.  Returns false
 * if 'm' has another number of segments or of octets. */
static bool
gather(const struct rte_mbuf *m, uint16_t n, uint8_t *buf, size_t size)
{
    size_t ofs = 0;

    for (; m && n; m = m->next, n--) {
        if (m->data_len > size - ofs) {
            return false;
        }
        memcpy(buf + ofs, rte_pktmbuf_mtod(m, const void *), m->data_len);
        ofs += m->data_len;
    }
    return !m && !n && ofs == size;
}

static void
free_buffer(void *addr OVS_UNUSED, void *buf)
{
    rte_free(buf);
}

/* Moves the packet 'm' to a new buffer. */
static bool
move(struct rte_mbuf *m)
{
    uint32_t size = m->pkt_len;
    struct rte_mbuf_ext_shared_info *shinfo;
    uint16_t len;
    uint8_t *buf;

    len = RTE_ALIGN_CEIL(RTE_PKTMBUF_HEADROOM + size + sizeof *shinfo
                         + sizeof(uintptr_t), sizeof(uintptr_t));
    buf = rte_malloc(NULL, len, RTE_CACHE_LINE_SIZE);
    if (!buf) {
        return false;
    }
    shinfo = rte_pktmbuf_ext_shinfo_init_helper(buf, &len, free_buffer, buf);
    if (!shinfo
        || !gather(m, m->nb_segs, buf + RTE_PKTMBUF_HEADROOM, size)) {
        rte_free(buf);
        return false;
    }

    rte_pktmbuf_free(m->next);
    m->next = NULL;
    m->nb_segs = 1;
    rte_pktmbuf_attach_extbuf(m, buf, rte_malloc_virt2iova(buf), len, shinfo);
    m->data_off = RTE_PKTMBUF_HEADROOM;
    m->data_len = size;
    return true;
}

/* Moves the whole packet 'm' to its first segment, which has room for it. */
static bool
pull(struct rte_mbuf *m)
{
    uint32_t size = m->pkt_len;
    uint8_t *tail = rte_pktmbuf_mtod(m, uint8_t *) + m->data_len;

    if (m->data_len > size
        || !gather(m->next, m->nb_segs - 1, tail, size - m->data_len)) {
        return false;
    }
    rte_pktmbuf_free(m->next);
    m->next = NULL;
    m->nb_segs = 1;
    m->data_len = size;
    return true;
}

/* Makes 'packet', which is of several segments, contiguous. */
static bool
linearize(struct dp_packet *packet)
{
    struct rte_mbuf *m = &packet->mbuf;

    if (m->pkt_len > MAX_SIZE || !RTE_MBUF_DIRECT(m)
        || rte_mbuf_refcnt_read(m) != 1) {
        return false;
    }
    return (m->data_len + rte_pktmbuf_tailroom(m) >= m->pkt_len
            ? pull(m)
            : move(m));
}

void
gtpu_linearize_batch(struct dp_packet_batch *batch)
{
    struct dp_packet *packet;

    if (!gtpu_ports_exist()) {
        return;
    }
    DP_PACKET_BATCH_FOR_EACH (i, packet, batch) {
        if (packet->source == DPBUF_DPDK
            && OVS_UNLIKELY(packet->mbuf.nb_segs != 1)) {
            linearize(packet);
        }
    }
}
#else
void
gtpu_linearize_batch(struct dp_packet_batch *batch OVS_UNUSED)
{
}
#endif
