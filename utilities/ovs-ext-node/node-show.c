/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "node-pipeline.h"
#include "node-pipeline-private.h"

#include "node-cluster.h"
#include "node-database.h"
#include "node-link.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "packets.h"
#include "utilities/common/metrics.h"
#include "utilities/kube/kube-cidr.h"
#include "utilities/kube/kube-node.h"

static void
show_port(const struct node_pipeline *p, const char *what, const char *port,
          struct ds *s)
{
    ofp_port_t ofport = node_database_ofport(p->db, port);
    const char *error = node_database_port_error(p->db, port);

    ds_put_format(s, "%s %s: ", what, port);
    if (error) {
        ds_put_format(s, "%s\n", error);
    } else if (ofport == OFPP_NONE) {
        ds_put_cstr(s, "the switch does not have it\n");
    } else {
        ds_put_format(s, "port %"PRIu32"\n", ofport);
    }
}

static void
show_node(const struct kube_node *node, struct ds *s)
{
    ds_put_format(s, "%s:", node->name);
    for (size_t i = 0; i < node->n_addrs; i++) {
        ds_put_char(s, ' ');
        ipv6_format_mapped(&node->addrs[i], s);
    }
    ds_put_cstr(s, ", pods");
    for (size_t i = 0; i < node->n_pod_cidrs; i++) {
        ds_put_char(s, ' ');
        ipv6_format_mapped(&node->pod_cidrs[i].addr, s);
        ds_put_format(s, "/%d", node->pod_cidrs[i].plen);
    }
}

static void
show_pods(struct node_pipeline *p, struct ds *s)
{
    size_t n;
    const struct node_pod *pods = node_database_pods(p->db, &n);

    for (size_t i = 0; i < n; i++) {
        const struct node_pod *pod = &pods[i];

        ds_put_format(s, "pod %s/%s: port %s %"PRIu32", "ETH_ADDR_FMT", %s: ",
                      pod->namespace_, pod->name, pod->port, pod->ofport,
                      ETH_ADDR_ARGS(pod->mac), pod->text);
        if (pod->refused) {
            ds_put_format(s, "refused: %s\n", pod->refused);
        } else {
            ds_put_format(s, "%s\n", pod->admitted ? "admitted" : "waits");
        }
    }
}

/* Appends the state of the node to 's'. */
void
node_pipeline_show(struct node_pipeline *p, struct ds *s)
{
    size_t n;
    const struct node_peer *peers = node_cluster_peers(p->cluster, &n);

    if (p->fault) {
        ds_put_format(s, "%s\n", p->fault);
    }
    if (node_cluster_is_restored(p->cluster)) {
        ds_put_cstr(s, "Nodes have not been listed yet: these are from the "
                    "database\n");
    }
    show_port(p, "host", p->o.host, s);
    if (p->o.tunnel) {
        show_port(p, "tunnels", p->o.tunnel, s);
    }
    if (node_link_error(p->link)) {
        ds_put_format(s, "%s\n", node_link_error(p->link));
    }
    ds_put_format(s, "largest MTU of a pod: %d\n", p->mtu);
    for (size_t i = 0; i < n; i++) {
        ds_put_cstr(s, peers[i].ours ? "this Node " : "Node ");
        show_node(peers[i].node, s);
        if (peers[i].left_out) {
            ds_put_format(s, ": left out, Node %s has its range or address",
                          peers[i].left_out);
        }
        ds_put_char(s, '\n');
    }
    show_pods(p, s);
}

/* The same as JSON. */

static struct json *
port_json(const struct node_pipeline *p, const char *port)
{
    struct json *object = json_object_create();
    ofp_port_t ofport = node_database_ofport(p->db, port);
    const char *error = node_database_port_error(p->db, port);

    json_object_put_string(object, "name", port);
    if (error) {
        json_object_put_string(object, "error", error);
    } else if (ofport != OFPP_NONE) {
        json_object_put(object, "ofport", json_integer_create(ofport));
    }
    return object;
}

