/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "node-rule.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "node-kernel.h"
#include "packets.h"
#include "util.h"
#include "utilities/netlink/rt-netlink.h"

struct rule {
    uint8_t family, protocol;   /* 'protocol': who made it. */
    uint32_t pref, table;
    struct in6_addr dst;        /* All-zeros: any. */
    char iif[IFNAMSIZ];
    uint8_t ip_proto;
    struct fib_rule_port_range ports;
};

struct rules {
    struct rule *rules;
    size_t n, allocated;
};

static void
add_rule(struct rules *rules, const struct rule *rule)
{
    if (rules->n >= rules->allocated) {
        rules->rules = x2nrealloc(rules->rules, &rules->allocated,
                                  sizeof *rules->rules);
    }
    rules->rules[rules->n++] = *rule;
}

static bool
rules_are_equal(const struct rule *a, const struct rule *b)
{
    return (a->family == b->family && a->pref == b->pref
            && a->table == b->table && ipv6_addr_equals(&a->dst, &b->dst)
            && !strcmp(a->iif, b->iif) && a->ip_proto == b->ip_proto
            && a->ports.start == b->ports.start
            && a->ports.end == b->ports.end);
}

/* Is it the kernel's own rule for local addresses, at its first place? */
static bool
is_first_local(const struct rule *r)
{
    return r->table == RT_TABLE_LOCAL && !r->pref;
}

static int
note_rule(const struct nlmsghdr *nlh, void *rules)
{
    const struct fib_rule_hdr *frh = mnl_nlmsg_get_payload(nlh);
    struct rule r = { .family = frh->family, .table = frh->table };
    const struct nlattr *attr;

    if (nlh->nlmsg_type != RTM_NEWRULE || frh->action != FR_ACT_TO_TBL) {
        return MNL_CB_OK;
    }
    mnl_attr_for_each (attr, nlh, sizeof *frh) {
        size_t len = mnl_attr_get_payload_len(attr);

        switch (mnl_attr_get_type(attr)) {
        case FRA_PRIORITY: r.pref = mnl_attr_get_u32(attr); break;
        case FRA_TABLE: r.table = mnl_attr_get_u32(attr); break;
        case FRA_PROTOCOL: r.protocol = mnl_attr_get_u8(attr); break;
        case FRA_IP_PROTO: r.ip_proto = mnl_attr_get_u8(attr); break;
        case FRA_DST: r.dst = netlink_get_ip(attr); break;
        case FRA_IIFNAME:
            ovs_strlcpy(r.iif, mnl_attr_get_str(attr), sizeof r.iif);
            break;
        case FRA_DPORT_RANGE:
            memcpy(&r.ports, mnl_attr_get_payload(attr),
                   MIN(len, sizeof r.ports));
            break;
        }
    }
    if (r.protocol == NODE_PROTOCOL || is_first_local(&r)) {
        add_rule(rules, &r);
    }
    return MNL_CB_OK;
}

static int
read_rules(struct mnl_socket *socket, struct rules *rules)
{
    static const uint8_t families[] = { AF_INET, AF_INET6 };
    int error = 0;

    for (size_t i = 0; i < ARRAY_SIZE(families) && !error; i++) {
        char buffer[NETLINK_LEN];
        struct nlmsghdr *nlh = netlink_request(buffer, RTM_GETRULE,
                                               NLM_F_DUMP);
        struct fib_rule_hdr *frh = mnl_nlmsg_put_extra_header(nlh,
                                                              sizeof *frh);

        frh->family = families[i];
        error = netlink_transact(socket, nlh, note_rule, rules);
    }
    return error;
}

/* Adds or deletes 'r', as 'type' says. */
static int
change_rule(struct mnl_socket *socket, int type, const struct rule *r)
{
    char buffer[NETLINK_LEN];
    struct nlmsghdr *nlh = netlink_request(
        buffer, type, NLM_F_ACK | (type == RTM_NEWRULE
                                   ? NLM_F_CREATE | NLM_F_EXCL : 0));
    struct fib_rule_hdr *frh = mnl_nlmsg_put_extra_header(nlh, sizeof *frh);
    int error;

    frh->family = r->family;
    frh->action = FR_ACT_TO_TBL;
    mnl_attr_put_u32(nlh, FRA_TABLE, r->table);
    mnl_attr_put_u32(nlh, FRA_PRIORITY, r->pref);
    mnl_attr_put_u8(nlh, FRA_PROTOCOL, r->protocol);
    if (ipv6_addr_is_set(&r->dst)) {
        frh->dst_len = r->family == AF_INET ? 32 : 128;
        netlink_put_ip(nlh, FRA_DST, &r->dst);
    }
    if (r->iif[0]) {
        mnl_attr_put_strz(nlh, FRA_IIFNAME, r->iif);
    }
    if (r->ip_proto) {
        mnl_attr_put_u8(nlh, FRA_IP_PROTO, r->ip_proto);
        mnl_attr_put(nlh, FRA_DPORT_RANGE, sizeof r->ports, &r->ports);
    }
    error = netlink_transact(socket, nlh, NULL, NULL);
    return (type == RTM_NEWRULE && error == EEXIST ? 0
            : type == RTM_DELRULE && error == ENOENT ? 0 : error);
}

