/* SPDX-License-Identifier: Apache-2.0 */

#ifndef LB_STICKY_H
#define LB_STICKY_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Sticky flow table
 * =================
 *
 * Remembers the bucket of each flow, so that a change of a select group moves
 * only the flows whose bucket is gone.  Maps the 64-bit hash of a flow to the
 * token of its bucket (see lb-table.h) until the flow has been idle for a
 * timeout.
 *
 * One table serves all PMD threads, since a flow may move to another PMD and
 * its packets must still reach their bucket, and all groups.  The hash is all
 * that is known of the flow, so it must tell apart flows of different groups
 * as well: take it from SipHash (siphash.h) under a secret key, and give
 * each group a key of its own or add a random number of its own, 64 bits long.
 *
 *     uint32_t now = lb_sticky_ticks(time_msec());
 *
 *     for each packet of the batch:
 *         lb_sticky_prefetch(sticky, hash);
 *     for each packet of the batch:
 *         lb_sticky_prefetch_other(sticky, hash);
 *     for each packet of the batch:
 *         token = lb_sticky_lookup(sticky, hash, now, timeout);
 *         if (!token) {
 *             token = choice of the Maglev table;
 *             result = lb_sticky_insert(sticky, hash, &token, now, timeout);
 *             count 'result';
 *         } else if the bucket of 'token' is gone {
 *             token = lb_sticky_replace(sticky, hash, token,
 *                                       choice of the Maglev table,
 *                                       now, timeout);
 *         }
 *
 *
 * Structure
 * =========
 *
 * An entry is 16 bytes and a line is 4 entries, one cache line.  A flow has
 * two candidate lines, chosen by different bits of its hash.  A new flow takes
 * the first dead entry, that is, one free or expired, of the line that has
 * fewer live ones, and of the first line if they have as many.  No entry ever
 * moves.
 *
 *
 * Guarantees
 * ==========
 *
 *    - No operation on a flow looks at more than its 8 candidate entries, or
 *      waits for another thread.
 *
 *    - An entry lives from its last packet for at least 'timeout' ticks, and
 *      at most 'timeout' / 32 + 2 ticks longer.  The slack is there so that
 *      the packets of a busy flow write to the entry once in 'timeout' / 32 +
 *      1 ticks, not each.  Where 'now' differs among threads, add the
 *      difference.  Where 'timeout' was longer before, the first packet under
 *      the new one cuts the entry's life short, to within 2 s.
 *
 *    - A live entry is never evicted.  When all 8 candidates are live, a new
 *      flow is not remembered.
 *
 *    - A lookup returns a token that was stored for that very hash.
 *
 *    - A hash has at most one entry, whatever threads insert it at once: so
 *      all of them see the same token from then on.
 *
 *
 * Thread-safety
 * =============
 *
 * lb_sticky_create(), lb_sticky_take() and lb_sticky_destroy() are for one
 * thread, before and after all others.  Every other function may be called by
 * any number of threads at once; none takes a lock, allocates or makes a
 * system call.
 *
 *
 * Limits
 * ======
 *
 * LB_STICKY_MIN_ENTRIES to LB_STICKY_MAX_ENTRIES entries, always a power of 2,
 * 16 bytes each.  Timeouts from 1 tick to LB_STICKY_MAX_TIMEOUT (86,400 s).
 *
 * The table cannot be filled to the last entry.  How much of it is live when
 * the first flow is turned away falls with its size: 65 % on average at 1024
 * entries, 55 % at 16,384, 47 % at 262,144, 42 % at 4,194,304.  Few are turned
 * away at first: of all flows offered, 0.0014 % when they are half as many as
 * the entries, 0.7 % when three quarters, 8 % when as many.  Make it twice the
 * number of flows to be remembered.
 *
 * Two flows of the same 64-bit hash share an entry and so a bucket, for as
 * long as both live.  Among n flows there is such a pair with a probability of
 * n^2 / 2^65: 1 in 34 million for 1,048,576 flows.  If they are of different
 * groups, the token is none of the second group's: its user must treat it as
 * a bucket that is gone.
 *
 * Time is stored in 28 bits of ticks, that is, modulo 777 days.  An entry
 * whose place nobody needed for that long after it expired comes to life again
 * for as long as it lived before, 86,400 s at most.
 *
 *
 * Attack model
 * ============
 *
 * Who sends packets chooses flows, but not hashes, as long as the key is
 * secret: lines fill at random.  A flood of new flows fills the table with
 * entries of the flood, which keeps new flows from being remembered until
 * these expire; it evicts nobody, and makes no lookup or insertion touch
 * more than two cache lines. */

