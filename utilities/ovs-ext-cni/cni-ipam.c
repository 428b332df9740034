/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "cni-ipam.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "cni-error.h"
#include "cni-exec.h"
#include "cni-json.h"
#include "cni-request.h"
#include "cni-result.h"
#include "openvswitch/json.h"
#include "util.h"

/* Returns the configuration for the IPAM plugin, of 'version', for the caller
 * to free. */
static char *
make_input(const struct cni_request *r, const char *version)
{
    struct json *config = json_deep_clone(r->config);
    char *s;

    json_object_put_string(config, "cniVersion", version);
    s = json_to_string(config, 0);
    json_destroy(config);
    return s;
}

/* Returns the error that IPAM plugin 'name' has described by 'json', or by
 * 'status'. */
static struct cni_error *
parse_failure(const char *name, const char *command, const struct json *json,
              int status)
{
    long long int code = CNI_IPAM;
    const char *msg = "", *details = "";

    cni_error_destroy(cni_json_string(json, "", "msg", &msg));
    cni_error_destroy(cni_json_string(json, "", "details", &details));
    cni_error_destroy(cni_json_integer(json, "", "code", 1, INT32_MAX,
                                       &code));
    if (!msg[0]) {
        return cni_error(CNI_IPAM, "Run the plugin by hand to see what it "
                         "does.", "IPAM plugin %s failed to do %s with status "
                         "%d, and does not say why", name, command,
                         WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    }
    return cni_error(code, details[0] ? details : "Correct \"ipam\" in the "
                     "network configuration.", "IPAM plugin %s: %s", name,
                     msg);
}

/* Executes the IPAM plugin at 'path' as one of 'version'.  Stores what it says
 * in '*result' if it succeeds, for the caller to destroy. */
static struct cni_error *
run_version(const struct cni_request *r, const char *path,
            const char *command, const struct cni_attachment *a, int lock_fd,
            const char *version, struct json **result)
{
    char *input = make_input(r, version), *output;
    struct cni_error *error;
    struct json *json;
    int status;

    error = cni_exec(path, command, a, lock_fd, input, &output, &status);
    free(input);
    if (error) {
        return error;
    }
    json = json_from_string(output);
    free(output);
    if (status || (json->type == JSON_OBJECT
                   && cni_json_member(json, "code"))) {
        error = parse_failure(r->ipam, command, json, status);
        json_destroy(json);
        json = NULL;
    }
    *result = json;
    return error;
}

/* Stores in '*path' where the IPAM plugin of 'r' is, for the caller to
 * free. */
static struct cni_error *
find(const struct cni_request *r, char **path)
{
    *path = cni_exec_find(r->ipam);
    return (*path ? NULL
            : cni_error(CNI_BAD_CONFIG, "Install it, such as by the package "
                        "containernetworking-plugins, or correct \"ipam\" in "
                        "the network configuration.",
                        "IPAM plugin %s is not in CNI_PATH, \"%s\"", r->ipam,
                        getenv("CNI_PATH") ? getenv("CNI_PATH") : ""));
}

/* Looks whether there is the IPAM plugin of 'r'. */
struct cni_error *
cni_ipam_find(const struct cni_request *r)
{
    struct cni_error *error = NULL;
    char *path;

    if (r->ipam) {
        error = find(r, &path);
        free(path);
    }
    return error;
}

/* Executes the IPAM plugin of 'r' for 'command' on 'a'.  Stores what it says
 * in '*result' if it succeeds, for the caller to destroy. */
static struct cni_error *
run(const struct cni_request *r, const char *command,
    const struct cni_attachment *a, int lock_fd, struct json **result)
{
    struct cni_error *error;
    char *path;

    *result = NULL;
    error = find(r, &path);
    if (error) {
        return error;
    }
    error = run_version(r, path, command, a, lock_fd, r->version_name,
                        result);
    if (error && error->code == CNI_INCOMPATIBLE_VERSION
        && r->version == CNI_1_1_0 && a->container) {
        cni_error_destroy(error);
        error = run_version(r, path, command, a, lock_fd,
                            cni_versions[CNI_1_0_0], result);
    }
    free(path);
    return error;
}

/* Asks for addresses and routes.  The caller must destroy 'result', even after
 * an error. */
struct cni_error *
cni_ipam_add(const struct cni_request *r, int lock_fd,
             struct cni_result *result)
{
    struct cni_error *error;
    struct json *json;
    char *what;

    memset(result, 0, sizeof *result);
    if (!r->ipam) {
        return NULL;
    }
    error = run(r, "ADD", &r->attachment, lock_fd, &json);
    if (error) {
        return error;
    }
    what = xasprintf("the result of IPAM plugin %s", r->ipam);
    error = cni_result_parse(json, what, result);
    if (!error && !result->n_addresses) {
        error = cni_error(CNI_IPAM, "Correct \"ipam\" in the network "
                          "configuration.", "%s has no address", what);
    }
    free(what);
    return error;
}

/* Gives back the addresses of 'a'. */
struct cni_error *
cni_ipam_delete(const struct cni_request *r, int lock_fd,
                const struct cni_attachment *a)
{
    struct cni_error *error = NULL;
    struct json *result;

    if (r->ipam) {
        error = run(r, "DEL", a, lock_fd, &result);
        json_destroy(result);
    }
    return error;
}

/* Asks whether the addresses are still those of the attachment. */
struct cni_error *
cni_ipam_check(const struct cni_request *r, int lock_fd)
{
    struct cni_error *error = NULL;
    struct json *result;

    if (r->ipam) {
        error = run(r, "CHECK", &r->attachment, lock_fd, &result);
        json_destroy(result);
    }
    return error;
}

/* Forwards 'command', which IPAM plugins of CNI 1.0 do not have.  Those
 * complain about the version, the command, or the missing container. */
static struct cni_error *
forward(const struct cni_request *r, const char *command)
{
    struct cni_error *error = NULL;
    struct json *result;

    if (r->ipam) {
        error = run(r, command, &r->attachment, -1, &result);
        json_destroy(result);
    }
    if (error && (error->code == CNI_INCOMPATIBLE_VERSION
                  || error->code == CNI_UNKNOWN_CONTAINER
                  || error->code == CNI_BAD_ENVIRONMENT)) {
        cni_error_destroy(error);
        error = NULL;
    }
    return error;
}

/* Has the IPAM plugin remove what is not of a valid attachment. */
struct cni_error *
cni_ipam_gc(const struct cni_request *r)
{
    return forward(r, "GC");
}

/* Asks whether the IPAM plugin has addresses. */
struct cni_error *
cni_ipam_status(const struct cni_request *r)
{
    struct cni_error *error = forward(r, "STATUS");

    if (error && error->code == CNI_BAD_CONFIG) {
        error->code = CNI_NOT_AVAILABLE;
    }
    return error;
}
