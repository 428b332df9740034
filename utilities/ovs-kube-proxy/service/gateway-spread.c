/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "gateway-spread.h"

#include <stdlib.h>
#include <string.h>

#include "gateway-model.h"
#include "service-equal.h"
#include "service-model.h"
#include "service-policy.h"
#include "util.h"

/* An endpoint of one Service. */
struct item {
    struct service_endpoint e;
    size_t share;               /* Index of its Service. */
    uint16_t in_share;          /* Its weight among those of the Service. */
    uint32_t weight;            /* Result. */
};

struct spread {
    const struct gateway_share *shares;
    size_t n_shares;            /* All of them, */
    size_t n_used;              /* those that have a weight, */
    uint64_t sum;               /* and the sum of the weights. */
    struct item *items;         /* Sorted by endpoint. */
    size_t n;
    uint64_t in_share[GATEWAY_MAX_BACKENDS];    /* Sums of 'in_share'. */
};

static int
compare_items(const void *a_, const void *b_)
{
    const struct item *a = a_, *b = b_;
    int cmp = service_endpoint_compare(&a->e, &b->e);

    return cmp ? cmp : a->share < b->share ? -1 : a->share > b->share;
}

static size_t
count_endpoints(const struct gateway_share *share)
{
    return share->set ? share->set->n : 0;
}

static void
add_item(struct spread *s, size_t share, const struct service_endpoint *e)
{
    s->in_share[share] += e->weight;
    s->items[s->n++] = (struct item) {
        .e = *e, .share = share, .in_share = e->weight,
    };
}

/* Collects the endpoints of all Services that have a weight. */
static void
collect(struct spread *s)
{
    static const struct service_endpoint reject = {
        .reject = true, .weight = 1,
    };
    size_t n = 0, max;

    for (size_t i = 0; i < s->n_shares; i++) {
        if (s->shares[i].weight) {
            s->n_used++;
            s->sum += s->shares[i].weight;
            n += MAX(count_endpoints(&s->shares[i]), 1);
        }
    }
    max = n <= SERVICE_MAX_ENDPOINTS ? n : SERVICE_MAX_ENDPOINTS / s->n_used;
    s->items = xmalloc(MAX(n, 1) * sizeof *s->items);
    for (size_t i = 0; i < s->n_shares; i++) {
        size_t n_endpoints = MIN(count_endpoints(&s->shares[i]), max);

        for (size_t j = 0; s->shares[i].weight && j < n_endpoints; j++) {
            add_item(s, i, &s->shares[i].set->endpoints[j]);
        }
        if (s->shares[i].weight && !n_endpoints) {
            add_item(s, i, &reject);
        }
    }
    if (s->n) {
        qsort(s->items, s->n, sizeof *s->items, compare_items);
    }
}

/* Gives out about 'scale' to all items.  What division leaves goes to the
 * first items, so that few change when an endpoint comes or goes. */
static void
give_out(struct spread *s, uint64_t scale)
{
    uint64_t due[GATEWAY_MAX_BACKENDS], left[GATEWAY_MAX_BACKENDS];

    for (size_t i = 0; i < s->n_shares; i++) {
        due[i] = MAX((s->shares[i].weight * scale + s->sum / 2) / s->sum, 1);
        left[i] = due[i];
    }
    for (size_t i = 0; i < s->n; i++) {
        struct item *item = &s->items[i];

        item->weight = (due[item->share] * item->in_share
                        / s->in_share[item->share]);
        left[item->share] -= item->weight;
    }
    for (size_t i = 0; i < s->n; i++) {
        struct item *item = &s->items[i];

        if (left[item->share]
            && due[item->share] * item->in_share
               % s->in_share[item->share]) {
            item->weight++;
            left[item->share]--;
        }
    }
}

/* Returns the weight of the endpoint of item '*i', which several Services may
 * have, and sets '*i' to the next endpoint's first item. */
static uint64_t
next_endpoint(const struct spread *s, size_t *i)
{
    const struct item *first = &s->items[*i];
    uint64_t weight = 0;

    do {
        weight += s->items[*i].weight;
    } while (++*i < s->n
             && !service_endpoint_compare(&s->items[*i].e, &first->e));
    return weight;
}

