/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "node-database.h"
#include "node-database-private.h"

#include <stdlib.h>
#include <string.h>

#include "flow.h"
#include "node-pod.h"
#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "smap.h"
#include "util.h"
#include "utilities/common/complain.h"
#include "utilities/kube/kube-cidr.h"
#include "utilities/kube/kube-node.h"
#include "vswitch-idl.h"

/* Returns a connection to the database that 'options' name, for the caller to
 * destroy.  'options' must outlive it. */
struct node_database *
node_database_create(const struct node_database_options *options)
{
    static const struct ovsdb_idl_column *const columns[] = {
        &ovsrec_open_vswitch_col_external_ids,
        &ovsrec_open_vswitch_col_ovs_version,
        &ovsrec_open_vswitch_col_dpdk_initialized,
        &ovsrec_open_vswitch_col_iface_types,
        &ovsrec_bridge_col_datapath_type,
        &ovsrec_bridge_col_name, &ovsrec_bridge_col_ports,
        &ovsrec_bridge_col_external_ids, &ovsrec_bridge_col_fail_mode,
        &ovsrec_port_col_name, &ovsrec_port_col_interfaces,
        &ovsrec_port_col_external_ids,
        &ovsrec_interface_col_name, &ovsrec_interface_col_type,
        &ovsrec_interface_col_ofport, &ovsrec_interface_col_error,
        &ovsrec_interface_col_options, &ovsrec_interface_col_mtu,
        &ovsrec_interface_col_mtu_request, &ovsrec_interface_col_mac,
        &ovsrec_interface_col_external_ids,
    };
    struct node_database *db = xzalloc(sizeof *db);
    struct ovsdb_idl *idl = ovsdb_idl_create(options->remote,
                                             &ovsrec_idl_class, false, true);

    for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
        ovsdb_idl_add_column(idl, columns[i]);
    }
    db->options = *options;
    db->loop = (struct ovsdb_idl_loop) OVSDB_IDL_LOOP_INITIALIZER(idl);
    return db;
}

static void
forget_pods(struct node_database *db)
{
    for (size_t i = 0; i < db->n_pods; i++) {
        free(db->pods[i].fault);
    }
    db->n_pods = 0;
}

/* Frees 'db', which may be null. */
void
node_database_destroy(struct node_database *db)
{
    if (db) {
        ovsdb_idl_loop_destroy(&db->loop);
        forget_pods(db);
        free(db->pods);
        free(db);
    }
}

/* Reads what is new.  What others call afterward is sent by
 * node_database_wait(). */
void
node_database_run(struct node_database *db)
{
    db->txn = ovsdb_idl_loop_run(&db->loop);
}

/* Sends what was written since node_database_run(), and has the poll loop wake
 * up when the database answers or changes. */
void
node_database_wait(struct node_database *db)
{
    ovsdb_idl_loop_commit_and_wait(&db->loop);
    db->txn = NULL;
}

/* Returns a number that changes with the database, or 0 if it has not been
 * read yet. */
uint64_t
node_database_generation(const struct node_database *db)
{
    return (ovsdb_idl_has_ever_connected(db->loop.idl)
            ? ovsdb_idl_get_seqno(db->loop.idl) : 0);
}

/* Returns the bridge, or null if it is not there. */
const struct ovsrec_bridge *
node_database_bridge__(const struct node_database *db)
{
    const struct ovsrec_bridge *bridge;

    OVSREC_BRIDGE_FOR_EACH (bridge, db->loop.idl) {
        if (!strcmp(bridge->name, db->options.bridge)) {
            return bridge;
        }
    }
    return NULL;
}

/* OVN owns all flows of its bridge, and removes those of others. */
static bool
is_of_ovn(const struct node_database *db)
{
    const struct ovsrec_open_vswitch *ovs = ovsrec_open_vswitch_first(
        db->loop.idl);

    return (ovs && smap_get(&ovs->external_ids, "ovn-remote")
            && !strcmp(db->options.bridge,
                       smap_get_def(&ovs->external_ids, "ovn-bridge",
                                    "br-int")));
}

