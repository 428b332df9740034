/* SPDX-License-Identifier: Apache-2.0 */

/* Configuration of load balancing
 * ===============================
 *
 * Follows these keys of other_config in the Open_vSwitch table:
 *
 * lb-dp-hash: "maglev" makes groups with selection method "dp_hash", "hash",
 * or none, work as "maglev" ones; "dp_hash" leaves them alone.  A change takes
 * hold at once of all groups there are.
 *
 * lb-dp-hash-seed: the seed of the key that these groups share.  0 stands for
 * the host's key; with any other seed, a group has the same choice on every
 * switch with this seed.
 *
 * lb-groups-FIRST-LAST: see lb-rules.c.
 *
 * lb-memory-limit: how many megabytes the tables of all groups may take.
 *
 * lb-sticky-entries: for how many flows the table of sticky flows has room,
 * rounded up to a power of 2, 16 bytes each.  The table is made for the first
 * group with a timeout.  A change keeps the flows that are remembered, as far
 * as there is room.  See lb-sticky-maker.c.
 *
 * Main thread. */

#include <config.h>
#include "ofproto-ext/lb/lb-config.h"
#include "ofproto-ext/lb/lb-ofproto-hooks.h"

#include "config/config-options.h"
#include "lib/lb/lb-sticky.h"
#include "lib/options/options.h"
#include "ofproto-ext/lb/lb-group.h"
#include "ofproto-ext/lb/lb-params.h"
#include "ofproto-ext/lb/lb-rules.h"
#include "ofproto-ext/lb/lb-sticky-maker.h"
#include "openvswitch/vlog.h"
#include "smap.h"
#include "unixctl.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(lb_config);

static const struct option_spec specs[] = {
    { .name = "lb-dp-hash", .type = OPTION_WORD, .words = "dp_hash maglev",
      .def = "dp_hash" },
    { .name = "lb-dp-hash-seed", .type = OPTION_NUMBER, .max = UINT64_MAX,
      .decimal = true, .def = "0" },
    { .name = "lb-memory-limit", .type = OPTION_NUMBER, .min = 1,
      .max = 1024 * 1024, .decimal = true, .def = "2048" },
    { .name = "lb-sticky-entries", .type = OPTION_NUMBER, .min = 1,
      .max = LB_STICKY_MAX_ENTRIES, .decimal = true,
      .def = OVS_STRINGIZE(LB_MAKER_DEFAULT_ENTRIES) },
};

static struct option_state states[ARRAY_SIZE(specs)];

static struct option_set set = {
    .prefix = "lb-",
    .specs = specs,
    .states = states,
    .n = ARRAY_SIZE(specs),
};

/* Makes all groups follow lb-dp-hash and lb-dp-hash-seed. */
static void
set_alias(const struct hmap *ofprotos)
{
    static bool takes;
    static uint64_t seed;
    bool new_takes = option_set_word(&set, "lb-dp-hash") == 1;
    uint64_t new_seed = option_set_number(&set, "lb-dp-hash-seed");

    if (new_seed != seed && takes) {
        /* The groups get the new key when they are taken over again. */
        takes = false;
        lb_params_set_alias(takes, seed);
        lb_groups_follow(NULL, ofprotos);
    }
    seed = new_seed;
    lb_params_set_alias(new_takes, seed);
    if (new_takes != takes) {
        takes = new_takes;
        VLOG_INFO("groups with selection method dp_hash use %s",
                  takes ? "maglev" : "dp_hash");
        lb_groups_follow(NULL, ofprotos);
    }
}

static void
set_rules(const struct smap *other_config, const struct hmap *ofprotos)
{
    if (lb_rules_set(other_config, false)) {
        lb_params_suspend(true);
        lb_groups_follow(NULL, ofprotos);
        lb_params_suspend(false);
        lb_rules_set(other_config, true);
        lb_groups_follow(NULL, ofprotos);
    }
}

/* "lb/show-config". */
static void
show_config(struct unixctl_conn *conn, int argc OVS_UNUSED,
            const char *argv[] OVS_UNUSED, void *aux OVS_UNUSED)
{
    config_options_reply(conn, &set);
}

/* Registers the commands of configuration. */
void
lb_config_init(void)
{
    unixctl_command_register("lb/show-config", "", 0, 0, show_config, NULL);
}

/* Follows 'other_config'.  'ofprotos' holds each "struct ofproto_dpif" by
 * 'all_ofproto_dpifs_by_name_node'. */
void
lb_config_set(const struct smap *other_config, const struct hmap *ofprotos)
{
    config_options_follow(&set, other_config, "", lb_rules_has_key,
                          &this_module);

    ovs_mutex_lock(&lb_mutex);
    lb_tables_set_limit(option_set_number(&set, "lb-memory-limit") << 20);
    ovs_mutex_unlock(&lb_mutex);
    lb_maker_configure(option_set_number(&set, "lb-sticky-entries"),
                       smap_get(other_config, "pmd-cpu-mask"));
    set_alias(ofprotos);
    set_rules(other_config, ofprotos);
}
