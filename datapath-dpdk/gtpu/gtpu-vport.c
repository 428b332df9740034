/* SPDX-License-Identifier: Apache-2.0 */

/* The configured ports of type "gtpu"
 * ===================================
 *
 * Open vSwitch's class calls this file for each port that is configured or
 * destroyed.  PMD threads then know which kinds of packets the ports take, and
 * each port has a counter for sequence numbers.
 *
 * The datapath has one port for all of them, "gtpu_sys_2152".  The class's
 * functions for packets get its netdev.  So the header that is built for a
 * port carries the number of the port's counter.
 *
 * Thread-safety: 'mutex' serializes writers.  Readers find a port in 'ports'
 * under RCU. */

#include <config.h>
#include "datapath-dpdk/gtpu/gtpu-vport.h"

#include <inttypes.h>

#include "cmap.h"
#include "datapath-dpdk/gtpu/gtpu-drop-port.h"
#include "datapath-dpdk/gtpu/gtpu-hooks.h"
#include "datapath-dpdk/gtpu/gtpu-peer.h"
#include "hash.h"
#include "lib/gtpu/gtpu-ext.h"
#include "lib/gtpu/gtpu-port.h"
#include "lib/gtpu/gtpu-watch.h"
#include "netdev.h"
#include "openvswitch/dynamic-string.h"
#include "ovs-atomic.h"
#include "ovs-rcu.h"
#include "ovs-thread.h"
#include "packets.h"
#include "smap.h"
#include "util.h"

#define N_PT_MODES (MAX(MAX(NETDEV_PT_AWARE, NETDEV_PT_LEGACY_L2), \
                        NETDEV_PT_LEGACY_L3) + 1)

struct gtpu_port {
    struct cmap_node node;      /* In 'ports'. */
    const struct netdev *netdev;
    bool configured;            /* 'pt_mode' is in 'n_ports'. */
    struct in6_addr peer;       /* Unset if the flow decides. */
    enum netdev_pt_mode pt_mode;
    uint16_t seq_slot;          /* Index in 'seqs'. */
    atomic_uint16_t options;    /* From pack_options(). */
    struct gtpu_path_config path; /* By 'mutex'. */
    struct gtpu_drop_port *drop_port; /* By 'mutex'. */
    char *error;                /* Main thread.  Of the last configuration. */
    struct gtpu_drops drops;
};

static struct ovs_mutex mutex = OVS_MUTEX_INITIALIZER;
static struct cmap ports = CMAP_INITIALIZER; /* Of struct gtpu_port. */
static atomic_count n_ports[N_PT_MODES]; /* By mode. */

/* Next sequence numbers.  If there are more ports than counters, some ports
 * share one, and their sequence numbers have gaps. */
#define N_SEQS 1024
static atomic_count seqs[N_SEQS];
static unsigned int n_seqs_given;

static struct gtpu_port *
find_port(const struct netdev *netdev)
{
    struct gtpu_port *port;

    CMAP_FOR_EACH_WITH_HASH (port, node, hash_pointer(netdev, 0), &ports) {
        if (port->netdev == netdev) {
            return port;
        }
    }
    return NULL;
}

/* Returns the options of the port 'netdev'. */
static struct gtpu_port_options
all_options(const struct netdev *netdev)
{
    struct gtpu_port_options options = gtpu_vport_options(netdev);
    struct gtpu_port *port;

    ovs_mutex_lock(&mutex);
    port = find_port(netdev);
    if (port) {
        options.path = port->path;
    }
    ovs_mutex_unlock(&mutex);
    return options;
}

/* For gtpu_port_path(). */
static bool
read_path(const struct netdev *netdev, struct gtpu_path_config *config)
{
    *config = all_options(netdev).path;
    return find_port(netdev) != NULL;
}

/* Returns the port 'netdev', a new one if there is none yet. */
static struct gtpu_port *
find_or_add_port(const struct netdev *netdev)
    OVS_REQUIRES(mutex)
{
    struct gtpu_port *port = find_port(netdev);

    if (!port) {
        port = xzalloc(sizeof *port);
        port->netdev = netdev;
        port->seq_slot = n_seqs_given++ % N_SEQS;
        atomic_init(&port->options, 0);
        cmap_insert(&ports, &port->node, hash_pointer(netdev, 0));
        gtpu_port_set_path_reader(read_path);
        atomic_fetch_add(&gtpu_n_ports, 1);
    }
    return port;
}

