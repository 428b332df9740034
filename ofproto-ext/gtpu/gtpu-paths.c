/* SPDX-License-Identifier: Apache-2.0 */

/* Supervision of the peers of GTP-U tunnels
 * =========================================
 *
 * Each address is a path that is 'remote_ip' of one or more ports with
 * options:echo_interval.  Echo Requests leave through the first of these ports
 * by name, in the same way as packets that OpenFlow sends through it.  The
 * datapath takes the answers (lib/gtpu/gtpu-watch.h).
 *
 * The ports of a path that is down are not live (OFPPS_LIVE, watch_port).  The
 * column "status" of table Interface shows the state, as for BFD.
 *
 * Thread-safety: main thread. */

#include <config.h>
#include "ofproto-ext/gtpu/gtpu-ofproto-hooks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compat/compat-unixctl.h"
#include "dp-packet.h"
#include "flow.h"
#include "hash.h"
#include "lib/gtpu/gtpu-port.h"
#include "lib/gtpu/gtpu-watch.h"
#include "lib/gtpu/gtpu.h"
#include "netdev-provider.h"
#include "netdev.h"
#include "ofproto/ofproto-dpif.h"
#include "ofproto/ofproto-provider.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/hmap.h"
#include "openvswitch/meta-flow.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "ovs-rcu.h"
#include "packets.h"
#include "random.h"
#include "sset.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(gtpu_paths);

/* Intervals in ms at which the main thread looks for an answer and for changed
 * options of ports. */
#define ANSWER_INTERVAL 100
#define OPTIONS_INTERVAL 1000

struct peer {
    struct hmap_node node;      /* In 'peers_by_address'. */
    struct in6_addr address;
    struct gtpu_path path;
    struct gtpu_watch *watch;
    struct sset ports;          /* Names. */
    bool present;               /* Some port has this peer. */

    /* The first of 'ports' by name. */
    char *port;
    char *bridge;
    ofp_port_t ofp_port;
    struct gtpu_path_config config;
};

/* Sorted by address. */
static struct peer **peers;
static size_t n_peers;
static struct hmap peers_by_address = HMAP_INITIALIZER(&peers_by_address);

static int
compare_peers(const void *a_, const void *b_)
{
    const struct peer *const *a = a_;
    const struct peer *const *b = b_;

    return memcmp(&(*a)->address, &(*b)->address, sizeof (*a)->address);
}

static uint32_t
hash_address(const struct in6_addr *address)
{
    return hash_bytes(address, sizeof *address, 0);
}

static struct peer *
find_peer(const struct in6_addr *address)
{
    struct peer *peer;

    HMAP_FOR_EACH_WITH_HASH (peer, node, hash_address(address),
                             &peers_by_address) {
        if (ipv6_addr_equals(&peer->address, address)) {
            return peer;
        }
    }
    return NULL;
}

/* Returns the peer of the port 'netdev', or null if it has no path. */
static struct peer *
find_port_peer(const struct netdev *netdev)
{
    const struct netdev_tunnel_config *cfg;
    struct peer *peer;

    if (!n_peers || !gtpu_is_port(netdev)) {
        return NULL;
    }
    cfg = netdev_get_tunnel_config(netdev);
    peer = cfg ? find_peer(&cfg->ipv6_dst) : NULL;
    return (peer && sset_contains(&peer->ports, netdev_get_name(netdev))
            ? peer
            : NULL);
}

/* Publishes the peers to the data path. */
static void
publish(void)
{
    struct gtpu_watch_set *set = xzalloc(sizeof *set
                                         + n_peers * sizeof *set->watches);

    set->n = n_peers;
    for (size_t i = 0; i < n_peers; i++) {
        set->watches[i] = peers[i]->watch;
    }
    set = gtpu_watch_set_replace(set);
    if (set) {
        ovsrcu_postpone(free, set);
    }
}

