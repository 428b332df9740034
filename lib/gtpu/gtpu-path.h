/* SPDX-License-Identifier: Apache-2.0 */

#ifndef GTPU_PATH_H
#define GTPU_PATH_H 1

/* Supervision of a GTP-U path
 * ===========================
 *
 * Echo Requests show whether a peer is reachable (TS 29.281 clause 7.2.1,
 * TS 23.007 clause 20).  The path sends one every 'interval'.  Without an
 * answer within T3-RESPONSE it sends the same request again, N3-REQUESTS times
 * in all.  A peer that answers none of them is down, until its next answer.
 *
 *     unknown ── answer ──> up <── answer ── down
 *        └── no answer ──────┴── no answer ──> down
 *
 * This file keeps the state of one path and its next due time.  The caller
 * sends and receives.
 *
 * A Recovery Time Stamp or a Recovery counter that changes shows a restart of
 * the peer.  TS 29.281 has senders set the counter to 0 and receivers ignore
 * it, but older nodes count.  Restarts are counted, and the state stays.
 *
 * Time is in ms, by a clock that does not go back.  Thread-safety: none; a
 * path is for one thread.  Limits: a request takes one answer, with its own
 * sequence number. */

#include <stdbool.h>
#include <stdint.h>

/* In seconds.  The standard demands an interval of 60 or more. */
#define GTPU_PATH_MIN_INTERVAL 60
#define GTPU_PATH_MAX_INTERVAL 86400
#define GTPU_PATH_T3 3
#define GTPU_PATH_MAX_T3 60
#define GTPU_PATH_N3 3
#define GTPU_PATH_MAX_N3 20

struct gtpu_path_config {
    uint32_t interval;          /* Seconds between requests; 0: none. */
    uint32_t t3;                /* Seconds. */
    uint32_t n3;                /* Requests, 1 or more. */
    bool fast;                  /* 'interval' may be below the minimum. */
};

/* Returns null, or a static text that names what does not fit together in
 * 'config'.  The caller has checked each number against its range. */
const char *gtpu_path_config_check(const struct gtpu_path_config *config);

bool gtpu_path_config_equal(const struct gtpu_path_config *,
                            const struct gtpu_path_config *);

/* Merges 'other' into '*config' for two ports that share a path.  The one with
 * the shorter interval wins as a whole. */
void gtpu_path_config_merge(struct gtpu_path_config *config,
                            const struct gtpu_path_config *other);

enum gtpu_path_state {
    GTPU_PATH_UNKNOWN,          /* No answer yet, and not given up. */
    GTPU_PATH_UP,
    GTPU_PATH_DOWN,
};

/* Returns "unknown", "up" or "down". */
const char *gtpu_path_state_name(enum gtpu_path_state);

/* The content of an Echo Response. */
struct gtpu_path_answer {
    uint16_t seq;
    uint8_t recovery;           /* 0 if absent. */
    uint32_t recovery_time;     /* 0 if absent. */
};

struct gtpu_path {
    struct gtpu_path_config config;
    enum gtpu_path_state state;
    bool waiting;               /* For the answer to 'seq'. */
    uint16_t seq;
    uint32_t n_sent;            /* Requests with this 'seq'. */
    long long int start;        /* When the first of them was due. */
    long long int due;          /* When gtpu_path_run() has work next. */
    long long int changed;      /* When 'state' changed last. */
    bool answered;              /* At least once; if so: */
    uint8_t recovery;
    uint32_t recovery_time;

    uint64_t n_requests, n_responses;
    uint64_t n_failures;        /* Changes to GTPU_PATH_DOWN. */
    uint64_t n_restarts;
};

/* Initializes '*path'; the first request is due at once.  'config->interval'
 * is not 0. */
void gtpu_path_init(struct gtpu_path *, const struct gtpu_path_config *config,
                    long long int now);

/* Changes the configuration.  The next request is due by the new one. */
void gtpu_path_configure(struct gtpu_path *,
                         const struct gtpu_path_config *config);

/* Does the work that is due.  Returns true if the caller must send an Echo
 * Request with sequence number 'path->seq' now.  A new request takes the
 * number 'new_seq', which should not be guessable. */
bool gtpu_path_run(struct gtpu_path *, uint16_t new_seq, long long int now);

/* Processes 'answer'.  Returns true if the path was waiting for it. */
bool gtpu_path_receive(struct gtpu_path *, const struct gtpu_path_answer *,
                       long long int now);

#endif /* gtpu-path.h */
