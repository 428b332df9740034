/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "service-pipeline.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "hash.h"
#include "kube-health.h"
#include "of-sync.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/hmap.h"
#include "openvswitch/list.h"
#include "openvswitch/match.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofp-flow.h"
#include "openvswitch/ofp-group.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/shash.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "sset.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(service_pipeline);

/* Services are worked on for so long before others get their turn. */
#define RUN_MS 50

/* For so long the Node object of our node is waited for. */
#define NODE_WAIT_MS 10000

/* Keys of of_sync_replace() that cannot be those of Services. */
#define BASE_KEY "=base"
#define HAIRPIN_KEY "=hairpin "

/* An address and port that belongs to one Service. */
struct claim {
    struct hmap_node node;      /* In service_pipeline's 'claims'. */
    struct ovs_list list_node;  /* In piped_service's 'claims'. */
    struct service_cidr cidr;
    uint8_t protocol;
    uint16_t port;
    struct piped_service *owner;
    unsigned int pass;          /* When it was last claimed. */
    struct sset waiters;        /* Keys of Services that want it too. */
};

/* A UDP port's address, and an endpoint that serves it. */
struct udp_path {
    struct in6_addr addr;       /* All-zeros: any. */
    uint16_t port;
    struct in6_addr ep_addr;
    uint16_t ep_port;
};

/* What a Service has in the switch. */
struct piped_service {
    char *key;                  /* "NAMESPACE/NAME". */
    struct ovs_list claims;     /* Contains "struct claim"s. */
    struct sset groups;         /* Names. */
    struct sset hairpins;       /* Endpoints' addresses, as strings. */
    struct udp_path *paths;     /* Sorted. */
    size_t n_paths;
    size_t n_flows;
};

struct service_pipeline {
    struct service_pipeline_options o;
    struct service_tables t;    /* What 'o.tables' became. */
    struct kube_store *store;
    struct of_sync *sync;

    bool based;                 /* The base is in the switch. */
    uint64_t node_generation;   /* That 't' is of. */
    struct service_cidr *nodeports; /* Of 't', if made of node addresses. */

    struct shash services;      /* Contains "struct piped_service"s. */
    struct hmap claims;         /* Contains "struct claim"s. */
    struct shash hairpins;      /* How many Services need each. */
    struct sset dirty;          /* Services to do again. */
    struct sset health;         /* Services with a health-check node port. */
    uint64_t health_seqno;
    long long int deadline;     /* To wait for our node until then. */
    unsigned int pass;
    bool current;

    unsigned long long int n_updates, n_conflicts, n_flushes;
};

struct service_pipeline *
service_pipeline_create(const struct service_pipeline_options *options,
                        struct kube_store *store, struct of_sync *sync)
{
    struct service_pipeline *p = xzalloc(sizeof *p);

    p->o = *options;
    p->store = store;
    p->sync = sync;
    shash_init(&p->services);
    hmap_init(&p->claims);
    shash_init(&p->hairpins);
    sset_init(&p->dirty);
    sset_init(&p->health);
    return p;
}

static void
claim_destroy(struct service_pipeline *p, struct claim *c)
{
    hmap_remove(&p->claims, &c->node);
    ovs_list_remove(&c->list_node);
    sset_destroy(&c->waiters);
    free(c);
}

static void
piped_service_destroy(struct piped_service *s)
{
    sset_destroy(&s->groups);
    sset_destroy(&s->hairpins);
    free(s->paths);
    free(s->key);
    free(s);
}

void
service_pipeline_destroy(struct service_pipeline *p)
{
    if (p) {
        struct shash_node *node;
        struct claim *c;

        HMAP_FOR_EACH_SAFE (c, node, &p->claims) {
            claim_destroy(p, c);
        }
        hmap_destroy(&p->claims);
        SHASH_FOR_EACH (node, &p->services) {
            piped_service_destroy(node->data);
        }
        shash_destroy(&p->services);
        shash_destroy(&p->hairpins);
        sset_destroy(&p->dirty);
        sset_destroy(&p->health);
        free(p->nodeports);
        free(p);
    }
}

/* Claims and group ids. */

/* What service_flows_add_port() is told. */
struct compose_aux {
    struct service_pipeline *p;
    struct piped_service *s;
    struct sset groups;         /* Names that are used. */
    bool trying;                /* Nothing may change. */
};

