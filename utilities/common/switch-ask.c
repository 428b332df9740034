/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "switch-ask.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "jsonrpc.h"
#include "openvswitch/json.h"
#include "openvswitch/poll-loop.h"
#include "packets.h"
#include "stream.h"
#include "timeval.h"
#include "util.h"

struct switch_ask {
    struct jsonrpc *rpc;        /* Null if 'fault'. */
    char *fault;                /* What went wrong at the start, or null. */
    long long int deadline;     /* In ms. */
};

/* Returns the name of the switch's socket in 'rundir', for the caller to free,
 * or null if the switch does not run.  The switch may be in another PID
 * namespace, so whether its process exists does not count. */
static char *
find_socket(const char *rundir)
{
    char *pidfile = xasprintf("%s/ovs-vswitchd.pid", rundir);
    FILE *stream = fopen(pidfile, "r");
    char *name = NULL;
    int pid;

    if (stream) {
        if (fscanf(stream, "%d", &pid) == 1) {
            name = xasprintf("unix:%s/ovs-vswitchd.%d.ctl", rundir, pid);
        }
        fclose(stream);
    }
    free(pidfile);
    return name;
}

static void
send_request(struct switch_ask *ask, const char *command,
             const char *const args[])
{
    struct json *params = json_array_create_empty();

    for (; *args; args++) {
        json_array_add(params, json_string_create(*args));
    }
    jsonrpc_send(ask->rpc, jsonrpc_create_request(command, params, NULL));
}

/* Sends 'command' with 'args', which end with a null pointer, to the switch
 * whose pidfile and socket are in the folder 'rundir'.  Returns the question,
 * for the caller to run and destroy. */
struct switch_ask *
switch_ask_start(const char *rundir, const char *command,
                 const char *const args[])
{
    struct switch_ask *ask = xzalloc(sizeof *ask);
    char *name = find_socket(rundir);
    struct stream *stream;
    int error;

    ask->deadline = time_msec() + SWITCH_ASK_MS;
    if (!name) {
        ask->fault = xasprintf("%s: there is no pidfile of ovs-vswitchd",
                               rundir);
        return ask;
    }
    error = stream_open(name, &stream, DSCP_DEFAULT);
    if (error) {
        ask->fault = xasprintf("%s: %s", name, ovs_strerror(error));
    } else {
        ask->rpc = jsonrpc_open(stream);
        send_request(ask, command, args);
    }
    free(name);
    return ask;
}

/* Stores what 'msg' says in '*reply' or '*error'. */
static void
take_message(const struct jsonrpc_msg *msg, char **reply, char **error)
{
    const struct json *json = msg->error ? msg->error : msg->result;

    if (!json || json->type != JSON_STRING) {
        *error = xstrdup("the switch's answer is no text");
    } else {
        *(msg->error ? error : reply) = xstrdup(json_string(json));
    }
}

/* Returns true if 'ask' has ended, and stores the switch's answer in '*reply'
 * or what went wrong in '*error', for the caller to free.  The other one is
 * null. */
bool
switch_ask_run(struct switch_ask *ask, char **reply, char **error)
{
    struct jsonrpc_msg *msg;
    int retval;

    *reply = *error = NULL;
    if (ask->fault) {
        *error = xstrdup(ask->fault);
        return true;
    }
    jsonrpc_run(ask->rpc);
    retval = jsonrpc_recv(ask->rpc, &msg);
    if (!retval) {
        take_message(msg, reply, error);
        jsonrpc_msg_destroy(msg);
    } else if (retval != EAGAIN) {
        *error = xasprintf("ovs-vswitchd: %s", ovs_retval_to_string(retval));
    } else if (time_msec() >= ask->deadline) {
        *error = xasprintf("ovs-vswitchd: no answer within %d s",
                           SWITCH_ASK_MS / 1000);
    }
    return *reply || *error;
}

void
switch_ask_wait(struct switch_ask *ask)
{
    if (ask->fault) {
        poll_immediate_wake();
    } else {
        jsonrpc_wait(ask->rpc);
        jsonrpc_recv_wait(ask->rpc);
        poll_timer_wait_until(ask->deadline);
    }
}

/* Frees 'ask', which may be null. */
void
switch_ask_destroy(struct switch_ask *ask)
{
    if (ask) {
        jsonrpc_close(ask->rpc);
        free(ask->fault);
        free(ask);
    }
}
