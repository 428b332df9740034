/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "service-explain.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofp-group.h"
#include "packets.h"
#include "service-claims.h"
#include "service-flows.h"
#include "service-state.h"
#include "service-terms.h"
#include "util.h"
#include "utilities/of-sync/of-sync.h"
#include "utilities/ovs-kube-proxy/service/kube-store.h"
#include "utilities/ovs-kube-proxy/service/service-model.h"

/* The question. */

/* Stores in '*addr' and '*port' what 's', "IPV4:PORT" or "[IPV6]:PORT", says.
 * Returns false if it says something else. */
static bool
parse_end(const char *s, struct in6_addr *addr, uint16_t *port)
{
    char host[INET6_ADDRSTRLEN];
    unsigned int number;
    ovs_be32 ipv4;
    int n = 0;

    if (ovs_scan(s, "[%45[0-9a-fA-F:.]]:%u%n", host, &number, &n) && !s[n]) {
        if (!ipv6_parse(host, addr)) {
            return false;
        }
    } else if (ovs_scan(s, IP_SCAN_FMT":%u%n", IP_SCAN_ARGS(&ipv4), &number,
                        &n) && !s[n]) {
        *addr = in6_addr_mapped_ipv4(ipv4);
    } else {
        return false;
    }
    *port = number;
    return number && number <= UINT16_MAX;
}

/* Stores in '*c' the connection from 'src' to 'dst', both "IPV4:PORT" or
 * "[IPV6]:PORT".  Returns null, or what is wrong, for the caller to free. */
char *
service_connection_parse(const char *protocol, const char *src,
                         const char *dst, struct service_connection *c)
{
    c->protocol = (!strcasecmp(protocol, "tcp") ? IPPROTO_TCP
                   : !strcasecmp(protocol, "udp") ? IPPROTO_UDP
                   : !strcasecmp(protocol, "sctp") ? IPPROTO_SCTP : 0);
    if (!c->protocol) {
        return xasprintf("\"%s\" is none of tcp, udp and sctp", protocol);
    } else if (!parse_end(src, &c->src, &c->sport)) {
        return xasprintf("\"%s\" is not ADDRESS:PORT", src);
    } else if (!parse_end(dst, &c->dst, &c->dport)) {
        return xasprintf("\"%s\" is not ADDRESS:PORT", dst);
    } else if (is_ipv6(&c->src) != is_ipv6(&c->dst)) {
        return xstrdup("the addresses are of two families");
    }
    return NULL;
}

/* Returns the zone in which the switch tracks connections to Services. */
uint16_t
service_explain_zone(const struct service_pipeline *p)
{
    return p->t.zone;
}

static const char *
protocol_name(const struct service_connection *c)
{
    return (c->protocol == IPPROTO_TCP ? "tcp"
            : c->protocol == IPPROTO_UDP ? "udp" : "sctp");
}

/* Returns the first packet of 'c', as the connection tracker leaves it, in the
 * form of ovs-ofctl, for the caller to free.  A trace that has actions cannot
 * follow a recirculation, so it must start behind the connection tracker. */
char *
service_explain_flow(const struct service_connection *c)
{
    bool ipv6 = is_ipv6(&c->dst);
    char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];

    ipv6_string_mapped(src, &c->src);
    ipv6_string_mapped(dst, &c->dst);
    return xasprintf("ct_state=trk|new,in_port=LOCAL,%s%s,%s_src=%s,%s_dst=%s,"
                     "%s_src=%d,%s_dst=%d,nw_ttl=64",
                     protocol_name(c), ipv6 ? "6" : "",
                     ipv6 ? "ipv6" : "nw", src, ipv6 ? "ipv6" : "nw", dst,
                     protocol_name(c), c->sport, protocol_name(c), c->dport);
}

/* Returns the actions that send such a packet to our tables, or to the group
 * of 'o' if that is SERVICE_PART, for the caller to free. */
char *
service_explain_actions(const struct service_pipeline *p,
                        const struct service_outcome *o)
{
    return (o->kind == SERVICE_PART
            ? xasprintf("group:%"PRIu32, o->group_id)
            : xasprintf("resubmit(,%d)",
                        flows_table_id(&p->t, SERVICE_KNOWN)));
}

/* The switch's answers. */