/* The unit of time. */
#define LB_STICKY_TICKS_PER_SEC 4

#define LB_STICKY_MIN_ENTRIES 8
#define LB_STICKY_MAX_ENTRIES (UINT32_C(1) << 28)
#define LB_STICKY_MAX_TIMEOUT (86400 * LB_STICKY_TICKS_PER_SEC)

/* A table.  Its fields do not change, and are for others to read. */
struct lb_sticky {
    struct lb_sticky_line__ *lines;
    uint32_t line_mask;          /* Number of lines, a power of 2, minus 1. */
    uint32_t n_entries;
    size_t n_bytes;              /* Memory for the entries. */
};

/* What became of an insertion. */
enum lb_sticky_result {
    LB_STICKY_ADDED,             /* The flow is remembered from now on. */
    LB_STICKY_FOUND,             /* It already was. */
    LB_STICKY_FULL,              /* Not remembered: no room. */
    LB_STICKY_BUSY,              /* Not remembered: other threads meddled. */
};

/* Returns true if 'token' is one to select. */
typedef bool lb_sticky_match_cb(uint32_t token, void *aux);

/* Takes an entry that has 'ticks' left to live if no packet comes. */
typedef void lb_sticky_entry_cb(uint64_t hash, uint32_t token, uint32_t ticks,
                                void *aux);

int lb_sticky_create(size_t n_entries, int numa_node, bool locked,
                     struct lb_sticky **);
int lb_sticky_take(struct lb_sticky *, size_t first, size_t n);
void lb_sticky_destroy(struct lb_sticky *);

void lb_sticky_prefetch_other(const struct lb_sticky *, uint64_t hash);
uint32_t lb_sticky_lookup(struct lb_sticky *, uint64_t hash, uint32_t now,
                          uint32_t timeout);
uint32_t lb_sticky_peek(const struct lb_sticky *, uint64_t hash, uint32_t now,
                        uint32_t *ticks_left);
enum lb_sticky_result lb_sticky_insert(struct lb_sticky *, uint64_t hash,
                                       uint32_t *token, uint32_t now,
                                       uint32_t timeout);
uint32_t lb_sticky_replace(struct lb_sticky *, uint64_t hash,
                           uint32_t old_token, uint32_t new_token,
                           uint32_t now, uint32_t timeout);
bool lb_sticky_remove(struct lb_sticky *, uint64_t hash);

size_t lb_sticky_flush(struct lb_sticky *, lb_sticky_match_cb *, void *aux);
void lb_sticky_for_each(const struct lb_sticky *, uint32_t now,
                        lb_sticky_entry_cb *, void *aux);
size_t lb_sticky_count(const struct lb_sticky *, uint32_t now);

/* Returns what the other functions take as 'now' at 'msec' ms of a monotonic
 * clock.  It may wrap around. */
static inline uint32_t
lb_sticky_ticks(uint64_t msec)
{
    return msec / (1000 / LB_STICKY_TICKS_PER_SEC);
}

/* The candidate lines of 'hash'.  The lowest bit always differs, so that they
 * are two. */

static inline uint32_t
lb_sticky_line1__(const struct lb_sticky *sticky, uint64_t hash)
{
    return hash & sticky->line_mask;
}

static inline uint32_t
lb_sticky_line2__(const struct lb_sticky *sticky, uint64_t hash)
{
    return (hash ^ (hash >> 32 | 1)) & sticky->line_mask;
}

#define LB_STICKY_LINE_SIZE__ 64

/* Starts to load the first line of 'hash'.  Call it for a whole batch before
 * lb_sticky_prefetch_other() for the batch, and that before the first of the
 * other functions. */
static inline void
lb_sticky_prefetch(const struct lb_sticky *sticky, uint64_t hash)
{
    const char *lines = (const char *) sticky->lines;
    size_t line = lb_sticky_line1__(sticky, hash);

    __builtin_prefetch(lines + line * LB_STICKY_LINE_SIZE__);
}

#endif /* lb-sticky.h */
