/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "kube-health.h"

#include <stdlib.h>

#include "hash.h"
#include "openvswitch/hmap.h"
#include "openvswitch/json.h"
#include "util.h"
#include "utilities/common/complain.h"
#include "utilities/common/kube-http.h"

struct health_port {
    struct hmap_node node;      /* In kube_health's 'ports', by 'port'. */
    struct kube_health *health;
    uint16_t port;
    char *namespace_;
    char *name;
    unsigned int n_local_ready;
    bool seen;                  /* Since kube_health_begin(). */
    struct kube_http *http;
};

struct kube_health {
    struct hmap ports;          /* Contains "struct health_port"s. */
    bool proxy_healthy;
};

struct kube_health *
kube_health_create(void)
{
    struct kube_health *health = xzalloc(sizeof *health);

    hmap_init(&health->ports);
    return health;
}

static void
destroy_port(struct health_port *p)
{
    hmap_remove(&p->health->ports, &p->node);
    kube_http_destroy(p->http);
    free(p->namespace_);
    free(p->name);
    free(p);
}

void
kube_health_destroy(struct kube_health *health)
{
    if (health) {
        struct health_port *p;

        HMAP_FOR_EACH_SAFE (p, node, &health->ports) {
            destroy_port(p);
        }
        hmap_destroy(&health->ports);
        free(health);
    }
}

static void
answer(const char *path OVS_UNUSED, struct kube_response *response, void *p_)
{
    const struct health_port *p = p_;
    struct json *service = json_object_create();
    struct json *body = json_object_create();

    json_object_put_string(service, "namespace", p->namespace_);
    json_object_put_string(service, "name", p->name);
    json_object_put(body, "service", service);
    json_object_put(body, "localEndpoints",
                    json_integer_create(p->n_local_ready));
    json_object_put(body, "serviceProxyHealthy",
                    json_boolean_create(p->health->proxy_healthy));
    json_to_ds(body, JSSF_SORT, &response->body);
    json_destroy(body);

    response->type = "application/json";
    response->status = (p->n_local_ready && p->health->proxy_healthy
                        ? 200 : 503);
    response->weight = p->n_local_ready;
}

static void
open_port(struct health_port *p)
{
    char *what = xasprintf("Service %s/%s: health-check node port",
                           p->namespace_, p->name);
    char *address = xasprintf(":%"PRIu16, p->port);

    free(kube_http_create(what, address, answer, p, &p->http));
    ovs_assert(p->http);
    free(address);
    free(what);
}

/* Starts a list of all Services that have a health-check node port. */
void
kube_health_begin(struct kube_health *health)
{
    struct health_port *p;

    HMAP_FOR_EACH (p, node, &health->ports) {
        p->seen = false;
    }
}

/* Adds a Service with 'n_local_ready' ready endpoints on this node.  If two
 * Services have the same 'port', the first one gets it. */
void
kube_health_add(struct kube_health *health, const char *namespace_,
                const char *name, uint16_t port, unsigned int n_local_ready)
{
    uint32_t hash = hash_int(port, 0);
    struct health_port *p, *found = NULL;

    HMAP_FOR_EACH_WITH_HASH (p, node, hash, &health->ports) {
        if (p->port == port) {
            found = p;
        }
    }
    if (!found) {
        found = xzalloc(sizeof *found);
        found->health = health;
        found->port = port;
        found->namespace_ = xstrdup(namespace_);
        found->name = xstrdup(name);
        hmap_insert(&health->ports, &found->node, hash);
        open_port(found);
    } else if (found->seen) {
        complain_once("Service %s/%s: health-check node port %"PRIu16
                      " belongs to %s/%s", namespace_, name, port,
                      found->namespace_, found->name);
        return;
    } else {
        free(found->namespace_);
        free(found->name);
        found->namespace_ = xstrdup(namespace_);
        found->name = xstrdup(name);
    }
    found->seen = true;
    found->n_local_ready = n_local_ready;
}

/* Ends the list.  Closes the ports of Services that were not in it. */
void
kube_health_end(struct kube_health *health, bool proxy_healthy)
{
    struct health_port *p;

    health->proxy_healthy = proxy_healthy;
    HMAP_FOR_EACH_SAFE (p, node, &health->ports) {
        if (!p->seen) {
            destroy_port(p);
        }
    }
}

void
kube_health_run(struct kube_health *health)
{
    struct health_port *p;

    HMAP_FOR_EACH (p, node, &health->ports) {
        kube_http_run(p->http);
    }
}

void
kube_health_wait(struct kube_health *health)
{
    struct health_port *p;

    HMAP_FOR_EACH (p, node, &health->ports) {
        kube_http_wait(p->http);
    }
}
