/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "tests/equivalence/eq-generate.h"

#include <netinet/in.h>
#include <string.h>

#include "packets.h"
#include "util.h"

static uint32_t
bits_of(struct plan *p, uint32_t n)
{
    /* All, the first ones, or some. */
    return (rarely(p, 2) ? UINT32_MAX : rarely(p, 3) ? rnd(p, UINT32_MAX)
            : UINT32_MAX << rnd(p, n)) & (UINT32_MAX >> (32 - n));
}

/* Makes a test that packets of some conversation are likely to pass. */
static struct eq_test
make_test(struct plan *p)
{
    static const uint8_t fields[] = {
        EQ_IN_PORT, EQ_IN_PORT, EQ_DL_TYPE, EQ_NW_PROTO, EQ_NW_PROTO,
        EQ_NW_SRC, EQ_NW_DST, EQ_NW_DST, EQ_IPV6_SRC, EQ_IPV6_DST, EQ_TP_SRC,
        EQ_TP_DST, EQ_TP_DST, EQ_NW_TOS, EQ_NW_TTL, EQ_VLAN, EQ_DL_DST,
        EQ_PKT_MARK, EQ_PRIORITY, EQ_NW_FRAG, EQ_TUN_ID,
    };
    const struct eq_conv *conv = &p->c->convs[rnd(p, p->c->n_convs)];
    bool reply = rarely(p, 3);
    struct eq_test t = { .field = fields[rnd(p, ARRAY_SIZE(fields))],
                         .mask = UINT32_MAX };

    switch (t.field) {
    case EQ_IN_PORT: t.value = conv->in_port; break;
    case EQ_DL_TYPE: t.value = conv->ipv6 ? ETH_TYPE_IPV6 : ETH_TYPE_IP; break;
    case EQ_NW_PROTO: t.value = conv->proto; break;
    case EQ_NW_SRC:
    case EQ_IPV6_SRC:
        t.value = reply ? conv->dst : conv->src;
        t.mask = bits_of(p, 32);
        break;
    case EQ_NW_DST:
    case EQ_IPV6_DST:
        t.value = reply ? conv->src : conv->dst;
        t.mask = bits_of(p, 32);
        break;
    case EQ_TP_SRC:
        t.value = reply ? conv->tp_dst : conv->tp_src;
        t.mask = bits_of(p, 16);
        break;
    case EQ_TP_DST:
        t.value = reply ? conv->tp_src : conv->tp_dst;
        t.mask = bits_of(p, 16);
        break;
    case EQ_NW_TOS: t.value = conv->tos; t.mask = bits_of(p, 8); break;
    case EQ_NW_TTL: t.value = conv->ttl; t.mask = bits_of(p, 8); break;
    case EQ_VLAN: t.value = conv->vlan; t.mask = 0xfff; break;
    case EQ_DL_DST: t.value = conv->dst; t.mask = bits_of(p, 32); break;
    case EQ_PKT_MARK:
    case EQ_PRIORITY: t.value = rnd(p, 4); break;
    case EQ_NW_FRAG: t.value = rnd(p, 4); t.mask = 3; break;
    case EQ_TUN_ID: t.value = rnd(p, 4); break;
    default: OVS_NOT_REACHED();
    }
    t.value &= t.mask;
    return t;
}

static struct eq_test
make_ct_test(struct plan *p)
{
    static const uint8_t states[] = { CS_NEW, CS_ESTABLISHED, CS_REPLY_DIR,
                                      CS_INVALID, CS_NEW, CS_DST_NAT };

    switch (rnd(p, 8)) {
    case 0: return (struct eq_test) { EQ_CT_MARK, 3, rnd(p, 4) };
    case 1: return (struct eq_test) { EQ_CT_LABEL, 3, rnd(p, 4) };
    default: {
        uint8_t state = states[rnd(p, ARRAY_SIZE(states))];

        return (struct eq_test) { EQ_CT_STATE, state,
                                  rarely(p, 8) ? 0 : state };
    }
    }
}

