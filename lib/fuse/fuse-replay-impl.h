/* SPDX-License-Identifier: Apache-2.0 */

/* The body of fuse-replay.h, for the files that include it: they define
 * FUSE_REPLAY_NAME, and before it the functions that differ:
 *
 *     make_key(shape, packet, key, nh_key): stores the key in the blocks of
 *         'key' and returns its NH,
 *     find_sig(bucket, sig): returns a place of 'sig', or -1,
 *     key_equals(entry, key, n_blocks),
 *     sum_octets(p, n): returns the sum of 16-bit words, in memory's order, as
 *         a number below 2^32, of 'n' octets, padded with 0,
 *     rewrite(program, image, image2, q): does the masked part; 'image2' has
 *         the second and third part of the image.
 */

#include <string.h>

#include "lib/fuse/fuse-order.h"

/* Packets that a round works on, and how far it is behind the first round. */
#define FUSE_STEP 8
#define FUSE_FIND_LAG (2 * FUSE_STEP)
#define FUSE_COMPARE_LAG (4 * FUSE_STEP)
#define FUSE_REPLAY_LAG (5 * FUSE_STEP)

/* Returns 'i', limited to the range from 0 to 'n'. */
static inline uint32_t
clip(int i, int n)
{
    return i < 0 ? 0 : i > n ? n : i;
}

#define STEP_AT(I, N) clip(I, N), clip((I) + FUSE_STEP, N)

/* Returns true if the checksum of the 20 octets at 'ip' is right. */
static inline bool
ip_csum_ok(const uint8_t *ip)
{
    uint64_t a, b, sum;
    uint32_t c, half;

    memcpy(&a, ip, 8);
    memcpy(&b, ip + 8, 8);
    memcpy(&c, ip + 16, 4);

    /* One's complement: the carry is added again. */
    sum = a + b;
    sum += sum < b;
    sum += c;
    sum += sum < c;
    half = (uint32_t) sum + (uint32_t) (sum >> 32);
    half += half < (uint32_t) sum;
    /* The sum is 0xffff if the halves complement each other, or if both are
     * 0xffff. */
    return (uint16_t) ~(half >> 16) == (uint16_t) half || half == UINT32_MAX;
}

/* Returns true if the checksum of the L4 header is right, or absent where that
 * is allowed. */
static inline bool
l4_csum_ok(const struct fuse_shape *shape, const uint8_t *packet,
           uint32_t size, const struct fuse_class *class)
{
    uint32_t len = size - class->pad - shape->l4;
    /* The addresses, which count as well, are right before it. */
    uint32_t n = shape->ipv6 ? 32 : shape->l4_kind == FUSE_L4_ICMP ? 0 : 8;
    uint64_t sum;

    if (shape->l4_kind == FUSE_L4_UDP && !shape->ipv6
        && !fuse_get16(packet + shape->l4_csum)) {
        return true;
    }
    sum = sum_octets(packet + shape->l4 - n, len + n);
    if (n) {
        sum += (uint32_t) packet[shape->l3 + (shape->ipv6 ? 6 : 9)] << 8;
        sum += __builtin_bswap16(len);
    }
    sum = (sum & UINT32_MAX) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    return fuse_fold(sum) == 0xffff;
}

/* Flags of programs with conditions besides the key. */
#define FUSE_P_CONDITIONS (FUSE_P_OUTER_CSUM | FUSE_P_L3_CHECK          \
                           | FUSE_P_L4_CHECK | FUSE_P_NO_PAD            \
                           | FUSE_P_PUSH | FUSE_P_NO_CSUM | FUSE_P_TCP)

/* Returns true if the packet meets the conditions of 'p', which has some of
 * FUSE_P_CONDITIONS, for checksums, padding and headroom. */
static inline bool
conditions_hold(const struct fuse_program *p, const struct fuse_batch *batch,
                uint32_t i)
{
    const struct fuse_shape *shape = &fuse_shapes[batch->shapes[i]];
    const struct fuse_class *class = &batch->classes[i];
    uint8_t ol = batch->ol[i];

    if (p->flags & FUSE_P_OUTER_CSUM && !shape->outer_ipv6
        && !(ol & FUSE_OL_L3_GOOD)
        && !ip_csum_ok(batch->packets[i] + shape->outer_l3)) {
        return false;
    }
    if (shape->tunnel) {
        /* The NIC has verified the outer headers only. */
        ol = 0;
    }
    if (p->flags & FUSE_P_L3_CHECK && !shape->ipv6
        && !(ol & FUSE_OL_L3_GOOD)
        && !ip_csum_ok(batch->packets[i] + shape->l3)) {
        return false;
    }
    if (p->flags & FUSE_P_L4_CHECK && !(ol & FUSE_OL_L4_GOOD)
        && !l4_csum_ok(shape, batch->packets[i], batch->sizes[i], class)) {
        return false;
    }
    return (!(p->flags & FUSE_P_NO_PAD && class->pad)
            && !(p->flags & FUSE_P_PUSH
                 && batch->headroom[i] + p->k < p->m));
}

