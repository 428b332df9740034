/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "cni-bandwidth.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cni-error.h"
#include "cni-json.h"
#include "cni-ovsdb.h"
#include "cni-request.h"
#include "cni-request-private.h"
#include "openvswitch/json.h"
#include "openvswitch/shash.h"
#include "util.h"
#include "utilities/common/compat-json.h"

/* What linux-htb takes, 1500 octets/s, and 32 bits of octets/s. */
#define MIN_RATE 12000LL
#define MAX_RATE 34000000000LL

/* 32 bits of octets. */
#define MAX_BURST (8LL * UINT32_MAX)

/* Octets of a frame besides its MTU. */
#define FRAME_LEN (14 + 4)

/* linux-htb counts a burst as a time, of at most 274 s. */
#define MAX_BURST_S 200

/* Reading. */

static struct cni_error *
refuse_unknown_keys(const struct json *bandwidth)
{
    struct shash_node *node;

    if (!bandwidth) {
        return NULL;
    }
    SHASH_FOR_EACH (node, json_object(bandwidth)) {
        if (strcmp(node->name, "ingressRate")
            && strcmp(node->name, "ingressBurst")
            && strcmp(node->name, "egressRate")
            && strcmp(node->name, "egressBurst")) {
            return cni_error(CNI_UNSUPPORTED_FIELD, "Remove it: see "
                             "ovs-ext-cni(8).", "\"bandwidth\" has \"%s\", "
                             "which is not known", node->name);
        }
    }
    return NULL;
}

static struct cni_error *
read_limit(const struct json *bandwidth, const char *rate, const char *burst,
           int mtu, struct cni_limit *limit)
{
    long long int one_frame = 8LL * (mtu + FRAME_LEN);
    struct cni_error *error;

    if ((error = cni_json_integer(bandwidth, "\"bandwidth\"", rate, 0,
                                  MAX_RATE, &limit->rate))
        || (error = cni_json_integer(bandwidth, "\"bandwidth\"", burst, 0,
                                     MAX_BURST, &limit->burst))) {
        return error;
    } else if (!limit->rate != !limit->burst) {
        return cni_error(CNI_BAD_CONFIG, "Give both or none.",
                         "\"bandwidth\" has a \"%s\" without a \"%s\"",
                         limit->rate ? rate : burst,
                         limit->rate ? burst : rate);
    } else if (limit->rate && limit->rate < MIN_RATE) {
        return cni_error(CNI_BAD_CONFIG, "Ask for 12000 bits/s or more.",
                         "\"%s\" of \"bandwidth\" is %lld", rate,
                         limit->rate);
    } else if (limit->rate && limit->burst < one_frame) {
        /* No frame of that length would ever pass. */
        return cni_error(CNI_BAD_CONFIG, "Ask for a frame of the MTU, in "
                         "bits, or more.", "\"%s\" of \"bandwidth\" is %lld, "
                         "and a frame has %lld", burst, limit->burst,
                         one_frame);
    }
    return NULL;
}

/* Stores the limits of the pod in 'r', whose MTU is known. */
struct cni_error *
cni_bandwidth_read(struct cni_request *r)
{
    const struct json *runtime, *bandwidth;
    struct cni_error *error;

    if ((error = cni_json_object(r->config, "the network configuration",
                                 "runtimeConfig", &runtime))
        || (error = cni_json_object(runtime, "\"runtimeConfig\"",
                                    "bandwidth", &bandwidth))
        || (error = refuse_unknown_keys(bandwidth))
        || (error = read_limit(bandwidth, "ingressRate", "ingressBurst",
                               r->mtu, &r->gets))) {
        return error;
    }
    return read_limit(bandwidth, "egressRate", "egressBurst", r->mtu,
                      &r->sends);
}

/* Rows. */

static struct json *
number_map(const char *a, long long int a_value, const char *b,
           long long int b_value, const char *c, long long int c_value)
{
    char *values[] = {
        xasprintf("%lld", a_value), xasprintf("%lld", b_value),
        xasprintf("%lld", c_value),
    };
    const char *const pairs[] = {
        a, values[0], b, values[1], c, c ? values[2] : NULL, NULL
    };
    struct json *map = ovsdb_map(pairs);

    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        free(values[i]);
    }
    return map;
}

static struct json *
make_qos_config(const struct cni_request *r)
{
    return (r->vhost.directory
            ? number_map("cir", r->gets.rate / 8, "cbs", r->gets.burst / 8,
                         NULL, 0)
            : number_map("max-rate", r->gets.rate, NULL, 0, NULL, 0));
}

static struct json *
make_queue_config(const struct cni_request *r)
{
    return number_map("min-rate", r->gets.rate, "max-rate", r->gets.rate,
                      "burst", MIN(r->gets.burst,
                                   r->gets.rate * MAX_BURST_S));
}

static const char *
qos_type(const struct cni_request *r)
{
    return r->vhost.directory ? "egress-policer" : "linux-htb";
}

/* Returns 'external_ids' of the port 'host', as those of a row that is for
 * it. */
static struct json *
make_ids(const struct json *external_ids, const char *host)
{
    struct json *ids = json_deep_clone(external_ids);

    json_array_add(CONST_CAST(struct json *, json_array_at(ids, 1)),
                   json_array_create_2(json_string_create("cni-port"),
                                       json_string_create(host)));
    return ids;
}

static struct json *
named_uuid(const char *name)
{
    return json_array_create_2(json_string_create("named-uuid"),
                               json_string_create(name));
}

static void
put_insert(struct json *operations, const char *table, const char *uuid_name,
           struct json *row)
{
    struct json *op = ovsdb_operation("insert", table);

    json_object_put_string(op, "uuid-name", uuid_name);
    json_object_put(op, "row", row);
    json_array_add(operations, op);
}

