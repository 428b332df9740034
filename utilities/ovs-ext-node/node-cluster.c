/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "node-cluster.h"

#include <stdlib.h>
#include <string.h>

#include "openvswitch/shash.h"
#include "packets.h"
#include "util.h"
#include "utilities/common/complain.h"
#include "utilities/kube/kube-cidr.h"
#include "utilities/kube/kube-node.h"
#include "utilities/kube/kube-object.h"
#include "utilities/kube/kube-sink.h"

struct entry {
    struct kube_node *node;
    bool listed;                /* In the list that is being read. */
};

struct node_cluster {
    struct kube_sink sink;
    char *our_name;
    struct shash nodes;         /* Contains "struct entry"s, by name. */
    bool complete;              /* All Nodes have been listed once. */
    bool restored;              /* Our Node was restored. */
    uint64_t generation;        /* Changes with the Nodes. */

    /* Made anew when 'generation' is not that of 'nodes'. */
    struct node_peer *peers;    /* Sorted by name. */
    size_t n_peers;
    uint64_t peers_generation;
};

static const struct kube_sink_class sink_class;

/* Returns an empty cluster in which our Node is 'our_name', for the caller to
 * destroy. */
struct node_cluster *
node_cluster_create(const char *our_name)
{
    struct node_cluster *c = xzalloc(sizeof *c);

    c->sink.class = &sink_class;
    c->our_name = xstrdup(our_name);
    c->generation = 1;
    shash_init(&c->nodes);
    return c;
}

static void
remove_entry(struct node_cluster *c, struct shash_node *node)
{
    struct entry *e = node->data;

    shash_delete(&c->nodes, node);
    kube_node_destroy(e->node);
    free(e);
    c->generation++;
}

/* Frees 'c', which may be null. */
void
node_cluster_destroy(struct node_cluster *c)
{
    if (c) {
        struct shash_node *node;

        SHASH_FOR_EACH_SAFE (node, &c->nodes) {
            remove_entry(c, node);
        }
        shash_destroy(&c->nodes);
        free(c->peers);
        free(c->our_name);
        free(c);
    }
}

/* Takes Nodes.  Belongs to 'c'. */
struct kube_sink *
node_cluster_sink(struct node_cluster *c)
{
    return &c->sink;
}

/* The sink. */

static struct node_cluster *
cluster_cast(struct kube_sink *sink)
{
    return CONTAINER_OF(sink, struct node_cluster, sink);
}

static void
put_node(struct node_cluster *c, struct kube_node *node)
{
    struct entry *e = shash_find_data(&c->nodes, node->name);

    if (!e) {
        e = xzalloc(sizeof *e);
        shash_add(&c->nodes, node->name, e);
    }
    e->listed = true;
    if (kube_node_equal(e->node, node)) {
        kube_node_destroy(node);
    } else {
        kube_node_destroy(e->node);
        e->node = node;
        c->generation++;
    }
}

static void
apply(struct kube_sink *sink, enum kube_kind kind, enum kube_event event,
      const struct json *object, char **error)
{
    struct node_cluster *c = cluster_cast(sink);

    if (kind != KUBE_NODE) {
        return;
    }
    if (event == KUBE_DELETED) {
        const char *name = kube_object_string(
            kube_object_member(object, "metadata"), "name");
        struct shash_node *node = shash_find(&c->nodes, name);

        if (node) {
            remove_entry(c, node);
        }
    } else {
        struct kube_node *node = kube_node_parse(object, error);

        if (node) {
            put_node(c, node);
        }
    }
}

static void
list_begin(struct kube_sink *sink, enum kube_kind kind)
{
    struct node_cluster *c = cluster_cast(sink);
    struct shash_node *node;

    if (kind == KUBE_NODE) {
        SHASH_FOR_EACH (node, &c->nodes) {
            struct entry *e = node->data;

            e->listed = false;
        }
    }
}

static void
list_end(struct kube_sink *sink, enum kube_kind kind)
{
    struct node_cluster *c = cluster_cast(sink);
    struct shash_node *node;

    if (kind == KUBE_NODE) {
        SHASH_FOR_EACH_SAFE (node, &c->nodes) {
            struct entry *e = node->data;

            if (!e->listed) {
                remove_entry(c, node);
            }
        }
        c->complete = true;
    }
}

/* Adds 'node', one of an earlier run, unless its Node is known or the Nodes
 * have been listed.  Takes 'node'. */
void
node_cluster_restore(struct node_cluster *c, struct kube_node *node)
{
    if (c->complete || shash_find(&c->nodes, node->name)) {
        kube_node_destroy(node);
    } else {
        struct entry *e = xzalloc(sizeof *e);

        /* Not 'listed': a list that is being read may not have it. */
        e->node = node;
        shash_add(&c->nodes, node->name, e);
        c->restored = c->restored || !strcmp(node->name, c->our_name);
        c->generation++;
    }
}

static const struct kube_sink_class sink_class = {
    .apply = apply,
    .list_begin = list_begin,
    .list_end = list_end,
};

/* Returns our Node, or null if it is not known. */
const struct kube_node *
node_cluster_ours(const struct node_cluster *c)
{
    const struct entry *e = shash_find_data(&c->nodes, c->our_name);

    return e ? e->node : NULL;
}

/* Overlaps. */

/* A range of pods, or an address of the Node itself. */
struct range {
    struct kube_cidr cidr;
    struct node_peer *peer;
};

static struct kube_cidr
host_cidr(const struct in6_addr *addr)
{
    return (struct kube_cidr) {
        .addr = *addr, .plen = IN6_IS_ADDR_V4MAPPED(addr) ? 32 : 128,
    };
}

