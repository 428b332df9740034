/* SPDX-License-Identifier: Apache-2.0 */

#ifndef GTPU_WATCH_H
#define GTPU_WATCH_H 1

/* Hands Echo Responses from PMD threads to the main thread
 * ========================================================
 *
 * The main thread supervises peers (gtpu-path.h), and PMD threads receive
 * their answers.  Each peer has a watch.  The main thread writes into it the
 * sequence number that it waits for, a PMD thread writes the answer.  An
 * unexpected answer costs a lookup and wakes nobody.
 *
 * Thread-safety: gtpu_watch_find() and gtpu_watch_receive() are for any thread
 * and take no lock.  Any thread may read 'state' and 'n_restarts'.  All other
 * functions are for the main thread.  It lets a grace period pass before it
 * frees a watch or a set that it has taken out of use.
 *
 * Attack model: an answer counts only with the sequence number of the request.
 * GTP-U has no better proof of its sender. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/gtpu/gtpu-path.h"

struct gtpu_watch {
    uint8_t peer[16];           /* IPv4 as IPv4-mapped. */
    _Atomic(uint32_t) awaited;  /* Sequence number, or GTPU_WATCH_NONE. */
    _Atomic(uint64_t) answer;   /* Packed; 0 if there is none. */
    _Atomic(int) state;         /* enum gtpu_path_state. */
    _Atomic(uint32_t) n_restarts;
};

#define GTPU_WATCH_NONE UINT32_C(0x10000)

/* The watches of all peers, in ascending order of 'peer'. */
struct gtpu_watch_set {
    size_t n;
    struct gtpu_watch *watches[];
};

extern _Atomic(struct gtpu_watch_set *) gtpu_watch_set__;

/* Puts 'set' in place and returns the one that it replaces; both may be
 * null. */
struct gtpu_watch_set *gtpu_watch_set_replace(struct gtpu_watch_set *set);

/* Returns the watch of 'peer', or a null pointer.  It stays valid until the
 * calling thread next quiesces. */
struct gtpu_watch *gtpu_watch_find(const uint8_t peer[16]);

/* Expects an answer with 'seq' and discards an answer that was not taken. */
void gtpu_watch_expect(struct gtpu_watch *, uint16_t seq);

/* Stores 'answer' of 'peer' if the main thread expects it.  Returns true if it
 * does. */
bool gtpu_watch_receive(const uint8_t peer[16],
                        const struct gtpu_path_answer *answer);

/* Stores the answer in '*answer', if there is one, and returns true.  No
 * further answer is expected then. */
bool gtpu_watch_take(struct gtpu_watch *, struct gtpu_path_answer *answer);

#endif /* gtpu-watch.h */
