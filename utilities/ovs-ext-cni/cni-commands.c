/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "cni-commands.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cni-agent.h"
#include "cni-commands-private.h"
#include "cni-error.h"
#include "cni-ipam.h"
#include "cni-json.h"
#include "cni-link.h"
#include "cni-lock.h"
#include "cni-netns.h"
#include "cni-ovsdb.h"
#include "cni-port.h"
#include "cni-request.h"
#include "cni-result.h"
#include "cni-vhost.h"
#include "dirs.h"
#include "openvswitch/json.h"
#include "util.h"
#include "utilities/common/compat-json.h"

/* Connects to the database of 'r', and looks for the node agent there. */
struct cni_error *
cni_connect(const struct cni_request *r, struct ovsdb_connection **db)
{
    char *by_default = xasprintf("unix:%s/db.sock", ovs_rundir());
    struct cni_error *error = ovsdb_connect(
        r->database ? r->database : by_default, CONNECT_MS, db);

    free(by_default);
    if (!error) {
        error = cni_agent_prepare(*db, r);
        if (error) {
            ovsdb_disconnect(*db);
            *db = NULL;
        }
    }
    return error;
}

/* Removes the socket of 'a', if it has one. */
static struct cni_error *
delete_socket(struct ovsdb_connection *db, const struct cni_request *r,
              const struct cni_attachment *a)
{
    struct cni_error *error;
    bool alone;
    char *path;

    error = cni_port_get_socket(db, a, r->timeout, &path, &alone);
    if (!error && path) {
        error = cni_vhost_delete(r, path, alone);
    }
    free(path);
    return error;
}

/* Takes back all of 'a' that there is.  Goes on after an error, and returns
 * the first one.  Without 'db', the port stays. */
struct cni_error *
cni_detach(struct ovsdb_connection *db, const struct cni_request *r,
           int lock_fd, const struct cni_attachment *a)
{
    struct cni_error *error = cni_ipam_delete(r, lock_fd, a);

    if (db && r->vhost.directory) {
        cni_error_keep(&error, delete_socket(db, r, a));
    }
    /* Without the port, GC would not know of the lease or the socket. */
    if (db && !error) {
        cni_error_keep(&error, cni_port_delete(db, a->host, r->timeout));
    }
    cni_error_keep(&error, cni_link_delete(a->host));
    return error;
}

/* ADD. */

/* The switch gives a bridge the lowest MAC of its ports: not one of these. */
static void
make_host_mac(const struct cni_request *r, uint8_t host_mac[6])
{
    memcpy(host_mac, r->mac, 6);
    host_mac[0] = 0xfe;
}

/* Returns the limit that the pod's link itself must have, or null. */
static const struct cni_limit *
link_limit(const struct cni_request *r, const struct cni_switch *sw)
{
    return r->sends.rate && !sw->polices ? &r->sends : NULL;
}

/* Makes what the comment in cni-commands.h says, in this order.  With 'socket'
 * there is no link. */
static struct cni_error *
attach(struct ovsdb_connection *db, const struct cni_request *r,
       const struct cni_switch *sw, int netns_fd, int lock_fd,
       const char *socket, struct cni_result *result)
{
    const struct cni_attachment *a = &r->attachment;
    struct cni_error *error;
    uint8_t host_mac[6];
    char *addresses;

    make_host_mac(r, host_mac);
    if ((!socket && (error = cni_link_create(a, netns_fd, r->mac, host_mac,
                                             r->mtu, r->gets.rate)))
        || (error = cni_port_add(db, r, sw, socket))
        || (socket && (error = cni_vhost_make(r, socket)))
        || (error = cni_ipam_add(r, lock_fd, result))
        || (error = socket ? cni_vhost_describe(r, socket)
                    : cni_link_configure(a, netns_fd, result,
                                         sw->keeps_offloads,
                                         link_limit(r, sw)))) {
        return error;
    }
    addresses = cni_result_addresses(result, -1);
    error = cni_port_finish(db, r, addresses);
    if (!error) {
        error = cni_agent_wait(db, r, addresses);
    }
    free(addresses);
    if (!error) {
        if (!socket) {
            cni_link_announce(a, netns_fd, r->mac);
        }
        cni_result_print(result, r, host_mac, socket);
    }
    return error;
}

/* Attaches, after what an earlier ADD of the same attachment has left is
 * away. */
