/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "service-claims.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "hash.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "service-flows.h"
#include "service-port.h"
#include "service-state.h"
#include "service-terms.h"
#include "util.h"
#include "utilities/of-sync/of-sync.h"

VLOG_DEFINE_THIS_MODULE(service_claims);

void
pipeline_claim_destroy(struct service_pipeline *p, struct claim *c)
{
    hmap_remove(&p->claims, &c->node);
    ovs_list_remove(&c->list_node);
    sset_destroy(&c->waiters);
    free(c);
}

static struct claim *
claim_find(const struct service_pipeline *p, const struct kube_cidr *cidr,
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

/* Returns the key of the Service that has 'port' of 'addr', or null if none
 * has. */
const char *
pipeline_owner_of(const struct service_pipeline *p,
                  const struct in6_addr *addr, uint8_t protocol,
                  uint16_t port)
{
    struct kube_cidr cidr = host_cidr(addr);
    uint32_t hash;
    const struct claim *c = claim_find(p, &cidr, protocol, port, &hash);

    return c ? c->owner->key : NULL;
}

/* Notes that 'c', which 'aux->s' wants, has another owner. */
static void
add_conflict(struct compose_aux *aux, const struct claim *c)
{
    if (aux->n_conflicts >= aux->allocated_conflicts) {
        aux->conflicts = x2nrealloc(aux->conflicts, &aux->allocated_conflicts,
                                    sizeof *aux->conflicts);
    }
    aux->conflicts[aux->n_conflicts++] = (struct service_conflict) {
        .addr = c->cidr.addr, .port = c->port, .owner = xstrdup(c->owner->key),
    };
}

static bool
compose_claim(const struct kube_cidr *cidr, uint8_t protocol,
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
        if (!aux->trying && port) {
            add_conflict(aux, c);
        }
        if (!aux->trying && sset_add(&c->waiters, aux->s->key)) {
            p->n_conflicts += port != 0;
            if (port && !VLOG_DROP_WARN(&rl)) {
                char addr[INET6_ADDRSTRLEN];

                ipv6_string_mapped(addr, &cidr->addr);
                VLOG_WARN("%s: %s already has address %s port %d",
                          aux->s->key, c->owner->key, addr, port);
            }
        }
        return false;
    } else if (c->pass == p->pass) {
        return false;           /* Already used by the same Service. */
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

void
pipeline_compose(struct compose_aux *aux, const struct service *service,
                 struct service_flows *sf)
{
    service_flows_init(sf);
    aux->p->pass++;
    for (size_t i = 0; i < service->n; i++) {
        service_flows_add_port(sf, &aux->p->t, &service->ports[i],
                               &compose_class, aux);
    }
}

/* Releases the claims of 's' that it has not made again, or all. */
void
pipeline_release_claims(struct service_pipeline *p, struct piped_service *s,
                        bool all)
{
    struct claim *c;

    LIST_FOR_EACH_SAFE (c, list_node, &s->claims) {
        if (all || c->pass != p->pass) {
            const char *waiter;

            SSET_FOR_EACH (waiter, &c->waiters) {
                sset_add(&p->dirty, waiter);
            }
            pipeline_claim_destroy(p, c);
        }
    }
}

void
pipeline_replace_groups(struct service_pipeline *p, struct piped_service *s,
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
