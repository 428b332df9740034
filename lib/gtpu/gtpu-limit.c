/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/gtpu/gtpu-limit.h"

#include <string.h>

#define NSEC_PER_SEC UINT64_C(1000000000)

/* Most attempts to take a token while other threads take theirs.  The bound
 * limits work: after it, the answer is refused. */
#define MAX_TRIES 16

static uint64_t
pack_rate(struct gtpu_rate rate)
{
    if (rate.per_second > GTPU_LIMIT_MAX) {
        rate.per_second = GTPU_LIMIT_MAX;
    }
    if (rate.burst > GTPU_LIMIT_MAX) {
        rate.burst = GTPU_LIMIT_MAX;
    } else if (!rate.burst) {
        rate.burst = 1;
    }
    return (uint64_t) rate.per_second << 32 | rate.burst;
}

/* Takes a token from '*bucket', the time in nanoseconds at which it is full.
 * Returns false if there is none. */
static bool
take(_Atomic(uint64_t) *bucket, uint64_t packed_rate, uint64_t now)
{
    uint32_t per_second = packed_rate >> 32;
    uint32_t burst = (uint32_t) packed_rate;
    uint64_t full_at, start, step;

    if (!per_second) {
        return false;
    }
    step = (NSEC_PER_SEC + per_second - 1) / per_second;
    full_at = atomic_load_explicit(bucket, memory_order_relaxed);
    for (int i = 0; i < MAX_TRIES; i++) {
        start = full_at > now ? full_at : now;
        if (start - now > (burst - 1) * step) {
            return false;
        }
        if (atomic_compare_exchange_weak_explicit(bucket, &full_at,
                                                  start + step,
                                                  memory_order_relaxed,
                                                  memory_order_relaxed)) {
            return true;
        }
    }
    return false;
}

static void
fill_all(struct gtpu_limiter *limiter)
{
    for (int i = 0; i < 2; i++) {
        atomic_store_explicit(&limiter->totals[i], 0, memory_order_relaxed);
    }
    for (int i = 0; i < GTPU_LIMIT_SLOTS; i++) {
        atomic_store_explicit(&limiter->peers[i], 0, memory_order_relaxed);
    }
}

void
gtpu_limiter_init(struct gtpu_limiter *limiter, struct siphash_key key,
                  struct gtpu_rate peer, struct gtpu_rate total)
{
    limiter->key = key;
    atomic_init(&limiter->peer_rate, pack_rate(peer));
    atomic_init(&limiter->total_rate, pack_rate(total));
    fill_all(limiter);
}

void
gtpu_limiter_set_rates(struct gtpu_limiter *limiter, struct gtpu_rate peer,
                       struct gtpu_rate total)
{
    uint64_t old_peer, old_total;

    old_peer = atomic_exchange_explicit(&limiter->peer_rate, pack_rate(peer),
                                        memory_order_relaxed);
    old_total = atomic_exchange_explicit(&limiter->total_rate,
                                         pack_rate(total),
                                         memory_order_relaxed);
    if (old_peer != pack_rate(peer) || old_total != pack_rate(total)) {
        fill_all(limiter);
    }
}

static _Atomic(uint64_t) *
peer_bucket(struct gtpu_limiter *limiter, const uint8_t peer[16])
{
    uint64_t words[2];

    memcpy(words, peer, sizeof words);
    return &limiter->peers[siphash13_u64x2(words[0], words[1], &limiter->key)
                           % GTPU_LIMIT_SLOTS];
}

enum gtpu_limit
gtpu_limiter_admit(struct gtpu_limiter *limiter, const uint8_t peer[16],
                   bool known, uint64_t now)
{
    uint64_t peer_rate = atomic_load_explicit(&limiter->peer_rate,
                                              memory_order_relaxed);
    uint64_t total_rate = atomic_load_explicit(&limiter->total_rate,
                                               memory_order_relaxed);

    /* The peer's bucket first: a refusal must take no token of the others. */
    if (!take(peer_bucket(limiter, peer), peer_rate, now)) {
        return GTPU_LIMIT_PEER;
    } else if (!take(&limiter->totals[known], total_rate, now)) {
        return GTPU_LIMIT_TOTAL;
    }
    return GTPU_LIMIT_NONE;
}
