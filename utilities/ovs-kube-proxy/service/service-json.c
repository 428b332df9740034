/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "service-json.h"

#include "openvswitch/json.h"
#include "service-format.h"
#include "service-model.h"
#include "util.h"
#include "utilities/kube/kube-cidr.h"

/* Adds member 'name', the 'n' addresses 'ips', to 'object', unless there are
 * none. */
static void
put_ips(struct json *object, const char *name, const struct in6_addr *ips,
        size_t n)
{
    struct json *array;

    if (!n) {
        return;
    }
    array = json_array_create_empty();
    for (size_t i = 0; i < n; i++) {
        json_array_add(array, kube_ip_to_json(&ips[i]));
    }
    json_object_put(object, name, array);
}

static struct json *
sources_json(const struct service_port *p)
{
    struct json *array = json_array_create_empty();

    for (size_t i = 0; i < p->n_sources; i++) {
        json_array_add(array, kube_cidr_to_json(&p->sources[i]));
    }
    return array;
}

static struct json *
endpoint_json(const struct service_endpoint *e)
{
    struct json *object = json_object_create();

    if (e->reject) {
        json_object_put(object, "reject", json_boolean_create(true));
        json_object_put(object, "weight", json_integer_create(e->weight));
        return object;
    }
    json_object_put(object, "address", kube_ip_to_json(&e->addr));
    json_object_put(object, "port", json_integer_create(e->port));
    json_object_put(object, "weight", json_integer_create(e->weight));
    json_object_put(object, "local", json_boolean_create(e->local));
    json_object_put(object, "draining", json_boolean_create(e->draining));
    return object;
}

static struct json *
set_json(const struct service_set *set)
{
    static const char *const verdicts[] = {
        [SERVICE_FORWARD] = "forward",
        [SERVICE_REJECT] = "reject",
        [SERVICE_DROP] = "drop",
    };
    struct json *object = json_object_create();
    struct json *endpoints = json_array_create_empty();

    for (size_t i = 0; i < set->n; i++) {
        json_array_add(endpoints, endpoint_json(&set->endpoints[i]));
    }
    json_object_put_string(object, "verdict", verdicts[set->verdict]);
    json_object_put(object, "endpoints", endpoints);
    return object;
}

static struct json *
nodes_json(const struct service_port *p)
{
    struct json *nodes = json_array_create_empty();

    for (size_t i = 0; i < p->n_nodes; i++) {
        struct json *node = json_object_create();

        json_object_put(node, "address", kube_ip_to_json(&p->nodes[i].addr));
        json_object_put(node, "weight",
                        json_integer_create(p->nodes[i].weight));
        json_array_add(nodes, node);
    }
    return nodes;
}

static struct json *
port_json(const struct service_port *p)
{
    struct json *object = json_object_create();

    json_object_put_string(object, "protocol",
                           service_protocol_name(p->protocol));
    json_object_put(object, "port", json_integer_create(p->port));
    json_object_put_string(object, "name", p->port_name);
    put_ips(object, "cluster_ips", p->cluster_ips, p->n_cluster_ips);
    put_ips(object, "external_ips", p->external_ips, p->n_external_ips);
    put_ips(object, "load_balancer_ips", p->lb_ips, p->n_lb_ips);
    if (p->sources_restricted) {
        json_object_put(object, "sources", sources_json(p));
    }
    json_object_put(object, "node_port", json_integer_create(p->node_port));
    json_object_put(object, "affinity_timeout",
                    json_integer_create(p->affinity_timeout));
    if (p->health_check_node_port) {
        json_object_put(object, "health_check_node_port",
                        json_integer_create(p->health_check_node_port));
        json_object_put(object, "local_ready",
                        json_integer_create(p->n_local_ready));
    }
    json_object_put(object, "cluster", set_json(&p->cluster));
    json_object_put(object, "internal", set_json(&p->internal));
    json_object_put(object, "external", set_json(&p->external));
    if (p->direct) {
        json_object_put(object, "direct_return", nodes_json(p));
        json_object_put(object, "here", set_json(&p->here));
    }
    return object;
}

/* Returns 'service' as a JSON object, for the caller to destroy: its ports and
 * their endpoints, or why it has none.  A number is 0 where there is no such
 * port or time. */
struct json *
service_to_json(const struct service *service)
{
    struct json *object = json_object_create();
    struct json *ports = json_array_create_empty();

    json_object_put_string(object, "namespace", service->namespace_);
    json_object_put_string(object, "name", service->name);
    if (service->why) {
        json_object_put_string(object, "reason", service->why);
    }
    for (size_t i = 0; i < service->n; i++) {
        json_array_add(ports, port_json(&service->ports[i]));
    }
    json_object_put(object, "ports", ports);
    return object;
}
