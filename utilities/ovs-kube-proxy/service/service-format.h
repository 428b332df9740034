/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SERVICE_FORMAT_H
#define SERVICE_FORMAT_H 1

/* Services for people to read
 * ===========================
 *
 * Thread-safety: functions are reentrant. */

struct ds;
struct service;

void service_format(const struct service *, struct ds *);

#endif /* service-format.h */
