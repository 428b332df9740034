/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "proxy-explain.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "timeval.h"
#include "unixctl.h"
#include "util.h"
#include "utilities/common/switch-ask.h"
#include "utilities/ovs-kube-proxy/pipeline/service-explain.h"
#include "utilities/ovs-kube-proxy/pipeline/service-recall.h"
#include "utilities/ovs-kube-proxy/service/service-time.h"

struct proxy_explain {
    struct service_pipeline *pipeline;
    char *rundir;               /* Folder of the switch's sockets, and name of
                                 * the bridge.  Null if the switch is */
    char *bridge;               /* elsewhere. */

    /* The question. */
    struct unixctl_conn *conn;  /* Null: there is none. */
    struct service_connection c;
    struct service_recall *recall;      /* The question is about the past, or
                                         * null. */
    enum {
        STEP_DATAPATH,          /* Which datapath has the bridge? */
        STEP_TRACKED,           /* Is the connection tracked? */
        STEP_TRACE,             /* Where would it go? */
        STEP_BUCKET,            /* Which bucket is that? */
        STEP_RECALL,            /* Where did it go? */
    } step;
    struct service_outcome outcome;     /* So far. */
    struct switch_ask *ask;     /* What the switch is asked. */
};

/* Asks the switch 'command' with up to three arguments; null ends them. */
static void
ask(struct proxy_explain *e, const char *command, const char *arg1,
    const char *arg2, const char *arg3)
{
    const char *const args[] = { arg1, arg2, arg3, NULL };

    e->ask = switch_ask_start(e->rundir, command, args);
}

/* Answers with 'e->outcome', and forgets it. */
static void
answer(struct proxy_explain *e)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    if (e->recall) {
        service_recall_format(e->pipeline, e->recall, &s);
        service_recall_destroy(e->recall);
        e->recall = NULL;
    } else {
        service_explain_format(e->pipeline, &e->c, &e->outcome, &s);
    }
    unixctl_command_reply(e->conn, ds_cstr(&s));
    e->conn = NULL;
    ds_destroy(&s);
    free(e->outcome.why);
    memset(&e->outcome, 0, sizeof e->outcome);
}

/* Answers that the endpoint is not known, because of 'why', which it takes
 * over. */
static void
give_up(struct proxy_explain *e, char *why)
{
    if (e->recall) {
        service_recall_give_up(e->recall, why);
    } else {
        e->outcome.kind = SERVICE_UNKNOWN;
        free(e->outcome.why);
        e->outcome.why = why;
    }
    answer(e);
}

/* Returns the value of option 'name', "--name=", in '*argv' or, if it is in
 * two words, in the next one, and moves '*argv' behind it.  Returns null if
 * '*argv' is something else, or if fewer than two words would be left before
 * 'end'. */
static const char *
take_option(const char *name, const char ***argv, const char **end)
{
    size_t n = strlen(name) - 1;

    if (end - *argv > 2 && !strncmp(**argv, name, n + 1)) {
        return *(*argv)++ + n + 1;
    } else if (end - *argv > 3 && !strncmp(**argv, name, n)
               && !(**argv)[n]) {
        *argv += 2;
        return (*argv)[-1];
    }
    return NULL;
}

/* Parses the words from 'argv' to 'end' into 'e->c' and 'e->recall'.  Returns
 * null, or what is wrong, for the caller to free. */
static char *
parse_question(struct proxy_explain *e, const char **argv, const char **end)
{
    const char *protocol = "tcp", *at = NULL;
    long long int when;
    char *error;

    while (end - argv > 2) {
        const char *value;

        if ((value = take_option("--proto=", &argv, end))) {
            protocol = value;
        } else if ((value = take_option("--at=", &argv, end))) {
            at = value;
        } else {
            return xasprintf("\"%s\" is neither --proto=PROTOCOL nor "
                             "--at=TIME", *argv);
        }
    }
    error = service_connection_parse(protocol, argv[0], argv[1], &e->c);
    if (!error && at) {
        error = service_time_parse(at, time_wall_msec(), &when);
        if (!error) {
            error = service_recall_create(e->pipeline, &e->c, when,
                                          &e->recall);
        }
    }
    return error;
}

static void
explain(struct unixctl_conn *conn, int argc, const char *argv[], void *e_)
{
    struct proxy_explain *e = e_;
    char *error;

    error = (e->conn ? xstrdup("another connection is being looked for")
             : parse_question(e, argv + 1, argv + argc));
    if (error) {
        unixctl_command_reply_error(conn, error);
        free(error);
        return;
    }
    e->conn = conn;
    if (!e->bridge) {
        give_up(e, xstrdup("the switch is on another machine"));
        return;
    }
    e->step = STEP_DATAPATH;
    ask(e, "dpif/show", NULL, NULL, NULL);
}

/* Returns a new object that answers "service/explain", for the caller to
 * destroy.  'remote' is the switch's OpenFlow connection. */
