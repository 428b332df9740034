/* SPDX-License-Identifier: Apache-2.0 */

/* Configuration of load balancing
 * ===============================
 *
 * Follows these keys of other_config in the Open_vSwitch table:
 *
 * lb-dp-hash: "maglev" makes groups with selection method "dp_hash", "hash",
 * or none, work as "maglev" ones; "dp_hash", the default, leaves them alone.
 * A change takes hold at once of all groups there are.
 *
 * lb-dp-hash-seed: the seed of the key that these groups share.  0, the
 * default, stands for the host's key; with any other seed, a group has the
 * same choice on every switch with this seed.
 *
 * lb-groups-FIRST-LAST: see lb-rules.c.
 *
 * lb-sticky-entries: for how many flows the table of sticky flows has room,
 * rounded up to a power of 2; by default 1,048,576, which take 16 MB.  The
 * table is made for the first group with a timeout.  A change keeps the flows
 * that are remembered, as far as there is room.  See lb-sticky-maker.c. */

#include <config.h>
#include "ofproto-ext/lb/lb-group.h"
#include "ofproto-ext/lb/lb-ofproto-hooks.h"

#include "cmap.h"
#include "lib/lb/lb-sticky.h"
#include "openvswitch/hmap.h"
#include "ofproto/ofproto-dpif.h"
#include "ofproto/ofproto-provider.h"
#include "openvswitch/vlog.h"
#include "ovs-numa.h"
#include "smap.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(lb_config);

#define DEFAULT_STICKY_ENTRIES (1024 * 1024)

/* All of this belongs to the main thread. */
static bool takes_dp_hash;
static bool suspended;               /* While groups let go of rules. */
static unsigned long long int shared_seed;
static unsigned long long int sticky_entries = DEFAULT_STICKY_ENTRIES;
static char *pmd_cpu_mask;

/* Returns true if configuration makes 'group', whose selection method is none
 * of ours, work as if it were.  Main thread. */
bool
lb_config_applies(const struct ofgroup *group)
{
    const struct ofputil_group_props *props = &group->props;
    const char *method = props->selection_method;

    if (suspended) {
        return false;
    }
    if (!strcmp(method, "dp_hash")) {
        /* Our hash is not the same in both directions. */
        return (takes_dp_hash && (props->selection_method_param >> 32
                                  != OVS_HASH_ALG_SYM_L4));
    }
    return takes_dp_hash && (!method[0] || !strcmp(method, "hash"));
}

/* Returns the key of all groups that configuration takes over, and stores in
 * '*host_key' whether it is the host's.  Main thread. */
struct siphash_key
lb_config_shared_key(bool *host_key)
{
    *host_key = !shared_seed;
    return (shared_seed ? (struct siphash_key) { .k0 = shared_seed }
            : lb_key_get());
}

/* Returns the NUMA node on which all PMD threads run, or -1 if they run on
 * several, or that is not known. */
static int
pmd_numa_node(void)
{
    struct ovs_numa_dump *dump;
    const struct ovs_numa_info_core *core;
    int node = -1;
    bool several = false;

    if (ovs_numa_get_n_numas() == 1) {
        return 0;
    }
    dump = pmd_cpu_mask ? ovs_numa_dump_cores_with_cmask(pmd_cpu_mask) : NULL;
    if (!dump) {
        return -1;
    }
    FOR_EACH_CORE_ON_DUMP (core, dump) {
        several = several || (node >= 0 && core->numa_id != node);
        node = core->numa_id;
    }
    ovs_numa_dump_destroy(dump);
    return several ? -1 : node;
}

/* Makes a table of sticky flows as configured, in place of the one there is,
 * if any.  Returns 0 or a positive errno value. */
static int
replace_sticky(void)
{
    int error = lb_maker_make(sticky_entries, pmd_numa_node());

    if (error) {
        VLOG_WARN("no table of %llu sticky flows (%s)", sticky_entries,
                  ovs_strerror(error));
    }
    return error;
}

/* Makes sure that there is a table of sticky flows.  Returns 0 or a positive
 * errno value.  Main thread. */
int
lb_config_need_sticky(void)
{
    return lb_maker_has_table() ? 0 : replace_sticky();
}

/* Returns the number that 'other_config' has for 'key', 'def' if it has none,
 * or 'old', with a warning, if what it has is no number. */
