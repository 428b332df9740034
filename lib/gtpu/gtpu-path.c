/* SPDX-License-Identifier: Apache-2.0 */

#include "lib/gtpu/gtpu-path.h"

#include <stddef.h>
#include <string.h>

#define MSEC 1000LL

const char *
gtpu_path_config_check(const struct gtpu_path_config *c)
{
    if (!c->interval) {
        return NULL;
    } else if (c->interval < GTPU_PATH_MIN_INTERVAL && !c->fast) {
        return "echo_interval is below 60 seconds without echo_fast=true";
    } else if (c->interval < c->t3 * c->n3) {
        return "echo_interval is below echo_t3 times echo_n3";
    }
    return NULL;
}

bool
gtpu_path_config_equal(const struct gtpu_path_config *a,
                       const struct gtpu_path_config *b)
{
    return (a->interval == b->interval && a->t3 == b->t3 && a->n3 == b->n3
            && a->fast == b->fast);
}

void
gtpu_path_config_merge(struct gtpu_path_config *config,
                       const struct gtpu_path_config *other)
{
    uint32_t time = config->t3 * config->n3;
    uint32_t other_time = other->t3 * other->n3;

    if (other->interval < config->interval
        || (other->interval == config->interval
            && (other_time < time
                || (other_time == time && other->t3 < config->t3)))) {
        *config = *other;
    }
}

const char *
gtpu_path_state_name(enum gtpu_path_state state)
{
    switch (state) {
    case GTPU_PATH_UP: return "up";
    case GTPU_PATH_DOWN: return "down";
    case GTPU_PATH_UNKNOWN: break;
    }
    return "unknown";
}

static void
set_state(struct gtpu_path *path, enum gtpu_path_state state,
          long long int now)
{
    if (path->state != state) {
        path->state = state;
        path->changed = now;
        path->n_failures += state == GTPU_PATH_DOWN;
    }
}

void
gtpu_path_init(struct gtpu_path *path, const struct gtpu_path_config *config,
               long long int now)
{
    memset(path, 0, sizeof *path);
    path->config = *config;
    path->due = path->changed = now;
}

void
gtpu_path_configure(struct gtpu_path *path,
                    const struct gtpu_path_config *config)
{
    path->config = *config;
    if (path->n_requests && !path->waiting) {
        path->due = path->start + config->interval * MSEC;
    }
}

bool
gtpu_path_run(struct gtpu_path *path, uint16_t new_seq, long long int now)
{
    if (now < path->due) {
        return false;
    }

    if (path->waiting && path->n_sent >= path->config.n3) {
        /* No answer to any of N3-REQUESTS. */
        path->waiting = false;
        set_state(path, GTPU_PATH_DOWN, now);
        path->due = path->start + path->config.interval * MSEC;
        if (now < path->due) {
            return false;
        }
    }
    if (!path->waiting) {
        path->waiting = true;
        path->seq = new_seq;
        path->n_sent = 0;
        path->start = now;
    }
    path->n_sent++;
    path->n_requests++;
    path->due = now + path->config.t3 * MSEC;
    return true;
}

/* Counts a restart if the Recovery values of 'answer' differ from those of the
 * last one. */
static void
check_restart(struct gtpu_path *path, const struct gtpu_path_answer *answer)
{
    if (path->answered
        && (answer->recovery != path->recovery
            || (answer->recovery_time && path->recovery_time
                && answer->recovery_time != path->recovery_time))) {
        path->n_restarts++;
    }
    path->answered = true;
    path->recovery = answer->recovery;
    if (answer->recovery_time) {
        path->recovery_time = answer->recovery_time;
    }
}

bool
gtpu_path_receive(struct gtpu_path *path,
                  const struct gtpu_path_answer *answer, long long int now)
{
    if (!path->waiting || answer->seq != path->seq) {
        return false;
    }
    path->waiting = false;
    path->n_responses++;
    path->due = path->start + path->config.interval * MSEC;
    check_restart(path, answer);
    set_state(path, GTPU_PATH_UP, now);
    return true;
}
