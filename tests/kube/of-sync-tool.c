/* SPDX-License-Identifier: Apache-2.0 */

/* Drives of-sync by hand
 * ======================
 *
 *     of-sync-tool [OPTION]... SWITCH
 *
 * Cookies 0x1/0xf and groups 1000 to 1999 are its own.  Commands, by unixctl:
 *
 *     replace KEY FILE    what KEY wants: lines "flow FLOW", "group GROUP", as
 *                         ovs-ofctl takes them
 *     many N FLOWS BUCKETS    keys many-0...: as many flows and a group each
 *     remove KEY
 *     complete
 *     clear
 *     id NAME             the id of group NAME
 *     release NAME
 *     flush ZONE [N]      forgets the UDP connections of a zone over IPv4:
 *                         all, or those from each of N ports
 *     churn N [AT_ONCE]   N changes of flows, by default one at a time, of
 *                         which the next ones always come before the switch
 *                         has the last ones
 *     status, metrics
 *     settle              answers when the switch has all
 *     exit */

#include <config.h>

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "byte-order.h"
#include "command-line.h"
#include "daemon.h"
#include "fatal-signal.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofp-flow.h"
#include "openvswitch/ofp-group.h"
#include "openvswitch/ofp-parse.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "stream-ssl.h"
#include "timeval.h"
#include "unixctl.h"
#include "util.h"
#include "utilities/common/compat-library.h"
#include "utilities/common/metrics.h"
#include "utilities/of-sync/of-show.h"
#include "utilities/of-sync/of-sync.h"

static struct of_sync *of_sync;
static struct unixctl_conn *settling;
static bool exiting;

struct wish {
    struct ofputil_flow_mod *flows;
    struct ofputil_group_mod *groups;
    size_t n_flows, flows_allocated, n_groups, groups_allocated;
};

static char *
add_line(struct wish *w, const char *line)
{
    enum ofputil_protocol usable;

    if (!strncmp(line, "flow ", 5)) {
        if (w->n_flows >= w->flows_allocated) {
            w->flows = x2nrealloc(w->flows, &w->flows_allocated,
                                  sizeof *w->flows);
        }
        return parse_ofp_flow_mod_str(&w->flows[w->n_flows++], line + 5, NULL,
                                      NULL, OFPFC_ADD, &usable);
    } else if (!strncmp(line, "group ", 6)) {
        if (w->n_groups >= w->groups_allocated) {
            w->groups = x2nrealloc(w->groups, &w->groups_allocated,
                                   sizeof *w->groups);
        }
        return parse_ofp_group_mod_str(&w->groups[w->n_groups++],
                                       OFPGC15_ADD, line + 6, NULL, NULL,
                                       &usable);
    }
    return xasprintf("%s: neither flow nor group", line);
}

static void
apply(struct wish *w, const char *key)
{
    of_sync_replace(of_sync, key, w->flows, w->n_flows, w->groups,
                    w->n_groups);
    free(w->flows);
    free(w->groups);
}

static void
replace(struct unixctl_conn *conn, int argc OVS_UNUSED, const char *argv[],
        void *aux OVS_UNUSED)
{
    struct ds line = DS_EMPTY_INITIALIZER;
    struct wish w = { .n_flows = 0 };
    FILE *file = fopen(argv[2], "r");

    if (!file) {
        unixctl_command_reply_error(conn, ovs_strerror(errno));
        return;
    }
    while (!ds_get_preprocessed_line(&line, file, NULL)) {
        char *error = add_line(&w, ds_cstr(&line));

        if (error) {
            ovs_fatal(0, "%s", error);
        }
    }
    fclose(file);
    ds_destroy(&line);
    apply(&w, argv[1]);
    unixctl_command_reply(conn, NULL);
}

static void
many(struct unixctl_conn *conn, int argc OVS_UNUSED, const char *argv[],
     void *aux OVS_UNUSED)
{
    int n = atoi(argv[1]), n_flows = atoi(argv[2]), n_buckets = atoi(argv[3]);
    struct ds s = DS_EMPTY_INITIALIZER;

    for (int i = 0; i < n; i++) {
        struct wish w = { .n_flows = 0 };
        char *key = xasprintf("many-%d", i);
        uint32_t id;

        ovs_assert(of_sync_group_id(of_sync, key, &id));
        ds_clear(&s);
        ds_put_format(&s, "group group_id=%"PRIu32",type=select,"
                      "selection_method=maglev", id);
        for (int j = 0; j < n_buckets; j++) {
            ds_put_format(&s, ",bucket=weight:100,actions=ct(commit,zone=7,"
                          "nat(dst=10.%d.%d.%d:8080),table=20)", 1 + j,
                          i >> 8, i & 255);
        }
        ovs_assert(!add_line(&w, ds_cstr(&s)));
        for (int j = 0; j < n_flows; j++) {
            ds_clear(&s);
            ds_put_format(&s, "flow cookie=1,table=10,priority=100,tcp,"
                          "nw_dst=10.%d.%d.%d,tp_dst=80,actions=group:"
                          "%"PRIu32, 96 + j, i >> 8, i & 255, id);
            ovs_assert(!add_line(&w, ds_cstr(&s)));
        }
        apply(&w, key);
        free(key);
    }
    ds_destroy(&s);
    unixctl_command_reply(conn, NULL);
}