static inline void
round_classify(struct fuse_replay *r, struct fuse_batch *batch,
               uint32_t from, uint32_t to)
{
    uint64_t port_hash = fuse_port_hash(r->table, batch->in_port);

    for (uint32_t i = from; i < to; i++) {
        int n;

        n = batch->shapes[i] = fuse_classify(batch->packets[i],
                                             batch->sizes[i], r->tunnels,
                                             &batch->classes[i]);
        if (__builtin_expect(n < 0 || batch->ol[i] & FUSE_OL_SKIP, 0)) {
            batch->shapes[i] = n < 0 ? n : -1 - FUSE_N_SKIPS;
            continue;
        }

        uint64_t nh = make_key(&fuse_shapes[n], batch->packets[i],
                               batch->keys[i], r->table->key);

        batch->hashes[i] = fuse_hash_finish(r->table, nh + port_hash);
        __builtin_prefetch(&r->table->buckets[fuse_bucket1(
            r->table, batch->hashes[i])]);
    }
}

static inline void
round_find(struct fuse_replay *r, struct fuse_batch *batch,
           uint32_t from, uint32_t to)
{
    const struct fuse_table *table = r->table;

    for (uint32_t i = from; i < to; i++) {
        batch->entries[i] = NULL;
        if (__builtin_expect(batch->shapes[i] < 0, 0)) {
            continue;
        }

        uint64_t hash = batch->hashes[i];
        const struct fuse_bucket *b = &table->buckets[fuse_bucket1(table,
                                                                   hash)];
        int place = find_sig(b, hash >> 32);

        if (__builtin_expect(place < 0 && b->n_elsewhere, 0)) {
            b = &table->buckets[fuse_bucket2(table, hash)];
            place = find_sig(b, hash >> 32);
        }
        if (__builtin_expect(place < 0, 0)) {
            __builtin_prefetch(fuse_candidate(r->table, hash), 1);
            continue;
        }

        struct fuse_entry *entry
            = fuse_table_entry(table, b->places[place].number);

        batch->entries[i] = entry;
        __builtin_prefetch(entry);
        __builtin_prefetch(entry->image);
        if (b->places[place].number & FUSE_TCP_BIT) {
            __builtin_prefetch(fuse_table_tcp(table, b->places[place].number),
                               1);
        }
        if (b->places[place].number & FUSE_KEY2_BIT) {
            __builtin_prefetch(entry->key2);
        }
        if (b->places[place].number & FUSE_IMAGE2_BIT) {
            __builtin_prefetch(fuse_entry_image2(entry));
        }
    }
}

static inline void
round_compare(struct fuse_replay *r, struct fuse_batch *batch,
              uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        struct fuse_entry *entry = batch->entries[i];

        if (__builtin_expect(!entry, 0)) {
            continue;
        }
        if (__builtin_expect(
                entry->in_port != batch->in_port
                || entry->shape != batch->shapes[i]
                || !key_equals(entry, batch->keys[i],
                               fuse_shapes[batch->shapes[i]].n_blocks), 0)) {
            batch->entries[i] = NULL;
            continue;
        }
        __builtin_prefetch(entry->chain);
    }
    (void) r;
}

/* Reads the numbers of the 'i'th packet, which is TCP, into '*tp'.  Returns
 * true if they are valid for its entry. */
static inline bool
tcp_is_valid(struct fuse_replay *r, const struct fuse_batch *batch, uint32_t i,
             const struct fuse_tcp *tcp, struct fuse_tcp_packet *tp)
{
    uint32_t l4 = fuse_shapes[batch->shapes[i]].l4;
    const uint8_t *th = batch->packets[i] + l4;

    tp->seq = fuse_be32(th + 4);
    tp->ack = fuse_be32(th + 8);
    tp->win = fuse_be16(th + 14);
    tp->len = (batch->sizes[i] - batch->classes[i].pad - l4
               - (th[12] >> 4 << 2));
    return (__builtin_expect(fuse_tcp_is_valid(tcp, tp, false), 1)
            || r->resync(r, batch->entries[i])
            || fuse_tcp_is_valid(tcp, tp, true));
}

/* Credits 'chain' with the 'i'th packet. */
static inline void
count(struct fuse_replay *r, struct fuse_chain *chain,
      const struct fuse_batch *batch, uint32_t i)
{
    chain->packets++;
    chain->bytes += batch->sizes[i];
    chain->tcp_flags |= batch->classes[i].tcp_flags;
    fuse_chain_make_dirty(r, chain);
}

/* Notes the flow of the 'i'th packet if that may begin or end a TCP
 * connection. */
