/* SPDX-License-Identifier: Apache-2.0 */

/* Pods on a bridge of Open vSwitch, for container runtimes
 * ========================================================
 *
 *     cni-request -> cni-commands -> cni-port, cni-ovsdb   the switch
 *                        |           cni-link, rt-netlink   links, addresses
 *                        |           cni-vhost              sockets
 *                        |           cni-agent              node agent
 *                        |           cni-ipam, cni-exec     addresses' plugin
 *                        v
 *                    cni-print, cni-error
 *
 * One command for each execution.  See ovs-ext-cni(8). */

#include <config.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "cni-commands.h"
#include "cni-error.h"
#include "cni-request.h"
#include "fatal-signal.h"
#include "openvswitch/json.h"
#include "openvswitch/vlog.h"
#include "util.h"

static void
print_versions(const struct cni_request *r)
{
    struct json *json = json_object_create();
    struct json *versions = json_array_create_empty();
    char *s;

    for (int i = 0; i < CNI_N_VERSIONS; i++) {
        json_array_add(versions, json_string_create(cni_versions[i]));
    }
    json_object_put_string(json, "cniVersion", r->version_name);
    json_object_put(json, "supportedVersions", versions);
    s = json_to_string(json, JSSF_PRETTY | JSSF_SORT);
    puts(s);
    free(s);
    json_destroy(json);
}

static struct cni_error *
execute(const struct cni_request *r)
{
    switch (r->command) {
    case CNI_ADD:
        return cni_command_add(r);
    case CNI_DEL:
        return cni_command_delete(r);
    case CNI_CHECK:
        return cni_command_check(r);
    case CNI_GC:
        return cni_command_gc(r);
    case CNI_STATUS:
        return cni_command_status(r);
    case CNI_VERSION:
        print_versions(r);
        return NULL;
    default:
        OVS_NOT_REACHED();
    }
}

int
main(int argc OVS_UNUSED, char *argv[])
{
    struct cni_request request;
    struct cni_error *error;
    int status = EXIT_SUCCESS;

    set_program_name(argv[0]);
    /* Errors have it all. */
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
    fatal_ignore_sigpipe();
    error = cni_request_read(&request);
    if (!error) {
        error = execute(&request);
    }
    if (error) {
        cni_error_print(error, request.version_name);
        cni_error_destroy(error);
        status = EXIT_FAILURE;
    }
    /* A runtime that has not read the result calls DEL. */
    if (fflush(stdout)) {
        status = EXIT_FAILURE;
    }
    cni_request_destroy(&request);
    return status;
}
