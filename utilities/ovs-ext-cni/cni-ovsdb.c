/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "cni-ovsdb.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cni-error.h"
#include "cni-json.h"
#include "jsonrpc.h"
#include "openvswitch/json.h"
#include "openvswitch/poll-loop.h"
#include "socket-util.h"
#include "stream.h"
#include "timeval.h"
#include "util.h"
#include "utilities/common/compat-json.h"

/* A server ends a connection by tcp: that has been idle for twice as long, as
 * it is while an IPAM plugin runs. */
#define IDLE_MS 4000

struct ovsdb_connection {
    struct jsonrpc *rpc;
    char *remote;
    long long int used;         /* Last time, in ms. */
};

static const char no_database[] =
    "Start Open vSwitch, or correct \"database\" in the network "
    "configuration.";

static struct cni_error *
open_rpc(const char *remote, int timeout, struct jsonrpc **rpc)
{
    struct stream *stream;
    int retval;

    retval = jsonrpc_stream_open(remote, &stream, DSCP_DEFAULT);
    retval = stream_open_block(retval, timeout, &stream);
    if (retval) {
        return cni_error(CNI_TRY_AGAIN, no_database,
                         "the database of Open vSwitch cannot be reached at "
                         "%s: %s", remote, ovs_strerror(retval));
    }
    *rpc = jsonrpc_open(stream);
    return NULL;
}

/* Connects to the database at 'remote', an OVSDB connection method, within
 * 'timeout' ms. */
struct cni_error *
ovsdb_connect(const char *remote, int timeout, struct ovsdb_connection **cp)
{
    struct jsonrpc *rpc;
    struct cni_error *error = open_rpc(remote, timeout, &rpc);

    *cp = NULL;
    if (!error) {
        *cp = xmalloc(sizeof **cp);
        (*cp)->rpc = rpc;
        (*cp)->remote = xstrdup(remote);
        (*cp)->used = time_msec();
    }
    return error;
}

/* Ends 'c', which may be null. */
void
ovsdb_disconnect(struct ovsdb_connection *c)
{
    if (c) {
        jsonrpc_close(c->rpc);
        free(c->remote);
        free(c);
    }
}

/* Waits until 'deadline', in ms, for the answer to the request with 'id'.
 * Stores it in '*reply'.  Returns a positive errno value on failure. */
static int
receive(struct ovsdb_connection *c, const struct json *id,
        long long int deadline, struct jsonrpc_msg **reply)
{
    for (;;) {
        int retval;

        jsonrpc_run(c->rpc);
        retval = jsonrpc_recv(c->rpc, reply);
        if (!retval) {
            if (((*reply)->type == JSONRPC_REPLY
                 || (*reply)->type == JSONRPC_ERROR)
                && json_equal((*reply)->id, id)) {
                return 0;
            }
            if ((*reply)->type == JSONRPC_REQUEST
                && !strcmp((*reply)->method, "echo")) {
                /* The server asks whether we are there. */
                jsonrpc_send(c->rpc, jsonrpc_create_reply(
                                 json_clone((*reply)->params), (*reply)->id));
            }
            jsonrpc_msg_destroy(*reply);
            continue;
        } else if (retval != EAGAIN) {
            return retval == EOF ? ECONNRESET : retval;
        } else if (time_msec() >= deadline) {
            return ETIMEDOUT;
        }
        jsonrpc_wait(c->rpc);
        jsonrpc_recv_wait(c->rpc);
        poll_timer_wait_until(deadline);
        poll_block();
    }
}

/* Returns the first error in the answer 'reply' to a transaction, or null. */
static const struct json *
find_failure(const struct jsonrpc_msg *reply)
{
    if (reply->type == JSONRPC_ERROR) {
        return reply->error;
    } else if (reply->result->type != JSON_ARRAY) {
        return reply->result;
    }
    for (size_t i = 0; i < json_array_size(reply->result); i++) {
        const struct json *result = json_array_at(reply->result, i);

        if (cni_json_member(result, "error")) {
            return result;
        }
    }
    return NULL;
}

/* Executes 'operations', an array that this function destroys, in one
 * transaction.  Stores the array of their results in '*results', for the
 * caller to destroy.  If the database has no answer within 'timeout' ms, the
 * transaction may have been executed or not. */