static bool
parse_address(const char *s, struct in6_addr *addr)
{
    ovs_be32 ipv4;

    if (ip_parse(s, &ipv4)) {
        *addr = in6_addr_mapped_ipv4(ipv4);
        return true;
    }
    return ipv6_parse(s, addr);
}

/* Looks for 'c' in 'dump', what "dpctl/dump-conntrack" says.  Leaves
 * '*outcome' alone if it is not there. */
void
service_explain_tracked(const struct service_connection *c, const char *dump,
                        struct service_outcome *outcome)
{
    char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];
    char addr[INET6_ADDRSTRLEN];
    const char *line = dump;
    char *start;

    ipv6_string_mapped(src, &c->src);
    ipv6_string_mapped(dst, &c->dst);
    start = xasprintf("%s,orig=(src=%s,dst=%s,sport=%d,dport=%d),reply=(src=",
                      protocol_name(c), src, dst, c->sport, c->dport);
    while (line && strncmp(line, start, strlen(start))) {
        line = strchr(line, '\n');
        line += line != NULL;
    }
    if (line && ovs_scan(line + strlen(start),
                         "%45[^,],dst=%*[^,],sport=%"SCNu16, addr,
                         &outcome->port)
        && parse_address(addr, &outcome->addr)) {
        outcome->kind = SERVICE_TRACKED;
    }
    free(start);
}

/* Returns the number of the last group that 'trace' names before 'end'. */
static uint32_t
last_group(const char *trace, const char *end)
{
    uint32_t id = 0;

    for (const char *group = strstr(trace, " group:"); group && group < end;
         group = strstr(group + 1, " group:")) {
        ovs_scan(group, " group:%"SCNu32, &id);
    }
    return id;
}

/* Stores in '*outcome' what 'trace', what "ofproto/trace-packet-out" says,
 * tells of the first packet of a connection.  That is SERVICE_UNKNOWN for a
 * group that is not chosen by our action: the trace of such a group shows one
 * of its buckets, whichever it is. */
void
service_explain_traced(const char *trace, struct service_outcome *outcome)
{
    const char *lb = strstr(trace, " lb(");
    uint64_t hash;
    int n = 0;

    outcome->kind = SERVICE_UNKNOWN;
    while (lb && !ovs_scan(lb, " lb(%*d): %nhash 0x%"SCNx64, &n, &hash)) {
        lb = strstr(lb + 1, " lb(");
    }
    if (lb) {
        size_t length = strcspn(lb, "\n");
        const char *token = strstr(lb, "dp_hash ");

        if (token && token < lb + length
            && ovs_scan(token, "dp_hash 0x%"SCNx32, &outcome->token)) {
            outcome->kind = SERVICE_CHOSEN;
            outcome->group_id = last_group(trace, lb);
            free(outcome->why);
            outcome->why = xmemdup0(lb + n, length - n);
        }
    } else if (!strstr(trace, " group:") && strstr(trace, "Final flow:")) {
        outcome->kind = SERVICE_NO_CHOICE;
        outcome->why = xstrdup(strstr(trace, "controller(")
                               ? "it is rejected" : "it meets no group");
    }
}

/* Stores in '*o' the endpoint to which 'bucket' leads, by a group of its own
 * or not, or the group of a part. */
static void
follow_bucket(const struct service_pipeline *p,
              const struct ofputil_bucket *bucket, struct service_outcome *o)
{
    struct in6_addr node;
    uint32_t id;

    if (bucket && flows_find_group(bucket, &id)) {
        if (of_sync_group_chooses(p->sync, id) && !o->in_part) {
            o->kind = SERVICE_PART;
            o->in_part = true;
            o->group_id = id;
            return;
        }
        bucket = of_sync_find_bucket(p->sync, id, OFPG15_BUCKET_FIRST);
    }
    if (bucket && flows_find_endpoint(bucket, &o->addr, &o->port)) {
        o->kind = SERVICE_NEW;
    } else if (bucket && flows_find_node(bucket, &node)) {
        char addr[INET6_ADDRSTRLEN];

        ipv6_string_mapped(addr, &node);
        o->kind = SERVICE_NO_CHOICE;
        free(o->why);
        o->why = xasprintf("node %s chooses, and answers directly", addr);
    } else if (bucket && flows_rejects(bucket)) {
        o->kind = SERVICE_NO_CHOICE;
        free(o->why);
        o->why = xstrdup("it is rejected, as the share of a Service without "
                         "endpoints");
    }
}

