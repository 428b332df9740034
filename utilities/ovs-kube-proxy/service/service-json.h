/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SERVICE_JSON_H
#define SERVICE_JSON_H 1

/* Services for programs to read
 * =============================
 *
 * Thread-safety: functions are reentrant. */

struct in6_addr;
struct json;
struct kube_cidr;
struct service;

struct json *service_to_json(const struct service *);
struct json *service_ip_json(const struct in6_addr *);
struct json *service_range_json(const struct kube_cidr *);

#endif /* service-json.h */