struct cni_error *
ovsdb_transact(struct ovsdb_connection *c, struct json *operations,
               int timeout, struct json **results)
{
    struct json *params = json_array_create_1(
        json_string_create("Open_vSwitch"));
    struct json *id;
    struct jsonrpc_msg *request, *reply;
    const struct json *failure;
    struct cni_error *error = NULL;
    int retval = 0;

    *results = NULL;
    for (size_t i = 0; i < json_array_size(operations); i++) {
        json_array_add(params, json_clone(json_array_at(operations, i)));
    }
    json_destroy(operations);
    if (time_msec() > c->used + IDLE_MS) {
        struct jsonrpc *rpc;

        error = open_rpc(c->remote, timeout, &rpc);
        if (error) {
            json_destroy(params);
            return error;
        }
        jsonrpc_close(c->rpc);
        c->rpc = rpc;
    }
    request = jsonrpc_create_request("transact", params, &id);
    retval = jsonrpc_send(c->rpc, request);
    if (!retval) {
        retval = receive(c, id, time_msec() + timeout, &reply);
    }
    c->used = time_msec();
    json_destroy(id);
    if (retval) {
        return cni_error(CNI_TRY_AGAIN, no_database,
                         "the database of Open vSwitch at %s does not "
                         "answer: %s", c->remote, ovs_strerror(retval));
    }

    failure = find_failure(reply);
    if (failure) {
        char *s = json_to_string(failure, JSSF_SORT);

        error = cni_error(CNI_SWITCH, "Compare the version of Open vSwitch's "
                          "database with that of this program.",
                          "the database of Open vSwitch refuses a "
                          "transaction: %s", s);
        free(s);
    } else {
        *results = json_clone(reply->result);
    }
    jsonrpc_msg_destroy(reply);
    return error;
}

/* Operations. */

/* Returns an operation 'op' on 'table', to be completed. */
struct json *
ovsdb_operation(const char *op, const char *table)
{
    struct json *json = json_object_create();

    json_object_put_string(json, "op", op);
    json_object_put_string(json, "table", table);
    return json;
}

/* Returns an empty set or optional value. */
struct json *
ovsdb_set_empty(void)
{
    return json_array_create_2(json_string_create("set"),
                               json_array_create_empty());
}

/* Returns a map of strings of 'pairs': key, value, key, value, and a null.
 * Those with an empty value are left out. */
struct json *
ovsdb_map(const char *const pairs[])
{
    struct json *map = json_array_create_empty();

    for (; pairs[0]; pairs += 2) {
        if (pairs[1][0]) {
            json_array_add(map, json_array_create_2(
                               json_string_create(pairs[0]),
                               json_string_create(pairs[1])));
        }
    }
    return json_array_create_2(json_string_create("map"), map);
}

/* Returns the array of one condition, for "where"; destroys 'value'. */
struct json *
ovsdb_condition(const char *column, const char *function, struct json *value)
{
    return json_array_create_1(
        json_array_create_3(json_string_create(column),
                            json_string_create(function), value));
}

/* Returns the array of 'names', which end with a null. */
struct json *
ovsdb_columns(const char *const names[])
{
    struct json *json = json_array_create_empty();

    for (; *names; names++) {
        json_array_add(json, json_string_create(*names));
    }
    return json;
}

/* Results. */

/* Returns the row number 'row' that the select number 'operation' has found,
 * or null. */
const struct json *
ovsdb_row(const struct json *results, size_t operation, size_t row)
{
    const struct json *rows;

    if (operation >= json_array_size(results)) {
        return NULL;
    }
    rows = cni_json_member(json_array_at(results, operation), "rows");
    return (rows && rows->type == JSON_ARRAY && row < json_array_size(rows)
            ? json_array_at(rows, row) : NULL);
}

/* Returns how many rows operation number 'operation' has changed. */
size_t
ovsdb_count(const struct json *results, size_t operation)
{
    const struct json *count;

    if (operation >= json_array_size(results)) {
        return 0;
    }
    count = cni_json_member(json_array_at(results, operation), "count");
    return count && count->type == JSON_INTEGER ? json_integer(count) : 0;
}

/* Returns the value of 'key' in the map 'column' of 'row', or null. */
const struct json *
ovsdb_map_get(const struct json *row, const char *column, const char *key)
{
    const struct json *map = cni_json_member(row, column);

    if (!map || map->type != JSON_ARRAY || json_array_size(map) != 2
        || json_array_at(map, 1)->type != JSON_ARRAY) {
        return NULL;
    }
    map = json_array_at(map, 1);
    for (size_t i = 0; i < json_array_size(map); i++) {
        const struct json *pair = json_array_at(map, i);

        if (pair->type == JSON_ARRAY && json_array_size(pair) == 2
            && json_array_at(pair, 0)->type == JSON_STRING
            && !strcmp(json_string(json_array_at(pair, 0)), key)) {
            return json_array_at(pair, 1);
        }
    }
    return NULL;
}

/* Returns the string of 'key' in the map 'column' of 'row', or "". */
const char *
ovsdb_map_string(const struct json *row, const char *column, const char *key)
{
    const struct json *value = ovsdb_map_get(row, column, key);

    return value && value->type == JSON_STRING ? json_string(value) : "";
}
