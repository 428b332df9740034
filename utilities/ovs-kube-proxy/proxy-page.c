/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "proxy-page.h"

#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "util.h"
#include "utilities/common/kube-http.h"
#include "utilities/of-sync/of-show.h"
#include "utilities/ovs-kube-proxy/pipeline/service-show.h"

static const char page[] =
#include "utilities/ovs-kube-proxy/page.inc"
;

static struct json *
state_json(const struct of_sync *sync, const char *state, const char *fault)
{
    struct json *object = json_object_create();
    struct ds s = DS_EMPTY_INITIALIZER;

    of_show(sync, &s);
    json_object_put_string(object, "state", state);
    if (fault) {
        json_object_put_string(object, "fault", fault);
    }
    json_object_put_string(object, "sync", ds_cstr(&s));
    ds_destroy(&s);
    return object;
}

static struct json *
services_json(const struct service_pipeline *pipeline)
{
    struct json *object = json_object_create();
    size_t total;

    json_object_put(object, "services",
                    service_pipeline_list_json(pipeline, PAGE_MAX_SERVICES,
                                               &total));
    json_object_put(object, "total", json_integer_create(total));
    return object;
}

/* Fills 'response' in, unless 'path' is none of the page's.  'state' is what
 * "sync/status" begins with; 'fault' is what /healthz complains about, or
 * null. */
void
proxy_page_serve(struct service_pipeline *pipeline, const struct of_sync *sync,
                 const char *state, const char *fault, const char *path,
                 struct kube_response *response)
{
    static const char services[] = "/services/";
    struct json *json = NULL;

    if (!strcmp(path, "/")) {
        response->status = 200;
        response->type = "text/html; charset=utf-8";
        ds_put_cstr(&response->body, page);
    } else if (!strcmp(path, "/state.json")) {
        json = state_json(sync, state, fault);
    } else if (!strcmp(path, "/services.json")) {
        json = services_json(pipeline);
    } else if (!strncmp(path, services, strlen(services))) {
        json = service_pipeline_show_json(pipeline, path + strlen(services));
    }
    if (json) {
        response->status = 200;
        response->type = "application/json";
        json_to_ds(json, 0, &response->body);
        json_destroy(json);
    }
}
