/* SPDX-License-Identifier: Apache-2.0 */

#ifndef KUBE_VALUE_H
#define KUBE_VALUE_H 1

/* Values from JSON that others wrote
 * ==================================
 *
 * JSON's null counts as absent, as in Kubernetes' API.  A faulty value counts
 * as absent too, and '*error' gets a message if it has none yet.
 *
 * Thread-safety: functions are reentrant. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>

#include "openvswitch/compiler.h"

struct json;
struct kube_cidr;

/* Limit for the addresses in one list. */
#define KV_MAX_ADDRESSES 4096

void kv_complain(char **error, const char *format, ...)
    OVS_PRINTF_FORMAT(2, 3);

const struct json *kv_member(const struct json *, const char *name);
const char *kv_string(const struct json *);
size_t kv_array(const struct json *, const char *path, size_t max,
                struct json ***elems, char **error);
bool kv_bool(const struct json *, const char *name, bool default_);
bool kv_integer(const struct json *, const char *name, long long int min,
                long long int max, long long int *, char **error);
uint16_t kv_port(const struct json *, const char *name, char **error);
uint8_t kv_protocol(const struct json *, char **error);

bool kv_ip(const char *, struct in6_addr *);
bool kv_cidr(const char *, struct kube_cidr *);
void kv_add_ip(const char *path, const char *, struct in6_addr **, size_t *n,
               char **error);
void kv_add_ips(const struct json *, const char *path, struct in6_addr **,
                size_t *n, char **error);
bool kv_add_cidrs(const struct json *, const char *path,
                  struct kube_cidr **, size_t *n, char **error);

#endif /* kube-value.h */