static struct claim *
claim_find(const struct service_pipeline *p, const struct service_cidr *cidr,
           uint8_t protocol, uint16_t port, uint32_t *hash)
{
    struct claim *c;

    *hash = hash_bytes(&cidr->addr, sizeof cidr->addr,
                       hash_3words(cidr->plen, protocol, port));
    HMAP_FOR_EACH_WITH_HASH (c, node, *hash, &p->claims) {
        if (c->port == port && c->protocol == protocol
            && c->cidr.plen == cidr->plen
            && ipv6_addr_equals(&c->cidr.addr, &cidr->addr)) {
            return c;
        }
    }
    return NULL;
}

static bool
compose_claim(const struct service_cidr *cidr, uint8_t protocol,
              uint16_t port, void *aux_)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 5);
    struct compose_aux *aux = aux_;
    struct service_pipeline *p = aux->p;
    uint32_t hash;
    struct claim *c = claim_find(p, cidr, protocol, port, &hash);

    if (!c) {
        if (aux->trying) {
            return false;
        }
        c = xzalloc(sizeof *c);
        c->cidr = *cidr;
        c->protocol = protocol;
        c->port = port;
        c->owner = aux->s;
        sset_init(&c->waiters);
        hmap_insert(&p->claims, &c->node, hash);
        ovs_list_push_back(&aux->s->claims, &c->list_node);
    } else if (c->owner != aux->s) {
        if (!aux->trying && sset_add(&c->waiters, aux->s->key)) {
            p->n_conflicts += port != 0;
            if (port && !VLOG_DROP_WARN(&rl)) {
                char addr[INET6_ADDRSTRLEN];

                ipv6_string_mapped(addr, &cidr->addr);
                VLOG_WARN("%s: address %s port %d is already that of %s",
                          aux->s->key, addr, port, c->owner->key);
            }
        }
        return false;
    } else if (c->pass == p->pass) {
        return false;           /* Twice in the same Service. */
    }
    c->pass = p->pass;
    return true;
}

static bool
compose_group_id(const char *name, uint32_t *id, void *aux_)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 1);
    struct compose_aux *aux = aux_;

    if (!of_sync_group_id(aux->p->sync, name, id)) {
        VLOG_WARN_RL(&rl, "%s: no group id is left", name);
        return false;
    }
    sset_add(&aux->groups, name);
    return true;
}

static const struct service_flows_class compose_class = {
    .group_id = compose_group_id,
    .claim = compose_claim,
};

static void
compose(struct compose_aux *aux, const struct service *service,
        struct service_flows *sf)
{
    service_flows_init(sf);
    aux->p->pass++;
    for (size_t i = 0; i < service->n; i++) {
        service_flows_add_port(sf, &aux->p->t, &service->ports[i],
                               &compose_class, aux);
    }
}

/* Lets go of what 's' has not claimed again. */
static void
release_claims(struct service_pipeline *p, struct piped_service *s, bool all)
{
    struct claim *c;

    LIST_FOR_EACH_SAFE (c, list_node, &s->claims) {
        if (all || c->pass != p->pass) {
            const char *waiter;

            SSET_FOR_EACH (waiter, &c->waiters) {
                sset_add(&p->dirty, waiter);
            }
            claim_destroy(p, c);
        }
    }
}

static void
replace_groups(struct service_pipeline *p, struct piped_service *s,
               struct sset *groups)
{
    const char *name;

    SSET_FOR_EACH (name, &s->groups) {
        if (!sset_contains(groups, name)) {
            of_sync_group_release(p->sync, name);
        }
    }
    sset_swap(&s->groups, groups);
}

/* Hairpins. */

static void
replace(struct service_pipeline *p, const char *key, struct service_flows *sf)
{
    of_sync_replace(p->sync, key, sf->flows, sf->n_flows,
                    sf->groups, sf->n_groups);
    sf->n_flows = sf->n_groups = 0;
    service_flows_destroy(sf);
}

static void
put_hairpin(struct service_pipeline *p, const char *name)
{
    char *key = xasprintf(HAIRPIN_KEY"%s", name);
    struct service_flows sf;
    struct in6_addr addr;

    service_flows_init(&sf);
    ipv6_parse(name, &addr);
    service_flows_add_hairpin(&sf, &p->t, &addr);
    replace(p, key, &sf);
    free(key);
}

