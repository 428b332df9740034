/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "service-format.h"

#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "service-model.h"
#include "util.h"

/* Returns the name that Kubernetes has for 'protocol', an IPPROTO_*. */
const char *
service_protocol_name(uint8_t protocol)
{
    return (protocol == IPPROTO_TCP ? "TCP"
            : protocol == IPPROTO_UDP ? "UDP"
            : "SCTP");
}

static void
format_ips(const char *what, const struct in6_addr *ips, size_t n,
           struct ds *s)
{
    for (size_t i = 0; i < n; i++) {
        ds_put_format(s, ", %s ", what);
        ipv6_format_mapped(&ips[i], s);
    }
}

static void
format_sources(const struct service_port *p, struct ds *s)
{
    if (p->sources_restricted) {
        ds_put_cstr(s, p->n_sources ? ", from" : ", from nowhere");
    }
    for (size_t i = 0; i < p->n_sources; i++) {
        ds_put_char(s, ' ');
        ipv6_format_mapped(&p->sources[i].addr, s);
        ds_put_format(s, "/%d", p->sources[i].plen);
    }
}

static void
format_endpoint(const struct service_endpoint *e, struct ds *s)
{
    bool ip4 = IN6_IS_ADDR_V4MAPPED(&e->addr);

    if (e->reject) {
        ds_put_cstr(s, " reject");
    } else {
        ds_put_cstr(s, ip4 ? " " : " [");
        ipv6_format_mapped(&e->addr, s);
        ds_put_format(s, "%s:%d%s%s", ip4 ? "" : "]", e->port,
                      e->local ? "(local)" : "",
                      e->draining ? "(draining)" : "");
    }
    if (e->weight != SERVICE_WEIGHT) {
        ds_put_format(s, "(weight %d)", e->weight);
    }
}

static void
format_set(const char *what, const struct service_set *set, struct ds *s)
{
    ds_put_format(s, "    %s:", what);
    if (set->verdict == SERVICE_REJECT) {
        ds_put_cstr(s, " reject: there is no endpoint");
    } else if (set->verdict == SERVICE_DROP) {
        ds_put_cstr(s, " drop: the endpoints are on other nodes");
    }
    for (size_t i = 0; i < set->n; i++) {
        format_endpoint(&set->endpoints[i], s);
    }
    ds_put_char(s, '\n');
}

/* Appends the nodes that direct return hands over to, and the endpoints that
 * ours then chooses from. */
static void
format_nodes(const struct service_port *p, struct ds *s)
{
    ds_put_cstr(s, "    direct return by:");
    for (size_t i = 0; i < p->n_nodes; i++) {
        ds_put_char(s, ' ');
        ipv6_format_mapped(&p->nodes[i].addr, s);
        ds_put_format(s, "(weight %d)", p->nodes[i].weight);
    }
    ds_put_char(s, '\n');
    format_set("here", &p->here, s);
}

static bool
in_set(const struct service_endpoint *e, const struct service_set *set)
{
    for (size_t i = 0; i < set->n; i++) {
        if (set->endpoints[i].port == e->port
            && ipv6_addr_equals(&set->endpoints[i].addr, &e->addr)) {
            return true;
        }
    }
    return false;
}

/* Appends the endpoints that terminate, get no new connections and keep their
 * old ones. */
static void
format_old(const struct service_port *p, struct ds *s)
{
    size_t n = 0;

    for (size_t i = 0; i < p->serving.n; i++) {
        const struct service_endpoint *e = &p->serving.endpoints[i];

        if (e->draining && !in_set(e, &p->cluster)
            && !in_set(e, &p->internal) && !in_set(e, &p->external)) {
            ds_put_cstr(s, n++ ? "" : "    old connections:");
            format_endpoint(e, s);
        }
    }
    if (n) {
        ds_put_char(s, '\n');
    }
}

/* Appends 'service' to 's', in lines: its ports, their endpoints, and why. */
void
service_format(const struct service *service, struct ds *s)
{
    ds_put_format(s, "%s/%s", service->namespace_, service->name);
    if (service->why) {
        ds_put_format(s, ": nothing to do, since %s", service->why);
    }
    ds_put_char(s, '\n');
    for (size_t i = 0; i < service->n; i++) {
        const struct service_port *p = &service->ports[i];

        ds_put_format(s, "  %s port %d",
                      service_protocol_name(p->protocol), p->port);
        if (p->port_name[0]) {
            ds_put_format(s, " \"%s\"", p->port_name);
        }
        format_ips("cluster IP", p->cluster_ips, p->n_cluster_ips, s);
        format_ips("external IP", p->external_ips, p->n_external_ips, s);
        format_ips("load balancer", p->lb_ips, p->n_lb_ips, s);
        format_sources(p, s);
        if (p->node_port) {
            ds_put_format(s, ", node port %d", p->node_port);
        }
        if (p->affinity_timeout) {
            ds_put_format(s, ", affinity for %"PRIu32" s",
                          p->affinity_timeout);
        }
        if (p->health_check_node_port) {
            ds_put_format(s, ", health check on port %d: %u",
                          p->health_check_node_port, p->n_local_ready);
        }
        ds_put_char(s, '\n');
        format_set("cluster", &p->cluster, s);
        if (p->internal.endpoints != p->cluster.endpoints
            || p->internal.verdict != p->cluster.verdict) {
            format_set("internal", &p->internal, s);
        }
        if (p->external_local) {
            format_set("external", &p->external, s);
        }
        if (p->direct) {
            format_nodes(p, s);
        }
        format_old(p, s);
    }
}
