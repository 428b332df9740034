/* SPDX-License-Identifier: Apache-2.0
 *
 * Traffic source and sink of 'make bench'
 * =======================================
 *
 * A library to be preloaded into ovs-vswitchd that makes ports of DPDK's
 * net_null driver into sources that send the packets of a pcap file round and
 * round, and into sinks that count and, on demand, keep what they are given.
 * It needs nothing but DPDK's callbacks for receive and transmit, so that any
 * ovs-vswitchd can be measured with it.  In dpdk-testpmd, it does the same,
 * and sees what is sent by ports of any driver.
 *
 * Why not net_pcap with infinite_rx?  It holds each packet of the file in an
 * mbuf, of which Open vSwitch never allocates more than 262,144 a port.  This
 * one maps the file, does the same work for each packet (an mbuf from the
 * pool, one copy of the packet), and has no limit.  Each packet that the
 * switch gets is a fresh copy of the file's, whatever was done to the last
 * one.
 *
 * Why not net_null alone as a sink?  It also receives: without "no-rx=1" the
 * switch is fed, from the same port, as many packets of 64 bytes again whose
 * content is whatever earlier packets left in the mbufs.
 *
 * Ports are controlled through the file that the environment variable
 * BENCH_TRAFFIC names: an array of 'struct slot', shared with the process that
 * measures.  See 'Traffic' in traffic.py, which has the same layout.
 *
 * Packets of one connection may come from two sources.  So that an answer does
 * not leave before its question has arrived, a packet says in its record how
 * many packets the sink of the other direction must have received before.
 *
 * Thread-safety: a source is used by the one PMD thread that polls it.  A sink
 * may be used by any number of threads. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_memcpy.h>

#define UNUSED __attribute__((unused))

/* A source with a rate keeps as many packets as Open vSwitch's receive queues
 * do by default, and loses later ones when they are full. */
enum { N_SLOTS = 8, MAX_TX_QUEUES = 16, QUEUE = 2048 };

/* One port.  This side writes 'done', 'used' and 'error'; the measuring side
 * writes the rest, and 'error' when it changes 'epoch'. */
struct slot {
    char device[32];            /* "net_null0", or empty. */
    char file[192];             /* Source: pcap to send.  Sink: for capture. */
    uint32_t sink;              /* 1 if a sink, 0 if a source. */
    uint32_t epoch;             /* Changes when 'file' does. */
    uint32_t run;               /* Source: send.  Sink: keep packets. */
    uint32_t error;             /* 1 if 'file' cannot be used, 2 if that is
                                 * not known yet. */
    uint64_t limit;             /* Source: ends after so many packets. */
    uint64_t done;              /* Packets sent and lost, or received. */
    uint64_t size;              /* Sink: bytes that fit 'file'. */
    uint64_t used;              /* Sink: bytes that were needed. */
    uint64_t rate;              /* Source: packets a second; 0: no limit. */
    uint64_t window;            /* Source: at most so many have not come back
                                 * to the sink on its device; 0: no limit. */
    uint64_t after;             /* Source: 1 + slot of the sink that packets
                                 * wait for, or 0. */
    uint64_t base;              /* Source: 'done' of that sink from which
                                 * records count. */
} __attribute__((aligned(128))); /* Threads share no line by accident. */

/* A packet in a pcap file in host byte order. */
struct record {
    uint32_t sec;               /* Packets that must have come before. */
    uint32_t usec, caplen, len;
};
enum { PCAP_HEADER = 24 };

/* The mapping of a port.  'data' is NULL without one. */
struct port {
    struct slot *slot;
    uint32_t epoch;
    uint8_t *data;
    size_t size;
    size_t next;                /* Source: offset of the next packet. */
    bool running;               /* Source. */
    uint64_t start, started;    /* Source: TSC and 'done' when it began... */
    uint64_t back_started;      /* ...and 'done' of the sink on its device. */
    const struct port *sink;    /* Source: that, or one without a slot. */
    const struct rte_eth_rxtx_callback *rx;
    const struct rte_eth_rxtx_callback *tx[MAX_TX_QUEUES];
};
enum { SOURCE, SINK, N_KINDS }; /* A device may be both. */
static struct port ports[RTE_MAX_ETHPORTS][N_KINDS];

/* The control file, or NULL. */
static struct slot *
map_slots(void)
{
    static struct slot *slots;
    const char *name = getenv("BENCH_TRAFFIC");

    if (!slots && name) {
        int fd = open(name, O_RDWR);
        void *p = fd < 0 ? MAP_FAILED
                  : mmap(NULL, N_SLOTS * sizeof *slots,
                         PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

        if (p == MAP_FAILED) {
            perror(name);
            abort();
        }
        close(fd);
        slots = p;
    }
    return slots;
}

/* Returns a copy of the 'size' bytes of 'fd' in huge pages: a NIC too writes
 * packets where the processor finds them without a TLB miss. */
static void *
load(int fd, size_t size)
{
    uint8_t *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p != MAP_FAILED) {
        madvise(p, size, MADV_HUGEPAGE);
        for (size_t n = 0; n < size;) {
            ssize_t got = pread(fd, p + n, size - n, n);

            if (got <= 0) {
                munmap(p, size);
                return MAP_FAILED;
            }
            n += got;
        }
    }
    return p;
}

