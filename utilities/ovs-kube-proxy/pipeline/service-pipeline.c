/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "service-pipeline.h"

#include <stdlib.h>

#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "service-addrs.h"
#include "service-claims.h"
#include "service-errors.h"
#include "service-flows.h"
#include "service-hairpins.h"
#include "service-node.h"
#include "service-put.h"
#include "service-state.h"
#include "service-udp.h"
#include "timeval.h"
#include "util.h"
#include "utilities/common/complain.h"
#include "utilities/kube/kube-health.h"
#include "utilities/of-sync/of-sync.h"
#include "utilities/ovs-kube-proxy/service/kube-peers.h"
#include "utilities/ovs-kube-proxy/service/kube-store.h"

VLOG_DEFINE_THIS_MODULE(service_pipeline);

/* Time for Services until the rest of the program gets its turn. */
#define RUN_MS 50

/* Time that our Node object may come later than the list of Nodes.  A new
 * machine's kubelet may need a minute to make it. */
#define NODE_WAIT_MS 120000

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
    shash_init(&p->errors);
    sset_init(&p->dirty);
    sset_init(&p->health);
    of_sync_set_bucket_cb(sync, pipeline_note_bucket, p);
    if (options->local && options->n_nodeports) {
        p->addrs = service_addrs_create();
    }
    return p;
}

static void
piped_service_destroy(struct piped_service *s)
{
    sset_destroy(&s->groups);
    sset_destroy(&s->hairpins);
    sset_destroy(&s->errors);
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
            pipeline_claim_destroy(p, c);
        }
        hmap_destroy(&p->claims);
        SHASH_FOR_EACH (node, &p->services) {
            piped_service_destroy(node->data);
        }
        shash_destroy(&p->services);
        shash_destroy(&p->hairpins);
        SHASH_FOR_EACH (node, &p->errors) {
            shash_destroy(node->data);
            free(node->data);
        }
        shash_destroy(&p->errors);
        sset_destroy(&p->dirty);
        sset_destroy(&p->health);
        service_addrs_destroy(p->addrs);
        free(p->old);
        free(p->nodeports);
        free(p);
    }
}

/* A Service has at most one such port.  Each of its ports names it. */
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

/* Notes that 'n' flows of 's' are left out. */
static void
count_left_out(struct service_pipeline *p, struct piped_service *s, size_t n)
{
    p->n_left_out += n - s->n_left_out;
    s->n_left_out = n;
    if (n) {
        complain_once("Service %s: %"PRIuSIZE" flows are left out: a Service "
                      "may have %d", s->key, n, SERVICE_MAX_FLOWS);
    }
}

static void
remove_service(struct service_pipeline *p, struct piped_service *s)
{
    struct sset none = SSET_INITIALIZER(&none);

    of_sync_remove(p->sync, s->key);
    count_left_out(p, s, 0);
    pipeline_release_claims(p, s, true);
    pipeline_replace_groups(p, s, &none);
    pipeline_replace_hairpins(p, s, NULL);
    pipeline_replace_errors(p, s, NULL);
    pipeline_replace_paths(p, s, NULL);
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
        sset_init(&s->errors);
        shash_add(&p->services, key, s);
    }
    aux.s = s;
    sset_init(&aux.groups);
    pipeline_compose(&aux, service, &sf);
    s->n_flows = sf.n_flows;
    s->changed = time_wall_msec();
    count_left_out(p, s, sf.n_left_out);
    service_note_conflicts(p->store, key, aux.conflicts, aux.n_conflicts);
    pipeline_put(p, key, &sf);
    pipeline_release_claims(p, s, false);
    pipeline_replace_groups(p, s, &aux.groups);
    pipeline_replace_hairpins(p, s, service);
    pipeline_replace_errors(p, s, service);
    pipeline_replace_paths(p, s, service);
    sset_destroy(&aux.groups);
}

/* Returns true while our Node is unknown and Nodes are not listed yet. */
static bool
waits_for_nodes(const struct service_pipeline *p)
{
    return (!p->based && p->o.node && !service_node_of(p->store)
            && !kube_store_has_nodes(p->store));
}

/* Returns true if the base can be made.  Nodes may be listed after Services.
 * Without its Node, this node would masquerade nothing at first, and replace
 * all flows later. */
static bool
node_is_known(struct service_pipeline *p)
{
    if (p->based || !p->o.node || service_node_of(p->store)) {
        return true;
    }
    if (waits_for_nodes(p)) {
        return false;
    }
    if (!p->deadline) {
        p->deadline = time_msec() + NODE_WAIT_MS;
        VLOG_INFO("there is no Node \"%s\" yet: waiting for %d seconds",
                  p->o.node, NODE_WAIT_MS / 1000);
    } else if (time_msec() >= p->deadline) {
        VLOG_WARN("there is no Node \"%s\" yet: going on without it",
                  p->o.node);
        return true;
    }
    return false;
}

/* Handles changes, for at most RUN_MS. */
void
service_pipeline_run(struct service_pipeline *p)
{
    long long int end = time_msec() + RUN_MS;
    const struct kube_peers *peers = service_peers_of(p->store);
    uint64_t generation;
    bool maglev, moved;
    char *key;

    p->current = false;
    if (!kube_store_is_complete(p->store) || !node_is_known(p)) {
        return;
    }
    moved = p->addrs && service_addrs_run(p->addrs);
    generation = service_node_generation(p->store);
    maglev = !p->o.stock && of_sync_has_lb(p->sync);
    if (!p->based || moved || generation != p->node_generation
        || service_ranges_generation(p->store) != p->ranges_generation
        || maglev != p->t.maglev || of_sync_meter(p->sync) != p->t.meter) {
        p->node_generation = generation;
        p->ranges_generation = service_ranges_generation(p->store);
        pipeline_update_base(p);
        p->based = true;
    } else if (peers && peers->generation != p->peers_generation) {
        pipeline_update_peers(p);
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
    if (!p->old_ended && of_sync_has_dumped(p->sync)) {
        pipeline_end_old(p);
    }
}

void
service_pipeline_wait(struct service_pipeline *p)
{
    if (p->addrs && p->based) {
        service_addrs_wait(p->addrs);
    }
    if (p->current || !kube_store_is_complete(p->store)
        || waits_for_nodes(p)) {
        /* The readers of objects wake us. */
        return;
    } else if (!p->based && p->deadline) {
        poll_timer_wait_until(p->deadline);
    } else {
        poll_immediate_wake();
    }
}

/* Returns a number that changes before service_pipeline_tell_health() reports
 * anything new. */
uint64_t
service_pipeline_health_seqno(const struct service_pipeline *p)
{
    return p->health_seqno;
}

/* Reports to 'health' the Services that have a health-check node port. */
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

/* Returns true once the base has been made. */
bool
service_pipeline_has_begun(const struct service_pipeline *p)
{
    return p->based;
}

/* Returns true if of-sync knows all that the store knows. */
bool
service_pipeline_is_current(const struct service_pipeline *p)
{
    return p->current;
}
