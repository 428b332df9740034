/* SPDX-License-Identifier: Apache-2.0 */

/* Configuration of the fused flow cache
 * =====================================
 *
 * Follows these keys of other_config in the Open_vSwitch table:
 *
 * fuse: "on" or "off", the default.
 *
 * fuse-entries: for how many flows the cache of each thread has room; by
 * default 1,048,576.  A change empties the caches.
 *
 * and of an interface's other_config:
 *
 * fuse: "off" for a port whose packets do not use the cache.
 *
 * Main thread. */

#include <config.h>
#include "datapath-dpdk/fuse/fuse-config.h"
#include "datapath-dpdk/fuse/fuse-hooks.h"

#include <stdlib.h>
#include <string.h>

#include "compat/compat-unixctl.h"
#include "config/config-options.h"
#include "datapath-dpdk/fuse/fuse-thread.h"
#include "hash.h"
#include "lib/options/options.h"
#include "netdev-provider.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/hmap.h"
#include "openvswitch/shash.h"
#include "openvswitch/vlog.h"
#include "smap.h"
#include "util.h"
#include "vswitch-idl.h"

VLOG_DEFINE_THIS_MODULE(fuse_config);

static const struct option_spec specs[] = {
    { .name = "fuse", .type = OPTION_WORD, .words = "off on", .def = "off" },
    { .name = "fuse-entries", .type = OPTION_NUMBER, .min = 1,
      .max = 64 * 1024 * 1024, .decimal = true,
      .def = OVS_STRINGIZE(FUSE_DEFAULT_ENTRIES) },
};

static struct option_state states[ARRAY_SIZE(specs)];

static struct option_set set = {
    .prefix = "fuse",
    .specs = specs,
    .states = states,
    .n = ARRAY_SIZE(specs),
};

static const struct option_spec port_specs[] = {
    { .name = "fuse", .type = OPTION_WORD, .words = "off on", .def = "on" },
};

/* A port that has, or had, a key of ours. */
struct port {
    struct hmap_node node;       /* In 'ports'. */
    const void *dp;              /* The datapath: never dereferenced. */
    odp_port_t number;
    char *name;
    struct option_set set;
    struct option_state states[ARRAY_SIZE(port_specs)];
};

static struct hmap ports = HMAP_INITIALIZER(&ports);

void
fuse_set_config(const struct smap *other_config)
{
    config_options_follow(&set, other_config, "", NULL, &this_module);
    fuse_configure(option_set_word(&set, "fuse") == 1,
                   option_set_number(&set, "fuse-entries"));
}

static struct port *
find_port(const void *dp, odp_port_t number)
{
    struct port *port;

    HMAP_FOR_EACH_WITH_HASH (port, node, hash_pointer(dp, odp_to_u32(number)),
                             &ports) {
        if (port->dp == dp && port->number == number) {
            return port;
        }
    }
    return NULL;
}

static bool
has_key(const struct smap *config)
{
    const struct smap_node *node;

    SMAP_FOR_EACH (node, config) {
        if (!strncmp(node->key, set.prefix, strlen(set.prefix))) {
            return true;
        }
    }
    return false;
}

static struct port *
create_port(const void *dp, odp_port_t number, const char *name)
{
    struct port *port = xzalloc(sizeof *port);

    port->dp = dp;
    port->number = number;
    port->name = xstrdup(name);
    port->set.prefix = set.prefix;
    port->set.specs = port_specs;
    port->set.states = port->states;
    port->set.n = ARRAY_SIZE(port_specs);
    hmap_insert(&ports, &port->node, hash_pointer(dp, odp_to_u32(number)));
    return port;
}

static void
destroy_port(struct port *port)
{
    hmap_remove(&ports, &port->node);
    option_set_clear(&port->set);
    free(port->name);
    free(port);
}

void
fuse_port_set_config(const void *dp, odp_port_t number, const char *name,
                     const struct smap *config)
{
    struct port *port = find_port(dp, number);
    bool close = false;

    if (port && (!has_key(config) || strcmp(port->name, name))) {
        destroy_port(port);
        port = NULL;
    }
    if (has_key(config)) {
        char *where = xasprintf("interface %s: ", name);

        port = port ? port : create_port(dp, number, name);
        config_options_follow(&port->set, config, where, NULL, &this_module);
        close = option_set_word(&port->set, "fuse") == 0;
        free(where);
    }
    fuse_port_close(dp, number, close);
}

/* The Interface has been configured: its column "error" has no errors of ours
 * yet. */
void
fuse_port_report_errors(const struct ovsrec_interface *iface)
{
    const struct smap *config = &iface->other_config;
    const struct smap_node **nodes = smap_sort(config);
    struct ds errors = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < smap_count(config); i++) {
        const char *key = nodes[i]->key;
        char *error = (strncmp(key, set.prefix, strlen(set.prefix))
                       ? NULL
                       : option_check(port_specs, ARRAY_SIZE(port_specs), key,
                                      nodes[i]->value));

        if (error) {
            ds_put_format(&errors, "%sother_config:%s",
                          errors.length ? "\n" : "", error);
            free(error);
        }
    }
    free(nodes);
    if (errors.length) {
        if (iface->error && iface->error[0]) {
            ds_put_format(&errors, "\n%s", iface->error);
        }
        ovsrec_interface_set_error(iface, ds_cstr(&errors));
    }
    ds_destroy(&errors);
}

/* "fuse/show-config". */

/* Returns true if 'port' has not been deleted. */
static bool
is_there(const struct port *port)
{
    struct netdev *netdev = netdev_from_name(port->name);

    netdev_close(netdev);
    return netdev != NULL;
}

static struct json *
config_json(void)
{
    struct json *interfaces = json_object_create();
    char *text = option_set_json(&set);
    struct json *json = json_from_string(text);
    const struct port *port;

    free(text);
    HMAP_FOR_EACH (port, node, &ports) {
        if (is_there(port)) {
            text = option_set_json(&port->set);
            json_object_put(interfaces, port->name, json_from_string(text));
            free(text);
        }
    }
    json_object_put(json, "interfaces", interfaces);
    return json;
}

static void
put_config(struct ds *s)
{
    struct shash by_name = SHASH_INITIALIZER(&by_name);
    char *text = option_set_format(&set);
    const struct shash_node **nodes;
    const struct port *port;

    ds_put_cstr(s, text);
    free(text);
    HMAP_FOR_EACH (port, node, &ports) {
        if (is_there(port)) {
            shash_add(&by_name, port->name, &port->set);
        }
    }
    nodes = shash_sort(&by_name);
    for (size_t i = 0; i < shash_count(&by_name); i++) {
        text = option_set_format(nodes[i]->data);
        ds_put_format(s, "interface %s:\n%s", nodes[i]->name, text);
        free(text);
    }
    free(nodes);
    shash_destroy(&by_name);
}

static void
show_config(struct unixctl_conn *conn, int argc OVS_UNUSED,
            const char *argv[] OVS_UNUSED, void *aux OVS_UNUSED)
{
    if (compat_wants_json(conn)) {
        compat_reply_json(conn, config_json());
    } else {
        struct ds s = DS_EMPTY_INITIALIZER;

        put_config(&s);
        unixctl_command_reply(conn, ds_cstr(&s));
        ds_destroy(&s);
    }
}

/* Registers the command. */
void
fuse_config_init(void)
{
    unixctl_command_register("fuse/show-config", "", 0, 0, show_config, NULL);
}
