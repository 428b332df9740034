/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "cni-port.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cni-bandwidth.h"
#include "cni-error.h"
#include "cni-json.h"
#include "cni-ovsdb.h"
#include "cni-request.h"
#include "openvswitch/json.h"
#include "util.h"
#include "utilities/common/compat-json.h"

#define OWNER "ovs-ext-cni"

/* More than the database waits: it says itself that the time is over. */
#define ANSWER_MS 5000

static struct json *
name_is(const char *name)
{
    return ovsdb_condition("name", "==", json_string_create(name));
}

static struct json *
owner_is_us(void)
{
    const char *const owner[] = { "cni-owner", OWNER, NULL };

    return ovsdb_condition("external_ids", "includes", ovsdb_map(owner));
}

static struct json *
make_select(const char *table, struct json *where,
            const char *const columns[])
{
    struct json *op = ovsdb_operation("select", table);

    json_object_put(op, "where", where);
    json_object_put(op, "columns", ovsdb_columns(columns));
    return op;
}

/* Looking. */

/* OVN owns all flows of its bridge, and removes those of others. */
static bool
is_of_ovn(const struct json *ovs, const char *bridge)
{
    const char *theirs = ovsdb_map_string(ovs, "external_ids", "ovn-bridge");

    return (ovsdb_map_string(ovs, "external_ids", "ovn-remote")[0]
            && !strcmp(bridge, theirs[0] ? theirs : "br-int"));
}

static struct cni_error *
check_bridge(const struct json *ovs, const struct json *bridge,
             const char *name)
{
    if (!bridge) {
        return cni_error(CNI_TRY_AGAIN, "Create it by \"ovs-vsctl add-br\", "
                         "or correct \"bridge\" in the network "
                         "configuration.", "there is no bridge %s", name);
    } else if (is_of_ovn(ovs, name)) {
        return cni_error(CNI_BAD_CONFIG, "Name another bridge in the network "
                         "configuration.", "bridge %s is OVN's", name);
    }
    return NULL;
}

static bool
is_ours(const struct json *row, const struct cni_request *r)
{
    const struct cni_attachment *a = &r->attachment;

    return (!strcmp(ovsdb_map_string(row, "external_ids", "cni-owner"), OWNER)
            && !strcmp(ovsdb_map_string(row, "external_ids", "cni-network"),
                       r->network)
            && !strcmp(ovsdb_map_string(row, "external_ids", "cni-container"),
                       a->container)
            && !strcmp(ovsdb_map_string(row, "external_ids", "cni-ifname"),
                       a->ifname));
}

static struct cni_error *
check_port(const struct json *port, const struct cni_request *r)
{
    return (!port || is_ours(port, r) ? NULL
            : cni_error(CNI_SWITCH, "Remove it by \"ovs-vsctl del-port\" if "
                        "nobody needs it.", "port %s exists and is of "
                        "something else", r->attachment.host));
}

/* Looks at the bridge, and for a port that an earlier ADD has left.  Stores
 * what there is in '*sw'.  Without a container in 'r', looks at the bridge
 * alone. */
struct cni_error *
cni_port_look(struct ovsdb_connection *db, const struct cni_request *r,
              struct cni_switch *sw)
{
    const char *const of_ovs[] = { "external_ids", "other_config", NULL };
    const char *const of_bridge[] = { "datapath_type", NULL };
    const char *const of_port[] = { "external_ids", NULL };
    const struct json *ovs, *bridge, *port;
    const char *type = "";
    struct json *results;
    struct cni_error *error;

    error = ovsdb_transact(
        db, json_array_create_3(
            make_select("Open_vSwitch", json_array_create_empty(), of_ovs),
            make_select("Bridge", name_is(r->bridge), of_bridge),
            make_select("Interface", name_is(r->attachment.host), of_port)),
        ANSWER_MS, &results);
    if (error) {
        return error;
    }
    ovs = ovsdb_row(results, 0, 0);
    bridge = ovsdb_row(results, 1, 0);
    port = ovsdb_row(results, 2, 0);
    if (!(error = check_bridge(ovs, bridge, r->bridge))
        && !(error = check_port(port, r))) {
        error = cni_json_string(bridge, "Bridge", "datapath_type", &type);
        sw->is_netdev = !strcmp(type, "netdev");
        sw->keeps_offloads = !sw->is_netdev || !strcmp(
            "true", ovsdb_map_string(ovs, "other_config",
                                     "userspace-tso-enable"));
        sw->has_port = port != NULL;
        sw->polices = !sw->is_netdev || r->vhost.directory;
    }
    json_destroy(results);
    return error;
}

