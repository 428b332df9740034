/* SPDX-License-Identifier: Apache-2.0 */

#ifndef GTPU_WATCH_H
#define GTPU_WATCH_H 1

/* Where Echo Responses meet those who wait for them
 * =================================================
 *
 * The main thread supervises peers (gtpu-path.h), PMD threads receive what
 * they answer.  A watch is one peer's: the main thread writes into it which
 * sequence number it waits for, a PMD thread the answer.  What nobody waits
 * for costs a lookup, and wakes nobody.
 *
 * Thread-safety: gtpu_watch_receive() and gtpu_watch_state() are for any
 * thread and take no lock.  All else is for the main thread, which lets a
 * grace period pass before it frees a watch or a set that it took out of use.
 *
 * Attack model: an answer counts only with the sequence number of the request.
 * GTP-U has no better way to tell who sent it. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/gtpu/gtpu-path.h"

struct gtpu_watch {
    uint8_t peer[16];           /* IPv4 as IPv4-mapped. */
    _Atomic(uint32_t) awaited;  /* Sequence number, or GTPU_WATCH_NONE. */
    _Atomic(uint64_t) answer;   /* Packed; 0 if there is none. */
    _Atomic(int) state;         /* enum gtpu_path_state, for others to see. */
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

/* Waits for an answer with 'seq', which makes an answer to another go. */
void gtpu_watch_expect(struct gtpu_watch *, uint16_t seq);

/* 'peer' sent 'answer'.  Returns true if it is waited for. */
bool gtpu_watch_receive(const uint8_t peer[16],
                        const struct gtpu_path_answer *answer);

/* Takes the answer, if there is one, and returns true; the next one is not
 * waited for. */
bool gtpu_watch_take(struct gtpu_watch *, struct gtpu_path_answer *answer);

#endif /* gtpu-watch.h */
