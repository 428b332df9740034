/* SPDX-License-Identifier: Apache-2.0 */

#ifndef CNI_RESULT_H
#define CNI_RESULT_H 1

/* Addresses and routes, as IPAM plugins and runtimes write them
 * =============================================================
 *
 * Attack model: an IPAM plugin may be faulty.  A result has at most 64
 * addresses and 1,024 routes, and each is parsed before it is used.
 *
 * Thread-safety: functions are reentrant. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>

struct cni_error;
struct cni_request;
struct json;

struct cni_ip {
    int family;                 /* AF_INET or AF_INET6. */
    union {
        struct in_addr v4;
        struct in6_addr v6;
        uint8_t octets[16];
    };
    uint8_t plen;
};

struct cni_address {
    struct cni_ip ip;
    struct cni_ip gateway;      /* 'family' is 0 if there is none. */
    int interface;              /* Index, or -1. */
};

struct cni_route {
    struct cni_ip dst;
    struct cni_ip gateway;      /* 'family' is 0 if there is none. */
    uint32_t mtu, advmss, priority, table; /* 0: not given. */
    int scope;                  /* -1: not given. */
};

struct cni_result {
    struct cni_address *addresses;
    size_t n_addresses;
    struct cni_route *routes;
    size_t n_routes;
    struct json *json;          /* What has been parsed. */
};

struct cni_error *cni_result_parse(struct json *, const char *what,
                                   struct cni_result *);
void cni_result_destroy(struct cni_result *);

const struct cni_ip *cni_result_gateway(const struct cni_result *,
                                        const struct cni_route *);
bool cni_ip_covers(const struct cni_ip *prefix, const struct cni_ip *);
char *cni_ip_to_string(const struct cni_ip *, bool with_plen);

char *cni_result_addresses(const struct cni_result *, int interface);
void cni_result_print(const struct cni_result *, const struct cni_request *,
                      const uint8_t host_mac[6], const char *socket);

#endif /* cni-result.h */