static int
compare_ranges(const void *a_, const void *b_)
{
    const struct range *a = a_, *b = b_;
    bool a_ipv4 = IN6_IS_ADDR_V4MAPPED(&a->cidr.addr);
    bool b_ipv4 = IN6_IS_ADDR_V4MAPPED(&b->cidr.addr);
    int cmp = memcmp(&a->cidr.addr, &b->cidr.addr, sizeof a->cidr.addr);

    return (a_ipv4 != b_ipv4 ? (int) a_ipv4 - b_ipv4
            : cmp ? cmp
            : a->cidr.plen != b->cidr.plen
            ? (int) a->cidr.plen - b->cidr.plen
            : strcmp(a->peer->node->name, b->peer->node->name));
}

static void
leave_out(struct node_peer *peer, const struct kube_node *for_)
{
    if (!peer->left_out) {
        peer->left_out = for_->name;
        complain_once("Node %s has a range of pods or an address that Node %s "
                      "has: its pods cannot be reached", peer->node->name,
                      for_->name);
    }
}

/* Leaves out what overlaps with our Node, of the 'n' ranges at 'ranges'. */
static void
leave_out_ours(const struct range *ranges, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct range *ours = &ranges[i];

        for (size_t j = 0; ours->peer->ours && j < n; j++) {
            const struct range *r = &ranges[j];

            if (!r->peer->ours && (kube_cidr_covers(&r->cidr, &ours->cidr)
                                   || kube_cidr_covers(&ours->cidr,
                                                       &r->cidr))) {
                leave_out(r->peer, ours->peer->node);
            }
        }
    }
}

/* Leaves out what overlaps of the 'n' ranges at 'ranges', which it sorts: a
 * range then comes after those that contain it, and before others. */
static void
leave_out_overlaps(struct range *ranges, size_t n)
{
    const struct range *last = NULL;

    qsort(ranges, n, sizeof *ranges, compare_ranges);
    for (size_t i = 0; i < n; i++) {
        const struct range *r = &ranges[i];

        if (r->peer->left_out) {
            continue;
        } else if (!last || !kube_cidr_covers(&last->cidr, &r->cidr)) {
            last = r;
        } else if (last->peer != r->peer) {
            leave_out(r->peer, last->peer->node);
        }
    }
}

static void
make_peers(struct node_cluster *c)
{
    const struct shash_node **nodes = shash_sort(&c->nodes);
    struct range *ranges;
    size_t n_ranges = 0, n = 0;

    c->n_peers = shash_count(&c->nodes);
    c->peers = xrealloc(c->peers, MAX(c->n_peers, 1) * sizeof *c->peers);
    for (size_t i = 0; i < c->n_peers; i++) {
        const struct entry *e = nodes[i]->data;

        c->peers[i] = (struct node_peer) {
            .node = e->node,
            .ours = !strcmp(e->node->name, c->our_name),
        };
        n_ranges += e->node->n_pod_cidrs + e->node->n_addrs;
    }
    free(nodes);
    ranges = xmalloc(MAX(n_ranges, 1) * sizeof *ranges);
    for (size_t i = 0; i < c->n_peers; i++) {
        const struct kube_node *node = c->peers[i].node;

        for (size_t j = 0; j < node->n_pod_cidrs; j++) {
            ranges[n++] = (struct range) { node->pod_cidrs[j], &c->peers[i] };
        }
        for (size_t j = 0; j < node->n_addrs; j++) {
            ranges[n++] = (struct range) { host_cidr(&node->addrs[j]),
                                           &c->peers[i] };
        }
    }
    leave_out_ours(ranges, n);
    leave_out_overlaps(ranges, n);
    free(ranges);
    c->peers_generation = c->generation;
}

/* Results. */

/* Returns true once all Nodes have been listed. */
bool
node_cluster_is_complete(const struct node_cluster *c)
{
    return c->complete;
}

/* Returns true if the Nodes are those of an earlier run, our own among them:
 * they have not been listed yet. */
bool
node_cluster_is_restored(const struct node_cluster *c)
{
    return c->restored && !c->complete;
}

/* Returns a number that changes with the Nodes. */
uint64_t
node_cluster_generation(const struct node_cluster *c)
{
    return c->generation;
}

/* Returns the '*n' Nodes, sorted by name. */
const struct node_peer *
node_cluster_peers(struct node_cluster *c, size_t *n)
{
    if (c->peers_generation != c->generation) {
        make_peers(c);
    }
    *n = c->n_peers;
    return c->peers;
}

static bool
has_address(const struct kube_node *node, const struct kube_cidr *host)
{
    for (size_t i = 0; i < node->n_pod_cidrs; i++) {
        if (kube_cidr_covers(&node->pod_cidrs[i], host)) {
            return true;
        }
    }
    return false;
}

/* Returns the Node in whose range of pods 'addr' is, or null. */
const struct kube_node *
node_cluster_owner(struct node_cluster *c, const struct in6_addr *addr)
{
    struct kube_cidr host = host_cidr(addr);
    const struct kube_node *ours = node_cluster_ours(c);
    size_t n;
    const struct node_peer *peers = node_cluster_peers(c, &n);

    if (ours && has_address(ours, &host)) {
        return ours;            /* The usual case need not search. */
    }
    for (size_t i = 0; i < n; i++) {
        if (!peers[i].left_out && has_address(peers[i].node, &host)) {
            return peers[i].node;
        }
    }
    return NULL;
}
