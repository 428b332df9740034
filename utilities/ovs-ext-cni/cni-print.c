/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "cni-result.h"

#include <stdio.h>
#include <stdlib.h>

#include "cni-json.h"
#include "cni-request.h"
#include "openvswitch/json.h"
#include "openvswitch/shash.h"
#include "util.h"
#include "utilities/common/compat-json.h"

/* Returns a copy of the array 'name' of what an earlier plugin has made. */
static struct json *
copy_array(const struct json *object, const char *name)
{
    const struct json *array = cni_json_member(object, name);
    struct json *copy = json_array_create_empty();

    if (array && array->type == JSON_ARRAY) {
        for (size_t i = 0; i < json_array_size(array); i++) {
            json_array_add(copy, json_clone(json_array_at(array, i)));
        }
    }
    return copy;
}

static struct json *
make_interface(const struct cni_request *r, const char *name,
               const uint8_t mac[6], const char *sandbox)
{
    struct json *json = json_object_create();

    json_object_put_string(json, "name", name);
    json_object_put_format(json, "mac", "%02x:%02x:%02x:%02x:%02x:%02x",
                           mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
    if (sandbox) {
        json_object_put_string(json, "sandbox", sandbox);
    }
    if (r->version >= CNI_1_1_0) {
        json_object_put(json, "mtu", json_integer_create(r->mtu));
    }
    return json;
}

static void
put_ip(struct json *json, const char *name, const struct cni_ip *ip,
       bool with_plen)
{
    if (ip->family) {
        char *s = cni_ip_to_string(ip, with_plen);

        json_object_put_string(json, name, s);
        free(s);
    }
}

static struct json *
make_address(const struct cni_request *r, const struct cni_address *a,
             int interface)
{
    struct json *json = json_object_create();

    if (r->version < CNI_1_0_0) {
        json_object_put_string(json, "version",
                               a->ip.family == AF_INET ? "4" : "6");
    }
    put_ip(json, "address", &a->ip, true);
    put_ip(json, "gateway", &a->gateway, false);
    json_object_put(json, "interface", json_integer_create(interface));
    return json;
}

static struct json *
make_route(const struct cni_request *r, const struct cni_route *route)
{
    const struct {
        const char *name;
        uint32_t value;
    } numbers[] = {
        { "mtu", route->mtu }, { "advmss", route->advmss },
        { "priority", route->priority }, { "table", route->table },
    };
    struct json *json = json_object_create();

    put_ip(json, "dst", &route->dst, true);
    put_ip(json, "gw", &route->gateway, false);
    if (r->version >= CNI_1_1_0) {
        for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
            if (numbers[i].value) {
                json_object_put(json, numbers[i].name,
                                json_integer_create(numbers[i].value));
            }
        }
        if (route->scope >= 0) {
            json_object_put(json, "scope", json_integer_create(route->scope));
        }
    }
    return json;
}

/* The configuration's "dns" wins over IPAM's, and that over an earlier
 * plugin's. */
static const struct json *
choose_dns(const struct cni_result *result, const struct cni_request *r)
{
    const struct json *from_ipam = cni_json_member(result->json, "dns");

    /* Some IPAM plugins always have the key. */
    if (from_ipam && (from_ipam->type != JSON_OBJECT
                      || shash_is_empty(json_object(from_ipam)))) {
        from_ipam = NULL;
    }
    return (r->dns ? r->dns : from_ipam ? from_ipam
            : cni_json_member(r->prev_result, "dns"));
}

/* Prints on stdout what ADD has made, 'result' of IPAM and a pair of links or
 * 'socket', behind what earlier plugins of the chain have made, in the form of
 * the version of 'r'. */
void
cni_result_print(const struct cni_result *result, const struct cni_request *r,
                 const uint8_t host_mac[6], const char *socket)
{
    const struct cni_attachment *a = &r->attachment;
    struct json *json = json_object_create();
    struct json *interfaces = copy_array(r->prev_result, "interfaces");
    struct json *ips = copy_array(r->prev_result, "ips");
    struct json *routes = copy_array(r->prev_result, "routes");
    const struct json *dns = choose_dns(result, r);
    struct json *inner = make_interface(r, a->ifname, r->mac, a->netns);
    int interface;
    char *s;

    if (!socket) {
        json_array_add(interfaces, make_interface(r, a->host, host_mac,
                                                  NULL));
    } else if (r->version >= CNI_1_1_0) {
        json_object_put_string(inner, "socketPath", socket);
    }
    interface = json_array_size(interfaces);
    json_array_add(interfaces, inner);
    for (size_t i = 0; i < result->n_addresses; i++) {
        json_array_add(ips, make_address(r, &result->addresses[i],
                                         interface));
    }
    for (size_t i = 0; i < result->n_routes; i++) {
        json_array_add(routes, make_route(r, &result->routes[i]));
    }
    json_object_put_string(json, "cniVersion", r->version_name);
    json_object_put(json, "interfaces", interfaces);
    json_object_put(json, "ips", ips);
    json_object_put(json, "routes", routes);
    json_object_put(json, "dns",
                    dns ? json_clone(dns) : json_object_create());
    s = json_to_string(json, JSSF_PRETTY | JSSF_SORT);
    puts(s);
    free(s);
    json_destroy(json);
}