/* Makes 'peer' the peer of 'port'. */
static void
set_peer(struct gtpu_port *port, const struct in6_addr *peer)
    OVS_REQUIRES(mutex)
{
    if (ipv6_addr_is_set(&port->peer)) {
        gtpu_peer_remove(&port->peer);
    }
    port->peer = *peer;
    if (ipv6_addr_is_set(&port->peer)) {
        gtpu_peer_add(&port->peer);
    }
}

void
gtpu_vport_configured(const struct netdev *netdev,
                      const struct netdev_tunnel_config *cfg)
{
    struct gtpu_port *port;

    if (strcmp(netdev_get_type(netdev), "gtpu")) {
        return;
    }

    ovs_mutex_lock(&mutex);
    port = find_or_add_port(netdev);
    /* In this order: a mode that stays the same is carried all the time. */
    atomic_count_inc(&n_ports[cfg->pt_mode]);
    if (port->configured) {
        atomic_count_dec(&n_ports[port->pt_mode]);
    }
    port->configured = true;
    port->pt_mode = cfg->pt_mode;
    set_peer(port, cfg->ip_dst_flow ? &in6addr_any : &cfg->ipv6_dst);
    gtpu_drop_port_remove(port->drop_port);
    port->drop_port = gtpu_drop_port_add(cfg, &port->drops);
    ovs_mutex_unlock(&mutex);
}

/* Returns all but the path in one word, so that a reader never sees parts of
 * two configurations. */
static uint16_t
pack_options(const struct gtpu_port_options *o)
{
    return o->qfi | o->has_qfi << 8 | o->has_pdu_type << 9 | o->pdu_type << 10;
}

bool
gtpu_vport_set_options(const struct netdev *netdev, const struct smap *args)
{
    struct gtpu_port_options options;
    struct gtpu_port *port;
    uint16_t old, new;
    bool changed;
    char *error;

    if (strcmp(netdev_get_type(netdev), "gtpu")) {
        return false;
    }
    error = gtpu_options_parse(args, &options);
    if (error) {
        free(error);
        return false;
    }

    new = pack_options(&options);
    ovs_mutex_lock(&mutex);
    port = find_or_add_port(netdev);
    atomic_read_relaxed(&port->options, &old);
    atomic_store_relaxed(&port->options, new);
    changed = old != new || memcmp(&port->path, &options.path,
                                   sizeof port->path);
    port->path = options.path;
    ovs_mutex_unlock(&mutex);
    return changed;
}

int
gtpu_vport_finish_config(const struct netdev *netdev, int err,
                         struct ds *errors)
{
    struct gtpu_port *port;

    if (strcmp(netdev_get_type(netdev), "gtpu")) {
        return err;
    }
    ovs_mutex_lock(&mutex);
    port = find_port(netdev);
    if (port) {
        if (err && port->configured) {
            ds_put_format(errors, "%s: keeps its last valid options\n",
                          netdev_get_name(netdev));
            err = 0;
        }
        ds_chomp(errors, '\n');
        free(port->error);
        port->error = errors->length ? xstrdup(ds_cstr(errors)) : NULL;
    }
    ovs_mutex_unlock(&mutex);
    return err;
}

char *
gtpu_vport_error(const struct netdev *netdev)
{
    struct gtpu_port *port = find_port(netdev);

    return port ? port->error : NULL;
}

struct gtpu_port_options
gtpu_vport_options(const struct netdev *netdev)
{
    struct gtpu_port *port = find_port(netdev);
    uint16_t packed = 0;

    if (port) {
        atomic_read_relaxed(&port->options, &packed);
    }
    return (struct gtpu_port_options) {
        .qfi = packed & GTPU_QFI_MAX,
        .has_qfi = (packed >> 8) & 1,
        .has_pdu_type = (packed >> 9) & 1,
        .pdu_type = (packed >> 10) & 1,
    };
}