/* Adding. */

static struct json *
make_external_ids(const struct cni_request *r)
{
    const struct cni_attachment *a = &r->attachment;
    char *mac = xasprintf("%02x:%02x:%02x:%02x:%02x:%02x", r->mac[0],
                          r->mac[1], r->mac[2], r->mac[3], r->mac[4],
                          r->mac[5]);
    const char *const pairs[] = {
        "cni-owner", OWNER, "cni-network", r->network,
        "cni-container", a->container, "cni-ifname", a->ifname,
        "cni-netns", a->netns ? a->netns : "",
        "cni-namespace", r->pod_namespace, "cni-pod", r->pod_name,
        "cni-uid", r->pod_uid, "cni-mac", mac, NULL
    };
    struct json *map = ovsdb_map(pairs);

    free(mac);
    return map;
}

static struct json *
make_insert(const char *table, const char *uuid_name, struct json *row)
{
    struct json *op = ovsdb_operation("insert", table);

    json_object_put_string(op, "uuid-name", uuid_name);
    json_object_put(op, "row", row);
    return op;
}

static struct json *
named_uuid(const char *name)
{
    return json_array_create_2(json_string_create("named-uuid"),
                               json_string_create(name));
}

/* Returns a mutation of the ports of the bridges 'where': 'mutator' is
 * "insert" or "delete". */
static struct json *
make_mutate_ports(struct json *where, const char *mutator, struct json *port)
{
    struct json *op = ovsdb_operation("mutate", "Bridge");

    json_object_put(op, "where", where);
    json_object_put(op, "mutations", ovsdb_condition("ports", mutator, port));
    return op;
}

/* Makes 'interface' one of a vhost-user socket. */
static void
put_socket(struct json *interface, const struct cni_request *r,
           const char *socket)
{
    const char *const options[] = { "vhost-server-path", socket, NULL };

    json_object_put_string(interface, "type", "dpdkvhostuserclient");
    json_object_put(interface, "options", ovsdb_map(options));
    json_object_put(interface, "mtu_request", json_integer_create(r->mtu));
}

/* Adds the port of 'r' and its interface.  It is the link on the host or, with
 * 'socket', one of that path. */
struct cni_error *
cni_port_add(struct ovsdb_connection *db, const struct cni_request *r,
             const struct cni_switch *sw, const char *socket)
{
    struct json *operations = json_array_create_empty();
    struct json *external_ids = make_external_ids(r);
    struct json *interface = json_object_create();
    struct json *port = json_object_create();
    struct json *results;
    struct cni_error *error;

    json_object_put_string(interface, "name", r->attachment.host);
    json_object_put(interface, "external_ids", json_clone(external_ids));
    if (socket) {
        put_socket(interface, r, socket);
    }
    json_object_put_string(port, "name", r->attachment.host);
    json_object_put(port, "external_ids", json_clone(external_ids));
    json_object_put(port, "interfaces", named_uuid("interface"));
    if (r->vlan) {
        json_object_put(port, "tag", json_integer_create(r->vlan));
    }
    json_array_add(operations, make_mutate_ports(name_is(r->bridge), "insert",
                                                 named_uuid("port")));
    cni_bandwidth_put(r, sw->polices, interface, port, external_ids,
                      operations);
    json_destroy(external_ids);
    json_array_add(operations, make_insert("Interface", "interface",
                                           interface));
    json_array_add(operations, make_insert("Port", "port", port));
    error = ovsdb_transact(db, operations, ANSWER_MS, &results);
    if (!error && !ovsdb_count(results, 0)) {
        error = check_bridge(NULL, NULL, r->bridge);
    }
    json_destroy(results);
    return error;
}

static struct json *
make_mutate_addresses(const char *host, const char *addresses)
{
    const char *const pairs[] = { "cni-addresses", addresses, NULL };
    struct json *op = ovsdb_operation("mutate", "Interface");

    json_object_put(op, "where", name_is(host));
    json_object_put(op, "mutations",
                    ovsdb_condition("external_ids", "insert",
                                    ovsdb_map(pairs)));
    return op;
}

/* Returns an operation that waits 'timeout' ms until the switch has taken
 * interface 'host' or refused it. */