/* Leaves. */

static void
add(struct eq_node *leaf, struct eq_action action)
{
    if (leaf->n_actions < EQ_MAX_ACTIONS - 3) {
        leaf->actions[leaf->n_actions++] = action;
    }
}

static void
add_end(struct eq_node *leaf, struct eq_action action)
{
    leaf->actions[leaf->n_actions++] = action;
}

/* Rewrites.  Only the 'last' may let two conversations become one. */
static void
add_rewrites(struct plan *p, struct eq_node *leaf, bool last)
{
    const struct eq_action any[] = {
        { EQ_A_PRIORITY, .a = rnd(p, 4) },
        { EQ_A_PKT_MARK, .a = rnd(p, 4) },
        { EQ_A_ETH, .a = rnd(p, 256) },
        { EQ_A_ETH, .a = rnd(p, 256) },
        { EQ_A_NW_TOS, .a = 4 * rnd(p, 64) },
        { .kind = EQ_A_DEC_TTL },
        { .kind = EQ_A_DEC_TTL },
        { .kind = EQ_A_POP_VLAN },
        /* Rewrites that keep answers from their connections. */
        { EQ_A_NW_DST, .a = 0x0a000201 + rnd(p, 3) },
        { EQ_A_TP_DST, .a = 8000 + rnd(p, 3) },
        { .kind = EQ_A_CT_CLEAR },
        /* Those for the last way. */
        { EQ_A_NW_SRC, .a = 0x0a000301 + rnd(p, 3) },
        { EQ_A_TP_SRC, .a = 9000 + rnd(p, 3) },
        { EQ_A_PUSH_VLAN, .a = 1 + rnd(p, 4094) },
    };
    uint32_t n = rnd(p, 4);

    while (n--) {
        add(leaf, any[rnd(p, ARRAY_SIZE(any)
                          - (p->straight && !rarely(p, 6) ? 6
                             : last ? 0 : 3))]);
    }
}

/* Swaps the addresses of some conversation.  The sum of its octets stays. */
static void
add_swap(struct plan *p, struct eq_node *leaf)
{
    const struct eq_conv *conv = &p->c->convs[rnd(p, p->c->n_convs)];

    add(leaf, (struct eq_action) { EQ_A_NW_SRC, .a = conv->dst });
    add(leaf, (struct eq_action) { EQ_A_NW_DST, .a = conv->src });
}

/* Commits to 'zone'.  Translates only new connections. */
static void
add_commit(struct plan *p, struct eq_node *leaf, uint32_t zone, bool new)
{
    struct eq_action ct = { EQ_A_CT, .zone = zone, .ct = EQ_DO_COMMIT };

    switch (new && p->translates ? rnd(p, 4) : 3) {
    case 0:
        ct.ct |= EQ_DO_NAT | EQ_DO_SNAT;
        ct.a = 0x0a000401 + rnd(p, 2);
        break;
    case 1:
    case 2:
        ct.ct |= EQ_DO_NAT | EQ_DO_DNAT;
        ct.a = 0x0a000501 + rnd(p, 3);
        ct.b = rarely(p, 2) ? 8080 : 0;
        break;
    }
    ct.ct |= rarely(p, new ? 4 : 2) ? EQ_DO_MARK : 0;
    ct.ct |= rarely(p, 5) ? EQ_DO_LABEL : 0;
    ct.mark = rnd(p, 4);
    add(leaf, ct);
}

/* Maybe commits in a leaf of 'table'. */
static void
add_commits(struct plan *p, struct eq_node *leaf, uint32_t table, bool new)
{
    for (uint32_t zone = 1; zone <= table; zone++) {
        if (p->kinds[zone] != AFTER_CT) {
            continue;
        } else if (new && p->committers[zone] == table) {
            if (p->straight || rnd(p, 10) < 8) {
                add_commit(p, leaf, zone, true);
            }
        } else if (zone == table && rarely(p, 4) && !leaf->n_actions) {
            add_commit(p, leaf, zone, false);
        }
    }
}