/* Adds 'change' to the number of Services that 'name' is an endpoint of. */
static void
count_hairpin(struct service_pipeline *p, const char *name, int change)
{
    struct shash_node *node = shash_find(&p->hairpins, name);
    uintptr_t n = (node ? (uintptr_t) node->data : 0) + change;

    if (!node) {
        shash_add(&p->hairpins, name, (void *) n);
        put_hairpin(p, name);
    } else if (n) {
        node->data = (void *) n;
    } else {
        char *key = xasprintf(HAIRPIN_KEY"%s", name);

        of_sync_remove(p->sync, key);
        free(key);
        shash_delete(&p->hairpins, node);
    }
}

/* Adds the endpoints of 'set' that may send to their own Service here: the
 * local ones or, if we do not know who we are, all. */
static void
add_hairpins(const struct service_pipeline *p, const struct service_set *set,
             struct sset *hairpins)
{
    const struct service_node *node = service_node_of(p->store);
    bool all = !node || !node->name;

    for (size_t i = 0; i < set->n; i++) {
        if (all || set->endpoints[i].local) {
            char addr[INET6_ADDRSTRLEN];

            /* IPv4 stays mapped, as ipv6_parse() wants it. */
            inet_ntop(AF_INET6, &set->endpoints[i].addr, addr, sizeof addr);
            sset_add(hairpins, addr);
        }
    }
}

static void
replace_hairpins(struct service_pipeline *p, struct piped_service *s,
                 const struct service *service)
{
    struct sset hairpins = SSET_INITIALIZER(&hairpins);
    const char *name;

    for (size_t i = 0; service && i < service->n; i++) {
        add_hairpins(p, &service->ports[i].cluster, &hairpins);
        add_hairpins(p, &service->ports[i].internal, &hairpins);
        add_hairpins(p, &service->ports[i].external, &hairpins);
    }
    SSET_FOR_EACH (name, &hairpins) {
        if (!sset_contains(&s->hairpins, name)) {
            count_hairpin(p, name, 1);
        }
    }
    SSET_FOR_EACH (name, &s->hairpins) {
        if (!sset_contains(&hairpins, name)) {
            count_hairpin(p, name, -1);
        }
    }
    sset_swap(&s->hairpins, &hairpins);
    sset_destroy(&hairpins);
}

/* UDP connections (rule 17). */

static int
compare_paths(const void *a_, const void *b_)
{
    const struct udp_path *a = a_, *b = b_;
    int cmp = memcmp(&a->addr, &b->addr, sizeof a->addr);

    cmp = cmp ? cmp : memcmp(&a->ep_addr, &b->ep_addr, sizeof a->ep_addr);
    cmp = cmp ? cmp : a->port - b->port;
    return cmp ? cmp : a->ep_port - b->ep_port;
}

struct paths {
    struct udp_path *array;
    size_t n, allocated;
};

static void
add_paths(struct paths *paths, const struct in6_addr *addr, uint16_t port,
          const struct service_set *set)
{
    for (size_t i = 0; i < set->n; i++) {
        if (paths->n >= paths->allocated) {
            paths->array = x2nrealloc(paths->array, &paths->allocated,
                                      sizeof *paths->array);
        }
        paths->array[paths->n++] = (struct udp_path) {
            .addr = *addr,
            .port = port,
            .ep_addr = set->endpoints[i].addr,
            .ep_port = set->endpoints[i].port,
        };
    }
}

/* All ways from the address 'addr' of 'sp' to its endpoints. */
static void
add_external_paths(struct paths *paths, const struct in6_addr *addr,
                   uint16_t port, const struct service_port *sp)
{
    add_paths(paths, addr, port, &sp->external);
    if (sp->external_local) {
        add_paths(paths, addr, port, &sp->cluster);
    }
}

static void
add_port_paths(const struct service_pipeline *p, struct paths *paths,
               const struct service_port *sp)
{
    for (size_t i = 0; i < sp->n_cluster_ips; i++) {
        add_paths(paths, &sp->cluster_ips[i], sp->port, &sp->internal);
    }
    for (size_t i = 0; i < sp->n_external_ips; i++) {
        add_external_paths(paths, &sp->external_ips[i], sp->port, sp);
    }
    for (size_t i = 0; i < sp->n_lb_ips; i++) {
        add_external_paths(paths, &sp->lb_ips[i], sp->port, sp);
    }
    for (size_t i = 0; sp->node_port && i < p->t.n_nodeports; i++) {
        const struct service_cidr *cidr = &p->t.nodeports[i];

        if (IN6_IS_ADDR_V4MAPPED(&cidr->addr) != sp->ipv6) {
            bool host = cidr->plen == (sp->ipv6 ? 128 : 32);

            add_external_paths(paths, host ? &cidr->addr : &in6addr_any,
                               sp->node_port, sp);
        }
    }
}

