/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "tests/equivalence/eq-generate.h"

#include <netinet/in.h>
#include <string.h>

#include "packets.h"
#include "util.h"

void
make_group(struct plan *p, struct eq_group *group, uint32_t timeout)
{
    memset(group, 0, sizeof *group);
    group->timeout = timeout;
    group->n_buckets = 1 + rnd(p, EQ_MAX_BUCKETS);
    group->alive = rarely(p, 3) ? rnd(p, 16) : 15;
    for (uint32_t i = 0; i < group->n_buckets; i++) {
        group->weights[i] = rarely(p, 5) ? 0 : 1 + rnd(p, 3);
    }
}

/* Packets. */

static uint8_t
some(struct plan *p, uint32_t n, uint32_t one_in)
{
    return rarely(p, one_in) ? 1 + rnd(p, n - 1) : 0;
}

/* Makes a packet unlike the others of its conversation. */
static void
make_odd(struct plan *p, struct eq_pkt *pkt)
{
    static const uint8_t flags[] = { TCP_FIN | TCP_ACK, TCP_RST, TCP_SYN,
                                     TCP_RST | TCP_ACK, TCP_ACK | TCP_URG,
                                     0, TCP_SYN | TCP_ACK };

    if (rarely(p, 8)) {
        pkt->flags = flags[rnd(p, ARRAY_SIZE(flags))];
    }
    pkt->seq = some(p, EQ_EDGE + 1, 4);
    pkt->ack = some(p, EQ_EDGE + 1, 8);
    pkt->csum = some(p, EQ_WRONG + 1, 3);
    pkt->ip_wrong = rarely(p, 16);
    pkt->ip_zero = some(p, 3, 12);
    pkt->outer_wrong = rarely(p, 16);
    pkt->options = rarely(p, 24);
    pkt->ttl = some(p, 3, 6);
    pkt->tos = some(p, 256, 8);
    pkt->offload = rarely(p, 6) ? 1 + rnd(p, 3) : 0;
    pkt->rss = some(p, 4, 8);
    pkt->pad = some(p, 46, 4);
    pkt->headroom = rarely(p, 3) ? rnd(p, 3) : 0;
    pkt->len = rarely(p, 3) ? 8 + rnd(p, 1400) : pkt->len;
    if (p->c->tunnels && (pkt->flags & 7 || !pkt->flags)) {
        /* A packet that the cache cannot read, such as a RST in a tunnel with
         * options, is judged after the hits of its batch. */
        pkt->options = false;
        pkt->pad = 0;
    }
}

static void
make_pkts(struct plan *p, struct eq_event *event)
{
    uint32_t n_convs = p->c->n_convs, first = rnd(p, n_convs);
    uint32_t n_some = rarely(p, 3) ? n_convs : 1 + rnd(p, 3);
    uint32_t odd = rarely(p, 2) ? 0 : 3 + rnd(p, 8);
    static const uint16_t lens[] = { 8, 18, 26, 100, 300 };
    uint16_t len = lens[rnd(p, ARRAY_SIZE(lens))];
    uint32_t max = rarely(p, 3) ? 4 : EQ_MAX_BURST;

    event->n = 1 + rnd(p, max);
    for (uint32_t i = 0; i < event->n; i++) {
        struct eq_pkt *pkt = &event->pkts[i];

        pkt->conv = (first + rnd(p, n_some)) % n_convs;
        pkt->flags = TCP_ACK | (rarely(p, 4) ? TCP_PSH : 0);
        pkt->len = len;
        pkt->df = rarely(p, 3);
        pkt->timestamps = !(pkt->conv % 3);
        pkt->offload = pkt->conv % 4 == 1 ? EQ_GOOD : EQ_NONE;
        if (p->c->convs[pkt->conv].proto == IPPROTO_TCP && rarely(p, 4)) {
            pkt->len = 0;
        }
        if (odd && rarely(p, odd)) {
            make_odd(p, pkt);
            if (event->n > 1 && pkt->flags & TCP_SYN) {
                /* It may replace the connection.  The others of a batch meet
                 * the tracker before the new one is committed. */
                pkt->flags = TCP_ACK;
            }
        }
        if (odd && rarely(p, 20) && i + 1 < event->n
            && p->c->convs[pkt->conv].proto == IPPROTO_UDP) {
            event->pkts[i + 1] = *pkt;
            pkt->frag = EQ_FIRST;
            event->pkts[++i].frag = EQ_LAST;
        }
    }
}