static struct cni_error *
replace(struct ovsdb_connection *db, const struct cni_request *r,
        int netns_fd, int lock_fd)
{
    const struct cni_attachment *a = &r->attachment;
    struct cni_result result = { .json = NULL };
    struct cni_switch sw = { .has_port = false };
    struct cni_error *error;
    char *socket;

    error = cni_port_look(db, r, &sw);
    if (!error && (sw.has_port || cni_link_exists(a->host))) {
        error = cni_detach(db, r, lock_fd, a);
    }
    if (error || (error = cni_vhost_path(r, &socket))) {
        return error;
    }
    error = attach(db, r, &sw, netns_fd, lock_fd, socket, &result);
    if (error) {
        cni_error_destroy(cni_detach(db, r, lock_fd, a));
    }
    free(socket);
    cni_result_destroy(&result);
    return error;
}

/* Attaches the container of 'r', and prints the result. */
struct cni_error *
cni_command_add(const struct cni_request *r)
{
    struct ovsdb_connection *db;
    struct cni_error *error;
    int netns_fd;

    /* A DEL could not take an attachment back without it. */
    if ((error = cni_ipam_find(r))
        || (error = cni_netns_open(r->attachment.netns, &netns_fd))) {
        return error;
    }
    error = cni_connect(r, &db);
    if (!error) {
        int lock_fd = cni_lock_take(&r->attachment);

        error = replace(db, r, netns_fd, lock_fd);
        if (lock_fd >= 0) {
            close(lock_fd);
        }
        ovsdb_disconnect(db);
    }
    close(netns_fd);
    return error;
}

/* DEL. */

/* Detaches the container of 'r'.  What is not there is no error; what cannot
 * be removed is one, so that the runtime tries again. */
struct cni_error *
cni_command_delete(const struct cni_request *r)
{
    struct ovsdb_connection *db;
    struct cni_error *error = cni_connect(r, &db);
    int lock_fd = cni_lock_take(&r->attachment);

    cni_error_keep(&error, cni_detach(db, r, lock_fd, &r->attachment));
    if (lock_fd >= 0) {
        close(lock_fd);
    }
    ovsdb_disconnect(db);
    return error;
}

/* CHECK. */

/* Finds the container's interface of 'r' in 'result'.  Returns its index, or
 * -1, and stores its MAC in '*mac'. */
static int
find_interface(const struct cni_request *r, const struct cni_result *result,
               const char **mac)
{
    const struct json *interfaces = cni_json_member(result->json,
                                                    "interfaces");

    *mac = NULL;
    for (size_t i = 0; interfaces && interfaces->type == JSON_ARRAY
                       && i < json_array_size(interfaces); i++) {
        const struct json *interface = json_array_at(interfaces, i);
        const char *name = "", *sandbox = "";

        cni_error_destroy(cni_json_string(interface, "", "name", &name));
        cni_error_destroy(cni_json_string(interface, "", "sandbox",
                                          &sandbox));
        if (!strcmp(name, r->attachment.ifname) && sandbox[0]) {
            cni_error_destroy(cni_json_string(interface, "", "mac", mac));
            return i;
        }
    }
    return -1;
}

static struct cni_error *
check(const struct cni_request *r, const struct cni_result *result,
      int interface, const char *mac, int netns_fd)
{
    struct ovsdb_connection *db;
    struct cni_switch sw;
    struct cni_error *error;
    char *addresses, *socket;

    error = cni_connect(r, &db);
    if (error) {
        return error;
    }
    error = cni_port_look(db, r, &sw);
    if (!error && !(error = cni_vhost_path(r, &socket))) {
        error = (socket ? cni_vhost_check(socket)
                 : cni_link_check(&r->attachment, netns_fd, result, interface,
                                  mac, link_limit(r, &sw)));
        free(socket);
    }
    if (!error) {
        addresses = cni_result_addresses(result, interface);
        error = cni_port_check(db, r, &sw, addresses);
        free(addresses);
    }
    ovsdb_disconnect(db);
    return error ? error : cni_ipam_check(r, -1);
}

/* Compares the attachment of 'r' with what ADD gave. */
struct cni_error *
cni_command_check(const struct cni_request *r)
{
    struct cni_result result;
    struct cni_error *error;
    int netns_fd, interface;
    const char *mac;

    if (!r->prev_result) {
        return cni_error(CNI_BAD_CONFIG, "The container runtime gives it: see "
                         "its documentation.", "\"prevResult\" is missing");
    }
    error = cni_result_parse(json_clone(r->prev_result), "\"prevResult\"",
                             &result);
    if (!error) {
        interface = find_interface(r, &result, &mac);
        if (interface < 0) {
            error = cni_error(CNI_BAD_CONFIG, "The container runtime gives "
                              "what ADD printed: see its documentation.",
                              "\"prevResult\" has no interface %s",
                              r->attachment.ifname);
        }
    }
    if (!error) {
        error = cni_netns_open(r->attachment.netns, &netns_fd);
        if (!error) {
            error = check(r, &result, interface, mac, netns_fd);
            close(netns_fd);
        }
    }
    cni_result_destroy(&result);
    return error;
}