static void
flush_path(struct service_pipeline *p, const struct udp_path *path)
{
    struct of_sync_ct ct = {
        .zone = p->t.zone,
        .protocol = IPPROTO_UDP,
        .ipv6 = !IN6_IS_ADDR_V4MAPPED(&path->ep_addr),
        .orig_dst = path->addr,
        .orig_dport = path->port,
        .reply_src = path->ep_addr,
        .reply_sport = path->ep_port,
    };

    p->n_flushes++;
    of_sync_ct_flush(p->sync, &ct);
}

/* Ends the connections on ways that there are no more. */
static void
replace_paths(struct service_pipeline *p, struct piped_service *s,
              const struct service *service)
{
    struct paths paths = { .array = NULL };
    size_t j = 0;

    for (size_t i = 0; service && i < service->n; i++) {
        if (service->ports[i].protocol == IPPROTO_UDP) {
            add_port_paths(p, &paths, &service->ports[i]);
        }
    }
    qsort(paths.array, paths.n, sizeof *paths.array, compare_paths);
    for (size_t i = 0; i < s->n_paths; i++) {
        int cmp = -1;

        while (j < paths.n
               && (cmp = compare_paths(&paths.array[j], &s->paths[i])) < 0) {
            j++;
        }
        if (j >= paths.n || cmp) {
            flush_path(p, &s->paths[i]);
        }
    }
    free(s->paths);
    s->paths = paths.array;
    s->n_paths = paths.n;
}

/* One Service. */

/* Services have one such port at most: that of their first port. */
static uint16_t
health_port(const struct service *service)
{
    return service && service->n ? service->ports[0].health_check_node_port
                                 : 0;
}

static void
update_health(struct service_pipeline *p, const char *key,
              const struct service *service)
{
    if (health_port(service)) {
        sset_add(&p->health, key);
        p->health_seqno++;
    } else if (sset_find_and_delete(&p->health, key)) {
        p->health_seqno++;
    }
}

static void
remove_service(struct service_pipeline *p, struct piped_service *s)
{
    struct sset none = SSET_INITIALIZER(&none);

    of_sync_remove(p->sync, s->key);
    release_claims(p, s, true);
    replace_groups(p, s, &none);
    replace_hairpins(p, s, NULL);
    replace_paths(p, s, NULL);
    sset_destroy(&none);
    shash_find_and_delete(&p->services, s->key);
    piped_service_destroy(s);
}

static void
update_service(struct service_pipeline *p, const char *key)
{
    const struct service *service = service_of(p->store, key);
    struct piped_service *s = shash_find_data(&p->services, key);
    struct compose_aux aux = { .p = p };
    struct service_flows sf;

    p->n_updates++;
    update_health(p, key, service);
    if (!service || !service->n) {
        if (s) {
            remove_service(p, s);
        }
        return;
    }
    if (!s) {
        s = xzalloc(sizeof *s);
        s->key = xstrdup(key);
        ovs_list_init(&s->claims);
        sset_init(&s->groups);
        sset_init(&s->hairpins);
        shash_add(&p->services, key, s);
    }
    aux.s = s;
    sset_init(&aux.groups);
    compose(&aux, service, &sf);
    s->n_flows = sf.n_flows;
    replace(p, key, &sf);
    release_claims(p, s, false);
    replace_groups(p, s, &aux.groups);
    replace_hairpins(p, s, service);
    replace_paths(p, s, service);
    sset_destroy(&aux.groups);
}

/* The base. */

/* Sets '*addr', unless it is set, to the node's of that family. */
static void
default_address(const struct service_node *node, bool ipv6,
                struct in6_addr *addr)
{
    for (size_t i = 0; node && i < node->n_addrs; i++) {
        if (!ipv6_addr_is_set(addr)
            && IN6_IS_ADDR_V4MAPPED(&node->addrs[i]) != ipv6) {
            *addr = node->addrs[i];
        }
    }
}

/* Fills in the node ports' addresses of 'p->t': those that were given and, for
 * a family of which none was, the node's primary ones. */
