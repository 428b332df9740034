/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "proxy-configz.h"

#include <inttypes.h>

#include "byte-order.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "proxy-options.h"
#include "util.h"
#include "utilities/ovs-kube-proxy/pipeline/service-config.h"

static void
put_string(struct json *object, const char *name, const char *s)
{
    json_object_put(object, name,
                    s ? json_string_create(s) : json_null_create());
}

static void
put_strings(struct json *object, const struct proxy_options *o)
{
    const struct {
        const char *name, *value;
    } strings[] = {
        { "switch", o->sync.remote },
        { "kubeconfig", o->source.kubeconfig },
        { "context", o->source.context },
        { "in-cluster", o->source.service_account },
        { "from-file", o->source.from_file },
        { "node", o->pipeline.node },
        { "gateway-status", o->gateway_status },
        { "healthz-address", o->healthz_address },
        { "metrics-address", o->metrics_address },
        { "page-address", o->page_address },
    };

    for (size_t i = 0; i < ARRAY_SIZE(strings); i++) {
        put_string(object, strings[i].name, strings[i].value);
    }
}

/* Appends the configuration to 's'. */
void
proxy_configz_format(const struct proxy_options *o,
                     const struct service_pipeline *pipeline, struct ds *s)
{
    struct json *json = json_object_create();
    struct json *object = json_object_create();

    json_object_put(json, "ovs-kube-proxy", object);
    put_strings(object, o);
    service_pipeline_put_config(pipeline, object);
    json_object_put_format(object, "cookie", "0x%"PRIx64"/0x%"PRIx64,
                           ntohll(o->sync.cookie),
                           ntohll(o->sync.cookie_mask));
    json_object_put_format(object, "groups", "%"PRIu32"-%"PRIu32,
                           o->sync.group_min, o->sync.group_max);
    json_object_put(object, "gateway-api",
                    json_boolean_create(o->gateway_api));
    json_object_put(object, "journal", json_integer_create(o->journal_mb));
    json_object_put(object, "metrics-series",
                    json_integer_create(o->metrics_series));
    json_object_put(object, "reject-rate",
                    json_integer_create(o->reject.rate));
    json_object_put(object, "probe-interval",
                    json_integer_create(o->sync.probe_interval));
    json_to_ds(json, 0, s);
    json_destroy(json);
}
