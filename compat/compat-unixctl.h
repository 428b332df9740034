/* SPDX-License-Identifier: Apache-2.0 */

#ifndef COMPAT_UNIXCTL_H
#define COMPAT_UNIXCTL_H 1

/* Commands in each release of Open vSwitch
 * ========================================
 *
 * Later releases let a client ask for JSON: "ovs-appctl --format=json".
 * Earlier ones refuse the option themselves.  What a client receives is JSON
 * there, too.  Main thread. */

#include "openvswitch/json.h"
#include "ovs-features.h"
#include "unixctl.h"
#include "util.h"

/* Returns true if the client of 'conn' wants JSON. */
static inline bool
compat_wants_json(struct unixctl_conn *conn OVS_UNUSED)
{
#ifdef OVS_HAS_UNIXCTL_JSON
    return unixctl_command_get_output_format(conn) == UNIXCTL_OUTPUT_FMT_JSON;
#else
    return false;
#endif
}

/* Replies 'json', which it frees, to 'conn', whose client wants JSON. */
static inline void
compat_reply_json(struct unixctl_conn *conn OVS_UNUSED,
                  struct json *json OVS_UNUSED)
{
#ifdef OVS_HAS_UNIXCTL_JSON
    unixctl_command_reply_json(conn, json);
#else
    OVS_NOT_REACHED();
#endif
}

/* Replies to 'conn' with 'json' if its client wants JSON, otherwise with
 * 'text'.  Both are texts and stay the caller's. */
static inline void
compat_reply(struct unixctl_conn *conn, const char *text, const char *json)
{
    if (compat_wants_json(conn)) {
        compat_reply_json(conn, json_from_string(json));
    } else {
        unixctl_command_reply(conn, text);
    }
}

/* Sends 'command' with the 'argc' arguments in 'argv' to the server of
 * 'client', as ovs-appctl does.  Returns 0 and stores the text of its reply in
 * '*result', or that of its error in '*error'; the caller frees both, and the
 * other one is null.  Otherwise returns a positive errno: no reply came. */
static inline int
compat_client_transact(struct jsonrpc *client, const char *command,
                       int argc, char *argv[], char **result, char **error)
{
#ifdef OVS_HAS_UNIXCTL_JSON
    struct json *json_result = NULL, *json_error = NULL;
    int status;

    status = unixctl_client_transact(client, command, argc, argv,
                                     &json_result, &json_error);
    *result = json_result ? xstrdup(json_string(json_result)) : NULL;
    *error = json_error ? xstrdup(json_string(json_error)) : NULL;
    json_destroy(json_result);
    json_destroy(json_error);
    return status;
#else
    return unixctl_client_transact(client, command, argc, argv, result, error);
#endif
}

#endif /* compat-unixctl.h */
