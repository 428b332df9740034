/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "node-pipeline.h"
#include "node-pipeline-private.h"

#include "node-cluster.h"
#include "node-database.h"
#include "node-link.h"
#include "openvswitch/dynamic-string.h"
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
