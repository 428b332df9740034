/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "datapath-dpdk/gtpu/gtpu-options.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "datapath-dpdk/gtpu/gtpu-hooks.h"
#include "lib/gtpu/gtpu-ext.h"
#include "lib/gtpu/gtpu.h"
#include "lib/options/options.h"
#include "netdev.h"
#include "openvswitch/dynamic-string.h"
#include "smap.h"
#include "util.h"

#define N(NAME, MAX, ...) \
    { .name = NAME, .type = OPTION_NUMBER, .max = MAX, __VA_ARGS__ }
#define BOOL(NAME, DEF) { .name = NAME, .type = OPTION_BOOL, .def = DEF }
#define TEXT(NAME) { .name = NAME, .type = OPTION_TEXT }
#define ADDRESS(NAME) \
    { .name = NAME, .type = OPTION_ADDRESS, .words = "flow" }
#define WORD(NAME, DEF, WORDS) \
    { .name = NAME, .type = OPTION_WORD, .words = WORDS, .def = DEF }

/* Open vSwitch reads 'decimal' numbers with atoi() or strtoul(..., 10), others
 * in any base.  ovs-monitor-ipsec reads the texts. */
static const struct option_spec specs[] = {
    ADDRESS("remote_ip"),
    ADDRESS("local_ip"),
    N("key", UINT32_MAX, .words = "flow", .def = "0"),
    N("in_key", UINT32_MAX, .words = "flow"),
    N("out_key", UINT32_MAX, .words = "flow"),
    N("tos", 252, .step = 4, .words = "inherit", .def = "0"),
    N("ttl", 255, .decimal = true, .words = "inherit", .def = "64"),
    BOOL("df_default", "true"),
    N("egress_pkt_mark", UINT32_MAX, .decimal = true, .def = "0"),
    N("dst_port", GTPU_UDP_PORT, .min = GTPU_UDP_PORT, .decimal = true,
      .def = OVS_STRINGIZE(GTPU_UDP_PORT)),
    BOOL("csum", "false"),
    BOOL("seq", "false"),
    N("qfi", GTPU_QFI_MAX, .words = "flow", .def = "flow"),
    WORD("pdu_type", "flow", "flow dl ul"),
    WORD("packet_type", "legacy_l3", "legacy_l3 legacy_l2 ptap"),
    N("echo_interval", GTPU_PATH_MAX_INTERVAL, .decimal = true, .def = "0"),
    N("echo_t3", GTPU_PATH_MAX_T3, .min = 1, .decimal = true,
      .def = OVS_STRINGIZE(GTPU_PATH_T3)),
    N("echo_n3", GTPU_PATH_MAX_N3, .min = 1, .decimal = true,
      .def = OVS_STRINGIZE(GTPU_PATH_N3)),
    BOOL("echo_fast", "false"),
    TEXT("remote_cert"),
    TEXT("remote_name"),
    TEXT("psk"),
};

/* Returns the value in 'args' of the option 'name', or its default. */
static struct option_value
get(const struct smap *args, const char *name)
{
    const struct option_spec *spec = option_find(specs, ARRAY_SIZE(specs),
                                                 name);
    const char *text = smap_get(args, name);
    struct option_value value;

    if (!text || !option_parse(spec, text, &value)) {
        option_parse(spec, spec->def, &value);
    }
    return value;
}

bool
gtpu_option_is_known(const struct netdev *netdev,
                     const char *key OVS_UNUSED)
{
    return !strcmp(netdev_get_type(netdev), "gtpu");
}

/* Stores the options in 'args', each of which is valid, in '*options'. */
static void
store_options(const struct smap *args, struct gtpu_port_options *options)
{
    struct option_value qfi = get(args, "qfi");
    int pdu_type = get(args, "pdu_type").word;

    *options = (struct gtpu_port_options) {
        .has_qfi = qfi.word < 0,
        .qfi = qfi.number,
        .has_pdu_type = pdu_type > 0,
        .pdu_type = pdu_type == 2 ? GTPU_PSC_UL : GTPU_PSC_DL,
        .path.interval = get(args, "echo_interval").number,
        .path.t3 = get(args, "echo_t3").number,
        .path.n3 = get(args, "echo_n3").number,
        .path.fast = get(args, "echo_fast").number,
    };
    if (!options->path.interval) {
        memset(&options->path, 0, sizeof options->path);
    }
}

char *
gtpu_options_parse(const struct smap *args, struct gtpu_port_options *options)
{
    const char *remote_ip = smap_get(args, "remote_ip");
    const struct smap_node *node;
    const char *error;

    memset(options, 0, sizeof *options);
    SMAP_FOR_EACH (node, args) {
        if (option_find(specs, ARRAY_SIZE(specs), node->key)) {
            char *wrong = option_check(specs, ARRAY_SIZE(specs), node->key,
                                       node->value);

            if (wrong) {
                return wrong;
            }
        }
    }

    store_options(args, options);
    error = gtpu_path_config_check(&options->path);
    if (!error && options->path.interval
        && (!remote_ip || !strcmp(remote_ip, "flow"))) {
        error = "echo_interval needs a fixed remote_ip";
    }
    return error ? xstrdup(error) : NULL;
}

int
gtpu_options_check(const struct netdev *netdev, const struct smap *args,
                   struct ds *errors)
{
    const char *name = netdev_get_name(netdev);
    struct gtpu_port_options options;
    const struct smap_node *node;
    char *error;

    if (strcmp(netdev_get_type(netdev), "gtpu")) {
        return 0;
    }

    /* An unknown option is reported, but does no harm: Open vSwitch and others
     * keep options of their own here. */
    SMAP_FOR_EACH (node, args) {
        if (!option_find(specs, ARRAY_SIZE(specs), node->key)) {
            error = option_check(specs, ARRAY_SIZE(specs), node->key,
                                 node->value);
            ds_put_format(errors, "%s: option %s\n", name, error);
            free(error);
        }
    }

    error = gtpu_options_parse(args, &options);
    if (error) {
        ds_put_format(errors, "%s: %s\n", name, error);
        free(error);
        return EINVAL;
    }
    return 0;
}

char *
gtpu_options_text(void)
{
    return option_table_format(specs, ARRAY_SIZE(specs));
}

char *
gtpu_options_json(void)
{
    return option_table_json(specs, ARRAY_SIZE(specs));
}

void
gtpu_options_format(const struct gtpu_port_options *options, struct smap *args)
{
    if (options->has_qfi) {
        smap_add_format(args, "qfi", "%d", options->qfi);
    }
    if (options->has_pdu_type) {
        smap_add(args, "pdu_type",
                 options->pdu_type == GTPU_PSC_UL ? "ul" : "dl");
    }
    if (options->path.interval) {
        smap_add_format(args, "echo_interval", "%"PRIu32,
                        options->path.interval);
        smap_add_format(args, "echo_t3", "%"PRIu32, options->path.t3);
        smap_add_format(args, "echo_n3", "%"PRIu32, options->path.n3);
        if (options->path.fast) {
            smap_add(args, "echo_fast", "true");
        }
    }
}
