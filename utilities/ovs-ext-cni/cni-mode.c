/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "cni-request.h"

#include <limits.h>
#include <string.h>

#include "cni-error.h"
#include "cni-json.h"
#include "cni-request-private.h"
#include "openvswitch/json.h"
#include "openvswitch/shash.h"
#include "util.h"

#define MAX_DIRECTORY_LEN 100

/* Returns true if 's' is an absolute path of at most 'max_len' octets, without
 * empty parts, "." and "..". */
static bool
is_path(const char *s, size_t max_len)
{
    if (s[0] != '/' || strlen(s) > max_len) {
        return false;
    }
    while (*s) {
        size_t n = strcspn(++s, "/");

        if (!n || (n == 1 && s[0] == '.')
            || (n == 2 && !strncmp(s, "..", 2))) {
            return false;
        }
        s += n;
    }
    return true;
}

static struct cni_error *
refuse_unknown_keys(const struct json *vhost)
{
    struct shash_node *node;

    SHASH_FOR_EACH (node, json_object(vhost)) {
        if (strcmp(node->name, "directory") && strcmp(node->name, "gid")
            && strcmp(node->name, "mode") && strcmp(node->name, "uid")) {
            return cni_error(CNI_UNSUPPORTED_FIELD, "Remove it: see "
                             "ovs-ext-cni(8).", "\"vhost-user\" has \"%s\", "
                             "which is not known", node->name);
        }
    }
    return NULL;
}

static struct cni_error *
parse_permissions(struct cni_vhost *v, const struct json *vhost)
{
    long long int uid = 0, gid = 0;
    const char *mode = "0770";
    struct cni_error *error;

    if ((error = cni_json_integer(vhost, "\"vhost-user\"", "uid", 0,
                                  INT32_MAX, &uid))
        || (error = cni_json_integer(vhost, "\"vhost-user\"", "gid", 0,
                                     INT32_MAX, &gid))
        || (error = cni_json_string(vhost, "\"vhost-user\"", "mode",
                                    &mode))) {
        return error;
    }
    v->uid = uid;
    v->gid = gid;
    if (strlen(mode) != 4 || mode[0] != '0'
        || strspn(mode, "01234567") != 4 || !str_to_int(mode, 8, &v->mode)) {
        return cni_error(CNI_BAD_CONFIG, "Write permissions of a directory in "
                         "octal, such as \"0770\".",
                         "\"mode\" of \"vhost-user\" is \"%.100s\"", mode);
    }
    return NULL;
}

static struct cni_error *
parse_vhost(struct cni_request *r, const struct json *vhost)
{
    const struct json *runtime = cni_json_member(r->config, "runtimeConfig");
    struct cni_vhost *v = &r->vhost;
    struct cni_error *error;
    const char *directory = "", *file = NULL;

    if (!vhost) {
        return cni_error(CNI_BAD_CONFIG, "Give it, with \"directory\".",
                         "\"vhost-user\" is missing");
    }
    if ((error = refuse_unknown_keys(vhost))
        || (error = cni_json_string(vhost, "\"vhost-user\"", "directory",
                                    &directory))
        || (error = parse_permissions(v, vhost))
        || (error = cni_json_string(runtime, "\"runtimeConfig\"",
                                    "CNIDeviceInfoFile", &file))) {
        return error;
    }
    if (!is_path(directory, MAX_DIRECTORY_LEN)) {
        return cni_error(CNI_BAD_CONFIG, "Name an absolute path, such as "
                         "/run/ovs-vhost.", "\"directory\" of "
                         "\"vhost-user\" is \"%.100s\"", directory);
    } else if (file && !is_path(file, PATH_MAX - 1)) {
        return cni_error(CNI_BAD_CONFIG, "The container runtime gives it: see "
                         "its documentation.", "\"CNIDeviceInfoFile\" is "
                         "\"%.100s\"", file);
    }
    v->directory = directory;
    v->device_info = file;
    return NULL;
}

/* Stores in 'r' how pods are attached. */
struct cni_error *
cni_mode_read(struct cni_request *r)
{
    const char *what = "the network configuration", *mode = "veth";
    const struct json *vhost;
    struct cni_error *error;

    if ((error = cni_json_string(r->config, what, "mode", &mode))
        || (error = cni_json_object(r->config, what, "vhost-user", &vhost))) {
        return error;
    }
    if (!strcmp(mode, "vhost-user")) {
        return parse_vhost(r, vhost);
    }
    return (strcmp(mode, "veth")
            ? cni_error(CNI_BAD_CONFIG, "Set it to veth or vhost-user.",
                        "\"mode\" is \"%.100s\"", mode)
            : vhost
            ? cni_error(CNI_BAD_CONFIG, "Set \"mode\" to vhost-user.",
                        "\"vhost-user\" is for another \"mode\"")
            : NULL);
}
