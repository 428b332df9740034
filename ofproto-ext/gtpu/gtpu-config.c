/* SPDX-License-Identifier: Apache-2.0 */

/* other_config:gtpu-*, which decides how the switch answers GTP-U messages.
 * Main thread. */

#include <config.h>
#include "ofproto-ext/gtpu/gtpu-ofproto-hooks.h"

#include <inttypes.h>
#include <string.h>

#include "entropy.h"
#include "lib/gtpu/gtpu-answer.h"
#include "openvswitch/vlog.h"
#include "ovs-thread.h"
#include "smap.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(gtpu_config);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);

static void
set_echo_mode(const struct smap *other_config)
{
    const char *value = smap_get_def(other_config, "gtpu-echo", "answer");
    enum gtpu_echo_mode mode = GTPU_ECHO_ANSWER;

    if (!strcmp(value, "controller")) {
        mode = GTPU_ECHO_CONTROLLER;
    } else if (!strcmp(value, "drop")) {
        mode = GTPU_ECHO_DROP;
    } else if (strcmp(value, "answer")) {
        VLOG_WARN_RL(&rl, "other_config:gtpu-echo=%s is neither answer, "
                     "controller nor drop: it is taken for answer", value);
    }
    gtpu_set_echo_mode(mode);
}

/* Returns the rate 'key', or 'def' if it is not set. */
static uint32_t
get_rate(const struct smap *other_config, const char *key, uint32_t def)
{
    unsigned long long int rate = smap_get_ullong(other_config, key, def);

    if (rate > GTPU_LIMIT_MAX) {
        VLOG_WARN_RL(&rl, "other_config:%s=%llu is above %d, which is taken "
                     "instead", key, rate, GTPU_LIMIT_MAX);
        rate = GTPU_LIMIT_MAX;
    }
    return rate;
}

static void
set_rates(const struct smap *other_config)
{
    uint32_t echo = get_rate(other_config, "gtpu-echo-rate", GTPU_ECHO_RATE);
    uint32_t echo_peer = get_rate(other_config, "gtpu-echo-peer-rate",
                                  GTPU_ECHO_RATE_PEER);
    uint32_t error = get_rate(other_config, "gtpu-error-rate",
                              GTPU_ERROR_RATE);
    uint32_t error_peer = get_rate(other_config, "gtpu-error-peer-rate",
                                   GTPU_ERROR_RATE_PEER);

    gtpu_answer_set_rates(GTPU_ANSWER_ECHO, echo_peer, echo);
    gtpu_answer_set_rates(GTPU_ANSWER_EXT, error_peer, error);
    gtpu_answer_set_rates(GTPU_ANSWER_ERROR, error_peer, error);
}

void
gtpu_config_set(const struct smap *other_config)
{
    static struct ovsthread_once once = OVSTHREAD_ONCE_INITIALIZER;

    if (ovsthread_once_start(&once)) {
        struct siphash_key key;

        get_entropy_or_die(&key, sizeof key);
        gtpu_answers_set(&key);
        ovsthread_once_done(&once);
    }
    set_echo_mode(other_config);
    set_rates(other_config);
}
