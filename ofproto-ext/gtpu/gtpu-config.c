/* SPDX-License-Identifier: Apache-2.0 */

/* other_config:gtpu-*, which decides how the switch answers GTP-U messages.
 * Main thread. */

#include <config.h>
#include "ofproto-ext/gtpu/gtpu-ofproto-hooks.h"

#include "config/config-options.h"
#include "entropy.h"
#include "lib/gtpu/gtpu-answer.h"
#include "lib/options/options.h"
#include "openvswitch/vlog.h"
#include "ovs-thread.h"
#include "unixctl.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(gtpu_config);

#define RATE(NAME, DEF) \
    { .name = NAME, .type = OPTION_NUMBER, .max = GTPU_LIMIT_MAX, \
      .def = OVS_STRINGIZE(DEF) }

static const struct option_spec specs[] = {
    /* The words are in the order of enum gtpu_echo_mode. */
    { .name = "gtpu-echo", .type = OPTION_WORD,
      .words = "answer controller drop", .def = "answer" },
    RATE("gtpu-echo-rate", GTPU_ECHO_RATE),
    RATE("gtpu-echo-peer-rate", GTPU_ECHO_RATE_PEER),
    RATE("gtpu-error-rate", GTPU_ERROR_RATE),
    RATE("gtpu-error-peer-rate", GTPU_ERROR_RATE_PEER),
};

static struct option_state states[ARRAY_SIZE(specs)];

static struct option_set set = {
    .prefix = "gtpu-",
    .specs = specs,
    .states = states,
    .n = ARRAY_SIZE(specs),
};

static void
set_rates(void)
{
    uint32_t echo = option_set_number(&set, "gtpu-echo-rate");
    uint32_t echo_peer = option_set_number(&set, "gtpu-echo-peer-rate");
    uint32_t error = option_set_number(&set, "gtpu-error-rate");
    uint32_t error_peer = option_set_number(&set, "gtpu-error-peer-rate");

    gtpu_answer_set_rates(GTPU_ANSWER_ECHO, echo_peer, echo);
    gtpu_answer_set_rates(GTPU_ANSWER_EXT, error_peer, error);
    gtpu_answer_set_rates(GTPU_ANSWER_ERROR, error_peer, error);
}

/* "gtpu/show-config". */
static void
gtpu_show_config(struct unixctl_conn *conn, int argc OVS_UNUSED,
                 const char *argv[] OVS_UNUSED, void *aux OVS_UNUSED)
{
    config_options_reply(conn, &set);
}

void
gtpu_config_set(const struct smap *other_config)
{
    static struct ovsthread_once once = OVSTHREAD_ONCE_INITIALIZER;

    if (ovsthread_once_start(&once)) {
        struct siphash_key key;

        get_entropy_or_die(&key, sizeof key);
        gtpu_answers_set(&key);
        unixctl_command_register("gtpu/show-config", "", 0, 0,
                                 gtpu_show_config, NULL);
        gtpu_paths_init();
        ovsthread_once_done(&once);
    }
    config_options_follow(&set, other_config, "", NULL, &this_module);
    gtpu_set_echo_mode((enum gtpu_echo_mode) option_set_word(&set,
                                                             "gtpu-echo"));
    set_rates();
}