/* A batch with one packet of each conversation, with 'flags' of TCP. */
static void
make_opening(struct plan *p, bool reply, uint8_t flags)
{
    struct eq_event *event = &p->c->events[p->c->n_events++];

    memset(event, 0, sizeof *event);
    event->reply = reply;
    event->n = p->c->n_convs;
    for (uint32_t i = 0; i < event->n; i++) {
        event->pkts[i] = (struct eq_pkt) { .conv = i, .flags = flags,
                                           .len = flags & TCP_SYN ? 0 : 18 };
    }
}

static uint32_t
random_leaf(struct plan *p, uint32_t table)
{
    const struct eq_table *t = &p->c->tables[table];
    uint32_t i;

    do {
        i = rnd(p, t->n_nodes);
    } while (t->nodes[i].children[1]);
    return i;
}

/* A change.  Time goes in small steps, which add up to less than any timeout,
 * and in large ones, which are longer.  Near the end of a timeout the sides
 * may differ by some seconds. */
static void
make_change(struct plan *p, struct eq_event *event, uint32_t *time)
{
    static const uint8_t kinds[] = {
        EQ_E_TIME, EQ_E_TIME, EQ_E_TIME, EQ_E_TIME, EQ_E_TIME,
        EQ_E_FLUSH_FLOWS, EQ_E_DELETE_FLOW, EQ_E_DELETE_FLOW,
        EQ_E_DELETE_FLOW, EQ_E_FLUSH_CT, EQ_E_CHANGE_LEAF, EQ_E_CHANGE_LEAF,
        EQ_E_CHANGE_LEAF, EQ_E_CHANGE_LEAF, EQ_E_GROUP, EQ_E_GROUP,
        EQ_E_NEIGHBOUR, EQ_E_PORT_FLAP, EQ_E_FLUSH_CACHE, EQ_E_TUNNEL,
    };

    do {
        event->kind = kinds[rnd(p, ARRAY_SIZE(kinds))];
    } while ((p->translates && event->kind == EQ_E_FLUSH_CT)
             || (!p->c->tunnels && event->kind == EQ_E_TUNNEL));
    switch (event->kind) {
    case EQ_E_TIME:
        event->a = !p->translates && rarely(p, 6) ? 100000 + rnd(p, 50000)
                   : rarely(p, 2) ? 1 + rnd(p, 300) : rnd(p, 4000);
        if (event->a < 100000) {
            event->a = MIN(event->a, 20000 - *time);
            *time += event->a;
        }
        break;
    case EQ_E_DELETE_FLOW:
    case EQ_E_NEIGHBOUR:
    case EQ_E_PORT_FLAP:
    case EQ_E_TUNNEL:
        event->a = rnd(p, 1 << 16);
        break;
    case EQ_E_FLUSH_CT:
        event->a = rnd(p, EQ_MAX_TABLES); /* 0: all zones. */
        break;
    case EQ_E_CHANGE_LEAF: {
        struct eq_node leaf;

        event->table = rnd(p, p->c->n_tables);
        event->node = random_leaf(p, event->table);
        make_leaf(p, &leaf, event->table,
                  p->c->tables[event->table].nodes[event->node].is_new);
        memcpy(event->actions, leaf.actions, sizeof leaf.actions);
        event->n_actions = leaf.n_actions;
        break;
    }
    case EQ_E_GROUP:
        event->a = rnd(p, EQ_N_GROUPS);
        make_group(p, &event->group, p->c->groups[event->a].timeout);
        break;
    case EQ_E_BATCH:
    case EQ_E_FLUSH_FLOWS:
    case EQ_E_FLUSH_CACHE:
    case EQ_N_EVENTS:
    default:
        break;
    }
}

void
make_events(struct plan *p)
{
    uint32_t n = 8 + rnd(p, EQ_MAX_EVENTS - 8);
    uint32_t first = 4 + rnd(p, 4), time = 0;

    p->c->n_events = 0;
    make_opening(p, false, TCP_SYN);
    make_opening(p, true, TCP_SYN | TCP_ACK);
    make_opening(p, false, TCP_ACK);
    make_opening(p, true, TCP_ACK);
    while (p->c->n_events < n) {
        struct eq_event *event = &p->c->events[p->c->n_events++];

        memset(event, 0, sizeof *event);
        if (p->c->tunnels && p->c->n_events == first) {
            event->kind = EQ_E_NEIGHBOUR;
            event->a = UINT16_MAX;
        } else if (rarely(p, 5)) {
            make_change(p, event, &time);
        } else {
            event->reply = rarely(p, 2);
            make_pkts(p, event);
        }
    }
}
