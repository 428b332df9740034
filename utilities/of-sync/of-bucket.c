/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "of-bucket.h"

#include <stdlib.h>
#include <string.h>

#include "flow.h"
#include "openflow/openflow.h"
#include "openvswitch/ofp-group.h"
#include "util.h"

/* Compares what two buckets do.  Their ids do not count. */
static int
compare_buckets(const void *a_, const void *b_)
{
    const struct ofputil_bucket *a = *(struct ofputil_bucket *const *) a_;
    const struct ofputil_bucket *b = *(struct ofputil_bucket *const *) b_;

    if (a->ofpacts_len != b->ofpacts_len) {
        return a->ofpacts_len < b->ofpacts_len ? -1 : 1;
    } else if (a->weight != b->weight) {
        return a->weight < b->weight ? -1 : 1;
    } else if (a->watch_port != b->watch_port) {
        return ofp_to_u16(a->watch_port) < ofp_to_u16(b->watch_port) ? -1 : 1;
    } else if (a->watch_group != b->watch_group) {
        return a->watch_group < b->watch_group ? -1 : 1;
    }
    return a->ofpacts_len ? memcmp(a->ofpacts, b->ofpacts, a->ofpacts_len)
                          : 0;
}

/* Returns the buckets of 'gm' sorted by what they do. */
static struct ofputil_bucket **
sort_buckets(const struct ofputil_group_mod *gm, size_t *n)
{
    struct ofputil_bucket **buckets, *bucket;
    size_t i = 0;

    *n = ovs_list_size(&gm->buckets);
    buckets = xmalloc((*n + 1) * sizeof *buckets);
    LIST_FOR_EACH (bucket, list_node, &gm->buckets) {
        buckets[i++] = bucket;
    }
    if (*n) {
        qsort(buckets, *n, sizeof *buckets, compare_buckets);
    }
    return buckets;
}

/* Compares the buckets of two groups.  Stores in '*diff', for the caller to
 * uninitialize, the buckets of 'want' that 'have' lacks and those of 'have'
 * that 'want' lacks.  Gives each bucket of 'want' the id that it has in
 * 'have', or a new one. */
void
of_bucket_diff(struct ofputil_group_mod *want,
               const struct ofputil_group_mod *have,
               struct of_bucket_diff *diff)
{
    size_t n_want, n_have, i = 0, j = 0;
    struct ofputil_bucket **w = sort_buckets(want, &n_want);
    struct ofputil_bucket **h = sort_buckets(have, &n_have);

    memset(diff, 0, sizeof *diff);
    diff->add = xmalloc((n_want + 1) * sizeof *diff->add);
    diff->remove = xmalloc((n_have + 1) * sizeof *diff->remove);
    for (size_t k = 0; k < n_have; k++) {
        diff->next_id = MAX(diff->next_id, h[k]->bucket_id + 1);
    }
    while (i < n_want || j < n_have) {
        int cmp = (i >= n_want ? 1
                   : j >= n_have ? -1
                   : compare_buckets(&w[i], &h[j]));

        if (!cmp) {
            w[i++]->bucket_id = h[j++]->bucket_id;
        } else if (cmp < 0) {
            diff->add[diff->n_add++] = w[i++];
        } else {
            diff->remove[diff->n_remove++] = h[j++];
        }
    }
    if (diff->next_id > OFPG15_BUCKET_MAX - n_want) {
        /* The ids are used up, after four billion changes: start again at
         * 0. */
        diff->next_id = 0;
    }
    for (size_t k = 0; k < diff->n_add; k++) {
        diff->add[k]->bucket_id = diff->next_id++;
    }
    free(w);
    free(h);
}

/* Returns true if a bucket of 'diff' only changes its weight. */
bool
of_bucket_diff_reweighs(const struct of_bucket_diff *diff)
{
    for (size_t i = 0; i < diff->n_remove; i++) {
        for (size_t j = 0; j < diff->n_add; j++) {
            const struct ofputil_bucket *new = diff->add[j];
            struct ofputil_bucket old = *diff->remove[i];
            const struct ofputil_bucket *pair[] = { &old, new };

            old.weight = new->weight;
            if (!compare_buckets(&pair[0], &pair[1])) {
                return true;
            }
        }
    }
    return false;
}

void
of_bucket_diff_uninit(struct of_bucket_diff *diff)
{
    free(diff->add);
    free(diff->remove);
}
