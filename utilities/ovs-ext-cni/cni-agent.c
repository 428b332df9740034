/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "cni-agent.h"

#include <stdlib.h>
#include <string.h>

#include "cni-error.h"
#include "cni-json.h"
#include "cni-ovsdb.h"
#include "cni-request.h"
#include "openvswitch/json.h"
#include "timeval.h"
#include "util.h"
#include "utilities/common/compat-json.h"

/* More than the database waits: it says itself that the time is over. */
#define ANSWER_MS 5000

/* host-local wants a range even to give an address back. */
#define SOME_RANGE "192.0.2.0/24"

/* Returns a select of the external_ids of the row 'name' of 'table'. */
static struct json *
make_select(const char *table, const char *name)
{
    const char *const columns[] = { "external_ids", NULL };
    struct json *op = ovsdb_operation("select", table);

    json_object_put(op, "where", ovsdb_condition("name", "==",
                                                 json_string_create(name)));
    json_object_put(op, "columns", ovsdb_columns(columns));
    return op;
}

/* Preparing. */

/* Gives host-local the ranges in 'cidrs', which are separated by blanks. */
static void
put_ranges(const struct cni_request *r, const char *cidrs)
{
    struct json *ipam = shash_find_data(json_object(r->config), "ipam");
    struct json *ranges = json_array_create_empty();
    char *copy = xstrdup(cidrs), *save = NULL;

    for (char *cidr = strtok_r(copy, " ", &save); cidr;
         cidr = strtok_r(NULL, " ", &save)) {
        struct json *range = json_object_create();

        json_object_put_string(range, "subnet", cidr);
        json_array_add(ranges, json_array_create_1(range));
    }
    free(copy);
    json_object_put(ipam, "ranges", ranges);
}

static bool
wants_ranges(const struct cni_request *r)
{
    const struct json *ipam = cni_json_member(r->config, "ipam");

    return (r->ipam && !strcmp(r->ipam, "host-local")
            && !cni_json_member(ipam, "ranges")
            && !cni_json_member(ipam, "subnet"));
}

/* Looks for the agent, if 'r' says that there is one, and gives host-local the
 * Node's ranges of pods if it has none of its own.  DEL and GC do without the
 * agent. */
struct cni_error *
cni_agent_prepare(struct ovsdb_connection *db, const struct cni_request *r)
{
    bool removes = r->command == CNI_DEL || r->command == CNI_GC;
    struct cni_error *error;
    const struct json *bridge;
    struct json *results;
    const char *cidrs;

    if (!r->node_agent) {
        return NULL;
    }
    error = ovsdb_transact(
        db, json_array_create_1(make_select("Bridge", r->bridge)), ANSWER_MS,
        &results);
    if (error) {
        return error;
    }
    bridge = ovsdb_row(results, 0, 0);
    cidrs = ovsdb_map_string(bridge, "external_ids", "node-pod-cidrs");
    if (bridge && !cidrs[0] && !removes) {
        error = cni_error(CNI_TRY_AGAIN, "Start ovs-ext-node, and see its "
                          "log.", "no node agent serves bridge %s",
                          r->bridge);
    } else if (wants_ranges(r)) {
        put_ranges(r, cidrs[0] ? cidrs : SOME_RANGE);
    }
    json_destroy(results);
    return error;
}

/* Waiting. */

/* Returns an operation that waits 'timeout' ms until the external_ids of the
 * interface 'host' are not those of 'row' any more. */
static struct json *
make_wait(const char *host, const struct json *row, int timeout)
{
    const char *const columns[] = { "external_ids", NULL };
    struct json *op = ovsdb_operation("wait", "Interface");

    json_object_put(op, "where", ovsdb_condition("name", "==",
                                                 json_string_create(host)));
    json_object_put(op, "columns", ovsdb_columns(columns));
    json_object_put_string(op, "until", "!=");
    json_object_put(op, "rows", json_array_create_1(json_clone(row)));
    json_object_put(op, "timeout", json_integer_create(timeout));
    return op;
}

/* Stores in '*row' the external_ids of interface 'host', once they are not
 * those of '*row', which may be null.  Destroys the old '*row'. */
static struct cni_error *
read_next(struct ovsdb_connection *db, const char *host, int timeout,
          struct json **row)
{
    struct json *operations = json_array_create_empty();
    const struct json *next = NULL;
    struct json *results;
    struct cni_error *error;

    if (*row) {
        json_array_add(operations, make_wait(host, *row, timeout));
    }
    json_array_add(operations, make_select("Interface", host));
    error = ovsdb_transact(db, operations, timeout + ANSWER_MS, &results);
    if (!error) {
        next = ovsdb_row(results, *row ? 1 : 0, 0);
        if (!next) {
            error = cni_error(CNI_SWITCH, "Find out who removes it: see "
                              "\"ovsdb-tool -mm show-log\".", "port %s has "
                              "been removed from the switch", host);
        }
    }
    json_destroy(*row);
    *row = next ? json_deep_clone(next) : NULL;
    json_destroy(results);
    return error;
}

/* Waits until the agent has made flows for 'addresses' of 'r', if 'r' says
 * that there is one. */
struct cni_error *
cni_agent_wait(struct ovsdb_connection *db, const struct cni_request *r,
               const char *addresses)
{
    const char *host = r->attachment.host;
    long long int deadline = time_msec() + r->timeout;
    struct json *row = NULL;
    struct cni_error *error;

    if (!r->node_agent || !addresses[0]) {
        return NULL;
    }
    for (;;) {
        const char *why;

        error = read_next(db, host, MAX(deadline - time_msec(), 1), &row);
        if (error) {
            break;
        }
        why = ovsdb_map_string(row, "external_ids", "node-refused");
        if (why[0]) {
            error = cni_error(CNI_SWITCH, "See \"ovs-appctl -t ovs-ext-node "
                              "node/show\" on the node.",
                              "the node agent refuses port %s: %s", host, why);
            break;
        } else if (!strcmp(ovsdb_map_string(row, "external_ids",
                                            "node-admitted"), addresses)) {
            break;
        }
    }
    json_destroy(row);
    if (error && strstr(error->msg, "\"timed out\"")) {
        cni_error_destroy(error);
        error = cni_error(CNI_TRY_AGAIN, "Is ovs-ext-node running?  See "
                          "\"ovs-appctl -t ovs-ext-node node/show\" on the "
                          "node.", "the node agent has not admitted port %s "
                          "within %d seconds", host, r->timeout / 1000);
    }
    return error;
}