/* Returns why the bridge cannot be used now, or null. */
const char *
node_database_fault(const struct node_database *db)
{
    return (!ovsdb_idl_is_connected(db->loop.idl)
            || !node_database_generation(db)
            ? "the database of Open vSwitch cannot be reached"
            : !node_database_bridge__(db) ? "there is no such bridge"
            : is_of_ovn(db) ? "the bridge is OVN's"
            : NULL);
}

static const struct ovsrec_interface *
find_interface(const struct ovsrec_bridge *bridge, const char *port)
{
    for (size_t i = 0; bridge && i < bridge->n_ports; i++) {
        if (!strcmp(bridge->ports[i]->name, port)) {
            return (bridge->ports[i]->n_interfaces
                    ? bridge->ports[i]->interfaces[0] : NULL);
        }
    }
    return NULL;
}

/* Returns the number of 'port' in our bridge, or OFPP_NONE if it is not there
 * or not ours. */
ofp_port_t
node_database_ofport(const struct node_database *db, const char *port)
{
    const struct ovsrec_interface *iface
        = find_interface(node_database_bridge__(db), port);

    return (iface && iface->n_ofport && *iface->ofport > 0
            && !strcmp(smap_get_def(&iface->external_ids, NODE_OWNER_KEY, ""),
                       NODE_OWNER)
            ? u16_to_ofp(*iface->ofport) : OFPP_NONE);
}

/* Returns why the switch does not have 'port', or null.  The result belongs to
 * 'db'. */
const char *
node_database_port_error(const struct node_database *db, const char *port)
{
    const struct ovsrec_interface *iface
        = find_interface(node_database_bridge__(db), port);

    return iface ? iface->error : NULL;
}

static bool
has_type(const struct ovsrec_open_vswitch *ovs, const char *type)
{
    for (size_t i = 0; i < ovs->n_iface_types; i++) {
        if (!strcmp(ovs->iface_types[i], type)) {
            return true;
        }
    }
    return false;
}

/* Appends to 's' a line NAME=VALUE for each feature of the switch, or nothing
 * if the switch has not told them yet. */
void
node_database_put_features(const struct node_database *db, struct ds *s)
{
    const struct ovsrec_open_vswitch *ovs = ovsrec_open_vswitch_first(
        db->loop.idl);
    const struct ovsrec_bridge *bridge = node_database_bridge__(db);

    if (ovs && ovs->n_iface_types && bridge) {
        const char *type = bridge->datapath_type;
        bool dpdk = ovs->dpdk_initialized;

        if (ovs->ovs_version) {
            ds_put_format(s, "ovs-version=%s\n", ovs->ovs_version);
        }
        ds_put_format(s, "ovs-datapath=%s\n", type[0] ? type : "system");
        ds_put_format(s, "ovs-dpdk=%s\n", dpdk ? "true" : "false");
        ds_put_format(s, "ovs-vhost-user=%s\n",
                      dpdk && has_type(ovs, "dpdkvhostuserclient")
                      ? "true" : "false");
    }
}

/* Pods. */

/* The first one of two pods with an address keeps it. */
static int
compare_pods(const void *a_, const void *b_)
{
    const struct node_pod *a = a_, *b = b_;

    return (a->admitted != b->admitted ? (int) b->admitted - a->admitted
            : strcmp(a->port, b->port));
}

/* Returns the '*n' ports of pods that the switch has and that have addresses:
 * those that have been admitted, and then the others, each sorted by name.
 * They belong to 'db' until node_database_run(), and 'fault' is for the caller
 * to add to. */
struct node_pod *
node_database_read_pods(struct node_database *db, size_t *n)
{
    const struct ovsrec_bridge *bridge = node_database_bridge__(db);

    forget_pods(db);
    for (size_t i = 0; bridge && i < bridge->n_ports; i++) {
        const struct ovsrec_port *port = bridge->ports[i];

        if (db->n_pods >= db->allocated_pods) {
            db->pods = x2nrealloc(db->pods, &db->allocated_pods,
                                  sizeof *db->pods);
        }
        if (port->n_interfaces
            && node_pod_read(&db->pods[db->n_pods], port->interfaces[0])) {
            db->n_pods++;
        }
    }
    if (db->n_pods) {
        qsort(db->pods, db->n_pods, sizeof *db->pods, compare_pods);
    }
    db->pods_generation = node_database_generation(db);
    *n = db->n_pods;
    return db->pods;
}