static struct peer *
add_peer(const struct in6_addr *address)
{
    struct peer *peer = xzalloc(sizeof *peer);

    peer->address = *address;
    sset_init(&peer->ports);
    peer->watch = xzalloc(sizeof *peer->watch);
    memcpy(peer->watch->peer, address, sizeof peer->watch->peer);
    atomic_init(&peer->watch->awaited, GTPU_WATCH_NONE);
    peers = xrealloc(peers, (n_peers + 1) * sizeof *peers);
    peers[n_peers++] = peer;
    hmap_insert(&peers_by_address, &peer->node, hash_address(address));
    return peer;
}

static void
destroy_peer(struct peer *peer)
{
    hmap_remove(&peers_by_address, &peer->node);
    ovsrcu_postpone(free, peer->watch);
    sset_destroy(&peer->ports);
    free(peer->port);
    free(peer->bridge);
    free(peer);
}

/* Records that 'ofport' has the peer 'address' and 'config'. */
static void
add_port(const struct ofport *ofport, const struct in6_addr *address,
         const struct gtpu_path_config *config)
{
    const char *name = netdev_get_name(ofport->netdev);
    struct peer *peer = find_peer(address);

    if (!peer) {
        peer = add_peer(address);
    }
    if (!peer->present) {
        peer->present = true;
        peer->config = *config;
        sset_clear(&peer->ports);
    } else {
        gtpu_path_config_merge(&peer->config, config);
    }
    if (sset_is_empty(&peer->ports) || strcmp(name, peer->port) < 0) {
        free(peer->port);
        free(peer->bridge);
        peer->port = xstrdup(name);
        peer->bridge = xstrdup(ofport->ofproto->name);
        peer->ofp_port = ofport->ofp_port;
    }
    sset_add(&peer->ports, name);
}

static void
look_at_port(const struct ofport *ofport)
{
    const struct netdev_tunnel_config *cfg;
    struct gtpu_path_config config;

    if (!gtpu_is_port(ofport->netdev)
        || !gtpu_port_path(ofport->netdev, &config) || !config.interval) {
        return;
    }
    cfg = netdev_get_tunnel_config(ofport->netdev);
    if (cfg && !cfg->ip_dst_flow && ipv6_addr_is_set(&cfg->ipv6_dst)) {
        add_port(ofport, &cfg->ipv6_dst, &config);
    }
}

/* Announces a change of the ports of 'peer', whose state has changed. */
static void
tell_change(const struct peer *peer)
{
    const char *name;

    SSET_FOR_EACH (name, &peer->ports) {
        struct netdev *netdev = netdev_from_name(name);

        if (netdev) {
            netdev_change_seq_changed(netdev);
            netdev_close(netdev);
        }
    }
}

/* Removes the peers without ports and configures the others anew. */
static void
update_peers(void)
{
    struct peer **gone = xmalloc(n_peers * sizeof *gone);
    size_t n = 0, n_gone = 0;
    bool changed = false;

    for (size_t i = 0; i < n_peers; i++) {
        struct peer *peer = peers[i];

        if (!peer->present) {
            gone[n_gone++] = peer;
            continue;
        }
        if (!peer->path.config.interval) {
            changed = true;
            gtpu_path_init(&peer->path, &peer->config, time_msec());
        } else if (!gtpu_path_config_equal(&peer->path.config,
                                           &peer->config)) {
            gtpu_path_configure(&peer->path, &peer->config);
        }
        peers[n++] = peer;
    }
    n_peers = n;
    if (changed) {
        qsort(peers, n, sizeof *peers, compare_peers);
    }
    if (changed || n_gone) {
        publish();
    }
    while (n_gone) {
        struct peer *peer = gone[--n_gone];

        tell_change(peer);
        destroy_peer(peer);
    }
    free(gone);
}