void
gtpu_vport_get_options(const struct netdev *netdev, struct smap *args)
{
    const struct gtpu_port_options options = all_options(netdev);

    gtpu_options_format(&options, args);
}

void
gtpu_vport_get_status(const struct netdev *netdev, struct smap *status)
{
    const struct netdev_tunnel_config *cfg;
    const struct gtpu_watch *watch;
    enum gtpu_path_state state;

    if (strcmp(netdev_get_type(netdev), "gtpu")
        || !all_options(netdev).path.interval) {
        return;
    }
    cfg = netdev_get_tunnel_config(netdev);
    watch = cfg ? gtpu_watch_find(cfg->ipv6_dst.s6_addr) : NULL;
    if (watch) {
        state = (enum gtpu_path_state)
            atomic_load_explicit(&watch->state, memory_order_relaxed);
        smap_add(status, "path_state", gtpu_path_state_name(state));
        smap_add_format(status, "path_restarts", "%"PRIu32,
                        atomic_load_explicit(&watch->n_restarts,
                                             memory_order_relaxed));
    }
}

static void
free_port(struct gtpu_port *port)
{
    gtpu_drops_uninit(&port->drops);
    free(port);
}

void
gtpu_vport_destructed(const struct netdev *netdev)
{
    struct gtpu_port *port;

    ovs_mutex_lock(&mutex);
    port = find_port(netdev);
    if (port) {
        if (port->configured) {
            atomic_count_dec(&n_ports[port->pt_mode]);
        }
        set_peer(port, &in6addr_any);
        gtpu_drop_port_remove(port->drop_port);
        atomic_fetch_sub(&gtpu_n_ports, 1);
        cmap_remove(&ports, &port->node, hash_pointer(netdev, 0));
        free(port->error);
        ovsrcu_postpone(free_port, port);
    }
    ovs_mutex_unlock(&mutex);
}

void
gtpu_vport_get_drops(const struct netdev *netdev,
                     unsigned long long int n[GTPU_N_DROPS])
{
    struct gtpu_port *port = find_port(netdev);

    memset(n, 0, GTPU_N_DROPS * sizeof *n);
    if (port) {
        gtpu_drops_read(&port->drops, n);
    }
}

void
gtpu_vport_get_stats(const struct netdev *netdev, struct netdev_stats *stats)
{
    unsigned long long int n[GTPU_N_DROPS];

    if (strcmp(netdev_get_type(netdev), "gtpu") || !find_port(netdev)) {
        return;
    }
    gtpu_vport_get_drops(netdev, n);
    stats->rx_errors = stats->rx_dropped = stats->tx_dropped = 0;
    for (int drop = 0; drop < GTPU_N_DROPS; drop++) {
        switch (gtpu_drop_kind(drop)) {
        case GTPU_RX_ERROR: stats->rx_errors += n[drop]; break;
        case GTPU_RX_DROPPED: stats->rx_dropped += n[drop]; break;
        case GTPU_TX_DROPPED: stats->tx_dropped += n[drop]; break;
        default: OVS_NOT_REACHED();
        }
    }
}

void
gtpu_vport_for_each(void (*cb)(const struct netdev *, void *aux), void *aux)
{
    struct gtpu_port *port;

    CMAP_FOR_EACH (port, node, &ports) {
        cb(port->netdev, aux);
    }
}

struct gtpu_carried
gtpu_vport_carried(void)
{
    bool legacy_l3 = atomic_count_get(&n_ports[NETDEV_PT_LEGACY_L3]);
    bool legacy_l2 = atomic_count_get(&n_ports[NETDEV_PT_LEGACY_L2]);
    bool aware = atomic_count_get(&n_ports[NETDEV_PT_AWARE]);

    return (struct gtpu_carried) {
        .l3 = legacy_l3 || aware || !legacy_l2,
        .l2 = legacy_l2 || aware,
    };
}

uint16_t
gtpu_vport_seq_slot(const struct netdev *netdev)
{
    struct gtpu_port *port = find_port(netdev);

    return port ? port->seq_slot : 0;
}

uint16_t
gtpu_vport_next_seq(uint16_t slot)
{
    return atomic_count_inc(&seqs[slot % N_SEQS]);
}