static void
add_recirc(struct plan *p, struct eq_node *leaf, uint32_t to)
{
    switch (p->kinds[to]) {
    case PLAIN:
        break;
    case AFTER_CT:
        add_end(leaf, (struct eq_action) {
            EQ_A_CT, .zone = to,
            .ct = (p->straight || !rarely(p, 4) ? EQ_DO_NAT
                   : rarely(p, 3) ? EQ_DO_COMMIT : 0),
        });
        break;
    case AFTER_LB:
        add_end(leaf, (struct eq_action) { EQ_A_LB, .a = p->groups[to] });
        break;
    case AFTER_HASH:
        add_end(leaf, (struct eq_action) { EQ_A_HASH, .a = 7 });
        break;
    }
    add_end(leaf, (struct eq_action) { EQ_A_RECIRC, .a = to });
}

static void
add_output(struct plan *p, struct eq_node *leaf)
{
    uint32_t port = rnd(p, EQ_N_PORTS);

    switch (rnd(p, 32)) {
    case 0:
        add_end(leaf, (struct eq_action) { .kind = EQ_A_DROP });
        return;
    case 1:
        leaf->n_actions = 0;
        return;
    case 2:
        add_end(leaf, (struct eq_action) { EQ_A_CLONE, .a = rnd(p, 4) });
        break;
    case 3:
        add_end(leaf, (struct eq_action) { EQ_A_TRUNC, .a = 60 });
        break;
    case 4:
    case 5:
    case 6:
    case 7:
    case 8:
    case 9:
        if (!p->c->tunnels) {
            break;
        }
        add_end(leaf, (struct eq_action) {
            EQ_A_TUNNEL, .a = 1 + rnd(p, EQ_N_TUNNELS - 1),
            .b = 1 + rnd(p, 3) });
        return;
    }
    add_end(leaf, (struct eq_action) { EQ_A_OUTPUT, .a = port });
}

/* Puts a meter before some action of 'leaf', if there is room. */
static void
insert_meter(struct plan *p, struct eq_node *leaf)
{
    if (leaf->n_actions && leaf->n_actions < EQ_MAX_ACTIONS) {
        uint32_t i = eq_random(&p->meter_rng, leaf->n_actions);
        struct eq_action *action = &leaf->actions[i];

        memmove(action + 1, action,
                (leaf->n_actions++ - i) * sizeof *action);
        *action = (struct eq_action) {
            EQ_A_METER, .a = eq_random(&p->meter_rng, EQ_N_METERS)
        };
    }
}

/* Fills in a leaf of 'table', for packets that are new to the tracker if
 * 'new'. */
void
make_leaf(struct plan *p, struct eq_node *leaf, uint32_t table, bool new)
{
    uint32_t n_left = p->c->n_tables - 1 - table;
    bool first = p->straight && !table;
    bool last = !first && (!n_left || rarely(p, table ? 2 : 5)
                           || (!new && n_left
                               && p->committers[table] == table + 1));

    leaf->n_actions = 0;
    leaf->is_new = new;
    add_rewrites(p, leaf, last);
    if (last && rarely(p, 6)) {
        add_swap(p, leaf);
    }
    add_commits(p, leaf, table, new);
    if (last) {
        add_output(p, leaf);
    } else {
        add_recirc(p, leaf, table + 1 + (!first && rarely(p, 3)
                                         ? rnd(p, n_left) : 0));
    }
    while (p->c->meters && eq_rarely(&p->meter_rng, last ? 2 : 10)) {
        insert_meter(p, leaf);
    }
}

