/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "cni-request.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cni-error.h"
#include "cni-json.h"
#include "cni-request-private.h"
#include "openvswitch/json.h"
#include "openvswitch/util.h"
#include "util.h"
#include "utilities/common/compat-json.h"

/* Octets.  Kubernetes' names have at most 253. */
#define MAX_CONTAINER_LEN 255
#define MAX_POD_LEN 253
#define MAX_ARGS_LEN 65536

#define ASCII_ALNUM "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" \
                    "0123456789"

/* Returns true if 's' has 1 to 'max_len' letters, digits, "_", "." and "-",
 * the first a letter or digit: the specification's identifiers. */
bool
cni_is_word(const char *s, size_t max_len)
{
    size_t len = strlen(s);

    return (len && len <= max_len && strspn(s, ASCII_ALNUM "_.-") == len
            && strspn(s, ASCII_ALNUM));
}

/* Returns true if 's' can be the name of a network device. */
bool
cni_is_ifname(const char *s)
{
    size_t len = strlen(s);

    if (!len || len >= IF_NAMESIZE || !strcmp(s, ".") || !strcmp(s, "..")) {
        return false;
    }
    for (; *s; s++) {
        if (*s <= ' ' || *s > '~' || strchr("/:%\"\\", *s)) {
            return false;
        }
    }
    return true;
}

static struct cni_error *
bad_variable(const char *name, const char *value, const char *expected)
{
    return cni_error(CNI_BAD_ENVIRONMENT,
                     "The container runtime sets this variable: see its "
                     "documentation.",
                     "environment variable %s is \"%.*s\", and not %s", name,
                     MAX_CONTAINER_LEN, value, expected);
}

/* Stores the command in 'r'. */
struct cni_error *
cni_environment_read_command(struct cni_request *r)
{
    static const char *const names[] = {
        [CNI_ADD] = "ADD", [CNI_DEL] = "DEL", [CNI_CHECK] = "CHECK",
        [CNI_GC] = "GC", [CNI_STATUS] = "STATUS", [CNI_VERSION] = "VERSION",
    };
    const char *name = getenv("CNI_COMMAND");

    for (size_t i = 0; name && i < ARRAY_SIZE(names); i++) {
        if (!strcmp(names[i], name)) {
            r->command = i;
            return NULL;
        }
    }
    return bad_variable("CNI_COMMAND", name ? name : "",
                        "ADD, DEL, CHECK, GC, STATUS or VERSION");
}

/* Stores 'value' of 'key' of CNI_ARGS if it says who the pod is. */
static struct cni_error *
take_arg(struct cni_request *r, const char *key, const char *value)
{
    const struct {
        const char *key;
        const char **value;
    } args[] = {
        { "K8S_POD_NAMESPACE", &r->pod_namespace },
        { "K8S_POD_NAME", &r->pod_name },
        { "K8S_POD_UID", &r->pod_uid },
    };

    for (size_t i = 0; i < ARRAY_SIZE(args); i++) {
        if (!strcmp(args[i].key, key)) {
            if (*value && !cni_is_word(value, MAX_POD_LEN)) {
                return bad_variable("CNI_ARGS", key,
                                    "followed by a name of Kubernetes");
            }
            *args[i].value = value;
        }
    }
    return NULL;
}

static struct cni_error *
read_args(struct cni_request *r)
{
    const char *args = getenv("CNI_ARGS");
    char *save = NULL;

    r->pod_namespace = r->pod_name = r->pod_uid = "";
    if (!args) {
        return NULL;
    } else if (strlen(args) > MAX_ARGS_LEN) {
        return bad_variable("CNI_ARGS", args, "shorter than 64 kB");
    }
    r->args = xstrdup(args);
    for (char *arg = strtok_r(r->args, ";", &save); arg;
         arg = strtok_r(NULL, ";", &save)) {
        char *equals = strchr(arg, '=');
        struct cni_error *error;

        if (!equals) {
            return bad_variable("CNI_ARGS", arg, "KEY=VALUE");
        }
        *equals = '\0';
        error = take_arg(r, arg, equals + 1);
        if (error) {
            return error;
        }
    }
    return NULL;
}

/* Stores in 'r' what the environment says about a container.  DEL works
 * without CNI_NETNS. */
struct cni_error *
cni_environment_read(struct cni_request *r)
{
    struct cni_attachment *a = &r->attachment;
    const char *container = getenv("CNI_CONTAINERID");
    const char *ifname = getenv("CNI_IFNAME");
    const char *netns = getenv("CNI_NETNS");

    if (!container || !cni_is_word(container, MAX_CONTAINER_LEN)) {
        return bad_variable("CNI_CONTAINERID", container ? container : "",
                            "the id of a container");
    } else if (!ifname || !cni_is_ifname(ifname)) {
        return bad_variable("CNI_IFNAME", ifname ? ifname : "",
                            "the name of an interface of at most 15 octets");
    } else if (netns && netns[0]
               ? netns[0] != '/' || strlen(netns) >= PATH_MAX
               : r->command != CNI_DEL) {
        return bad_variable("CNI_NETNS", netns ? netns : "",
                            "the path of a network namespace");
    }
    a->container = container;
    a->ifname = ifname;
    a->netns = netns && netns[0] ? netns : NULL;
    return read_args(r);
}

/* Checks the attachments that the runtime tells GC of: with a wrong one, some
 * that are in use would be removed. */
struct cni_error *
cni_environment_read_valid(const struct cni_request *r)
{
    for (size_t i = 0; i < json_array_size(r->valid); i++) {
        const struct json *element = json_array_at(r->valid, i);
        const char *container = "", *ifname = "";
        struct cni_error *error;

        error = cni_json_string(element, "cni.dev/valid-attachments",
                                "containerID", &container);
        if (!error) {
            error = cni_json_string(element, "cni.dev/valid-attachments",
                                    "ifname", &ifname);
        }
        if (!error && (!cni_is_word(container, MAX_CONTAINER_LEN)
                       || !cni_is_ifname(ifname))) {
            error = cni_error(CNI_BAD_CONFIG, "The container runtime makes "
                              "this list: see its documentation.",
                              "element %"PRIuSIZE" of "
                              "\"cni.dev/valid-attachments\" has no right "
                              "containerID and ifname", i);
        }
        if (error) {
            return error;
        }
    }
    return NULL;
}
