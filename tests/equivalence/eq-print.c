/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "tests/equivalence/eq-case.h"

#include <inttypes.h>
#include <stdio.h>

static const char *const field_names[EQ_N_FIELDS] = {
#define EQ_FIELD(NAME, TEXT) TEXT,
    EQ_FIELDS
#undef EQ_FIELD
};

static const char *const action_names[EQ_N_ACTIONS] = {
#define EQ_ACTION(NAME, TEXT) TEXT,
    EQ_ACTIONS
#undef EQ_ACTION
};

static const char *const event_names[EQ_N_EVENTS] = {
#define EQ_EVENT(NAME, TEXT) TEXT,
    EQ_EVENTS
#undef EQ_EVENT
};

static void
print_actions(const struct eq_action *actions, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        const struct eq_action *a = &actions[i];

        if (a->kind == EQ_A_CT) {
            printf(" ct(zone=%u%s%s%s%s%s%s,a=%x,b=%u,mark=%u)", a->zone,
                   a->ct & EQ_DO_COMMIT ? ",commit" : "",
                   a->ct & EQ_DO_NAT ? ",nat" : "",
                   a->ct & EQ_DO_SNAT ? ",src" : "",
                   a->ct & EQ_DO_DNAT ? ",dst" : "",
                   a->ct & EQ_DO_MARK ? ",mark" : "",
                   a->ct & EQ_DO_LABEL ? ",label" : "", a->a, a->b, a->mark);
        } else if (a->kind != EQ_A_NOTHING) {
            printf(" %s(%x,%x)", action_names[a->kind], a->a, a->b);
        }
    }
    printf("\n");
}

static void
print_node(const struct eq_table *table, uint32_t i, int indent)
{
    const struct eq_node *node = &table->nodes[i];

    printf("%*s%u: ", indent, "", i);
    if (!node->children[1]) {
        print_actions(node->actions, node->n_actions);
        return;
    }
    printf("%s=%x/%x\n", field_names[node->test.field], node->test.value,
           node->test.mask);
    print_node(table, node->children[1], indent + 4);
    print_node(table, node->children[0], indent + 4);
}

static void
print_pkt(const struct eq_pkt *pkt)
{
    printf("    conv=%u flags=%x len=%u", pkt->conv, pkt->flags, pkt->len);
#define PRINT(MEMBER)                                   \
    if (pkt->MEMBER) {                                  \
        printf(" " #MEMBER "=%u", pkt->MEMBER);         \
    }
    PRINT(seq)
    PRINT(ack)
    PRINT(frag)
    PRINT(csum)
    PRINT(ip_wrong)
    PRINT(ip_zero)
    PRINT(outer_wrong)
    PRINT(options)
    PRINT(df)
    PRINT(timestamps)
    PRINT(tos)
    PRINT(ttl)
    PRINT(offload)
    PRINT(rss)
    PRINT(pad)
    PRINT(headroom)
#undef PRINT
    printf("\n");
}

static void
print_group(const struct eq_group *group)
{
    printf("timeout=%u alive=%x weights", group->timeout, group->alive);
    for (uint32_t i = 0; i < group->n_buckets; i++) {
        printf(" %u", group->weights[i]);
    }
    printf("\n");
}

static void
print_event(const struct eq_event *event, uint32_t i)
{
    printf("  event %u: %s %u", i, event_names[event->kind], event->a);
    if (event->kind == EQ_E_BATCH) {
        printf("%s\n", event->reply ? " reply" : "");
        for (uint32_t j = 0; j < event->n; j++) {
            print_pkt(&event->pkts[j]);
        }
    } else if (event->kind == EQ_E_CHANGE_LEAF) {
        printf(" table %u node %u:", event->table, event->node);
        print_actions(event->actions, event->n_actions);
    } else if (event->kind == EQ_E_GROUP) {
        printf(" ");
        print_group(&event->group);
    } else {
        printf("\n");
    }
}

void
eq_case_print(const struct eq_case *c)
{
    static const char *const meters[] = { "", ", meters that count",
                                          ", meters that drop" };

    printf("seed %"PRIu64"%s%s%s\n", c->seed, c->tunnels ? ", tunnels" : "",
           c->overlaps ? ", overlaps" : "", meters[c->meters]);
    for (uint32_t i = 0; i < c->n_tables; i++) {
        printf("  table %u\n", i);
        print_node(&c->tables[i], 0, 4);
    }
    for (uint32_t i = 0; i < EQ_N_GROUPS; i++) {
        printf("  group %u: ", i);
        print_group(&c->groups[i]);
    }
    for (uint32_t i = 0; i < c->n_convs; i++) {
        const struct eq_conv *v = &c->convs[i];

        printf("  conv %u: port=%u proto=%u%s vlan=%u tos=%u ttl=%u %x:%u > "
               "%x:%u rss=%x window=%u tunnel=%u:%u\n", i, v->in_port,
               v->proto, v->ipv6 ? " ipv6" : "", v->vlan, v->tos, v->ttl,
               v->src, v->tp_src, v->dst, v->tp_dst, v->rss, v->window,
               v->tunnel, v->tun_id);
    }
    for (uint32_t i = 0; i < c->n_events; i++) {
        print_event(&c->events[i], i);
    }
}
