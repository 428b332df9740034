/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/lb/lb-sticky.h"

#include <stdatomic.h>

#include "lib/lb/lb-sticky-private.h"

/* One entry a hash
 * ================
 *
 * Let h's entries be those that have the hash h and are not free.  To insert
 * h, a thread looks for one.  If there is one that is live, it is h's.  If it
 * is dead, it gets the new token by compare-and-exchange, which makes one of
 * the threads win that try this at once.  If there is none, the thread
 *
 *    1. claims a dead entry, P, by compare-and-exchange of its value,
 *    2. announces P, by writing h to it,
 *    3. looks at all other candidates, and
 *    4. publishes P if none of them is an entry of h; else it frees P again.
 *
 * Suppose that P and another entry Q of h were published both.  Announcements
 * and looks are sequentially consistent, so one of the announcements came
 * first, say P's, and Q's thread looked at P after that.  It saw no entry of
 * h, so P had been freed, or claimed for another flow, by then.  That P is h's
 * again takes another announcement of P, later than Q's, and P's thread then
 * looked at Q: the same argument, with the roles swapped, and so on.  There is
 * no last one.
 *
 * Two threads that both announced may see each other and both give up.  Their
 * packets go where the stateless choice sends them and the next one tries
 * again; nobody waits. */

#define N_CANDIDATES (2 * ENTRIES_PER_LINE)

/* How often the packet of a flow tries again when other threads interfere. */
#define MAX_TRIES 4

/* How many ticks more than the timeout an entry gets when it is refreshed. */
static uint32_t
timeout_slack(uint32_t timeout)
{
    return timeout / 32 + 1;
}

static uint32_t
clamp_timeout(uint32_t timeout)
{
    return (timeout < LB_STICKY_MAX_TIMEOUT
            ? timeout
            : LB_STICKY_MAX_TIMEOUT);
}

/* Returns the value of 'token', in the generation of 'old', for an entry whose
 * last packet came in tick 'now'.  That tick is not over, so it does not count
 * for the timeout. */
static uint64_t
make_value(uint64_t old, uint32_t token, uint32_t now, uint32_t timeout)
{
    uint32_t expiry = now + 1 + timeout + timeout_slack(timeout);

    return ((uint64_t) token << VALUE_TOKEN_SHIFT
            | (old & VALUE_GENERATION)
            | (expiry & VALUE_EXPIRY));
}

/* Returns candidate 'i' of 'hash', in the range [0, N_CANDIDATES).  Those of
 * the first line come first. */
static struct entry *
candidate(const struct lb_sticky *sticky, uint64_t hash, size_t i)
{
    uint32_t line = (i < ENTRIES_PER_LINE
                     ? lb_sticky_line1__(sticky, hash)
                     : lb_sticky_line2__(sticky, hash));

    return &sticky->lines[line].entries[i % ENTRIES_PER_LINE];
}

/* Returns a bitmap of the entries of 'line' whose hash is 'hash', free or not.
 * It has no branch on which one that is, which no processor could predict. */
static inline uint32_t
find_hash(const struct lb_sticky_line__ *line, uint64_t hash)
{
    uint32_t map = 0;

    for (size_t i = 0; i < ENTRIES_PER_LINE; i++) {
        uint64_t h = atomic_load_explicit(&line->entries[i].hash,
                                          memory_order_relaxed);

        map |= (uint32_t) (h == hash) << i;
    }
    return map;
}

/* Starts to load the other line of 'hash', unless the first line has an entry
 * of it. */
void
lb_sticky_prefetch_other(const struct lb_sticky *sticky, uint64_t hash)
{
    if (!find_hash(&sticky->lines[lb_sticky_line1__(sticky, hash)], hash)) {
        __builtin_prefetch(&sticky->lines[lb_sticky_line2__(sticky, hash)]);
    }
}

/* Stores the value of 'entry' in '*valuep' and returns true, if it is a
 * published one of 'hash'. */
