/* SPDX-License-Identifier: Apache-2.0 */

#ifndef GTPU_PATH_H
#define GTPU_PATH_H 1

/* Supervision of a GTP-U path
 * ===========================
 *
 * Whether a peer is there is found out by Echo Requests (TS 29.281 clause
 * 7.2.1, TS 23.007 clause 20): one every 'interval'; if it is not answered
 * within T3-RESPONSE, the same again, N3-REQUESTS times in all.  A peer that
 * answered none of them is down.  It is up from its next answer on.
 *
 *     unknown ── answer ──> up <── answer ── down
 *        └── no answer ──────┴── no answer ──> down
 *
 * This is the state of one path and what is due when; the caller sends and
 * receives.  Restarts of the peer are seen by a Recovery Time Stamp that
 * changes, or a Recovery counter that does: TS 29.281 has the latter sent as 0
 * and ignored, but older nodes count.  They are counted and change nothing
 * else.
 *
 * Time is in ms, by a clock that does not go back.  Thread-safety: none; a
 * path is for one thread.  Limits: one answer counts for a request, and only
 * with its sequence number. */

#include <stdbool.h>
#include <stdint.h>

/* In seconds.  The standard wants an interval of 60 or more. */
#define GTPU_PATH_MIN_INTERVAL 60
#define GTPU_PATH_MAX_INTERVAL 86400
#define GTPU_PATH_T3 3
#define GTPU_PATH_N3 3

struct gtpu_path_config {
    uint32_t interval;          /* Seconds between requests; 0: none. */
    uint32_t t3;                /* Seconds. */
    uint32_t n3;                /* Requests, 1 or more. */
    bool fast;                  /* 'interval' may be below the minimum. */
};

/* Parses options as texts, each of which may be null: "echo_interval",
 * "echo_t3", "echo_n3", "echo_fast".  Returns a null pointer, or a static text
 * that says what is wrong, with '*config' switched off. */
const char *gtpu_path_config_parse(const char *interval, const char *t3,
                                   const char *n3, const char *fast,
                                   struct gtpu_path_config *config);

bool gtpu_path_config_equal(const struct gtpu_path_config *,
                            const struct gtpu_path_config *);

/* Makes '*config' one for several ports that share a path: the shorter
 * interval with what belongs to it. */
void gtpu_path_config_merge(struct gtpu_path_config *config,
                            const struct gtpu_path_config *other);

enum gtpu_path_state {
    GTPU_PATH_UNKNOWN,          /* No answer yet, nor too many without. */
    GTPU_PATH_UP,
    GTPU_PATH_DOWN,
};

/* Returns "unknown", "up" or "down". */
const char *gtpu_path_state_name(enum gtpu_path_state);

/* What an Echo Response says about its sender. */
struct gtpu_path_answer {
    uint16_t seq;
    uint8_t recovery;           /* 0 if it is not there. */
    uint32_t recovery_time;     /* 0 if it is not there. */
};

struct gtpu_path {
    struct gtpu_path_config config;
    enum gtpu_path_state state;
    bool waiting;               /* For the answer to 'seq'. */
    uint16_t seq;
    uint32_t n_sent;            /* Requests with this 'seq'. */
    long long int start;        /* When the first of them was due. */
    long long int due;          /* When something is to be done next. */
    long long int changed;      /* When 'state' changed last. */
    bool answered;              /* Ever; if so: */
    uint8_t recovery;
    uint32_t recovery_time;

    uint64_t n_requests, n_responses;
    uint64_t n_failures;        /* Times that it went down. */
    uint64_t n_restarts;
};

/* Initializes '*path'; the first request is due at once.  'config->interval'
 * is not 0. */
void gtpu_path_init(struct gtpu_path *, const struct gtpu_path_config *config,
                    long long int now);

/* Changes the configuration.  The next request is due by the new one. */
void gtpu_path_configure(struct gtpu_path *,
                         const struct gtpu_path_config *config);

/* Does what is due.  Returns true if an Echo Request with sequence number
 * 'path->seq' is to be sent now; a new one has the number 'new_seq', which
 * should not be guessable. */
bool gtpu_path_run(struct gtpu_path *, uint16_t new_seq, long long int now);

/* Takes 'answer'.  Returns true if it was waited for. */
bool gtpu_path_receive(struct gtpu_path *, const struct gtpu_path_answer *,
                       long long int now);

#endif /* gtpu-path.h */