static void
remove_key(struct unixctl_conn *conn, int argc OVS_UNUSED,
           const char *argv[], void *aux OVS_UNUSED)
{
    of_sync_remove(of_sync, argv[1]);
    unixctl_command_reply(conn, NULL);
}

static void
complete(struct unixctl_conn *conn, int argc OVS_UNUSED,
         const char *argv[] OVS_UNUSED, void *aux OVS_UNUSED)
{
    of_sync_set_complete(of_sync);
    unixctl_command_reply(conn, NULL);
}

static void
clear(struct unixctl_conn *conn, int argc OVS_UNUSED,
      const char *argv[] OVS_UNUSED, void *aux OVS_UNUSED)
{
    of_sync_clear(of_sync);
    unixctl_command_reply(conn, NULL);
}

static void
id(struct unixctl_conn *conn, int argc OVS_UNUSED, const char *argv[],
   void *aux OVS_UNUSED)
{
    char *reply = NULL;
    uint32_t n;

    if (of_sync_group_id(of_sync, argv[1], &n)) {
        reply = xasprintf("%"PRIu32, n);
    }
    unixctl_command_reply(conn, reply ? reply : "none is free");
    free(reply);
}

static void
release(struct unixctl_conn *conn, int argc OVS_UNUSED, const char *argv[],
        void *aux OVS_UNUSED)
{
    of_sync_group_release(of_sync, argv[1]);
    unixctl_command_reply(conn, NULL);
}

static void
flush(struct unixctl_conn *conn, int argc, const char *argv[],
      void *aux OVS_UNUSED)
{
    struct of_sync_ct ct = { .zone = atoi(argv[1]), .protocol = IPPROTO_UDP };
    int n = argc > 2 ? atoi(argv[2]) : 0;

    if (!n) {
        of_sync_ct_flush(of_sync, &ct);
    }
    for (int i = 1; i <= n; i++) {
        ct.reply_sport = i;
        of_sync_ct_flush(of_sync, &ct);
    }
    unixctl_command_reply(conn, NULL);
}

static void
show(struct unixctl_conn *conn, int argc OVS_UNUSED, const char *argv[],
     void *aux OVS_UNUSED)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    const struct metrics m = { "of_sync_tool", &s };

    if (!strcmp(argv[0], "metrics")) {
        of_show_metrics(of_sync, &m);
    } else {
        of_show(of_sync, &s);
    }
    unixctl_command_reply(conn, ds_cstr(&s));
    ds_destroy(&s);
}

static void
settle(struct unixctl_conn *conn, int argc OVS_UNUSED,
       const char *argv[] OVS_UNUSED, void *aux OVS_UNUSED)
{
    settling = conn;
}

/* N changes, of which the next ones come when the switch is busy with those
 * before, so that there always are some that it does not have. */
static struct churn {
    struct unixctl_conn *conn;  /* To be answered. */
    int n, at_once;
    int n_changes;
    long long int *made;        /* When each change was made, in ms. */
    int n_had;                  /* Changes that the switch has, at least. */
    int longest_wait;           /* Highest age of a change, in changes. */
    int n_settled;
} churn;

static void
churn_begin(struct unixctl_conn *conn, int argc, const char *argv[],
            void *aux OVS_UNUSED)
{
    int n = atoi(argv[1]);
    int at_once = argc > 2 ? atoi(argv[2]) : 1;

    churn = (struct churn) {
        .conn = conn, .n = n, .at_once = at_once,
        .made = xmalloc((n + at_once) * sizeof *churn.made),
    };
}

static void
churn_change(void)
{
    for (int i = 0; i < churn.at_once; i++) {
        struct wish w = { .n_flows = 0 };
        char *line = xasprintf("flow cookie=1,table=11,priority=%d,"
                               "reg0=%d,actions=drop",
                               1 + churn.n_changes / churn.at_once % 1000, i);
        char *key = xasprintf("churn-%d", i);

        ovs_assert(!add_line(&w, line));
        apply(&w, key);
        free(key);
        free(line);
        churn.made[churn.n_changes++] = time_msec();
    }
}

/* A change's age is told in changes that were made since, because a slow
 * machine makes everything old, but makes fewer changes, too. */