void
gtpu_paths_refresh(const struct hmap *ofprotos)
{
    const struct ofproto_dpif *ofproto;
    const struct ofport *ofport;

    if (!n_peers && !gtpu_ports_exist()) {
        return;
    }
    for (size_t i = 0; i < n_peers; i++) {
        peers[i]->present = false;
    }
    HMAP_FOR_EACH (ofproto, all_ofproto_dpifs_by_name_node, ofprotos) {
        HMAP_FOR_EACH (ofport, hmap_node, &ofproto->up.ports) {
            look_at_port(ofport);
        }
    }
    update_peers();
}

/* Sends an Echo Request with sequence number 'seq' to 'peer'.  Returns 0 or a
 * positive errno value. */
static int
send_request(const struct hmap *ofprotos, const struct peer *peer,
             uint16_t seq)
{
    const struct eth_addr mac = ETH_ADDR_C(02,00,00,00,00,01);
    const uint8_t msg_type = GTPU_MSG_ECHO_REQUEST;
    uint64_t ofpacts_stub[512 / 8];
    struct ofproto_dpif *ofproto;
    struct ofpbuf ofpacts;
    ovs_be16 *seqp;
    int error = ENODEV;

    HMAP_FOR_EACH (ofproto, all_ofproto_dpifs_by_name_node, ofprotos) {
        struct dp_packet packet;
        struct flow flow;

        if (strcmp(ofproto->up.name, peer->bridge)
            || !ofproto_get_port(&ofproto->up, peer->ofp_port)) {
            continue;
        }
        dp_packet_init(&packet, 128);
        dp_packet_reserve(&packet, 64);
        seqp = eth_compose(&packet, mac, mac, ETH_TYPE_MIN, sizeof *seqp);
        *seqp = htons(seq);
        flow_extract(&packet, &flow);
        flow.in_port.ofp_port = OFPP_NONE;

        ofpbuf_use_stack(&ofpacts, ofpacts_stub, sizeof ofpacts_stub);
        ofpact_put_set_field(&ofpacts, mf_from_id(MFF_TUN_GTPU_MSGTYPE),
                             &msg_type, NULL);
        ofpact_put_OUTPUT(&ofpacts)->port = peer->ofp_port;
        error = ofproto_dpif_execute_actions(ofproto, OVS_VERSION_MAX, &flow,
                                             NULL, ofpacts.data, ofpacts.size,
                                             &packet);
        dp_packet_uninit(&packet);
        break;
    }
    return error;
}

static void
run_peer(const struct hmap *ofprotos, struct peer *peer)
{
    enum gtpu_path_state before = peer->path.state;
    uint64_t restarts = peer->path.n_restarts;
    long long int now = time_msec();
    struct gtpu_path_answer answer;

    if (gtpu_watch_take(peer->watch, &answer)) {
        gtpu_path_receive(&peer->path, &answer, now);
    }
    if (gtpu_path_run(&peer->path, random_uint16(), now)) {
        if (peer->path.n_sent == 1) {
            gtpu_watch_expect(peer->watch, peer->path.seq);
        }
        send_request(ofprotos, peer, peer->path.seq);
    }
    if (peer->path.state != before || peer->path.n_restarts != restarts) {
        char address[INET6_ADDRSTRLEN];

        atomic_store_explicit(&peer->watch->state, (int) peer->path.state,
                              memory_order_relaxed);
        atomic_store_explicit(&peer->watch->n_restarts,
                              (uint32_t) peer->path.n_restarts,
                              memory_order_relaxed);
        ipv6_string_mapped(address, &peer->address);
        if (peer->path.state != before) {
            VLOG_INFO("path to %s is %s", address,
                      gtpu_path_state_name(peer->path.state));
        } else {
            VLOG_INFO("peer %s has restarted", address);
        }
        tell_change(peer);
    }
}

void
gtpu_paths_run(const struct hmap *ofprotos)
{
    static long long int next;

    if (time_msec() >= next) {
        next = time_msec() + OPTIONS_INTERVAL;
        gtpu_paths_refresh(ofprotos);
    }
    for (size_t i = 0; i < n_peers; i++) {
        run_peer(ofprotos, peers[i]);
    }
}

