/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "node-pipeline.h"
#include "node-pipeline-private.h"

#include <stdlib.h>
#include <string.h>

#include "node-cluster.h"
#include "node-database.h"
#include "node-flows.h"
#include "node-host.h"
#include "node-kept.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofp-flow.h"
#include "openvswitch/shash.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "timeval.h"
#include "util.h"
#include "utilities/kube/kube-cidr.h"
#include "utilities/kube/kube-node.h"
#include "utilities/of-sync/of-sync.h"

VLOG_DEFINE_THIS_MODULE(node_pipeline);

/* Flows that of-sync has been given. */
struct wish {
    char *text;
    long long int since;        /* When it was given 'text', in ms. */
    bool stale;                 /* Not wished again, while all are made. */
};

/* Returns a pipeline, for the caller to destroy.  What the arguments point to
 * must outlive it. */
struct node_pipeline *
node_pipeline_create(const struct node_pipeline_options *options,
                     struct node_cluster *cluster, struct node_database *db,
                     struct node_link *link, struct of_sync *sync)
{
    struct node_pipeline *p = xzalloc(sizeof *p);

    p->o = *options;
    p->cluster = cluster;
    p->db = db;
    p->link = link;
    p->sync = sync;
    shash_init(&p->wishes);
    shash_init(&p->pods);
    return p;
}

static void
wish_destroy(struct wish *wish)
{
    free(wish->text);
    free(wish);
}

static void
wishes_destroy(struct shash *wishes)
{
    struct shash_node *node;

    SHASH_FOR_EACH (node, wishes) {
        wish_destroy(node->data);
    }
    shash_destroy(wishes);
}

/* Frees 'p', which may be null.  The switch keeps its flows. */
void
node_pipeline_destroy(struct node_pipeline *p)
{
    if (p) {
        wishes_destroy(&p->wishes);
        wishes_destroy(&p->pods);
        free(p);
    }
}

/* Wishes. */

/* Hands the flows 'text' to of-sync as those of 'key'. */
static void
give(struct node_pipeline *p, const char *key, char *text)
{
    struct ofputil_flow_mod *flows = NULL;
    size_t n = 0, allocated = 0;
    char *save = NULL;

    for (char *line = strtok_r(text, "\n", &save); line;
         line = strtok_r(NULL, "\n", &save)) {
        enum ofputil_protocol usable;
        char *error;

        if (n >= allocated) {
            flows = x2nrealloc(flows, &allocated, sizeof *flows);
        }
        error = parse_ofp_flow_mod_str(&flows[n], line, NULL, NULL, OFPFC_ADD,
                                       &usable);
        if (error) {
            ovs_fatal(0, "%s: %s", line, error);
        }
        flows[n++].new_cookie = NODE_COOKIE;
    }
    of_sync_replace(p->sync, key, flows, n, NULL, 0);
    free(flows);
}

/* Starts to make all of 'wishes' anew: remove_stale() ends it. */
static void
make_stale(struct shash *wishes)
{
    struct shash_node *node;

    SHASH_FOR_EACH (node, wishes) {
        struct wish *wish = node->data;

        wish->stale = true;
    }
}

/* Makes 'flows' those of 'key', which is 'name' after 'prefix', one of
 * 'wishes'.  Empties 'flows'. */
static void
wish_for(struct node_pipeline *p, struct shash *wishes, const char *prefix,
         const char *name, struct ds *flows)
{
    char *key = xasprintf("%s%s", prefix, name);
    struct wish *wish = shash_find_data(wishes, key);

    if (!wish) {
        wish = xzalloc(sizeof *wish);
        shash_add(wishes, key, wish);
    }
    wish->stale = false;
    if (!nullable_string_is_equal(wish->text, ds_cstr(flows))) {
        free(wish->text);
        wish->text = xstrdup(ds_cstr(flows));
        wish->since = time_msec();
        give(p, key, ds_cstr(flows));
    }
    free(key);
    ds_clear(flows);
}

static void
remove_stale(struct node_pipeline *p, struct shash *wishes)
{
    struct shash_node *node;

    SHASH_FOR_EACH_SAFE (node, wishes) {
        struct wish *wish = node->data;

        if (wish->stale) {
            of_sync_remove(p->sync, node->name);
            shash_delete(wishes, node);
            wish_destroy(wish);
        }
    }
}

/* Pods. */

