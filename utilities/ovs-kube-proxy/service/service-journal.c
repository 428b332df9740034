/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "service-journal.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/list.h"
#include "openvswitch/shash.h"
#include "service-model.h"
#include "service-policy.h"
#include "util.h"

/* A Service that has changed since the journal began. */
struct chapter {
    char *key;
    long long int since;        /* Its present state, or none, began then. */
    bool gone;                  /* It has no present state. */
    struct ovs_list states;     /* Contains "struct state"s, oldest first. */
};

struct state {
    struct ovs_list chapter_node;   /* In 'chapter'. */
    struct ovs_list journal_node;   /* In service_journal's 'states'. */
    struct chapter *chapter;
    struct service *service;
    long long int from, until;
    size_t n_bytes;
};

struct service_journal {
    size_t limit, n_bytes, n;
    long long int begun;        /* LLONG_MAX: it has not. */
    long long int last;         /* Of the last note. */
    long long int forgotten;    /* When the last state that was forgotten
                                 * ended; LLONG_MIN: none was. */
    struct shash chapters;      /* Contains "struct chapter"s. */
    struct ovs_list states;     /* In order of 'until'. */
};

struct service_journal *
service_journal_create(size_t limit)
{
    struct service_journal *j = xzalloc(sizeof *j);

    j->limit = limit;
    j->begun = LLONG_MAX;
    j->last = j->forgotten = LLONG_MIN;
    shash_init(&j->chapters);
    ovs_list_init(&j->states);
    return j;
}

/* Frees 'c', which is empty. */
static void
destroy_chapter(struct service_journal *j, struct chapter *c)
{
    shash_find_and_delete(&j->chapters, c->key);
    free(c->key);
    free(c);
}

/* Frees 's' and, if nothing else is known of it, its chapter. */
static void
destroy_state(struct service_journal *j, struct state *s)
{
    struct chapter *c = s->chapter;

    ovs_list_remove(&s->chapter_node);
    ovs_list_remove(&s->journal_node);
    j->n_bytes -= s->n_bytes;
    j->n--;
    service_destroy(s->service);
    free(s);
    if (c->gone && ovs_list_is_empty(&c->states)) {
        destroy_chapter(j, c);
    }
}

void
service_journal_destroy(struct service_journal *j)
{
    if (j) {
        struct shash_node *node;
        struct state *s;

        LIST_FOR_EACH_SAFE (s, journal_node, &j->states) {
            destroy_state(j, s);
        }
        SHASH_FOR_EACH_SAFE (node, &j->chapters) {
            destroy_chapter(j, node->data);
        }
        shash_destroy(&j->chapters);
        free(j);
    }
}

void
service_journal_begin(struct service_journal *j, long long int now)
{
    if (j->begun == LLONG_MAX) {
        j->begun = j->last = now;
    }
}

/* Returns what 'set' takes, unless one of the 'n' sets before has the same
 * array. */
static size_t
size_of_set(const struct service_set sets[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (sets[i].endpoints == sets[n].endpoints) {
            return 0;
        }
    }
    return sets[n].n * sizeof *sets[n].endpoints;
}

static size_t
size_of_port(const struct service_port *p)
{
    const struct service_set sets[] = {
        p->cluster, p->internal, p->external, p->serving, p->here,
    };
    size_t n_bytes = (sizeof *p + strlen(p->namespace_) + strlen(p->name)
                      + strlen(p->port_name) + 3
                      + (p->n_cluster_ips + p->n_external_ips + p->n_lb_ips)
                        * sizeof *p->cluster_ips
                      + p->n_sources * sizeof *p->sources
                      + p->n_nodes * sizeof *p->nodes);

    for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
        n_bytes += size_of_set(sets, i);
    }
    for (size_t i = 0; i < p->n_shares; i++) {
        n_bytes += (sizeof *p->shares + strlen(p->shares[i].name) + 1
                    + p->shares[i].n * sizeof *p->shares[i].endpoints);
    }
    return n_bytes;
}

static size_t
size_of_service(const struct service *service)
{
    size_t n_bytes = sizeof *service;

    for (size_t i = 0; i < service->n; i++) {
        n_bytes += size_of_port(&service->ports[i]);
    }
    return n_bytes;
}

static void
add_state(struct service_journal *j, struct chapter *c,
          struct service *service, long long int until)
{
    struct state *s = xzalloc(sizeof *s);

    s->chapter = c;
    s->service = service;
    s->from = c->since;
    s->until = until;
    s->n_bytes = sizeof *s + sizeof *c + size_of_service(service);
    ovs_list_push_back(&c->states, &s->chapter_node);
    ovs_list_push_back(&j->states, &s->journal_node);
    j->n_bytes += s->n_bytes;
    j->n++;
}

static void
forget(struct service_journal *j)
{
    while (j->n_bytes > j->limit) {
        struct state *s = CONTAINER_OF(ovs_list_front(&j->states),
                                       struct state, journal_node);

        j->forgotten = s->until;
        destroy_state(j, s);
    }
}

void
service_journal_note(struct service_journal *j, const char *key,
                     struct service *old, bool gone, long long int now)
{
    struct chapter *c;

    if (!j || j->begun == LLONG_MAX) {
        service_destroy(old);
        return;
    }
    now = j->last = MAX(now, j->last);
    c = shash_find_data(&j->chapters, key);
    if (!c) {
        c = xzalloc(sizeof *c);
        c->key = xstrdup(key);
        c->since = j->begun;
        ovs_list_init(&c->states);
        shash_add(&j->chapters, key, c);
    }
    c->gone = false;            /* Keeps it while states go. */
    if (old && old->n && c->since < now) {
        add_state(j, c, old, now);
    } else {
        service_destroy(old);   /* It served nothing, or not for 1 ms. */
    }
    c->since = now;
    forget(j);
    c->gone = gone;
    if (gone && ovs_list_is_empty(&c->states)) {
        destroy_chapter(j, c);
    }
}

long long int
service_journal_horizon(const struct service_journal *j, bool *forgotten)
{
    *forgotten = j->begun != LLONG_MAX && j->forgotten > j->begun;
    return *forgotten ? j->forgotten : j->begun;
}

long long int
service_journal_since(const struct service_journal *j, const char *key)
{
    const struct chapter *c = shash_find_data(&j->chapters, key);

    return c ? c->since : j->begun;
}

struct service_past *
service_journal_at(const struct service_journal *j, long long int when,
                   size_t *n)
{
    struct service_past *past = xmalloc((j->n + 1) * sizeof *past);
    const struct state *s;

    *n = 0;
    LIST_FOR_EACH (s, journal_node, &j->states) {
        if (s->from <= when && when < s->until) {
            past[(*n)++] = (struct service_past) {
                s->service, s->from, s->until,
            };
        }
    }
    return past;
}

size_t
service_journal_count(const struct service_journal *j, size_t *n_bytes)
{
    *n_bytes = j->n_bytes;
    return j->n;
}