void
gtpu_paths_wait(void)
{
    long long int now = time_msec();

    if (gtpu_ports_exist()) {
        poll_timer_wait(OPTIONS_INTERVAL);
    }
    for (size_t i = 0; i < n_peers; i++) {
        const struct gtpu_path *path = &peers[i]->path;

        poll_timer_wait_until(path->waiting
                              ? MIN(path->due, now + ANSWER_INTERVAL)
                              : path->due);
    }
}

bool
gtpu_path_may_enable(const struct netdev *netdev)
{
    const struct peer *peer = find_port_peer(netdev);

    return !peer || peer->path.state != GTPU_PATH_DOWN;
}

static void
show_peer(const struct peer *peer, struct ds *s)
{
    const struct gtpu_path *path = &peer->path;
    char address[INET6_ADDRSTRLEN];
    const char **names = sset_sort(&peer->ports);

    ipv6_string_mapped(address, &peer->address);
    ds_put_format(s, "%s: %s for %lld s\n", address,
                  gtpu_path_state_name(path->state),
                  (time_msec() - path->changed) / 1000);
    ds_put_format(s, "  echo_interval %"PRIu32" s, T3 %"PRIu32" s, N3 "
                  "%"PRIu32", ports", path->config.interval, path->config.t3,
                  path->config.n3);
    for (size_t i = 0; i < sset_count(&peer->ports); i++) {
        ds_put_format(s, " %s", names[i]);
    }
    ds_put_format(s, "\n  requests %"PRIu64", responses %"PRIu64", failures "
                  "%"PRIu64", restarts %"PRIu64", recovery %"PRIu8"\n",
                  path->n_requests, path->n_responses, path->n_failures,
                  path->n_restarts, path->recovery);
    free(names);
}

static struct json *
peer_json(const struct peer *peer)
{
    const struct gtpu_path *path = &peer->path;
    struct json *json = json_object_create();
    struct json *ports = json_array_create_empty();
    char address[INET6_ADDRSTRLEN];
    const char **names = sset_sort(&peer->ports);

    for (size_t i = 0; i < sset_count(&peer->ports); i++) {
        json_array_add(ports, json_string_create(names[i]));
    }
    free(names);
    ipv6_string_mapped(address, &peer->address);
    json_object_put_string(json, "peer", address);
    json_object_put_string(json, "state", gtpu_path_state_name(path->state));
    json_object_put(json, "ports", ports);
    json_object_put(json, "seconds", json_integer_create(
                        (time_msec() - path->changed) / 1000));
    json_object_put(json, "echo_interval",
                    json_integer_create(path->config.interval));
    json_object_put(json, "t3", json_integer_create(path->config.t3));
    json_object_put(json, "n3", json_integer_create(path->config.n3));
    json_object_put(json, "requests", json_integer_create(path->n_requests));
    json_object_put(json, "responses", json_integer_create(path->n_responses));
    json_object_put(json, "failures", json_integer_create(path->n_failures));
    json_object_put(json, "restarts", json_integer_create(path->n_restarts));
    json_object_put(json, "recovery", json_integer_create(path->recovery));
    return json;
}

/* "gtpu/show-paths". */
static void
gtpu_show_paths(struct unixctl_conn *conn, int argc OVS_UNUSED,
                const char *argv[] OVS_UNUSED, void *aux OVS_UNUSED)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    if (compat_wants_json(conn)) {
        struct json *json = json_array_create_empty();

        for (size_t i = 0; i < n_peers; i++) {
            json_array_add(json, peer_json(peers[i]));
        }
        compat_reply_json(conn, json);
        return;
    }
    for (size_t i = 0; i < n_peers; i++) {
        show_peer(peers[i], &s);
    }
    unixctl_command_reply(conn, ds_cstr(&s));
    ds_destroy(&s);
}

void
gtpu_paths_init(void)
{
    unixctl_command_register("gtpu/show-paths", "", 0, 0, gtpu_show_paths,
                             NULL);
}