static bool
read_value(const struct entry *entry, uint64_t hash, uint64_t *valuep)
{
    uint64_t value = atomic_load_explicit(&entry->value, memory_order_acquire);

    for (int i = 0; i < MAX_TRIES; i++) {
        if (!value_token(value)
            || atomic_load_explicit(&entry->hash,
                                    memory_order_acquire) != hash) {
            return false;
        }

        uint64_t again = atomic_load_explicit(&entry->value,
                                              memory_order_acquire);
        if (value_is_same(value, again)) {
            *valuep = again;
            return true;
        }
        value = again;
    }
    return false;
}

/* Returns the published entry of 'hash' in 'line', live or dead, and stores
 * its value in '*valuep', or returns null if there is none. */
static inline struct entry *
find_in_line(struct lb_sticky_line__ *line, uint64_t hash, uint64_t *valuep)
{
    for (uint32_t map = find_hash(line, hash); map; map &= map - 1) {
        struct entry *entry = &line->entries[__builtin_ctz(map)];

        if (read_value(entry, hash, valuep)) {
            return entry;
        }
    }
    return NULL;
}

/* The same in the two lines of 'hash'. */
static struct entry *
find_entry(const struct lb_sticky *sticky, uint64_t hash, uint64_t *valuep)
{
    struct lb_sticky_line__ *lines = sticky->lines;
    struct entry *entry = find_in_line(&lines[lb_sticky_line1__(sticky, hash)],
                                       hash, valuep);

    return (entry
            ? entry
            : find_in_line(&lines[lb_sticky_line2__(sticky, hash)], hash,
                           valuep));
}

/* Puts 'new' in the place of '*valuep' in 'entry' and returns true, unless it
 * holds something else by now.  Then it stores that in '*valuep'. */
static bool
exchange(struct entry *entry, uint64_t *valuep, uint64_t new)
{
    return atomic_compare_exchange_strong(&entry->value, valuep, new);
}

/* Makes 'entry', which has 'value', live for another 'timeout', if it is not
 * about to live for that long anyhow.  If another thread changes it meanwhile
 * that one's change stands. */
static void
refresh(struct entry *entry, uint64_t value, uint32_t now, uint32_t timeout)
{
    uint32_t spare = value_ticks_left(value, now) - (timeout + 1);

    /* A 'spare' below zero is a huge one.  One that is too large is left from
     * a longer timeout. */
    if (spare > timeout_slack(timeout) + CLOCK_SKEW) {
        exchange(entry, &value,
                 make_value(value, value_token(value), now, timeout));
    }
}

/* Returns the token of the flow of 'hash', or 0 if it has none, for a packet
 * at 'now' (see lb_sticky_ticks()).  The flow now has another 'timeout' ticks
 * to live; more than LB_STICKY_MAX_TIMEOUT counts as that. */
uint32_t
lb_sticky_lookup(struct lb_sticky *sticky, uint64_t hash, uint32_t now,
                 uint32_t timeout)
{
    uint64_t value;
    struct entry *entry = find_entry(sticky, hash, &value);

    if (!entry || !value_is_live(value, now)) {
        return 0;
    }
    refresh(entry, value, now, clamp_timeout(timeout));
    return value_token(value);
}

/* Returns the token of the flow of 'hash' as lb_sticky_lookup() would, but
 * changes nothing.  If it has one, stores in '*ticks_left' how long it has to
 * live at 'now' if no packet comes. */
uint32_t
lb_sticky_peek(const struct lb_sticky *sticky, uint64_t hash, uint32_t now,
               uint32_t *ticks_left)
{
    uint64_t value;

    if (!find_entry(sticky, hash, &value) || !value_is_live(value, now)) {
        return 0;
    }
    *ticks_left = value_ticks_left(value, now);
    return value_token(value);
}

