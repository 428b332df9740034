/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/gtpu/gtpu-answer.h"

_Atomic(int) gtpu_echo_mode__;

static struct gtpu_limiter limiters[GTPU_N_ANSWERS];

void
gtpu_set_echo_mode(enum gtpu_echo_mode mode)
{
    atomic_store_explicit(&gtpu_echo_mode__, (int) mode,
                          memory_order_relaxed);
}

void
gtpu_answers_set(const struct siphash_key *key)
{
    for (int i = 0; i < GTPU_N_ANSWERS; i++) {
        bool echo = i == GTPU_ANSWER_ECHO;
        uint32_t peer = echo ? GTPU_ECHO_RATE_PEER : GTPU_ERROR_RATE_PEER;
        uint32_t total = echo ? GTPU_ECHO_RATE : GTPU_ERROR_RATE;

        gtpu_limiter_init(&limiters[i], *key,
                          (struct gtpu_rate) { peer, peer },
                          (struct gtpu_rate) { total, total });
    }
}

void
gtpu_answer_set_rates(enum gtpu_answer answer, uint32_t peer, uint32_t total)
{
    gtpu_limiter_set_rates(&limiters[answer],
                           (struct gtpu_rate) { peer, peer },
                           (struct gtpu_rate) { total, total });
}

enum gtpu_limit
gtpu_answer_admit(enum gtpu_answer answer, const uint8_t peer[16], bool known,
                  uint64_t now)
{
    return gtpu_limiter_admit(&limiters[answer], peer, known, now);
}
