/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "cni-result.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "cni-error.h"
#include "cni-json.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "util.h"
#include "utilities/common/compat-json.h"

#define MAX_ADDRESSES 64
#define MAX_ROUTES 1024

/* Addresses. */

static uint8_t
max_plen(int family)
{
    return family == AF_INET ? 32 : 128;
}

/* Parses "ADDRESS" or, with 'with_plen', "ADDRESS/LENGTH". */
static bool
parse_ip(const char *s, bool with_plen, struct cni_ip *ip)
{
    char address[INET6_ADDRSTRLEN];
    const char *slash = strchr(s, '/');
    size_t len = slash ? slash - s : strlen(s);
    int plen;

    if (with_plen != (slash != NULL) || len >= sizeof address) {
        return false;
    }
    memset(ip, 0, sizeof *ip);
    memcpy(address, s, len);
    address[len] = '\0';
    ip->family = strchr(address, ':') ? AF_INET6 : AF_INET;
    if (inet_pton(ip->family, address, ip->octets) != 1) {
        return false;
    }
    plen = max_plen(ip->family);
    if (slash) {
        if (!str_to_int(slash + 1, 10, &plen) || plen < 0
            || plen > max_plen(ip->family)) {
            return false;
        }
    }
    ip->plen = plen;
    return true;
}

/* Returns 'ip' as text, with "/LENGTH" if 'with_plen', for the caller to
 * free. */
char *
cni_ip_to_string(const struct cni_ip *ip, bool with_plen)
{
    char address[INET6_ADDRSTRLEN];

    inet_ntop(ip->family, ip->octets, address, sizeof address);
    return (with_plen ? xasprintf("%s/%u", address, ip->plen)
            : xstrdup(address));
}

/* Returns true if 'ip' is in the network 'prefix'. */
bool
cni_ip_covers(const struct cni_ip *prefix, const struct cni_ip *ip)
{
    int whole = prefix->plen / 8, rest = prefix->plen % 8;
    uint8_t mask = 0xff << (8 - rest);

    return (prefix->family == ip->family
            && !memcmp(prefix->octets, ip->octets, whole)
            && (!rest || !((prefix->octets[whole] ^ ip->octets[whole])
                           & mask)));
}

/* Parsing. */

/* Parses the member 'name' of 'object'.  Leaves '*ip' alone if it is absent.
 * 'what' is where 'object' is from. */
static struct cni_error *
parse_member(const struct json *object, const char *what, const char *name,
             bool with_plen, struct cni_ip *ip)
{
    const char *s = "";
    struct cni_error *error = cni_json_string(object, what, name, &s);

    if (!error && s[0] && !parse_ip(s, with_plen, ip)) {
        error = cni_error(CNI_IPAM, "Correct \"ipam\" in the network "
                          "configuration, or report the fault.",
                          "%s: \"%s\" is \"%.100s\", and no IP address%s",
                          what, name, s, with_plen ? " with a length" : "");
    }
    return error;
}

static struct cni_error *
parse_address(const struct json *json, const char *what,
              struct cni_address *a)
{
    long long int interface = -1;
    struct cni_error *error;

    if ((error = parse_member(json, what, "address", true, &a->ip))
        || (error = parse_member(json, what, "gateway", false, &a->gateway))
        || (error = cni_json_integer(json, what, "interface", 0, INT32_MAX,
                                     &interface))) {
        return error;
    }
    a->interface = interface;
    if (!a->ip.family
        || (a->gateway.family && a->gateway.family != a->ip.family)) {
        return cni_error(CNI_IPAM, "Report the fault of the IPAM plugin.",
                         "%s has an entry in \"ips\" without an address, or "
                         "with one and a gateway of two families", what);
    }
    return NULL;
}

static struct cni_error *
parse_route(const struct json *json, const char *what, struct cni_route *r)
{
    const struct {
        const char *name;
        uint32_t *value;
    } numbers[] = {
        { "mtu", &r->mtu }, { "advmss", &r->advmss },
        { "priority", &r->priority }, { "table", &r->table },
    };
    long long int scope = -1;
    struct cni_error *error;

    if ((error = parse_member(json, what, "dst", true, &r->dst))
        || (error = parse_member(json, what, "gw", false, &r->gateway))
        || (error = cni_json_integer(json, what, "scope", 0, 255, &scope))) {
        return error;
    }
    r->scope = scope;
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        long long int value = 0;

        error = cni_json_integer(json, what, numbers[i].name, 0, UINT32_MAX,
                                 &value);
        if (error) {
            return error;
        }
        *numbers[i].value = value;
    }
    if (!r->dst.family
        || (r->gateway.family && r->gateway.family != r->dst.family)) {
        return cni_error(CNI_IPAM, "Report the fault of the IPAM plugin.",
                         "%s has a route without a destination, or with one "
                         "and a gateway of two families", what);
    }
    return NULL;
}

/* Parses 'json', which 'result' owns from then on.  'what' is where it comes
 * from.  The caller must destroy 'result' even after an error. */
struct cni_error *
cni_result_parse(struct json *json, const char *what,
                 struct cni_result *result)
{
    const struct json *ips, *routes;
    struct cni_error *error;
    size_t n_ips, n_routes;

    memset(result, 0, sizeof *result);
    result->json = json;
    if ((error = cni_json_array(json, what, "ips", MAX_ADDRESSES, &ips,
                                &n_ips))
        || (error = cni_json_array(json, what, "routes", MAX_ROUTES, &routes,
                                   &n_routes))) {
        return error;
    }
    result->addresses = xcalloc(MAX(n_ips, 1), sizeof *result->addresses);
    result->routes = xcalloc(MAX(n_routes, 1), sizeof *result->routes);
    while (result->n_addresses < n_ips) {
        size_t i = result->n_addresses++;

        error = parse_address(json_array_at(ips, i), what,
                              &result->addresses[i]);
        if (error) {
            return error;
        }
    }
    while (result->n_routes < n_routes) {
        size_t i = result->n_routes++;

        error = parse_route(json_array_at(routes, i), what,
                            &result->routes[i]);
        if (error) {
            return error;
        }
    }
    return NULL;
}

/* Frees what belongs to 'result'. */
void
cni_result_destroy(struct cni_result *result)
{
    free(result->addresses);
    free(result->routes);
    json_destroy(result->json);
}

/* Returns the next hop of 'route', or null if its destinations are on the
 * link.  A route without one goes to the gateway of an address. */
const struct cni_ip *
cni_result_gateway(const struct cni_result *result,
                   const struct cni_route *route)
{
    if (route->gateway.family) {
        return &route->gateway;
    }
    for (size_t i = 0; i < result->n_addresses; i++) {
        const struct cni_ip *gateway = &result->addresses[i].gateway;

        if (gateway->family == route->dst.family) {
            return gateway;
        }
    }
    return NULL;
}

/* Returns the addresses of interface number 'interface', or of all if it is
 * negative, with blanks between them, for the caller to free. */
char *
cni_result_addresses(const struct cni_result *result, int interface)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < result->n_addresses; i++) {
        const struct cni_address *a = &result->addresses[i];

        if (interface < 0 || a->interface == interface) {
            char *address = cni_ip_to_string(&a->ip, true);

            ds_put_format(&s, "%s%s", s.length ? " " : "", address);
            free(address);
        }
    }
    return ds_steal_cstr(&s);
}
