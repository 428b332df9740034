/* SPDX-License-Identifier: Apache-2.0 */

#ifndef COMPAT_UNIXCTL_H
#define COMPAT_UNIXCTL_H 1

/* JSON from commands in each release of Open vSwitch
 * ==================================================
 *
 * Later releases let a client ask for JSON: "ovs-appctl --format=json".
 * Earlier ones refuse the option themselves.  Main thread. */

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

#endif /* compat-unixctl.h */