static void
put_queue(const struct cni_request *r, struct json *qos,
          const struct json *external_ids, struct json *operations)
{
    struct json *queue = json_object_create();

    json_object_put(queue, "other_config", make_queue_config(r));
    json_object_put(queue, "external_ids",
                    make_ids(external_ids, r->attachment.host));
    put_insert(operations, "Queue", "queue", queue);
    json_object_put(qos, "queues", json_array_create_2(
                        json_string_create("map"),
                        json_array_create_1(json_array_create_2(
                            json_integer_create(0), named_uuid("queue")))));
}

/* Adds the limits of 'r' to the rows 'interface' and 'port', which have
 * 'external_ids', and other rows to 'operations'.  'polices' says that the
 * switch can limit what the pod sends. */
void
cni_bandwidth_put(const struct cni_request *r, bool polices,
                  struct json *interface, struct json *port,
                  const struct json *external_ids, struct json *operations)
{
    if (r->sends.rate && polices) {
        json_object_put(interface, "ingress_policing_rate",
                        json_integer_create(DIV_ROUND_UP(r->sends.rate,
                                                         1000)));
        json_object_put(interface, "ingress_policing_burst",
                        json_integer_create(DIV_ROUND_UP(r->sends.burst,
                                                         1000)));
    }
    if (r->gets.rate) {
        struct json *qos = json_object_create();

        json_object_put_string(qos, "type", qos_type(r));
        json_object_put(qos, "other_config", make_qos_config(r));
        json_object_put(qos, "external_ids",
                        make_ids(external_ids, r->attachment.host));
        if (!r->vhost.directory) {
            put_queue(r, qos, external_ids, operations);
        }
        put_insert(operations, "QoS", "qos", qos);
        json_object_put(port, "qos", named_uuid("qos"));
    }
}

static struct json *
is_for(const char *host)
{
    const char *const ids[] = {
        "cni-owner", "ovs-ext-cni", "cni-port", host, NULL
    };

    return ovsdb_condition("external_ids", "includes", ovsdb_map(ids));
}

/* Adds operations to 'operations' that delete the rows for port 'host'. */
void
cni_bandwidth_put_delete(const char *host, struct json *operations)
{
    static const char *const tables[] = { "QoS", "Queue" };

    for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
        struct json *op = ovsdb_operation("delete", tables[i]);

        json_object_put(op, "where", is_for(host));
        json_array_add(operations, op);
    }
}

/* Comparing. */

/* Adds to 'operations' selects of the rows for port 'host': of QoS and of
 * Queue. */
void
cni_bandwidth_put_select(const char *host, struct json *operations)
{
    static const char *const of_qos[] = {
        "_uuid", "type", "other_config", NULL
    };
    static const char *const of_queue[] = { "other_config", NULL };
    struct json *qos = ovsdb_operation("select", "QoS");
    struct json *queue = ovsdb_operation("select", "Queue");

    json_object_put(qos, "where", is_for(host));
    json_object_put(qos, "columns", ovsdb_columns(of_qos));
    json_array_add(operations, qos);
    json_object_put(queue, "where", is_for(host));
    json_object_put(queue, "columns", ovsdb_columns(of_queue));
    json_array_add(operations, queue);
}

static long long int
row_integer(const struct json *row, const char *column)
{
    const struct json *value = cni_json_member(row, column);

    return value && value->type == JSON_INTEGER ? json_integer(value) : 0;
}

/* Returns true if 'row' has the pairs of 'expected', a map, in other_config.
 * Destroys 'expected'. */
static bool
has_config(const struct json *row, struct json *expected)
{
    const struct json *pairs = json_array_at(expected, 1);
    bool equal = row != NULL;

    for (size_t i = 0; i < json_array_size(pairs) && equal; i++) {
        const struct json *pair = json_array_at(pairs, i);

        equal = !strcmp(ovsdb_map_string(row, "other_config",
                                         json_string(json_array_at(pair, 0))),
                        json_string(json_array_at(pair, 1)));
    }
    json_destroy(expected);
    return equal;
}

static bool
has_type(const struct json *qos, const char *type)
{
    const char *s = "";

    cni_error_destroy(cni_json_string(qos, "QoS", "type", &s));
    return !strcmp(s, type);
}

static bool
limits_sends(const struct cni_request *r, const struct json *interface)
{
    return (!r->sends.rate
            || (row_integer(interface, "ingress_policing_rate")
                == DIV_ROUND_UP(r->sends.rate, 1000)
                && row_integer(interface, "ingress_policing_burst")
                == DIV_ROUND_UP(r->sends.burst, 1000)));
}

static bool
limits_gets(const struct cni_request *r, const struct json *port,
            const struct json *qos, const struct json *queue)
{
    const struct json *used = cni_json_member(port, "qos");

    return (!r->gets.rate
            || (qos && used && json_equal(used, cni_json_member(qos, "_uuid"))
                && has_type(qos, qos_type(r))
                && has_config(qos, make_qos_config(r))
                && (r->vhost.directory
                    || has_config(queue, make_queue_config(r)))));
}

/* Compares the rows with what cni_bandwidth_put() makes.  Each is null if it
 * is not there.  What the pod does not ask for may be as it is. */
struct cni_error *
cni_bandwidth_check(const struct cni_request *r, bool polices,
                    const struct json *interface, const struct json *port,
                    const struct json *qos, const struct json *queue)
{
    const char *what = (polices && !limits_sends(r, interface) ? "sends"
                        : !limits_gets(r, port, qos, queue) ? "gets"
                        : NULL);

    return (what ? cni_error(CNI_DIFFERS, "Restart the pod.", "port %s does "
                             "not limit what the pod %s as it asks for",
                             r->attachment.host, what)
            : NULL);
}