/* Adds to 'want' a copy of 'r' for each protocol of node ports. */
static void
want_protocols(struct rules *want, struct rule r)
{
    static const uint8_t protocols[] = { IPPROTO_TCP, IPPROTO_UDP,
                                         IPPROTO_SCTP };

    for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
        r.ip_proto = protocols[i];
        add_rule(want, &r);
    }
}

/* Adds to 'want' the rules for 'addr', and for the local addresses of its
 * family.  Returns false if no interface has 'addr'. */
static bool
want_address(struct rules *want, const char *host,
             const struct node_ports *ports, const struct in6_addr *addr)
{
    struct rule r = {
        .family = IN6_IS_ADDR_V4MAPPED(addr) ? AF_INET : AF_INET6,
        .protocol = NODE_PROTOCOL,
        .pref = NODE_RULE_LOCAL,
        .table = RT_TABLE_LOCAL,
    };
    bool has_local = false;

    for (size_t i = 0; i < want->n; i++) {
        has_local |= rules_are_equal(&want->rules[i], &r);
    }
    if (!has_local) {
        add_rule(want, &r);
    }
    if (!link_find(addr, host, r.iif)) {
        return false;
    }
    r.pref = NODE_RULE_PORTS;
    r.table = NODE_TABLE;
    r.dst = *addr;
    r.ports = (struct fib_rule_port_range) { ports->first, ports->last };
    want_protocols(want, r);
    /* For packets from the node itself. */
    ovs_strlcpy(r.iif, "lo", sizeof r.iif);
    want_protocols(want, r);
    return true;
}

/* Adds what of 'want' is not in 'have', and then deletes what of 'have' is not
 * wanted, so that local addresses are found all the time. */
static int
make(struct mnl_socket *socket, const struct rules *have,
     const struct rules *want)
{
    int error = 0;

    for (size_t i = 0; i < want->n; i++) {
        bool there = false;

        for (size_t j = 0; j < have->n; j++) {
            there |= rules_are_equal(&have->rules[j], &want->rules[i]);
        }
        if (!there && !error) {
            error = change_rule(socket, RTM_NEWRULE, &want->rules[i]);
        }
    }
    for (size_t j = 0; j < have->n; j++) {
        bool wanted = false;

        for (size_t i = 0; i < want->n; i++) {
            wanted |= rules_are_equal(&have->rules[j], &want->rules[i]);
        }
        if (!wanted && !error) {
            error = change_rule(socket, RTM_DELRULE, &have->rules[j]);
        }
    }
    return error;
}

/* Adds to 'want' the first place of the rule for local addresses, in each
 * family in which it is ours that has moved, and stays, or shall move back. */
static void
want_first_local(const struct rules *have, struct rules *want)
{
    static const uint8_t families[] = { AF_INET, AF_INET6 };

    for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
        bool moves = false, known = false;

        for (size_t j = 0; j < want->n; j++) {
            moves |= want->rules[j].family == families[i];
        }
        for (size_t j = 0; j < have->n; j++) {
            known |= have->rules[j].family == families[i];
        }
        if (known && !moves) {
            add_rule(want, &(struct rule) {
                .family = families[i], .protocol = RTPROT_KERNEL,
                .table = RT_TABLE_LOCAL,
            });
        }
    }
}

char *
node_rules_apply(struct mnl_socket *socket, const char *host,
                 const struct node_ports *ports,
                 const struct in6_addr *addrs, size_t n)
{
    struct rules have = { .n = 0 }, want = { .n = 0 };
    char *message = NULL;
    int error = read_rules(socket, &have);

    for (size_t i = 0; ports->last && i < n; i++) {
        if (!want_address(&want, host, ports, &addrs[i]) && !message) {
            char ip[INET6_ADDRSTRLEN];

            ipv6_string_mapped(ip, &addrs[i]);
            message = xasprintf("no interface has the node's address %s: "
                                "its node ports are not served", ip);
        }
    }
    want_first_local(&have, &want);
    error = error ? error : make(socket, &have, &want);
    if (error) {
        free(message);
        message = xasprintf("the kernel's rules for node ports: %s",
                            ovs_strerror(error));
    }
    free(have.rules);
    free(want.rules);
    return message;
}