static uint64_t
find_max(const struct spread *s)
{
    uint64_t max = 0;

    for (size_t i = 0; i < s->n; ) {
        uint64_t weight = next_endpoint(s, &i);

        max = MAX(max, weight);
    }
    return max;
}

void
gateway_spread(const struct gateway_share shares[], size_t n,
               struct service_set *set)
{
    struct spread s = { .shares = shares, .n_shares = n };
    uint64_t scale, max;

    *set = (struct service_set) { .verdict = SERVICE_REJECT };
    collect(&s);
    scale = (uint64_t) UINT16_MAX * s.n;
    while (s.n && (give_out(&s, scale), max = find_max(&s)) > UINT16_MAX) {
        /* Rounding may add 1 for each Service, twice. */
        scale = scale * (UINT16_MAX - 4 * n) / max;
    }

    set->endpoints = xmalloc(MAX(s.n, 1) * sizeof *set->endpoints);
    for (size_t i = 0; i < s.n; ) {
        struct service_endpoint e = s.items[i].e;

        e.weight = next_endpoint(&s, &i);
        if (e.weight) {
            set->endpoints[set->n++] = e;
            if (!e.reject) {
                set->verdict = SERVICE_FORWARD;
            }
        }
    }
    if (set->verdict == SERVICE_REJECT) {
        /* No group is needed. */
        free(set->endpoints);
        set->endpoints = NULL;
        set->n = 0;
    }
    free(s.items);
}

/* Two steps. */

static int
compare_endpoints(const void *a, const void *b)
{
    return service_endpoint_compare(a, b);
}

/* Returns true if an endpoint is in two of the 'n' 'shares'. */
static bool
overlap(const struct service_share shares[], size_t n)
{
    struct service_endpoint *all;
    size_t n_all = 0;
    bool found = false;

    for (size_t i = 0; i < n; i++) {
        n_all += shares[i].n;
    }
    all = xmalloc((n_all + 1) * sizeof *all);
    n_all = 0;
    for (size_t i = 0; i < n; i++) {
        if (shares[i].n) {
            memcpy(&all[n_all], shares[i].endpoints,
                   shares[i].n * sizeof *all);
            n_all += shares[i].n;
        }
    }
    if (n_all) {
        qsort(all, n_all, sizeof *all, compare_endpoints);
    }
    for (size_t i = 1; i < n_all; i++) {
        found |= !service_endpoint_compare(&all[i - 1], &all[i]);
    }
    free(all);
    return found;
}

size_t
gateway_keep_shares(const struct gateway_share shares[], size_t n,
                    struct service_share **keptp)
{
    struct service_share *kept = xcalloc(n + 1, sizeof *kept);
    uint64_t weights[GATEWAY_MAX_BACKENDS], max = 0;
    size_t n_kept = 0;

    for (size_t i = 0; i < n; i++) {
        const struct gateway_share *share = &shares[i];
        size_t n_endpoints = count_endpoints(share), j = 0;

        if (!share->weight) {
            continue;
        }
        while (j < n_kept && strcmp(kept[j].name, share->name)) {
            j++;
        }
        if (j == n_kept) {
            kept[n_kept++] = (struct service_share) {
                .name = xstrdup(share->name),
                .n = n_endpoints,
                .endpoints = (n_endpoints
                              ? xmemdup(share->set->endpoints, n_endpoints
                                        * sizeof *share->set->endpoints)
                              : NULL),
            };
            weights[j] = 0;
        }
        weights[j] += share->weight;
        max = MAX(max, weights[j]);
    }
    for (size_t j = 0; j < n_kept; j++) {
        kept[j].weight = MAX((weights[j] * UINT16_MAX + max / 2) / max, 1);
    }
    if (overlap(kept, n_kept)) {
        for (size_t j = 0; j < n_kept; j++) {
            free(kept[j].name);
            free(kept[j].endpoints);
        }
        n_kept = 0;
    }
    *keptp = kept;
    return n_kept;
}
