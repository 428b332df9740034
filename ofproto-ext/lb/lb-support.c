/* SPDX-License-Identifier: Apache-2.0 */

/* Whether a datapath has the action lb
 * ====================================
 *
 * Like Open vSwitch's own list of what a datapath supports: looked at once,
 * when the datapath is opened, shown by dpif/show-dp-features, and switched
 * off and on again, for tests, by dpif/set-dp-features, as "lb_action".
 *
 * The datapath is not tried, but known by its class, as for lb_output: an
 * older or newer kernel may take the number of this action for one of its own,
 * accept it, and do something else.
 *
 * Main thread. */

#include <config.h>
#include "ofproto-ext/lb/lb-group.h"
#include "ofproto-ext/lb/lb-ofproto-hooks.h"

#include "dpif.h"
#include "lib/lb/lb-registry.h"
#include "ofproto/ofproto-dpif.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofp-group.h"
#include "openvswitch/vlog.h"

VLOG_DEFINE_THIS_MODULE(lb_support);

/* Finds out what the datapath of 'backer' supports. */
void
lb_support_check(struct dpif_backer *backer)
{
    bool supported = dpif_supports_lb_output_action(backer->dpif);

    VLOG_INFO("%s: Datapath %s lb action", dpif_name(backer->dpif),
              supported ? "supports" : "does not support");
    backer->lb.boot_time = backer->lb.run_time = supported;
}

/* Appends to 'ds' what the datapath of 'backer' supports. */
void
lb_support_show(const struct dpif_backer *backer, struct ds *ds)
{
    ds_put_format(ds, "Load balancing action: %s\n",
                  backer->lb.boot_time ? "Yes" : "No");
}

/* Stores in 'features' what 'ofproto' tells controllers about its groups.
 * Once a group is load-balanced, select groups may be like it, of which there
 * are fewer. */
void
lb_group_features(const struct ofproto *ofproto,
                  struct ofputil_group_features *features)
{
    *features = ofproto->ogf;
    if (lb_groups_exist()
        && ofproto->ofproto_class == &ofproto_dpif_class
        && CONTAINER_OF(ofproto, struct ofproto_dpif,
                        up)->backer->lb.run_time) {
        features->max_groups[OFPGT11_SELECT]
            = MIN(features->max_groups[OFPGT11_SELECT], LB_REGISTRY_MAX_ID);
    }
}

/* Returns true if the 'argc' words 'argv', "dpif/set-dp-features BRIDGE
 * [FEATURE [VALUE]]", are about our feature. */
bool
lb_support_is(int argc, const char *argv[])
{
    return argc > 2 && !strcmp(argv[2], "lb_action");
}

/* Makes the feature of 'backer' be what 'argc' and 'argv', as above, ask for,
 * and all of its groups follow; or, if there is no VALUE, shows it.  Appends
 * to 'ds' what there is to say.  'ofprotos' is as for lb_config_set().
 * Returns true if the datapath's flows must be made anew. */
bool
lb_support_set(struct dpif_backer *backer, int argc, const char *argv[],
               struct ds *ds, const struct hmap *ofprotos)
{
    if (argc < 4) {
        ds_put_format(ds, "lb_action (Load balancing action) : "
                      "[run time]:%s, [boot time]:%s\n",
                      backer->lb.run_time ? "true" : "false",
                      backer->lb.boot_time ? "true" : "false");
        return false;
    }

    bool wanted = !strcasecmp(argv[3], "true");

    if (!wanted && strcasecmp(argv[3], "false")) {
        ds_put_cstr(ds, "Boolean value expected");
        return false;
    }
    if (wanted && !backer->lb.boot_time) {
        ds_put_cstr(ds, "Can not enable features not supported by the "
                    "datapath");
        return false;
    }
    backer->lb.run_time = wanted;
    lb_groups_follow(backer, ofprotos);
    return true;
}