/* Finishes an insertion that found 'entry', with 'value', to be the flow's. */
static enum lb_sticky_result
join(struct entry *entry, uint64_t value, uint32_t *token, uint32_t now,
     uint32_t timeout)
{
    for (int i = 0; i < MAX_TRIES; i++) {
        if (value_is_live(value, now)) {
            refresh(entry, value, now, timeout);
            *token = value_token(value);
            return LB_STICKY_FOUND;
        }

        uint64_t old = value;
        if (exchange(entry, &value, make_value(value, *token, now, timeout))) {
            return LB_STICKY_ADDED;
        } else if (!value_token(value)
                   || (value ^ old) & VALUE_GENERATION) {
            break;              /* It is not this flow's any more. */
        }
    }
    return LB_STICKY_BUSY;
}

/* Returns the dead entry for a new flow of 'hash' and stores its value in
 * '*valuep', or returns null if no candidate is dead. */
static struct entry *
pick_entry(const struct lb_sticky *sticky, uint64_t hash, uint32_t now,
           uint64_t *valuep)
{
    struct entry *best = NULL;
    size_t best_n_dead = 0;

    for (size_t line = 0; line < 2; line++) {
        struct entry *first = NULL;
        uint64_t first_value = 0;
        size_t n_dead = 0;

        for (size_t i = 0; i < ENTRIES_PER_LINE; i++) {
            struct entry *entry = candidate(sticky, hash,
                                            line * ENTRIES_PER_LINE + i);
            uint64_t value = atomic_load_explicit(&entry->value,
                                                  memory_order_relaxed);

            if (value_is_dead(value, now)) {
                if (!n_dead++) {
                    first = entry;
                    first_value = value;
                }
            }
        }
        if (n_dead > best_n_dead) {
            best = first;
            *valuep = first_value;
            best_n_dead = n_dead;
        }
    }
    return best;
}

/* Returns true if an entry other than 'self' has 'hash', published or
 * announced. */
static bool
has_rival(const struct lb_sticky *sticky, uint64_t hash,
          const struct entry *self)
{
    for (size_t i = 0; i < N_CANDIDATES; i++) {
        const struct entry *entry = candidate(sticky, hash, i);

        if (entry != self
            && atomic_load(&entry->hash) == hash
            && !value_is_free(atomic_load(&entry->value))) {
            return true;
        }
    }
    return false;
}

/* Binds the flow of 'hash', of which a packet came at 'now', to '*token',
 * which is nonzero, for at least 'timeout' ticks; more than
 * LB_STICKY_MAX_TIMEOUT counts as that.
 *
 * Returns LB_STICKY_FOUND if the flow has a token already, and stores it in
 * '*token'.  Returns LB_STICKY_FULL if the flow's candidate entries are all
 * taken, or LB_STICKY_BUSY if other threads claimed the same entries or
 * inserted the same flow at this moment.  In both cases the flow is not
 * remembered, '*token' is left alone, and the next packet may try again. */
enum lb_sticky_result
lb_sticky_insert(struct lb_sticky *sticky, uint64_t hash, uint32_t *token,
                 uint32_t now, uint32_t timeout)
{
    timeout = clamp_timeout(timeout);
    for (int i = 0; i < MAX_TRIES; i++) {
        uint64_t value;
        struct entry *entry = find_entry(sticky, hash, &value);
        if (entry) {
            return join(entry, value, token, now, timeout);
        }

        entry = pick_entry(sticky, hash, now, &value);
        if (!entry) {
            return LB_STICKY_FULL;
        }

        uint64_t generation = ((value + VALUE_GENERATION_ONE)
                               & VALUE_GENERATION);
        if (!exchange(entry, &value, generation | VALUE_CLAIMED)) {
            continue;
        }
        atomic_store(&entry->hash, hash);
        if (!has_rival(sticky, hash, entry)) {
            atomic_store_explicit(&entry->value,
                                  make_value(generation, *token, now, timeout),
                                  memory_order_release);
            return LB_STICKY_ADDED;
        }
        atomic_store_explicit(&entry->value, generation, memory_order_release);
    }
    return LB_STICKY_BUSY;
}