/* Returns what node_database_read_pods() has returned, as its caller has
 * changed it, while the database is the same. */
const struct node_pod *
node_database_pods(struct node_database *db, size_t *n)
{
    if (db->pods_generation != node_database_generation(db)) {
        return node_database_read_pods(db, n);
    }
    *n = db->n_pods;
    return db->pods;
}

/* Stores that 'pod' has its flows. */
void
node_database_admit(struct node_database *db, const struct node_pod *pod)
{
    const struct ovsrec_interface *iface
        = find_interface(node_database_bridge__(db), pod->port);

    if (db->txn && iface && (!pod->admitted || pod->refused)) {
        ovsrec_interface_update_external_ids_setkey(iface, "node-admitted",
                                                    pod->text);
        if (pod->refused) {
            ovsrec_interface_update_external_ids_delkey(iface,
                                                        "node-refused");
        }
    }
}

/* Stores that 'pod' gets no flows, and 'why'. */
void
node_database_refuse(struct node_database *db, const struct node_pod *pod,
                     const char *why)
{
    const struct ovsrec_interface *iface
        = find_interface(node_database_bridge__(db), pod->port);

    if (db->txn && iface
        && (pod->admitted || !nullable_string_is_equal(pod->refused, why))) {
        ovsrec_interface_update_external_ids_setkey(iface, "node-refused",
                                                    why);
        if (smap_get(&iface->external_ids, "node-admitted")) {
            ovsrec_interface_update_external_ids_delkey(iface,
                                                        "node-admitted");
        }
    }
}

/* Ports. */

/* Makes 'port' a port of 'bridge' with one interface, which is returned.
 * Returns null if somebody else has a port of that name. */
static const struct ovsrec_interface *
get_port(struct node_database *db, const struct ovsrec_bridge *bridge,
         const char *name, const char *type)
{
    const struct ovsrec_interface *iface;
    struct ovsrec_interface *interface;
    struct ovsrec_port *port;

    OVSREC_INTERFACE_FOR_EACH (iface, db->loop.idl) {
        if (!strcmp(iface->name, name)) {
            if (strcmp(smap_get_def(&iface->external_ids, NODE_OWNER_KEY, ""),
                       NODE_OWNER) || !find_interface(bridge, name)) {
                complain_once("port %s is of something else: remove it, or "
                              "give another name", name);
                return NULL;
            }
            return iface;
        }
    }
    interface = ovsrec_interface_insert(db->txn);
    ovsrec_interface_set_name(interface, name);
    ovsrec_interface_set_type(interface, type);
    ovsrec_interface_update_external_ids_setkey(interface, NODE_OWNER_KEY,
                                                NODE_OWNER);
    port = ovsrec_port_insert(db->txn);
    ovsrec_port_set_name(port, name);
    ovsrec_port_update_external_ids_setkey(port, NODE_OWNER_KEY, NODE_OWNER);
    ovsrec_port_set_interfaces(port, &interface, 1);
    ovsrec_bridge_update_ports_addvalue(bridge, port);
    return interface;
}

static void
set_option(const struct ovsrec_interface *iface, const char *key,
           const char *value)
{
    if (strcmp(smap_get_def(&iface->options, key, ""), value)) {
        ovsrec_interface_update_options_setkey(iface, key, value);
    }
}

static void
wish_host(struct node_database *db, const struct ovsrec_bridge *bridge,
          const struct node_wish *wish)
{
    const struct ovsrec_interface *iface = get_port(db, bridge, wish->host,
                                                    "internal");
    int64_t mtu = wish->mtu;

    if (!iface) {
        return;
    }
    if (!nullable_string_is_equal(iface->mac, NODE_HOST_MAC)) {
        ovsrec_interface_set_mac(iface, NODE_HOST_MAC);
    }
    if (!iface->n_mtu_request || *iface->mtu_request != mtu) {
        ovsrec_interface_set_mtu_request(iface, &mtu, 1);
    }
}