static struct json *
make_wait(const char *host, int timeout)
{
    const char *const columns[] = { "ofport", NULL };
    struct json *op = ovsdb_operation("wait", "Interface");
    struct json *row = json_object_create();

    json_object_put(row, "ofport", ovsdb_set_empty());
    json_object_put(op, "where", name_is(host));
    json_object_put(op, "columns", ovsdb_columns(columns));
    json_object_put_string(op, "until", "!=");
    json_object_put(op, "rows", json_array_create_1(row));
    json_object_put(op, "timeout", json_integer_create(timeout));
    return op;
}

/* Judges the columns "ofport" and "error" of 'row', which is null if there is
 * no such interface. */
static struct cni_error *
check_ofport(const struct json *row, const char *host)
{
    const struct json *ofport = cni_json_member(row, "ofport");
    const struct json *why = cni_json_member(row, "error");

    if (!row) {
        return cni_error(CNI_SWITCH, "Find out who removes it: see "
                         "\"ovsdb-tool -mm show-log\".",
                         "port %s has been removed from the switch", host);
    } else if (!ofport || ofport->type != JSON_INTEGER) {
        return cni_error(CNI_TRY_AGAIN, "Is ovs-vswitchd running?  See its "
                         "log.", "the switch has not taken port %s in time",
                         host);
    } else if (json_integer(ofport) < 0) {
        return cni_error(CNI_SWITCH, "See the log of ovs-vswitchd.",
                         "the switch refuses port %s: %s", host,
                         why && why->type == JSON_STRING ? json_string(why)
                         : "it does not say why");
    }
    return NULL;
}

/* Stores 'addresses' with the port of 'r', and waits until the switch has
 * taken it. */
struct cni_error *
cni_port_finish(struct ovsdb_connection *db, const struct cni_request *r,
                const char *addresses)
{
    const char *host = r->attachment.host;
    const char *const columns[] = { "ofport", "error", NULL };
    struct json *results;
    struct cni_error *error;

    if (addresses[0]) {
        error = ovsdb_transact(
            db, json_array_create_1(make_mutate_addresses(host, addresses)),
            ANSWER_MS, &results);
        json_destroy(results);
        if (error) {
            return error;
        }
    }
    error = ovsdb_transact(
        db, json_array_create_2(
            make_wait(host, r->timeout),
            make_select("Interface", name_is(host), columns)),
        r->timeout + ANSWER_MS, &results);
    if (error && strstr(error->msg, "\"timed out\"")) {
        cni_error_destroy(error);
        return cni_error(CNI_TRY_AGAIN, "Is ovs-vswitchd running?  See its "
                         "log.", "the switch has not taken port %s within %d "
                         "seconds", host, r->timeout / 1000);
    } else if (!error) {
        error = check_ofport(ovsdb_row(results, 1, 0), host);
    }
    json_destroy(results);
    return error;
}

/* Compares the port of 'r' with what ADD makes. */
struct cni_error *
cni_port_check(struct ovsdb_connection *db, const struct cni_request *r,
               const struct cni_switch *sw, const char *addresses)
{
    const char *host = r->attachment.host;
    const char *const columns[] = {
        "ofport", "error", "external_ids", "ingress_policing_rate",
        "ingress_policing_burst", NULL
    };
    const char *const of_port[] = { "qos", NULL };
    struct json *operations = json_array_create_2(
        make_select("Interface", name_is(host), columns),
        make_select("Port", name_is(host), of_port));
    const struct json *row;
    struct json *results;
    struct cni_error *error;

    cni_bandwidth_put_select(host, operations);
    error = ovsdb_transact(db, operations, ANSWER_MS, &results);
    if (error) {
        return error;
    }
    row = ovsdb_row(results, 0, 0);
    if (!(error = check_ofport(row, host))
        && !(error = check_port(row, r))
        && strcmp(ovsdb_map_string(row, "external_ids", "cni-addresses"),
                  addresses)) {
        error = cni_error(CNI_DIFFERS, "Restart the pod.",
                          "port %s has addresses \"%s\", but the pod \"%s\"",
                          host, ovsdb_map_string(row, "external_ids",
                                                 "cni-addresses"),
                          addresses);
    }
    if (!error) {
        error = cni_bandwidth_check(r, sw->polices, row,
                                    ovsdb_row(results, 1, 0),
                                    ovsdb_row(results, 2, 0),
                                    ovsdb_row(results, 3, 0));
    }
    json_destroy(results);
    return error;
}

/* Removing. */

/* Stores in '*path' the socket of 'a', for the caller to free, or null if it
 * has none, and in '*alone' whether its container has no other port. */
