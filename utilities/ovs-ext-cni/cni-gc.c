/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "cni-commands.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cni-commands-private.h"
#include "cni-error.h"
#include "cni-ipam.h"
#include "cni-json.h"
#include "cni-link.h"
#include "cni-lock.h"
#include "cni-ovsdb.h"
#include "cni-port.h"
#include "cni-request.h"
#include "dirs.h"
#include "openvswitch/json.h"
#include "sset.h"
#include "util.h"
#include "utilities/common/compat-json.h"

/* GC. */

struct collection {
    struct ovsdb_connection *db;
    const struct cni_request *r;
    struct sset known;          /* Names of links that must stay, and of those
                                 * that are gone. */
    struct cni_error *error;    /* The first one. */
};

/* Stores the names of the valid attachments' links. */
static void
keep_valid(struct collection *c)
{
    for (size_t i = 0; i < json_array_size(c->r->valid); i++) {
        const struct json *valid = json_array_at(c->r->valid, i);
        struct cni_attachment a = {
            .container = json_string(cni_json_member(valid, "containerID")),
            .ifname = json_string(cni_json_member(valid, "ifname")),
        };

        cni_request_name_host(&a, c->r->network);
        sset_add(&c->known, a.host);
    }
}

static void
collect_port(const struct cni_attachment *a, const char *network, void *c_)
{
    struct collection *c = c_;

    if (strcmp(network, c->r->network)) {
        sset_add(&c->known, a->host);
    } else if (sset_add(&c->known, a->host)) {
        int lock_fd = cni_lock_take(a);

        cni_error_keep(&c->error, cni_detach(c->db, c->r, lock_fd, a));
        if (lock_fd >= 0) {
            close(lock_fd);
        }
    }
}

/* Removes links that an ADD made that was killed before it made the port. */
static void
collect_links(struct collection *c)
{
    struct if_nameindex *links = if_nameindex();

    for (struct if_nameindex *l = links; l && l->if_index; l++) {
        if (cni_request_is_ours(l->if_name, c->r->network)
            && !sset_contains(&c->known, l->if_name)) {
            cni_error_keep(&c->error, cni_link_delete(l->if_name));
        }
    }
    if (links) {
        if_freenameindex(links);
    }
}

/* Removes all attachments to the network of 'r' that its list does not
 * have. */
struct cni_error *
cni_command_gc(const struct cni_request *r)
{
    struct collection c = { .r = r };
    struct cni_error *error;

    error = cni_connect(r, &c.db);
    if (error) {
        return error;
    }
    sset_init(&c.known);
    keep_valid(&c);
    error = cni_port_list(c.db, r->timeout, collect_port, &c);
    if (!error) {
        collect_links(&c);
    }
    cni_error_keep(&c.error, error);
    cni_error_keep(&c.error, cni_ipam_gc(r));
    sset_destroy(&c.known);
    ovsdb_disconnect(c.db);
    return c.error;
}

/* STATUS. */

/* ovs-vswitchd listens for OpenFlow at a socket for each bridge. */
static struct cni_error *
check_daemon(const char *bridge)
{
    struct sockaddr_un sun = { .sun_family = AF_UNIX };
    struct cni_error *error = NULL;
    int fd;

    if (snprintf(sun.sun_path, sizeof sun.sun_path, "%s/%s.mgmt",
                 ovs_rundir(), bridge) >= sizeof sun.sun_path) {
        return NULL;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *) &sun, sizeof sun)) {
        error = cni_error(CNI_LIMITED, "Start ovs-vswitchd, and see its log.",
                          "ovs-vswitchd does not run bridge %s: %s: %s",
                          bridge, sun.sun_path, ovs_strerror(errno));
    }
    if (fd >= 0) {
        close(fd);
    }
    return error;
}

/* Says whether an ADD could succeed now. */
struct cni_error *
cni_command_status(const struct cni_request *r)
{
    struct cni_switch sw;
    struct ovsdb_connection *db;
    struct cni_error *error;

    error = cni_connect(r, &db);
    if (!error) {
        error = cni_port_look(db, r, &sw);
        ovsdb_disconnect(db);
    }
    if (error) {
        error->code = CNI_NOT_AVAILABLE;
        return error;
    }
    error = check_daemon(r->bridge);
    return error ? error : cni_ipam_status(r);
}
