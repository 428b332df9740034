/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "kube-value.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "kube-cidr.h"
#include "kube-object.h"
#include "openvswitch/json.h"
#include "openvswitch/shash.h"
#include "packets.h"
#include "util.h"
#include "utilities/common/compat-json.h"

/* Stores a message in '*error', unless one is there.  One fault of an object
 * is enough to report: after its repair, the next one is reported. */
void
kv_complain(char **error, const char *format, ...)
{
    if (!*error) {
        va_list args;

        va_start(args, format);
        *error = xvasprintf(format, args);
        va_end(args);
    }
}

/* Returns the member 'name' of 'object', or null if there is none or it is
 * JSON's null.  'object' may be null. */
const struct json *
kv_member(const struct json *object, const char *name)
{
    const struct json *value;

    if (!object || object->type != JSON_OBJECT) {
        return NULL;
    }
    value = shash_find_data(json_object(object), name);
    return value && value->type != JSON_NULL ? value : NULL;
}

/* Stores in '*elems' the elements of the array in 'object' that the last part
 * of 'path' names.  Returns their number, at most 'max'.  The elements belong
 * to 'object'. */
size_t
kv_array(const struct json *object, const char *path, size_t max,
         struct json ***elems, char **error)
{
    const char *dot = strrchr(path, '.');
    const struct json *value = kv_member(object, dot ? dot + 1 : path);

    *elems = NULL;
    if (!value) {
        return 0;
    }
    if (value->type != JSON_ARRAY) {
        kv_complain(error, "%s is not a list", path);
        return 0;
    }
    if (json_array_size(value) > max) {
        kv_complain(error, "%s has %"PRIuSIZE" elements: only the first "
                    "%"PRIuSIZE" count", path, json_array_size(value), max);
    }
    *elems = compat_json_elements(value);
    return MIN(json_array_size(value), max);
}

/* Returns the boolean 'name' of 'object', or 'default_' without one. */
bool
kv_bool(const struct json *object, const char *name, bool default_)
{
    const struct json *value = kv_member(object, name);

    return (value && value->type == JSON_TRUE ? true
            : value && value->type == JSON_FALSE ? false
            : default_);
}

/* Stores the integer 'name' of 'object', from 'min' to 'max', in '*number'.
 * Returns false if there is none. */
bool
kv_integer(const struct json *object, const char *name, long long int min,
           long long int max, long long int *number, char **error)
{
    const struct json *value = kv_member(object, name);

    if (!value) {
        return false;
    }
    if (value->type != JSON_INTEGER || value->integer < min
        || value->integer > max) {
        kv_complain(error, "'%s' is not a number from %lld to %lld",
                    name, min, max);
        return false;
    }
    *number = value->integer;
    return true;
}

uint16_t
kv_port(const struct json *object, const char *name, char **error)
{
    long long int port = 0;

    return kv_integer(object, name, 0, UINT16_MAX, &port, error) ? port : 0;
}

/* Returns the IPPROTO_* that 'object' names, TCP by default, or 0 for any
 * other protocol. */
uint8_t
kv_protocol(const struct json *object, char **error)
{
    const char *s = (kv_member(object, "protocol")
                     ? kube_object_string(object, "protocol") : "TCP");

    if (!strcmp(s, "TCP")) {
        return IPPROTO_TCP;
    } else if (!strcmp(s, "UDP")) {
        return IPPROTO_UDP;
    } else if (!strcmp(s, "SCTP")) {
        return IPPROTO_SCTP;
    }
    kv_complain(error, "'protocol' is not TCP, UDP or SCTP");
    return 0;
}

bool
kv_ip(const char *s, struct in6_addr *addr)
{
    ovs_be32 ip4;

    if (ip_parse(s, &ip4)) {
        in6_addr_set_mapped_ipv4(addr, ip4);
        return true;
    }
    return ipv6_parse(s, addr) && !IN6_IS_ADDR_V4MAPPED(addr);
}

bool
kv_cidr(const char *s, struct kube_cidr *cidr)
{
    char *copy = xstrdup(s), *slash = strchr(copy, '/');
    bool ok = false;
    int plen;

    if (slash) {
        *slash = '\0';
        if (str_to_int(slash + 1, 10, &plen) && plen >= 0
            && kv_ip(copy, &cidr->addr)) {
            bool ip4 = IN6_IS_ADDR_V4MAPPED(&cidr->addr);

            if (plen <= (ip4 ? 32 : 128)) {
                struct in6_addr mask = ipv6_create_mask(plen + 96 * ip4);

                cidr->addr = ipv6_addr_bitand(&cidr->addr, &mask);
                cidr->plen = plen;
                ok = true;
            }
        }
    }
    free(copy);
    return ok;
}

/* Appends the address 's' to the '*n' at '*addrs', unless it is there.  'path'
 * tells in a message where 's' came from. */
void
kv_add_ip(const char *path, const char *s, struct in6_addr **addrs, size_t *n,
          char **error)
{
    struct in6_addr addr;

    if (!kv_ip(s, &addr)) {
        kv_complain(error, "%s: '%.64s' is not an IP address", path, s);
        return;
    }
    for (size_t i = 0; i < *n; i++) {
        if (ipv6_addr_equals(&(*addrs)[i], &addr)) {
            return;
        }
    }
    *addrs = xrealloc(*addrs, (*n + 1) * sizeof **addrs);
    (*addrs)[(*n)++] = addr;
}

const char *
kv_string(const struct json *json)
{
    return json->type == JSON_STRING ? json_string(json) : "";
}

void
kv_add_ips(const struct json *object, const char *path,
           struct in6_addr **addrs, size_t *n, char **error)
{
    struct json **elems;
    size_t n_elems = kv_array(object, path, KV_MAX_ADDRESSES, &elems,
                              error);

    for (size_t i = 0; i < n_elems; i++) {
        kv_add_ip(path, kv_string(elems[i]), addrs, n, error);
    }
}

/* Appends the address ranges in the list 'path' of 'object' to the '*n' at
 * '*cidrs'.  Returns true unless the list is empty. */
bool
kv_add_cidrs(const struct json *object, const char *path,
             struct kube_cidr **cidrs, size_t *n, char **error)
{
    struct json **elems;
    size_t n_elems = kv_array(object, path, KV_MAX_ADDRESSES, &elems,
                              error);

    for (size_t i = 0; i < n_elems; i++) {
        const char *text = kv_string(elems[i]);
        struct kube_cidr cidr;

        /* Lists written by hand have spaces in them. */
        text += strspn(text, " \t");

        char *s = xmemdup0(text, strcspn(text, " \t"));

        if (kv_cidr(s, &cidr)) {
            *cidrs = xrealloc(*cidrs, (*n + 1) * sizeof **cidrs);
            (*cidrs)[(*n)++] = cidr;
        } else {
            kv_complain(error, "%s: '%.64s' is not an address range", path, s);
        }
        free(s);
    }
    return n_elems > 0;
}

