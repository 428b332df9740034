/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "node-kept.h"

#include <stdlib.h>
#include <string.h>

#include "node-cluster.h"
#include "node-database-private.h"
#include "openvswitch/dynamic-string.h"
#include "smap.h"
#include "sset.h"
#include "util.h"
#include "utilities/common/complain.h"
#include "utilities/kube/kube-node.h"
#include "vswitch-idl.h"

#define PREFIX "node-kept-"

/* Returns the port 'host' of 'bridge', or null if it is not there or not
 * ours. */
static const struct ovsrec_port *
find_port(const struct ovsrec_bridge *bridge, const char *host)
{
    for (size_t i = 0; bridge && i < bridge->n_ports; i++) {
        const struct ovsrec_port *port = bridge->ports[i];

        if (!strcmp(port->name, host)) {
            return (strcmp(smap_get_def(&port->external_ids, NODE_OWNER_KEY,
                                        ""), NODE_OWNER) ? NULL : port);
        }
    }
    return NULL;
}

/* Hands the Nodes that port 'host' keeps to 'cluster', if they are those of an
 * agent of the Node 'our_name'.  Returns false if the database cannot be used
 * yet, and has to be asked again. */
bool
node_kept_read(const struct node_database *db, const char *host,
               const char *our_name, struct node_cluster *cluster)
{
    const struct ovsrec_bridge *bridge = node_database_bridge__(db);
    const struct ovsrec_port *port = find_port(bridge, host);
    struct smap_node *id;

    if (node_database_fault(db)) {
        return false;
    } else if (!port || strcmp(smap_get_def(&bridge->external_ids,
                                            "node-agent", ""), our_name)) {
        return true;
    }
    SMAP_FOR_EACH (id, &port->external_ids) {
        if (!strncmp(id->key, PREFIX, strlen(PREFIX))) {
            const char *name = id->key + strlen(PREFIX);
            char *error = NULL;

            node_cluster_restore(cluster, kube_node_from_string(
                                     name, id->value, &error));
            if (error) {
                complain_once("port %s: %s: %s", host, id->key, error);
                free(error);
            }
        }
    }
    return true;
}

static void
write_node(const struct ovsrec_port *port, const struct kube_node *node,
           struct sset *kept)
{
    char *key = xasprintf(PREFIX "%s", node->name);
    struct ds s = DS_EMPTY_INITIALIZER;

    kube_node_format(node, &s);
    if (!nullable_string_is_equal(smap_get(&port->external_ids, key),
                                  ds_cstr(&s))) {
        ovsrec_port_update_external_ids_setkey(port, key, ds_cstr(&s));
    }
    sset_add_and_free(kept, key);
    ds_destroy(&s);
}

/* Has port 'host' keep the 'n' Nodes at 'peers' and no others.  Returns false
 * if that cannot be written now, and has to be tried again. */
bool
node_kept_write(struct node_database *db, const char *host,
                const struct node_peer *peers, size_t n)
{
    const struct ovsrec_port *port = find_port(node_database_bridge__(db),
                                               host);
    struct sset kept = SSET_INITIALIZER(&kept);
    struct smap_node *id;

    if (!db->txn || !port) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        write_node(port, peers[i].node, &kept);
    }
    SMAP_FOR_EACH (id, &port->external_ids) {
        if (!strncmp(id->key, PREFIX, strlen(PREFIX))
            && !sset_contains(&kept, id->key)) {
            ovsrec_port_update_external_ids_delkey(port, id->key);
        }
    }
    sset_destroy(&kept);
    return true;
}