/* Stores in '*outcome', which is SERVICE_CHOSEN, the endpoint, or the group of
 * a part, that belongs to its token by 'show', what "lb/show" says of the
 * group: a line for each bucket.  If none has the token, it is
 * SERVICE_UNKNOWN. */
void
service_explain_chosen(const struct service_pipeline *p, const char *show,
                       struct service_outcome *outcome)
{
    outcome->kind = SERVICE_UNKNOWN;
    for (const char *line = show; line; line = strchr(line + 1, '\n')) {
        uint32_t id, token;

        if (ovs_scan(line + strspn(line, "\n "),
                     "bucket %"SCNu32": weight %*u, %*[a-z], dp_hash "
                     "0x%"SCNx32, &id, &token) && token == outcome->token) {
            follow_bucket(p, of_sync_find_bucket(p->sync, outcome->group_id,
                                                 id), outcome);
            return;
        }
    }
}

/* The answer. */

static bool
set_has(const struct service_set *set, const struct service_outcome *o)
{
    for (size_t i = 0; i < set->n; i++) {
        if (set->endpoints[i].port == o->port
            && ipv6_addr_equals(&set->endpoints[i].addr, &o->addr)) {
            return true;
        }
    }
    return false;
}

/* Returns what the Service 'key', null for none, has the endpoint for. */
static const char *
endpoint_state(const struct service_pipeline *p, const char *key,
               const struct service_outcome *o)
{
    const struct service *service = key ? service_of(p->store, key) : NULL;
    bool serves = false;

    for (size_t i = 0; service && i < service->n; i++) {
        const struct service_port *port = &service->ports[i];

        if (set_has(&port->cluster, o) || set_has(&port->internal, o)
            || set_has(&port->external, o)) {
            return "gets new connections";
        }
        serves |= set_has(&port->serving, o);
    }
    return serves ? "keeps old connections" : "is no endpoint any more";
}

/* Appends the endpoint of 'o', which has one. */
void
service_explain_format_address(const struct service_outcome *o, struct ds *s)
{
    bool ipv6 = is_ipv6(&o->addr);

    ds_put_cstr(s, ipv6 ? "[" : "");
    ipv6_format_mapped(&o->addr, s);
    ds_put_format(s, "%s:%d\n", ipv6 ? "]" : "", o->port);
}

/* Appends the endpoint of 'o', or that there is none, and what Service 'key',
 * null for none, has it for now. */
void
service_explain_format_endpoint(const struct service_pipeline *p,
                                const char *key,
                                const struct service_outcome *o, struct ds *s)
{
    if (o->kind == SERVICE_TRACKED || o->kind == SERVICE_NEW) {
        ds_put_cstr(s, "endpoint: ");
        service_explain_format_address(o, s);
        ds_put_format(s, "state: %s\n", endpoint_state(p, key, o));
    } else {
        ds_put_format(s, "endpoint: %s\n", (o->kind == SERVICE_NO_CHOICE
                                            ? "none" : "not known"));
    }
}

/* Appends what 'o' says about 'c', and what the program knows, in lines. */
void
service_explain_format(const struct service_pipeline *p,
                       const struct service_connection *c,
                       const struct service_outcome *o, struct ds *s)
{
    const char *key = pipeline_owner_of(p, &c->dst, c->protocol, c->dport);
    const struct piped_service *ps = key ? shash_find_data(&p->services, key)
                                         : NULL;

    ds_put_format(s, "service: %s\n", key ? key : "none");
    service_explain_format_endpoint(p, key, o, s);
    ds_put_format(s, "reason: %s%s\n",
                  o->kind == SERVICE_TRACKED ? "the switch tracks it"
                  : o->kind == SERVICE_NEW ? "a new connection, chosen by "
                  : o->kind == SERVICE_NO_CHOICE ? "a new connection: " : "",
                  o->why ? o->why : "");
    if (ps) {
        char *since = xastrftime_msec("%Y-%m-%dT%H:%M:%S.###Z", ps->changed,
                                      true);

        ds_put_format(s, "endpoints unchanged since: %s\n", since);
        free(since);
    }
}
