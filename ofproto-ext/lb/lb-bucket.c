/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-ext/lb/lb-version.h"

#include <stdlib.h>

#include "ofproto/ofproto-dpif.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofp-group.h"
#include "openvswitch/ofpbuf.h"
#include "random.h"
#include "util.h"

/* The next token, of all groups.  Their number is the number of buckets ever
 * made; after 2^32 of them, a token meets none of its own group. */
static uint32_t next_token OVS_GUARDED_BY(lb_mutex);

static uint64_t
bucket_hash(const struct ofputil_bucket *bucket, const struct siphash_key *key)
{
    uint64_t stub[1024 / 8];
    struct ofpbuf bytes = OFPBUF_STUB_INITIALIZER(stub);
    uint32_t watched[2] = { (OVS_FORCE uint32_t) bucket->watch_port,
                            bucket->watch_group };

    /* As on the wire, since there the same actions are the same bytes on
     * every switch. */
    ofpacts_put_openflow_actions(bucket->ofpacts, bucket->ofpacts_len, &bytes,
                                 OFP15_VERSION);
    ofpbuf_put(&bytes, watched, sizeof watched);

    uint64_t hash = siphash_bytes(2, 4, bytes.data, bytes.size, key);

    ofpbuf_uninit(&bytes);
    return hash;
}

static int
compare_ids(const void *a_, const void *b_)
{
    const struct lb_bucket *a = a_;
    const struct lb_bucket *b = b_;

    return a->id < b->id ? -1 : a->id > b->id;
}

static int
compare_tokens(const void *a_, const void *b_)
{
    const struct lb_bucket *a = a_;
    const struct lb_bucket *b = b_;

    return a->token < b->token ? -1 : a->token > b->token;
}

/* Returns the bucket of 'lb' whose token is 'token', or null.  Any thread. */
struct lb_bucket *
lb_bucket_find(const struct lb_group *lb, uint32_t token)
{
    struct lb_bucket key = { .token = token };

    return bsearch(&key, lb->buckets, lb->n_buckets, sizeof key,
                   compare_tokens);
}

static uint32_t
new_token(const struct lb_group *old)
    OVS_REQUIRES(lb_mutex)
{
    uint32_t token;

    if (!next_token) {
        next_token = random_uint32();
    }
    do {
        token = next_token++;
    } while (!token || (old && lb_bucket_find(old, token)));
    return token;
}

/* Gives each of two or more equal buckets, which stand side by side in order
 * of identity, an identity of its own. */
static void
tell_twins_apart(struct lb_group *lb)
{
    uint64_t base = 0;
    uint64_t twins = 0;

    for (size_t i = 1; i < lb->n_buckets; i++) {
        base = twins ? base : lb->buckets[i - 1].id;
        twins = lb->buckets[i].id == base ? twins + 1 : 0;
        if (twins) {
            lb->buckets[i].id = siphash13_u64x2(base, twins, &lb->ident->key);
        }
    }
}

/* Gives the buckets of 'lb' the tokens that the same buckets have in 'old',
 * which may be null, or new ones. */
static void
assign_tokens(struct lb_group *lb, const struct lb_group *old)
    OVS_REQUIRES(lb_mutex)
{
    size_t n_old = old ? old->n_buckets : 0;
    struct lb_bucket *by_id = NULL;

    if (n_old) {
        by_id = xmemdup(old->buckets, n_old * sizeof *by_id);
        qsort(by_id, n_old, sizeof *by_id, compare_ids);
    }
    for (size_t i = 0; i < lb->n_buckets; i++) {
        const struct lb_bucket *same = NULL;

        if (n_old) {
            same = bsearch(&lb->buckets[i], by_id, n_old, sizeof *by_id,
                           compare_ids);
        }
        lb->buckets[i].token = same ? same->token : new_token(old);
    }
    free(by_id);
}

/* Gives the buckets of 'lb' their identities by the key of its ident, and
 * brings them into the order of these.  Main thread. */
void
lb_buckets_identify(struct lb_group *lb)
{
    for (size_t i = 0; i < lb->n_buckets; i++) {
        lb->buckets[i].id = bucket_hash(lb->buckets[i].bucket,
                                        &lb->ident->key);
    }
    qsort(lb->buckets, lb->n_buckets, sizeof *lb->buckets, compare_ids);
    tell_twins_apart(lb);
}

/* Fills in the buckets of 'lb', whose group and ident are set, with their
 * identities and tokens; a bucket that 'old', of the same ident or null, has
 * too keeps its token.  Main thread. */
void
lb_buckets_init(struct lb_group *lb, const struct lb_group *old)
    OVS_REQUIRES(lb_mutex)
{
    struct ofputil_bucket *bucket;
    size_t n = 0;

    lb->n_buckets = lb->group->up.n_buckets;
    lb->buckets = xcalloc(lb->n_buckets, sizeof *lb->buckets);
    LIST_FOR_EACH (bucket, list_node, &lb->group->up.buckets) {
        lb->buckets[n++].bucket = bucket;
        lb->watches = lb->watches || ofputil_bucket_has_liveness(bucket);
    }
    lb_buckets_identify(lb);
    assign_tokens(lb, old);
    qsort(lb->buckets, n, sizeof *lb->buckets, compare_tokens);
}

/* Gives the buckets of 'lb', which is in force, new identities since the key
 * of its ident has changed.  Other threads look at the buckets meanwhile, but
 * not at this.  Main thread. */
void
lb_buckets_rekey(struct lb_group *lb)
    OVS_REQUIRES(lb_mutex)
{
    struct lb_bucket *buckets = xmemdup(lb->buckets, (lb->n_buckets
                                                      * sizeof *buckets));
    struct lb_group copy = { .ident = lb->ident, .n_buckets = lb->n_buckets,
                             .buckets = buckets };

    lb_buckets_identify(&copy);
    qsort(buckets, lb->n_buckets, sizeof *buckets, compare_tokens);
    for (size_t i = 0; i < lb->n_buckets; i++) {
        lb->buckets[i].id = buckets[i].id;
    }
    free(buckets);
}
