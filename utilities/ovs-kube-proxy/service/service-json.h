/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SERVICE_JSON_H
#define SERVICE_JSON_H 1

/* Services for programs to read
 * =============================
 *
 * Thread-safety: functions are reentrant. */

struct json;
struct service;

struct json *service_to_json(const struct service *);

#endif /* service-json.h */
