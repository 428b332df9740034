/* SPDX-License-Identifier: Apache-2.0 */

#ifndef GTPU_LIMIT_H
#define GTPU_LIMIT_H 1

/* Rate limits of answers
 * ======================
 *
 * An attacker can forge the address of a victim, so that answers go to the
 * victim.  Token buckets limit these answers: one for each peer, one for all
 * peers that a tunnel is configured to, and one for all strangers.  A sender
 * of forged addresses empties the bucket of the strangers.  The network's own
 * nodes still get answers.
 *
 * A bucket is a single number: the time at which it is full again (the
 * "generic cell rate algorithm", ITU-T I.371 annex A).  Each token moves that
 * time on by 1 / rate.  There is no token if the time lies too far ahead.
 * This equals counted tokens, except that the interval between tokens is
 * rounded up to a nanosecond.
 *
 * Invariants: in any t seconds a bucket admits at most burst + rate * t
 * answers.  A peer within its rate is refused only if the bucket of all known
 * peers, or of all strangers, is empty, or if the peer shares its slot.
 *
 * Memory: one struct for any number of peers, which share GTPU_LIMIT_SLOTS
 * buckets.
 *
 * Thread-safety: gtpu_limiter_admit() may be called by any number of threads
 * at once and takes no lock.  gtpu_limiter_set_rates() may be called at any
 * time by one thread.
 *
 * Attack model: the sender chooses its address.  A secret key decides which
 * addresses share a slot, so that no sender can aim at another peer's slot. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/hash/siphash.h"

#define GTPU_LIMIT_SLOTS 4096   /* A power of 2. */
#define GTPU_LIMIT_MAX 1000000  /* Greatest rate and burst. */

/* A rate of 0 admits nothing. */
struct gtpu_rate {
    uint32_t per_second;
    uint32_t burst;             /* Tokens in a full bucket. */
};

struct gtpu_limiter {
    struct siphash_key key;
    _Atomic(uint64_t) peer_rate; /* struct gtpu_rate, packed. */
    _Atomic(uint64_t) total_rate;
    _Atomic(uint64_t) totals[2]; /* Strangers; known peers. */
    _Atomic(uint64_t) peers[GTPU_LIMIT_SLOTS];
};

enum gtpu_limit {
    GTPU_LIMIT_NONE,            /* Admitted. */
    GTPU_LIMIT_PEER,            /* The peer has no token left. */
    GTPU_LIMIT_TOTAL,           /* The bucket of all is empty. */
};

/* Initializes '*limiter', with full buckets.  'key' comes from a cryptographic
 * random source. */
void gtpu_limiter_init(struct gtpu_limiter *, struct siphash_key key,
                       struct gtpu_rate peer, struct gtpu_rate total);

/* Changes the rates; if they differ, all buckets are full again.  Values above
 * GTPU_LIMIT_MAX count as that, a burst of 0 as 1. */
void gtpu_limiter_set_rates(struct gtpu_limiter *, struct gtpu_rate peer,
                            struct gtpu_rate total);

/* Takes a token for an answer to the peer with the 16-octet address 'peer',
 * which is 'known' if a tunnel is configured to it.  'now' is in nanoseconds,
 * by a clock that does not go back, but may differ a little between threads.
 *
 * Returns GTPU_LIMIT_NONE if the answer may be sent. */
enum gtpu_limit gtpu_limiter_admit(struct gtpu_limiter *,
                                   const uint8_t peer[16], bool known,
                                   uint64_t now);

#endif /* gtpu-limit.h */