/* Returns why 'pod', after the 'n' at 'pods', cannot have 'addr', or null. */
static char *
find_owner(struct node_pipeline *p, const struct node_pod *pods, size_t n,
           const struct in6_addr *addr)
{
    const struct kube_node *ours = node_cluster_ours(p->cluster);
    const struct kube_node *owner = node_cluster_owner(p->cluster, addr);
    char ip[INET6_ADDRSTRLEN];
    bool is_ours = false;

    ipv6_string_mapped(ip, addr);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; !pods[i].fault && j < pods[i].n_addrs; j++) {
            if (ipv6_addr_equals(&pods[i].addrs[j], addr)) {
                return xasprintf("port %s, pod %s/%s, has address %s",
                                 pods[i].port, pods[i].namespace_,
                                 pods[i].name, ip);
            }
        }
    }
    for (size_t i = 0; i < ours->n_addrs; i++) {
        is_ours = is_ours || ipv6_addr_equals(&ours->addrs[i], addr);
    }
    for (size_t i = 0; i < ours->n_pod_cidrs; i++) {
        const struct kube_cidr *cidr = &ours->pod_cidrs[i];
        struct in6_addr gateway = kube_cidr_gateway(cidr);

        /* ovs-kube-proxy masquerades by the lowest address. */
        is_ours = (is_ours || ipv6_addr_equals(&gateway, addr)
                   || ipv6_addr_equals(&cidr->addr, addr));
    }
    return (is_ours ? xasprintf("address %s is that of this node", ip)
            : owner && owner != ours
            ? xasprintf("address %s is in the range of Node %s", ip,
                        owner->name)
            : NULL);
}

static void
judge_pod(struct node_pipeline *p, struct node_pod *pods, size_t i)
{
    struct node_pod *pod = &pods[i];

    for (size_t j = 0; j < pod->n_addrs && !pod->fault; j++) {
        pod->fault = find_owner(p, pods, i, &pod->addrs[j]);
    }
    if (!pod->fault && pod->mtu > p->mtu) {
        pod->fault = xasprintf("its MTU is %d, and packets between nodes have "
                               "room for %d: correct \"mtu\" in the network "
                               "configuration", pod->mtu, p->mtu);
    }
}

static void
wish_for_pods(struct node_pipeline *p, const struct node_switch *sw)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    size_t n;
    struct node_pod *pods = node_database_read_pods(p->db, &n);

    make_stale(&p->pods);
    p->n_refused = 0;
    for (size_t i = 0; i < n; i++) {
        judge_pod(p, pods, i);
        if (pods[i].fault) {
            p->n_refused++;
        } else {
            node_flows_pod(&s, sw, &pods[i]);
            wish_for(p, &p->pods, "pod ", pods[i].port, &s);
        }
    }
    ds_destroy(&s);
    remove_stale(p, &p->pods);
}

/* Returns true if the switch has acknowledged the flows of 'key'. */
static bool
is_done(const struct node_pipeline *p, const struct shash *wishes,
        const char *key)
{
    const struct wish *wish = shash_find_data(wishes, key);

    return (wish && of_sync_has_caught_up(p->sync)
            && of_sync_behind_since(p->sync) > wish->since
            && !of_sync_refused(p->sync, key));
}

/* Tells the database of each pod whether it has its flows. */
static void
tell_pods(struct node_pipeline *p)
{
    size_t n;
    const struct node_pod *pods = node_database_pods(p->db, &n);

    p->n_admitted = 0;
    for (size_t i = 0; i < n; i++) {
        char *key = xasprintf("pod %s", pods[i].port);

        if (pods[i].fault) {
            node_database_refuse(p->db, &pods[i], pods[i].fault);
        } else if (is_done(p, &p->pods, key)
                   && is_done(p, &p->wishes, "base")) {
            node_database_admit(p->db, &pods[i]);
            p->n_admitted++;
        } else if (of_sync_refused(p->sync, key)) {
            node_database_refuse(p->db, &pods[i],
                                 of_sync_refused(p->sync, key));
        }
        free(key);
    }
}

/* All. */

