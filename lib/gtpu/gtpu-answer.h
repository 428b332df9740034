/* SPDX-License-Identifier: Apache-2.0 */

#ifndef GTPU_ANSWER_H
#define GTPU_ANSWER_H 1

/* How the switch answers GTP-U messages
 * =====================================
 *
 * The control path sets what the data path does with Echo Requests and how
 * many answers of each kind may leave.
 *
 * Thread-safety: functions with "set" in their names are for the main thread.
 * All others are for any thread and take no lock. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/gtpu/gtpu-limit.h"

/* What the switch does with an Echo Request. */
enum gtpu_echo_mode {
    GTPU_ECHO_ANSWER,           /* Answer it (default). */
    GTPU_ECHO_CONTROLLER,       /* Hand it to OpenFlow, as other messages. */
    GTPU_ECHO_DROP,
};

extern _Atomic(int) gtpu_echo_mode__;

static inline enum gtpu_echo_mode
gtpu_echo_mode(void)
{
    return (enum gtpu_echo_mode) atomic_load_explicit(&gtpu_echo_mode__,
                                                      memory_order_relaxed);
}

void gtpu_set_echo_mode(enum gtpu_echo_mode);

/* Kinds of answers, each with limits of its own. */
enum gtpu_answer {
    GTPU_ANSWER_ECHO,           /* Echo Response. */
    GTPU_ANSWER_EXT,            /* Supported Extension Headers Notification. */
    GTPU_ANSWER_ERROR,          /* Error Indication. */
    GTPU_N_ANSWERS
};

/* Default rates, in packets per second.  The burst is one second's worth. */
#define GTPU_ECHO_RATE_PEER 10
#define GTPU_ECHO_RATE 1000
#define GTPU_ERROR_RATE_PEER 10
#define GTPU_ERROR_RATE 100

/* Initializes the limits.  No answer is admitted before.  'key' is as in
 * gtpu_limiter_init(). */
void gtpu_answers_set(const struct siphash_key *key);

/* Sets the rates of 'answer' for each peer and for all peers, in packets per
 * second. */
void gtpu_answer_set_rates(enum gtpu_answer, uint32_t peer, uint32_t total);

/* See gtpu_limiter_admit(). */
enum gtpu_limit gtpu_answer_admit(enum gtpu_answer, const uint8_t peer[16],
                                  bool known, uint64_t now);

#endif /* gtpu-answer.h */