static void
fill_nodeports(struct service_pipeline *p, const struct service_node *node)
{
    const struct service_tables *o = &p->o.tables;
    size_t n_addrs = node ? node->n_addrs : 0;
    size_t n = 0;

    free(p->nodeports);
    p->nodeports = xmalloc((o->n_nodeports + n_addrs)
                           * sizeof *p->nodeports);
    for (size_t i = 0; i < o->n_nodeports; i++) {
        p->nodeports[n++] = o->nodeports[i];
    }
    for (size_t i = 0; i < n_addrs; i++) {
        bool ipv4 = IN6_IS_ADDR_V4MAPPED(&node->addrs[i]);
        bool given = false;

        for (size_t j = 0; j < o->n_nodeports; j++) {
            given |= IN6_IS_ADDR_V4MAPPED(&o->nodeports[j].addr) == ipv4;
        }
        if (!given) {
            p->nodeports[n++] = (struct service_cidr) {
                .addr = node->addrs[i], .plen = ipv4 ? 32 : 128,
            };
        }
    }
    p->t.nodeports = p->nodeports;
    p->t.n_nodeports = n;
}

static void
compose_base(struct service_pipeline *p, struct service_flows *sf)
{
    const struct service_node *node = service_node_of(p->store);
    const struct service_cidr *pods = p->o.pods;
    size_t n_pods = p->o.n_pods;

    if (!n_pods && node) {
        pods = node->pod_cidrs;
        n_pods = node->n_pod_cidrs;
    }
    service_flows_init(sf);
    service_flows_add_base(sf, &p->t, p->o.services, p->o.n_services,
                           pods, n_pods, node ? node->addrs : NULL,
                           node ? node->n_addrs : 0);
}

static void
update_base(struct service_pipeline *p)
{
    const struct service_node *node = service_node_of(p->store);
    struct service_flows sf;
    struct shash_node *i;

    p->t = p->o.tables;
    p->t.maglev = !p->o.stock && of_sync_has_lb(p->sync);
    default_address(node, false, &p->t.masq4);
    default_address(node, true, &p->t.masq6);
    fill_nodeports(p, node);
    if (!ipv6_addr_is_set(&p->t.masq4) && !ipv6_addr_is_set(&p->t.masq6)) {
        VLOG_WARN("our node has no address and --masquerade-address gives "
                  "none: nothing will be masqueraded");
    }

    compose_base(p, &sf);
    replace(p, BASE_KEY, &sf);
    SHASH_FOR_EACH (i, &p->hairpins) {
        put_hairpin(p, i->name);
    }
    SHASH_FOR_EACH (i, &p->services) {
        sset_add(&p->dirty, i->name);
    }
}

/* Without its Node object, which may come after the Services, our node would
 * masquerade nothing, and then everything anew. */
static bool
node_is_known(struct service_pipeline *p)
{
    if (p->based || !p->o.node || service_node_of(p->store)) {
        return true;
    }
    if (!p->deadline) {
        p->deadline = time_msec() + NODE_WAIT_MS;
    } else if (time_msec() >= p->deadline) {
        VLOG_WARN("there is no Node \"%s\" (yet)", p->o.node);
        return true;
    }
    return false;
}

/* Works off changes. */
void
service_pipeline_run(struct service_pipeline *p)
{
    long long int end = time_msec() + RUN_MS;
    uint64_t generation;
    bool maglev;
    char *key;

    p->current = false;
    if (!kube_store_is_complete(p->store) || !node_is_known(p)) {
        return;
    }
    generation = service_node_generation(p->store);
    maglev = !p->o.stock && of_sync_has_lb(p->sync);
    if (!p->based || generation != p->node_generation
        || maglev != p->t.maglev) {
        p->node_generation = generation;
        update_base(p);
        p->based = true;
    }
    while ((key = service_next_changed(p->store))) {
        sset_find_and_delete(&p->dirty, key);
        update_service(p, key);
        free(key);
        if (time_msec() >= end) {
            return;
        }
    }
    while (!sset_is_empty(&p->dirty)) {
        key = sset_pop(&p->dirty);
        update_service(p, key);
        free(key);
        if (time_msec() >= end) {
            return;
        }
    }
    p->current = true;
    of_sync_set_complete(p->sync);
}

void
service_pipeline_wait(struct service_pipeline *p)
{
    if (p->current || !kube_store_is_complete(p->store)) {
        return;
    } else if (!p->based && p->deadline) {
        poll_timer_wait_until(p->deadline);
    } else {
        poll_immediate_wake();
    }
}

/* Returns a number that changes whenever what service_pipeline_tell_health()
 * tells may do so. */
uint64_t
service_pipeline_health_seqno(const struct service_pipeline *p)
{
    return p->health_seqno;
}

/* Tells 'health' of the Services that have a health-check node port. */
void
service_pipeline_tell_health(const struct service_pipeline *p,
                             struct kube_health *health, bool healthy)
{
    const char *key;

