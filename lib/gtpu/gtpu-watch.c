/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/gtpu/gtpu-watch.h"

#include <string.h>

/* Packed: this bit, recovery counter, sequence number, recovery time. */
#define ANSWERED (UINT64_C(1) << 56)

_Atomic(struct gtpu_watch_set *) gtpu_watch_set__;

struct gtpu_watch_set *
gtpu_watch_set_replace(struct gtpu_watch_set *set)
{
    return atomic_exchange_explicit(&gtpu_watch_set__, set,
                                    memory_order_acq_rel);
}

struct gtpu_watch *
gtpu_watch_find(const uint8_t peer[16])
{
    const struct gtpu_watch_set *set;
    size_t low = 0, high;

    set = atomic_load_explicit(&gtpu_watch_set__, memory_order_acquire);
    high = set ? set->n : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int cmp = memcmp(peer, set->watches[middle]->peer, 16);

        if (!cmp) {
            return set->watches[middle];
        } else if (cmp < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

void
gtpu_watch_expect(struct gtpu_watch *watch, uint16_t seq)
{
    atomic_store_explicit(&watch->answer, 0, memory_order_relaxed);
    atomic_store_explicit(&watch->awaited, seq, memory_order_release);
}

bool
gtpu_watch_receive(const uint8_t peer[16],
                   const struct gtpu_path_answer *answer)
{
    struct gtpu_watch *watch = gtpu_watch_find(peer);

    if (!watch
        || atomic_load_explicit(&watch->awaited,
                                memory_order_acquire) != answer->seq) {
        return false;
    }
    atomic_store_explicit(&watch->answer,
                          ANSWERED | (uint64_t) answer->recovery << 48
                          | (uint64_t) answer->seq << 32
                          | answer->recovery_time,
                          memory_order_release);
    return true;
}

bool
gtpu_watch_take(struct gtpu_watch *watch, struct gtpu_path_answer *answer)
{
    uint64_t packed = atomic_exchange_explicit(&watch->answer, 0,
                                               memory_order_acq_rel);

    if (!packed) {
        return false;
    }
    atomic_store_explicit(&watch->awaited, GTPU_WATCH_NONE,
                          memory_order_relaxed);
    answer->recovery = (uint8_t) (packed >> 48);
    answer->seq = (uint16_t) (packed >> 32);
    answer->recovery_time = (uint32_t) packed;
    return true;
}