struct cni_error *
cni_port_get_socket(struct ovsdb_connection *db,
                    const struct cni_attachment *a, int timeout, char **path,
                    bool *alone)
{
    const char *const columns[] = { "name", "options", NULL };
    const char *const ids[] = { "cni-owner", OWNER, "cni-container",
                                a->container, NULL };
    const struct json *row;
    struct json *results;
    struct cni_error *error;

    *path = NULL;
    *alone = true;
    error = ovsdb_transact(
        db, json_array_create_1(
            make_select("Interface",
                        ovsdb_condition("external_ids", "includes",
                                        ovsdb_map(ids)), columns)),
        timeout, &results);
    for (size_t i = 0; !error && (row = ovsdb_row(results, 0, i)); i++) {
        const char *name = "";

        cni_error_destroy(cni_json_string(row, "Interface", "name", &name));
        if (strcmp(name, a->host)) {
            *alone = false;
        } else {
            const char *s = ovsdb_map_string(row, "options",
                                             "vhost-server-path");

            *path = s[0] ? xstrdup(s) : NULL;
        }
    }
    json_destroy(results);
    return error;
}

/* Returns a condition for the row 'host' that the plugin made. */
static struct json *
is_our(const char *host)
{
    struct json *where = name_is(host);
    struct json *owner = owner_is_us();

    json_array_add(where, json_clone(json_array_at(owner, 0)));
    json_destroy(owner);
    return where;
}

/* The database refuses to delete what a port has, even one that goes. */
static struct json *
make_unlimit(const char *host)
{
    struct json *op = ovsdb_operation("update", "Port");
    struct json *row = json_object_create();

    json_object_put(row, "qos", ovsdb_set_empty());
    json_object_put(op, "where", is_our(host));
    json_object_put(op, "row", row);
    return op;
}

/* Removes the port 'host' if the plugin made it, from the bridge that has it,
 * and what limits it. */
struct cni_error *
cni_port_delete(struct ovsdb_connection *db, const char *host, int timeout)
{
    const char *const columns[] = { "_uuid", NULL };
    const struct json *row;
    struct json *operations, *results;
    struct cni_error *error;

    error = ovsdb_transact(
        db, json_array_create_1(make_select("Port", is_our(host), columns)),
        timeout, &results);
    if (error) {
        return error;
    }
    operations = json_array_create_empty();
    row = ovsdb_row(results, 0, 0);
    if (row) {
        struct json *uuid = json_clone(cni_json_member(row, "_uuid"));

        json_array_add(operations, make_mutate_ports(
                           ovsdb_condition("ports", "includes",
                                           json_clone(uuid)),
                           "delete", uuid));
    }
    json_destroy(results);
    json_array_add(operations, make_unlimit(host));
    cni_bandwidth_put_delete(host, operations);
    error = ovsdb_transact(db, operations, timeout, &results);
    json_destroy(results);
    return error;
}

static void
call_back(const struct json *row, const char *host, cni_port_cb *cb,
          void *aux)
{
    const char *netns = ovsdb_map_string(row, "external_ids", "cni-netns");
    struct cni_attachment a = {
        .container = ovsdb_map_string(row, "external_ids", "cni-container"),
        .ifname = ovsdb_map_string(row, "external_ids", "cni-ifname"),
        .netns = netns[0] ? netns : NULL,
    };

    ovs_strlcpy(a.host, host, sizeof a.host);
    cb(&a, ovsdb_map_string(row, "external_ids", "cni-network"), aux);
}

/* Calls 'cb' for each port of the plugin, of any network, once or twice. */
struct cni_error *
cni_port_list(struct ovsdb_connection *db, int timeout, cni_port_cb *cb,
              void *aux)
{
    const char *const columns[] = { "name", "external_ids", NULL };
    const struct json *row;
    struct json *results;
    struct cni_error *error;

    error = ovsdb_transact(
        db, json_array_create_2(
            make_select("Interface", owner_is_us(), columns),
            /* Also those whose port somebody has removed. */
            make_select("QoS", owner_is_us(), &columns[1])),
        timeout, &results);
    if (error) {
        return error;
    }
    for (size_t i = 0; (row = ovsdb_row(results, 0, i)) != NULL; i++) {
        const char *host = "";

        cni_error_destroy(cni_json_string(row, "Interface", "name", &host));
        call_back(row, host, cb, aux);
    }
    for (size_t i = 0; (row = ovsdb_row(results, 1, i)) != NULL; i++) {
        call_back(row, ovsdb_map_string(row, "external_ids", "cni-port"), cb,
                  aux);
    }
    json_destroy(results);
    return NULL;
}