/* Maps the file that 'port''s slot names now.  Checks its packets here, so
 * that the path of each packet need not. */
static void
open_file(struct port *port)
{
    struct slot *slot = port->slot;
    struct stat st;
    int fd;

    if (port->data) {
        munmap(port->data, port->size);
        port->data = NULL;
    }
    port->epoch = slot->epoch;
    port->next = PCAP_HEADER;

    fd = open(slot->file, slot->sink ? O_RDWR : O_RDONLY);
    if (fd >= 0) {
        if (!fstat(fd, &st) && st.st_size > PCAP_HEADER) {
            void *p = (slot->sink
                       ? mmap(NULL, st.st_size, PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_POPULATE, fd, 0)
                       : load(fd, st.st_size));

            if (p != MAP_FAILED) {
                port->data = p;
                port->size = st.st_size;
            }
        }
        close(fd);
    }

    if (port->data && !slot->sink) {
        size_t ofs = PCAP_HEADER;

        while (port->size - ofs >= sizeof(struct record)) {
            const struct record *r = (const void *) (port->data + ofs);

            if (r->caplen > RTE_MBUF_DEFAULT_DATAROOM
                || r->caplen > port->size - ofs - sizeof *r) {
                break;
            }
            ofs += sizeof *r + r->caplen;
        }
        if (ofs != port->size) {
            munmap(port->data, port->size);
            port->data = NULL;
        }
    }
    slot->error = !port->data;
}

/* Returns the next packet of the file of 'port'. */
static const struct record *
next_packet(struct port *port)
{
    const struct record *r = (const void *) (port->data + port->next);

    port->next += sizeof *r + r->caplen;
    if (port->next == port->size) {
        port->next = PCAP_HEADER;
    }
    return r;
}

/* Returns the number of packets that the sink on the device of source 'port'
 * has received. */
static uint64_t
come_back(const struct port *port)
{
    return (port->sink->slot
            ? __atomic_load_n(&port->sink->slot->done, __ATOMIC_RELAXED) : 0);
}

/* Returns how many packets have arrived where those of source 'port' wait for
 * packets, or UINT64_MAX if they wait for none. */
static uint64_t
arrived(const struct port *port)
{
    const struct slot *slot = port->slot;
    const struct slot *slots = map_slots();

    return (slot->after && slot->after <= N_SLOTS
            ? __atomic_load_n(&slots[slot->after - 1].done, __ATOMIC_RELAXED)
              - slot->base
            : UINT64_MAX);
}

/* Returns the number of packets that wait at 'port'.  Removes those that found
 * no place in the queue. */
static uint64_t
waiting(struct port *port)
{
    struct slot *slot = port->slot;
    uint64_t n = slot->limit - slot->done;
    uint64_t sent, due;

    if (!port->running) {
        port->running = true;
        port->start = rte_rdtsc();
        port->started = slot->done;
        port->back_started = come_back(port);
    }
    sent = slot->done - port->started;

    if (slot->window) {
        uint64_t out = sent - (come_back(port) - port->back_started);
        uint64_t room = out < slot->window ? slot->window - out : 0;

        n = n < room ? n : room;
    }
    if (!slot->rate) {
        return n;
    }

    due = (double) (rte_rdtsc() - port->start) / rte_get_tsc_hz()
          * slot->rate - sent;
    if (n > due) {
        n = due;
    }
    for (; n > QUEUE; n--) {
        next_packet(port);
        slot->done++;
    }
    return n;
}