/* Gives the flow of 'hash', whose bucket is gone, 'new_token', which is
 * nonzero, in place of 'old_token', as lb_sticky_insert() would.
 *
 * Returns the token where the packet is to go.  That is 0 if the flow is not
 * remembered any more, and another than 'new_token' if another thread came
 * first.  If several came first, it is 'new_token' though the flow may have
 * kept 'old_token': then its next packet gets here again. */
uint32_t
lb_sticky_replace(struct lb_sticky *sticky, uint64_t hash, uint32_t old_token,
                  uint32_t new_token, uint32_t now, uint32_t timeout)
{
    timeout = clamp_timeout(timeout);
    for (int i = 0; i < MAX_TRIES; i++) {
        uint64_t value;
        struct entry *entry = find_entry(sticky, hash, &value);

        if (!entry || !value_is_live(value, now)) {
            return 0;
        } else if (value_token(value) != old_token) {
            return value_token(value);
        } else if (exchange(entry, &value,
                            make_value(value, new_token, now, timeout))) {
            return new_token;
        }
    }
    return new_token;
}

/* Forgets the flow of 'hash'.  Returns true if there was one to forget, live
 * or expired. */
bool
lb_sticky_remove(struct lb_sticky *sticky, uint64_t hash)
{
    uint64_t value;
    struct entry *entry;

    while ((entry = find_entry(sticky, hash, &value))) {
        if (exchange(entry, &value, value & VALUE_GENERATION)) {
            return true;
        }
    }
    return false;
}

/* Forgets all flows for whose tokens 'match' returns true, or all if 'match'
 * is null.  Returns their number, which includes those that expired.  Flows
 * that other threads insert meanwhile may stay.
 *
 * This and the two functions below walk the whole table. */
size_t
lb_sticky_flush(struct lb_sticky *sticky, lb_sticky_match_cb *match, void *aux)
{
    size_t n = 0;

    for (size_t i = 0; i < sticky->n_entries; i++) {
        struct lb_sticky_line__ *line = &sticky->lines[i / ENTRIES_PER_LINE];
        struct entry *entry = &line->entries[i % ENTRIES_PER_LINE];
        uint64_t value = atomic_load(&entry->value);

        while (value_token(value)
               && (!match || match(value_token(value), aux))) {
            if (exchange(entry, &value, value & VALUE_GENERATION)) {
                n++;
                break;
            }
        }
    }
    return n;
}

/* Calls 'cb' with each flow that is live at 'now'.  Flows that other threads
 * insert, change or remove meanwhile may be left out, or come twice. */
void
lb_sticky_for_each(const struct lb_sticky *sticky, uint32_t now,
                   lb_sticky_entry_cb *cb, void *aux)
{
    for (size_t i = 0; i < sticky->n_entries; i++) {
        struct lb_sticky_line__ *line = &sticky->lines[i / ENTRIES_PER_LINE];
        struct entry *entry = &line->entries[i % ENTRIES_PER_LINE];
        uint64_t hash = atomic_load_explicit(&entry->hash,
                                             memory_order_relaxed);
        uint64_t value;

        if (read_value(entry, hash, &value) && value_is_live(value, now)) {
            cb(hash, value_token(value), value_ticks_left(value, now), aux);
        }
    }
}

/* Returns the number of flows that are live at 'now'. */
size_t
lb_sticky_count(const struct lb_sticky *sticky, uint32_t now)
{
    size_t n = 0;

    for (size_t i = 0; i < sticky->n_entries; i++) {
        struct lb_sticky_line__ *line = &sticky->lines[i / ENTRIES_PER_LINE];
        struct entry *entry = &line->entries[i % ENTRIES_PER_LINE];

        n += value_is_live(atomic_load_explicit(&entry->value,
                                                memory_order_relaxed), now);
    }
    return n;
}
