/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SERVICE_JOURNAL_H
#define SERVICE_JOURNAL_H 1

/* Services as they were
 * =====================
 *
 * Keeps the past states of Services, each with the time from which it was in
 * force and the time until which it was.  Present states stay in the store:
 * the journal only knows since when they are in force.
 *
 *     time    begun        10           20           now
 *     "a"     |-- 1 past ---|-- 1 past --|-- present -->
 *     "b"     |-- present ------------------------------>
 *     "c"                   |-- 1 past --|
 *
 * A journal begins when its owner has read all Services once.  What was before
 * is unknown, and so is what has been forgotten: past states take 'limit'
 * octets at most together, and those that ended first go first.  So the
 * journal knows all after its horizon, and says nothing of times before.
 *
 * Times are in ms since 1970.  One that is less than the one before, because
 * the clock was set back, counts as the one before.
 *
 * Thread-safety: none; all of it belongs to one thread. */

#include <stdbool.h>
#include <stddef.h>

struct service;
struct service_journal;

/* Returns a new journal whose past states take 'limit' octets at most. */
struct service_journal *service_journal_create(size_t limit);
void service_journal_destroy(struct service_journal *);

/* Begins the journal, unless it has begun. */
void service_journal_begin(struct service_journal *, long long int now);

/* Notes that Service 'key', "NAMESPACE/NAME", was in state 'old' until 'now'.
 * 'old', which may be null, belongs to the journal from then on.  'gone': it
 * has no state any more.  'journal' may be null. */
void service_journal_note(struct service_journal *journal, const char *key,
                          struct service *old, bool gone, long long int now);

/* Returns the time from which on the journal knows all Services, or LLONG_MAX
 * if it has not begun.  Stores in '*forgotten' whether it has forgotten what
 * was before; otherwise it began then. */
long long int service_journal_horizon(const struct service_journal *,
                                      bool *forgotten);

/* Returns the time since which 'key' is in its present state, if it has one,
 * or the time at which the journal began if it was in that state then. */
long long int service_journal_since(const struct service_journal *,
                                    const char *key);

/* A state that was in force at a certain time. */
struct service_past {
    const struct service *service;
    long long int from, until;
};

/* Returns the past states that were in force at 'when', in an array of '*n'
 * elements that the caller must free.  They belong to the journal, until the
 * next note. */
struct service_past *service_journal_at(const struct service_journal *,
                                        long long int when, size_t *n);

/* Returns the number of past states, and stores what they take in
 * '*n_bytes'. */
size_t service_journal_count(const struct service_journal *, size_t *n_bytes);

#endif /* service-journal.h */
