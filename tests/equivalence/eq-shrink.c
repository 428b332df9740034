/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "tests/equivalence/eq-case.h"

#include <string.h>

#include "util.h"

typedef bool differs_func(const struct eq_case *);

/* If 'smaller' still differs, makes it '*c'. */
static bool
try(struct eq_case *c, const struct eq_case *smaller, differs_func *differs)
{
    if (!differs(smaller)) {
        return false;
    }
    *c = *smaller;
    return true;
}

/* Leaves out events, 'lump' at a time. */
static bool
shrink_events(struct eq_case *c, uint32_t lump, differs_func *differs)
{
    static struct eq_case s;
    bool any = false;

    for (uint32_t i = 0; i + lump <= c->n_events;) {
        s = *c;
        s.n_events -= lump;
        memmove(&s.events[i], &s.events[i + lump],
                (s.n_events - i) * sizeof s.events[0]);
        if (try(c, &s, differs)) {
            any = true;
        } else {
            i++;
        }
    }
    return any;
}

static bool
shrink_packets(struct eq_case *c, differs_func *differs)
{
    static struct eq_case s;
    bool any = false;

    for (uint32_t i = 0; i < c->n_events; i++) {
        for (uint32_t j = 0; j < c->events[i].n && c->events[i].n > 1;) {
            struct eq_event *event = &s.events[i];

            s = *c;
            event->n--;
            memmove(&event->pkts[j], &event->pkts[j + 1],
                    (event->n - j) * sizeof event->pkts[0]);
            if (try(c, &s, differs)) {
                any = true;
            } else {
                j++;
            }
        }
    }
    return any;
}

/* Replaces nodes by their children, and leaves out actions. */
static bool
shrink_node(struct eq_case *c, uint32_t table, uint32_t i,
            differs_func *differs)
{
    struct eq_node *node = &c->tables[table].nodes[i];
    static struct eq_case s;
    bool any = false;

    for (uint32_t child = 0; child < 2 && node->children[child]; child++) {
        s = *c;
        s.tables[table].nodes[i]
            = c->tables[table].nodes[node->children[child]];
        any |= try(c, &s, differs);
    }
    for (uint32_t j = 0; !node->children[1] && j < node->n_actions; j++) {
        if (node->actions[j].kind != EQ_A_NOTHING) {
            s = *c;
            s.tables[table].nodes[i].actions[j].kind = EQ_A_NOTHING;
            any |= try(c, &s, differs);
        }
    }
    return any;
}

bool
eq_case_shrink(struct eq_case *c, differs_func *differs)
{
    bool any = false;

    for (uint32_t lump = 8; lump; lump /= 2) {
        any |= shrink_events(c, lump, differs);
    }
    any |= shrink_packets(c, differs);
    for (uint32_t i = 0; i < c->n_tables; i++) {
        for (uint32_t j = 0; j < c->tables[i].n_nodes; j++) {
            any |= shrink_node(c, i, j, differs);
        }
    }
    return any;
}