/* Makes what depends on Nodes and on our own ports. */
static void
wish_for_nodes(struct node_pipeline *p, const struct node_switch *sw,
               const struct kube_node *ours)
{
    const struct node_peer *peers = node_cluster_peers(p->cluster,
                                                       &p->n_peers);
    struct ds s = DS_EMPTY_INITIALIZER;

    make_stale(&p->wishes);
    node_flows_base(&s, sw, ours);
    wish_for(p, &p->wishes, "base", "", &s);
    p->n_left_out = 0;
    for (size_t i = 0; i < p->n_peers; i++) {
        if (peers[i].left_out) {
            p->n_left_out++;
        } else if (!peers[i].ours) {
            node_flows_peer(&s, sw, ours, peers[i].node);
            wish_for(p, &p->wishes, "node ", peers[i].node->name, &s);
        }
    }
    ds_destroy(&s);
    remove_stale(p, &p->wishes);
    node_host_set(p->link, &p->o, ours, peers, p->n_peers);
}

/* Makes what has changed. */
static void
update(struct node_pipeline *p, const struct kube_node *ours,
       const struct in6_addr *end)
{
    struct node_switch sw = {
        .host = node_database_ofport(p->db, p->o.host),
        .tunnel = (p->o.tunnel ? node_database_ofport(p->db, p->o.tunnel)
                   : OFPP_NONE),
        .services = p->o.services,
        .direct = p->o.direct,
        .meter = of_sync_meter(p->sync),
    };
    uint64_t cluster_generation = node_cluster_generation(p->cluster);
    uint64_t db_generation = node_database_generation(p->db);
    bool nodes = (cluster_generation != p->cluster_generation
                  || sw.host != p->sw.host || sw.tunnel != p->sw.tunnel
                  || sw.meter != p->sw.meter);

    if (nodes) {
        wish_for_nodes(p, &sw, ours);
    }
    if (nodes || db_generation != p->db_generation) {
        p->kept = false;
        p->mtu = node_host_mtu(&p->o, end);
        wish_for_pods(p, &sw);
    }
    p->sw = sw;
    p->cluster_generation = cluster_generation;
    p->db_generation = db_generation;
    if (!p->begun) {
        of_sync_set_complete(p->sync);
        p->begun = true;
    }
}

/* Returns what must come before anything can be done, or null. */
static const char *
find_fault(const struct node_pipeline *p)
{
    const struct kube_node *ours = node_cluster_ours(p->cluster);

    return (node_database_fault(p->db) ? node_database_fault(p->db)
            : !node_cluster_is_complete(p->cluster)
            && !node_cluster_is_restored(p->cluster)
            ? "waiting for the list of Nodes"
            : !ours ? "there is no Node of our name"
            : !ours->n_pod_cidrs ? "our Node has no podCIDRs"
            : !ours->n_addrs ? "our Node has no address"
            : NULL);
}

/* Until the Nodes have been listed, those that the database keeps count. */
static void
restore(struct node_pipeline *p)
{
    if (!p->restored) {
        p->restored = (node_cluster_is_complete(p->cluster)
                       || node_kept_read(p->db, p->o.host, p->o.node,
                                         p->cluster));
        if (node_cluster_is_restored(p->cluster)) {
            VLOG_INFO("until Nodes are listed, those that the database keeps "
                      "count");
        }
    }
}

/* Has the database keep the Nodes, once they have been listed. */
static void
keep(struct node_pipeline *p)
{
    size_t n;
    const struct node_peer *peers = node_cluster_peers(p->cluster, &n);

    if (!p->kept && node_cluster_is_complete(p->cluster)) {
        p->kept = node_kept_write(p->db, p->o.host, peers, n);
    }
}

/* Brings of-sync, the database and the host's interface to what the Nodes and
 * the ports want.  What is missing leaves all as it is. */
void
node_pipeline_run(struct node_pipeline *p)
{
    const struct kube_node *ours;
    struct in6_addr end;

    restore(p);
    ours = node_cluster_ours(p->cluster);
    p->fault = find_fault(p);
    if (p->fault) {
        return;
    }
    kube_node_tunnel_end(ours, ours, &end);
    update(p, ours, &end);
    node_database_wish(p->db, &(struct node_wish) {
        .host = p->o.host, .tunnel = p->o.tunnel, .tunnel_end = &end,
        .direct = p->o.direct,
        .mtu = p->mtu, .ours = ours,
    });
    keep(p);
    tell_pods(p);
}

/* Returns what is waited for, or null. */
const char *
node_pipeline_fault(const struct node_pipeline *p)
{
    return p->fault;
}