struct proxy_explain *
proxy_explain_create(struct service_pipeline *pipeline, const char *remote)
{
    struct proxy_explain *e = xzalloc(sizeof *e);
    const char *slash = strrchr(remote, '/');
    const char *suffix = slash ? strstr(slash, ".mgmt") : NULL;

    e->pipeline = pipeline;
    if (!strncmp(remote, "unix:", 5) && suffix && !suffix[5]) {
        e->rundir = xmemdup0(remote + 5, slash - remote - 5);
        e->bridge = xmemdup0(slash + 1, suffix - slash - 1);
    }
    unixctl_command_register(
        "service/explain", "[--proto=PROTOCOL] [--at=TIME] SRC:PORT VIP:PORT",
        2, 6, explain, e);
    return e;
}

/* Returns the name of the datapath that has 'bridge', for the caller to free,
 * or null.  'text' is what "dpif/show" says: a line for each datapath, and a
 * line for each of its bridges with two blanks before. */
static char *
find_datapath(const char *text, const char *bridge)
{
    char *copy = xstrdup(text), *save = NULL;
    char *wanted = xasprintf("  %s:", bridge);
    char *datapath = NULL;

    for (char *line = strtok_r(copy, "\n", &save); line;
         line = strtok_r(NULL, "\n", &save)) {
        if (*line != ' ') {
            datapath = line;
        } else if (!strcmp(line, wanted) && datapath) {
            datapath = xmemdup0(datapath, strcspn(datapath, ":"));
            free(wanted);
            free(copy);
            return datapath;
        }
    }
    free(wanted);
    free(copy);
    return NULL;
}

static void
ask_tracked(struct proxy_explain *e, const char *datapath)
{
    char *zone = xasprintf("zone=%d", service_explain_zone(e->pipeline));

    e->step = STEP_TRACKED;
    ask(e, "dpctl/dump-conntrack", datapath, zone, NULL);
    free(zone);
}

static void
ask_trace(struct proxy_explain *e)
{
    char *flow = service_explain_flow(&e->c);
    char *actions = service_explain_actions(e->pipeline, &e->outcome);

    e->step = STEP_TRACE;
    ask(e, "ofproto/trace-packet-out", e->bridge, flow, actions);
    free(flow);
    free(actions);
}

static void
ask_bucket(struct proxy_explain *e)
{
    char *group = xasprintf("%"PRIu32, e->outcome.group_id);

    e->step = STEP_BUCKET;
    ask(e, "lb/show", e->bridge, group, NULL);
    free(group);
}

/* Asks what a group of the past chose, or answers if that is known. */
static void
ask_recall(struct proxy_explain *e)
{
    char *group, *flow;

    if (service_recall_question(e->recall, &group, &flow)) {
        e->step = STEP_RECALL;
        ask(e, "lb/choose", group, flow, NULL);
        free(group);
        free(flow);
    } else {
        answer(e);
    }
}

/* Takes 'reply', the switch's answer to the present step. */
static void
take_reply(struct proxy_explain *e, const char *reply)
{
    struct service_outcome *outcome = &e->outcome;
    char *datapath;

    switch (e->step) {
    case STEP_DATAPATH:
        datapath = find_datapath(reply, e->bridge);
        if (!datapath) {
            give_up(e, xasprintf("the switch has no bridge %s", e->bridge));
            return;
        }
        ask_tracked(e, datapath);
        free(datapath);
        return;

    case STEP_TRACKED:
        service_explain_tracked(&e->c, reply, outcome);
        if (e->recall) {
            service_recall_tracked(e->recall, outcome);
            ask_recall(e);
            return;
        }
        if (outcome->kind == SERVICE_UNKNOWN) {
            ask_trace(e);
            return;
        }
        break;

    case STEP_TRACE:
        service_explain_traced(reply, outcome);
        if (outcome->kind == SERVICE_CHOSEN) {
            ask_bucket(e);
            return;
        }
        break;

    case STEP_BUCKET:
        service_explain_chosen(e->pipeline, reply, outcome);
        if (outcome->kind == SERVICE_PART) {
            ask_trace(e);
            return;
        }
        break;

    case STEP_RECALL:
        service_recall_answer(e->recall, reply);
        ask_recall(e);
        return;

    default:
        OVS_NOT_REACHED();
    }
    if (outcome->kind == SERVICE_UNKNOWN) {
        give_up(e, xstrdup("the switch does not track it, and does not tell "
                           "how it chooses for new ones"));
    } else {
        answer(e);
    }
}

void
proxy_explain_run(struct proxy_explain *e)
{
    struct switch_ask *asked = e->ask;
    char *reply, *error;

    if (!asked || !switch_ask_run(asked, &reply, &error)) {
        return;
    }
    e->ask = NULL;
    if (reply) {
        take_reply(e, reply);
    } else {
        give_up(e, error);
    }
    switch_ask_destroy(asked);
    free(reply);
}

void
proxy_explain_wait(struct proxy_explain *e)
{
    if (e->ask) {
        switch_ask_wait(e->ask);
    }
}

void
proxy_explain_destroy(struct proxy_explain *e)
{
    if (e) {
        switch_ask_destroy(e->ask);
        service_recall_destroy(e->recall);
        free(e->outcome.why);
        free(e->rundir);
        free(e->bridge);
        free(e);
    }
}
