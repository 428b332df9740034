/* SPDX-License-Identifier: Apache-2.0 */

/* The command "ovs-appctl gtpu/show"
 *
 * It shows the ports with their options, statistics and drops, the messages
 * other than G-PDUs, and all drops by reason.  The drops at the end include
 * those whose port is not known (gtpu-drop-port.c). */

#include <config.h>
#include "datapath-dpdk/gtpu/gtpu-hooks.h"

#include "compat/compat-unixctl.h"
#include "datapath-dpdk/gtpu/gtpu-count.h"
#include "datapath-dpdk/gtpu/gtpu-options.h"
#include "datapath-dpdk/gtpu/gtpu-vport.h"
#include "netdev.h"
#include "openvswitch/dynamic-string.h"
#include "smap.h"
#include "svec.h"
#include "util.h"

static void
collect_name(const struct netdev *netdev, void *names)
{
    svec_add(names, netdev_get_name(netdev));
}

static void
show_drops(const struct netdev *netdev, struct ds *s)
{
    unsigned long long int n[GTPU_N_DROPS];
    const char *sep = "  dropped: ";

    gtpu_vport_get_drops(netdev, n);
    for (int drop = 0; drop < GTPU_N_DROPS; drop++) {
        if (n[drop]) {
            ds_put_format(s, "%s%s %llu", sep, gtpu_drop_name(drop), n[drop]);
            sep = ", ";
        }
    }
    if (*sep == ',') {
        ds_put_char(s, '\n');
    }
}

static void
show_port(const char *name, struct ds *s)
{
    struct smap config = SMAP_INITIALIZER(&config);
    struct netdev_stats stats;
    struct netdev *netdev;

    if (netdev_open(name, "gtpu", &netdev)) {
        return;
    }

    ds_put_format(s, "%s: ", name);
    if (!netdev_get_config(netdev, &config)) {
        const struct smap_node **nodes = smap_sort(&config);

        for (size_t i = 0; i < smap_count(&config); i++) {
            ds_put_format(s, "%s%s=%s", i ? ", " : "", nodes[i]->key,
                          nodes[i]->value);
        }
        free(nodes);
    }
    ds_put_char(s, '\n');
    if (!netdev_get_stats(netdev, &stats)) {
        ds_put_format(s, "  rx: %"PRIu64" packets, %"PRIu64" bytes\n",
                      stats.rx_packets, stats.rx_bytes);
        ds_put_format(s, "  tx: %"PRIu64" packets, %"PRIu64" bytes\n",
                      stats.tx_packets, stats.tx_bytes);
    }
    if (gtpu_vport_error(netdev)) {
        ds_put_format(s, "  error: %s\n", gtpu_vport_error(netdev));
    }
    show_drops(netdev, s);
    smap_destroy(&config);
    netdev_close(netdev);
}

/* Returns the drops in 'n', each of which counts one reason, as JSON. */
static struct json *
drops_json(const unsigned long long int n[GTPU_N_DROPS])
{
    struct json *json = json_object_create();

    for (int drop = GTPU_DROP_NONE + 1; drop < GTPU_N_DROPS; drop++) {
        json_object_put(json, gtpu_drop_name(drop),
                        json_integer_create(n[drop]));
    }
    return json;
}

/* Returns the port 'name' as JSON, or null if it has gone. */
static struct json *
port_json(const char *name)
{
    struct smap config = SMAP_INITIALIZER(&config);
    unsigned long long int drops[GTPU_N_DROPS];
    struct netdev_stats stats;
    struct netdev *netdev;
    struct json *json;

    if (netdev_open(name, "gtpu", &netdev)) {
        return NULL;
    }
    json = json_object_create();
    json_object_put_string(json, "name", name);
    if (!netdev_get_config(netdev, &config)) {
        json_object_put(json, "options", smap_to_json(&config));
    }
    if (!netdev_get_stats(netdev, &stats)) {
        json_object_put(json, "rx_packets",
                        json_integer_create(stats.rx_packets));
        json_object_put(json, "rx_bytes", json_integer_create(stats.rx_bytes));
        json_object_put(json, "tx_packets",
                        json_integer_create(stats.tx_packets));
        json_object_put(json, "tx_bytes", json_integer_create(stats.tx_bytes));
    }
    if (gtpu_vport_error(netdev)) {
        json_object_put_string(json, "error", gtpu_vport_error(netdev));
    }
    gtpu_vport_get_drops(netdev, drops);
    json_object_put(json, "drops", drops_json(drops));
    smap_destroy(&config);
    netdev_close(netdev);
    return json;
}

static struct json *
show_json(const struct svec *names)
{
    struct json *ports = json_array_create_empty();
    unsigned long long int drops[GTPU_N_DROPS];
    struct json *json = json_object_create();
    const char *name;
    size_t i;

    SVEC_FOR_EACH (i, name, names) {
        struct json *port = port_json(name);

        if (port) {
            json_array_add(ports, port);
        }
    }
    for (int drop = GTPU_DROP_NONE + 1; drop < GTPU_N_DROPS; drop++) {
        drops[drop] = gtpu_drop_read(drop);
    }
    json_object_put(json, "ports", ports);
    json_object_put(json, "signalling", gtpu_count_json());
    json_object_put(json, "drops", drops_json(drops));
    return json;
}

static void
show_text(const struct svec *names, struct ds *s)
{
    const char *name;
    size_t i;

    SVEC_FOR_EACH (i, name, names) {
        show_port(name, s);
    }
    ds_put_cstr(s, "signalling:\n");
    gtpu_count_show(s);
    ds_put_cstr(s, "dropped:\n");
    for (int drop = GTPU_DROP_NONE + 1; drop < GTPU_N_DROPS; drop++) {
        unsigned long long int n = gtpu_drop_read(drop);

        if (n) {
            ds_put_format(s, "  %-16s %12llu  %s\n", gtpu_drop_name(drop), n,
                          gtpu_drop_description(drop));
        }
    }
}

static void
gtpu_show(struct unixctl_conn *conn, int argc OVS_UNUSED,
          const char *argv[] OVS_UNUSED, void *aux OVS_UNUSED)
{
    struct svec names = SVEC_EMPTY_INITIALIZER;

    gtpu_vport_for_each(collect_name, &names);
    svec_sort(&names);
    if (compat_wants_json(conn)) {
        compat_reply_json(conn, show_json(&names));
    } else {
        struct ds s = DS_EMPTY_INITIALIZER;

        show_text(&names, &s);
        unixctl_command_reply(conn, ds_cstr(&s));
        ds_destroy(&s);
    }
    svec_destroy(&names);
}

/* "gtpu/show-options". */
static void
gtpu_show_options(struct unixctl_conn *conn, int argc OVS_UNUSED,
                  const char *argv[] OVS_UNUSED, void *aux OVS_UNUSED)
{
    char *text = gtpu_options_text();
    char *json = gtpu_options_json();

    compat_reply(conn, text, json);
    free(json);
    free(text);
}

void
gtpu_show_init(void)
{
    unixctl_command_register("gtpu/show-options", "", 0, 0,
                             gtpu_show_options, NULL);
    unixctl_command_register("gtpu/show", "", 0, 0, gtpu_show, NULL);
}
