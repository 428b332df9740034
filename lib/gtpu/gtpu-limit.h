/* SPDX-License-Identifier: Apache-2.0 */

#ifndef GTPU_LIMIT_H
#define GTPU_LIMIT_H 1

/* Limits on answers to strangers
 * ==============================
 *
 * A host that answers whoever asks can be made to send to a victim whose
 * address the question bears.  These token buckets bound how much: one for
 * each peer, and two for all peers together, one of them for peers that a
 * tunnel is configured to.  So whoever invents addresses uses up the tokens of
 * strangers, not those of the network's own nodes.
 *
 * A bucket is a single number, the time at which it is going to be full again
 * (the "generic cell rate algorithm", ITU-T I.371 annex A): a token is taken
 * by moving that time on by 1 / rate, and there is none if it lies too far
 * ahead.  It agrees with counted tokens, but for the interval between tokens
 * being rounded up to a nanosecond.
 *
 * Invariants: in any interval of t seconds no more than burst + rate * t
 * answers are admitted, for a peer and for each half of the peers; a peer that
 * stays within its rate is refused only if its half as a whole is over its
 * limit, or if it shares its slot with another peer.
 *
 * Memory: one struct, whatever the number of peers.  Peers share
 * GTPU_LIMIT_SLOTS buckets.
 *
 * Thread-safety: gtpu_limiter_admit() may be called by any number of threads
 * at once and takes no lock.  gtpu_limiter_set_rates() may be called at any
 * time by one thread.
 *
 * Attack model: the sender picks its address.  Which addresses share a slot
 * depends on a secret key, so that it cannot aim at another peer's. */

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
    _Atomic(uint64_t) totals[2]; /* Of strangers; of known peers. */
    _Atomic(uint64_t) peers[GTPU_LIMIT_SLOTS];
};

enum gtpu_limit {
    GTPU_LIMIT_NONE,            /* Admitted. */
    GTPU_LIMIT_PEER,            /* The peer has no token left. */
    GTPU_LIMIT_TOTAL,           /* All together have none. */
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
 * by a clock that does not go back but for what threads read it differently.
 *
 * Returns GTPU_LIMIT_NONE if the answer may be sent. */
enum gtpu_limit gtpu_limiter_admit(struct gtpu_limiter *,
                                   const uint8_t peer[16], bool known,
                                   uint64_t now);

#endif /* gtpu-limit.h */