/* Gives the 'n' mbufs of 'pkts' the next packets of the file. */
static uint16_t
source_rx(uint16_t port_id UNUSED, uint16_t queue UNUSED,
          struct rte_mbuf *pkts[], uint16_t n, uint16_t max UNUSED,
          void *port_)
{
    struct port *port = port_;
    struct slot *slot = port->slot;
    uint16_t i, n_sent = n;
    uint64_t n_arrived;

    if (!__atomic_load_n(&slot->run, __ATOMIC_ACQUIRE)) {
        port->running = false;
        n_sent = 0;
    } else {
        if (port->epoch != slot->epoch) {
            open_file(port);
        }
        if (!port->data) {
            n_sent = 0;
        } else {
            uint64_t n_waiting = waiting(port);

            n_sent = n_waiting < n ? n_waiting : n;
        }
    }
    n_arrived = n_sent ? arrived(port) : 0;
    for (i = 0; i < n_sent; i++) {
        const struct record *r = (const void *) (port->data + port->next);
        struct rte_mbuf *m = pkts[i];

        if (r->sec > n_arrived) {
            n_sent = i;
            break;
        }
        next_packet(port);
        rte_memcpy(rte_pktmbuf_mtod(m, void *), r + 1, r->caplen);
        m->data_len = r->caplen;
        m->pkt_len = r->caplen;
    }
    if (n_sent) {
        /* The next packets will be in the cache, as if a NIC had put them
         * there. */
        const uint8_t *next = port->data + port->next;

        for (i = 0; i < n_sent; i++) {
            rte_prefetch1(next + i * sizeof(struct record) + i * 64);
        }
    }
    if (n_sent < n) {
        rte_pktmbuf_free_bulk(pkts + n_sent, n - n_sent);
    }
    __atomic_store_n(&slot->done, slot->done + n_sent, __ATOMIC_RELEASE);
    return n_sent;
}

/* Keeps the packet 'm', if it fits. */
static void
keep(struct port *port, const struct rte_mbuf *m)
{
    struct record r = { .caplen = m->pkt_len, .len = m->pkt_len };
    size_t size = sizeof r + r.caplen;
    size_t ofs = __atomic_fetch_add(&port->slot->used, size,
                                    __ATOMIC_RELAXED);

    if (ofs + size <= port->size) {
        uint8_t *to = port->data + ofs;
        const void *data;

        memcpy(to, &r, sizeof r);
        data = rte_pktmbuf_read(m, 0, r.caplen, to + sizeof r);
        if (data && data != to + sizeof r) {
            memcpy(to + sizeof r, data, r.caplen);
        }
    }
}

static uint16_t
sink_tx(uint16_t port_id UNUSED, uint16_t queue UNUSED,
        struct rte_mbuf *pkts[], uint16_t n, void *port_)
{
    struct port *port = port_;
    struct slot *slot = port->slot;
    uint16_t i;

    __atomic_fetch_add(&slot->done, n, __ATOMIC_RELAXED);
    if (__atomic_load_n(&slot->run, __ATOMIC_ACQUIRE) && port->data
        && slot->used < slot->size) {
        for (i = 0; i < n; i++) {
            keep(port, pkts[i]);
        }
    }
    return n;
}

/* Removes our callbacks from 'port', of device 'id'. */
static void
detach(uint16_t id, struct port *port)
{
    if (port->rx) {
        rte_eth_remove_rx_callback(id, 0, port->rx);
        port->rx = NULL;
    }
    for (uint16_t q = 0; q < MAX_TX_QUEUES; q++) {
        if (port->tx[q]) {
            rte_eth_remove_tx_callback(id, q, port->tx[q]);
            port->tx[q] = NULL;
        }
    }
}

/* Makes 'port', of device 'id' with 'n_txqs' transmit queues, follow its
 * slot. */
static void
attach(uint16_t id, struct port *port, uint16_t n_txqs)
{
    detach(id, port);
    if (!port->slot->sink) {
        port->sink = &ports[id][SINK];
        port->rx = rte_eth_add_rx_callback(id, 0, source_rx, port);
        if (!port->rx) {
            abort();
        }
        return;
    }
    if (port->slot->file[0] && port->epoch != port->slot->epoch) {
        open_file(port);
    }
    for (uint16_t q = 0; q < n_txqs && q < MAX_TX_QUEUES; q++) {
        port->tx[q] = rte_eth_add_tx_callback(id, q, sink_tx, port);
        if (!port->tx[q]) {
            abort();
        }
    }
}

/* Makes port 'id' a source, a sink, or both, if slots name its device. */
static void
attach_all(uint16_t id)
{
    struct slot *slots = map_slots();
    char name[RTE_ETH_NAME_MAX_LEN];
    struct rte_eth_dev_info info;

    if (!slots || rte_eth_dev_get_name_by_port(id, name)
        || rte_eth_dev_info_get(id, &info)) {
        return;
    }
    for (int i = 0; i < N_SLOTS; i++) {
        if (slots[i].device[0] && !strcmp(slots[i].device, name)) {
            struct port *port = &ports[id][slots[i].sink ? SINK : SOURCE];

            port->slot = &slots[i];
            attach(id, port, info.nb_tx_queues);
        }
    }
}

int
rte_eth_dev_start(uint16_t id)
{
    static int (*start)(uint16_t);
    int error;

    if (!start) {
        start = (int (*)(uint16_t)) dlsym(RTLD_NEXT, "rte_eth_dev_start");
        if (!start) {
            abort();
        }
    }
    error = start(id);
    if (!error) {
        attach_all(id);
    }
    return error;
}