static uint32_t
make_node(struct plan *p, uint32_t table, uint32_t depth, bool new)
{
    struct eq_table *t = &p->c->tables[table];
    bool after_ct = p->kinds[table] == AFTER_CT;
    uint32_t i = t->n_nodes++;
    struct eq_node *node = &t->nodes[i];

    memset(node, 0, sizeof *node);
    if (depth >= 3 || (p->straight && !table)
        || t->n_nodes + 2 * (3 - depth) > EQ_MAX_NODES
        || (rarely(p, depth ? 3 : 6) && (depth || !after_ct))) {
        make_leaf(p, node, table, new);
        return i;
    }
    if (after_ct && !depth && !rarely(p, p->straight ? 20 : 4)) {
        node->test = (struct eq_test) { EQ_CT_STATE, CS_NEW, CS_NEW };
    } else {
        node->test = (after_ct && rnd(p, 4) < 3 - depth
                      ? make_ct_test(p) : make_test(p));
    }
    if (p->flags && rarely(p, 4)) {
        node->test = (struct eq_test) { EQ_TCP_FLAGS, TCP_PSH, TCP_PSH };
    }
    for (uint32_t child = 0; child < 2; child++) {
        bool is_new = (node->test.field == EQ_CT_STATE
                       && node->test.mask & CS_NEW
                       ? child == !!node->test.value : new);

        node->children[child] = make_node(p, table, depth + 1, is_new);
    }
    return i;
}

/* A table that tells buckets apart by a chain of tests of dp_hash. */
static void
make_bucket_table(struct plan *p, uint32_t table)
{
    struct eq_table *t = &p->c->tables[table];
    bool lb = p->kinds[table] == AFTER_LB;

    for (uint32_t bucket = 0; bucket < EQ_MAX_BUCKETS; bucket++) {
        struct eq_node *node = &t->nodes[2 * bucket];

        memset(node, 0, 2 * sizeof *node);
        node->test = (struct eq_test) {
            EQ_DP_HASH, lb ? UINT32_MAX : EQ_MAX_BUCKETS - 1,
            lb ? 100 * p->groups[table] + bucket + 1 : bucket
        };
        node->children[0] = 2 * bucket + 2;
        node->children[1] = 2 * bucket + 1;
        make_leaf(p, &node[1], table, true);
    }
    t->n_nodes = 2 * EQ_MAX_BUCKETS + 1;
    memset(&t->nodes[t->n_nodes - 1], 0, sizeof t->nodes[0]);
    t->nodes[t->n_nodes - 1].actions[t->nodes[t->n_nodes - 1].n_actions++]
        = (struct eq_action) { .kind = EQ_A_DROP };
}

void
make_tables(struct plan *p)
{
    static const uint8_t kinds[] = { AFTER_CT, AFTER_CT, AFTER_CT, AFTER_LB,
                                     AFTER_LB, AFTER_HASH, PLAIN };

    p->straight = rarely(p, 2);
    p->translates = rarely(p, 2);
    p->flags = rarely(p, 12);
    p->c->n_tables = 1 + p->straight + rnd(p, EQ_MAX_TABLES - 1);
    p->kinds[0] = PLAIN;
    for (uint32_t i = 1; i < p->c->n_tables; i++) {
        p->kinds[i] = (p->straight && i == 1 ? AFTER_CT
                       : kinds[rnd(p, ARRAY_SIZE(kinds))]);
        p->groups[i] = 1 + rnd(p, EQ_N_GROUPS);
    }
    for (uint32_t i = 1; i < p->c->n_tables; i++) {
        bool later = (i + 1 < p->c->n_tables && !rarely(p, 3)
                      && (p->kinds[i + 1] == AFTER_LB
                          || p->kinds[i + 1] == AFTER_HASH));

        p->committers[i] = i + later;
    }
    for (uint32_t i = 0; i < p->c->n_tables; i++) {
        p->c->tables[i].n_nodes = 0;
        if (p->kinds[i] == AFTER_LB || p->kinds[i] == AFTER_HASH) {
            make_bucket_table(p, i);
        } else {
            make_node(p, i, 0, false);
        }
    }
}