    kube_health_begin(health);
    SSET_FOR_EACH (key, &p->health) {
        const struct service *service = service_of(p->store, key);

        if (health_port(service)) {
            kube_health_add(health, service->namespace_, service->name,
                            health_port(service),
                            service->ports[0].n_local_ready);
        }
    }
    kube_health_end(health, healthy);
}

/* Returns true if of-sync has been told of all that the store knows. */
bool
service_pipeline_is_current(const struct service_pipeline *p)
{
    return p->current;
}

/* Showing. */

static void
show_flows(const struct service_flows *sf, struct ds *s)
{
    for (size_t i = 0; i < sf->n_groups; i++) {
        struct ds group = DS_EMPTY_INITIALIZER;

        ofputil_group_mod_format__(&group, OFP15_VERSION, &sf->groups[i],
                                   NULL, NULL);
        ds_put_format(s, "  %s\n",
                      ds_cstr(&group) + strspn(ds_cstr(&group), "\n AD"));
        ds_destroy(&group);
    }
    for (size_t i = 0; i < sf->n_flows; i++) {
        const struct ofputil_flow_mod *fm = &sf->flows[i];
        struct ofpact_format_params params = { .s = s };

        ds_put_format(s, "  table=%d, ", fm->table_id);
        minimatch_format(&fm->match, NULL, NULL, s, fm->priority);
        ds_put_cstr(s, " actions=");
        ofpacts_format(fm->ofpacts, fm->ofpacts_len, &params);
        ds_put_char(s, '\n');
    }
}

/* Appends a line for each Service in the switch. */
void
service_pipeline_list(const struct service_pipeline *p, struct ds *s)
{
    const struct shash_node **nodes = shash_sort(&p->services);

    for (size_t i = 0; i < shash_count(&p->services); i++) {
        const struct piped_service *ps = nodes[i]->data;
        const struct service *service = service_of(p->store, ps->key);

        ds_put_format(s, "%s: %"PRIuSIZE" ports, %"PRIuSIZE" flows, "
                      "%"PRIuSIZE" groups\n", ps->key,
                      service ? service->n : 0, ps->n_flows,
                      sset_count(&ps->groups));
    }
    free(nodes);
}

/* Appends what the Service 'ns_name' is, and the groups and flows that it has.
 * Returns false if there is no such Service. */
bool
service_pipeline_show(struct service_pipeline *p, const char *ns_name,
                      struct ds *s)
{
    const struct service *service = service_of(p->store, ns_name);
    struct compose_aux aux = {
        .p = p,
        .s = shash_find_data(&p->services, ns_name),
        .trying = true,
    };
    struct service_flows sf;

    if (!service) {
        return false;
    }
    service_format(service, s);
    if (aux.s) {
        sset_init(&aux.groups);
        compose(&aux, service, &sf);
        show_flows(&sf, s);
        service_flows_destroy(&sf);
        sset_destroy(&aux.groups);
    }
    return true;
}

/* Appends the flows that do not depend on any Service. */
void
service_pipeline_show_base(struct service_pipeline *p, struct ds *s)
{
    if (p->based) {
        struct service_flows sf;

        compose_base(p, &sf);
        show_flows(&sf, s);
        service_flows_destroy(&sf);
    }
}

void
service_pipeline_format_metrics(const struct service_pipeline *p,
                                struct ds *s)
{
    ds_put_format(
        s,
        "# HELP ovs_kube_proxy_services Services that are in the switch.\n"
        "# TYPE ovs_kube_proxy_services gauge\n"
        "ovs_kube_proxy_services %"PRIuSIZE"\n"
        "# HELP ovs_kube_proxy_service_updates_total Services made into "
        "flows.\n"
        "# TYPE ovs_kube_proxy_service_updates_total counter\n"
        "ovs_kube_proxy_service_updates_total %llu\n"
        "# HELP ovs_kube_proxy_service_conflicts_total Addresses that two "
        "Services wanted.\n"
        "# TYPE ovs_kube_proxy_service_conflicts_total counter\n"
        "ovs_kube_proxy_service_conflicts_total %llu\n"
        "# HELP ovs_kube_proxy_udp_flushes_total Ways to UDP endpoints whose "
        "connections were ended.\n"
        "# TYPE ovs_kube_proxy_udp_flushes_total counter\n"
        "ovs_kube_proxy_udp_flushes_total %llu\n",
        shash_count(&p->services), p->n_updates, p->n_conflicts,
        p->n_flushes);
}
