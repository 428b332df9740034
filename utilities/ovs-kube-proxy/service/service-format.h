/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SERVICE_FORMAT_H
#define SERVICE_FORMAT_H 1

/* Services for people to read
 * ===========================
 *
 * Thread-safety: functions are reentrant. */

#include <stdint.h>

struct ds;
struct service;

const char *service_protocol_name(uint8_t protocol);
void service_format(const struct service *, struct ds *);

#endif /* service-format.h */
