/* SPDX-License-Identifier: Apache-2.0 */

/* Packets of several mbuf segments
 * ================================
 *
 * A DPDK port can hand over a packet in several pieces: what does not fit into
 * one buffer, as a jumbo frame from a port whose MTU says that there are none,
 * or what another process put together so.  Open vSwitch has no code for that:
 * everything, from the first look at the headers on, takes the whole packet
 * for contiguous in memory, and reads on past the end of the first piece.  So
 * this makes it true, before anything else looks at the packet.
 *
 * The packet stays the mbuf that it is, for two reasons.  Its metadata need no
 * copy; and a port that sends a batch decides by the first packet in it
 * whether all are DPDK's: one from malloc() among them would be taken for an
 * mbuf of a pool.  Where the first piece's buffer has room, the others go
 * there.  Otherwise all go to a new buffer, which is attached to the mbuf, as
 * Open vSwitch itself does with packets that are too big for a buffer.
 *
 * A packet that cannot be made contiguous (no memory; more than an IP packet
 * can have; pieces that contradict its size) stays as it is.  A GTP-U tunnel
 * then drops it: see gtpu-decap.c.
 *
 * Nothing of this happens unless there is a GTP-U port, so that a switch
 * without one works as before.
 *
 * Work: the octets of the packet are copied once.  Allocation is on no path
 * that a packet in one piece takes.
 *
 * Thread-safety: PMD thread. */

#include <config.h>
#include "datapath-dpdk/gtpu/gtpu-hooks.h"

#include "datapath-dpdk/gtpu/gtpu-vport.h"
#include "dp-packet.h"
#include "lib/gtpu/gtpu-signalling.h"
#include "util.h"

#ifdef DPDK_NETDEV
#include <rte_malloc.h>
#include <rte_mbuf.h>

/* Most octets of a packet: of IP, and Ethernet with two VLAN tags. */
#define MAX_SIZE (UINT16_MAX - RTE_PKTMBUF_HEADROOM - 64)

/* Copies the 'n' segments of 'm', of 'size' octets, to 'buf'.  Returns false
 * if they are not that many, or have not that many. */
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

/* Moves all of the packet 'm' to its first segment, which has room for it. */
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

    if (!atomic_load_explicit(&gtpu_n_ports, memory_order_relaxed)) {
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