static unsigned long long int
get_number(const struct smap *other_config, const char *key,
           unsigned long long int def, unsigned long long int old)
{
    const char *s = smap_get(other_config, key);
    unsigned long long int n;

    if (!s) {
        return def;
    }
    if (!s[0] || s[strspn(s, "0123456789")] || !str_to_ullong(s, 10, &n)) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 20);

        VLOG_WARN_RL(&rl, "other_config:%s=%s is not a number of up to 64 "
                     "bits: %llu stays", key, s, old);
        return old;
    }
    return n;
}

static void
set_sticky_entries(const struct smap *other_config)
{
    unsigned long long int n = get_number(other_config, "lb-sticky-entries",
                                          DEFAULT_STICKY_ENTRIES,
                                          sticky_entries);

    if (n == sticky_entries) {
        return;
    }
    if (!n || n > LB_STICKY_MAX_ENTRIES) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 20);

        VLOG_WARN_RL(&rl, "other_config:lb-sticky-entries=%llu is out of "
                     "range 1 to %"PRIu32": %llu stays", n,
                     LB_STICKY_MAX_ENTRIES, sticky_entries);
        return;
    }

    unsigned long long int before = sticky_entries;

    sticky_entries = n;
    if (lb_maker_has_table() && replace_sticky()) {
        sticky_entries = before;
    }
}

/* Makes the groups of 'ofproto' follow what makes them ours or not. */
static void
update_groups(struct ofproto_dpif *ofproto)
{
    ovs_version_t version = ofproto_dpif_get_tables_version(ofproto);
    struct ofgroup *up;

    CMAP_FOR_EACH (up, cmap_node, &ofproto->up.groups) {
        struct group_dpif *group = CONTAINER_OF(up, struct group_dpif, up);

        if (versions_visible_in_version(&up->versions, version)) {
            lb_group_disable(group);
            if (lb_group_enable(group)) {
                VLOG_WARN("group %"PRIu32" of %s stays with its selection "
                          "method", up->group_id, ofproto->up.name);
            }
        }
    }
    ofproto->backer->need_revalidate = REV_RECONFIGURE;
}

/* Makes the groups of all 'ofprotos' follow what has changed, or, if 'backer'
 * is not null, those of the bridges on that datapath.  Main thread. */
void
lb_config_update_groups(const struct dpif_backer *backer,
                        const struct hmap *ofprotos)
{
    struct ofproto_dpif *ofproto;

    HMAP_FOR_EACH (ofproto, all_ofproto_dpifs_by_name_node, ofprotos) {
        if (!backer || ofproto->backer == backer) {
            update_groups(ofproto);
        }
    }
}

/* Sets 'takes_dp_hash' to 'takes' and makes all groups follow. */
static void
set_takes_dp_hash__(bool takes, const struct hmap *ofprotos)
{
    takes_dp_hash = takes;
    lb_config_update_groups(NULL, ofprotos);
}

static void
set_takes_dp_hash(const struct smap *other_config,
                  const struct hmap *ofprotos)
{
    const char *value = smap_get_def(other_config, "lb-dp-hash", "dp_hash");
    unsigned long long int seed = get_number(other_config, "lb-dp-hash-seed",
                                             0, shared_seed);
    bool takes = !strcmp(value, "maglev");

    if (!takes && strcmp(value, "dp_hash")) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 1);

        VLOG_WARN_RL(&rl, "other_config:lb-dp-hash=%s is neither maglev nor "
                     "dp_hash: it is taken for dp_hash", value);
    }
    if (seed != shared_seed) {
        if (takes_dp_hash) {
            /* The groups get the new key when they are taken over again. */
            set_takes_dp_hash__(false, ofprotos);
        }
        shared_seed = seed;
    }
    if (takes != takes_dp_hash) {
        VLOG_INFO("groups with selection method dp_hash use %s",
                  takes ? "maglev" : "dp_hash");
        set_takes_dp_hash__(takes, ofprotos);
    }
}

/* Follows 'other_config'.  'ofprotos' holds each "struct ofproto_dpif" by
 * 'all_ofproto_dpifs_by_name_node'.  Main thread. */
void
lb_config_set(const struct smap *other_config, const struct hmap *ofprotos)
{
    free(pmd_cpu_mask);
    pmd_cpu_mask = nullable_xstrdup(smap_get(other_config, "pmd-cpu-mask"));

    set_sticky_entries(other_config);
    set_takes_dp_hash(other_config, ofprotos);
    if (lb_rules_set(other_config, false)) {
        suspended = true;
        lb_config_update_groups(NULL, ofprotos);
        suspended = false;
        lb_rules_set(other_config, true);
        lb_config_update_groups(NULL, ofprotos);
    }
}