static void
churn_look(void)
{
    long long int since = of_sync_behind_since(of_sync);

    churn.n_settled += since == LLONG_MAX || of_sync_is_settled(of_sync);
    while (churn.n_had < churn.n_changes && churn.made[churn.n_had] < since) {
        churn.n_had++;
    }
    churn.longest_wait = MAX(churn.longest_wait,
                             churn.n_changes - churn.n_had);
    if (churn.n_changes >= churn.n) {
        char *reply = xasprintf("settled %d times, longest wait %d changes",
                                churn.n_settled, churn.longest_wait);

        unixctl_command_reply(churn.conn, reply);
        free(reply);
        free(churn.made);
        churn.conn = NULL;
    }
}

static void
quit(struct unixctl_conn *conn, int argc OVS_UNUSED,
     const char *argv[] OVS_UNUSED, void *aux OVS_UNUSED)
{
    exiting = true;
    unixctl_command_reply(conn, NULL);
}

static void
parse_options(int argc, char *argv[], char **unixctl_path)
{
    enum {
        OPT_UNIXCTL = UCHAR_MAX + 1,
        SSL_OPTION_ENUMS,
        DAEMON_OPTION_ENUMS,
        VLOG_OPTION_ENUMS,
    };
    static const struct option options[] = {
        { "unixctl", required_argument, NULL, OPT_UNIXCTL },
        STREAM_SSL_LONG_OPTIONS,
        DAEMON_LONG_OPTIONS,
        VLOG_LONG_OPTIONS,
        { NULL, 0, NULL, 0 },
    };

    for (;;) {
        int c = getopt_long(argc, argv, "p:c:C:v", options, NULL);

        if (c == -1) {
            return;
        }
        switch (c) {
        case OPT_UNIXCTL:
            *unixctl_path = optarg;
            break;
        STREAM_SSL_OPTION_HANDLERS
        DAEMON_OPTION_HANDLERS
        VLOG_OPTION_HANDLERS
        default:
            exit(EXIT_FAILURE);
        }
    }
}

int
main(int argc, char *argv[])
{
    struct of_sync_options options = {
        .cookie = htonll(1), .cookie_mask = htonll(0xf),
        .group_min = 1000, .group_max = 1999, .probe_interval = 5,
    };
    char *unixctl_path = NULL;
    struct unixctl_server *unixctl;

    set_program_name(argv[0]);
    fatal_ignore_sigpipe();
    parse_options(argc, argv, &unixctl_path);
    if (optind != argc - 1) {
        ovs_fatal(0, "one switch must be named");
    }
    if (getenv("OF_SYNC_GROUPS")) {
        options.group_max = options.group_min + atoi(
            getenv("OF_SYNC_GROUPS")) - 1;
    }
    compat_daemonize_start();
    if (unixctl_server_create(unixctl_path, &unixctl)) {
        exit(EXIT_FAILURE);
    }
    unixctl_command_register("replace", "KEY FILE", 2, 2, replace, NULL);
    unixctl_command_register("many", "N FLOWS BUCKETS", 3, 3, many, NULL);
    unixctl_command_register("remove", "KEY", 1, 1, remove_key, NULL);
    unixctl_command_register("complete", "", 0, 0, complete, NULL);
    unixctl_command_register("clear", "", 0, 0, clear, NULL);
    unixctl_command_register("id", "NAME", 1, 1, id, NULL);
    unixctl_command_register("release", "NAME", 1, 1, release, NULL);
    unixctl_command_register("flush", "ZONE [N]", 1, 2, flush, NULL);
    unixctl_command_register("status", "", 0, 0, show, NULL);
    unixctl_command_register("metrics", "", 0, 0, show, NULL);
    unixctl_command_register("settle", "", 0, 0, settle, NULL);
    unixctl_command_register("churn", "N [AT_ONCE]", 1, 2, churn_begin, NULL);
    unixctl_command_register("exit", "", 0, 0, quit, NULL);

    options.remote = argv[optind];
    of_sync = of_sync_create(&options);
    daemonize_complete();
    while (!exiting) {
        unixctl_server_run(unixctl);
        if (churn.conn) {
            churn_change();
        }
        of_sync_run(of_sync);
        if (churn.conn) {
            churn_look();
        }
        if (settling && of_sync_is_settled(of_sync)) {
            unixctl_command_reply(settling, NULL);
            settling = NULL;
        }
        unixctl_server_wait(unixctl);
        of_sync_wait(of_sync);
        /* No answer of the switch wakes a churn whose changes were none. */
        if (exiting || (churn.conn && of_sync_is_settled(of_sync))) {
            poll_immediate_wake();
        }
        poll_block();
    }
    of_sync_destroy(of_sync);
    unixctl_server_destroy(unixctl);
    return 0;
}