static inline void
note_end(struct fuse_batch *batch, uint32_t i)
{
    if (__builtin_expect(batch->shapes[i] < 0 || batch->classes[i].end, 0)) {
        struct fuse_flow flow = fuse_end_of(batch, i);

        batch->any_end |= flow.outer != 0;
        fuse_flows_add(&batch->ends, &flow);
    }
}

/* Returns true if a packet before the 'i'th one may end its connection.  The
 * tracker has not judged that packet yet, which may have another key, by its
 * TTL. */
static inline bool
is_ended(const struct fuse_batch *batch, uint32_t i)
{
    if (__builtin_expect(batch->any_end, 0)) {
        struct fuse_flow flow = fuse_flow_of(batch, i, true);

        return fuse_flows_have(&batch->ends, &flow);
    }
    return false;
}

/* Treats the 'i'th packet as its entry says. */
static inline enum fuse_verdict
replay_one(struct fuse_replay *r, struct fuse_batch *batch, uint32_t i)
{
    struct fuse_entry *entry = batch->entries[i];
    struct fuse_chain *chain = entry->chain;

    if (__builtin_expect(atomic_load_explicit(&entry->dead,
                                              memory_order_acquire), 0)) {
        return FUSE_STALE;
    }
    if (__builtin_expect(batch->classes[i].end, 0)) {
        r->end(r, entry);
        return FUSE_DECLINED;
    }
    const struct fuse_program *p = chain->program;

    if (__builtin_expect((p->flags ^ batch->ol[i]) & FUSE_OL_RSS
                         || (p->flags & FUSE_P_RSS_SAME
                             && batch->rss[i] != entry->rss), 0)) {
        return FUSE_STALE;
    }

    struct fuse_csums csums = fuse_csums_get(p, batch->packets[i]);
    struct fuse_tcp *tcp = NULL;
    struct fuse_tcp_packet tp;

    if (__builtin_expect((p->flags & FUSE_P_L3_UPDATE && csums.l3 == 0xffff)
                         || (p->flags & FUSE_P_L4_UPDATE
                             && csums.l4 == 0xffff), 0)) {
        return FUSE_DECLINED;
    }
    if (p->flags & FUSE_P_CONDITIONS) {
        if (__builtin_expect(!conditions_hold(p, batch, i), 0)) {
            return FUSE_DECLINED;
        }
        if (__builtin_expect(p->flags & FUSE_P_NO_CSUM && csums.l4, 0)) {
            /* Stale, not declined, so that the flow is learned anew: otherwise
             * a forged packet without a checksum would keep the flow out of
             * the cache. */
            return FUSE_STALE;
        }
        if (p->flags & FUSE_P_TCP) {
            tcp = fuse_entry_tcp(r->table, entry);
            if (__builtin_expect(is_ended(batch, i)
                                 || !tcp_is_valid(r, batch, i, tcp, &tp), 0)) {
                return FUSE_DECLINED;
            }
        }
    }
    /* Only here: a packet that the ordinary path refuses, for example for its
     * checksum, must not extend the life of a connection. */
    if (__builtin_expect(chain->epoch != r->epoch
                         || (int32_t) (r->now - entry->refresh) >= 0, 0)
        && !r->attend(r, entry)) {
        return FUSE_STALE;
    }
    if (tcp) {
        fuse_tcp_follow(tcp, &tp);
    }
    if (!(p->flags & FUSE_P_DROP)) {
        uint8_t *q = batch->packets[i] + p->k - p->m;

        rewrite(p, entry->image,
                chain->own_images ? fuse_entry_image2(entry) : chain->image2,
                q);
        fuse_csums_put(p, csums, entry->l3_delta, entry->l4_delta, q);
        if (p->udp_len) {
            fuse_lengths_put(p, q, batch->sizes[i] - p->k + p->m);
        }
    }
    count(r, chain, batch, i);
    return FUSE_HIT;
}

static inline void
round_replay(struct fuse_replay *r, struct fuse_batch *batch,
             uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        note_end(batch, i);
        batch->verdicts[i] = (batch->entries[i] ? replay_one(r, batch, i)
                              : FUSE_MISS);
    }
}

void
FUSE_REPLAY_NAME(struct fuse_replay *r, struct fuse_batch *batch)
{
    int n = batch->n;

    batch->any_end = false;
    fuse_flows_clear(&batch->ends);
    for (int i = 0; i < n + FUSE_REPLAY_LAG; i += FUSE_STEP) {
        round_classify(r, batch, STEP_AT(i, n));
        round_find(r, batch, STEP_AT(i - FUSE_FIND_LAG, n));
        round_compare(r, batch, STEP_AT(i - FUSE_COMPARE_LAG, n));
        round_replay(r, batch, STEP_AT(i - FUSE_REPLAY_LAG, n));
    }
}