static struct json *
peer_json(const struct node_peer *peer)
{
    struct json *object = json_object_create();
    struct json *addrs = json_array_create_empty();
    struct json *ranges = json_array_create_empty();

    for (size_t i = 0; i < peer->node->n_addrs; i++) {
        json_array_add(addrs, kube_ip_to_json(&peer->node->addrs[i]));
    }
    for (size_t i = 0; i < peer->node->n_pod_cidrs; i++) {
        json_array_add(ranges, kube_cidr_to_json(&peer->node->pod_cidrs[i]));
    }
    json_object_put_string(object, "name", peer->node->name);
    json_object_put(object, "ours", json_boolean_create(peer->ours));
    json_object_put(object, "addresses", addrs);
    json_object_put(object, "pod_cidrs", ranges);
    if (peer->left_out) {
        json_object_put_string(object, "left_out_for", peer->left_out);
    }
    return object;
}

static struct json *
pod_json(const struct node_pod *pod)
{
    struct json *object = json_object_create();
    struct json *addrs = json_array_create_empty();

    for (size_t i = 0; i < pod->n_addrs; i++) {
        json_array_add(addrs, kube_ip_to_json(&pod->addrs[i]));
    }
    json_object_put_string(object, "namespace", pod->namespace_);
    json_object_put_string(object, "name", pod->name);
    json_object_put_string(object, "port", pod->port);
    json_object_put(object, "ofport", json_integer_create(pod->ofport));
    json_object_put_format(object, "mac", ETH_ADDR_FMT,
                           ETH_ADDR_ARGS(pod->mac));
    json_object_put(object, "addresses", addrs);
    json_object_put(object, "admitted",
                    json_boolean_create(pod->admitted && !pod->refused));
    if (pod->refused) {
        json_object_put_string(object, "refused", pod->refused);
    }
    return object;
}

/* Returns what node_pipeline_show() appends, as JSON for the caller to
 * destroy. */
struct json *
node_pipeline_show_json(struct node_pipeline *p)
{
    struct json *object = json_object_create();
    struct json *nodes = json_array_create_empty();
    struct json *pods = json_array_create_empty();
    const struct node_peer *peers;
    const struct node_pod *each;
    size_t n;

    if (p->fault) {
        json_object_put_string(object, "fault", p->fault);
    }
    json_object_put(object, "host", port_json(p, p->o.host));
    if (p->o.tunnel) {
        json_object_put(object, "tunnels", port_json(p, p->o.tunnel));
    }
    if (node_link_error(p->link)) {
        json_object_put_string(object, "host_error", node_link_error(p->link));
    }
    json_object_put(object, "largest_mtu", json_integer_create(p->mtu));
    peers = node_cluster_peers(p->cluster, &n);
    for (size_t i = 0; i < n; i++) {
        json_array_add(nodes, peer_json(&peers[i]));
    }
    json_object_put(object, "nodes", nodes);
    json_object_put(object, "nodes_from_database", json_boolean_create(
                        node_cluster_is_restored(p->cluster)));
    each = node_database_pods(p->db, &n);
    for (size_t i = 0; i < n; i++) {
        json_array_add(pods, pod_json(&each[i]));
    }
    json_object_put(object, "pods", pods);
    return object;
}

/* Appends counters to 'm'. */
void
node_pipeline_format_metrics(const struct node_pipeline *p,
                             const struct metrics *m)
{
    metrics_put_gauge(m, "pods_admitted", "Pods that have their flows.",
                      p->n_admitted);
    metrics_put_gauge(m, "pods_refused", "Pods that get no flows.",
                      p->n_refused);
    metrics_put_gauge(m, "nodes", "Nodes of the cluster.", p->n_peers);
    metrics_put_gauge(m, "nodes_left_out", "Nodes whose range of pods "
                      "or address another one has.", p->n_left_out);
}