static void
wish_tunnel(struct node_database *db, const struct ovsrec_bridge *bridge,
            const struct node_wish *wish)
{
    const struct ovsrec_interface *iface = get_port(db, bridge, wish->tunnel,
                                                    "geneve");
    char ip[INET6_ADDRSTRLEN];

    if (iface) {
        ipv6_string_mapped(ip, wish->tunnel_end);
        set_option(iface, "remote_ip", "flow");
        set_option(iface, "local_ip", ip);
        if (wish->direct) {
            set_option(iface, "key", "flow");
        } else if (smap_get(&iface->options, "key")) {
            ovsrec_interface_update_options_delkey(iface, "key");
        }
    }
}

static void
set_bridge_id(const struct ovsrec_bridge *bridge, const char *key,
              const char *value)
{
    if (!nullable_string_is_equal(smap_get(&bridge->external_ids, key),
                                  value)) {
        ovsrec_bridge_update_external_ids_setkey(bridge, key, value);
    }
}

/* Brings the bridge to what 'wish' says.  Must be called in each round of the
 * poll loop: what others remove comes back. */
void
node_database_wish(struct node_database *db, const struct node_wish *wish)
{
    const struct ovsrec_bridge *bridge = node_database_bridge__(db);
    struct ds cidrs = DS_EMPTY_INITIALIZER;

    if (!db->txn || node_database_fault(db)) {
        return;
    }
    wish_host(db, bridge, wish);
    if (wish->tunnel) {
        wish_tunnel(db, bridge, wish);
    }
    /* Without flows, after a restart, the switch would connect all pods. */
    if (!bridge->fail_mode) {
        ovsrec_bridge_set_fail_mode(bridge, "secure");
        ovsrec_bridge_update_external_ids_setkey(bridge, "node-fail-mode",
                                                 "secure");
    }
    for (size_t i = 0; i < wish->ours->n_pod_cidrs; i++) {
        const struct kube_cidr *cidr = &wish->ours->pod_cidrs[i];

        ds_put_cstr(&cidrs, i ? " " : "");
        ipv6_format_mapped(&cidr->addr, &cidrs);
        ds_put_format(&cidrs, "/%d", cidr->plen);
    }
    set_bridge_id(bridge, "node-agent", wish->ours->name);
    set_bridge_id(bridge, "node-pod-cidrs", ds_cstr(&cidrs));
    ds_destroy(&cidrs);
}

/* Cleaning up. */

/* Has 'iface', one of a pod, forget what was said of it.  Returns true if
 * there is nothing. */
static bool
clear_pod(const struct ovsrec_interface *iface)
{
    static const char *const keys[] = { "node-admitted", "node-refused" };
    bool clean = true;

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        if (smap_get(&iface->external_ids, keys[i])) {
            ovsrec_interface_update_external_ids_delkey(iface, keys[i]);
            clean = false;
        }
    }
    return clean;
}

static bool
clear_bridge(const struct ovsrec_bridge *bridge)
{
    static const char *const keys[] = {
        "node-agent", "node-pod-cidrs", "node-fail-mode"
    };
    bool clean = true;

    if (smap_get(&bridge->external_ids, "node-fail-mode")) {
        ovsrec_bridge_set_fail_mode(bridge, NULL);
    }
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        if (smap_get(&bridge->external_ids, keys[i])) {
            ovsrec_bridge_update_external_ids_delkey(bridge, keys[i]);
            clean = false;
        }
    }
    return clean;
}

/* Removes what we have in the database.  Returns true if nothing is left. */
bool
node_database_clear(struct node_database *db)
{
    const struct ovsrec_bridge *bridge = node_database_bridge__(db);
    bool clean;

    if (!db->txn || !node_database_generation(db)) {
        return false;
    } else if (!bridge) {
        return true;
    }
    clean = clear_bridge(bridge);
    for (size_t i = 0; i < bridge->n_ports; i++) {
        const struct ovsrec_port *port = bridge->ports[i];

        if (!strcmp(smap_get_def(&port->external_ids, NODE_OWNER_KEY, ""),
                    NODE_OWNER)) {
            ovsrec_bridge_update_ports_delvalue(bridge, port);
            clean = false;
        } else if (port->n_interfaces) {
            clean = clear_pod(port->interfaces[0]) && clean;
        }
    }
    return clean;
}
